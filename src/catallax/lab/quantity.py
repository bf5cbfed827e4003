"""Quantities: the numbers that tables, figures and claims share, named once and read from stored results.

    price = recorded("first_price", "revenue", copy=0).last      # one value a replication
    gain = price - recorded("second_price", "revenue", copy=0).last    # paired: same random numbers
    Direction(..., estimate=gain)

A quantity is a function of the results of a run, so it may be handed to a claim as its `estimate`.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

import numpy as np

if TYPE_CHECKING:
    import xarray

    from catallax.lab.results import Results

Operand = Union["Quantity", float, int, np.ndarray]


@dataclass(frozen=True)
class Quantity:
    """A function from the results of a run to an array whose first axis is the replication.

    Most quantities have one value a replication, [replicate], or one path a replication, [replicate, time].
    """

    of: Callable[["Results[Any]"], np.ndarray]

    def __call__(self, results: "Results[Any]") -> np.ndarray:
        """The values, read from the results."""
        return self.of(results)

    def __add__(self, other: Operand) -> "Quantity":
        """The sum, replication by replication."""
        return self._with(other, operator.add)

    def __sub__(self, other: Operand) -> "Quantity":
        """The paired difference: replication r of every cell ran on the same random numbers."""
        return self._with(other, operator.sub)

    def __rsub__(self, other: float | int | np.ndarray) -> "Quantity":
        """A number minus the quantity."""
        return self.then(lambda values: other - values)

    def __mul__(self, other: Operand) -> "Quantity":
        """The product, replication by replication."""
        return self._with(other, operator.mul)

    def __truediv__(self, other: Operand) -> "Quantity":
        """The ratio, replication by replication."""
        return self._with(other, operator.truediv)

    def __getitem__(self, index: Any) -> "Quantity":
        """The values at an index in the sense of NumPy: `path[:, -1]` is the end of each replication's path."""
        return self.then(lambda values: values[index])

    def then(self, f: Callable[[np.ndarray], np.ndarray]) -> "Quantity":
        """The quantity whose values are f of the values of this one."""
        return Quantity(lambda results: f(self(results)))

    @property
    def last(self) -> "Quantity":
        """The last value of a path [replicate, time, ...], [replicate, ...]."""
        return self[:, -1]

    def _with(self, other: Operand, f: Callable[[Any, Any], np.ndarray]) -> "Quantity":
        return Quantity(lambda results: f(self(results), other(results) if isinstance(other, Quantity) else other))


def stack(quantities: Iterable[Quantity]) -> Quantity:
    """Several quantities of equal shape as one, [quantity, replicate, ...]."""
    quantities = tuple(quantities)
    return Quantity(lambda results: np.stack([quantity(results) for quantity in quantities]))


def recorded(cell: str, variable: str, **at: int | list[int]) -> Quantity:
    """A recorded variable as [replicate, time, ...], the other axes in their stored order.

    Args:
        cell: name of the cell.
        variable: name of one of its variables.
        at: positions on axes of the cell or of the variable, such as `copy=0`; a list keeps the axis.
    """

    def read(results: "Results[Any]") -> np.ndarray:
        data = results.dataset(cell)[variable].isel(at)
        return data.transpose("replicate", time_axis(data), ...).values

    return Quantity(read)


def time_axis(data: "xarray.DataArray") -> str:
    """The name of the axis of evaluations: "phase", or "phase_every_k" where a cell has measures of several periods."""
    return next(str(axis) for axis in data.dims if str(axis).startswith("phase"))


def defined_mean(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """The mean over the entries that are not NaN along `axis`; NaN, without a warning, where all entries are NaN."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=axis)
    total = np.where(defined, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def largest(*quantities: Quantity) -> Quantity:
    """The largest value of each replication over all other axes and over all the quantities, [replicate]."""
    return stack(_flat(quantity).then(lambda rows: rows.max(axis=1)) for quantity in quantities).then(
        lambda values: values.max(axis=0)
    )


def smallest(*quantities: Quantity) -> Quantity:
    """The smallest value of each replication over all other axes and over all the quantities, [replicate]."""
    return stack(_flat(quantity).then(lambda rows: rows.min(axis=1)) for quantity in quantities).then(
        lambda values: values.min(axis=0)
    )


def _flat(quantity: Quantity) -> Quantity:
    """All values of a replication in one row, [replicate, value]."""
    return quantity.then(lambda values: values.reshape(len(values), -1))
