"""Integration of a single trajectory on the host, by SciPy's adaptive methods with tight tolerances."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

from catallax.core import NumericalError


def integrate_on_host(
    who: str,
    field: Callable[[float, np.ndarray], np.ndarray],
    start: Float[np.ndarray, " D"],
    span: tuple[float, float],
    *,
    tol: float,
    method: str = "DOP853",
    times: Float[np.ndarray, " T"] | None = None,
    event: Callable[[float, np.ndarray], float] | None = None,
) -> Any:
    """The solution of dz/dt = field(t, z), z(span[0]) = start, as SciPy's `solve_ivp` returns it.

    Args:
        who: the caller, for the message of an error.
        tol: absolute and relative tolerance.
        method: DOP853 (order 8) for smooth fields, LSODA where the field may be stiff.
        times: when the solution is stored; None for every step.
        event: a function whose zeros are located.

    Raises:
        NumericalError: the integration failed.
    """
    path = solve_ivp(field, span, start, method, times, events=event, rtol=tol, atol=tol)
    if not path.success:
        raise NumericalError(f"{who}: the integration failed at time {path.t[-1]:g}: {path.message}")
    return path
