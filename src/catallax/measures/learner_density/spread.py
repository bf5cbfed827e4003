"""Where the learners of a population are: histograms, densities on a grid, and how fast the grid's scheme steps."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.core import InputError, Variable, check_number, count, number
from catallax.solvers.learner_density import AbstractLearnerDensity, FiniteVolume

from .moments import AbstractPopulationMeasure


class Histogram(AbstractPopulationMeasure):
    """Shares of the population in equal bins of the values of the first two actions, all populations together.

    Shares beyond [low, high] are put into the bins at the edge. For a `FiniteVolume` the bins should be its cells, or
    several of them each.

    Raises:
        InputError: no bin, or low not below high.
    """

    bins: int = count(40)
    low: Float[Array, ""] = number(0.0)
    high: Float[Array, ""] = number(1.0)

    def __check_init__(self) -> None:
        check_number("Histogram", "high - low", self.high - self.low, "(0, inf)")

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("histogram", ("first", "second"), "1", "share of the population with Q_1, Q_2 in the bin"),)

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        values, weights = dynamics.points(state)
        place = jnp.floor((values[:2] - self.low) / (self.high - self.low) * self.bins).astype(jnp.int32)
        first, second = jnp.clip(place, 0, self.bins - 1)
        share = jnp.broadcast_to(weights / values.shape[2], first.shape)
        flat = (first * self.bins + second).reshape(-1)
        counts = jnp.zeros(self.bins**2, share.dtype).at[flat].add(share.reshape(-1))
        return {"histogram": counts.reshape(self.bins, self.bins)}


def grid_of(dynamics: Any) -> FiniteVolume:
    """The dynamics, if it is a grid."""
    if not isinstance(dynamics, FiniteVolume):
        raise InputError(f"this measure is of a FiniteVolume, not of {type(dynamics).__name__}")
    return dynamics


class Density(AbstractPopulationMeasure):
    """The density of the first two actions' values on the cells of a `FiniteVolume`; other values are summed out."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("density", ("first", "second"), "1/payoff^2", "density of learners at Q_1, Q_2"),)

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        grid = grid_of(dynamics).grid
        return {"density": state.sum(axis=tuple(range(2, state.ndim))) / grid.width**2}


class Courant(AbstractPopulationMeasure):
    """What a `FiniteVolume` must keep to: its Courant number, the least and the total share of its cells."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("courant", (), "1", "dt sum_j max|V_j| / h; at most 0.4"),
            Variable("least_share", (), "1", "smallest share of a cell; never below 0"),
            Variable("lost_mass", (), "1", "1 less the total share"),
        )

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        return {
            "courant": grid_of(dynamics).courant(state),
            "least_share": state.min(),
            "lost_mass": 1 - state.sum(),
        }
