"""What belief traders share: the messages they remember, and the belief about bids that these give."""

import functools
from typing import Final, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int16, PRNGKeyArray, PyTree, Shaped

from catallax.core import BuildError, Spec
from catallax.games.double_auction.observation import TraderView

from .trader import AbstractTrader

MEMORY: Final = 5
"""L, the trades that the messages in mind go back to."""
CAPACITY: Final = 63
"""Messages that are kept at most; the oldest is forgotten first. With an empty slot they fill vectors of 64."""

_SLOTS: Final = CAPACITY + 1
_LEVELS: Final = 2**14 - 2  # of prices, so that twice a level and one bit fit into 16
_OLD: Final = 2**14
_CHUNK: Final = 16


class History(NamedTuple):
    """The messages in mind, in no order. The last slot stays empty."""

    seen: Int16[Array, " slots"]
    """Twice the price's level on the grid between the bounds, plus one for a bid that was not taken."""
    age: Int16[Array, " slots"]
    """Trades since the message."""
    heard: Int[Array, ""]
    """Messages since the round began."""
    bid: Float[Array, ""]
    """What stood when the trader last looked, in own coordinates; -inf and +inf where nothing did."""
    ask: Float[Array, ""]
    bid_slot: Int16[Array, ""]
    """Where the latest bid is kept."""
    ask_slot: Int16[Array, ""]


class PriceGrid(NamedTuple):
    """The levels that prices are told apart on: `low + grain * level`, from level 0 to `top`."""

    low: Float[Array, ""]
    grain: Float[Array, ""]
    top: Int[Array, ""]

    def level(self, price: Float[Array, ""]) -> Int[Array, ""]:
        """The nearest level between the bounds."""
        level = jnp.floor((price - self.low) / self.grain + 0.5)
        return jnp.clip(level, 0.0, self.top.astype(jnp.float32)).astype(jnp.int32)

    def part(self, bottom: Int[Array, ""], top: Int[Array, ""]) -> "PriceGrid":
        """The levels from `bottom` to `top`, counted from the first of them."""
        return PriceGrid(self.low + self.grain * bottom.astype(jnp.float32), self.grain, top - bottom)


class Belief(NamedTuple):
    """The chance that a bid is taken: counts of messages at every knot, in no order, and the knot below it.

    The last two are the same for all knots.
    """

    seen: Int16[Array, "*slots"]
    """Twice the level of the knot, plus one if it is the price of a refused bid."""
    tally: Int16[Array, "*slots"]
    """Messages that speak for bids of this level, plus 256 times the refused bids below it."""
    below: Int16[Array, "*slots"]
    """Twice the level of the next lower knot, plus a bit; 0 for the lowest price."""
    tally_below: Int16[Array, "*slots"]
    refused: Int16[Array, ""]
    """All refused bids."""
    top: Int[Array, ""]
    """Level from which on the belief is 1; it is 0 at level 0."""

    def chance(self, tally: Int16[Array, "*slots"], level: Int16[Array, "*slots"]) -> Float[Array, "*slots"]:
        """q at a knot."""
        speak, against = (tally & 255).astype(jnp.float32), (self.refused - (tally >> 8)).astype(jnp.float32)
        inside = speak / jnp.maximum(speak + against, 1.0)
        return jnp.where(level <= 0, 0.0, jnp.where(level >= self.top, 1.0, inside))

    def segments(self, grain: Float[Array, ""]) -> "Segments":
        """Between each knot and the next lower one, prices as offsets from the lowest."""
        low, high = self.below >> 1, self.seen >> 1
        real = lambda level: grain * level.astype(jnp.float32)
        return Segments(real(low), real(high), self.chance(self.tally_below, low), self.chance(self.tally, high))

    def at(self, levels: Int16[Array, " k"], grain: Float[Array, ""]) -> Float[Array, " k"]:
        """q at any levels above 0: its place between the next knots at or above, and below."""
        mine, none, most = 2 * levels[:, None], jnp.int16(0), jnp.int16(2**15 - 1)
        under = self.seen[None] & ~1 < mine
        lower = lambda x: jnp.where(under, x[None], none).max(axis=1)
        upper = lambda x: jnp.where(under, most, x[None]).min(axis=1)
        end = jnp.minimum(upper(self.seen), (2 * self.top + 1).astype(jnp.int16))
        piece = self._replace(
            seen=end, tally=upper(self.tally), below=lower(self.seen), tally_below=lower(self.tally)
        ).segments(grain)
        t = (grain * levels.astype(jnp.float32) - piece.start) / jnp.maximum(piece.end - piece.start, grain)
        t = jnp.clip(t, 0.0, 1.0)
        return piece.before + (piece.after - piece.before) * t * t * (3 - 2 * t)


