"""The tournament's Gamer: a fixed profit margin."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import flag, number
from catallax.games.double_auction.observation import Order, TraderView

from .standing import STANDING, standing_quotes
from .trader import AbstractTrader


class Gamer(AbstractTrader):
    """Bids its value less `margin` of it where that beats the standing bid, and accepts whatever is profitable.

    `Markup`, but it quotes the nearest legal price where its own lies outside the price bounds (so a buyer whose value
    is below the lowest price bids at a loss), and is silent where its bid would be no better than the standing one.

    Args:
        margin: share of the limit, in [0, 1).
        reflected: a seller's margin is a share of its cost reflected within the bounds (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the cost itself.

    Raises:
        InputError: a margin outside [0, 1).

    Source: no primary source was found for this entrant of the 1990 tournament, 24th there. The rule and the margin of
        a tenth are those of the port of Rawat (2025).
    """

    needs = STANDING

    margin: Float[Array, ""] = number(0.1, "[0, 1)", dtype=jnp.float32)
    reflected: bool = flag(False)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        """limit - margin * |limit|, within the bounds."""
        bid, _ = standing_quotes(obs)
        size = obs.level if self.reflected else obs.actual
        price = jnp.clip(obs.limit - self.margin * size(obs.limit), obs.low, obs.cap)
        spoken = jnp.isfinite(obs.limit) & (price > bid)
        return Order(jnp.where(spoken, price, -jnp.inf), obs.limit), memory
