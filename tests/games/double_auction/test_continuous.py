"""The continuous auction against a plain-Python one, tick by tick and rule by rule; invariances, draws, refusals."""

from functools import cache
from math import inf

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from institution_rounds import (
    HIGH,
    LOW,
    B,
    Blank,
    S,
    assert_agrees,
    assert_conserved,
    assert_mirrored,
    assert_moved,
    assert_permuted,
    distinct,
    mirrored,
    moved,
    permuted,
    quotes,
    rounds,
    run_round,
    word_for,
)
from reference_institutions import Continuous, Rules
from scipy import stats

from catallax.core import InputError, rng
from catallax.games.double_auction import ContinuousDoubleAuction, Fixed, Order, ReducedDisclosure, ZeroDisclosure

pytestmark = pytest.mark.compile_effort("least")

STEPS = 8
MARKETS: dict[str, dict] = {
    "plain": dict(),
    "two periods on a grid": dict(periods=2, tick=1.0, low=1.0),
    "nyse rule": dict(periods=2, improvement=True, bounded=False),
    "cleared after trade": dict(clear_after_trade=True),
    "reserve": dict(takes="reserve", periods=2),
    "all": dict(takes="reserve", periods=2, improvement=True, clear_after_trade=True, tick=0.5),
}


@cache
def market(name: str, buyers: int = B, sellers: int = S, scale: float = 1.0, shift: float = 0.0, **more):
    settings = dict(low=LOW, high=HIGH, steps=STEPS) | MARKETS[name] | more
    settings["low"], settings["high"] = (scale * settings[x] + shift for x in ("low", "high"))
    settings["tick"] = scale * settings.get("tick", 0.0)
    return ContinuousDoubleAuction(Blank(), buyers=buyers, sellers=sellers, **settings)


def reference(name: str, values, costs):
    return Continuous(Rules(**(dict(low=LOW, high=HIGH, steps=STEPS) | MARKETS[name])), values.tolist(), costs.tolist())


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=40)
@given(data=st.data())
def test_every_tick_agrees_with_the_independent_market(name, data):
    game = market(name)
    drawn = data.draw(rounds(game))
    other = reference(name, *drawn[:2])
    for _, world, seen in assert_agrees(game, other, drawn):
        bid, ask = other.best(True)[0], other.best(False)[0]
        assert bid < ask  # never crossed
        for view, sign in ((seen["buyer"], 1), (seen["seller"], -1)):
            own, rival = (bid, ask) if sign > 0 else (-ask, -bid)
            assert (view.tape.bid == own).all() and (view.tape.ask == rival).all()
        standing = np.full(B, -inf), np.full(S, -inf)
        for order in other.book:
            standing[not order.buys][order.trader] = order.price if order.buys else -order.price
        np.testing.assert_array_equal(world.book.bids.price, standing[0])
        np.testing.assert_array_equal(world.book.asks.price, standing[1])
        np.testing.assert_array_equal(
            seen["buyer"].left, [len(r) - n for r, n in zip(other.values, other.bought, strict=True)]
        )
        np.testing.assert_array_equal(
            seen["seller"].left, [len(r) - n for r, n in zip(other.costs, other.sold, strict=True)]
        )


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=10)
@given(data=st.data())
def test_what_is_paid_is_received(name, data):
    assert_conserved(run_round(market(name), data.draw(rounds(market(name))))[2])


# One adaptive run: whoever is drawn, whatever is said, the book and the accounts are those of the plain one.