class Segments(NamedTuple):
    """Pieces of a belief; over each it rises as the smoothstep 3t^2 - 2t^3. Some have no width."""

    start: Float[Array, "*slots"]
    end: Float[Array, "*slots"]
    before: Float[Array, "*slots"]
    after: Float[Array, "*slots"]


class AbstractBeliefTrader(AbstractTrader):
    """A trader that remembers, within a round, the messages that led to the last `MEMORY` trades and those since.

    At each tick it hears of two messages at most: the bid and the ask that stand after the quote stage, where they are
    new. Quotes that lost against them are not heard of. Of a trade, one message was taken: the bid if the price is the
    bid's, the ask if it is the ask's, and where it is neither or both, each trader's own fair coin says. All others
    were refused, once they stand no longer.

    Raises:
        BuildError: a market that hides quotes or trades, always or sometimes.
    """

    needs = ("bid", "ask", "last_bid", "last_ask", "sale", "price")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """No state; a belief needs every tick."""
        state = super().init(key, spec)
        if spec.obs.tape.shown is not None:  # type: ignore[attr-defined]
            raise BuildError(
                f"{type(self).__name__} counts refused quotes, and this market's disclosure shows those of some ticks "
                "only; use FullDisclosure, ReducedDisclosure or another trader"
            )
        return state


def no_history() -> History:
    """At the start of a round."""
    slots, nowhere = jnp.zeros(_SLOTS, jnp.int16), jnp.int16(0)
    return History(
        slots, slots + jnp.int16(_OLD), jnp.int32(0), jnp.float32(-jnp.inf), jnp.float32(jnp.inf), nowhere, nowhere
    )


def price_grid(obs: TraderView) -> PriceGrid:
    """The market's own grid where it has at most 2**14 ticks, else about that many levels between the bounds."""
    width = obs.high - obs.low
    grain = jnp.where(obs.tick > 0, obs.tick * jnp.ceil(width / (obs.tick * _LEVELS)), width / _LEVELS)
    return PriceGrid(obs.low, grain, jnp.floor(width / grain + 0.5).astype(jnp.int32))


def listen(history: History, obs: TraderView, grid: PriceGrid, coin: Bool[Array, ""]) -> History:
    """The history with the last tick's messages, and the one that its trade took marked as taken."""
    tape, slot = obs.tape, jnp.arange(_SLOTS, dtype=jnp.int16)
    new_bid = jnp.isfinite(tape.last_bid) & (tape.last_bid != history.bid)
    new_ask = jnp.isfinite(tape.last_ask) & (tape.last_ask != history.ask)
    after_bid = history.heard + new_bid
    place = lambda number: (number % CAPACITY).astype(jnp.int16)
    bid_slot = jnp.where(new_bid, place(history.heard), history.bid_slot)
    ask_slot = jnp.where(new_ask, place(after_bid), history.ask_slot)
    at_bid, at_ask = tape.price == tape.last_bid, tape.price == tape.last_ask
    took_bid = tape.sale & jnp.isfinite(tape.last_bid) & jnp.where(at_bid == at_ask, coin, at_bid)
    code = lambda price: (2 * grid.level(jnp.where(jnp.isfinite(price), price, obs.low))).astype(jnp.int16)
    bid_here, ask_here = (slot == bid_slot) & new_bid, (slot == ask_slot) & new_ask
    seen = jnp.where(ask_here, code(tape.last_ask), jnp.where(bid_here, code(tape.last_bid) + 1, history.seen))
    seen = jnp.where((slot == bid_slot) & took_bid, seen & ~1, seen)
    age = jnp.where(bid_here | ask_here, 0, history.age)
    age = jnp.minimum(age + tape.sale.astype(jnp.int16), _OLD)
    return History(
        seen.astype(jnp.int16), age.astype(jnp.int16), after_bid + new_ask, tape.bid, tape.ask, bid_slot, ask_slot
    )


