"""The market against an independent one, its invariants, ties, reflection, and what each disclosure hides."""

import dataclasses
from functools import cache
from math import inf

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference_auction import Auction, Rules
from scipy import stats

from catallax.core import CatallaxError, InputError, rng
from catallax.games.double_auction import (
    AbstractTokens,
    BestQuotes,
    CoinToss,
    ConditionalDisclosure,
    DoubleAuction,
    FullDisclosure,
    Order,
    ReducedDisclosure,
    SecondPrice,
    StandardFeatures,
    Tape,
    WeightedMidpoint,
    ZeroDisclosure,
    aurora,
    memoryless_market,
)
from catallax.games.double_auction.observation import mirror

pytestmark = pytest.mark.compile_effort("least")

B, S, UNITS, STEPS = 3, 2, 2, 5
LOW, HIGH = 1.0, 6.0


class Blank(AbstractTokens):
    """Tokens to be written over by the test."""

    units: int = eqx.field(static=True, default=UNITS)

    def draw(self, key, buyers, sellers):
        return jnp.zeros((buyers, self.units)), jnp.zeros((sellers, self.units))


# Every switch on and off, alone and together; each line is one compiled program.
MARKETS: dict[str, dict] = {
    "seed": dict(bounded=False),
    "seed, strict, coin, bounded": dict(k=None, weak=False),
    "seed, crossing, weighted": dict(k=0.25, acceptance="crossing"),
    "seed, two periods, grid, open": dict(periods=2, tick=1.0, open_requests=True, k=0.75),
    "aurora": dict(periods=2, tick=1.0, persistence=True, improvement=True, weak=False, open_requests=True, k=None),
    "aurora, crossing, weak": dict(
        tick=0.5, persistence=True, improvement=True, open_requests=True, k=None, acceptance="crossing"
    ),
    "aurora, closed, midpoint, unbounded": dict(
        periods=2, persistence=True, improvement=True, weak=False, bounded=False
    ),
    "standing quotes without improvement": dict(periods=2, persistence=True, tick=1.0, k=None),
    "second price": dict(second=True, k=0.25, fee=0.5),
    "second price, standing quotes, grid": dict(
        second=True, k=1.0, tick=0.5, persistence=True, improvement=True, periods=2, open_requests=True
    ),
    "reserve prices, fee": dict(lowest_bid=3.0, highest_ask=4.5, fee=0.25, tick=0.5, open_requests=True),
    "reserve prices, no other bounds": dict(lowest_bid=2.5, highest_ask=5.0, bounded=False, persistence=True),
}


@cache
def market(name: str, buyers: int = B, sellers: int = S, low: float = LOW, high: float = HIGH) -> DoubleAuction:
    """The game of that line; with its reserve prices mirrored where the bounds are."""
    changes = dict(MARKETS[name])
    if low < 0:
        mirrored = dict(lowest_bid="highest_ask", highest_ask="lowest_bid")
        changes = {mirrored.get(k, k): -x if k in mirrored else x for k, x in changes.items()}
    k, second = changes.pop("k", 0.5), changes.pop("second", False)
    if second:
        changes["acceptance"] = "quotes"
    return DoubleAuction(
        Blank(),
        CoinToss() if k is None else SecondPrice(k) if second else WeightedMidpoint(k),
        low=low,
        high=high,
        buyers=buyers,
        sellers=sellers,
        steps=STEPS,
        **changes,
    )


def rules(name: str) -> Rules:
    """The same, in the words of the independent market."""
    changes = dict(MARKETS[name])
    crossing = changes.pop("acceptance", "profit") == "crossing"
    return Rules(steps=STEPS, low=LOW, high=HIGH, crossing=crossing, **changes)


@eqx.filter_jit
def play(game, key, values, costs, orders):
    """A round with given limits and orders `[ticks, seats]`: world, observations and outcome after each tick."""
    world = game.init(rng.fold(key, 0))._replace(values=values, costs=costs)

    def tick(world, now):
        key, order = now
        world, outcome = game.step(key, world, order)
        return world, (world, game.observe(world), outcome)

    return jax.lax.scan(tick, world, (jax.random.split(key, game.length), orders))[1]


