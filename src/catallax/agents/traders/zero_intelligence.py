"""Zero intelligence: random quotes, with and without a budget constraint.

Source: Gode and Sunder (1993), "Allocative efficiency of markets with zero-intelligence traders".
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader


def _uniform_price(
    key: Shaped[PRNGKeyArray, ""], low: Float[Array, ""], high: Float[Array, ""], tick: Float[Array, ""]
) -> Float[Array, ""]:
    """Uniform on [low, high), or on the multiples of the tick from low to high; -inf where there are none."""
    u = rng.uniform(key)
    grid = jnp.where(tick > 0, tick, 1.0)
    first, last = jnp.ceil(low / grid - 1e-3), jnp.floor(high / grid + 1e-3)
    on_grid = grid * jnp.minimum(first + jnp.floor(u * (last - first + 1)), last)
    price = jnp.where(tick > 0, on_grid, low + (high - low) * u)
    return jnp.where(jnp.where(tick > 0, last < first, high < low), -jnp.inf, price)


class ZIC(AbstractTrader):
    """Zero intelligence with a budget constraint: a bid uniform between the lowest price and the own value.

    A fresh draw at every tick, blind to the market; it accepts whatever is profitable. (A seller, in the mirror: an ask
    uniform between its cost and the highest price.)

    Source: Gode and Sunder (1993), ZI-C.
    """

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        top = jnp.minimum(obs.limit, obs.cap)
        return Order(_uniform_price(key, obs.low, top, obs.tick), obs.limit), memory


class ZIU(AbstractTrader):
    """Zero intelligence without a budget constraint: quotes uniform between the bounds, accepts any offer.

    Source: Gode and Sunder (1993), ZI-U.
    """

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        """Uniform on [low, high], reserve +inf."""
        return Order(_uniform_price(key, obs.low, obs.high, obs.tick), jnp.full_like(obs.limit, jnp.inf)), memory
