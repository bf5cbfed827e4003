"""Random rounds of the institutions, played by the library and by the plain-Python reference with the same draws."""

from math import inf

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference_institutions import Institution

from catallax.core import rng
from catallax.games.double_auction import AbstractTokens, Order

B, S, UNITS = 3, 2, 2
LOW, HIGH = 0.5, 6.0


class Blank(AbstractTokens):
    """Tokens to be written over by the test."""

    units: int = eqx.field(static=True, default=UNITS)

    def draw(self, key, buyers, sellers):
        return jnp.zeros((buyers, self.units)), jnp.zeros((sellers, self.units))


@eqx.filter_jit
def play(game, words, values, costs, orders):
    """A round with given limits, orders `[ticks, seats]` and random words `[ticks, 2]`: all that there was to see."""
    world = game.init(rng.key(0))._replace(values=values, costs=costs)

    def tick(world, now):
        words, order = now
        world, outcome = game.step(rng.key_from_bits(rng.Bits(words[0], words[1])), world, order)
        return world, (world, game.observe(world), outcome)

    return jax.lax.scan(tick, world, (words, orders))[1]


def limits(rows: int, sign: float, units: int = UNITS):
    """Limits of one side on a grid of 1/2, in order; a trader may have fewer units than the market allows."""

    def shape(drawn):
        prices, have = drawn
        prices = sign * np.sort(sign * prices / 2, axis=1)
        return np.where(np.arange(units) < have[:, None], prices, sign * inf).astype(np.float32)

    numbers = arrays(np.int64, (rows, units), elements=st.integers(0, 14))
    return st.tuples(numbers, arrays(np.int64, rows, elements=st.integers(1, units))).map(shape)


def quotes(ticks: int, seats: int, odd: tuple[float, ...] = (-inf, inf)):
    """Prices on a grid of 1/2 with ties, some outside the bounds [0.5, 6], some absent or infinite."""

    def price(n):
        return np.where(n > 14, np.where(n > 15, odd[1], odd[0]), n / 2).astype(np.float32)

    return arrays(np.int64, (ticks, seats), elements=st.integers(-1, 16)).map(price)


def rounds(game):
    """(values, costs, bids, asks, most, least) in true prices, and the random words of each tick."""
    b, s, ticks = game.buyers, game.sellers, game.length
    return st.tuples(
        limits(b, -1.0), limits(s, 1.0), quotes(ticks, b), quotes(ticks, s), quotes(ticks, b), quotes(ticks, s),
        arrays(np.uint32, (ticks, 2)),
    )  # fmt: skip


def run_round(game, drawn):
    """The library's answer, as NumPy arrays; sellers speak in the mirror."""
    values, costs, bids, asks, most, least, words = drawn
    orders = {"buyer": Order(bids, most), "seller": Order(-asks, -least)}
    return jax.tree.map(np.asarray, play(game, words, values, costs, orders))


def chosen(candidates: list, word: int):
    """What a word picks: each of n candidates in turn for a share of 1/n of all words."""
    return candidates[
        min(int(np.float32(word >> 8) * np.float32(2**-24) * np.float32(len(candidates))), len(candidates) - 1)
    ]


def word_for(place: int, n: int) -> int:
    """A word that picks that place of n."""
    return int((place + 0.5) / n * 2**32)


def at(tree, t: int):
    return jax.tree.map(lambda x: x[t], tree)


def assert_agrees(game, reference: Institution, drawn):
    """Every field of every event, all rewards and discounts, and units between ticks; yields each tick."""
    _, _, bids, asks, most, least, words = drawn
    worlds, seen, outcomes = run_round(game, drawn)
    for t in range(game.length):
        first, second = (lambda c, w=int(word): chosen(c, w) for word in words[t])
        now = reference.play(bids[t].tolist(), asks[t].tolist(), most[t].tolist(), least[t].tolist(), first, second)
        event = at(outcomes.info, t)
        for field in event._fields:
            np.testing.assert_array_equal(getattr(event, field), getattr(now, field), err_msg=f"{field} at tick {t}")
        for role, reward in (("buyer", now.buyer_reward), ("seller", now.seller_reward)):
            np.testing.assert_array_equal(outcomes.reward[role][t], reward)
            np.testing.assert_array_equal(outcomes.discount[role][t], float(now.going))
        if now.going:
            world = at(worlds, t)
            np.testing.assert_array_equal(world.bought, reference.bought)
            np.testing.assert_array_equal(world.sold, reference.sold)
            yield now, world, at(seen, t)


