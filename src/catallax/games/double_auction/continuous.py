"""The continuous double auction: traders arrive one at a time, and their limit orders wait in a book."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, BuildError, Outcome, Role, count, flag, numbers, rng

from . import order_book, seats
from .disclosure import AbstractDisclosure, FullDisclosure
from .observation import Order, Tape, TraderView, mirror
from .order_book import Best, Book, Orders
from .tokens import AbstractTokens


class ContinuousWorld(NamedTuple):
    """The market between two ticks. Its book is never crossed."""

    values: Float[Array, "buyers units"]
    """Buyers' limits, descending; -inf for units a buyer does not have."""
    costs: Float[Array, "sellers units"]
    """Sellers' limits, ascending; +inf for units a seller does not have."""
    bought: Int[Array, " buyers"]
    """Units bought in this period."""
    sold: Int[Array, " sellers"]
    book: Book
    """Standing limit orders."""
    tape: Tape
    """What is public of the last tick."""
    clock: Int[Array, ""]
    """Ticks since the round began."""


class _Arrival(NamedTuple):
    """What the drawn trader does to its own side of the book, if it sits on this side."""

    orders: Orders
    """With its new order among them, if there is one."""
    quotes: Float[Array, " n"]
    """The new order alone, -inf elsewhere; own coordinates."""
    best: Best


