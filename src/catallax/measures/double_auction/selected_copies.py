"""A measure of some copies only."""

from collections.abc import Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, InputError, Variable


class SelectedCopies(AbstractMeasure):
    """Another measure of an auction, taken of some copies of the phase: where many markets are played side by side and
    a quantity matters in a few.

    Args:
        measure: what is measured, one value a copy.
        copies: numbers of the copies, in the order they are to have.
        dimension: name of their dimension, instead of "copy".

    Raises:
        InputError: no copy, or, when it is taken, one that the phase does not have.
    """

    measure: AbstractMeasure
    copies: tuple[int, ...] = eqx.field(static=True)
    dimension: str = eqx.field(static=True)

    def __init__(self, measure: AbstractMeasure, copies: Iterable[int], dimension: str) -> None:
        self.measure, self.dimension = measure, dimension
        self.copies = tuple(int(i) for i in copies)
        if not self.copies:
            raise InputError("SelectedCopies: name at least one copy")

    @property
    def every(self) -> int:  # type: ignore[override]
        """The measure's own."""
        return self.measure.every

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The measure's, with the dimension renamed."""
        renamed = lambda dims: tuple(self.dimension if d == "copy" else d for d in dims)
        return tuple(v._replace(dims=renamed(v.dims)) for v in self.measure.variables)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Gives the measure `record.first` and `record.info` of these copies."""
        there = record.info.traded.shape[0]  # an index beyond would silently give the last copy
        if not all(0 <= i < there for i in self.copies):
            raise InputError(f"SelectedCopies: the phase has the copies 0..{there - 1}, asked for are {self.copies}")
        chosen = jnp.asarray(self.copies)
        first, info = jax.tree.map(lambda x: x[chosen], (record.first, record.info))
        return self.measure(dynamics, state, record._replace(first=first, info=info), t)