class BookMachine(RuleBasedStateMachine):
    """A market whose arrivals and orders are chosen one by one, in view of the book."""

    name = "plain"

    def __init__(self):
        super().__init__()
        # four buyers and three sellers with their units: 3, 1, 2, 0 and 2, 3, 1
        values = np.asarray([[9, 7, 5], [8, -inf, -inf], [6, 6, -inf], [-inf] * 3], np.float32) / 2
        costs = np.asarray([[1, 4, inf], [2, 2, 9], [5, inf, inf]], np.float32) / 2
        self.game = machine_market(self.name)
        self.world = self.game.init(rng.key(0))._replace(values=jnp.asarray(values), costs=jnp.asarray(costs))
        self.plain = Continuous(
            Rules(**(dict(low=LOW, high=HIGH, steps=12, periods=10**6) | MARKETS[self.name])),
            values.tolist(),
            costs.tolist(),
        )
        self.profit = self.gain = 0.0
        self.units = [0, 0]

    def arrive(self, data, price, reserve):
        """One of those with units left says this, in true prices; the others shout nonsense, which is not heard."""
        candidates = [(True, i) for i in self.plain.buyers()] + [(False, j) for j in self.plain.sellers()]
        place = data.draw(st.integers(0, len(candidates) - 1), label="who")
        buys, trader = candidates[place]
        most, least = np.full(4, inf, np.float32), np.full(3, -inf, np.float32)
        bids, asks = np.full(4, 6.0, np.float32), np.full(3, 0.5, np.float32)
        price, reserve = price(buys, trader), reserve(buys, trader)
        (bids if buys else asks)[trader], (most if buys else least)[trader] = price, reserve
        word = word_for(place, len(candidates))
        orders = jax.tree.map(jnp.asarray, {"buyer": Order(bids, most), "seller": Order(-asks, -least)})
        self.world, outcome = machine_step(self.game, jnp.asarray([word, 0], jnp.uint32), self.world, orders)
        now = self.plain.play(
            bids.tolist(), asks.tolist(), most.tolist(), least.tolist(), lambda c: c[place], lambda c: c[0]
        )
        for field in outcome.info._fields:
            np.testing.assert_array_equal(getattr(outcome.info, field), getattr(now, field), err_msg=field)
        self.profit += float(outcome.reward["buyer"].sum() + outcome.reward["seller"].sum())
        self.gain += now.value - now.cost
        self.units = [self.units[0] + (now.buyer >= 0), self.units[1] + (now.seller >= 0)]
        assert now.traded == (float(outcome.info.value) > 0)  # no unit here is worth nothing

    def anyone(self):
        return bool(self.plain.buyers() or self.plain.sellers())

    @precondition(anyone)
    @rule(data=st.data(), price=st.integers(1, 12).map(lambda n: n / 2))
    def limit_order(self, data, price):
        """A new order, or one in place of an old one; it may cross."""
        self.arrive(data, lambda *_: price, lambda *_: price)

    @precondition(anyone)
    @rule(data=st.data(), away=st.sampled_from([-0.5, 0.0, 0.5]))
    def at_the_best(self, data, away):
        """Joins, beats or nearly beats the best of its own side, or quotes the best where there is none."""

        def price(buys, _):
            best = self.plain.best(buys)[0]
            return best + away if np.isfinite(best) else 3.0

        self.arrive(data, price, price)

    @precondition(anyone)
    @rule(data=st.data())
    def market_take(self, data):
        """Quotes exactly the other side's best, or is silent where there is none."""

        def price(buys, _):
            best = self.plain.best(not buys)[0]
            return best if np.isfinite(best) else (-inf if buys else inf)

        self.arrive(data, price, lambda buys, _: 0.0 if buys else 9.0)

    @precondition(anyone)
    @rule(data=st.data(), reserve=st.integers(0, 12).map(lambda n: n / 2))
    def silence_or_reserve(self, data, reserve):
        """No quote; where reserves count it may take all the same."""
        self.arrive(data, lambda buys, _: -inf if buys else inf, lambda *_: reserve)

    @precondition(anyone)
    @rule(data=st.data())
    def cancel(self, data):
        nothing = lambda buys, _: -inf if buys else inf
        self.arrive(data, nothing, nothing)

    @invariant()
    def same_book_and_accounts(self):
        bids, asks = np.asarray(self.world.book.bids.price), -np.asarray(self.world.book.asks.price)
        assert (bids.max(), asks.min()) == (self.plain.best(True)[0], self.plain.best(False)[0])
        assert bids.max() < asks.min()
        assert {i for i in range(4) if np.isfinite(bids[i])} == {x.trader for x in self.plain.book if x.buys}
        assert {j for j in range(3) if np.isfinite(asks[j])} == {x.trader for x in self.plain.book if not x.buys}
        assert {x.trader for x in self.plain.book if x.buys} <= set(self.plain.buyers())
        assert {x.trader for x in self.plain.book if not x.buys} <= set(self.plain.sellers())
        np.testing.assert_array_equal(self.world.bought, self.plain.bought)
        np.testing.assert_array_equal(self.world.sold, self.plain.sold)
        assert self.units[0] == self.units[1]
        assert self.profit == self.gain  # halves are exact: to the last tick of price


