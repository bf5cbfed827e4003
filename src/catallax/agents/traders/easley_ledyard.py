"""Easley and Ledyard's trader: a reservation price that rises through last period's prices."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import number
from catallax.games.double_auction.observation import Order, TraderView

from .standing import STANDING, standing_quotes, up_to
from .trader import AbstractTrader


class EasleyLedyardMemory(NamedTuple):
    """What a trader knows of prices, own coordinates."""

    period: Int[Array, ""]
    lowest: Float[Array, ""]
    """Lowest ask or trade price of the running period; +inf before the first."""
    highest: Float[Array, ""]
    """Highest bid or trade price of the running period; -inf before the first."""
    past_lowest: Float[Array, ""]
    """L, of the previous period; -inf in the first: the lowest legal price then."""
    past_highest: Float[Array, ""]
    """H, of the previous period; +inf in the first: the highest legal price then."""


class EasleyLedyard(AbstractTrader):
    """Bids, and accepts asks up to, its reservation price r. At tick t of T, with value v,

        r = lo + (hi - lo) t / (until T) up to t = until T,   lo = min(v, L), hi = min(v, H - 1),
        r = min(v, max(H - 1, bid + 1)) from then on,

    where [L, H] are the prices that last period left open: L its lowest ask or trade price, H its highest bid or trade
    price; the price bounds in the first period of a round. After a period without a trade those are the best ask and
    the best bid the wrong way round, and the price must lie between them: the two are exchanged.

    The theory is a family: it says that r lies in [min(v, L), min(v, H)) for most of the period, comes to min(v, H - 1)
    before its end, and from then on rises by at most one above a bid that was not accepted. So r does not fall back
    where a trade has cleared the book. In a round of one period there is never a last one: the bounds it is.

    Args:
        until: share of the period after which r is min(v, H - 1), in (0, 1].

    Raises:
        InputError: `until` outside its range.

    Source: Easley and Ledyard (1993), "Theories of price formation and exchange in double oral auctions", assumptions 1
        and 2; the line in t is ours. Nothing is carried into the next round, whose limits are new.
    """

    needs = (*STANDING, "price")

    until: Float[Array, ""] = number(0.8, "(0, 1]", dtype=jnp.float32)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> EasleyLedyardMemory:
        """The start of a round: nothing is known of prices."""
        inf = jnp.float32(jnp.inf)
        return EasleyLedyardMemory(jnp.int32(0), inf, -inf, -inf, inf)

    def quote(
        self, key: Shaped[PRNGKeyArray, ""], memory: EasleyLedyardMemory, obs: TraderView
    ) -> tuple[Order, EasleyLedyardMemory]:
        """Hears the last tick, then bids the reservation price if that beats the standing bid."""
        memory = self._remember(memory, obs)
        price = jnp.minimum(self._reservation(memory, obs), obs.cap)
        price = jnp.where(jnp.isfinite(obs.limit), price, -jnp.inf)
        return Order(jnp.where(price > obs.tape.bid, price, -jnp.inf), up_to(price, obs)), memory

    def _reservation(self, memory: EasleyLedyardMemory, obs: TraderView) -> Float[Array, ""]:
        value = jnp.maximum(obs.limit, obs.low)  # without units the limit is -inf, and inf - inf no number
        low, high = jnp.maximum(memory.past_lowest, obs.low), jnp.minimum(memory.past_highest, obs.high)
        first, last = jnp.minimum(value, low), jnp.minimum(value, high - obs.unit)
        past = obs.time / (self.until * obs.steps)
        bid, _ = standing_quotes(obs)
        late = jnp.maximum(last, jnp.minimum(value, bid + obs.unit))
        return jnp.minimum(jnp.where(past < 1, first + (last - first) * past, late), obs.limit)

    def _remember(self, memory: EasleyLedyardMemory, obs: TraderView) -> EasleyLedyardMemory:
        """The last tick joins its own period's extremes; then the period may turn."""
        tape, inf = obs.tape, jnp.float32(jnp.inf)
        lowest = jnp.minimum(memory.lowest, jnp.minimum(tape.last_ask, jnp.where(tape.sale, tape.price, inf)))
        highest = jnp.maximum(memory.highest, jnp.maximum(tape.last_bid, jnp.where(tape.sale, tape.price, -inf)))
        turned = obs.period != memory.period
        return EasleyLedyardMemory(
            period=obs.period,
            lowest=jnp.where(turned, inf, lowest),
            highest=jnp.where(turned, -inf, highest),
            past_lowest=jnp.where(turned, jnp.minimum(lowest, highest), memory.past_lowest),
            past_highest=jnp.where(turned, jnp.maximum(lowest, highest), memory.past_highest),
        )
