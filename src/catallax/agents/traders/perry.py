"""The tournament's Perry: bids so many standard deviations below the mean price, and tunes how many."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from . import waiting
from .moments import RunningMoments, heard, no_prices
from .standing import STANDING, standing_quotes, up_to, worst_limit
from .trader import AbstractTrader


class PerryMemory(NamedTuple):
    """What a Perry trader knows; prices in own coordinates."""

    factor: Float[Array, ""]
    """a, standard deviations it asks for at the start of a period."""
    prices: RunningMoments  # type: ignore[assignment]
    """Of all trades of the round."""
    now: RunningMoments  # type: ignore[assignment]
    """Of the running period."""
    gain: Float[Array, ""]
    """Own profit of the running period."""
    limit: Float[Array, ""]
    """Of the unit it quoted for at the last tick."""
    period: Int[Array, ""]
    last_trade: Int[Array, ""]
    own_last_trade: Int[Array, ""]
    traded: Int[Array, ""]


class Perry(AbstractTrader):
    """Aims at mean - a (1 - t / T) SD of the round's trade prices (0.2 SD more while a bid or an ask stands).

    That is at most 3 SD below the mean. Where it does not beat the standing bid it bids one more than the bid, but
    never above MOST = min(ask, limit - 1). Up to the third trade of a round's first period it has no such aim: it bids
    U (last limit - lowest price) above the lowest price, U uniform on [0, 1), until a bid and an ask stand; from then
    on it goes 1 / (2 (1.2 + U)) of the way from bid to ask, if that is below its limit. SD is 30 until two prices are
    known.

    It accepts profitable asks up to its aim, or that its own bid reaches; in the last fifth of a period every ask that
    leaves more than 2.

    a starts at 2. With e = own profit of a period over what it could have made at the period's mean price, and units
    that were worth trading at that price: if some of these were not traded, a <- a e (a / 3 if e = 0); if all were
    and e <= 0.9, a <- a (2 - e). (Numbers of price stand for ticks of the price grid. In a market where quotes do not
    stand, the best of the last tick count as standing if they did not trade.)

    Source: no primary source was found for this entrant, sixth in the 1990 tournament. Followed is the port of Rawat
        (2025).
    Differs: the port's buyer is taken for both sides, with the last fifth of its seller. Left out: factors for the
        numbers of traders (7/8 in a market of 4 and 4), a noise of up to 4 in the quotes, a look ahead whose result is
        mostly the bid plus one, and resets of small SDs. An own trade in a period's last tick is not counted. a is
        forgotten at the end of a round.
    """

    needs = (*STANDING, "price")

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> PerryMemory:
        """The start of a round: a = 2, no prices."""
        nought, zero = jnp.float32(0), jnp.int32(0)
        return PerryMemory(jnp.float32(2), no_prices(), no_prices(), nought, nought, zero, zero, zero, zero)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: PerryMemory, obs: TraderView) -> tuple[Order, PerryMemory]:
        """Hears, tunes at the turn of a period, quotes."""
        memory = self._remember(memory, obs)
        bid, ask = standing_quotes(obs)
        aims = (memory.prices.count > 0) & ((memory.prices.count >= 3) | (obs.period > 0))
        aim = self._aim(memory, obs, quoted=(bid > -jnp.inf) | (ask < jnp.inf))
        most = jnp.minimum(ask, obs.limit - obs.unit)
        aimed = jnp.minimum(jnp.maximum(aim, bid + obs.unit), most)
        aimed = jnp.where(most > bid, aimed, -jnp.inf)
        price = jnp.where(aims, aimed, self._opening(rng.uniform(key), bid, ask, obs))
        price = jnp.where(jnp.isfinite(obs.limit), price, -jnp.inf)
        takes = jnp.maximum(jnp.maximum(price, bid), jnp.where(aims, aim, -jnp.inf))
        ending = 5 * (obs.steps - obs.time) <= obs.steps
        reserve = jnp.maximum(up_to(takes, obs), jnp.where(ending, obs.limit - 2 * obs.unit, -jnp.inf))
        return Order(price, reserve), memory

    def _aim(self, memory: PerryMemory, obs: TraderView, quoted: Array) -> Float[Array, ""]:
        """The price aimed at."""
        prices = memory.prices
        deviation = jnp.where(prices.count > 1, jnp.sqrt(prices.squares / jnp.maximum(prices.count, 1)), 30 * obs.unit)
        less = memory.factor * (1 - obs.time / obs.steps) - jnp.where(quoted, 0.2, 0.0)
        return prices.mean - jnp.minimum(less, 3.0) * deviation

    def _opening(self, u: Array, bid: Array, ask: Array, obs: TraderView) -> Float[Array, ""]:
        both = (bid > -jnp.inf) & (ask < jnp.inf)
        first = obs.low + u * (jnp.minimum(worst_limit(obs), obs.high) - obs.low)
        further = jnp.where(both, bid, 0.0) + jnp.where(both, ask - bid, 0.0) / (2 * (1.2 + u))
        return jnp.where(both, jnp.where(further < obs.limit, further, -jnp.inf), first)

    def _remember(self, memory: PerryMemory, obs: TraderView) -> PerryMemory:
        """The last tick's trade joins its own period; then the period may turn."""
        sale, price, turned = obs.tape.sale, obs.tape.price, obs.period != memory.period
        own = sale & ~turned & waiting.own_trade(memory, obs)
        gain = memory.gain + jnp.where(own, memory.limit - price, 0.0)
        now = heard(memory.now, sale, price)
        tuned = self._tuned(memory._replace(now=now, gain=gain), obs)
        return PerryMemory(
            jnp.where(turned & (now.count > 0), tuned, memory.factor),
            heard(memory.prices, sale, price),
            RunningMoments(*(jnp.where(turned, 0.0, x) for x in now)),
            jnp.where(turned, 0.0, gain),
            obs.limit,
            obs.period,
            *waiting.last_trades(memory, obs),
            obs.traded,
        )

    def _tuned(self, memory: PerryMemory, obs: TraderView) -> Float[Array, ""]:
        """a for the next period, from what the last one brought."""
        worth = jnp.where(jnp.isfinite(obs.tokens), obs.tokens - memory.now.mean, -jnp.inf)
        share = memory.gain / (jnp.maximum(worth, 0.0).sum() + obs.unit)
        missed = jnp.where(share <= 0, 1 / 3, jnp.minimum(share, 1.0))
        greedy = jnp.where(share <= 0.9, 2 - share, 1.0)
        return memory.factor * jnp.where(memory.traded < (worth >= 0).sum(), missed, greedy)
