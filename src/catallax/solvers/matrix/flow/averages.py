"""Time averages of what a run has stored."""

from typing import Any

import numpy as np
from jaxtyping import Float

from catallax.core import InputError


def running_average(times: Any, values: Any) -> Float[np.ndarray, "T *rest"]:
    """(1 / (t - t_0)) times the integral of the values from t_0 to t, by trapezoids; at t_0 the first value.

    Without exploration the average policy along an orbit that stays away from the boundary tends to the interior Nash
    equilibrium, with error of order 1 / t, though the orbit itself goes round for ever.

    Args:
        times: ascending, [T].
        values: one entry for each time on the FIRST axis, [T, ...], as `run` stores series.

    Raises:
        InputError: times that do not ascend, or another number of values.

    Source: Hofbauer and Sigmund (1998), chapter 7, for the average of replicator orbits.
    """
    t, x = np.asarray(times, float), np.asarray(values, float)
    if t.ndim != 1 or not len(t) or x.shape[:1] != t.shape or not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise InputError(
            f"running_average: times must ascend and be as many as the values, got {t.shape} and {x.shape}"
        )
    widths = np.diff(t).reshape(-1, *(1,) * (x.ndim - 1))
    total = np.cumsum(widths * (x[1:] + x[:-1]) / 2, axis=0)
    since = (t[1:] - t[0]).reshape(widths.shape)
    return np.concatenate([x[:1], total / since])
