"""Belief traders and AA: beliefs against plain counts, bids against fine grids, plans against brute force."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.agents.traders import AA, GD, GDX, MGD
from catallax.agents.traders import adaptive_aggressiveness as aa
from catallax.agents.traders.beliefs import CAPACITY, belief, listen, no_history, price_grid
from catallax.agents.traders.expected_surplus import best_bid
from catallax.agents.traders.gdx import plan, remaining_values
from catallax.core import BuildError, Group, InputError, Play, Population, rng, run
from catallax.games.double_auction import (
    ConditionalDisclosure,
    FullDisclosure,
    ReducedDisclosure,
    Tape,
    TraderView,
    ZeroDisclosure,
    aurora,
    memoryless_market,
)
from catallax.measures.double_auction import Efficiency, Profit

INF = float("inf")


def view(limit=60.0, tokens=None, low=0.0, high=100.0, side=1.0, tick=1.0, left=2, traded=0, step=3, period=0, **tape):
    """What a trader sees, in own coordinates; nothing has happened but what is named."""
    real = jnp.float32
    public = dict(bid=-INF, ask=INF, last_bid=-INF, last_ask=INF, sale=False, price=0.0) | tape
    return TraderView(
        side=real(side),
        limit=real(limit),
        left=jnp.int32(left),
        traded=jnp.int32(traded),
        tokens=jnp.asarray([limit] * 4 if tokens is None else tokens, real),
        low=real(low),
        high=real(high),
        cap=real(high),
        tick=real(tick),
        step=jnp.int32(step),
        steps=jnp.int32(25),
        period=jnp.int32(period),
        tape=Tape(**{k: jnp.asarray(x) if isinstance(x, bool) else real(x) for k, x in public.items()}),
    )


quote = jax.jit(lambda rule, key, memory, obs: rule.quote(key, memory, obs))
_listen = jax.jit(lambda history, obs, coin: listen(history, obs, price_grid(obs), coin))
_curve = jax.jit(
    lambda history, obs, levels: belief(history, price_grid(obs).top).at(levels, price_grid(obs).grain),
    static_argnums=(),
)


@jax.jit
def _best(history, obs):
    grid = price_grid(obs)
    return best_bid(belief(history, grid.top), obs.limit, grid, obs)


def smoothstep(x, knots, heights):
    """Cubics without slope at the knots, by the book."""
    k = np.clip(np.searchsorted(knots, x, side="left") - 1, 0, len(knots) - 2)
    t = np.clip((x - knots[k]) / np.maximum(knots[k + 1] - knots[k], 1e-12), 0, 1)
    return heights[k] + (heights[k + 1] - heights[k]) * t**2 * (3 - 2 * t)


def plain_belief(messages, low=0, high=100):
    """q on the grid of prices from (price, kind) with kind in "ask", "taken" and "refused"."""
    prices = sorted({p for p, _ in messages if low < p < high})
    heights = []
    for b in prices:
        speak = sum(p <= b for p, kind in messages if kind != "refused")
        against = sum(p >= b for p, kind in messages if kind == "refused")
        heights.append(speak / (speak + against))
    return smoothstep(
        np.arange(low, high + 1.0), np.asarray([low, *prices, high], float), np.asarray([0.0, *heights, 1.0])
    )


class Ledger:
    """The same ticks as a trader hears, kept as a list by the rules of an AURORA market."""

    def __init__(self):
        self.messages, self.epoch, self.bid, self.ask = [], 0, None, None

    def tick(self, bid, ask, sale):
        """The named quotes stand after the quote stage; `sale` says which was taken ("bid", "ask" or None)."""
        for name, price in (("bid", bid), ("ask", ask)):
            if price is not None and price != (self.bid and self.bid[1] if name == "bid" else self.ask and self.ask[1]):
                self.messages.append([self.epoch, price, "ask" if name == "ask" else "refused"])
                setattr(self, name, (len(self.messages) - 1, price))
        if sale == "bid":
            self.messages[self.bid[0]][2] = "taken"
        if sale:
            self.epoch += 1
            self.bid = self.ask = None

    def counted(self, memory=5):
        standing = {x[0] for x in (self.bid, self.ask) if x}
        kept = list(enumerate(self.messages))[-CAPACITY:]
        return [(p, kind) for i, (epoch, p, kind) in kept if epoch >= self.epoch - memory and i not in standing]


def play_out(moves, side=1.0):
    """A trader's history and a ledger after moves (rise of the bid, fall of the ask, what trades)."""
    history, ledger, bid, ask = no_history(), Ledger(), None, None
    for up, down, sale in moves:
        bid = up if bid is None else min(bid + up, 99) if up else bid
        ask = 100 - down if ask is None else max(ask - down, 1) if down else ask
        sale = sale if (bid is not None and ask is not None) and bid != ask else None
        ledger.tick(bid, ask, sale)
        stands = (bid, ask) if sale is None else (None, None)
        history = _listen(
            history,
            view(
                bid=-INF if stands[0] is None else float(bid),
                ask=INF if stands[1] is None else float(ask),
                last_bid=float(bid),
                last_ask=float(ask),
                sale=sale is not None,
                price=float({"bid": bid, "ask": ask, None: 0}[sale]),
            ),
            jnp.asarray(False),
        )
        bid, ask = stands
    return history, ledger


