"""Checks of numbers that users give. Messages name the owner, the parameter, the allowed values and the value."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .errors import CatallaxError, InputError


def known(value: Any) -> np.ndarray | None:
    """The value as an array; None inside a compiled program, where it cannot be looked at."""
    return None if isinstance(value, Tracer) else np.asarray(value)


def as_numbers(who: str, name: str, value: Any, dtype: Any = float) -> Array:
    """The value as an array of real numbers, of whatever shape; a traced value passes.

    Raises:
        InputError: the value is no array of real numbers: text, None, a ragged list, complex numbers.
    """
    try:
        if (
            value is None
            or isinstance(value, str)
            or jnp.issubdtype(getattr(value, "dtype", float), jnp.complexfloating)
        ):
            raise TypeError
        return jnp.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{who}: {name} must be numbers, got {str(value)[:80]!r}") from None


def as_host_numbers(who: str, name: str, value: Any) -> np.ndarray:
    """The value as a NumPy array of floats in double precision; a copy.

    Raises:
        InputError: as `as_numbers`.
    """
    try:
        if value is None or isinstance(value, str) or np.iscomplexobj(value):
            raise TypeError
        return np.array(value, float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{who}: {name} must be numbers, got {str(value)[:80]!r}") from None


def exact(number: Any) -> str:
    """A number for a message, with all digits that tell it from its neighbours: "110", "0.30000000000000004"."""
    return repr(float(number)).removesuffix(".0")


def check_holdable(who: str, name: str, value: np.ndarray) -> None:
    """Raises `InputError` if a finite number of the value is infinite in the working precision, and names it."""
    working = np.finfo(np.dtype(jnp.result_type(float)))
    beyond = np.abs(value.astype(float)) > float(working.max)
    if beyond.any():
        raise InputError(
            f"{who}: {name} has the number {exact(value[beyond].flat[0])}, which {working.dtype.name} cannot hold (up "
            f"to {working.max:.3g}): take a larger unit, or double precision (JAX_ENABLE_X64=1)"
        )


def check_kind(who: str, name: str, value: Any, *kinds: type) -> None:
    """Raises `InputError` unless the value is an instance of one of the classes."""
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InputError(f"{who}: {name} must be of the class {wanted}, got {str(value)[:80]!r}")


def check_flag(who: str, name: str, value: Any) -> None:
    """Raises `InputError` unless the value is True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{who}: {name} must be True or False, got {str(value)[:80]!r}")


def check_count(who: str, name: str, value: Any, least: int = 1, *, error: type[CatallaxError] = InputError) -> None:
    """Raises `error` unless the value is an int (no bool) of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise error(f"{who}: {name} must be an integer of at least {least}, got {value!r}")


def check_number(who: str, name: str, value: Any, interval: str) -> None:
    """Raises `InputError` unless the value is one number in the interval; of a traced value only the shape is seen.

    Args:
        interval: as on paper, such as "[0, 1)" or "(0, inf)"; NaN lies in none.
    """
    kind = getattr(value, "dtype", None) or np.asarray(value).dtype
    if not (jnp.issubdtype(kind, jnp.integer) or jnp.issubdtype(kind, jnp.floating)):
        raise InputError(f"{who}: {name} must be a number in {interval}, got {value!r}")
    if np.ndim(value):
        raise InputError(f"{who}: {name} must be one number, got an array of shape {np.shape(value)}")
    x, (low, high) = known(value), map(float, interval[1:-1].split(","))
    if x is None:
        return
    above = x >= low if interval[0] == "[" else x > low
    below = x <= high if interval[-1] == "]" else x < high
    if not (above and below):
        wanted = "be finite" if interval == "(-inf, inf)" else f"lie in {interval}"
        raise InputError(f"{who}: {name} must {wanted}, got {float(x):g}")
