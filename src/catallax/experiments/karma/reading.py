"""Reading numbers out of stored results."""

from typing import Any

import numpy as np

LANES: tuple[str, ...] = ("coin", "dict")
"""What the players of the cell "fixed" bid when urgent: nothing, or one unit."""


def settled(results: Any, cell: str, variable: str, share: float = 0.2) -> np.ndarray:
    """Mean over the last `share` of the phases (and over copies), one for each replication, `[replicate, ...]`.

    "coin" and "dict" are the two lanes of the cell of fixed bids.
    """
    data, phase = _of(results, cell, variable)
    n = max(1, round(data.sizes[phase] * share))
    data = data.isel({phase: slice(-n, None)}).mean(phase)
    return (data.mean("copy") if "copy" in data.dims else data).values


def at_rest(results: Any, cell: str, variable: str, gamma: float | None = None) -> np.ndarray:
    """The last value, one for each replication, `[replicate, ...]`; at one discount where there are several."""
    data, phase = _of(results, cell, variable)
    data = data if gamma is None else data.sel(gamma=gamma)
    return data.isel({phase: -1}).values


def _of(results: Any, cell: str, variable: str) -> tuple[Any, Any]:
    """The variable, and the name of its time axis."""
    data = results.dataset("fixed" if cell in LANES else cell)[variable]
    if cell in LANES:
        data = data.isel(urgent_bid=LANES.index(cell))
    return data, next(d for d in data.dims if str(d).startswith("phase"))
