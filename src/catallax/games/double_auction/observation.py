"""What a trader sees and says. Every trader sees the market as a buyer does: a seller sees it in the mirror p -> -p.

In the mirror a seller with cost c is a buyer with value -c, the best ask is the highest bid, and a higher price is
always the more generous one. So a trading rule is written once, in buyer's form, and reflection invariance is exact:
negating a floating point number loses nothing. True prices are `side * price`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class Tape(NamedTuple):
    """What is public, as the disclosure lets it through; a field that is None never reaches the trader.

    Prices are in the trader's own coordinates: for a seller `bid` is minus the best ask. Absent quotes are -inf for
    bids and +inf for asks.
    """

    bid: Float[Array, ""] = None  # type: ignore[assignment]
    """Standing bid that a new one must beat; -inf where none stands (always so in a memoryless market)."""
    ask: Float[Array, ""] = None  # type: ignore[assignment]
    """Standing ask."""
    last_bid: Float[Array, ""] = None  # type: ignore[assignment]
    """Current bid after the quote stage of the last tick."""
    last_ask: Float[Array, ""] = None  # type: ignore[assignment]
    bidder: Int[Array, ""] = None  # type: ignore[assignment]
    """Who held the last tick's bid: seat on the trader's own side, -1 for nobody."""
    asker: Int[Array, ""] = None  # type: ignore[assignment]
    """Who held the last tick's ask: seat on the other side."""
    buy: Bool[Array, ""] = None  # type: ignore[assignment]
    """Whether the own side's holder asked for a trade at the other side's quote in the last tick."""
    sell: Bool[Array, ""] = None  # type: ignore[assignment]
    sale: Bool[Array, ""] = None  # type: ignore[assignment]
    """Whether a unit changed hands in the last tick."""
    price: Float[Array, ""] = None  # type: ignore[assignment]
    """Its price; 0 where none did."""
    bids: Float[Array, " own"] = None  # type: ignore[assignment]
    """All quotes of the own side in the last tick."""
    asks: Float[Array, " rival"] = None  # type: ignore[assignment]
    """All quotes of the other side in the last tick."""
    shown: Bool[Array, ""] = None  # type: ignore[assignment]
    """Whether the last tick was disclosed; only under a conditional disclosure."""


class TraderView(NamedTuple):
    """All that one trader knows at one tick. Scalars unless said otherwise; prices in own coordinates."""

    side: Float[Array, ""]
    """+1 for a buyer, -1 for a seller."""
    limit: Float[Array, ""]
    """Value of the unit to be traded next (minus its cost for a seller); the last unit's where none is left."""
    left: Int[Array, ""]
    """Units left in this period."""
    traded: Int[Array, ""]
    """Own trades in this period."""
    tokens: Float[Array, " units"]
    """All own limits of the round, descending; -inf for units the trader does not have."""
    low: Float[Array, ""]
    """Lowest price named by the market."""
    high: Float[Array, ""]
    """Highest price named by the market."""
    cap: Float[Array, ""]
    """Highest price a quote may legally have: `high`, or +inf in a market that does not check."""
    tick: Float[Array, ""]
    """Price grid; 0 where prices are continuous."""
    step: Int[Array, ""]
    """Number of this tick within the period, from 0."""
    steps: Int[Array, ""]
    """Ticks in a period."""
    period: Int[Array, ""]
    """Number of this period within the round, from 0."""
    tape: Tape
    own_seats: Int[Array, ""] = None  # type: ignore[assignment]
    """Seats of the trader's own side, its own among them."""
    rival_seats: Int[Array, ""] = None  # type: ignore[assignment]
    """Seats of the other side."""

    @property
    def time(self) -> Int[Array, ""]:
        """t, the number of this tick within the period as papers and programs count them, from 1 to T = `steps`."""
        return self.step + 1

    @property
    def unit(self) -> Float[Array, ""]:
        """The smallest step between two prices: the tick, or 1 where prices are continuous."""
        return jnp.where(self.tick > 0, self.tick, 1.0)

    def actual(self, price: Float[Array, ""]) -> Float[Array, ""]:
        """A price as the market names it, for rules that think in percentages: a seller's has the other sign here."""
        return self.side * price

    def level(self, price: Float[Array, ""]) -> Float[Array, ""]:
        """A price reflected, for rules that think in percentages and are to do the same in the mirror.

        A buyer's price is itself; a seller's price p becomes minimum + maximum - p, its reflection within the bounds.
        """
        floor = jnp.where(self.side > 0, self.low, -self.high)
        return price - self.low + floor


class Order(NamedTuple):
    """What a trader says at one tick, in own coordinates.

    Where orders wait in a book, `Order(-inf, reserve)` leaves the trader's standing one alone and `Order(-inf, -inf)`
    withdraws it.
    """

    price: Float[Array, ""]
    """The quote; -inf says nothing."""
    reserve: Float[Array, ""]
    """The highest ask the trader would accept if it held the bid; `obs.limit` accepts all that is profitable."""


def mirror(tape: Tape) -> Tape:
    """The tape as the other side sees it. Its own inverse."""

    def minus(x: Any) -> Any:
        return None if x is None else -x

    return Tape(
        bid=minus(tape.ask),
        ask=minus(tape.bid),
        last_bid=minus(tape.last_ask),
        last_ask=minus(tape.last_bid),
        bidder=tape.asker,
        asker=tape.bidder,
        buy=tape.sell,
        sell=tape.buy,
        sale=tape.sale,
        price=minus(tape.price),
        bids=minus(tape.asks),
        asks=minus(tape.bids),
        shown=tape.shown,
    )


def to_all(tree: Tape, seats: int) -> Tape:
    """One tape shown to `seats` traders: leaves gain a leading axis."""
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (seats, *x.shape)), tree)
