"""Kaplan's sniper, the winner of the 1990 tournament: wait in the background, then steal the deal."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import flag
from catallax.games.double_auction.observation import Order, TraderView

from . import waiting
from .trader import AbstractTrader


class KaplanMemory(NamedTuple):
    """What a Kaplan trader has in mind; prices in own coordinates, ticks counted within the period."""

    period: Int[Array, ""]
    lowest: Float[Array, ""]
    """Lowest trade price of the running period; +inf before the first trade."""
    highest: Float[Array, ""]
    """Highest trade price of the running period; -inf before the first trade."""
    past_lowest: Float[Array, ""]
    """PMIN, of the previous period; -inf in the first."""
    past_highest: Float[Array, ""]
    """PMAX, of the previous period; +inf in the first."""
    last_trade: Int[Array, ""]
    """Tick of the last trade, from 1; 0 before the first."""
    own_last_trade: Int[Array, ""]
    traded: Int[Array, ""]


class Kaplan(AbstractTrader):
    """The paper's version, symmetric between buyers and sellers.

    Without a standing bid it opens at the lowest price plus one. Otherwise MOST = min(ask, value - 1); if that does not
    beat the bid it is silent; it bids MOST if (a) there is an ask not above the last period's highest price, the profit
    there is more than 2% and the spread is less than 10% of the ask, or (b) the ask is not above the last period's
    lowest price, or (c) time is running out; else it is silent. It accepts whatever is profitable.

    Time is running out at tick t of T if t - last trade >= (T - t) / 2, or if t - own last trade >= 2/3 (T - t)
    and t - last trade >= 5. Ticks are counted from 1, and 0 stands for a trade that has not been.

    Args:
        reflected: percentages are of prices reflected within the bounds for a seller (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the prices themselves.

    Raises:
        InputError: `reflected` is no truth value.

    Source: Rust, Miller and Palmer (1994), Fig. 2; the meaning of "running out" from the ported tournament source.
    Differs: the port's opening bid, its adjusted price extremes and its unsymmetric spread test are not copied.
    """

    needs = ("bid", "ask", "sale", "price")

    reflected: bool = flag(False)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> KaplanMemory:
        """The start of a round: no past period, so its price range is unbounded."""
        inf, zero = jnp.float32(jnp.inf), jnp.int32(0)
        return KaplanMemory(zero, inf, -inf, -inf, inf, zero, zero, zero)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: KaplanMemory, obs: TraderView) -> tuple[Order, KaplanMemory]:
        """Updates what is remembered, then snipes or waits."""
        memory = self._remember(memory, obs)
        bid, ask, unit = obs.tape.bid, obs.tape.ask, obs.unit
        most = jnp.minimum(ask, obs.limit - unit)
        profit = obs.limit - ask
        close = (ask - bid) < 0.1 * self._size(ask, obs)
        cheap = (ask <= memory.past_highest) & (profit > 0.02 * self._size(ask, obs)) & close
        snipe = (ask < jnp.inf) & (cheap | (ask <= memory.past_lowest))
        price = jnp.where((most > bid) & (snipe | waiting.running_out(memory, obs)), most, -jnp.inf)
        opening = jnp.minimum(obs.low + unit, obs.limit - unit)
        return Order(jnp.where(bid > -jnp.inf, price, opening), obs.limit), memory

    def _size(self, price: Float[Array, ""], obs: TraderView) -> Float[Array, ""]:
        """What a percentage of a price is a percentage of."""
        return obs.level(price) if self.reflected else obs.actual(price)

    def _remember(self, memory: KaplanMemory, obs: TraderView) -> KaplanMemory:
        """The last tick's trade joins its own period's extremes; then the period may turn."""
        sale, price = obs.tape.sale, obs.tape.price
        lowest = jnp.where(sale, jnp.minimum(memory.lowest, price), memory.lowest)
        highest = jnp.where(sale, jnp.maximum(memory.highest, price), memory.highest)
        turned = obs.period != memory.period
        none = jnp.float32(jnp.inf)
        last_trade, own_last_trade = waiting.last_trades(memory, obs)
        return KaplanMemory(
            period=obs.period,
            lowest=jnp.where(turned, none, lowest),
            highest=jnp.where(turned, -none, highest),
            past_lowest=jnp.where(turned, jnp.where(lowest < none, lowest, -none), memory.past_lowest),
            past_highest=jnp.where(turned, jnp.where(highest > -none, highest, none), memory.past_highest),
            last_trade=last_trade,
            own_last_trade=own_last_trade,
            traded=obs.traded,
        )