def limits(rows: int, sign: float):
    """Limits of one side on a grid of 1/2, in order; a trader may have fewer units than the market allows."""

    def shape(drawn):
        prices, units = drawn
        prices = sign * np.sort(sign * prices / 2, axis=1)
        return np.where(np.arange(UNITS) < units[:, None], prices, sign * inf).astype(np.float32)

    numbers = arrays(np.int64, (rows, UNITS), elements=st.integers(0, 14))
    return st.tuples(numbers, arrays(np.int64, rows, elements=st.integers(1, UNITS))).map(shape)


def quotes(ticks: int, seats: int):
    """Prices on a grid of 1/2 with ties, some outside the bounds [1, 6], some absent or infinite."""

    def price(n):
        return np.where(n > 14, np.where(n > 15, inf, -inf), n / 2).astype(np.float32)

    return arrays(np.int64, (ticks, seats), elements=st.integers(-1, 16)).map(price)


def rounds(game: DoubleAuction):
    """(values, costs, bids, asks, most, least) in true prices, and a seed for ties and coins."""
    b, s, ticks = game.buyers, game.sellers, game.length
    return st.tuples(
        limits(b, -1.0), limits(s, 1.0), quotes(ticks, b), quotes(ticks, s), quotes(ticks, b), quotes(ticks, s),
        st.integers(0, 2**32 - 1),
    )  # fmt: skip


def run_round(game, drawn):
    """Our market's answer, as NumPy arrays; sellers speak in the mirror."""
    values, costs, bids, asks, most, least, seed = drawn
    orders = {"buyer": Order(bids, most), "seller": Order(-asks, -least)}
    return jax.tree.map(np.asarray, play(game, rng.key(seed), values, costs, orders))


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=60)
@given(data=st.data())
def test_every_tick_agrees_with_the_independent_market(name, data):
    game = market(name)
    drawn = data.draw(rounds(game))
    values, costs, bids, asks, most, least, _ = drawn
    worlds, seen, outcomes = run_round(game, drawn)
    reference = Auction(rules(name), values.tolist(), costs.tolist())
    for t in range(game.length):
        event = jax.tree.map(lambda x, t=t: x[t], outcomes.info)

        def choose(what, candidates, event=event):
            ours = int(getattr(event, what))
            assert ours in candidates, f"{what} {ours} is not among {candidates}"
            return ours

        def heads(event=event):
            assert event.price in (event.bid, event.ask)
            return bool(event.price == event.bid)

        now = reference.play(bids[t].tolist(), asks[t].tolist(), most[t].tolist(), least[t].tolist(), choose, heads)
        for field in event._fields:
            np.testing.assert_array_equal(getattr(event, field), getattr(now, field), err_msg=f"{field} at tick {t}")
        np.testing.assert_array_equal(outcomes.reward["buyer"][t], now.buyer_reward)
        np.testing.assert_array_equal(outcomes.reward["seller"][t], now.seller_reward)
        assert (outcomes.discount["buyer"][t] == now.going).all() and (
            outcomes.discount["seller"][t] == now.going
        ).all()
        if now.going:
            assert_same_position(game, jax.tree.map(lambda x, t=t: x[t], (worlds, seen)), reference, now)


