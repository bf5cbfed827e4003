"""Fictitious play and best-response dynamics, exact or smoothed by logit choice."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, check_number
from catallax.games.matrix import Polymatrix, per_player
from catallax.solvers.matrix.logit.choice import masked, scores_of, softmax


class Beliefs(NamedTuple):
    """The beliefs of all players about each other, and their weight."""

    policy: Float[Array, "n A B"]
    """x_k, the frequencies of player k's actions, which all others observe."""
    count: Float[Array, ""]
    """The weight of the beliefs: the rounds played plus `prior`."""


class BestResponsePlay(AbstractDynamics):
    """All players reply to their beliefs at the same time, and beliefs move towards the replies:

        x_k <- x_k + w (b_k(x) - x_k),   w = 1 / (n + 1) after n rounds, or the constant `rate`.

    b_k is the best reply, the first one of several; with a temperature T_k > 0 it is softmax(r_k(x) / T_k). With
    w = 1 / (n + 1) the beliefs are empirical frequencies, which is (smooth) fictitious play. It converges in zero-sum
    games of two players (Robinson 1951) and may cycle for ever in others (Shapley 1964). With a small constant rate the
    steps are Euler steps of the (smooth) best-response dynamics dx/dt = b(x) - x; fictitious play is the discrete form
    of this flow in time log n. Rest points with all T_k > 0 are the logit equilibria at T.

    With more than two players r_k(x) is evaluated at the product of the frequencies, so players believe that the others
    move independently. In polymatrix games this is equal to the mean payoff against the actions played together.

    Args:
        game: any polymatrix game.
        temperature: T >= 0: one number or [n].
        start: interior beliefs before play, [n, A] or [n, A, B] (if all players have two actions, P(first action),
            [n]); None for uniform beliefs.
        rate: w, in (0, 1]; None for 1 / (n + 1).
        prior: the number of rounds that the start counts for, at least 0; it has no effect with a `rate`.

    The state is `Beliefs`. The residual is the larger of two numbers: the largest regret at the beliefs of players with
    T_k = 0, and the largest |b - x| of players with T_k > 0.

    Raises:
        InputError: a temperature is below 0, the rate is outside (0, 1], the prior is below 0, or the start is no
            interior point.

    Source: Brown (1951), Robinson (1951), Shapley (1964); smoothed: Fudenberg and Levine (1998), chapter 4.
    """

    game: Polymatrix
    temperature: Float[Array, " n"]
    start: Float[Array, "n A B"]
    rate: Float[Array, ""] | None
    prior: Float[Array, ""]

    def __init__(
        self, game: Polymatrix, temperature: Any = 0.0, start: Any = None, *, rate: Any = None, prior: Any = 1.0
    ):
        self.game = game
        self.temperature = per_player(game, "temperature", temperature, positive=False)
        uniform = jnp.zeros((game.players, game.width, 1), self.temperature.dtype)
        scores = uniform if start is None else scores_of(game, start)
        self.start = softmax(game, scores if scores.ndim == 3 else scores[:, :, None])
        for name, value, interval in (("rate", rate, "(0, 1]"), ("prior", prior, "[0, inf)")):
            if value is not None:
                check_number("BestResponsePlay", name, value, interval)
        self.rate = None if rate is None else jnp.asarray(rate, self.start.dtype)
        self.prior = jnp.asarray(prior, self.start.dtype)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Beliefs:
        return Beliefs(self.start, self.prior)

    def reply(self, policy: Float[Array, "n A B"]) -> Float[Array, "n A B"]:
        """b(x), the replies of all players to a policy."""
        rewards = self.game.rewards(policy)
        options = jnp.arange(self.game.width)[:, None]
        best = masked(self.game, rewards, -jnp.inf).argmax(axis=1, keepdims=True)
        temperature = self.temperature[:, None, None]
        smooth = softmax(self.game, rewards / jnp.where(temperature > 0, temperature, 1.0))
        return jnp.where(temperature > 0, smooth, (options == best).astype(rewards.dtype))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Beliefs, t: Int[Array, ""]
    ) -> tuple[Beliefs, Float[Array, "n A B"]]:
        """One round; the record is the reply of each player."""
        reply = self.reply(state.policy)
        weight = 1 / (state.count + 1) if self.rate is None else self.rate
        return Beliefs(state.policy + weight * (reply - state.policy), state.count + 1), reply

    def policy(self, state: Beliefs) -> Float[Array, "n A B"]:
        """The beliefs x, [n, A, B]; measures of policies read them."""
        return state.policy

    def residual(self, state: Beliefs) -> Float[Array, ""]:
        """The largest regret of players with T_k = 0, or |b - x| of players with T_k > 0; the larger of the two."""
        smooth = (self.temperature > 0)[:, None]
        away = jnp.abs(self.reply(state.policy) - state.policy).max(axis=1)
        regret = self.game.regrets(state.policy)
        return jnp.maximum(jnp.where(smooth, away, regret).max(), 0.0)
