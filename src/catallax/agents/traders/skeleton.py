"""The skeleton that the organisers of the 1990 tournament handed to its entrants."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader


class Skeleton(AbstractTrader):
    """Opens well below its worst unit, then goes about a third of the way from the bid to the most it would pay.

    With alpha = 0.25 + 0.1 U, U uniform on [0, 1) at every tick: where no bid stands MOST = min(ask, last limit - 1)
    and it bids MOST - alpha (first limit - last limit), limits of all its units; else MOST = min(ask, limit - 1), and
    it bids (1 - alpha)(bid + 1) + alpha MOST where MOST beats the bid. It accepts whatever is profitable. (1 stands
    for one tick of the price grid. Where a bid lies below the price bounds, as an opening may, the market takes none.)

    Source: Rust, Miller and Palmer (1994), Fig. 4.
    """

    needs = ("bid", "ask")

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        """As above; prices are left to the market to round."""
        bid, ask, unit = obs.tape.bid, obs.tape.ask, obs.unit
        alpha = 0.25 + 0.1 * rng.uniform(key)
        first, last = obs.tokens[0], jnp.where(jnp.isfinite(obs.tokens), obs.tokens, jnp.inf).min()
        opening = jnp.minimum(ask, last - unit) - alpha * (first - last)
        most = jnp.minimum(ask, obs.limit - unit)
        next_bid = jnp.where(most > bid, (1 - alpha) * (bid + unit) + alpha * most, -jnp.inf)
        return Order(jnp.where(bid > -jnp.inf, next_bid, opening), obs.limit), memory