def assert_same_position(game, ours, reference, now):
    """Units, book and what traders see, between two ticks."""
    world, seen = ours
    np.testing.assert_array_equal(world.bought, reference.bought)
    np.testing.assert_array_equal(world.sold, reference.sold)
    quotes = (reference.bid, reference.ask) if game.persistence else (-inf, inf)
    buyers, sellers = seen["buyer"], seen["seller"]
    np.testing.assert_array_equal(buyers.left, [len(reference.values[i]) - n for i, n in enumerate(reference.bought)])
    np.testing.assert_array_equal(
        buyers.limit, [reference.value(i) or row[-1] for i, row in enumerate(reference.values)]
    )
    np.testing.assert_array_equal(sellers.left, [len(reference.costs[j]) - n for j, n in enumerate(reference.sold)])
    next_costs = [row[-1] if reference.cost(j) is None else reference.cost(j) for j, row in enumerate(reference.costs)]
    np.testing.assert_array_equal(-sellers.limit, next_costs)
    for view, sign in ((buyers, 1), (sellers, -1)):
        assert (view.step == reference.clock % game.steps).all()
        assert (view.period == reference.clock // game.steps).all()
        own, rival = (view.tape.bid, view.tape.ask) if sign > 0 else (-view.tape.ask, -view.tape.bid)
        assert (own == quotes[0]).all() and (rival == quotes[1]).all()
        assert (view.tape.sale == now.traded).all() and (sign * view.tape.price == now.price).all()
        assert ((view.tape.bidder if sign > 0 else view.tape.asker) == now.bidder).all()
        assert ((view.tape.buy if sign > 0 else view.tape.sell) == now.buy).all()
        shown = (view.tape.bids, view.tape.asks) if sign > 0 else (-view.tape.asks, -view.tape.bids)
        np.testing.assert_array_equal(shown[0], np.broadcast_to(now.bids, shown[0].shape))
        np.testing.assert_array_equal(shown[1], np.broadcast_to(now.asks, shown[1].shape))


# Invariants, with prices that no grid makes exact.


def reals(ticks: int, seats: int):
    return arrays(np.float32, (ticks, seats), elements=st.floats(-1.0, 8.0, width=32) | st.just(-inf))


def real_rounds(game: DoubleAuction):
    b, s, ticks = game.buyers, game.sellers, game.length
    return st.tuples(
        limits(b, -1.0), limits(s, 1.0), reals(ticks, b), reals(ticks, s), reals(ticks, b), reals(ticks, s),
        st.integers(0, 2**32 - 1),
    )  # fmt: skip


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=20)
@given(data=st.data())
def test_invariants_of_every_market(name, data):
    game = market(name)
    drawn = data.draw(real_rounds(game))
    values, costs, bids, asks, *_ = drawn
    worlds, _, outcomes = run_round(game, drawn)
    event = outcomes.info
    gains = outcomes.reward["buyer"].sum(axis=1) + outcomes.reward["seller"].sum(axis=1)
    np.testing.assert_allclose(gains, event.value - event.cost - event.fees, atol=1e-5)  # what is paid is received
    if not game.fee:
        assert ((outcomes.reward["buyer"] != 0).sum(axis=1) <= 1).all()  # one unit at most in a tick
        assert ((outcomes.reward["seller"] != 0).sum(axis=1) <= 1).all()
    for side in (event.buyer, event.seller):
        np.testing.assert_array_equal(side >= 0, event.traded)
    ends = np.stack([event.bid, event.ask])[:, event.traded]
    finite = np.where(np.isfinite(ends), ends, ends[::-1])
    price = event.price[event.traded]
    assert (price >= finite.min(axis=0) - 1e-6).all() and (price <= finite.max(axis=0) + 1e-6).all()
    if game.acceptance != "profit":
        assert (event.bid >= event.ask)[event.traded].all()
    assert_units_come_and_go(game, worlds, event, np.isfinite(values).sum(axis=1), np.isfinite(costs).sum(axis=1))
    assert_quotes_are_legal(game, event, bids, asks)


def assert_units_come_and_go(game, worlds, event, wanted, offered):
    """Counts stay within limits, go up by the trade, and return to zero with each period; the book is cleared."""
    for used, who, most in ((worlds.bought, event.buyer, wanted), (worlds.sold, event.seller, offered)):
        assert (used >= 0).all() and (used <= most).all()
        before = np.zeros_like(most)
        for t in range(game.length):
            turns = game.periods > 1 and (t + 1) % game.steps == 0
            expected = 0 * before if turns else before + (np.arange(len(most)) == who[t])
            np.testing.assert_array_equal(used[t], expected)
            before = expected
    if game.persistence:
        empty = event.traded.copy()
        if game.periods > 1:
            empty |= (np.arange(game.length) + 1) % game.steps == 0
        assert (worlds.book.bid[empty] == -inf).all() and (worlds.book.ask[empty] == inf).all()
        assert (worlds.book.bidder[empty] == -1).all() and (worlds.book.asker[empty] == -1).all()
        np.testing.assert_array_equal(worlds.book.bid[~empty], event.bid[~empty])
    else:
        assert worlds.book is None