@cache
def machine_market(name: str):
    settings = dict(low=LOW, high=HIGH) | MARKETS[name] | dict(steps=12, periods=10**6)
    return ContinuousDoubleAuction(Blank(3), buyers=4, sellers=3, **settings)


@jax.jit
def machine_step(game, words, world, orders):
    return game.step(rng.key_from_bits(rng.Bits(words[0], words[1])), world, orders)


@pytest.mark.parametrize("name", ["plain", "nyse rule", "cleared after trade", "reserve"])
def test_the_book_is_that_of_a_plain_list_of_orders(name):
    machine = type("Machine", (BookMachine,), {"name": name})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=40, deadline=None))


# Invariances. With as many units as ticks all are always active, so a word can be found for any arrival.


def busy_rounds(game, sides=distinct):
    """Rounds of traders whose units do not run out, and for each tick the place of who is drawn."""
    b, s, ticks = game.buyers, game.sellers, game.length
    full = lambda rows, sign: arrays(np.int64, (rows, STEPS), elements=st.integers(0, 14)).map(
        lambda n: (sign * np.sort(sign * n / 2, axis=1)).astype(np.float32)
    )
    return st.tuples(
        full(b, -1.0), full(s, 1.0), sides(ticks, b), sides(ticks, s), quotes(ticks, b), quotes(ticks, s),
        arrays(np.int64, ticks, elements=st.integers(0, b + s - 1)),
    )  # fmt: skip


def words_of(places, n):
    return np.asarray([[word_for(place, n), 0] for place in places], np.uint32)


@cache
def busy_market(name: str, buyers: int = B, sellers: int = S, **bounds):
    settings = dict(low=LOW, high=HIGH) | MARKETS[name] | dict(steps=STEPS, periods=1) | bounds
    return ContinuousDoubleAuction(Blank(STEPS), buyers=buyers, sellers=sellers, **settings)


@pytest.mark.parametrize("name", ["two periods on a grid", "nyse rule", "all"])
@settings(max_examples=10)
@given(data=st.data())
def test_the_mirror_of_a_market_has_the_mirrored_outcome(name, data):
    game = busy_market(name)
    other = busy_market(name, S, B, low=-float(game.high), high=-float(game.low))
    drawn = data.draw(busy_rounds(game, quotes))
    here = drawn[:-1] + (words_of(drawn[-1], B + S),)
    there = [place + S if place < B else place - B for place in drawn[-1]]  # sellers are now the first
    assert_mirrored(run_round(game, here), run_round(other, mirrored(drawn, words_of(there, B + S))))


@pytest.mark.parametrize("name", ["plain", "all"])
@settings(max_examples=10)
@given(data=st.data(), buyers=st.permutations(range(B)), sellers=st.permutations(range(S)))
def test_seats_have_no_privileges(name, data, buyers, sellers):
    """Time priority is the traders', not the seats': here even ties are decided alike."""
    game = busy_market(name)
    drawn = data.draw(busy_rounds(game, quotes))
    old = [*buyers, *(B + j for j in sellers)]
    there = [old.index(place) for place in drawn[-1]]
    one = run_round(game, drawn[:-1] + (words_of(drawn[-1], B + S),))
    two = run_round(game, permuted(drawn, buyers, sellers, words_of(there, B + S)))
    assert_permuted(one, two, buyers, sellers)


