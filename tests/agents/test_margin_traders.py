"""Traders with a margin: Markup, Skeleton and ZIP by hand, by their laws, in the mirror, and among themselves."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from catallax.agents.traders import (
    AA,
    GD,
    GDX,
    MGD,
    ZIC,
    ZIP,
    ZIU,
    EasleyLedyard,
    Gamer,
    Kaplan,
    KaplanPort,
    Markup,
    Perry,
    PriceTaker,
    Ringuette,
    Skeleton,
    Staecker,
    TruthTeller,
)
from catallax.agents.traders.zero_intelligence_plus import ZIPMemory
from catallax.core import BuildError, Group, InputError, Play, Population, rng, run
from catallax.games.double_auction import FullDisclosure, ReducedDisclosure, Tape, TraderView, aurora, memoryless_market
from catallax.measures.double_auction import Efficiency

pytestmark = pytest.mark.compile_effort("least")

INF = float("inf")


def view(limit=60.0, tokens=None, low=1.0, high=101.0, side=1.0, tick=0.0, left=2, cap=None, **tape):
    """What a trader sees, in own coordinates; nothing has happened but what is named."""
    real = jnp.float32
    public = dict(bid=-INF, ask=INF, last_bid=-INF, last_ask=INF, buy=False, sell=False, sale=False, price=0.0) | tape
    return TraderView(
        side=real(side),
        limit=real(limit),
        left=jnp.int32(left),
        traded=jnp.int32(0),
        tokens=jnp.asarray([limit] * 4 if tokens is None else tokens, real),
        low=real(low),
        high=real(high),
        cap=real(high if cap is None else cap),
        tick=real(tick),
        step=jnp.int32(3),
        steps=jnp.int32(25),
        period=jnp.int32(0),
        tape=Tape(**{k: jnp.asarray(x) if isinstance(x, bool) else real(x) for k, x in public.items()}),
    )


quote = jax.jit(lambda rule, key, memory, obs: rule.quote(key, memory, obs))


# Markup.


@pytest.mark.parametrize(
    ("limit", "side", "low", "high", "price", "reflected"),
    [(60, 1, 1, 101, 54, False), (-42, -1, -101, -1, -46.2, False), (-42, -1, -101, -1, -48, True)],
)
def test_a_markup_is_a_tenth_of_the_price_or_of_its_reflection(limit, side, low, high, price, reflected):
    """A cost of 42 between 1 and 101 is in the mirror a value of 60: there the seller asks 48, as the buyer bids 54."""
    order, _ = quote(Markup(reflected=reflected), rng.key(0), (), view(limit, side=side, low=low, high=high))
    assert float(order.price) == pytest.approx(price, abs=1e-5) and order.reserve == limit


# Skeleton.

SKELETON = jax.jit(
    lambda obs: jax.vmap(lambda key: Skeleton().quote(key, (), obs)[0])(jax.random.split(rng.key(1), 5000))
)


@pytest.mark.parametrize(
    ("seen", "low", "high"),
    [
        (dict(tokens=[60, 50, 40, 30]), 29 - 0.35 * 30, 29 - 0.25 * 30),  # MOST = last - 1, no bid
        (dict(tokens=[60, 50, 40, 30], ask=20.0), 20 - 0.35 * 30, 20 - 0.25 * 30),  # MOST = ask
        (dict(tokens=[60, 50, -INF, -INF]), 49 - 0.35 * 10, 49 - 0.25 * 10),  # two units only
        (dict(bid=40.0), 41 + 0.25 * 18, 41 + 0.35 * 18),  # MOST = 59, from 41 on
        (dict(bid=40.0, ask=49.0), 41 + 0.25 * 8, 41 + 0.35 * 8),  # MOST = ask
        (dict(bid=40.0, tick=2.0), 42 + 0.25 * 16, 42 + 0.35 * 16),  # a step is a tick: MOST = 58
    ],
)
def test_skeleton_bids_as_drawn(seen, low, high):
    order = SKELETON(view(**seen))
    assert stats.kstest(np.asarray(order.price), "uniform", (low, high - low)).pvalue > 1e-3
    assert (order.reserve == 60).all()


@pytest.mark.parametrize(("bid", "ask"), [(59.0, INF), (70.0, INF), (48.0, 48.0)])
def test_skeleton_is_silent_where_its_most_does_not_beat_the_bid(bid, ask):
    assert (SKELETON(view(bid=bid, ask=ask)).price == -INF).all()


# ZIP.


def mind(margin, rate=0.3, inertia=0.05, momentum=0.0, limit=60.0, active=True):
    """A trader that shouted for that unit at the last tick."""
    return ZIPMemory(*map(jnp.float32, (margin, momentum, rate, inertia, limit)), jnp.asarray(active))


@functools.cache
def thoughts(reflected):
    rule = ZIP(reflected=reflected)
    keys = jax.random.split(rng.key(2), 4000)
    return jax.jit(lambda memory, obs: jax.vmap(lambda key: rule.quote(key, memory, obs))(keys))


def test_zip_draws_its_character_anew_for_every_round():
    drawn = jax.vmap(lambda key: ZIP().reset(key, ()))(jax.random.split(rng.key(3), 5000))
    for x, low, width in ((drawn.margin, 0.05, 0.3), (drawn.rate, 0.1, 0.4), (drawn.inertia, 0.0, 0.1)):
        assert stats.kstest(np.asarray(x), "uniform", (low, width)).pvalue > 1e-3
    assert not drawn.momentum.any()
    assert abs(np.corrcoef(np.stack([drawn.margin, drawn.rate, drawn.inertia])) - np.eye(3)).max() < 0.06


HEARD = [  # own shout 48 (limit 60, margin 0.2)
    (dict(), 0),  # nothing was said
    (dict(last_bid=40.0), 0),  # a bid below the own was refused: no reason to pay more
    (dict(last_bid=48.0), 1),
    (dict(last_bid=52.0), 1),
    (dict(last_bid=52.0, left=0), 0),  # nothing left to buy
    (dict(sale=True, price=40.0, buy=True), -1),  # it could have had it for less
    (dict(sale=True, price=40.0, sell=True, left=0), -1),
    (dict(sale=True, price=52.0, buy=True), 1),  # an ask above the own shout was taken
    (dict(sale=True, price=52.0, sell=True), 0),  # a bid was
    (dict(sale=True, price=52.0, buy=True, left=0), 0),
    (dict(last_ask=30.0), 0),  # asks are the other side's affair
]


@pytest.mark.parametrize("reflected", [False, True])
@pytest.mark.parametrize(("heard", "way"), HEARD)
def test_zip_moves_by_the_rule_of_widrow_and_hoff(heard, way, reflected):
    """Mean and range of the new shout over R and A; with low = 0 both kinds of percentage are a buyer's own."""
    think = thoughts(reflected)
    seen = dict(low=0.0, high=100.0) | heard
    order, memory = think(mind(0.2, momentum=2.0, active=seen.get("left") != 0), view(**seen))
    price = np.asarray(order.price)
    np.testing.assert_array_equal(order.reserve, order.price)
    if way == 0:
        np.testing.assert_allclose(price, 48.0, rtol=1e-6)
        return
    q = heard["price"] if heard.get("sale") else heard["last_bid"]
    new = lambda away: 48 + 0.05 * 2.0 + 0.95 * 0.3 * (q + way * away - 48)
    near, far = sorted((new(0.0), new(0.05 * q + 0.25)))
    assert near - 1e-4 <= price.min() < near + 0.02 and far - 0.02 < price.max() <= far + 1e-4
    assert price.mean() == pytest.approx(new(0.5 * (0.05 * q + 0.25)), abs=4 * (far - near) / 12**0.5 / 4000**0.5)
    np.testing.assert_allclose(memory.margin, (60 - price) / 60, atol=1e-6)