def assert_quotes_are_legal(game, event, bids, asks):
    quoted = np.isfinite(event.bids), np.isfinite(event.asks)
    if game.tick:
        for x in (event.bids[quoted[0]], event.asks[quoted[1]]):
            np.testing.assert_array_equal(x, np.round(x / game.tick) * game.tick)
        if isinstance(game.price_rule, CoinToss):
            np.testing.assert_array_equal(event.price, np.round(event.price / game.tick) * game.tick)
        # bids down and asks up, to the next price of the grid (a thousandth of a tick is forgiven)
        down, up = bids[quoted[0]] - event.bids[quoted[0]], event.asks[quoted[1]] - asks[quoted[1]]
        for moved in (down, up):
            assert (moved > -2e-3).all() and (moved < game.tick).all()
    else:
        np.testing.assert_array_equal(event.bids[quoted[0]], bids[quoted[0]])
        np.testing.assert_array_equal(event.asks[quoted[1]], asks[quoted[1]])
    if game.bounded:
        for x in (event.bids[quoted[0]], event.asks[quoted[1]]):
            assert (x >= LOW).all() and (x <= HIGH).all()


# Ties and coins.


@pytest.fixture(scope="module")
def equals():
    """20,000 ticks in which all four on a side quote alike and all accept; then as many with one lonely quote."""
    game = DoubleAuction(Blank(), CoinToss(), low=0.0, high=10.0, steps=1, open_requests=True)
    world = game.init(rng.key(0))._replace(values=jnp.full((4, 2), 9.0), costs=jnp.full((4, 2), 1.0))
    silent = jnp.full(4, -jnp.inf)
    quotes = [  # bids and asks; the asks in the sellers' own coordinates
        (jnp.full(4, 6.0), jnp.full(4, -4.0)),
        (silent, silent.at[2].set(-4.0)),
        (silent.at[1].set(6.0), silent),
    ]

    @jax.jit
    def ticks(keys, bids, asks):
        order = {"buyer": Order(bids, jnp.full(4, 9.0)), "seller": Order(asks, jnp.full(4, -1.0))}
        return jax.vmap(lambda key: game.step(key, world, order)[1].info)(keys)

    keys = jax.random.split(rng.key(7), (3, 20_000))
    return [jax.tree.map(np.asarray, ticks(k, *q)) for k, q in zip(keys, quotes, strict=True)]


def uniform(counts):
    """The seed is fixed, so this either always holds or never."""
    assert stats.chisquare(counts).pvalue > 1e-3, counts


def test_ties_are_broken_with_equal_chances(equals):
    both, no_bid, no_ask = equals
    for seats in (both.bidder, both.asker, no_bid.buyer, no_ask.seller):
        uniform(np.bincount(seats, minlength=4))
    np.testing.assert_array_equal(both.buyer, both.bidder)
    assert (no_bid.seller == 2).all() and (no_ask.buyer == 1).all()
    assert (no_bid.price == 4.0).all() and (no_ask.price == 6.0).all()  # the lonely quote is the price


def test_the_coin_is_fair_and_nothing_drawn_in_a_tick_depends_on_anything_else(equals):
    both = equals[0]
    assert set(both.price.tolist()) == {4.0, 6.0}
    uniform(np.bincount((both.price == 6.0).astype(int), minlength=2))
    table = np.zeros((4, 4, 2))
    np.add.at(table, (both.bidder, both.asker, (both.price == 6.0).astype(int)), 1)
    uniform(table.ravel())


# Reflection.


def untied(game: DoubleAuction):
    """Rounds in which chance decides nothing: distinct quotes on each side, and at most one who would accept."""
    b, s, ticks = game.buyers, game.sellers, game.length

    def side(n):
        grid = max(game.tick, 0.5)  # or rounding would make equals of them
        order = st.permutations(range(12)).map(lambda p: grid * (np.asarray(p[:n], np.float32) - 1))
        return st.lists(order, min_size=ticks, max_size=ticks).map(np.stack)

    def accepting(n, sign):
        def reserves(drawn):
            who, price = drawn
            alone = np.arange(n) == who[:, None]
            return np.where(alone | (not game.open_requests), price, -sign * inf).astype(np.float32)

        prices = arrays(np.int64, (ticks, n), elements=st.integers(0, 14)).map(lambda x: x / 2)
        return st.tuples(arrays(np.int64, ticks, elements=st.integers(0, n - 1)), prices).map(reserves)

    return st.tuples(
        limits(b, -1.0), limits(s, 1.0), side(b), side(s), accepting(b, 1.0), accepting(s, -1.0), st.integers(0, 99)
    )


