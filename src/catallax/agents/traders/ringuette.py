"""Ringuette's program, second in the 1990 tournament: wait until bid and ask are close, then outbid the ask."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from . import waiting
from .standing import STANDING, standing_quotes, worst_limit
from .trader import AbstractTrader


class RinguetteMemory(NamedTuple):
    """The clock of its wait; ticks counted within the period."""

    period: Int[Array, ""]
    last_trade: Int[Array, ""]
    own_last_trade: Int[Array, ""]
    traded: Int[Array, ""]


class Ringuette(AbstractTrader):
    """Waits in the background, and asks for a profit of a fifth of the spread of its own limits.

    SPAN = first limit - last limit + 10. With standing bid and ask, U uniform on [0, 1), at tick t of T:

    1. a bid below T / 4 (prices and ticks compared, as the source draws it): bid + 1, whatever its limit;
    2. else, bid > ask - SPAN / 5 and limit > ask + SPAN / 5: ask + 1 + 0.05 U SPAN;
    3. else, time running out (`waiting.running_out`): Skeleton's bid with other weights, min(ask, last limit) - 0.3
       SPAN where no bid stands, or w (bid + 1) + (1 - w) MOST where MOST = min(ask, limit - 1) beats the bid,
       w = 0.3 + 0.4 t / T + 0.1 U;
    4. else it is silent.

    It accepts whatever is profitable; step 1 may trade at a loss. (1 and 10 stand for ticks of the price grid. In a
    market where quotes do not stand, the best of the last tick count as standing if they did not trade.)

    Source: Rust, Miller and Palmer (1994), Fig. 3; when time is running out and how w grows, from the port of Rawat
        (2025).
    Differs: in step 1 the bid is counted from the lowest legal price, which is 1 in the tournament: the market may
        count its prices from anywhere. The port's own thresholds for time running out are not copied, but Kaplan's.
    """

    needs = STANDING

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> RinguetteMemory:
        zero = jnp.int32(0)
        return RinguetteMemory(zero, zero, zero, zero)

    def quote(
        self, key: Shaped[PRNGKeyArray, ""], memory: RinguetteMemory, obs: TraderView
    ) -> tuple[Order, RinguetteMemory]:
        """As above; prices are left to the market to round."""
        memory = RinguetteMemory(obs.period, *waiting.last_trades(memory, obs), obs.traded)
        bid, ask = standing_quotes(obs)
        u, unit, has_units = rng.uniform(key), obs.unit, jnp.isfinite(obs.limit)
        span = jnp.where(has_units, obs.tokens[0] - worst_limit(obs), 0.0) + 10 * unit
        tiny = (bid > -jnp.inf) & (4 * (bid - obs.low) < obs.steps * unit)
        close = (bid > ask - span / 5) & (obs.limit > ask + span / 5)
        late = jnp.where(waiting.running_out(memory, obs), self._late(bid, ask, span, u, obs), -jnp.inf)
        price = jnp.where(tiny, bid + unit, jnp.where(close, ask + unit + 0.05 * u * span, late))
        return Order(jnp.where(has_units, price, -jnp.inf), obs.limit), memory

    def _late(self, bid: Array, ask: Array, span: Array, u: Array, obs: TraderView) -> Float[Array, ""]:
        """Skeleton's bid, modified."""
        opening = jnp.minimum(ask, worst_limit(obs)) - 0.3 * span
        weight = 0.3 + 0.4 * obs.time / obs.steps + 0.1 * u
        most = jnp.minimum(ask, obs.limit - obs.unit)
        between = weight * (bid + obs.unit) + (1 - weight) * most
        return jnp.where(bid > -jnp.inf, jnp.where(most > bid, between, -jnp.inf), opening)
