"""Replicator dynamics of one population on a symmetric game, and the rules that no small mutant can displace."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.integrate import solve_ivp

from catallax.core import InputError, NumericalError

_TOLERANCE = 1e-10


def _check(payoffs: Float[np.ndarray, "n n"]) -> np.ndarray:
    table = np.asarray(payoffs, float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.isfinite(table).all():
        raise InputError(f"payoffs must be a finite square table [own rule, other's rule], got shape {table.shape}")
    return table


def replicator_path(
    payoffs: Float[np.ndarray, "n n"], start: Float[np.ndarray, " n"], times: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T n"]:
    """Population shares over time under dx_i/dt = x_i ((A x)_i - x'A x), in double precision.

    Solved for z_i = log x_i up to a common constant, dz_i/dt = (A x)_i, x = softmax(z): shares stay positive and add
    up to one, and a rule that starts at 0 stays there.

    Args:
        payoffs: A, [own rule, other's rule].
        start: shares at the first time.
        times: ascending, at least two.

    Raises:
        InputError: a table that is not square and finite, a start that is no distribution, or times that do not ascend.
        NumericalError: the integration failed.

    Source: Taylor and Jonker (1978).
    """
    table, first, times = _check(payoffs), np.asarray(start, float), np.asarray(times, float)
    if first.shape != table.shape[:1] or not (first >= 0).all() or not abs(first.sum() - 1) <= 1e-6:
        raise InputError(f"start must be {len(table)} shares that add up to 1, got {first}")
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise InputError(f"times must be two or more finite numbers that ascend, got {times}")
    alive = first > 0
    live = table[np.ix_(alive, alive)]

    def shares(z: np.ndarray) -> np.ndarray:
        x = np.exp(z - z.max(axis=0))
        return x / x.sum(axis=0)

    def flow(_: float, z: np.ndarray) -> np.ndarray:
        drift = live @ shares(z)
        return drift - drift.mean()

    span = (float(times[0]), float(times[-1]))
    found = solve_ivp(flow, span, np.log(first[alive]), "LSODA", times, rtol=_TOLERANCE, atol=_TOLERANCE)
    if not found.success:
        raise NumericalError(f"replicator dynamics: {found.message}")
    path = np.zeros((len(times), len(first)))
    path[:, alive] = shares(found.y).T
    return path


def regret(payoffs: Float[np.ndarray, "n n"], shares: Float[np.ndarray, " n"]) -> float:
    """max_i (A x)_i - x'A x: what the best rule earns more than the mean; 0 exactly at a symmetric equilibrium."""
    earned = _check(payoffs) @ np.asarray(shares, float)
    return float(earned.max() - np.asarray(shares, float) @ earned)


def evolutionarily_stable(payoffs: Float[np.ndarray, "n n"]) -> Bool[np.ndarray, " n"]:
    """Which pure rules are evolutionarily stable: for all others j, A_ii > A_ji, or A_ii = A_ji and A_ij > A_jj.

    Source: Maynard Smith and Price (1973); mixed rules are not examined.
    """
    table = _check(payoffs)
    own = np.diag(table)
    strict = own[None, :] > table
    second = (own[None, :] == table) & (table.T > own[:, None])
    return (strict | second | np.eye(len(table), dtype=bool)).all(axis=0)
