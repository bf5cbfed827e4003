"""No NaN enters a table silently: what is looked at after each chunk, before anything of it is saved."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from catallax.core.errors import NumericalError
from catallax.lab.experiment import Cell
from catallax.lab.tree import HostTree

NAN_COUNT = "nan_actions"
"""The variable of `catallax.core.NaNCount`; any count above zero ends a run."""


class Span(NamedTuple):
    """What a chunk covers."""

    cell: Cell
    first_replicate: int
    """Of the block."""
    start: int
    stop: int


def check_state(state: HostTree, span: Span) -> None:
    """Looks for NaN in the floating leaves of a state, which have the axes [(lane,) replicate, ...].

    Raises:
        NumericalError: with cell, replicate, steps and leaf.
    """
    for name, value in state.arrays.items():
        if name not in state.keys and _has_nan(value):
            lane, replicate = _where(np.isnan(value), span.cell)
            raise NumericalError(
                f"{_place(span, lane, replicate)}, in steps {span.start} to {span.stop - 1}: NaN in {name}; "
                "the state before these steps is saved"
            )


def check_series(series: Mapping[str, np.ndarray], span: Span) -> None:
    """Looks for NaN in series, which have the axes [(lane,) replicate, evaluation, ...], and for counted NaN.

    Raises:
        NumericalError: with cell, replicate, step and variable.
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
    kind = np.dtype(value.dtype).kind
    if kind not in "fcV" or not value.size:  # V: the short floats of machine learning
        return False
    return bool(np.isnan(value).any())


def _first_in_time(bad: np.ndarray, cell: Cell) -> np.ndarray:
    """Only the entries of the earliest evaluation that has any."""
    axis = 2 if cell.lanes else 1
    first = np.argwhere(np.moveaxis(bad, axis, 0))[0][0]
    only = np.zeros_like(bad)
    index = (slice(None),) * axis + (first,)
    only[index] = bad[index]
    return only


def _where(bad: np.ndarray, cell: Cell) -> tuple[int | None, int]:
    index = np.argwhere(bad)[0]
    return (int(index[0]), int(index[1])) if cell.lanes else (None, int(index[0]))


def _place(span: Span, lane: int | None, replicate: int) -> str:
    point = ""
    if lane is not None:
        shape = [len(v) for v in span.cell.lanes.values()]
        at = np.unravel_index(lane, shape)
        named = zip(span.cell.lanes.items(), at, strict=True)
        point = ", " + ", ".join(f"{name} {values[int(i)]:g}" for (name, values), i in named)
    return f"cell {span.cell.name!r}{point}, replicate {span.first_replicate + replicate}"