def test_where_both_sides_asked_for_the_trade_its_price_says_whose_shout_it_was_or_else_a_fair_coin():
    think = thoughts(False)
    trade = dict(sale=True, price=52.0, buy=True, sell=True)
    rose = lambda **quotes: np.mean(np.asarray(think(mind(0.2), view(**trade, **quotes))[0].price) > 48.001)
    assert rose(last_bid=56.0, last_ask=52.0) > 0.99  # the ask was taken
    assert rose(last_bid=52.0, last_ask=50.0) == 0.0
    assert abs(rose(last_bid=56.0, last_ask=48.0) - 0.5) < 4 * 0.5 / 4000**0.5
    assert abs(rose(last_bid=52.0, last_ask=52.0) - 0.5) < 4 * 0.5 / 4000**0.5


def test_what_is_heard_is_about_the_unit_it_shouted_for():
    """It bought at 45 with shout 48 for a unit worth 60: it could have had it for less, though the next is worth 50."""
    think = thoughts(False)
    _, memory = think(mind(0.2), view(limit=50.0, left=1, sale=True, price=45.0, buy=True))
    assert (memory.margin > 0.2).all() and (memory.limit == 50.0).all()
    _, memory = think(mind(0.2, active=False), view(left=4, last_bid=55.0))  # units came back with a new period
    np.testing.assert_array_equal(memory.margin, jnp.full(4000, 0.2))


