"""Karma itself: how it is spread, what is bid with it, and that none is lost."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, Variable, count


class KarmaDistribution(AbstractMeasure):
    """Share of players at each karma level 0..cap, over players and steps of the phase, at the moment of bidding."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("karma_share", ("copy", "karma"), "1", "share of players with this karma"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        count = lambda k: jnp.zeros(dynamics.game.cap + 1, jnp.int32).at[k.reshape(-1)].add(1)
        counts = jax.vmap(count)(record.info.karma)
        return {"karma_share": counts.astype(jnp.float32) / record.info.karma[0].size}


class MeanBids(AbstractMeasure):
    """Mean bid in each situation (urgency level, karma) over the phase; undefined where nobody was."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        meaning = "mean bid of players with this urgency and karma"
        return (Variable("mean_bid", ("copy", "urgency", "karma"), "karma", meaning, True),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Sums and counts over all players and steps of each copy."""
        shape = dynamics.game.urgency.size, dynamics.game.cap + 1

        def one(urgency: Array, karma: Array, bid: Array) -> Array:
            count = jnp.zeros(shape, jnp.int32).at[urgency, karma].add(1)
            total = jnp.zeros(shape, jnp.int32).at[urgency, karma].add(bid)
            return jnp.where(count > 0, total / jnp.maximum(count, 1), jnp.nan).astype(jnp.float32)

        return {"mean_bid": jax.vmap(one)(record.info.urgency, record.info.karma, record.info.bid)}


class Conservation(AbstractMeasure):
    """The guard of every karma experiment: both counts are 0 in a sound game."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("karma_drift", ("copy",), "karma", "largest change of the total since the start of the phase"),
            Variable("karma_outside", ("copy",), "count", "players and steps with karma outside 0..cap"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Over every step of the phase."""
        after = record.info.after
        total = after.sum(axis=-1, dtype=jnp.int32)
        start = record.first.karma.sum(axis=-1, dtype=jnp.int32)
        outside = (after < 0) | (after > dynamics.game.cap)
        return {
            "karma_drift": jnp.abs(total - start[:, None]).max(axis=1),
            "karma_outside": outside.sum(axis=(1, 2), dtype=jnp.int32),
        }
