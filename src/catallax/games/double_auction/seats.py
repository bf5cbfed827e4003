"""What every auction institution does with its seats: whose unit is next, which quotes are legal, what a trader sees.

One side is always treated as if it were the buyers': prices and limits of sellers are negated (see `observation`).
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from catallax.core import BuildError, Outcome, Product, Real, Role, rng
from catallax.core.checks import exact, known

from .event import AuctionEvent
from .observation import Order, Tape, TraderView, to_all

_PRICE = Real(dtype=jnp.float32)
ORDER = Product(Order(_PRICE, _PRICE))  # type: ignore[arg-type]
"""What a trader of an auction may say at a tick. Auctions keep prices in single precision in every session."""
_NEAR = 1e-3  # a quote within this fraction of a tick of the grid is on the grid


class Side(NamedTuple):
    """One side of the market at a tick, as if it were the buyers' (prices negated for sellers)."""

    limit: Float[Array, " n"]
    """Of each trader's next unit; of its last where none is left."""
    units: Int[Array, " n"]
    active: Bool[Array, " n"]
    """Whether the trader has units left."""


def side_of(limits: Float[Array, "n units"], used: Int[Array, " n"]) -> Side:
    """The side whose traders have `used` so many of their units."""
    units = (limits > -jnp.inf).sum(axis=1, dtype=jnp.int32)
    at = jnp.clip(used, 0, jnp.maximum(units - 1, 0))
    here = at[:, None] == jnp.arange(limits.shape[1])
    return Side(jnp.where(here, limits, 0.0).sum(axis=1), units, used < units)


def one_of(candidates: Bool[Array, " n"], word: UInt32[Array, ""]) -> Bool[Array, " n"]:
    """One of the candidates, each with the same chance, as a one-hot vector; all False where there is none."""
    n = candidates.shape[0]
    before = (candidates[None, :] & jnp.tri(n, k=-1, dtype=bool)).sum(axis=1, dtype=jnp.int32)
    return candidates & (before == rng.to_integer(word, candidates.sum(dtype=jnp.int32)))


def index_of(one_hot: Bool[Array, " n"]) -> Int[Array, ""]:
    """The place of the one, -1 where there is none."""
    return (one_hot * (jnp.arange(one_hot.shape[0], dtype=jnp.int32) + 1)).sum(dtype=jnp.int32) - 1


def on_grid(price: Float[Array, " n"], tick: float) -> Float[Array, " n"]:
    """Prices in own coordinates rounded down to the grid: bids down, and asks, in the mirror, up."""
    return jnp.floor(price / tick + _NEAR) * tick if tick > 0 else price


def legal(price: Float[Array, " n"], low: Float[Array, ""], high: Float[Array, ""], bounded: bool) -> Bool[Array, " n"]:
    """Whether a price is a quote: finite and, where the market checks, within the bounds."""
    finite = (price > -jnp.inf) & (price < jnp.inf)
    return finite & (price >= low) & (price <= high) if bounded else finite


