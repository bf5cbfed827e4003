"""Reading rounds out of results: the unit the papers print statistics over."""

from typing import Any

import numpy as np

LAST = 100
"""Rounds at the end of a run over which Rawat's table is taken."""


def rounds(results: Any, cell: str, variable: str) -> np.ndarray:
    """All rounds of a variable in order, `[replicate, round, ...]`: the copies of a phase side by side."""
    data = results.dataset(cell)[variable]
    others = [d for d in data.dims if d not in ("replicate", "phase", "copy")]
    data = data.transpose("replicate", "phase", "copy", *others)
    return data.values.reshape(data.shape[0], -1, *data.shape[3:]).astype(float)


def last_rounds(results: Any, cell: str, variable: str, n: int = LAST) -> np.ndarray:
    """The last n rounds, `[replicate, n, ...]`; all of them if there are fewer."""
    return rounds(results, cell, variable)[:, -n:]


def mean_of_last(results: Any, cell: str, variable: str, n: int = LAST) -> np.ndarray:
    """Mean over the last n rounds in which the variable is defined, one for each replication, `[replicate, ...]`."""
    values = last_rounds(results, cell, variable, n)
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def sd_of_last(results: Any, cell: str, variable: str, n: int = LAST) -> np.ndarray:
    """Sample standard deviation over the last n rounds, one for each replication."""
    values = last_rounds(results, cell, variable, n)
    defined = ~np.isnan(values)
    count = np.maximum(defined.sum(axis=1), 2)
    mean = np.where(defined, values, 0.0).sum(axis=1) / count
    square = np.where(defined, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.sqrt(square / (count - 1))
