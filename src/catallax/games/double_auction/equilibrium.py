"""The competitive equilibrium of induced values and costs: quantity, price interval and surplus, exactly.

No price grid and no sorting: the interval is two order statistics of all limits taken together, which counting finds
fastest for the sizes of experimental markets.
"""

from typing import Final, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

_COUNT_UP_TO: Final = 96  # units of both sides; above, sorting is cheaper than comparing all pairs


class CompetitiveEquilibrium(NamedTuple):
    """Where demand meets supply in one period. Prices and surpluses in the units of the values."""

    quantity: Int[Array, ""]
    """Q, units with a strictly positive gain; a marginal pair with d = s adds nothing and is not counted."""
    low: Float[Array, ""]
    """Lowest competitive price, max(s_Q, d_{Q+1})."""
    high: Float[Array, ""]
    """Highest competitive price, min(d_Q, s_{Q+1})."""
    price: Float[Array, ""]
    """p*, the midpoint of the interval."""
    surplus: Float[Array, ""]
    """Maximum surplus, the sum of d_q - s_q over the Q first units."""
    buyer_surplus: Float[Array, ""]
    """Buyers' part at p*, the sum of max(v - p*, 0)."""
    seller_surplus: Float[Array, ""]
    """Sellers' part at p*, the sum of max(p* - c, 0)."""


def clearing_interval(limits: Float[Array, " n"], offered: int) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The (M+1)-th and the M-th highest of all limits, M = `offered`; duplicates count."""
    n = limits.shape[0]
    if n > _COUNT_UP_TO:
        ascending = jnp.sort(limits)
        return ascending[n - offered - 1], ascending[n - offered]
    above = (limits[None, :] > limits[:, None]).sum(axis=1, dtype=jnp.int32)
    low = jnp.where(above <= offered, limits, jnp.inf).min()
    high = jnp.where(above < offered, limits, jnp.inf).min()
    return low, high


def competitive_equilibrium(
    values: Float[Array, "buyers units"], costs: Float[Array, "sellers slots"]
) -> CompetitiveEquilibrium:
    """The exact competitive equilibrium of one period.

    With d_1 >= d_2 >= ... all values and s_1 <= s_2 <= ... all costs: Q = #{q : d_q > s_q}, prices
    [max(s_Q, d_{Q+1}), min(d_Q, s_{Q+1})], p* their midpoint. With M units offered the interval is the
    (M+1)-th and the M-th highest of all limits, and Q = max(#{v > p*}, #{c < p*}); this form needs no order
    within the arguments.

    Absent units are values of -inf and costs of +inf. Q = 0 means that no pair gains: the surpluses are 0 and
    the interval is [d_1, s_1], the prices at which nobody strictly wants to trade; it is infinite (and p*
    infinite or NaN) only where a side has no unit at all. Jit-able, vmap-able, in the arguments' precision.

    Args:
        values: limits of the buyers' units, price.
        costs: limits of the sellers' units, price.

    Source: Wurman, Walsh and Wellman (1998) for the two order statistics; the definitions are the textbook's.
    Differs: Rawat (2023) reads p* off a grid, see `rounded_grid_equilibrium`. The midpoint (d_Q +
        s_Q) / 2 of other code may leave the competitive interval and is not offered.
    """
    low, high = clearing_interval(jnp.concatenate([values.ravel(), costs.ravel()]), costs.size)
    price = 0.5 * (low + high)
    quantity = jnp.maximum((values > price).sum(dtype=jnp.int32), (costs < price).sum(dtype=jnp.int32))
    some = quantity > 0  # where no pair gains, p* may be infinite
    buyer_surplus = jnp.where(some, jnp.maximum(values - price, 0.0).sum(), 0.0)
    seller_surplus = jnp.where(some, jnp.maximum(price - costs, 0.0).sum(), 0.0)
    return CompetitiveEquilibrium(
        quantity, low, high, price, buyer_surplus + seller_surplus, buyer_surplus, seller_surplus
    )


def rounded_grid_equilibrium(
    values: Float[Array, "buyers units"], costs: Float[Array, "sellers slots"]
) -> CompetitiveEquilibrium:
    """The equilibrium as the code behind Rawat's table computes it, for reading that table only.

    On 200 prices from 0 to 100, D(p) = #{v > p} and S(p) = #{c < p}; p* is the mean of the grid prices with D
    = S (the first grid price with the smallest |D - S| where there is none), rounded to 0.1. The two sides'
    surpluses at p* are rounded to 0.1 and their sum to an integer, so that an efficiency may exceed 1 by up
    to 0.1 %.

    Source: Rawat (2023), public code (`demandSupplySchedules`, `equilibrium`, `surplus`).
    """
    grid = jnp.linspace(0.0, 100.0, 200)
    demand = (values.ravel()[None, :] > grid[:, None]).sum(axis=1, dtype=jnp.int32)
    supply = (costs.ravel()[None, :] < grid[:, None]).sum(axis=1, dtype=jnp.int32)
    gap = jnp.abs(demand - supply)
    first = grid[jnp.argmin(gap)]
    met = gap == 0
    any_met = met.any()
    mean = jnp.where(met, grid, 0.0).sum() / jnp.maximum(met.sum(), 1)
    price = jnp.round(jnp.where(any_met, mean, first), 1)
    # in tenths, which are whole numbers: 223.3 + 223.2 must be a tie when rounded to an integer
    buyers = jnp.round(10.0 * jnp.maximum(values - price, 0.0).sum())
    sellers = jnp.round(10.0 * jnp.maximum(price - costs, 0.0).sum())
    return CompetitiveEquilibrium(
        quantity=demand[jnp.argmin(gap)],
        low=jnp.where(any_met, jnp.where(met, grid, jnp.inf).min(), first),
        high=jnp.where(any_met, jnp.where(met, grid, -jnp.inf).max(), first),
        price=price,
        surplus=jnp.round((buyers + sellers) / 10.0),
        buyer_surplus=buyers / 10.0,
        seller_surplus=sellers / 10.0,
    )
