"""Fictitious play and best-response dynamics with beliefs: the deterministic counterparts of the learners."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, check_number
from catallax.games.matrix import Polymatrix, per_player
from catallax.solvers.matrix.logit.choice import masked, scores_of, softmax


class Beliefs(NamedTuple):
    """What everybody believes, and how long it has been gathered."""

    policy: Float[Array, "n A B"]
    """x_k, the frequencies of player k's actions, as all others see them."""
    count: Float[Array, ""]
    """Weight of the beliefs: rounds played and `prior`."""


class BestResponsePlay(AbstractDynamics):
    """All players reply to their beliefs at once, and beliefs move towards the replies:

        x_k <- x_k + w (b_k(x) - x_k),   w = 1 / (n + 1) after n rounds, or the constant `rate`.

    b_k is the best reply, of equally good ones the first; with a temperature T_k > 0 it is softmax(r_k(x) / T_k). With
    w = 1 / (n + 1) beliefs are empirical frequencies: (smooth) fictitious play. It converges in zero-sum games of two
    players (Robinson 1951) and may cycle for ever in others (Shapley 1964). A small constant rate makes Euler steps of
    the (smooth) best-response dynamics dx/dt = b(x) - x, of which fictitious play is the discrete form in time log n.
    Rest points with all T_k > 0 are the logit equilibria at T.

    With more than two players r_k(x) is taken at the product of the frequencies: players believe that the others move
    independently. In polymatrix games that is the same as the payoff against what they played together.

    Args:
        game: any polymatrix game.
        temperature: T >= 0: one number or [n].
        start: interior beliefs before play, [n, A] or [n, A, B] (P(first action), [n], if everybody has two); None for
            uniform ones.
        rate: w, in (0, 1]; None for 1 / (n + 1).
        prior: how many rounds the start counts for, at least 0; of no effect with a `rate`.

    The state is `Beliefs`; `residual` is the largest regret at the beliefs; of players with a temperature the largest
    |b - x| instead.

    Raises:
        InputError: a temperature below 0, a rate outside (0, 1], a prior below 0, a start that is no interior point.

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
        """The beliefs before play."""
        return Beliefs(self.start, self.prior)

    def reply(self, policy: Float[Array, "n A B"]) -> Float[Array, "n A B"]:
        """b(x)."""
        rewards = self.game.rewards(policy)
        options = jnp.arange(self.game.width)[:, None]
        best = masked(self.game, rewards, -jnp.inf).argmax(axis=1, keepdims=True)
        heat = self.temperature[:, None, None]
        warm = softmax(self.game, rewards / jnp.where(heat > 0, heat, 1.0))
        return jnp.where(heat > 0, warm, (options == best).astype(rewards.dtype))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Beliefs, t: Int[Array, ""]
    ) -> tuple[Beliefs, Float[Array, "n A B"]]:
        """One round; the record is what was played."""
        reply = self.reply(state.policy)
        weight = 1 / (state.count + 1) if self.rate is None else self.rate
        return Beliefs(state.policy + weight * (reply - state.policy), state.count + 1), reply

    def policy(self, state: Beliefs) -> Float[Array, "n A B"]:
        """The beliefs."""
        return state.policy

    def residual(self, state: Beliefs) -> Float[Array, ""]:
        """Largest regret, or largest |b - x| of the players that have a temperature."""
        warm = (self.temperature > 0)[:, None]
        away = jnp.abs(self.reply(state.policy) - state.policy).max(axis=1)
        regret = self.game.regrets(state.policy)
        return jnp.maximum(jnp.where(warm, away, regret).max(), 0.0)