def assert_conserved(outcomes):
    """What is paid is received, one unit at most changes hands in a tick, between two parties."""
    event = outcomes.info
    gains = outcomes.reward["buyer"].sum(axis=1) + outcomes.reward["seller"].sum(axis=1)
    np.testing.assert_allclose(gains, event.value - event.cost, atol=1e-5)
    for side in (event.buyer, event.seller):
        np.testing.assert_array_equal(side >= 0, event.traded)
    np.testing.assert_array_equal(event.buy | event.sell, event.traded)
    assert np.isfinite(event.price).all()


MIRRORED = (
    ("traded", "traded", 1), ("price", "price", -1), ("buyer", "seller", 1), ("seller", "buyer", 1),
    ("value", "cost", -1), ("cost", "value", -1), ("bid", "ask", -1), ("ask", "bid", -1), ("bidder", "asker", 1),
    ("asker", "bidder", 1), ("buy", "sell", None), ("sell", "buy", None), ("bids", "asks", -1), ("asks", "bids", -1),
)  # fmt: skip


def assert_mirrored(one, two):
    """Buyers and sellers swapped by p -> -p: events, rewards and what each seat sees."""
    (_, seen, outcome), (_, other, reflected) = one, two
    for left, right, sign in MIRRORED:
        x = getattr(reflected.info, right)
        expected = x if sign in (None, 1) else -x
        np.testing.assert_array_equal(getattr(outcome.info, left), expected, err_msg=left)
    for role, twin in (("buyer", "seller"), ("seller", "buyer")):
        np.testing.assert_array_equal(outcome.reward[role], reflected.reward[twin])
        mine, twins = seen[role], other[twin]
        np.testing.assert_array_equal(mine.side, -twins.side)
        jax.tree.map(np.testing.assert_array_equal, mine._replace(side=twins.side), twins)


def mirrored(drawn, words):
    """The round of the mirrored market."""
    values, costs, bids, asks, most, least, _ = drawn
    return -costs, -values, -asks, -bids, -least, -most, words


def assert_moved(one, two, scale: float, shift: float):
    """The second market's prices are the first's times `scale` plus `shift`; quantities and names are the same."""
    a, b = one[2].info, two[2].info
    for name in ("traded", "buyer", "seller", "bidder", "asker", "buy", "sell"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in ("bid", "ask", "bids", "asks"):
        np.testing.assert_array_equal(scale * getattr(a, name) + shift, getattr(b, name), err_msg=name)
    for name in ("price", "value", "cost"):
        moved = np.where(a.traded, scale * getattr(a, name) + shift, 0.0)
        np.testing.assert_array_equal(moved, getattr(b, name), err_msg=name)
    for role in ("buyer", "seller"):
        np.testing.assert_array_equal(scale * one[2].reward[role], two[2].reward[role])


def moved(drawn, scale: float, shift: float):
    """The round with all prices moved; infinities stay."""
    return tuple((scale * x + shift).astype(np.float32) for x in drawn[:6]) + drawn[6:]


def distinct(ticks: int, seats: int):
    """Quotes within a side never equal at a tick, on a grid of 1/2."""
    order = st.permutations(range(13)).map(lambda p: (np.asarray(p[:seats], np.float32) + 1) / 2)
    return st.lists(order, min_size=ticks, max_size=ticks).map(np.stack)


def permuted(drawn, buyers, sellers, words):
    """The round with the seats in another order: new seat i is the old `buyers[i]`."""
    values, costs, bids, asks, most, least, _ = drawn
    return (
        values[buyers], costs[sellers], bids[:, buyers], asks[:, sellers], most[:, buyers], least[:, sellers], words,
    )  # fmt: skip


def assert_permuted(one, two, buyers, sellers):
    """Old seat `buyers[i]` did and got what new seat i does."""
    a, b = one[2].info, two[2].info
    for name in ("traded", "price", "value", "cost", "bid", "ask", "buy", "sell"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for names, order in ((("buyer", "bidder"), buyers), (("seller", "asker"), sellers)):
        for name in names:
            new = getattr(b, name)
            np.testing.assert_array_equal(getattr(a, name), np.where(new >= 0, np.asarray(order)[new], -1))
    np.testing.assert_array_equal(a.bids[:, buyers], b.bids)
    np.testing.assert_array_equal(a.asks[:, sellers], b.asks)
    np.testing.assert_array_equal(one[2].reward["buyer"][:, buyers], two[2].reward["buyer"])
    np.testing.assert_array_equal(one[2].reward["seller"][:, sellers], two[2].reward["seller"])