MOVES = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([None, None, "bid", "ask"])),
    min_size=1,
    max_size=40,
)


@given(MOVES)
@settings(max_examples=40, deadline=None)
def test_the_belief_is_the_plain_count_of_the_last_five_trades_messages(moves):
    history, ledger = play_out(moves)
    curve = np.asarray(_curve(history, view(), jnp.arange(1, 101, dtype=jnp.int16)))
    np.testing.assert_allclose(curve, plain_belief(ledger.counted())[1:], atol=2e-6)
    assert (np.diff(curve) >= -1e-6).all() and curve.min() >= 0 and curve.max() <= 1


@given(MOVES, st.integers(5, 100), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_the_bid_is_the_best_on_the_grid_above_the_standing_one(moves, limit, standing):
    history, ledger = play_out(moves)
    bid = float(standing) if standing else -INF
    order = _best(history, view(limit=float(limit), bid=bid))
    b = np.arange(101.0)
    gain = np.where(b > bid, plain_belief(ledger.counted()) * (limit - b), -1.0)
    if gain.max() <= 1e-6:
        assert order.price == -INF or order.surplus < 1e-3
        return
    at = int(order.price)
    assert order.price == at and bid < at <= limit
    near = gain[max(at - 1, 0) : at + 2].max()
    assert near >= gain.max() * (1 - 2e-4) - 1e-4, (at, int(gain.argmax()))
    assert float(order.surplus) >= gain.max() * (1 - 1e-4) - 1e-3


def test_the_first_bid_is_the_best_on_one_cubic_over_the_bounds():
    b = np.linspace(0, 100, 100_001)
    t = b / 100
    best = b[np.argmax(t**2 * (3 - 2 * t) * (90 - b))]
    order, _ = quote(GD(), rng.key(0), no_history(), view(limit=90.0))
    assert abs(float(order.price) - best) <= 0.5
    order, _ = quote(GD(), rng.key(0), no_history(), view(limit=90.0, tick=0.0))
    assert abs(float(order.price) - best) <= 0.02


def test_a_trade_takes_one_message_and_the_coin_speaks_only_where_the_price_does_not():
    heard = lambda coin, **tape: _listen(no_history(), view(**tape), jnp.asarray(coin))
    both = dict(last_bid=40.0, last_ask=60.0, sale=True)
    refused = lambda history: int((np.asarray(history.seen[:2]) & 1).sum())
    for coin in (False, True):
        assert refused(heard(coin, **both, price=40.0)) == 0  # the bid was taken
        assert refused(heard(coin, **both, price=60.0)) == 1  # the ask was: the bid is refused
        assert refused(heard(coin, **both, price=50.0)) == 1 - coin
        assert refused(heard(coin, last_bid=50.0, last_ask=50.0, sale=True, price=50.0)) == 1 - coin
        history = heard(coin, **both, price=40.0)
        assert int(history.heard) == 2 and (np.asarray(history.age[:2]) == 1).all()


def test_exactly_five_trades_are_remembered():
    """A refused bid of 90, then trades at an ask of 30 each: with the sixth the refusal is forgotten."""
    curve = lambda history: float(_curve(history, view(), jnp.asarray([50], jnp.int16))[0])
    history = _listen(no_history(), view(last_bid=90.0), jnp.asarray(False))
    sure = []
    for _ in range(7):
        sure.append(curve(history))
        history = _listen(history, view(last_ask=30.0, sale=True, price=30.0), jnp.asarray(False))
    assert all(x < 0.95 for x in sure[:6])
    assert sure[6] == pytest.approx(1.0, abs=1e-6)


def test_what_stands_is_not_counted_and_where_it_is_improved_it_is():
    history = _listen(no_history(), view(last_bid=40.0, bid=40.0), jnp.asarray(False))
    blank = _curve(no_history(), view(), jnp.arange(1, 101, dtype=jnp.int16))
    np.testing.assert_array_equal(_curve(history, view(), jnp.arange(1, 101, dtype=jnp.int16)), blank)
    history = _listen(history, view(last_bid=45.0, bid=45.0), jnp.asarray(False))
    curve = np.asarray(_curve(history, view(), jnp.arange(1, 101, dtype=jnp.int16)))
    np.testing.assert_allclose(curve, plain_belief([(40, "refused")])[1:], atol=1e-6)


def test_at_overflow_the_oldest_message_goes():
    history, ledger = no_history(), Ledger()
    for i in range(CAPACITY + 5):
        ledger.tick(None, 1 + (37 * i) % 99, None)
        ledger.ask = None
        history = _listen(history, view(last_ask=float(1 + (37 * i) % 99)), jnp.asarray(False))
    history = _listen(history, view(last_bid=55.0), jnp.asarray(False))
    ledger.tick(55, None, None)
    ledger.bid = None
    curve = _curve(history, view(), jnp.arange(1, 101, dtype=jnp.int16))
    np.testing.assert_allclose(curve, plain_belief(ledger.counted())[1:], atol=2e-6)


@pytest.mark.parametrize("rule", [GD(), MGD(), GDX()], ids=lambda rule: type(rule).__name__)
def test_an_ask_is_accepted_that_leaves_more_than_the_best_bid_is_expected_to(rule):
    """For GDX at the last tick of a period, where nothing comes later."""
    seen = view(limit=80.0, step=24, last_bid=40.0, bid=40.0, last_ask=70.0, ask=70.0)
    memory = rule.reset(rng.key(0), ())
    order, memory = quote(rule, rng.key(0), memory, seen)
    history = memory if isinstance(rule, GD | GDX) else memory.history
    best = _best(history, seen)
    assert float(order.reserve) == pytest.approx(80.0 - float(best.surplus), abs=1e-4)
    assert float(order.price) == float(best.price) > 40.0


@pytest.mark.parametrize("rule", [GD(), MGD(), GDX(), AA()], ids=lambda rule: type(rule).__name__)
@given(MOVES, st.integers(5, 99))
@settings(max_examples=15, deadline=None)
def test_twice_the_prices_and_twice_the_tick_give_exactly_twice_the_bid(rule, moves, limit):
    told = []
    for scale in (1.0, 2.0):
        memory, bid, ask = rule.reset(rng.key(1), ()), None, None
        spoken = []
        for up, down, sale in moves[:8]:
            bid = up if bid is None else min(bid + up, 99)
            ask = 100 - down if ask is None else max(ask - down, 1)
            price = {"bid": bid, "ask": ask, None: 0}[sale]
            told_bid, told_ask = scale * bid, scale * ask
            obs = view(
                limit=scale * limit, high=scale * 100, tick=scale, last_bid=told_bid, last_ask=told_ask,
                bid=-INF if sale else told_bid, ask=INF if sale else told_ask, sale=bool(sale), price=scale * price,
            )  # fmt: skip
            order, memory = quote(rule, rng.key(2), memory, obs)
            spoken.append([float(order.price) / scale, float(order.reserve) / scale])
            bid, ask = (None, None) if sale else (bid, ask)
        told.append(spoken)
    np.testing.assert_array_equal(np.asarray(told[0]), np.asarray(told[1]))


@pytest.mark.parametrize("rule", [GD(), MGD(), GDX(), AA()], ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize(("low", "high", "tick"), [(35.0, 90.0, 0.0), (1.0, 2000.0, 1.0), (0.0, 4.875, 0.0)])
def test_whatever_is_heard_nobody_bids_nonsense(rule, low, high, tick):
    """Nothing left, quotes outside the bounds, a limit beyond them, a market without memory: numbers, and no loss."""
    width = high - low
    for limit in (-INF, low - width, low, low + 0.4 * width, high + width):
        memory = rule.reset(rng.key(1), ())
        for at in (-0.5, 0.0, 0.3, 0.7, 1.0, 1.5):
            heard = low + at * width
            for sale in (False, True):
                obs = view(limit, low=low, high=high, tick=tick, left=0 if limit == -INF else 1, last_bid=heard,
                           last_ask=heard + 0.1 * width, sale=sale, price=heard if sale else 0.0)  # fmt: skip
                order, memory = quote(rule, rng.key(3), memory, obs)
                assert not np.isnan(order.price) and not np.isnan(order.reserve)
                assert order.price <= max(limit, -INF) and order.reserve <= limit
                leaves = [np.asarray(x) for x in jax.tree.leaves(memory)]
                assert not any(np.isnan(x).any() for x in leaves if x.dtype.kind == "f")


# MGD.


def test_mgd_believes_in_the_last_periods_prices_only():
    memory = MGD().reset(rng.key(0), ())
    for price in (40.0, 50.0):
        _, memory = quote(MGD(), rng.key(0), memory, view(limit=99.0, last_ask=price, sale=True, price=price))
    order, after = quote(MGD(), rng.key(0), memory, view(limit=99.0, period=1, step=0))
    assert after.past_lowest == 40.0 and after.past_highest == 50.0
    assert 39.0 < float(order.price) <= 51.0  # 51 is sure
    order, _ = quote(MGD(), rng.key(0), memory, view(limit=99.0, period=1, step=0, bid=60.0, last_bid=60.0))
    assert order.price == 61.0 and order.reserve == pytest.approx(61.0)
    order, _ = quote(MGD(), rng.key(0), memory, view(limit=39.0, period=1, step=0))
    assert order.price == -INF  # nothing below 40 is ever sold


# GDX.


def brute_plan(chance, price, values, ticks, g):
    """V(m, n) by recursion over every state and price, in double precision."""

    @functools.cache
    def v(m, n):
        if m == 0 or n == 0:
            return 0.0
        stay = g * v(m, n - 1)
        options = [f * (values[m - 1] - p + g * v(m - 1, n - 1)) + (1 - f) * stay for f, p in zip(chance, price)]  # noqa: B905
        return max([stay, *options])

    return [v(m, ticks) for m in range(1, len(values) + 1)]


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 100)), min_size=32, max_size=32),
    st.lists(st.integers(1, 100), min_size=4, max_size=4),
    st.sampled_from([0, 1, 2, 7, 30]),
    st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
