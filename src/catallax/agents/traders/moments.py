"""Mean and spread of the prices heard so far, one price at a time."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class RunningMoments(NamedTuple):
    """Count, mean and sum of squared deviations of prices; all 0 before the first."""

    count: Float[Array, ""]
    mean: Float[Array, ""]
    squares: Float[Array, ""]


def no_prices() -> RunningMoments:
    """Nothing heard yet."""
    zero = jnp.float32(0)
    return RunningMoments(zero, zero, zero)


def heard(moments: RunningMoments, sale: Bool[Array, ""], price: Float[Array, ""]) -> RunningMoments:
    """With one price more where `sale`.

    Source: Welford (1962), "Note on a method for calculating corrected sums of squares and products".
    """
    count = moments.count + sale
    away = jnp.where(sale, price - moments.mean, 0.0)
    mean = moments.mean + away / jnp.maximum(count, 1.0)
    squares = moments.squares + jnp.where(sale, away * (price - mean), 0.0)
    return RunningMoments(count, mean, squares)
