"""How the experiments of this family read stored results, and the claim most of them make: an exact limit."""

from typing import Any

import numpy as np

from catallax.lab.claims import Value

SOURCE = "LeonardosPiliourasSpendlove2021"
READING = "payoffs and exploration rates of the figure are not printed; ours satisfy all that the text says of them"


def final(results: Any, cell: str, variable: str) -> np.ndarray:
    """A variable at its last evaluation, [replicate, ...]."""
    data = results.dataset(cell)[variable]
    time = next(d for d in data.dims if d.startswith("phase"))
    return data.isel({time: -1}).values


def heads(results: Any, cell: str) -> np.ndarray:
    """P(first action) at the end, [replicate, player, trajectory]."""
    return final(results, cell, "policy")[:, :, 0]


def apart(values: np.ndarray) -> np.ndarray:
    """How far each replication is from the next (the last from the first), along the first axis."""
    return np.abs(values - np.roll(values, -1, axis=0))


def liveliness(path: np.ndarray, window: int) -> np.ndarray:
    """Range of a path over its last `window` evaluations, as a share of that over its first; time is axis 1.

    One for a cycle, zero for what has come to rest.
    """
    return np.ptp(path[:, -window:], axis=1) / np.ptp(path[:, :window], axis=1)


def limit(
    name: str,
    where: str,
    statement: str,
    error: float,
    estimate: Any,
    unit: str = "probability",
    published: float = 0.0,
    note: str = READING,
    reason: str = "an exact limit; what is left is finite time and rounding",
) -> Value:
    """A statement of the source that names an exact limit, as a claim."""
    return Value(
        id=name,
        source=f"{SOURCE}, {where}",
        statement=statement,
        published=published,
        error=error,
        error_reason=reason,
        unit=unit,
        estimate=estimate,
        note=note,
    )
