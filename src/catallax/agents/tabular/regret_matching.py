"""Regret matching: actions are chosen in proportion to how much one regrets not having played them."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, Spec, flag, rng

from .seat import actions_with_forgone_payoffs, lived


class Regrets(NamedTuple):
    """What a regret matcher has learnt."""

    values: Float[Array, " A"]
    """R_a, a sum of payoffs."""


class RegretMatching(AbstractAgent):
    """Regrets R_a and a choice in proportion to their positive parts, where r_a is what action a earns or would earn:

        R_a <- R_a + r_a - r_played,    P(a) = max(R_a, 0) / sum_b max(R_b, 0), uniform if no regret is positive.

    If all players follow it, the empirical distribution of their profiles approaches the coarse correlated equilibria
    (the Hannan set), and in two-player zero-sum games their average policies approach Nash equilibria. With `plus` the
    regrets are cut at zero after every tick, R_a <- max(R_a + r_a - r_played, 0), which converges faster. Regrets do
    not change with the zero of payoffs, and the policy does not change with their unit. The ticks of a phase are
    learnt one after the other; over copies of the phase the regrets of a tick are averaged.

    It must see forgone payoffs: `Repeated(stage, shows="forgone")`.

    Args:
        plus: whether regrets are cut at zero (regret matching plus).

    Raises:
        InputError: `plus` is no truth value.
        BuildError: a seat that does not see forgone payoffs, or whose actions are not `Discrete`.

    Source: Hart and Mas-Colell (2000), section 4, unconditional regrets; plus: Tammelin (2014).
    Differs: averaged over copies.
    """

    plus: bool = flag(False)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> Regrets:
        n = actions_with_forgone_payoffs("RegretMatching", spec)
        return Regrets(jnp.zeros(n, jnp.result_type(float)))

    def policy(self, state: Regrets) -> Float[Array, " A"]:
        """In proportion to positive regrets; uniform if there are none."""
        positive = jnp.maximum(state.values, 0.0)
        largest = positive.max()
        shares = positive / jnp.where(largest > 0, largest, 1.0)  # so that no sum can overflow or vanish
        total = shares.sum()
        return jnp.where(total > 0, shares / jnp.where(total > 0, total, 1.0), 1.0 / shares.shape[0])

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Regrets, memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        """An action drawn from the policy."""
        return rng.categorical(key, self.policy(state)), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Regrets, batch: Batch, t: Int[Array, ""]
    ) -> tuple[Regrets, dict[str, Array]]:
        """Regrets after the ticks of the phase, in order."""

        def tick(regrets: Array, seen: tuple[Array, Array]) -> tuple[Array, None]:
            action, payoff = seen
            earned = jnp.take_along_axis(payoff, action[:, None], axis=1)
            moved = regrets + (payoff - earned).mean(axis=0)
            return (jnp.maximum(moved, 0.0) if self.plus else moved).astype(regrets.dtype), None

        regrets, _ = jax.lax.scan(tick, state.values, lived(batch))
        return Regrets(regrets), {"reward": batch.reward.mean()}
