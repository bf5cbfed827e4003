"""Rounds of an auction as quantities: the papers print means and deviations over the last of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from catallax.lab import Results
from catallax.lab.quantity import Quantity, defined_mean

LAST = 100
"""Rounds at the end of a run over which Rawat's table is taken."""
TRAINED = 5000
"""Rounds for which the source trains its learners."""


def every_round(cell: str, variable: str, **at: int) -> Quantity:
    """All rounds of a variable in order, [replicate, round, ...]: the copies of a phase are successive rounds.

    Args:
        cell: name of the cell.
        variable: name of one of its variables.
        at: positions on other axes, such as `buyer=0`.
    """

    def read(results: Results[Any]) -> np.ndarray:
        data = results.dataset(cell)[variable].isel(at).transpose("replicate", "phase", "copy", ...)
        return data.values.reshape(data.shape[0], -1, *data.shape[3:]).astype(float)

    return Quantity(read)


def late_mean(cell: str, variable: str, last: int = LAST, **at: int) -> Quantity:
    """The mean over the last rounds in which the variable is defined, [replicate, ...]."""
    return every_round(cell, variable, **at)[:, -last:].then(lambda values: defined_mean(values, axis=1))


def late_sd(cell: str, variable: str, last: int = LAST, **at: int) -> Quantity:
    """The standard deviation (ddof 1) over the last rounds in which the variable is defined, [replicate, ...]."""
    return every_round(cell, variable, **at)[:, -last:].then(_defined_sd)


def _defined_sd(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    count = np.maximum(defined.sum(axis=1), 2)
    mean = np.where(defined, values, 0.0).sum(axis=1) / count
    square = np.where(defined, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.sqrt(square / (count - 1))


def rounds_played(results: Results[Any], cell: str) -> int:
    """Rounds of each replication of a cell."""
    sizes = results.dataset(cell).sizes
    return sizes["phase"] * sizes["copy"]


def scope(results: Results[Any], cell: str) -> str:
    """Which rounds late means are taken over, for captions: "last 100 of 5000 rounds"."""
    total = rounds_played(results, cell)
    return f"last {min(LAST, total)} of {total} rounds"


def unfinished(results: Results[Any], cell: str) -> str:
    """A sentence for captions where learners had fewer rounds than the source's; empty where they had as many."""
    done = rounds_played(results, cell) >= TRAINED
    return "" if done else " The source trains for 5,000 rounds: learners are not finished here."


def too_short(*cells: str) -> Callable[[Results[Any]], str]:
    """For claims on learners: says that those of some cells have had fewer rounds than the source's."""
    return lambda results: next((found.strip() for cell in cells if (found := unfinished(results, cell))), "")


def reached(speed: Callable[[np.ndarray], int | None], paths: np.ndarray) -> tuple[np.ndarray, str]:
    """When each path [replicate, round] has got there, of those that have, and how many have: "7 of 10"."""
    found = [float(round) for round in map(speed, paths) if round is not None]
    return np.asarray(found), f"{len(found)} of {len(paths)}"
