"""The posted offer: one side names its prices once a period, the other comes shopping."""

from typing import Literal, NamedTuple, TypeVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, BuildError, Outcome, Role, count, flag, numbers, rng

from . import seats
from .disclosure import AbstractDisclosure, FullDisclosure
from .observation import Order, Tape, TraderView, mirror
from .seats import Side
from .tokens import AbstractTokens

_T = TypeVar("_T")


class PostedWorld(NamedTuple):
    """The market between two ticks."""

    values: Float[Array, "buyers units"]
    """Buyers' limits, descending; -inf for units a buyer does not have."""
    costs: Float[Array, "sellers units"]
    """Sellers' limits, ascending; +inf for units a seller does not have."""
    bought: Int[Array, " buyers"]
    """Units bought in this period."""
    sold: Int[Array, " sellers"]
    posted: Float[Array, " posters"]
    """Prices posted in this period, in the posters' own coordinates; -inf where none."""
    tape: Tape
    """What is public of the last tick."""
    clock: Int[Array, ""]
    """Ticks since the round began."""


class PostedOffer(AbstractGame):
    """A posted-offer market with induced values: sellers post prices, buyers take or leave them.

    In the first tick of a period every seller may post one price, good for all its units in that period. In each tick
    that follows one of the buyers with units left is drawn, each with the same chance, and may buy one unit from the
    seller with the lowest price of those in the market, ties broken with equal chances; it does if its order's reserve
    is not below that price. A seller is in the market while it has units left and its next one costs no more than its
    price. With `poster="buyer"` all is reflected: buyers post bids, and sellers are drawn (posted bids).

    Of a poster's order only the price counts, of the others' only the reserve; orders at other times are not heard. In
    the account of a tick the current ask is the lowest price in the market; no bid is ever current. Rewards are profits
    in price units.

    Args:
        tokens: draws the limits at the start of a round.
        buyers, sellers: seats of the roles "buyer" and "seller".
        steps, periods: ticks in a period, the posting among them; periods in a round, each of which gives all units
            back. `Play` should have `length = steps * periods`.
        poster: the side that posts.
        low, high: the price bounds told to traders.
        bounded: whether prices outside the bounds are illegal (dropped).
        tick: price grid; asks are rounded up to it and bids down; 0 for continuous prices.
        disclosure: what is public of the last tick, and whether the best posted price is.

    Raises:
        BuildError: counts below 1, fewer than 2 steps, bounds in the wrong order or off the grid, unknown poster.

    Source: Plott and Smith (1978) for posted bids and offers; Ketcham, Smith and Williams (1984). Known from other
        texts, these were not read.
    Differs: in the laboratory a buyer, once drawn, buys as many units as it likes; here one, and it may be drawn again.
        There sellers also say how many units they offer; here all that their price covers.
    """

    tokens: AbstractTokens
    disclosure: AbstractDisclosure = FullDisclosure()
    low: Float[Array, ""] = numbers(0.0, dtype=jnp.float32)
    high: Float[Array, ""] = numbers(100.0, dtype=jnp.float32)
    buyers: int = count(4)
    sellers: int = count(4)
    steps: int = count(33, 2)
    periods: int = count(1)
    poster: Literal["seller", "buyer"] = eqx.field(static=True, default="seller")
    tick: float = eqx.field(static=True, default=0.0)
    bounded: bool = flag(True)

    def __check_init__(self) -> None:
        seats.check_prices("PostedOffer", self.low, self.high, self.tick)
        if self.poster not in ("seller", "buyer"):
            raise BuildError(f"PostedOffer: poster must be 'seller' or 'buyer', got {self.poster!r}")

    @property
    def roles(self) -> tuple[Role, ...]:  # type: ignore[override]
        """Buyers and sellers."""
        return seats.roles(self.buyers, self.sellers)

    @property
    def length(self) -> int:
        """Ticks in a round."""
        return self.steps * self.periods

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PostedWorld:
        """A new round: limits drawn, nothing posted, nothing traded."""
        values, costs = self.tokens.draw(key, self.buyers, self.sellers)
        posters = self.sellers if self.poster == "seller" else self.buyers
        return PostedWorld(
            values,
            costs,
            jnp.zeros(self.buyers, jnp.int32),
            jnp.zeros(self.sellers, jnp.int32),
            jnp.full(posters, -jnp.inf, jnp.float32),
            self.disclosure.blank(self.buyers, self.sellers),
            jnp.int32(0),
        )

    def observe(self, world: PostedWorld) -> dict[str, TraderView]:
        """What buyers and sellers see; sellers in the mirror."""
        tape = world.tape
        if self.disclosure.book:
            posters, _ = self._posters_first(*self._sides(world))
            best, none = self._in_market(posters, world.posted).max(), jnp.float32(-jnp.inf)
            bid, ask = (none, -best) if self.poster == "seller" else (best, -none)
            tape = tape._replace(bid=bid, ask=ask)
        switches = dict(bounded=self.bounded, tick=self.tick, steps=self.steps, periods=self.periods)
        sides = (
            (1.0, world.values, world.bought, world.bought, (self.low, self.high), tape),
            (-1.0, -world.costs, world.sold, world.sold, (-self.high, -self.low), mirror(tape)),
        )
        buyers, sellers = (
            seats.views(*side, world.clock, rivals=rivals, **switches)  # type: ignore[arg-type]
            for side, rivals in zip(sides, (self.sellers, self.buyers), strict=True)
        )
        return {"buyer": buyers, "seller": sellers}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: PostedWorld, action: dict[str, Order]
    ) -> tuple[PostedWorld, Outcome]:
        """Prices are posted, or one of the other side shops. Posters think in their own coordinates."""
        bits, now = rng.key_bits(key), (world.clock % self.steps if self.periods > 1 else world.clock)
        buyers, sellers = self._sides(world)
        posters, shoppers = self._posters_first(buyers, sellers)
        posts, wants = self._posters_first(action["buyer"], action["seller"])
        said = jnp.where(now == 0, self._legal(posters, posts.price), -jnp.inf)
        posted = jnp.where(now == 0, said, world.posted)
        offers = self._in_market(posters, posted)
        best = offers.max()
        first = seats.one_of((offers == best) & (best > -jnp.inf), bits.second)
        drawn = seats.one_of(shoppers.active, bits.first) & (now > 0)
        takes = drawn & (wants.reserve >= -best) & (best > -jnp.inf)
        gives = first & takes.any()
        bought, sold = self._posters_first(gives, takes) if self.poster == "buyer" else (takes, gives)
        outcome = seats.outcome_of(
            buyers, sellers, self._account(best, first, takes.any(), said), bought, sold,
            best if self.poster == "buyer" else -best, world.clock + 1 < self.length,
        )  # fmt: skip
        return self._close(world, posted, outcome, bought, sold), outcome

    def _posters_first(self, buyers: _T, sellers: _T) -> tuple[_T, _T]:
        """(posters', shoppers') of what is (buyers', sellers'). Its own inverse."""
        return (sellers, buyers) if self.poster == "seller" else (buyers, sellers)

    def _sides(self, world: PostedWorld) -> tuple[Side, Side]:
        return seats.side_of(world.values, world.bought), seats.side_of(-world.costs, world.sold)

    def _legal(self, posters: Side, price: Float[Array, " posters"]) -> Float[Array, " posters"]:
        """The prices that the market takes, rounded to its grid; -inf elsewhere."""
        low, high = (-self.high, -self.low) if self.poster == "seller" else (self.low, self.high)
        price = seats.on_grid(price, self.tick)
        return jnp.where(posters.active & seats.legal(price, low, high, self.bounded), price, -jnp.inf)

    def _in_market(self, posters: Side, posted: Float[Array, " posters"]) -> Float[Array, " posters"]:
        """Posted prices of those who have a unit left that the price covers; -inf elsewhere."""
        return jnp.where(posters.active & (posted <= posters.limit), posted, -jnp.inf)

    def _account(self, best: Array, first: Array, taken: Array, said: Array) -> seats.Quoted:
        """Quotes and requests in true prices: the side that shops quotes nothing and asks for the trade."""
        no, none = jnp.asarray(False), jnp.float32(-jnp.inf)
        if self.poster == "seller":
            nobody = jnp.zeros(self.buyers, bool)
            return seats.Quoted(none, nobody, -best, first, taken, no, jnp.full(self.buyers, none), -said)
        nobody = jnp.zeros(self.sellers, bool)
        return seats.Quoted(best, first, -none, nobody, no, taken, said, jnp.full(self.sellers, -none))

    def _close(
        self, world: PostedWorld, posted: Array, outcome: Outcome, bought: Bool[Array, " b"], sold: Bool[Array, " s"]
    ) -> PostedWorld:
        """The world after the tick: units used up, and with the period its prices."""
        clock = world.clock + 1
        turn = (clock % self.steps == 0) if self.periods > 1 else jnp.asarray(False)
        return PostedWorld(
            world.values,
            world.costs,
            jnp.where(turn, 0, world.bought + bought),
            jnp.where(turn, 0, world.sold + sold),
            jnp.where(turn, -jnp.inf, posted),
            self.disclosure.tape(outcome.info),
            clock,
        )
