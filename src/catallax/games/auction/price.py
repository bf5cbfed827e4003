"""Price rules: where between bid and ask a unit trades when both sides accept."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class AbstractPriceRule(eqx.Module):
    """The price when both holders accept. If only one does, the other side's quote is the price under every rule."""

    @abc.abstractmethod
    def both(self, bid: Float[Array, ""], ask: Float[Array, ""], coin: Bool[Array, ""]) -> Float[Array, ""]:
        """The price from the current bid, the current ask and a fair coin."""


class WeightedMidpoint(AbstractPriceRule):
    """k * bid + (1 - k) * ask, with k in [0, 1]. k = 1/2 is Rawat's rule and that of Chen and Tai (2010)."""

    k: Float[Array, ""] = eqx.field(converter=jnp.asarray, default=0.5)

    def both(self, bid: Float[Array, ""], ask: Float[Array, ""], coin: Bool[Array, ""]) -> Float[Array, ""]:
        """The weighted midpoint."""
        return self.k * bid + (1 - self.k) * ask


class CoinToss(AbstractPriceRule):
    """Bid or ask with equal chances. The Santa Fe rule.

    Source: Rust, Miller and Palmer (1992), footnote 11.
    """

    def both(self, bid: Float[Array, ""], ask: Float[Array, ""], coin: Bool[Array, ""]) -> Float[Array, ""]:
        """Heads the bid, tails the ask."""
        return jnp.where(coin, bid, ask)
