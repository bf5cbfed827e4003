"""The synchronized double auction: one game, from the memoryless market to the Santa Fe rules by switches.

Every tick has two stages. In the quote stage every trader with units left may name a price; the best become the current
bid and ask. In the trade stage the holders of the two may accept the other side's quote.
"""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, BuildError, Outcome, Role, count, flag, known, number, numbers, rng

from .disclosure import AbstractDisclosure, FullDisclosure
from .event import AuctionEvent
from .observation import Order, Tape, TraderView, mirror
from .price import AbstractPriceRule, BestQuotes, WeightedMidpoint
from .seats import ORDER, check_prices, on_grid, views
from .seats import Side as _Side
from .seats import index_of as _index
from .seats import one_of as _one_of
from .seats import side_of as _side
from .tokens import AbstractTokens


class Book(NamedTuple):
    """Standing quotes, in true prices; -inf and +inf with holder -1 where none stands."""

    bid: Float[Array, ""]
    bidder: Int[Array, ""]
    ask: Float[Array, ""]
    asker: Int[Array, ""]


class AuctionWorld(NamedTuple):
    """The market between two ticks."""

    values: Float[Array, "buyers units"]
    """Buyers' limits, descending; -inf for units a buyer does not have."""
    costs: Float[Array, "sellers units"]
    """Sellers' limits, ascending; +inf for units a seller does not have."""
    bought: Int[Array, " buyers"]
    """Units bought in this period."""
    sold: Int[Array, " sellers"]
    book: Book  # type: ignore[assignment]
    """None in a memoryless market."""
    tape: Tape
    """What is public of the last tick."""
    clock: Int[Array, ""]
    """Ticks since the round began."""


class _Quotes(NamedTuple):
    """The outcome of the quote stage for one side, in its own coordinates."""

    best: Float[Array, ""]
    holder: Bool[Array, " n"]
    quotes: Float[Array, " n"]
    second: Float[Array, ""]
    """Best legal quote of this tick that is not the holder's; -inf where there is none."""
    named: Bool[Array, " n"]
    """Who of those with units left named a price, legal or not."""