@pytest.mark.parametrize("scale, shift", [(4.0, 0.0), (1.0, 32.0), (0.5, -8.0)])
@pytest.mark.parametrize("name", ["plain", "all"])
@settings(max_examples=10)
@given(data=st.data())
def test_only_differences_of_prices_count(name, scale, shift, data):
    game, other = market(name), market(name, scale=scale, shift=shift)
    drawn = data.draw(rounds(game))
    assert_moved(run_round(game, drawn), run_round(other, moved(drawn, scale, shift)), scale, shift)


# Single rules, by hand.


def by_hand(script, **changes):
    """Arrivals one after the other: (seat among buyers then sellers, price, reserve), true prices; two on a side."""
    game = ContinuousDoubleAuction(Blank(2), low=0.0, high=10.0, buyers=2, sellers=2, steps=len(script), **changes)
    ticks = len(script)
    bids, asks = np.full((ticks, 2), -inf, np.float32), np.full((ticks, 2), inf, np.float32)
    most, least = bids.copy(), asks.copy()
    for t, (seat, price, reserve) in enumerate(script):
        side = (bids, most) if seat < 2 else (asks, least)
        side[0][t, seat % 2], side[1][t, seat % 2] = price, reserve
    values, costs = np.asarray([[9, 8], [9, 8]], np.float32), np.asarray([[1, 2], [1, 2]], np.float32)
    words = words_of([seat for seat, *_ in script], 4)
    worlds, _, outcomes = run_round(game, (values, costs, bids, asks, most, least, words))
    return worlds, outcomes.info


def test_the_first_of_equal_orders_trades_first_and_the_next_is_then_best():
    _, event = by_hand([(1, 5, 5), (0, 5, 5), (0, 4, 4), (0, 5, 5), (2, 3, 3), (3, 5, 5)])
    np.testing.assert_array_equal(event.bidder, [1, 1, 1, 1, 1, 0])  # buyer 0 came second, left, and came back
    np.testing.assert_array_equal(event.traded, [False] * 4 + [True, True])
    np.testing.assert_array_equal(event.buyer[4:], [1, 0])
    np.testing.assert_array_equal(event.price[4:], [5, 5])  # the standing price, not the ask of 3


def test_repeating_a_price_goes_to_the_end_of_the_line():
    _, event = by_hand([(0, 5, 5), (1, 5, 5), (0, 5, 5), (2, 5, 5)])
    np.testing.assert_array_equal(event.bidder, [0, 0, 1, 1])


def test_silence_keeps_an_order_and_the_empty_order_cancels_it():
    worlds, event = by_hand([(0, 5, 5), (0, -inf, 5), (0, 11, 5), (0, -inf, -inf), (2, 4, 4)])
    np.testing.assert_array_equal(worlds.book.bids.price[:, 0], [5, 5, 5, -inf, -inf])
    assert not event.traded.any()
    worlds, event = by_hand([(2, 5, 5), (2, inf, 5), (2, inf, inf), (0, 6, 6)])
    np.testing.assert_array_equal(-worlds.book.asks.price[:, 0], [5, 5, inf, inf])
    assert not event.traded.any()


def test_the_order_of_a_taker_vanishes():
    worlds, event = by_hand([(0, 5, 5), (2, 7, 7), (0, 7, 7)])
    np.testing.assert_array_equal(event.traded, [False, False, True])
    assert (worlds.book.bids.price[2] == -inf).all() and (worlds.book.asks.price[2] == -inf).all()


@pytest.mark.parametrize("takes, traded", [("quote", False), ("reserve", True)])
def test_a_reserve_takes_only_where_it_is_asked_for(takes, traded):
    worlds, event = by_hand([(0, 4, 4), (2, 7, 7), (0, 5, 9), (1, 6, 6)], takes=takes)
    assert event.traded[2] == traded and event.buy[2] == traded
    assert event.bid[2] == 5 and event.bidder[2] == 0  # its quote was heard in any case
    assert worlds.book.bids.price[2, 0] == (-inf if traded else 5)


