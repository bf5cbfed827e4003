"""Price rules: where a unit trades when both sides are ready to."""

import abc
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from catallax.core import Parametrized, number


class BestQuotes(NamedTuple):
    """The quotes that a price may depend on, in true prices."""

    bid: Float[Array, ""]
    """Current bid, the best one."""
    ask: Float[Array, ""]
    """Current ask."""
    second_bid: Float[Array, ""]
    """Highest bid of this tick that is not the holder's; -inf where there is none."""
    second_ask: Float[Array, ""]
    """Lowest ask of this tick that is not the holder's; +inf where there is none."""


class AbstractPriceRule(Parametrized):
    """The price when both holders accept. If only one does, the other side's quote is the price under every rule."""

    needs_crossing: ClassVar[bool] = False
    """True for rules that make sense only where the bid is at least the ask."""

    @abc.abstractmethod
    def both(self, best: BestQuotes, coin: Bool[Array, ""]) -> Float[Array, ""]:
        """The price from the best quotes and a fair coin."""


class WeightedMidpoint(AbstractPriceRule):
    """k * bid + (1 - k) * ask, with k in [0, 1]. k = 1/2 is Rawat's rule and that of Chen and Tai (2010).

    Raises:
        InputError: k outside [0, 1].
    """

    k: Float[Array, ""] = number(0.5, "[0, 1]", dtype=jnp.float32)

    def both(self, best: BestQuotes, coin: Bool[Array, ""]) -> Float[Array, ""]:
        return self.k * best.bid + (1 - self.k) * best.ask


class CoinToss(AbstractPriceRule):
    """Bid or ask with equal chances. The Santa Fe rule.

    Source: Rust, Miller and Palmer (1992), footnote 11.
    """

    def both(self, best: BestQuotes, coin: Bool[Array, ""]) -> Float[Array, ""]:
        """Heads the bid, tails the ask."""
        return jnp.where(coin, best.bid, best.ask)


class SecondPrice(AbstractPriceRule):
    """The second-price double auction: with the two best quotes b1 >= b2 and a1 <= a2 of a tick and b1 >= a1,

        price = k min(b1, a2) + (1 - k) max(a1, b2).

    For a market with `acceptance="quotes"`. Where the second-best do not cross (b2 <= a2), [max(a1, b2), min(b1, a2)]
    are the prices at which just this unit clears; where they do, a tick still trades one unit only, the two ends change
    places, and the price lies between them. It never leaves [a1, b1]: nobody pays more or gets less than it named, and
    the money that is paid is the money that is got. k = 1/2 is the middle; k = 0 the buyers' second price max(a1, b2);
    k = 1 the sellers'. Between two ticks quotes of others do not carry over: where a market keeps standing quotes, the
    second-best are this tick's all the same.

    Raises:
        InputError: k outside [0, 1].

    Source: Rawat (2023), experiment B10, which names the treatment and gives no formula; the formula is ours.
    """

    needs_crossing = True

    k: Float[Array, ""] = number(0.5, "[0, 1]", dtype=jnp.float32)

    def both(self, best: BestQuotes, coin: Bool[Array, ""]) -> Float[Array, ""]:
        high = jnp.minimum(best.bid, best.second_ask)
        low = jnp.maximum(best.ask, best.second_bid)
        return self.k * high + (1 - self.k) * low