class DoubleAuction(AbstractGame):
    """A synchronized double auction with induced values.

    A round draws limits from `tokens`; each of its `periods` gives all units back and lasts `steps` ticks.

    Args:
        tokens: draws the limits at the start of a round.
        buyers, sellers: seats of the roles "buyer" and "seller".
        steps, periods: ticks in a period, periods in a round. `Play` should have `length = steps * periods`.
        low, high: the price bounds told to traders.
        bounded: whether quotes outside the bounds are illegal (dropped). The memoryless market does not check them.
        tick: price grid; bids are rounded down to it and asks up; 0 for continuous prices.
        persistence: quotes stand until a trade (AURORA); otherwise each tick starts without quotes.
        improvement: a new quote must be strictly better than the standing one. No effect without persistence.
        price_rule: the price when both holders accept; when one does, it is the other side's quote.
        acceptance: "profit": a holder accepts what its order's reserve allows, even if bid and ask do not cross;
            "crossing": besides, the current bid must be at least the current ask; "quotes": a unit trades if and only
            if the current bid is at least the current ask, whatever the reserves say (there is no second stage).
        weak: whether a holder accepts a quote equal to its reserve (Rawat) or only a strictly better one (AURORA).
        open_requests: where one side has no quote at all, any of its traders may accept the other side's (AURORA);
            among several one is drawn.
        disclosure: what is public of the last tick.
        fee: what a trader with units left pays for each price it names, legal or not; taken from its reward, not from
            the surplus. A trader that says nothing pays nothing.
        lowest_bid, highest_ask: reserve prices: bids below the one and asks above the other are illegal. Traders are
            not told.

    Ties, for the current quotes and among requests, are broken with equal chances. Rewards are profits in price units.

    Raises:
        BuildError: counts, bounds in the wrong order, a tick that does not divide the bounds of a bounded market, a
            reserve price that is no price or lies outside the bounds of a bounded market, a price rule that needs
            crossing quotes where others trade too.
        InputError: a fee that is negative.

    Source: Rust, Miller and Palmer (1992, 1994); Rawat (2023) and its code. Fees and reserve prices: Rawat (2023),
        experiments B12 and B13, named there only; the rules are ours.
    Differs: no early stop after idle ticks. Rawat's code breaks ties by seat number.
    """

    tokens: AbstractTokens
    price_rule: AbstractPriceRule = WeightedMidpoint()
    disclosure: AbstractDisclosure = FullDisclosure()
    low: Float[Array, ""] = numbers(0.0, dtype=jnp.float32)
    high: Float[Array, ""] = numbers(100.0, dtype=jnp.float32)
    fee: Float[Array, ""] = number(0.0, "[0, inf)", dtype=jnp.float32)
    lowest_bid: Float[Array, ""] = numbers(-jnp.inf, dtype=jnp.float32)
    highest_ask: Float[Array, ""] = numbers(jnp.inf, dtype=jnp.float32)
    buyers: int = count(4)
    sellers: int = count(4)
    steps: int = count(16)
    periods: int = count(1)
    tick: float = eqx.field(static=True, default=0.0)
    bounded: bool = flag(True)
    persistence: bool = flag(False)
    improvement: bool = flag(False)
    weak: bool = flag(True)
    open_requests: bool = flag(False)
    acceptance: Literal["profit", "crossing", "quotes"] = eqx.field(static=True, default="profit")

    def __check_init__(self) -> None:
        if self.acceptance not in ("profit", "crossing", "quotes"):
            raise BuildError(
                f"DoubleAuction: acceptance must be 'profit', 'crossing' or 'quotes', got {self.acceptance!r}"
            )
        if self.price_rule.needs_crossing and self.acceptance != "quotes":
            name = type(self.price_rule).__name__
            raise BuildError(f"DoubleAuction: {name} prices quotes that cross; give acceptance='quotes' with it")
        check_prices("DoubleAuction", self.low, self.high, self.tick)
        self._check_reserves()

    def _check_reserves(self) -> None:
        low, high, bid, ask = map(known, (self.low, self.high, self.lowest_bid, self.highest_ask))
        for name, given in (("lowest_bid", bid), ("highest_ask", ask)):
            if given is not None and (np.ndim(given) != 0 or np.isnan(given)):
                raise BuildError(f"DoubleAuction: {name} must be one price, got {given}; leave it out for none")
        if not self.bounded or low is None or high is None:
            return
        for name, given, idle in (("lowest_bid", bid, -jnp.inf), ("highest_ask", ask, jnp.inf)):
            if given is not None and given != idle and not low <= given <= high:
                raise BuildError(
                    f"DoubleAuction: {name} = {given:g} lies outside the price bounds [{low:g}, {high:g}], so that "
                    "no quote of that side would be legal or the reserve price would mean nothing"
                )

    @property
    def roles(self) -> tuple[Role, ...]:  # type: ignore[override]
        """Buyers and sellers."""
        return (Role("buyer", self.buyers, ORDER), Role("seller", self.sellers, ORDER))

    @property
    def length(self) -> int:
        """Ticks in a round."""
        return self.steps * self.periods

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> AuctionWorld:
        """A new round: limits drawn, nothing traded, nothing quoted."""
        values, costs = self.tokens.draw(key, self.buyers, self.sellers)
        return AuctionWorld(
            values,
            costs,
            jnp.zeros(self.buyers, jnp.int32),
            jnp.zeros(self.sellers, jnp.int32),
            self._empty_book() if self.persistence else None,  # type: ignore[arg-type]
            self.disclosure.blank(self.buyers, self.sellers),
            jnp.int32(0),
        )

    def observe(self, world: AuctionWorld) -> dict[str, TraderView]:
        """What buyers and sellers see; sellers in the mirror."""
        tape = world.tape
        if self.disclosure.book and self.persistence:
            tape = tape._replace(bid=world.book.bid, ask=world.book.ask)
        elif self.disclosure.book:
            tape = tape._replace(bid=jnp.float32(-jnp.inf), ask=jnp.float32(jnp.inf))
        return {
            "buyer": self._view(1.0, world.values, world.bought, self.low, self.high, tape, world.clock),
            "seller": self._view(-1.0, -world.costs, world.sold, -self.high, -self.low, mirror(tape), world.clock),
        }

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: AuctionWorld, action: dict[str, Order]
    ) -> tuple[AuctionWorld, Outcome]:
        """Quote stage, trade stage, and the account of both."""
        bits = rng.key_bits(key)
        buyers, sellers = _side(world.values, world.bought), _side(-world.costs, world.sold)
        book = world.book if self.persistence else self._empty_book()
        low, high = (self.low, self.high) if self.bounded else (jnp.float32(-jnp.inf), jnp.float32(jnp.inf))
        lows = jnp.maximum(low, self.lowest_bid), jnp.maximum(-high, -self.highest_ask)
        bids = self._quote(buyers, action["buyer"].price, book.bid, book.bidder, lows[0], high, bits.first)
        asks = self._quote(sellers, action["seller"].price, -book.ask, book.asker, lows[1], -low, bits.second)
        bid, ask = bids.best, -asks.best
        wants_buy = self._requests(buyers, bids, action["buyer"].reserve, ask, bits.first)
        wants_sell = self._requests(sellers, asks, action["seller"].reserve, -bid, bits.second)
        buy, sell = wants_buy.any(), wants_sell.any()
        traded = buy | sell
        best = BestQuotes(bid, ask, bids.second, -asks.second)
        price = self.price_rule.both(best, (bits.first & 1) == 1)
        price = jnp.where(buy & sell, price, jnp.where(buy, ask, bid))
        price = jnp.where(traded, price, 0.0)
        bought = jnp.where(bid > -jnp.inf, bids.holder, wants_buy) & traded
        sold = jnp.where(ask < jnp.inf, asks.holder, wants_sell) & traded
        reward = {
            "buyer": jnp.where(bought, buyers.limit - price, 0.0) - self.fee * bids.named,
            "seller": jnp.where(sold, sellers.limit + price, 0.0) - self.fee * asks.named,
        }
        event = AuctionEvent(
            traded=traded,
            price=price,
            buyer=_index(bought),
            seller=_index(sold),
            value=jnp.where(bought, buyers.limit, 0.0).sum(),
            cost=-jnp.where(sold, sellers.limit, 0.0).sum(),
            bid=bid,
            ask=ask,
            bidder=_index(bids.holder),
            asker=_index(asks.holder),
            buy=buy,
            sell=sell,
            bids=bids.quotes,
            asks=-asks.quotes,
            fees=self.fee * (bids.named.sum() + asks.named.sum()),
        )
        return self._close(world, event, bought, sold), self._outcome(world, reward, event)

    def _view(
        self, side: float, limits: Array, used: Array, low: Array, high: Array, tape: Tape, clock: Array
    ) -> TraderView:
        return views(
            side, limits, used, used, (low, high), tape, clock,
            bounded=self.bounded, tick=self.tick, steps=self.steps, periods=self.periods,
            rivals=self.sellers if side > 0 else self.buyers,
        )  # fmt: skip

    def _quote(
        self, side: _Side, price: Array, standing: Array, holder: Array, low: Array, high: Array, word: Array
    ) -> _Quotes:
        """The quote stage of one side, in its own coordinates."""
        price = on_grid(price, self.tick)
        named = side.active & (price > -jnp.inf) & (price < jnp.inf)
        legal = named & (price >= low) & (price <= high)
        if self.persistence and self.improvement:
            legal &= price > standing
        quotes = jnp.where(legal, price, -jnp.inf)
        best = quotes.max()
        leader = _one_of(legal & (quotes == best), word)
        second = jnp.where(leader, -jnp.inf, quotes).max()
        if self.persistence:
            fresh = best > -jnp.inf
            stays = jnp.arange(price.shape[0]) == holder
            best, leader = jnp.where(fresh, best, standing), jnp.where(fresh, leader, stays)
        return _Quotes(best, leader, quotes, second, named)

    def _requests(self, side: _Side, mine: _Quotes, reserve: Array, ask: Array, word: Array) -> Bool[Array, " n"]:
        """Who of a side asks for a trade at the other side's quote (`ask`, own coordinates): one-hot or nobody."""
        if self.acceptance == "quotes":
            return mine.holder & (mine.best >= ask)
        willing = (reserve >= ask) if self.weak else (reserve > ask)
        willing = willing & side.active & (ask < jnp.inf)
        if self.acceptance == "crossing":
            willing = willing & (mine.best >= ask)
        if not self.open_requests:
            return willing & mine.holder
        return jnp.where(mine.best > -jnp.inf, willing & mine.holder, _one_of(willing, word))

    def _close(self, world: AuctionWorld, event: AuctionEvent, bought: Array, sold: Array) -> AuctionWorld:
        """The world after the tick: units used up, book kept or cleared, period turned."""
        clock = world.clock + 1
        book = None
        turn = (clock % self.steps == 0) if self.periods > 1 else jnp.asarray(False)
        if self.persistence:
            kept = Book(event.bid, event.bidder, event.ask, event.asker)
            clear = event.traded | turn
            book = Book(*(jnp.where(clear, e, k) for e, k in zip(self._empty_book(), kept, strict=True)))
        return AuctionWorld(
            world.values,
            world.costs,
            jnp.where(turn, 0, world.bought + bought),
            jnp.where(turn, 0, world.sold + sold),
            book,  # type: ignore[arg-type]
            self.disclosure.tape(event),
            clock,
        )

    def _outcome(self, world: AuctionWorld, reward: dict[str, Array], event: AuctionEvent) -> Outcome:
        going = jnp.where(world.clock + 1 >= self.length, 0.0, 1.0)
        discount = {
            "buyer": jnp.full(self.buyers, 1.0) * going,
            "seller": jnp.full(self.sellers, 1.0) * going,
        }
        return Outcome(reward, discount, event)

    def _empty_book(self) -> Book:
        return Book(jnp.float32(-jnp.inf), jnp.int32(-1), jnp.float32(jnp.inf), jnp.int32(-1))