def views(
    side: float,
    limits: Float[Array, "n units"],
    used: Int[Array, " n"],
    traded: Int[Array, " n"],
    bounds: tuple[Array, Array],
    tape: Tape,
    clock: Int[Array, ""],
    *,
    bounded: bool,
    tick: float,
    steps: int,
    periods: int,
    rivals: int,
) -> TraderView:
    """What the traders of a side see, leaves `[n, ...]`.

    Args:
        side: +1 for buyers, -1 for sellers; everything else is in the side's own coordinates.
        limits: all limits of the round.
        used: units that are spoken for: the next one is the unit to quote.
        traded: units traded in this period; `used` itself where a quote is a unit's only until it trades.
        bounds: lowest and highest price named by the market.
        tape: what is public.
        clock: ticks since the round began.
        bounded, tick, steps, periods: as in the market.
        rivals: seats of the other side.
    """
    n, mine, (low, high) = limits.shape[0], side_of(limits, used), bounds

    def all_(x: Any, dtype: Any) -> Array:
        return jnp.broadcast_to(jnp.asarray(x, dtype), (n,))

    return TraderView(
        side=all_(side, jnp.float32),
        limit=mine.limit,
        left=jnp.maximum(mine.units - used, 0),
        traded=traded,
        tokens=limits,
        low=all_(low, jnp.float32),
        high=all_(high, jnp.float32),
        cap=all_(high if bounded else jnp.inf, jnp.float32),
        tick=all_(tick, jnp.float32),
        step=all_(clock % steps if periods > 1 else clock, jnp.int32),
        steps=all_(steps, jnp.int32),
        period=all_(clock // steps if periods > 1 else 0, jnp.int32),
        tape=to_all(tape, n),
        own_seats=all_(n, jnp.int32),
        rival_seats=all_(rivals, jnp.int32),
    )


def roles(buyers: int, sellers: int) -> tuple[Role, ...]:
    """Buyers and sellers, each saying an `Order`."""
    return (Role("buyer", buyers, ORDER), Role("seller", sellers, ORDER))


class Quoted(NamedTuple):
    """What was said at a tick, in true prices: the part of an `AuctionEvent` that precedes the trade."""

    bid: Float[Array, ""]
    bidder: Bool[Array, " buyers"]
    """One-hot, or nobody."""
    ask: Float[Array, ""]
    asker: Bool[Array, " sellers"]
    buy: Bool[Array, ""]
    sell: Bool[Array, ""]
    bids: Float[Array, " buyers"]
    asks: Float[Array, " sellers"]


def outcome_of(
    buyers: Side,
    sellers: Side,
    said: Quoted,
    bought: Bool[Array, " buyers"],
    sold: Bool[Array, " sellers"],
    price: Float[Array, ""],
    going: Bool[Array, ""],
) -> Outcome:
    """Profits, discounts and the `AuctionEvent` of a tick.

    Args:
        buyers, sellers: both sides before the tick, each in its own coordinates.
        said: quotes and requests; there is a trade where someone requests one.
        bought, sold: who trades: one-hot each, or nobody on either side.
        price: true price of the trade; whatever it is without one, 0 is reported.
        going: whether the round goes on after the tick.
    """
    traded = said.buy | said.sell
    price = jnp.where(traded, price, 0.0)
    event = AuctionEvent(
        traded=traded,
        price=price,
        buyer=index_of(bought),
        seller=index_of(sold),
        value=jnp.where(bought, buyers.limit, 0.0).sum(),
        cost=-jnp.where(sold, sellers.limit, 0.0).sum(),
        bid=said.bid,
        ask=said.ask,
        bidder=index_of(said.bidder),
        asker=index_of(said.asker),
        buy=said.buy,
        sell=said.sell,
        bids=said.bids,
        asks=said.asks,
    )
    reward = {
        "buyer": jnp.where(bought, buyers.limit - price, 0.0),
        "seller": jnp.where(sold, sellers.limit + price, 0.0),
    }
    discount = {name: jnp.broadcast_to(jnp.where(going, 1.0, 0.0), x.shape) for name, x in reward.items()}
    return Outcome(reward, discount, event)


def check_prices(who: str, low: Any, high: Any, tick: float) -> None:
    """Raises `BuildError` unless low < high are finite, and multiples of the tick where there is a grid.

    Off the grid a market would round a bid at its lowest price below it, and drop it. Bounds inside a compiled program
    cannot be looked at.
    """
    if isinstance(tick, bool) or not isinstance(tick, int | float) or not 0 <= tick < float("inf"):
        raise BuildError(f"{who}: tick must be 0 or positive, got {tick!r}")
    bottom, top = known(low), known(high)
    for name, price in (("low", bottom), ("high", top)):
        if price is not None and not (np.ndim(price) == 0 and np.isfinite(price)):
            raise BuildError(f"{who}: {name} must be one finite price, got {price}")
        if price is not None and tick > 0 and abs(price / tick - np.round(price / tick)) > _NEAR:
            raise BuildError(
                f"{who}: {name} must be a multiple of the tick {exact(tick)}, got {exact(price)}: round the bound, or "
                "set tick=0 for continuous prices"
            )
    if bottom is not None and top is not None and not bottom < top:
        raise BuildError(f"{who}: low must be below high, got {exact(bottom)} and {exact(top)}")
