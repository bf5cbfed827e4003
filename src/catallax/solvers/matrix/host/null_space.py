"""Positive solutions of homogeneous linear conditions: the weights of zero-sum and of potential games."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog


class PositiveSolution(NamedTuple):
    """What is known of the w > 0 with R w = 0."""

    vector: Float[np.ndarray, " n"] | None
    """One of them, its largest entry 1; None if there is none."""
    unique: bool
    """Whether it is the only one up to scale."""
    gap: float
    """The smallest singular value of the conditions."""


def positive_solution(rows: Float[np.ndarray, "conditions n"], tol: float) -> PositiveSolution:
    """A positive vector that the conditions map to zero.

    Args:
        rows: the conditions R, in units in which `tol` is small.
        tol: singular values up to tol sqrt(conditions n) count as zero, and |R w| up to n tol.
    """
    n = rows.shape[1]
    triangle = np.linalg.qr(np.concatenate([rows, np.zeros((n, n))]), mode="r")
    _, singular, right = np.linalg.svd(triangle)
    null = right[int((singular > tol * np.sqrt(rows.size)).sum()) :].T
    found = _positive(null)
    if found is not None and np.abs(rows @ found).max(initial=0.0) > tol * n:
        found = None
    return PositiveSolution(found, null.shape[1] == 1, float(singular[-1]))


def _positive(null: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"] | None:
    """A vector of the column space of `null` with all entries positive, largest 1; None if there is none."""
    if null.shape[1] == 0:
        return None
    if null.shape[1] == 1:
        w = null[:, 0] * np.sign(null[:, 0].sum())
    else:
        found = linprog(null.sum(axis=0), A_ub=-null, b_ub=-np.ones(null.shape[0]), bounds=(None, None))
        if found.status != 0:
            return None
        w = null @ found.x
    return w / w.max() if w.min() > 1e-9 * np.abs(w).max() else None
