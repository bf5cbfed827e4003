"""The truth-teller: quotes its limit."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, Shaped

from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader


class TruthTeller(AbstractTrader):
    """Bids its value and accepts whatever is profitable. Under AURORA with profit acceptance, alone among its like, a
    market of truth-tellers is exactly efficient.

    A value above the highest legal price is quoted as that price.

    Source: Rust, Miller and Palmer (1992).
    """

    short_name: ClassVar[str] = "truth"

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: Any, obs: TraderView) -> tuple[Order, Any]:
        return Order(jnp.minimum(obs.limit, obs.cap), obs.limit), memory