@pytest.mark.parametrize("name", [name for name in MARKETS if MARKETS[name].get("k", 0.5) is not None])
@settings(max_examples=20)
@given(data=st.data())
def test_the_mirror_of_a_market_has_the_mirrored_outcome(name, data):
    """Buyers and sellers swapped by p -> -p: same quantities, prices of the other sign, exactly."""
    game = market(name)
    other = eqx.tree_at(
        lambda g: g.price_rule.k, market(name, S, B, -HIGH, -LOW), 1 - game.price_rule.k, is_leaf=lambda x: x is None
    )
    values, costs, bids, asks, most, least, seed = data.draw(untied(game))
    one = run_round(game, (values, costs, bids, asks, most, least, seed))
    two = run_round(other, (-costs, -values, -asks, -bids, -least, -most, seed + 1))
    assert_mirrored(one, two)


def assert_mirrored(one, two):
    (_, seen, outcome), (_, seen_other, outcome_other) = one, two
    a, b = outcome.info, outcome_other.info
    for left, right in (
        (a.traded, b.traded), (a.price, -b.price), (a.buyer, b.seller), (a.seller, b.buyer), (a.value, -b.cost),
        (a.cost, -b.value), (a.bid, -b.ask), (a.ask, -b.bid), (a.bidder, b.asker), (a.asker, b.bidder),
        (a.buy, b.sell), (a.sell, b.buy), (a.bids, -b.asks), (a.asks, -b.bids),
    ):  # fmt: skip
        np.testing.assert_array_equal(left, right)
    for role, twin in (("buyer", "seller"), ("seller", "buyer")):
        np.testing.assert_array_equal(outcome.reward[role], outcome_other.reward[twin])
        # a buyer sees exactly what its twin, a seller in the mirrored market, sees; only the name of the side differs
        mine, twins = seen[role], seen_other[twin]
        np.testing.assert_array_equal(mine.side, -twins.side)
        jax.tree.map(np.testing.assert_array_equal, mine._replace(side=twins.side), twins)


# What a market may not depend on: the unit of prices, their origin, the order of seats.


def moved_market(game, scale, shift):
    """The market with every price p at scale p + shift."""
    move = lambda x: scale * x + shift
    prices = {name: move(getattr(game, name)) for name in ("low", "high", "lowest_bid", "highest_ask")}
    return dataclasses.replace(game, **prices, fee=scale * game.fee, tick=scale * game.tick)


@pytest.mark.parametrize(("scale", "shift"), [(2.0, 0.0), (1.0, 64.0)])
@pytest.mark.parametrize("name", ["seed", "aurora", "second price, standing quotes, grid", "reserve prices, fee"])
@settings(max_examples=10)
@given(data=st.data())
def test_prices_in_another_unit_or_from_another_origin_give_the_same_market(name, scale, shift, data):
    """Exactly: quotes are multiples of 1/2, and neither a power of two nor a shift by 64 costs them a bit."""
    game = market(name)
    *prices, seed = data.draw(rounds(game))
    _, _, one = run_round(game, (*prices, seed))
    elsewhere = [scale * x + shift for x in prices]
    _, _, two = run_round(moved_market(game, scale, shift), (*elsewhere, seed))
    a, b = one.info, two.info
    for field in ("traded", "buyer", "seller", "bidder", "asker", "buy", "sell"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
    for field in ("bid", "ask", "bids", "asks"):
        np.testing.assert_array_equal(scale * getattr(a, field) + shift, getattr(b, field))
    for field in ("price", "value", "cost"):
        np.testing.assert_array_equal(np.where(a.traded, scale * getattr(a, field) + shift, 0), getattr(b, field))
    for role in ("buyer", "seller"):
        np.testing.assert_array_equal(scale * one.reward[role], two.reward[role])


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=15)
@given(data=st.data())
def test_traders_who_change_seats_take_their_fortunes_along(name, data):
    """Where no two quote alike and at most one would accept, so that no draw decides who of several it is."""
    game = market(name)
    values, costs, bids, asks, most, least, seed = data.draw(untied(game))
    b, s = (np.asarray(data.draw(st.permutations(range(n)))) for n in (game.buyers, game.sellers))
    _, _, one = run_round(game, (values, costs, bids, asks, most, least, seed))
    _, _, two = run_round(game, (values[b], costs[s], bids[:, b], asks[:, s], most[:, b], least[:, s], seed))
    np.testing.assert_array_equal(one.info.price, two.info.price)
    np.testing.assert_array_equal(one.info.traded, two.info.traded)
    np.testing.assert_array_equal(one.reward["buyer"][:, b], two.reward["buyer"])
    np.testing.assert_array_equal(one.reward["seller"][:, s], two.reward["seller"])