def test_before_its_first_shout_nothing_is_heard_and_without_a_unit_nothing_said():
    for rule in (ZIP(), ZIP(reflected=True)):
        fresh = rule.reset(rng.key(5), ())
        order, memory = quote(rule, rng.key(0), fresh, view(last_bid=70.0))
        assert memory.margin == fresh.margin and 0 < float(order.price) < 60
        order, memory = quote(rule, rng.key(0), memory, view(limit=-INF, left=0, last_bid=70.0))
        assert order.price == -INF == order.reserve and not jnp.isnan(memory.margin)
        order, memory = quote(rule, rng.key(0), memory, view(last_bid=70.0))
        assert not jnp.isnan(order.price)


def test_a_cost_of_nothing_still_has_a_margin_of_ticks():
    """Others sold at 5: it may ask 1.6 or so for what costs nothing, which is a margin of one or two ticks."""
    think = thoughts(False)
    free = dict(limit=0.0, side=-1.0, low=-100.0, high=0.0)
    order, memory = think(mind(0.2, limit=0.0), view(**free, sale=True, price=-5.0))
    assert (order.price < -1.0).all() and (memory.margin < 10.0).all()


def test_a_trader_without_units_does_not_rise_at_the_tick_after():
    for left, rises in ((0, False), (1, True)):
        _, memory = quote(ZIP(), rng.key(0), mind(0.2), view(left=left))
        _, after = quote(ZIP(), rng.key(1), memory, view(left=1, last_bid=55.0))
        assert (float(after.margin) < 0.19) == rises


def test_the_margin_makes_no_loss_and_no_price_is_negative():
    think = thoughts(False)
    order, memory = think(mind(0.01), view(last_bid=100.0))
    assert (order.price == 60.0).all() and not memory.margin.any()
    order, _ = think(mind(0.99, momentum=-900.0), view(sale=True, price=0.1))
    assert (order.price == 0.0).all()
    order, _ = think(
        mind(0.99, momentum=-9000.0, limit=-60.0),
        view(limit=-60.0, side=-1.0, low=-101.0, high=-1.0, sale=True, price=-400.0),
    )
    assert (order.price < -120.0).all()  # a seller may ask more than twice its cost


def test_a_bid_that_the_market_rounds_down_is_heard_as_refused():
    think = thoughts(False)
    order, _ = think(mind(0.19), view(tick=1.0, last_bid=48.0))  # own 48.6, shouted as 48
    assert (order.price > 48.6).mean() > 0.5
    order, _ = think(mind(0.19), view(tick=0.0, last_bid=48.0))
    np.testing.assert_allclose(order.price, 48.6, rtol=1e-6)


