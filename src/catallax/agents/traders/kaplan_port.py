"""Kaplan's sniper as the tournament's program was ported, where it differs from the paper's flow chart."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import flag
from catallax.games.double_auction.observation import Order, TraderView

from . import waiting
from .standing import STANDING, standing_quotes, up_to, worst_limit
from .trader import AbstractTrader


class KaplanPortMemory(NamedTuple):
    """What the program has in mind; prices in own coordinates, ticks counted within the period."""

    period: Int[Array, ""]
    lowest: Float[Array, ""]
    """Lowest trade price of the running period, the lowest legal price after an own trade; +inf before the first."""
    highest: Float[Array, ""]
    """Highest trade price of others in the running period; -inf before the first."""
    past_lowest: Float[Array, ""]
    """PMIN, of the previous period; -inf in the first and after one without trades."""
    past_highest: Float[Array, ""]
    """PMAX, of the previous period; +inf in the first, -inf after one without trades of others."""
    last_trade: Int[Array, ""]
    own_last_trade: Int[Array, ""]
    traded: Int[Array, ""]


class KaplanPort(AbstractTrader):
    """`Kaplan` with the ported program's traits, in the port's buyer's form.

    Without a standing bid it opens at min(lowest price + 1, ask, last limit - 1), limited by its worst unit. With one,
    MOST = min(ask, limit - 1); if MOST does not beat the bid it is silent; it bids MOST if there is an ask and (a) the
    ask is not above PMAX, limit - ask + 1 > 0.02 (limit + 1) and (ask - bid) / (ask + 1) < 0.1, or (b) the ask is not
    above PMIN, or (c) time is running out (`waiting.running_out`); else it is silent. In a round's first period PMAX =
    infinity.

    It accepts an ask that its own bid reaches, and in the last two ticks whatever is profitable.

    The program wrote down -1 for the price of an own trade. So a period with one has a PMIN of next to nothing, which
    turns (b) off, and its PMAX is the highest price among others; a period without trades turns off (a) and (b). (What
    the program did with hundreds, PMAX less 100 at first and, for a seller, PMIN plus 100, never changes a decision.)

    (1 stands for one tick of the price grid. In a market where quotes do not stand, the best of the last tick count as
    standing if they did not trade.)

    Args:
        reflected: percentages are of prices reflected within the bounds for a seller (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the prices themselves.

    Raises:
        InputError: `reflected` is no truth value.

    Source: the tournament's Kaplan program as ported by Rawat (2025); the primary source was not found.
    Differs: the port's seller is misled about PMAX in another way; here the seller is the buyer's reflection, with
        percentages of the actual prices (the spread is divided by the bid, as in the port). An own trade in a period's
        last tick is taken for another's.
    """

    needs = (*STANDING, "price")

    reflected: bool = flag(False)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> KaplanPortMemory:
        inf, zero = jnp.float32(jnp.inf), jnp.int32(0)
        return KaplanPortMemory(zero, inf, -inf, -inf, inf, zero, zero, zero)

    def quote(
        self, key: Shaped[PRNGKeyArray, ""], memory: KaplanPortMemory, obs: TraderView
    ) -> tuple[Order, KaplanPortMemory]:
        """Updates what is remembered, then snipes or waits."""
        memory = self._remember(memory, obs)
        bid, ask = standing_quotes(obs)
        opening = jnp.minimum(obs.low + obs.unit, jnp.minimum(ask, worst_limit(obs) - obs.unit))
        most = jnp.minimum(ask, obs.limit - obs.unit)
        jumps = (most > bid) & (ask < jnp.inf) & self._jumps(memory, obs, bid, ask)
        price = jnp.where(bid > -jnp.inf, jnp.where(jumps, most, -jnp.inf), opening)
        price = jnp.where(jnp.isfinite(obs.limit), price, -jnp.inf)
        ending = obs.steps - obs.time <= 1
        reserve = jnp.where(ending, obs.limit, up_to(jnp.maximum(price, bid), obs))
        return Order(price, reserve), memory

    def _jumps(self, memory: KaplanPortMemory, obs: TraderView, bid: Array, ask: Array) -> Bool[Array, ""]:
        """(a), (b) or (c)."""
        size = obs.level if self.reflected else obs.actual
        close = (ask - bid) < 0.1 * (size(ask) + obs.unit)
        gains = obs.limit - ask + obs.unit > 0.02 * (size(obs.limit) + obs.unit)
        good = close & gains & (ask <= memory.past_highest)
        return good | (ask <= memory.past_lowest) | waiting.running_out(memory, obs)

    def _remember(self, memory: KaplanPortMemory, obs: TraderView) -> KaplanPortMemory:
        """The last tick's trade joins its own period's extremes; then the period may turn."""
        sale, price, own = obs.tape.sale, obs.tape.price, waiting.own_trade(memory, obs)
        turned, inf = obs.period != memory.period, jnp.float32(jnp.inf)
        own &= ~turned
        lowest = jnp.minimum(memory.lowest, jnp.where(own, obs.low, jnp.where(sale, price, inf)))
        highest = jnp.maximum(memory.highest, jnp.where(sale & ~own, price, -inf))
        return KaplanPortMemory(
            obs.period,
            jnp.where(turned, inf, lowest),
            jnp.where(turned, -inf, highest),
            jnp.where(turned, jnp.where(lowest < inf, lowest, -inf), memory.past_lowest),
            jnp.where(turned, highest, memory.past_highest),
            *waiting.last_trades(memory, obs),
            obs.traded,
        )
