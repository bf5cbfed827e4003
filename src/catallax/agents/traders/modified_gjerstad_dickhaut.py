"""Gjerstad and Dickhaut's trader, modified: what was never paid in the last period is not believed in this one."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from .beliefs import AbstractBeliefTrader, History, PriceGrid, belief, listen, no_history, price_grid
from .expected_surplus import best_bid


class MGDMemory(NamedTuple):
    """What an MGD trader has in mind; prices in own coordinates."""

    history: History  # type: ignore[assignment]
    period: Int[Array, ""]
    lowest: Float[Array, ""]
    """Lowest trade price of the running period; +inf before the first trade."""
    highest: Float[Array, ""]
    """Highest trade price of the running period; -inf before the first trade."""
    past_lowest: Float[Array, ""]
    """Of the previous period; -inf where nothing was traded in it, and in the first."""
    past_highest: Float[Array, ""]
    """Of the previous period; +inf where nothing was traded in it, and in the first."""


class MGD(AbstractBeliefTrader):
    """GD, except that the belief is 0 below the lowest and 1 above the highest trade price of the previous period.

    The knots at which the belief is 0 and 1 move from the market's bounds to one tick outside the range of those prices
    (one level where prices are continuous). In the first period, and after one without trades, it is GD.

    Raises:
        BuildError: a market that hides quotes or trades, always or sometimes.

    Source: no primary source was read. Das, Hanson, Kephart and Tesauro (2001) and Tesauro and Das (2001) are known to
        us by abstracts and secondary descriptions: GD with the previous period's extreme prices forcing the belief.
    Differs: their beliefs are over the queue of an order book; here there is one bid and one ask. And as `GD` does.
    """

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> MGDMemory:
        """The start of a round: nothing was heard, no period past."""
        inf = jnp.float32(jnp.inf)
        return MGDMemory(no_history(), jnp.int32(0), inf, -inf, -inf, inf)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: MGDMemory, obs: TraderView) -> tuple[Order, MGDMemory]:
        grid = price_grid(obs)
        history = listen(memory.history, obs, grid, (rng.key_bits(key).first & 1) == 1)
        memory = _turn(memory._replace(history=history), obs)
        bottom = jnp.where(memory.past_lowest > -jnp.inf, _level(grid, memory.past_lowest, -1), 0)
        top = jnp.where(memory.past_highest < jnp.inf, _level(grid, memory.past_highest, 1), grid.top)
        best = best_bid(belief(history, top, bottom), obs.limit, grid.part(bottom, top), obs)
        return Order(best.price, obs.limit - best.surplus), memory


def _level(grid: PriceGrid, price: Float[Array, ""], beside: int) -> Int[Array, ""]:
    """The level of a price, or the one beside it, between the bounds."""
    known = jnp.where(jnp.isfinite(price), price, grid.low)
    return jnp.clip(grid.level(known) + beside, 0, grid.top)


def _turn(memory: MGDMemory, obs: TraderView) -> MGDMemory:
    """The last tick's trade joins its own period's extremes; then the period may turn."""
    sale, price, inf = obs.tape.sale, obs.tape.price, jnp.float32(jnp.inf)
    lowest = jnp.where(sale, jnp.minimum(memory.lowest, price), memory.lowest)
    highest = jnp.where(sale, jnp.maximum(memory.highest, price), memory.highest)
    turned = obs.period != memory.period
    known = lowest < inf
    return MGDMemory(
        history=memory.history,
        period=obs.period,
        lowest=jnp.where(turned, inf, lowest),
        highest=jnp.where(turned, -inf, highest),
        past_lowest=jnp.where(turned, jnp.where(known, lowest, -inf), memory.past_lowest),
        past_highest=jnp.where(turned, jnp.where(known, highest, inf), memory.past_highest),
    )