@pytest.mark.parametrize(("environment", "least"), [("BASE", 0.975), ("SHRT", 0.95)])
def test_a_market_of_zips_is_nearly_efficient(environment, least):
    """An independent rebuilding has for ZIP among itself 0.992 in BASE, 0.969 in SHRT. Without rounding what it hears,
    bids that were rounded down block the market: 0.89 and 0.85."""
    game = aurora(environment)
    play = Play(game, Population([Group(r.name, None, ZIP()) for r in game.roles]), length=game.length, copies=40)
    efficiency = np.asarray(run(play, rng.key(1), 5, (Efficiency(),)).series["efficiency"])
    assert np.nanmean(efficiency) > least


# All traders in the mirror.

TRADERS = [ZIC(), ZIU(), TruthTeller(), Skeleton(), Ringuette(), EasleyLedyard(), PriceTaker(), Perry()]
TRADERS += [rule(reflected=True) for rule in (Kaplan, KaplanPort, Markup, ZIP, Gamer, Staecker, AA)]
TRADERS += [GD(), MGD(), GDX()]
PRICE = st.integers(2, 99).map(float)


@pytest.mark.parametrize("rule", TRADERS, ids=lambda rule: type(rule).__name__)
@given(
    limits=st.lists(PRICE, min_size=4, max_size=4),
    prices=st.fixed_dictionaries({k: PRICE for k in ("bid", "ask", "last_bid", "last_ask", "price")}),
    sale=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_in_the_mirror_every_trader_says_the_mirrored_thing(rule, limits, prices, sale, seed):
    """Price p becomes 1 + 101 - p; in own coordinates a seller then sees all prices moved by -102."""
    limits = sorted(limits, reverse=True)
    moved = {k: x - 102.0 for k, x in prices.items()}
    flags = dict(sale=sale, buy=True)
    buyer = view(limits[0], limits, tick=1.0, **prices, **flags)
    seller = view(
        limits[0] - 102, [x - 102 for x in limits], low=-101.0, high=-1.0, side=-1.0, tick=1.0, **moved, **flags
    )
    blank = {k: INF if "ask" in k else -INF for k in prices}
    first = view(limits[0], limits, tick=1.0, **blank)
    other = view(limits[0] - 102, [x - 102 for x in limits], low=-101.0, high=-1.0, side=-1.0, tick=1.0, **blank)
    key = rng.key(seed)
    told = []
    for opening, obs in ((first, buyer), (other, seller)):
        _, memory = quote(rule, key, rule.reset(key, ()), opening)
        told.append(quote(rule, key, memory, obs)[0])
    for x, y in zip(*told, strict=True):
        np.testing.assert_allclose(y, x - 102.0, atol=2e-4)


@pytest.mark.parametrize("rule", TRADERS, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_trader_that_never_had_a_unit_says_no_nan(rule, side):
    low, high = (1.0, 101.0) if side > 0 else (-101.0, -1.0)
    memory = rule.reset(rng.key(1), ())
    for sale in (False, True):
        prices = {
            k: side * x for k, x in zip(("bid", "ask"), sorted((40.0, 60.0), key=lambda x: side * x), strict=True)
        }
        obs = view(
            -INF, [-INF] * 4, low=low, high=high, side=side, tick=1.0, left=0,
            last_bid=prices["bid"], last_ask=prices["ask"], price=side * 50.0, sale=sale, buy=True, **prices,
        )  # fmt: skip
        order, memory = quote(rule, rng.key(2), memory, obs)
        assert not np.isnan(order.price) and not np.isnan(order.reserve)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Markup(1.0), r"Markup: margin must lie in \[0, 1\), got 1"),
        (lambda: Markup(-0.1), "margin must lie in"),
        (lambda: ZIP(absolute=float("nan")), "ZIP: absolute must lie in"),
    ],
)
def test_margins_that_cannot_be_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


@pytest.mark.parametrize(("rule", "says"), [(ZIP(), "ZIP needs buy, sell on the tape"), (Skeleton(), None)])
def test_what_they_need_must_be_public(rule, says):
    build = lambda disclosure: Play(
        game := memoryless_market(disclosure=disclosure, persistence=True),
        Population([Group(r.name, None, rule) for r in game.roles]),
        length=game.length,
    )
    build(FullDisclosure())
    if says:
        with pytest.raises(BuildError, match=says):
            build(ReducedDisclosure())
