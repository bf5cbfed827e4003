"""A coarse way to see and speak in the auction, for rules with tables: few situations, and a menu of quotes."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import (
    BuildError,
    Discrete,
    InputError,
    Interface,
    Parametrized,
    check_number,
    count,
    number,
    numbers,
)

from .observation import Order, TraderView

MARGINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Shares of the price range by which a quote may lie below the limit (above, for a seller)."""


class DiscretizedFeatures(Parametrized):
    """What a trader sees as one integer below `states`, the row of a table.

    row = (time * (units + 1) + left) * (prices + 1) + price, with

    - time in 0, ..., steps - 1: which of `steps` equal parts of the period the tick lies in;
    - left in 0, ..., units: own units left, `units` standing for that many or more;
    - price in 0, ..., prices: 0 if no unit changed hands in the last tick, else which of `prices` bins holds the profit
      m = limit - price that the last price would have given (price - cost for a seller), in shares of the price
      range: bin 1 for m < 0 and bins 2, ..., prices for equal parts of [0, reach), the last one for all above.

    Args:
        steps, units: bins of time and of units, at least 1.
        prices: bins of the last price, at least 2; 0 for none: then `price` is left out, and nothing is read off the
            tape.
        reach: in (0, 1], the share of the price range that the bins of profit cover.

    Raises:
        InputError: a count or a reach out of range.
        BuildError: `prices` above 0 where the disclosure hides prices.
    """

    reach: Float[Array, ""] = number(0.4, "(0, 1]", dtype=jnp.float32)
    steps: int = count(4)
    units: int = count(4)
    prices: int = count(5, 0)

    def __check_init__(self) -> None:
        if self.prices == 1:
            raise InputError(
                "DiscretizedFeatures: prices must be 0 (not looked at) or at least 2 (a loss and a gain), got 1"
            )

    @property
    def states(self) -> int:
        """How many rows there are."""
        return self.steps * (self.units + 1) * (self.prices + 1)

    def __call__(self, obs: TraderView) -> Int[Array, ""]:
        """The row."""
        time = jnp.minimum(obs.step * self.steps // obs.steps, self.steps - 1)
        row = time * (self.units + 1) + jnp.clip(obs.left, 0, self.units)
        if self.prices:
            row = row * (self.prices + 1) + self._price(obs)
        return row.astype(jnp.int32)

    def _price(self, obs: TraderView) -> Int[Array, ""]:
        """Bin of the last price, 0 without one."""
        if obs.tape.price is None or obs.tape.sale is None:
            raise BuildError(
                "DiscretizedFeatures looks at the last price, which this market's disclosure hides; "
                "take ReducedDisclosure() or more, or DiscretizedFeatures(prices=0)"
            )
        profit = (obs.limit - obs.tape.price) / (obs.high - obs.low)
        edges = self.reach * jnp.arange(self.prices - 1) / (self.prices - 1)
        return jnp.where(obs.tape.sale, 1 + (profit >= edges).sum(dtype=jnp.int32), 0)


class QuoteMenu(Parametrized):
    """The quote with a number: entry k < K asks for the margin `margins[k]` (a share of the price range), entry K is
    no quote.

    A buyer bids limit - margin x (high - low), but not below the lowest price; a seller asks cost + margin x (high -
    low), but not above the highest. A quote that would lose money is none. Acceptance is rational (reserve = limit).

    Raises:
        InputError: no margins, or one outside [0, 1].
    """

    margins: Float[Array, " K"] = numbers(MARGINS, dtype=jnp.float32)

    def __check_init__(self) -> None:
        if self.margins.ndim != 1 or self.margins.size == 0:
            raise InputError(f"QuoteMenu: margins must be a list of numbers in [0, 1], got shape {self.margins.shape}")
        for i in range(self.margins.size):
            check_number("QuoteMenu", f"margins[{i}]", self.margins[i], "[0, 1]")

    @property
    def actions(self) -> int:
        """Entries of the menu, "no quote" included."""
        return self.margins.size + 1

    def __call__(self, obs: TraderView, action: Int[Array, ""]) -> Order:
        """The order."""
        chosen = action == jnp.arange(self.margins.size)
        margin = jnp.where(chosen, self.margins, 0.0).sum()
        price = jnp.minimum(jnp.maximum(obs.limit - margin * (obs.high - obs.low), obs.low), obs.limit)
        return Order(jnp.where(chosen.any(), price, -jnp.inf), obs.limit)


def discretized_interface(features: DiscretizedFeatures | None = None, margins: Any = MARGINS) -> Interface:
    """A way of seeing and speaking for rules with tables: rows of `features`, a menu of `margins` and "no quote".

    A rule that fits has `features.states` rows (DiscretizedFeatures(): 120) and len(margins) + 1 actions (8):

        Group("buyer", [0], QLearning(120, 8, gamma=0.99), discretized_interface())

    Args:
        features: how the situation is read; DiscretizedFeatures() unless given.
        margins: shares of the price range, each in [0, 1].

    Raises:
        InputError: a margin out of range.
        BuildError: when the market is built, if its disclosure hides what the features look at.
    """
    menu = QuoteMenu(margins)
    return Interface(DiscretizedFeatures() if features is None else features, menu, Discrete(menu.actions))
