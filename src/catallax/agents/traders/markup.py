"""Markup pricing: a fixed margin below the own value."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import flag, number
from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader


class Markup(AbstractTrader):
    """Bids its value less `margin` of it, at every tick, and accepts whatever is profitable.

    Where that lies outside the price bounds the market takes no quote.

    Args:
        margin: share of the limit, in [0, 1); 0.1 in the source.
        reflected: a seller's margin is a share of its cost reflected within the bounds (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the cost itself.

    Raises:
        InputError: a margin outside [0, 1).

    Source: Chen and Tai (2010), "The agent-based double auction markets: 15 years on".
    """

    margin: Float[Array, ""] = number(0.1, "[0, 1)", dtype=jnp.float32)
    reflected: bool = flag(False)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        """min(limit - margin * |limit|, cap)."""
        price = obs.limit - self.margin * (obs.level if self.reflected else obs.actual)(obs.limit)
        return Order(jnp.where(jnp.isfinite(obs.limit), jnp.minimum(price, obs.cap), -jnp.inf), obs.limit), memory
