"""Replicator dynamics of one population in a symmetric game, and evolutionarily stable pure strategies."""

import numpy as np
from jaxtyping import Bool, Float

from catallax.core import InputError
from catallax.solvers.matrix.host.trajectory import integrate_on_host

_TOLERANCE = 1e-10


def checked_payoffs(payoffs: Float[np.ndarray, "n n"]) -> np.ndarray:
    """The payoffs as a square finite array of floats."""
    table = np.asarray(payoffs, float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.isfinite(table).all():
        raise InputError(f"payoffs must be a finite square table [own rule, other's rule], got shape {table.shape}")
    return table


def checked_start(start: Float[np.ndarray, " n"], rules: int) -> np.ndarray:
    """Shares of all rules as floats."""
    first = np.asarray(start, float)
    if first.shape != (rules,) or not (first >= 0).all() or not abs(first.sum() - 1) <= 1e-6:
        raise InputError(f"start must be {rules} shares that add up to 1, got {first}")
    return first


def checked_times(times: Float[np.ndarray, " T"]) -> np.ndarray:
    """Times of a path as floats."""
    moments = np.asarray(times, float)
    if moments.ndim != 1 or len(moments) < 2 or not np.isfinite(moments).all() or not (np.diff(moments) > 0).all():
        raise InputError(f"times must be two or more finite numbers that ascend, got {moments}")
    return moments


def replicator_path(
    payoffs: Float[np.ndarray, "n n"], start: Float[np.ndarray, " n"], times: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T n"]:
    """Population shares over time under dx_i/dt = x_i ((A x)_i - x'A x), in double precision.

    The equation is solved in log form, dz_i/dt = (A x)_i with x = softmax(z) (LSODA), so that shares stay positive and
    add up to one. A rule that starts at 0 stays there.

    Args:
        payoffs: A, [own rule, other's rule].
        start: shares at the first time; they sum to 1.
        times: ascending, at least two.

    Raises:
        InputError: the payoffs are not square and finite, the start is no distribution, or the times do not ascend.
        NumericalError: the integration failed.

    Source: Taylor and Jonker (1978).
    """
    table = checked_payoffs(payoffs)
    first, times = checked_start(start, len(table)), checked_times(times)
    alive = first > 0
    live = table[np.ix_(alive, alive)]

    def shares(z: np.ndarray) -> np.ndarray:
        x = np.exp(z - z.max(axis=0))
        return x / x.sum(axis=0)

    def flow(_: float, z: np.ndarray) -> np.ndarray:
        drift = live @ shares(z)
        return drift - drift.mean()

    span = (float(times[0]), float(times[-1]))
    log_shares = np.log(first[alive])
    found = integrate_on_host("replicator_path", flow, log_shares, span, tol=_TOLERANCE, method="LSODA", times=times)
    path = np.zeros((len(times), len(first)))
    path[:, alive] = shares(found.y).T
    return path


def symmetric_regret(payoffs: Float[np.ndarray, "n n"], shares: Float[np.ndarray, " n"]) -> float:
    """max_i (A x)_i - x'A x, how much more than the mean the best rule earns; 0 exactly at a symmetric equilibrium.

    It is the regret of each player if all players of the symmetric game play the mixed strategy x.
    """
    rewards = checked_payoffs(payoffs) @ np.asarray(shares, float)
    return float(rewards.max() - np.asarray(shares, float) @ rewards)


def evolutionarily_stable(payoffs: Float[np.ndarray, "n n"]) -> Bool[np.ndarray, " n"]:
    """Which pure rules i are evolutionarily stable: for all j != i, A_ii > A_ji, or A_ii = A_ji and A_ij > A_jj.

    Mixed rules are not examined.

    Source: Maynard Smith and Price (1973).
    """
    table = checked_payoffs(payoffs)
    own = np.diag(table)
    strict = own[None, :] > table
    second = (own[None, :] == table) & (table.T > own[:, None])
    return (strict | second | np.eye(len(table), dtype=bool)).all(axis=0)
