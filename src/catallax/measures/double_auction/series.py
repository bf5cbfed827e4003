"""Statistics over rounds, on the host: speeds of learning and convergence, totals. NumPy in, numbers out."""

import numpy as np
from numpy.typing import ArrayLike

from catallax.core import InputError


def _rounds(series: ArrayLike, window: int) -> np.ndarray:
    x = np.asarray(series, np.float64)
    if x.ndim != 1:
        raise InputError(f"expected one value a round, got an array of shape {x.shape}")
    if window < 1:
        raise InputError(f"window must be an integer of at least 1, got {window}")
    return x


def moving_mean(series: ArrayLike, window: int = 100) -> np.ndarray:
    """Mean of each `window` successive rounds, NaN left out (NaN where all are).

    Args:
        series: `[rounds]`.

    Returns:
        `[rounds - window + 1]`, entry i for rounds i to i + window - 1; empty where there are fewer rounds.
    """
    x = _rounds(series, window)
    if len(x) < window:
        return np.empty(0)
    defined = ~np.isnan(x)
    views = np.lib.stride_tricks.sliding_window_view
    count = views(defined, window).sum(axis=1)
    total = views(np.where(defined, x, 0.0), window).sum(axis=1)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def speed_of_learning(series: ArrayLike, window: int = 100, band: float = 0.05) -> int | None:
    """The first round after which the moving mean stays within `band` of its final value.

    Args:
        series: a profit or an efficiency, `[rounds]`.
        band: relative, 0.05 for 5 %.

    Returns:
        A number of rounds (the end of the first window from which on all lie within); None with fewer rounds
        than the window or an undefined final mean.

    Source: Rawat (2023) names the measure and does not define it; the definition is ours.
    """
    means = moving_mean(series, window)
    if not len(means) or np.isnan(means[-1]):
        return None
    outside = ~(np.abs(means - means[-1]) <= band * abs(means[-1]))
    last = int(np.flatnonzero(outside)[-1]) + 1 if outside.any() else 0
    return last + window


def speed_of_convergence(mad: ArrayLike, window: int = 100, factor: float = 1.1) -> int | None:
    """The first round by which the moving mean of the MAD is at most `factor` times its final value.

    Args:
        mad: mean absolute deviation of prices from p*, `[rounds]`; NaN for rounds without trades.

    Returns:
        A number of rounds (the end of the first such window); None as in `speed_of_learning`.

    Source: Rawat (2023) names the measure and does not define it; the definition is ours.
    """
    means = moving_mean(mad, window)
    if not len(means) or np.isnan(means[-1]):
        return None
    return int(np.flatnonzero(means <= factor * means[-1])[0]) + window


def total_efficiency(surplus: ArrayLike, maximum_surplus: ArrayLike) -> float:
    """EFF TOTAL: the ratio of sums over rounds, which rounds without anything to gain do not disturb. NaN if
    none has.

    EFF AV, the mean of ratios, is the mean of `efficiency` over the rounds where it is defined.

    Source: Rust, Miller and Palmer (1992).
    """
    whole = float(np.sum(np.asarray(maximum_surplus, np.float64)))
    return float(np.sum(np.asarray(surplus, np.float64))) / whole if whole > 0 else float("nan")
