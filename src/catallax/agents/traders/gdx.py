"""GDX: Gjerstad and Dickhaut's belief, and a trader that looks ahead to the end of the period."""

from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import number, rng
from catallax.games.double_auction.observation import Order, TraderView

from .beliefs import AbstractBeliefTrader, Belief, History, PriceGrid, belief, listen, no_history, price_grid
from .expected_surplus import best_bid, least_bid

CANDIDATES: Final = 32
"""Prices that the plan for later ticks chooses among."""


class GDX(AbstractBeliefTrader):
    """Bids as if its belief q held for the rest of the period, weighing a unit now against a unit later.

    With m units left and n ticks to go, g = `discount`, and v_m the value of its next unit,

        V(m, n) = max_b { q(b) [v_m - b + g V(m-1, n-1)] + (1 - q(b)) g V(m, n-1) },   V(0, .) = V(., 0) = 0,

    which is g V(m, n-1) + max_b q(b) (x - b) for x = v_m - g [V(m, n-1) - V(m-1, n-1)], the value less what the unit is
    expected to earn later. It bids the maximiser, and accepts an ask that leaves more of x than that maximum.

    V(., n-1) is found tick by tick with b on 32 prices evenly between the least bid and the next value; the bid itself
    is the maximiser over all prices, as `GD`'s. At the last tick of a period it is `GD`.

    Args:
        discount: g in [0, 1]; 0.9 in the source.

    Raises:
        InputError: a discount outside its range.
        BuildError: a market that hides quotes or trades, always or sometimes.

    Source: no primary source was read. Tesauro and Bredin (2002), "Strategic sequential bidding in auctions using
        dynamic programming", is known to us by secondary descriptions.
    Differs: as `GD` does.
    """

    discount: Float[Array, ""] = number(0.9, "[0, 1]", dtype=jnp.float32)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> History:
        """The start of a round: nothing was heard."""
        return no_history()

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: History, obs: TraderView) -> tuple[Order, History]:
        grid = price_grid(obs)
        history = listen(memory, obs, grid, (rng.key_bits(key).first & 1) == 1)
        faith = belief(history, grid.top)
        later = _later(faith, grid, obs, self.discount)
        worth = obs.limit - self.discount * later
        best = best_bid(faith, worth, grid, obs)
        return Order(best.price, worth - best.surplus), history


def remaining_values(obs: TraderView) -> Float[Array, " units"]:
    """v_1, v_2, ...: the value of the next unit when 1, 2, ... units are left; -inf for more than the trader has."""
    units = obs.tokens.shape[0]
    # counted from the last unit: where quotes are collected before any trade, left + traded is not their number
    place = jnp.isfinite(obs.tokens).sum(dtype=jnp.int32) - 1 - jnp.arange(units, dtype=jnp.int32)
    here = place[:, None] == jnp.arange(units)
    return jnp.where(place >= 0, jnp.where(here, obs.tokens[None, :], -jnp.inf).max(axis=1), -jnp.inf)


def plan(
    chance: Float[Array, " k"],
    price: Float[Array, " k"],
    values: Float[Array, " units"],
    ticks: Int[Array, ""],
    discount: Float[Array, ""],
) -> Float[Array, " units"]:
    """V(1, n), V(2, n), ... for n = `ticks`, where a bid of price[k] is taken with probability chance[k].

    Staying silent is always allowed: no maximum is negative.
    """
    known = jnp.where(jnp.isfinite(values), values, jnp.minimum(price.min(), 0.0))

    def earlier(_: Int[Array, ""], after: Float[Array, " units"]) -> Float[Array, " units"]:
        fewer = jnp.concatenate([jnp.zeros(1, after.dtype), after[:-1]])
        worth = known - discount * (after - fewer)
        gain = jnp.maximum(chance * (worth[:, None] - price), 0.0)
        # Numbers that are not negative are ordered as their bits are, and largest integers are found faster.
        most = jax.lax.bitcast_convert_type(gain, jnp.int32).max(axis=1)
        return discount * after + jax.lax.bitcast_convert_type(most, jnp.float32)

    return jax.lax.fori_loop(0, ticks, earlier, jnp.zeros_like(values))


def _later(faith: Belief, grid: PriceGrid, obs: TraderView, discount: Float[Array, ""]) -> Float[Array, ""]:
    """V(m, n-1) - V(m-1, n-1) at the trader's own m and n."""
    value = jnp.where(jnp.isfinite(obs.limit), obs.limit, obs.low)
    first = jnp.minimum(least_bid(obs), obs.high)
    price = first + jnp.maximum(value - first, 0.0) * (jnp.arange(CANDIDATES) / CANDIDATES)
    level = jax.vmap(grid.level)(price)
    chance = faith.at(level.astype(jnp.int16), grid.grain)
    price = grid.low + grid.grain * level.astype(jnp.float32)
    worths = plan(chance, price, remaining_values(obs), obs.steps - obs.step - 1, discount)
    number = jnp.arange(1, worths.shape[0] + 1)
    pick = lambda m: jnp.where(number == m, worths, 0.0).sum()
    return pick(obs.left) - pick(obs.left - 1)
