"""Fictitious play from forgone payoffs: the best reply, or a smoothed one, to what was seen so far."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, InputError, Spec, number, numbers, rng
from catallax.core.softmax import softmax_at_any_scale

from .initial import first_row
from .seat import actions_with_forgone_payoffs, lived


class Averages(NamedTuple):
    """What has been learnt."""

    values: Float[Array, " A"]
    """Average of what each action would have earned."""
    count: Float[Array, ""]
    """Weight of that average: ticks learnt from, and `prior`."""


class FictitiousPlay(AbstractAgent):
    """Averages v of forgone payoffs r; plays a best reply to them, or softmax(v / T):

        v <- v + w (r - v),   w = 1 / (n + 1) after n ticks, or the constant `rate`.

    A payoff is linear in the distribution of the others' profile, so v is what each action earns against their
    empirical distribution: with w = 1 / (n + 1) that is fictitious play. In polymatrix games, and with two players, it
    is also the payoff against the product of the others' empirical frequencies. In other games with more than two
    players it is not: beliefs are then about the others' joint distribution. The ticks of a phase are learnt one after
    the other; over copies of the phase the payoffs of a tick are averaged.

    It must see forgone payoffs: `Repeated(stage, shows="forgone")`.

    Args:
        temperature: T, in units of payoff; 0 for a best reply.
        rate: w; None for 1 / (n + 1).
        start: v before play: one number, or one for each action [A].
        prior: how many ticks `start` counts for; of no effect with a `rate`.
        ties: among equally good replies at T = 0 the "first", or one at "random", all equally likely.

    Raises:
        InputError: a parameter outside its range, or another rule for ties.
        BuildError: a seat that does not see forgone payoffs, whose actions are not `Discrete`,
            or not as many as `start`.

    Source: Brown (1951); Robinson (1951); smoothed: Fudenberg and Levine (1998), chapter 4.
    Differs: averaged over copies.
    """

    temperature: Float[Array, ""] = number(0.0, "[0, inf)")
    rate: Float[Array, ""] | None = number(None, "(0, 1]", optional=True)
    start: Float[Array, "*A"] = numbers(0.0)
    prior: Float[Array, ""] = number(0.0, "[0, inf)")
    ties: Literal["first", "random"] = eqx.field(static=True, default="first")

    def __check_init__(self) -> None:
        if not isinstance(self.ties, str) or self.ties not in ("first", "random"):
            raise InputError(f"FictitiousPlay: ties is 'first' or 'random', got {self.ties!r}")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> Averages:
        return Averages(
            first_row("FictitiousPlay", self.start, actions_with_forgone_payoffs("FictitiousPlay", spec)), self.prior
        )

    def policy(self, state: Averages) -> Float[Array, " A"]:
        """Best replies to the averages, or softmax(v / T)."""
        v = state.values
        best = v == v.max() if self.ties == "random" else jnp.arange(v.shape[0]) == v.argmax()
        replies = best / best.sum()
        temperature = jnp.where(self.temperature > 0, self.temperature, 1.0)
        smoothed = softmax_at_any_scale(v / temperature, (v - v.max()) / temperature)
        return jnp.where(self.temperature > 0, smoothed, replies).astype(v.dtype)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Averages, memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        """An action drawn from the policy."""
        return rng.categorical(key, self.policy(state)), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Averages, batch: Batch, t: Int[Array, ""]
    ) -> tuple[Averages, dict[str, Array]]:
        """Averages after the ticks of the phase, in order."""

        def tick(state: Averages, payoff: Array) -> tuple[Averages, None]:
            weight = 1 / (state.count + 1) if self.rate is None else self.rate
            moved = state.values + weight * (payoff.mean(axis=0) - state.values)
            return Averages(moved.astype(state.values.dtype), state.count + 1), None

        state, _ = jax.lax.scan(tick, state, lived(batch)[1])
        return state, {"reward": batch.reward.mean()}
