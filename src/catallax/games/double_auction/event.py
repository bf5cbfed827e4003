"""The account of one tick of the market, in true prices: what measures read and what a disclosure chooses from."""

from typing import NamedTuple

from jaxtyping import Array, Bool, Float, Int


class AuctionEvent(NamedTuple):
    """What happened in a tick. Under `Play` leaves gain the axes [E, T] in front."""

    traded: Bool[Array, ""]
    price: Float[Array, ""]
    """Price of the trade; 0 where there was none."""
    buyer: Int[Array, ""]
    """Who bought, -1 if nobody."""
    seller: Int[Array, ""]
    value: Float[Array, ""]
    """Value of the unit bought; 0 if none."""
    cost: Float[Array, ""]
    """Cost of the unit sold; 0 if none."""
    bid: Float[Array, ""]
    """Current bid after the quote stage, -inf where there is none."""
    ask: Float[Array, ""]
    """Current ask, +inf where there is none."""
    bidder: Int[Array, ""]
    """Holder of the current bid, -1 if nobody."""
    asker: Int[Array, ""]
    buy: Bool[Array, ""]
    """Whether a buyer requested to buy at the current ask."""
    sell: Bool[Array, ""]
    bids: Float[Array, " buyers"]
    """Legal quotes of this tick, -inf where none."""
    asks: Float[Array, " sellers"]
    """Legal quotes of this tick, +inf where none."""
    fees: Float[Array, ""] = 0.0  # type: ignore[assignment]
    """What the market takes for the quotes of this tick."""
