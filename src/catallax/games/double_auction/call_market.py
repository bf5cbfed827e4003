"""The call market: quotes are collected, then the market clears at one price for all."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped, UInt32

from catallax.core import AbstractGame, Outcome, Role, count, flag, number, numbers, rng

from . import seats
from .disclosure import AbstractDisclosure, FullDisclosure
from .equilibrium import clearing_interval
from .observation import Order, Tape, TraderView, mirror
from .tokens import AbstractTokens


class CallWorld(NamedTuple):
    """The market between two ticks."""

    values: Float[Array, "buyers units"]
    """Buyers' limits, descending; -inf for units a buyer does not have."""
    costs: Float[Array, "sellers units"]
    """Sellers' limits, ascending; +inf for units a seller does not have."""
    bought: Int[Array, " buyers"]
    """Units bought in this period."""
    sold: Int[Array, " sellers"]
    bids: Float[Array, "buyers units"]
    """Quotes collected and not yet settled, one a unit; -inf where none."""
    asks: Float[Array, "sellers units"]
    """The sellers', in their own coordinates: minus the true price, -inf where none."""
    tape: Tape
    """What is public of the last tick."""
    clock: Int[Array, ""]
    """Ticks since the round began."""


class _First(NamedTuple):
    """The best of one side's collected quotes."""

    price: Float[Array, ""]
    """-inf where there is none."""
    quote: Bool[Array, "n units"]
    """Which it is: one-hot, or none."""
    holder: Bool[Array, " n"]


def _first(quotes: Float[Array, "n units"], word: UInt32[Array, ""]) -> _First:
    """The most generous quote, ties broken with equal chances among quotes."""
    price = quotes.max()
    at_best = (quotes == price) & (price > -jnp.inf)
    quote = seats.one_of(at_best.ravel(), word).reshape(quotes.shape)
    return _First(price, quote, quote.any(axis=1))


