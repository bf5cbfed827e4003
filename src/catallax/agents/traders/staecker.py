"""The tournament's Staecker: forecasts the next high bid and low ask, and trades on the forecast."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import flag, number
from catallax.games.double_auction.observation import Order, TraderView

from .standing import STANDING, standing_quotes, up_to, worst_limit
from .trader import AbstractTrader


class StaeckerMemory(NamedTuple):
    """Forecasts of the running period, own coordinates."""

    period: Int[Array, ""]
    bid: Float[Array, ""]
    """Forecast of the high bid; -inf before the first."""
    ask: Float[Array, ""]
    """Forecast of the low ask; +inf before the first."""


class Staecker(AbstractTrader):
    """Forecasts the high bid B and the low ask A by exponential smoothing of the current ones, x <- x + weight (current
    - x), anew in every period. At tick t of T it quotes

    1. from t = 0.85 T on: min(ask, limit - 1) if the ask is below the limit, else nothing;
    2. else, without a forecast of the ask: limit - 0.3 (first limit - last limit), limits of all its units, but above
       the bid and below the ask;
    3. else nothing if A is not below its limit, or, up to t = T / 2, if A - B exceeds both 5 and a tenth of their
       midpoint: the market is to settle first;
    4. else min(limit - 1, A, ask - 1).

    What does not beat the bid is not said. It accepts profitable asks up to A; without a forecast, and from t = 0.85 T
    on, whatever is profitable. Where both sides follow it, A may fall below B and no ask come down to A: few units are
    traded then before the end.

    (1 and 5 stand for ticks of the price grid. In a market where quotes do not stand, the best of the last tick count
    as standing if they did not trade.)

    Args:
        weight: of the current quote in the forecast, in (0, 1].
        reflected: percentages are of prices reflected within the bounds for a seller (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the prices themselves.

    Raises:
        InputError: a weight outside (0, 1].

    Source: no primary source was found for this entrant, third in the 1990 tournament, beyond that it predicts the next
        high bid and low ask. Rule and numbers are those of the port of Rawat (2025).
    Differs: one update of the forecasts a tick, where the port has up to three. In step 2 the port bids 0.7 of the
        limit and asks 1.3 of it, only so that there is something to forecast; a share of the price has no reflection
        within bounds that are far apart (of a cost of 540 between 1 and 2000, 30% of the reflected price are 438), so
        the spread of the own limits is taken for their size, as Skeleton does.
    """

    needs = STANDING

    weight: Float[Array, ""] = number(0.3, "(0, 1]", dtype=jnp.float32)
    reflected: bool = flag(False)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> StaeckerMemory:
        inf = jnp.float32(jnp.inf)
        return StaeckerMemory(jnp.int32(0), -inf, inf)

    def quote(
        self, key: Shaped[PRNGKeyArray, ""], memory: StaeckerMemory, obs: TraderView
    ) -> tuple[Order, StaeckerMemory]:
        turned = obs.period != memory.period
        memory = StaeckerMemory(
            obs.period,
            jnp.where(turned, -jnp.inf, self._forecast(memory.bid, obs.tape.last_bid)),
            jnp.where(turned, jnp.inf, self._forecast(memory.ask, obs.tape.last_ask)),
        )
        bid, ask = standing_quotes(obs)
        late, blind = obs.time >= 0.85 * obs.steps, ~jnp.isfinite(memory.ask)
        most = jnp.minimum(ask, obs.limit - obs.unit)
        ending = jnp.where(ask < obs.limit, most, -jnp.inf)
        below = jnp.minimum(obs.limit, ask) - obs.unit
        opening = obs.limit - 0.3 * (obs.tokens[0] - worst_limit(obs))
        first = jnp.minimum(jnp.maximum(opening, bid + obs.unit), below)
        waits = (memory.ask >= obs.limit) | self._unsettled(memory, obs)
        settled = jnp.where(waits, -jnp.inf, jnp.minimum(memory.ask, below))
        price = jnp.where(late, ending, jnp.where(blind, first, settled))
        spoken = jnp.isfinite(obs.limit) & (price > bid)
        reserve = jnp.where(late | blind, obs.limit, up_to(memory.ask, obs))
        return Order(jnp.where(spoken, price, -jnp.inf), reserve), memory

    def _forecast(self, past: Float[Array, ""], now: Float[Array, ""]) -> Float[Array, ""]:
        """Smoothed; the first quote as it is; unchanged where there is none."""
        smoothed = jnp.where(jnp.isfinite(past), past + self.weight * (now - past), now)
        return jnp.where(jnp.isfinite(now), smoothed, past)

    def _unsettled(self, memory: StaeckerMemory, obs: TraderView) -> Array:
        spread = memory.ask - memory.bid
        size = obs.level if self.reflected else obs.actual
        wide = jnp.maximum(5 * obs.unit, 0.1 * size(0.5 * (memory.bid + memory.ask)))
        return jnp.isfinite(memory.bid) & (2 * obs.time <= obs.steps) & (spread > wide)