def belief(history: History, top: Int[Array, ""], bottom: Int[Array, ""] | int = 0, memory: int = MEMORY) -> Belief:
    """The belief about bids from the messages since the `memory`-th last trade.

        q(b) = [TB(<= b) + A(<= b)] / [TB(<= b) + A(<= b) + RB(>= b)]

    at every price b of a message, TB and RB being taken and refused bids and A asks; q = 0 up to level `bottom`, which
    becomes level 0 of the belief, and 1 from level `top` on. The standing quotes are no part of it.
    """
    counts = (history.age <= memory) & ~_standing(history)
    end = (2 * (top - bottom)).astype(jnp.int16)
    shift = (2 * jnp.asarray(bottom)).astype(jnp.int16)
    # Outside the range only the bit matters: a refused bid there stays one.
    inside = jnp.clip((history.seen & ~1) - shift, 0, end) | (history.seen & 1)
    seen = _once(jnp.where(counts, inside, end).astype(jnp.int16))
    refused = (counts & ((history.seen & 1) == 1)).sum(dtype=jnp.int16)
    return Belief(seen, *_compare(seen), refused, (top - bottom).astype(jnp.int32))


def _standing(history: History) -> Bool[Array, " slots"]:
    """Which messages are the standing bid and ask: neither taken nor refused yet."""
    slot = jnp.arange(_SLOTS, dtype=jnp.int16)
    bid = jnp.isfinite(history.bid) & (slot == history.bid_slot)
    return bid | (jnp.isfinite(history.ask) & (slot == history.ask_slot))


def _compare(
    seen: Int16[Array, " slots"],
) -> tuple[Int16[Array, " slots"], Int16[Array, " slots"], Int16[Array, " slots"]]:
    """For each message: the counts up to it, the next lower level, and the counts there.

    A message is in the count where `seen` is <= the knot's double level: asks and taken bids from their own level on,
    refused bids above theirs only. Counts grow with the level, so those of the next lower one are the largest below.

    Each message is compared with each other in a third of the time of sorting them: as 16-bit integers and in short
    chunks, since over longer loops or real numbers the compiler makes no use of vectors (10 to 40 times slower).
    """
    own, none = seen[:, None] & ~1, jnp.int16(0)
    chunks = lambda x: [x[None, k : k + _CHUNK] for k in range(0, _SLOTS, _CHUNK)]
    parts = chunks(seen)
    weights = chunks(_once(jnp.where((seen & 1) == 1, jnp.int16(256), jnp.int16(1))))
    count = lambda x, w: jnp.where(x <= own, w, none).sum(axis=1, dtype=jnp.int16)
    tally = _once(functools.reduce(jnp.add, map(count, parts, weights)))
    largest = lambda x, y: jnp.where(x < own, y, none).max(axis=1)
    below = functools.reduce(jnp.maximum, map(largest, parts, parts))
    return tally, below, functools.reduce(jnp.maximum, map(largest, parts, chunks(tally)))


def _once(x: Int16[Array, " slots"]) -> Int16[Array, " slots"]:
    """x, by way of a sum of x and nothing, which the compiler computes once and not anew for every comparison."""
    return jnp.where(jnp.arange(2)[:, None] == 0, x, jnp.int16(0)).sum(axis=0, dtype=x.dtype)
