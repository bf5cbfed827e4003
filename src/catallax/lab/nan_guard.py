"""The search for NaN in each chunk before it is saved, so that no table holds NaN unnoticed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from catallax.core.errors import NumericalError
from catallax.lab.experiment import Cell
from catallax.lab.program import HostTree

NAN_COUNT = "nan_actions"
"""The variable of `catallax.core.NaNCount`; any count above zero ends a run."""


class Span(NamedTuple):
    """The part of a run that a chunk covers.

    Attributes:
        cell: The cell.
        first_replicate: The number of the first replicate of the block.
        start: The first step.
        stop: The step after the last.
    """

    cell: Cell
    first_replicate: int
    start: int
    stop: int


def check_state(state: HostTree, span: Span) -> None:
    """Search the floating leaves of a state for NaN. The leaves have the axes [(lane,) replicate, ...].

    Raises:
        NumericalError: there is NaN; the message names cell, replicate, steps and leaf.
    """
    for name, value in state.arrays.items():
        if name not in state.keys and _has_nan(value):
            lane, replicate = _where(np.isnan(value), span.cell)
            raise NumericalError(
                f"{_place(span, lane, replicate)}, in steps {span.start} to {span.stop - 1}: NaN in {name}; "
                "the state before these steps is saved"
            )


def check_series(series: Mapping[str, np.ndarray], span: Span) -> None:
    """Search series for NaN and for counts of NaN. The series have the axes [(lane,) replicate, evaluation, ...].

    Raises:
        NumericalError: there is NaN; the message names cell, replicate, step and variable.
    """
    for variable in span.cell.variables:
        value = series[variable.name]
        if variable.name == NAN_COUNT:
            bad, what = value > 0, "NaN among the actions or rewards of an agent"
        elif variable.may_be_undefined or not _has_nan(value):
            continue
        else:
            bad, what = np.isnan(value), f"NaN in the variable {variable.name!r}"
        if bad.any():
            bad = _first_in_time(bad, span.cell)
            lane, replicate = _where(bad, span.cell)
            evaluation = int(np.argwhere(bad)[0][2 if span.cell.lanes else 1])
            every = span.cell.every[variable.name]
            step = (span.start // every + evaluation + 1) * every - 1
            raise NumericalError(
                f"{_place(span, lane, replicate)}, step {step}: {what}; nothing of this chunk is saved"
            )


def _has_nan(value: np.ndarray) -> bool:
    """Whether an array has NaN; False for dtypes that have none."""
    kind = np.dtype(value.dtype).kind
    if kind not in "fcV" or not value.size:  # V is the kind of bfloat16 and other short floats
        return False
    return bool(np.isnan(value).any())


def _first_in_time(bad: np.ndarray, cell: Cell) -> np.ndarray:
    """The true entries of the earliest evaluation that has any."""
    axis = 2 if cell.lanes else 1
    first = np.argwhere(np.moveaxis(bad, axis, 0))[0][0]
    only = np.zeros_like(bad)
    index = (slice(None),) * axis + (first,)
    only[index] = bad[index]
    return only


def _where(bad: np.ndarray, cell: Cell) -> tuple[int | None, int]:
    """The lane (None without lanes) and the replicate of the first true entry."""
    index = np.argwhere(bad)[0]
    return (int(index[0]), int(index[1])) if cell.lanes else (None, int(index[0]))


def _place(span: Span, lane: int | None, replicate: int) -> str:
    """A text that names the cell, the point of the lanes and the replicate."""
    point = ""
    if lane is not None:
        shape = [len(v) for v in span.cell.lanes.values()]
        at = np.unravel_index(lane, shape)
        named = zip(span.cell.lanes.items(), at, strict=True)
        point = ", " + ", ".join(f"{name} {values[int(i)]:g}" for (name, values), i in named)
    return f"cell {span.cell.name!r}{point}, replicate {span.first_replicate + replicate}"