@settings(max_examples=25, deadline=None)
def test_the_plan_is_the_brute_force_recursion(prices, values, ticks, g):
    values = sorted(values)  # the next unit with one left is the last and worst
    chance, price = (np.asarray(x, np.float32) for x in zip(*prices, strict=True))
    got = jax.jit(plan)(chance, price, jnp.asarray(values, jnp.float32), jnp.int32(ticks), jnp.float32(g))
    np.testing.assert_allclose(
        got, brute_plan([float(f) for f in chance], price.tolist(), tuple(values), ticks, g), rtol=2e-4, atol=1e-3
    )


def test_the_next_unit_depends_on_how_many_are_left():
    obs = view(90.0, [90.0, 70.0, 50.0, -INF], left=2, traded=1)
    np.testing.assert_array_equal(remaining_values(obs), [50.0, 70.0, 90.0, -INF])
    # a call market counts units out of hand as soon as they are quoted for, before anything is traded
    obs = view(50.0, [90.0, 70.0, 50.0, -INF], left=1, traded=0)
    np.testing.assert_array_equal(remaining_values(obs), [50.0, 70.0, 90.0, -INF])


def test_gdx_bids_less_the_more_time_is_left_and_as_gd_at_the_end():
    bids = []
    for step in (0, 10, 20, 24):
        order, _ = quote(GDX(), rng.key(0), no_history(), view(90.0, left=1, traded=3, step=step))
        bids.append(float(order.price))
    assert bids == sorted(bids) and bids[0] < bids[-1]
    order, _ = quote(GD(), rng.key(0), no_history(), view(90.0, left=1, traded=3, step=24))
    assert bids[-1] == float(order.price)


