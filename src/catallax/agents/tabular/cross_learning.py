"""Cross learning: the policy itself is moved towards what was played, as far as it paid."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, InputError, Spec, check_number, known, number, rng
from catallax.core.checks import as_numbers

from .seat import actions_of


def _start(x: object) -> Array | None:
    return None if x is None else as_numbers("CrossLearning", "start", x)


class CrossLearning(AbstractAgent):
    """A policy and nothing else. After action j earned the reward r, with u = (r - low) / (high - low) in [0, 1]:

        pi_j <- pi_j + rate u (1 - pi_j),     pi_i <- pi_i - rate u pi_i for all other i.

    What it sees is ignored. With s the policy of the others, A the payoffs in units of u, the expected change is
    exactly rate pi_i [ (A s)_i - pi'A s ] at any rate: as it falls to 0 the learners follow the replicator dynamics.
    At rate 1 a reward of `high` makes the policy pure at once, for ever. The ticks of a phase are learnt one after the
    other; over copies of the phase the changes of a tick are averaged.

    Args:
        rate: theta.
        low, high: the range of rewards. A reward beyond it counts as its end; the log's `clipped` says how many did.
        start: policy before play, [A]; None for the uniform one.

    Raises:
        InputError: a rate outside (0, 1], low not below high, a start that is no distribution.
        BuildError: an action space that is not `Discrete`, or with another number of actions than `start`.

    Source: Cross (1973); Boergers and Sarin (1997), equation 1 and proposition 1.
    Differs: averaged over copies.
    """

    rate: Float[Array, ""] = number(0.1, "(0, 1]")
    low: Float[Array, ""] = number(0.0)
    high: Float[Array, ""] = number(1.0)
    start: Float[Array, " A"] | None = eqx.field(converter=_start, default=None)

    def __check_init__(self) -> None:
        check_number("CrossLearning", "high - low", self.high - self.low, "(0, inf)")
        first = None if self.start is None else known(self.start)
        if first is not None and not (first.ndim == 1 and (first >= 0).all() and abs(first.sum() - 1) < 1e-5):
            raise InputError(f"CrossLearning: start must be probabilities that add up to 1, got {first}")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> Float[Array, " A"]:
        n = actions_of("CrossLearning", spec)
        if self.start is None:
            return jnp.full((n,), 1 / n, self.rate.dtype)
        if self.start.shape[-1] != n:
            raise BuildError(f"CrossLearning: start has {self.start.shape[-1]} probabilities, this seat {n} actions")
        return self.start

    def policy(self, state: Float[Array, " A"]) -> Float[Array, " A"]:
        """The state itself."""
        return state

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, " A"], memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        """An action drawn from the policy."""
        return rng.categorical(key, state), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, " A"], batch: Batch, t: Int[Array, ""]
    ) -> tuple[Float[Array, " A"], dict[str, Array]]:
        """The policy after the ticks of the phase, in order."""
        share = (batch.reward - self.low) / (self.high - self.low)
        within = jnp.clip(share, 0.0, 1.0)

        def tick(policy: Array, lived: tuple[Array, Array]) -> tuple[Array, None]:
            action, u = lived
            played = jax.nn.one_hot(action, policy.shape[0], dtype=policy.dtype)
            change = (u[:, None] * (played - policy)).mean(axis=0)
            return policy + (self.rate * change).astype(policy.dtype), None

        state, _ = jax.lax.scan(tick, state, (batch.action.T, within.T))
        return state, {"reward": batch.reward.mean(), "clipped": (share != within).mean()}