class CallMarket(AbstractGame):
    """A periodic call market (clearing house, k-double auction) with induced values.

    In a period of U + M ticks the first U collect quotes: in the i-th every trader may name a price for its i-th unit,
    which the view shows as its limit. Then the market clears. With the bids in descending and the asks in ascending
    order, K is the last place where the bid is not below the ask: the K highest bids and the K lowest asks trade, all
    at the price

        p = k min(bid_K, ask_(K+1)) + (1 - k) max(ask_K, bid_(K+1)).

    Goods change hands in the M ticks that follow, one unit in each, the highest bid with the lowest ask first, so that
    a tick has at most one trade and every measure of trades can be read; these ticks hear no orders. U is the number of
    units a trader may have, M what can trade at most, U times the traders of the shorter side.

    No trade is worse than its quotes: ask <= p <= bid. A trader whose n quotes are accepted trades its n first units,
    whichever it quoted for. Equal quotes have equal chances. Only the price of an order counts, not its reserve.
    Rewards are profits in price units.

    Args:
        tokens: draws the limits at the start of a round.
        k: where in the interval of market-clearing prices the price is, in [0, 1]; 1 is the highest of them.
        buyers, sellers: seats of the roles "buyer" and "seller".
        periods: a round's periods; each gives all units back. `Play` should have `length = game.length`.
        low, high: the price bounds told to traders.
        bounded: whether quotes outside the bounds are illegal (dropped).
        tick: price grid of quotes; bids are rounded down to it and asks up; 0 for continuous prices. The price of the
            trades may lie between.
        sealed: the tape stays blank until the market has cleared; otherwise each tick's quotes are shown in the next.
        disclosure: what is public of the last tick. No quote stands, so none is shown as standing.

    Raises:
        BuildError: counts below 1, bounds in the wrong order or off the grid.
        InputError: k outside [0, 1].

    Source: Rustichini, Satterthwaite and Williams (1994) for the price; Wurman, Walsh and Wellman (1998) for its two
        order statistics. Known from other texts, these were not read.
    Differs: several units a trader, quoted one after the other; where bid_K = ask_K that pair trades.
    """

    tokens: AbstractTokens
    k: Float[Array, ""] = number(0.5, "[0, 1]", dtype=jnp.float32)
    disclosure: AbstractDisclosure = FullDisclosure()
    low: Float[Array, ""] = numbers(0.0, dtype=jnp.float32)
    high: Float[Array, ""] = numbers(100.0, dtype=jnp.float32)
    buyers: int = count(4)
    sellers: int = count(4)
    periods: int = count(1)
    tick: float = eqx.field(static=True, default=0.0)
    bounded: bool = flag(True)
    sealed: bool = flag(True)

    def __check_init__(self) -> None:
        seats.check_prices("CallMarket", self.low, self.high, self.tick)

    @property
    def roles(self) -> tuple[Role, ...]:  # type: ignore[override]
        """Buyers and sellers."""
        return seats.roles(self.buyers, self.sellers)

    @property
    def steps(self) -> int:
        """Ticks in a period: one for each unit of a trader, and one for each possible trade."""
        return self.tokens.units * (1 + min(self.buyers, self.sellers))

    @property
    def length(self) -> int:
        """Ticks in a round."""
        return self.steps * self.periods

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> CallWorld:
        """A new round: limits drawn, nothing quoted, nothing traded."""
        values, costs = self.tokens.draw(key, self.buyers, self.sellers)
        return CallWorld(
            values,
            costs,
            jnp.zeros(self.buyers, jnp.int32),
            jnp.zeros(self.sellers, jnp.int32),
            jnp.full_like(values, -jnp.inf),
            jnp.full_like(costs, -jnp.inf),
            self.disclosure.blank(self.buyers, self.sellers),
            jnp.int32(0),
        )

    def observe(self, world: CallWorld) -> dict[str, TraderView]:
        """What buyers and sellers see; sellers in the mirror. While quotes are collected the next unit is the one to
        quote for, and units quoted for are not left; afterwards it is the one to trade."""
        tape, now = world.tape, self._step(world.clock)
        if self.disclosure.book:
            tape = tape._replace(bid=jnp.float32(-jnp.inf), ask=jnp.float32(jnp.inf))
        bought, sold = (jnp.where(now < self.tokens.units, now, done) for done in (world.bought, world.sold))
        sides = (
            (1.0, world.values, bought, world.bought, (self.low, self.high), tape),
            (-1.0, -world.costs, sold, world.sold, (-self.high, -self.low), mirror(tape)),
        )
        switches = dict(bounded=self.bounded, tick=self.tick, steps=self.steps, periods=self.periods)
        buyers, sellers = (
            seats.views(*side, world.clock, rivals=rivals, **switches)  # type: ignore[arg-type]
            for side, rivals in zip(sides, (self.sellers, self.buyers), strict=True)
        )
        return {"buyer": buyers, "seller": sellers}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: CallWorld, action: dict[str, Order]
    ) -> tuple[CallWorld, Outcome]:
        """Quotes for a unit, or one pair settled."""
        bits, now = rng.key_bits(key), self._step(world.clock)
        said_bids = self._heard(action["buyer"].price, world.values, (self.low, self.high), now)
        said_asks = self._heard(action["seller"].price, -world.costs, (-self.high, -self.low), now)
        bids, asks = jnp.maximum(world.bids, said_bids), jnp.maximum(world.asks, said_asks)
        bid, ask = _first(bids, bits.first), _first(asks, bits.second)
        traded = (now >= self.tokens.units) & (bid.price >= -ask.price)
        bought, sold = bid.holder & traded, ask.holder & traded
        said = seats.Quoted(
            bid=bid.price,
            bidder=bid.holder,
            ask=-ask.price,
            asker=ask.holder,
            buy=traded,
            sell=traded,
            bids=said_bids.max(axis=1),
            asks=-said_asks.max(axis=1),
        )
        buyers, sellers = seats.side_of(world.values, world.bought), seats.side_of(-world.costs, world.sold)
        going = world.clock + 1 < self.length
        outcome = seats.outcome_of(buyers, sellers, said, bought, sold, self._price(bids, asks), going)
        left = jnp.where(bid.quote & traded, -jnp.inf, bids), jnp.where(ask.quote & traded, -jnp.inf, asks)
        return self._close(world, *left, outcome, bought, sold), outcome

    def _step(self, clock: Int[Array, ""]) -> Int[Array, ""]:
        """Ticks since the period began."""
        return clock % self.steps if self.periods > 1 else clock

    def _heard(self, price: Array, limits: Array, bounds: tuple[Array, Array], now: Array) -> Float[Array, "n units"]:
        """This tick's quotes in the places of their units, -inf elsewhere; own coordinates."""
        price = seats.on_grid(price, self.tick)
        here = (jnp.arange(self.tokens.units) == now) & (limits > -jnp.inf)
        return jnp.where(here & seats.legal(price, *bounds, self.bounded)[:, None], price[:, None], -jnp.inf)

    def _price(self, bids: Float[Array, "b units"], asks: Float[Array, "s units"]) -> Float[Array, ""]:
        """p from the quotes that are left. The same after each settlement: the pair that goes had the highest bid and
        the lowest ask, which lie on either side of the interval as long as another pair is left."""
        low, high = clearing_interval(jnp.concatenate([bids.ravel(), -asks.ravel()]), asks.size)
        return jnp.clip(self.k * high + (1 - self.k) * low, low, high)  # rounding must not leave the interval

    def _close(
        self, world: CallWorld, bids: Array, asks: Array, outcome: Outcome, bought: Array, sold: Array
    ) -> CallWorld:
        """The world after the tick: units used up, quotes settled or dropped, period turned."""
        clock = world.clock + 1
        turn = (clock % self.steps == 0) if self.periods > 1 else jnp.asarray(False)
        tape = self.disclosure.tape(outcome.info)
        if self.sealed:
            blank, quiet = self.disclosure.blank(self.buyers, self.sellers), self._step(world.clock) < self.tokens.units
            tape = Tape(*(x if x is None else jnp.where(quiet, y, x) for x, y in zip(tape, blank, strict=True)))
        return CallWorld(
            world.values,
            world.costs,
            jnp.where(turn, 0, world.bought + bought),
            jnp.where(turn, 0, world.sold + sold),
            jnp.where(turn, -jnp.inf, bids),
            jnp.where(turn, -jnp.inf, asks),
            tape,
            clock,
        )