# AA.

THETA = st.floats(-8, 2).map(jnp.float32)


@given(THETA, st.floats(5, 95), st.floats(5, 95))
@settings(max_examples=60, deadline=None)
def test_the_target_has_its_ends_one_slope_at_nought_and_rises(theta, centre, limit):
    f = jax.jit(
        lambda r: jax.vmap(lambda r: aa.target(r, theta, jnp.float32(centre), jnp.float32(limit), jnp.float32(1)))(r)
    )
    r = jnp.linspace(-1, 1, 401)
    y = np.asarray(f(r), float)
    assert (np.diff(y) >= -2e-3).all()
    assert y[0] == pytest.approx(1.0, abs=2e-3) and y[-1] == pytest.approx(limit, abs=2e-3)
    assert y[200] == pytest.approx(min(centre, limit), abs=1e-3)
    if limit > centre + 1:
        k = 1.0 if theta == 0 else float(theta) / np.expm1(float(theta))
        # Its curvature at nought is the slope of the fall as a share of it: the steps are small beside that.
        step = min(1e-3, 0.02 * (centre - 1) / ((limit - centre) * k))
        ends = np.asarray(f(jnp.asarray([-step, step])), float)
        expected = (limit - centre) * k * step
        assert ends[1] - y[200] == pytest.approx(expected, rel=0.05, abs=2e-4)
        assert y[200] - ends[0] == pytest.approx(expected, rel=0.05, abs=2e-4)