@pytest.mark.parametrize("closes", [False, True])
def test_nobody_is_heard_once_a_side_is_sold_out(closes):
    """Two buyers, one seller, a unit each: after the trade the other buyer has nobody to trade with, until period 2."""
    game = ContinuousDoubleAuction(
        Fixed([[9.0], [9.0]], [[1.0]]), low=0.0, high=10.0, buyers=2, sellers=1, steps=30, periods=2,
        sold_out_closes=closes, clear_after_trade=True,
    )  # fmt: skip
    orders = {role: Order(*[jnp.full(n, 5.0 * side)] * 2) for role, n, side in (("buyer", 2, 1), ("seller", 1, -1))}
    world, heard, traded = game.init(rng.key(0)), [], []
    step = jax.jit(lambda *x: game.step(*x))
    for t in range(60):
        world, outcome = step(rng.fold(rng.key(1), t), world, orders)
        heard.append(bool((outcome.info.bids > -inf).any() | (outcome.info.asks < inf).any()))
        traded.append(bool(outcome.info.traded))
    for start in (0, 30):
        last = traded.index(True, start)
        assert last < start + 29 and all(heard[start : last + 1])
        assert any(heard[last + 1 : start + 30]) != closes and sum(traded[start : start + 30]) == 1


def test_all_orders_go_where_the_market_is_cleared():
    worlds, event = by_hand([(0, 5, 5), (1, 4, 4), (2, 5, 5), (3, 4, 4)], clear_after_trade=True)
    np.testing.assert_array_equal(event.traded, [False, False, True, False])
    assert (worlds.book.bids.price[2] == -inf).all()


def test_every_trader_with_units_left_is_drawn_alike():
    """Buyer 1 has none, so five are drawn; the seed is fixed."""
    game = ContinuousDoubleAuction(Blank(1), low=0.0, high=10.0, buyers=3, sellers=3, steps=1)
    world = game.init(rng.key(0))._replace(values=jnp.asarray([[9.0], [-jnp.inf], [9.0]]), costs=jnp.ones((3, 1)))
    order = {"buyer": Order(jnp.full(3, 0.5), jnp.zeros(3)), "seller": Order(jnp.full(3, -9.5), jnp.zeros(3))}
    keys = jax.random.split(rng.key(3), 20_000)
    event = jax.jit(jax.vmap(lambda key: game.step(key, world, order)[1].info))(keys)
    heard = np.concatenate([np.isfinite(event.bids), np.isfinite(event.asks)], axis=1)
    assert (heard.sum(axis=1) == 1).all()
    counts = heard.sum(axis=0)
    assert counts[1] == 0 and stats.chisquare(np.delete(counts, 1)).pvalue > 1e-3


@pytest.mark.parametrize("disclosure, shown", [(ZeroDisclosure, False), (ReducedDisclosure, True)])
def test_standing_quotes_are_shown_where_they_are_public(disclosure, shown):
    game = ContinuousDoubleAuction(Blank(), disclosure())
    tape = game.observe(game.init(rng.key(0)))["seller"].tape
    assert (tape.bid is not None) == (tape.last_bid is not None) == shown and tape.bids is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (dict(buyers=0), "buyers must be an integer of at least 1, got 0"),
        (dict(periods=True), "periods must be an integer of at least 1, got True"),
        (dict(tick=-1.0), "tick must be 0 or positive"),
        (dict(tick="a"), "tick must be 0 or positive"),
        (dict(tick=float("nan")), "tick must be 0 or positive"),
        (dict(low=9.0, high=1.0), "low must be below high, got 9 and 1"),
        (dict(low=1.0, high=1.0), "low must be below high"),
        (dict(high=inf), "high must be one finite price"),
        (dict(low=[1.0, 2.0]), "low must be one finite price"),
        (dict(low=0.5, tick=1.0), "low must be a multiple of the tick 1, got 0[.]5"),
        (dict(high=10.0, tick=3.0), "high must be a multiple of the tick 3, got 10"),
    ],
)
@pytest.mark.usefixtures("as_users_have_it")
def test_impossible_markets_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        ContinuousDoubleAuction(Blank(), **changes)