def test_mirror_is_its_own_inverse():
    full = Tape(*[jnp.asarray(float(i)) for i in range(len(Tape._fields))])
    flags = ("bidder", "asker", "buy", "sell", "sale", "shown")
    full = full._replace(**{name: jnp.asarray(i % 2 == 0) for i, name in enumerate(flags)})
    for tape in (full, Tape(), full._replace(bids=None, asks=None)):
        twice = mirror(mirror(tape))
        assert jax.tree.structure(twice) == jax.tree.structure(tape)
        jax.tree.map(np.testing.assert_array_equal, twice, tape)
    assert mirror(full).bid == -full.ask and mirror(full).price == -full.price and mirror(full).bidder == full.asker


# Disclosure.

OWN = {"side", "limit", "left", "traded", "tokens", "low", "high", "cap", "tick", "step", "steps", "period"}
OWN |= {"own_seats", "rival_seats"}
PUBLIC = {
    ZeroDisclosure: set(),
    ReducedDisclosure: {"bid", "ask", "last_bid", "last_ask", "sale", "price"},
    FullDisclosure: set(Tape._fields) - {"shown"},
    ConditionalDisclosure: set(Tape._fields),
}


@pytest.mark.parametrize("market", [memoryless_market, aurora])
@pytest.mark.parametrize("disclosure", PUBLIC)
def test_only_what_is_disclosed_reaches_a_trader(market, disclosure):
    """The leaves of the observation are named one by one: what is hidden is not there, not even as zeros."""
    game = market(disclosure=disclosure())
    for role, obs in jax.eval_shape(lambda: game.observe(game.init(rng.key(0)))).items():
        leaves = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in jax.tree.leaves_with_path(obs)]
        assert set(leaves) == OWN | {f"tape.{name}" for name in PUBLIC[disclosure]}, role


def conditional_ticks(disclosure, **changes):
    """Two rounds that differ in what the others say while nothing trades, then one trade."""
    game = memoryless_market(tokens=Blank(), buyers=2, sellers=2, steps=3, disclosure=disclosure, **changes)
    values, costs = jnp.asarray([[60.0, 50.0], [61.0, 51.0]]), jnp.asarray([[70.0, 71.0], [40.0, 72.0]])
    views = []
    for noise in (0.0, 1.5):
        bids = jnp.asarray([[36.0 + noise, 37.0], [36.0, 38.0 + noise], [50.0, 45.0]])
        asks = jnp.asarray([[89.0, 88.0 - noise], [89.0 - noise, 87.0], [80.0, 45.0]])
        orders = {"buyer": Order(bids, jnp.full((3, 2), 60.0)), "seller": Order(-asks, jnp.full((3, 2), -40.0))}
        views.append(jax.tree.map(np.asarray, play(game, rng.key(0), values, costs, orders))[1:])
    assert views[0][1].info.traded.tolist() == [False, False, True]
    return views


def test_without_disclosure_the_words_of_others_leave_no_trace():
    (one, _), (two, _) = conditional_ticks(ZeroDisclosure())
    jax.tree.map(np.testing.assert_array_equal, one, two)


def test_conditional_disclosure_is_blank_until_a_unit_changes_hands():
    (one, _), (two, events) = conditional_ticks(ConditionalDisclosure())
    jax.tree.map(np.testing.assert_array_equal, one, two)  # the noise is in ticks without a trade
    tape = two["buyer"].tape
    np.testing.assert_array_equal(tape.shown[:, 0], [False, False, True])
    assert (tape.bids[:2] == -inf).all() and (tape.bidder[:2] == -1).all() and (tape.last_ask[:2] == inf).all()
    np.testing.assert_array_equal(tape.bids[2, 0], events.info.bids[2])
    assert tape.price[2, 0] == events.info.price[2] != 0


