"""The same quantities of a game with infinitely many players."""

from typing import Any

from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, Variable, count


class FieldOutcomes(AbstractMeasure):
    """What the players of a mean-field karma equilibrium live through, on the way to it and there."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Named as in play, without copies."""
        return (
            Variable("efficiency", (), "reward per step", "mean reward a player and step"),
            Variable("karma_share", ("karma",), "1", "law of karma"),
            Variable("mean_bid", ("urgency", "karma"), "karma", "mean bid with this urgency and karma"),
            Variable("pool", (), "karma per step", "karma redistributed, a player and step"),
            Variable("residual", (), "1", "distance from the fixed point"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the record of the step."""
        return {
            "efficiency": record.efficiency,
            "karma_share": record.karma,
            "mean_bid": record.bid,
            "pool": record.pool,
            "residual": dynamics.residual(state),
        }