class ContinuousDoubleAuction(AbstractGame):
    """A continuous double auction with induced values and a limit order book.

    At every tick one of the traders with units left is drawn, each with the same chance. All are asked for an order and
    hear what happens; only the drawn one is heard. Its order is good for one unit and works so:

    - a legal price takes the place of the trader's standing order, if any, and queues behind equal ones;
    - if it crosses the best order of the other side, one unit trades at that STANDING order's price;
    - price -inf is silence: a standing order stays; so it does where the price is not legal;
    - price -inf with reserve -inf cancels: the standing order is withdrawn and not replaced.

    An order stands until it trades, is replaced or cancelled, its trader trades otherwise, or the period ends. After a
    trade the next order of the book is the best (there is none with `clear_after_trade`). In the account of a tick the
    current quotes are those with the new order among them, before the trade; "buy" says that a buyer took an ask.

    A round draws limits from `tokens`; each of its `periods` gives all units back and lasts `steps` ticks. Rewards are
    profits in price units.

    Args:
        tokens: draws the limits at the start of a round.
        buyers, sellers: seats of the roles "buyer" and "seller".
        steps, periods: ticks in a period, periods in a round. `Play` should have `length = steps * periods`.
        low, high: the price bounds told to traders.
        bounded: whether prices outside the bounds are illegal.
        tick: price grid; bids are rounded down to it and asks up; 0 for continuous prices.
        improvement: an order must be strictly better than the best of its side, the trader's own included (the New York
            Stock Exchange's rule), or it is illegal.
        clear_after_trade: all orders are cancelled after each trade.
        sold_out_closes: nobody is drawn any more in a period in which one side has no units left: nothing could trade.
            The others would else go on quoting against each other, which teaches learners something about prices.
        takes: "quote": the drawn trader trades where its price crosses; "reserve": also, whatever it quotes, where its
            order's reserve allows the best price of the other side (as `acceptance` in `DoubleAuction` does).
        disclosure: what is public of the last tick, and whether the best standing quotes are.

    Raises:
        BuildError: counts below 1, bounds in the wrong order or off the grid, unknown `takes`.

    Source: Smith (1962) and Gode and Sunder (1993), who clear the book after each trade, for the rules of trade.
    Differs: the arrivals are ours; Gode and Sunder's traders are drawn alike, Smith's called out as they liked.
    """

    tokens: AbstractTokens
    disclosure: AbstractDisclosure = FullDisclosure()
    low: Float[Array, ""] = numbers(0.0, dtype=jnp.float32)
    high: Float[Array, ""] = numbers(100.0, dtype=jnp.float32)
    buyers: int = count(4)
    sellers: int = count(4)
    steps: int = count(100)
    periods: int = count(1)
    tick: float = eqx.field(static=True, default=0.0)
    bounded: bool = flag(True)
    improvement: bool = flag(False)
    clear_after_trade: bool = flag(False)
    sold_out_closes: bool = flag(False)
    takes: Literal["quote", "reserve"] = eqx.field(static=True, default="quote")

    def __check_init__(self) -> None:
        seats.check_prices("ContinuousDoubleAuction", self.low, self.high, self.tick)
        if self.takes not in ("quote", "reserve"):
            raise BuildError(f"ContinuousDoubleAuction: takes must be 'quote' or 'reserve', got {self.takes!r}")

    @property
    def roles(self) -> tuple[Role, ...]:  # type: ignore[override]
        """Buyers and sellers."""
        return seats.roles(self.buyers, self.sellers)

    @property
    def length(self) -> int:
        """Ticks in a round."""
        return self.steps * self.periods

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> ContinuousWorld:
        """A new round: limits drawn, nothing traded, no orders."""
        values, costs = self.tokens.draw(key, self.buyers, self.sellers)
        return ContinuousWorld(
            values,
            costs,
            jnp.zeros(self.buyers, jnp.int32),
            jnp.zeros(self.sellers, jnp.int32),
            Book(order_book.no_orders(self.buyers), order_book.no_orders(self.sellers)),
            self.disclosure.blank(self.buyers, self.sellers),
            jnp.int32(0),
        )

    def observe(self, world: ContinuousWorld) -> dict[str, TraderView]:
        """What buyers and sellers see; sellers in the mirror."""
        tape = world.tape
        if self.disclosure.book:
            tape = tape._replace(bid=world.book.bids.price.max(), ask=-world.book.asks.price.max())
        return {
            "buyer": self._view(1.0, world.values, world.bought, (self.low, self.high), tape, world.clock),
            "seller": self._view(-1.0, -world.costs, world.sold, (-self.high, -self.low), mirror(tape), world.clock),
        }

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: ContinuousWorld, action: dict[str, Order]
    ) -> tuple[ContinuousWorld, Outcome]:
        """One arrival: its order enters the book, and then may trade."""
        buyers, sellers = seats.side_of(world.values, world.bought), seats.side_of(-world.costs, world.sold)
        may_trade = jnp.concatenate([buyers.active, sellers.active])
        if self.sold_out_closes:
            may_trade &= buyers.active.any() & sellers.active.any()
        drawn = seats.one_of(may_trade, rng.key_bits(key).first)
        buyer, seller = drawn[: self.buyers], drawn[self.buyers :]
        bids = self._arrive(world.book.bids, buyer, action["buyer"], (self.low, self.high), world.clock)
        asks = self._arrive(world.book.asks, seller, action["seller"], (-self.high, -self.low), world.clock)
        buy = self._takes(buyer, bids.quotes, action["buyer"].reserve, asks.best)
        sell = self._takes(seller, asks.quotes, action["seller"].reserve, bids.best)
        bought, sold = (buyer & buy) | (bids.best.holder & sell), (seller & sell) | (asks.best.holder & buy)
        said = seats.Quoted(
            bid=bids.best.price,
            bidder=bids.best.holder,
            ask=-asks.best.price,
            asker=asks.best.holder,
            buy=buy,
            sell=sell,
            bids=bids.quotes,
            asks=-asks.quotes,
        )
        price = jnp.where(buy, said.ask, said.bid)
        going = world.clock + 1 < self.length
        outcome = seats.outcome_of(buyers, sellers, said, bought, sold, price, going)
        return self._close(world, Book(bids.orders, asks.orders), outcome, bought, sold), outcome

    def _view(
        self, side: float, limits: Array, used: Array, bounds: tuple[Array, Array], tape: Tape, clock: Array
    ) -> TraderView:
        return seats.views(
            side, limits, used, used, bounds, tape, clock,
            bounded=self.bounded, tick=self.tick, steps=self.steps, periods=self.periods,
            rivals=self.sellers if side > 0 else self.buyers,
        )  # fmt: skip

    def _arrive(
        self, orders: Orders, mine: Bool[Array, " n"], said: Order, bounds: tuple[Array, Array], clock: Array
    ) -> _Arrival:
        """The drawn trader, `mine` (nobody if it sits on the other side), places, replaces or cancels its order."""
        price = seats.on_grid(said.price, self.tick)
        fresh = mine & seats.legal(price, *bounds, self.bounded)
        if self.improvement:
            fresh &= price > orders.price.max()
        quotes = jnp.where(fresh, price, -jnp.inf)
        cancels = mine & (said.price == -jnp.inf) & (said.reserve == -jnp.inf)
        orders = order_book.entered(orders, fresh | cancels, quotes, clock)
        return _Arrival(orders, quotes, order_book.best(orders))

    def _takes(self, mine: Bool[Array, " n"], quotes: Array, reserve: Array, rival: Best) -> Bool[Array, ""]:
        """Whether the drawn trader, if it is `mine`, trades with the first order of the other side.

        The other side's book is as it was before the tick: nobody there was heard.
        """
        ask = -rival.price
        takes = quotes >= ask
        if self.takes == "reserve":
            takes |= mine & (reserve >= ask) & (ask < jnp.inf)
        return takes.any()

    def _close(
        self, world: ContinuousWorld, book: Book, outcome: Outcome, bought: Array, sold: Array
    ) -> ContinuousWorld:
        """The world after the tick: units used up, orders executed or expired, period turned."""
        clock = world.clock + 1
        turn = (clock % self.steps == 0) if self.periods > 1 else jnp.asarray(False)
        expire = (turn | outcome.info.traded) if self.clear_after_trade else turn
        return ContinuousWorld(
            world.values,
            world.costs,
            jnp.where(turn, 0, world.bought + bought),
            jnp.where(turn, 0, world.sold + sold),
            Book(order_book.withdrawn(book.bids, bought | expire), order_book.withdrawn(book.asks, sold | expire)),
            self.disclosure.tape(outcome.info),
            clock,
        )