@given(THETA, st.floats(-1, 1), st.floats(5, 95), st.floats(5, 95))
@settings(max_examples=60, deadline=None)
def test_aggressiveness_is_the_inverse_of_the_target(theta, r, centre, limit):
    args = theta, jnp.float32(centre), jnp.float32(limit), jnp.float32(1)
    price = jax.jit(aa.target)(jnp.float32(r), *args)
    again = jax.jit(aa.target)(jax.jit(aa.aggressiveness)(price, *args), *args)
    assert float(again) == pytest.approx(float(price), abs=5e-3)


@pytest.mark.parametrize("y", [1e-5, 1e-3, 0.1, 0.9, 0.999, 1.0, 1.001, 1.1, 3.0, 50.0, 1e4])
def test_the_slope_is_inverted(y):
    theta = float(jax.jit(aa.inverse_slope)(jnp.float32(y)))
    assert (1.0 if theta == 0 else theta / np.expm1(theta)) == pytest.approx(y, rel=2e-4)


def test_aa_estimates_the_price_and_moves_by_its_formulas():
    """Trades at 50 and then 40, seen by a trader that wants to buy at up to 80; all by hand in double precision."""
    memory = AA().reset(rng.key(4), ())
    b1, b2, step = (float(x) for x in (*memory.rates, memory.step))
    for price in (50.0, 40.0):
        _, memory = quote(AA(), rng.key(0), memory, view(80.0, last_bid=price, sale=True, price=price))
    centre = (40 + 0.9 * 50) / 1.9
    assert float(aa.estimate(memory)) == pytest.approx(centre, rel=1e-5)
    theta = -2 + b2 * (-8 - -2)  # one alpha so far: a = 1
    alpha = np.sqrt(((40 - centre) ** 2 + (50 - centre) ** 2) / 2) / centre
    assert float(memory.wildest) == pytest.approx(alpha, rel=1e-4) and memory.calmest == 0.0
    assert float(memory.theta) == pytest.approx(theta + b2 * (-8 - theta), rel=1e-4)
    assert 0.2 <= b1 < 0.6 and 0.01 <= step < 0.02
    assert float(memory.r) < 0.0  # it could have had the unit for less than its target


# SelectedCopies themselves.


@pytest.mark.parametrize(("rule", "least"), [(GD(), 0.98), (MGD(), 0.96), (GDX(), 0.96)], ids=["GD", "MGD", "GDX"])
def test_a_market_of_believers_is_nearly_efficient(rule, least):
    game = aurora("BASE")
    play = Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length, copies=20)
    efficiency = np.asarray(run(play, rng.key(1), 2, (Efficiency(),)).series["efficiency"])
    assert np.nanmean(efficiency) > least


def test_where_the_bounds_are_centred_on_the_tokens_buyers_and_sellers_earn_the_same():
    """Tokens 0..1076 in the mirror are the same tokens: what differs is noise."""
    game = aurora("BASE", low=0.0, high=1076.0)
    play = Play(game, Population([Group(r.name, None, GD()) for r in game.roles]), length=game.length, copies=60)
    profits = run(play, rng.key(2), 3, (Profit(),)).series
    gap = np.asarray(profits["buyer_profit"]).mean(-1).ravel() - np.asarray(profits["seller_profit"]).mean(-1).ravel()
    assert abs(gap.mean()) < 4 * gap.std() / gap.size**0.5


@pytest.mark.parametrize("rule", [GD(), MGD(), GDX()], ids=lambda rule: type(rule).__name__)
def test_beliefs_need_every_tick(rule):
    build = lambda game: Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length)
    build(memoryless_market(disclosure=FullDisclosure()))
    build(aurora("TOK", disclosure=ReducedDisclosure()))
    with pytest.raises(BuildError, match="needs bid, ask"):
        build(memoryless_market(disclosure=ZeroDisclosure()))
    with pytest.raises(BuildError, match="counts refused quotes, and this market's disclosure shows those of some"):
        build(aurora("TOK", disclosure=ConditionalDisclosure()))


@pytest.mark.parametrize(("make", "says"), [(lambda: GDX(1.5), "GDX: discount"), (lambda: AA(-1.0), "AA: absolute")])
def test_settings_that_cannot_be_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