def test_full_disclosure_would_have_shown_it():
    (one, _), (two, _) = conditional_ticks(FullDisclosure())
    assert (one["buyer"].tape.bids != two["buyer"].tape.bids).any()


@pytest.mark.parametrize(
    ("disclosure", "size"),
    [(ZeroDisclosure, 6), (ReducedDisclosure, 10), (FullDisclosure, 28), (ConditionalDisclosure, 29)],
)
def test_memoryless_features_have_the_published_sizes(disclosure, size):
    game = memoryless_market(disclosure=disclosure())
    views = jax.eval_shape(lambda: jax.vmap(StandardFeatures())(game.observe(game.init(rng.key(0)))["seller"]))
    assert views.shape == (4, size)


# Settings.


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (dict(buyers=0), "buyers must be an integer of at least 1, got 0"),
        (dict(periods=True), "periods must be an integer of at least 1, got True"),
        (dict(tick=-1.0), "tick must be 0 or positive"),
        (dict(tick="a"), "tick must be 0 or positive"),
        (dict(tick=float("nan")), "tick must be 0 or positive"),
    ],
)
@pytest.mark.usefixtures("as_users_have_it")
def test_impossible_markets_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        memoryless_market(**changes)
    with pytest.raises(InputError, match="DoubleAuction: fee must be numbers, got 'a'"):
        memoryless_market(fee="a")


# What a market cannot be.


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (dict(low=6.0, high=6.0), "low must be below high, got 6 and 6"),
        (dict(low=0.5, high=6.0, tick=1.0), "low must be a multiple of the tick 1, got 0.5"),
        (dict(low=0.0, high=6.0, tick=0.7), "high must be a multiple of the tick 0.7, got 6"),
        (dict(fee=-0.5), r"fee must lie in \[0, inf\), got -0.5"),
        (dict(fee=float("nan")), "fee must lie in"),
        (dict(low=0.0, high=6.0, lowest_bid=7.0), r"lowest_bid = 7 lies outside the price bounds \[0, 6\]"),
        (dict(low=0.0, high=6.0, highest_ask=-1.0), "highest_ask = -1 lies outside"),
        (dict(bounded=False, lowest_bid=float("nan")), "lowest_bid must be one price, got nan"),
        (dict(highest_ask=jnp.asarray([4.0, 5.0])), r"highest_ask must be one price, got \[4. 5.\]"),
        (dict(price_rule=SecondPrice()), "SecondPrice prices quotes that cross; give acceptance='quotes'"),
    ],
)
def test_a_market_that_cannot_be_is_refused(changes, says):
    with pytest.raises(CatallaxError, match=says):
        DoubleAuction(Blank(), **changes)


def test_a_tick_of_a_tenth_divides_bounds_that_no_float_holds_exactly():
    DoubleAuction(Blank(), low=0.3, high=90.1, tick=0.1)


@pytest.mark.parametrize("k", [-0.1, 1.1])
def test_weights_of_prices_lie_between_0_and_1(k):
    for rule in (SecondPrice, WeightedMidpoint):
        with pytest.raises(CatallaxError, match=f"{rule.__name__}: k must lie in"):
            rule(k)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6), st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_second_prices_are_the_ends_of_what_clears_the_ticks_quotes(bids, asks):
    """With k = 1 and 0: the interval in which at the price one more unit is neither wanted nor offered."""
    bids, asks = sorted(bids, reverse=True), sorted(asks)
    if bids[0] < asks[0]:
        return
    best = BestQuotes(*map(jnp.float32, (bids[0], asks[0], bids[1], asks[1])))
    low, high = (float(SecondPrice(k).both(best, jnp.asarray(True))) for k in (0.0, 1.0))
    clears = [p for p in range(10) if sum(b > p for b in bids) <= 1 and sum(a < p for a in asks) <= 1]
    one = [p for p in clears if asks[0] <= p <= bids[0]]
    if low <= high:  # else more than one pair crosses: one trades now, and the price lies between the second quotes
        assert (low, high) == (one[0], one[-1])
    assert asks[0] <= float(SecondPrice().both(best, jnp.asarray(True))) <= bids[0]
