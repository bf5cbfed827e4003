"""Scripted traders: the laws of their quotes, Kaplan's cases one by one, and markets that hide what a rule needs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from catallax.agents.traders import ZIC, ZIU, AbstractTrader, Kaplan, TruthTeller, by_name
from catallax.core import BuildError, Group, Play, Population, Spec, rng
from catallax.games.double_auction import (
    ConditionalDisclosure,
    FullDisclosure,
    Order,
    ReducedDisclosure,
    Tape,
    TraderView,
    ZeroDisclosure,
    aurora,
    memoryless_market,
)

DRAWS = 20_000
KEYS = jax.random.split(rng.key(5), DRAWS)
INF = float("inf")


def view(limit=60.0, low=1.0, high=100.0, side=1.0, tick=1.0, step=0, steps=25, period=0, traded=0, cap=None, **tape):
    """What a trader sees, in its own coordinates; the tape holds what is named."""
    real, whole = jnp.float32, jnp.int32
    public = dict(bid=real(-INF), ask=real(INF), sale=jnp.asarray(False), price=real(0.0))
    public |= {name: jnp.asarray(x, public[name].dtype) for name, x in tape.items()}
    return TraderView(
        side=real(side),
        limit=real(limit),
        left=whole(1),
        traded=whole(traded),
        tokens=jnp.full(4, limit, real),
        low=real(low),
        high=real(high),
        cap=real(high if cap is None else cap),
        tick=real(tick),
        step=whole(step),
        steps=whole(steps),
        period=whole(period),
        tape=Tape(**public),
    )


_orders = jax.jit(lambda rule, obs: jax.vmap(lambda key: rule.act(key, (), (), obs)[0])(KEYS))


def quotes(rule, obs):
    """Many quotes and the reserves that go with them."""
    order = _orders(rule, obs)
    return np.asarray(order.price), np.asarray(order.reserve)


# Zero intelligence.


@pytest.mark.parametrize(
    ("rule", "limit", "low", "high", "top"),
    [(ZIC, 60.0, 35.0, 90.0, 60.0), (ZIC, -50.0, -90.0, -35.0, -50.0), (ZIC, 120.0, 35.0, 90.0, 90.0),
     (ZIU, 60.0, 35.0, 90.0, 90.0), (ZIU, -50.0, -90.0, -35.0, -35.0)],
)  # fmt: skip
def test_continuous_quotes_are_uniform(rule, limit, low, high, top):
    price, reserve = quotes(rule(), view(limit, low, high, tick=0.0))
    assert stats.kstest(price, stats.uniform(low, top - low).cdf).pvalue > 1e-3
    assert price.min() >= low and price.max() <= top
    assert (reserve == (limit if rule is ZIC else INF)).all()


@pytest.mark.parametrize(
    ("rule", "limit", "low", "high", "tick", "top"),
    [(ZIC, 9.0, 1.0, 20.0, 1.0, 9.0), (ZIC, 9.7, 1.0, 20.0, 1.0, 9.0), (ZIC, -9.7, -20.0, -1.0, 1.0, -10.0),
     (ZIC, 30.0, 1.0, 20.0, 1.0, 20.0), (ZIC, 3.0, 1.0, 20.0, 0.25, 3.0), (ZIC, 2.0, 1.0, 20.0, 0.1, 2.0),
     (ZIU, 9.0, 1.0, 20.0, 1.0, 20.0), (ZIU, 9.0, -20.0, -1.0, 0.5, -1.0), (ZIC, 1.0, 1.0, 20.0, 1.0, 1.0)],
)  # fmt: skip
def test_quotes_on_a_grid_have_every_price_with_the_same_chance_both_ends_included(rule, limit, low, high, tick, top):
    price, _ = quotes(rule(), view(limit, low, high, tick=tick))
    number = np.rint((price - low) / tick).astype(int)
    np.testing.assert_allclose(price, low + number * tick, atol=1e-5)
    cells = round((top - low) / tick) + 1
    counts = np.bincount(number, minlength=cells)
    assert len(counts) == cells, "a price beyond the last"
    assert cells == 1 or stats.chisquare(counts).pvalue > 1e-3
    if rule is ZIC:
        assert (price <= limit + 1e-5).all()


@given(
    st.floats(-50, 150, width=32),
    st.floats(-50, 50, width=32),
    st.floats(0, 100, width=32),
    st.sampled_from([0.0, 1.0, 0.5]),
)
def test_zic_never_bids_above_its_value_or_outside_the_bounds(limit, low, width, tick):
    high = low + width
    price, reserve = quotes(ZIC(), view(limit, low, high, tick=tick))
    top, slack = min(limit, high), 2e-3 * tick + 1e-4
    spoken = price > -INF
    assert (price[spoken] <= top + slack).all() and (price[spoken] >= low - slack).all()
    assert (reserve == np.float32(limit)).all()
    assert spoken.all() or not spoken.any()
    if top < low - slack:
        assert not spoken.any()
    elif top >= low and (tick == 0 or np.floor(top / tick) >= np.ceil(low / tick)):
        assert spoken.all()


@pytest.mark.parametrize(("low", "high", "tick"), [(0.5, 9.5, 1.0), (1.0, 10.5, 1.0), (0.3, 9.0, 0.5)])
@pytest.mark.parametrize("mirrored", [False, True], ids=["buyer", "seller"])
def test_quotes_lie_on_the_markets_grid_where_the_bounds_do_not(low, high, tick, mirrored):
    """The market's prices are multiples of the tick: a quote beside them is rounded, and may be refused."""
    low, high = (-high, -low) if mirrored else (low, high)
    price, _ = quotes(ZIU(), view(high, low, high, tick=tick))
    np.testing.assert_allclose(price, np.round(price / tick) * tick, atol=1e-5)
    first, last = np.ceil(low / tick), np.floor(high / tick)
    counts = np.bincount(np.rint(price / tick - first).astype(int), minlength=int(last - first) + 1)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_market_that_does_not_check_its_bounds_lets_values_beyond_them_be_bid():
    price, _ = quotes(ZIC(), view(95.0, 35.0, 90.0, tick=0.0, cap=INF))
    assert stats.kstest(price, stats.uniform(35.0, 60.0).cdf).pvalue > 1e-3


# Truth-tellers.


@pytest.mark.parametrize(("limit", "cap", "price"), [(60.0, 100.0, 60.0), (120.0, 100.0, 100.0), (120.0, INF, 120.0)])
def test_truth_tellers_quote_their_limit(limit, cap, price):
    order, memory, extras = TruthTeller().act(KEYS[0], (), (), view(limit, cap=cap))
    assert order.price == price and order.reserve == limit and memory == () == extras


# Kaplan, in buyer's form: value 60 unless said otherwise, prices on a grid of 1.

KAPLAN = Kaplan()
FRESH = KAPLAN.reset(rng.key(0), ())
SILENT = -INF
_kaplan = jax.jit(lambda memory, obs: KAPLAN.quote(rng.key(0), memory, obs))


def remembered(lowest=-INF, highest=INF, **more):
    """In mind: prices of the last period, and a trade at this very moment (so that time is not running out)."""
    return FRESH._replace(past_lowest=jnp.float32(lowest), past_highest=jnp.float32(highest))._replace(
        **{name: jnp.int32(x) for name, x in more.items()}
    )


def says(obs, memory=FRESH):
    order, _ = _kaplan(memory, obs)
    assert order.reserve == obs.limit  # whatever is profitable is accepted
    return float(order.price)


@pytest.mark.parametrize(
    ("limit", "low", "tick", "price"),
    [(60.0, 1.0, 1.0, 2.0), (60.0, 35.0, 0.5, 35.5), (60.0, 35.0, 0.0, 36.0), (2.5, 1.0, 1.0, 1.5)],
)
def test_without_a_bid_kaplan_opens_just_above_the_lowest_price(limit, low, tick, price):
    assert says(view(limit, low=low, tick=tick)) == price
    assert says(view(limit, low=low, tick=tick, ask=min(limit, 40.0))) == price  # even where an ask stands


@pytest.mark.parametrize("bid", [58.0, 59.0, 59.5, 70.0])
def test_kaplan_is_silent_where_his_most_does_not_beat_the_bid(bid):
    loud = view(bid=bid, step=24)  # time is running out
    assert says(loud) == (59.0 if bid == 58.0 else SILENT)
    assert says(view(bid=bid, ask=bid, step=24)) == SILENT  # MOST = ask = bid


@pytest.mark.parametrize(
    ("bid", "ask", "highest", "price"),
    [
        (50.0, 52.0, INF, 52.0),  # close, cheap, profitable: steal the deal
        (50.0, 52.0, 52.0, 52.0),  # not above the last period's highest
        (50.0, 52.0, 51.0, SILENT),  # above it
        (46.0, 52.0, INF, SILENT),  # spread 6 of 52 is more than 10 %
        (45.0, 50.0, INF, SILENT),  # spread 5 of 50 is 10 %, not less
        (45.5, 50.0, INF, 50.0),
        (57.0, 59.0, INF, SILENT),  # profit 1 of 59 is less than 2 %
        (57.0, 58.0, INF, 58.0),
        (57.0, 62.0, INF, SILENT),  # no profit at all
    ],
)
def test_case_a_a_close_deal_is_stolen(bid, ask, highest, price):
    """Prices of the last period: none below, so that case (b) is out; a trade just now, so that (c) is."""
    assert says(view(bid=bid, ask=ask, step=3), remembered(highest=highest, last_trade=3, own_last_trade=3)) == price


@pytest.mark.parametrize(("ask", "price"), [(30.0, 30.0), (40.0, 40.0), (41.0, SILENT)])
def test_case_b_an_ask_as_low_as_any_of_the_last_period_is_taken_whatever_the_spread(ask, price):
    assert says(view(bid=5.0, ask=ask, step=3), remembered(40.0, 70.0, last_trade=3, own_last_trade=3)) == price


def test_case_b_pays_no_more_than_the_value_less_one():
    assert says(view(limit=60.0, bid=5.0, ask=62.0, step=3), remembered(65.0, 70.0, last_trade=3)) == 59.0


@pytest.mark.parametrize(
    ("time", "last", "own", "runs"),
    [
        (8, 0, 0, False),  # waited 8 of the 17 left: less than half
        (9, 0, 0, True),  # 9 of 16
        (12, 6, 6, False),  # 6 of 13
        (13, 6, 6, True),  # 7 of 12
        (15, 11, 0, False),  # own wait 15 of 10, but the market waited only 4
        (15, 10, 0, True),  # now 5 (and half of 10)
        (13, 8, 0, True),  # own wait 13 is more than 2/3 of 12; the market waited 5, less than half
        (13, 8, 6, False),  # own wait 7 is less than 2/3 of 12
        (13, 8, 5, True),  # 8 is 2/3
        (13, 9, 0, False),  # the market waited only 4
    ],
)
def test_case_c_time_is_running_out(time, last, own, runs):
    """Ticks are counted from 1 to 25, and a trade by the tick it happened in."""
    step = time - 1
    obs = view(bid=5.0, ask=50.0, step=step, steps=25)  # far apart, so neither (a) nor (b)
    assert says(obs, remembered(last_trade=last, own_last_trade=own)) == (50.0 if runs else SILENT)
    alone = view(bid=5.0, step=step, steps=25)  # without an ask he bids his most
    assert says(alone, remembered(last_trade=last, own_last_trade=own)) == (59.0 if runs else SILENT)


@pytest.mark.parametrize("reflected", [False, True])
def test_a_selling_kaplan_thinks_in_percent_of_the_bid(reflected):
    """Bounds 1..101, cost 42, ask 52, bid 50: 2 is less than a tenth of 50. In the mirror the bid is 52."""
    rule = Kaplan(reflected=reflected)
    game = dict(low=-101.0, high=-1.0, side=-1.0, step=3)
    mind = remembered(last_trade=3, own_last_trade=3)
    price = lambda **seen: float(rule.quote(rng.key(0), mind, view(**seen, **game))[0].price)
    assert price(limit=-42.0, bid=-52.0, ask=-50.0) == -50.0
    assert price(limit=-42.0, bid=-56.0, ask=-50.0) == SILENT  # 6 of 50, or of 52
    assert price(limit=-42.0, bid=-55.0625, ask=-50.0) == (-50.0 if reflected else SILENT)  # 5.06 of 52, or of 50
    assert price(limit=-49.5, bid=-52.0, ask=-50.0) == SILENT  # half a unit of profit
    assert price(limit=-48.984375, bid=-52.0, ask=-50.0) == (SILENT if reflected else -50.0)  # 1.016 of 52, or of 50


def remember(*seen, memory=FRESH):
    for obs in seen:
        _, memory = _kaplan(memory, obs)
    return {name: float(x) for name, x in memory._asdict().items()}


def test_kaplan_remembers_the_prices_of_the_running_period():
    mind = remember(
        view(step=0),
        view(step=1, sale=True, price=50.0),
        view(step=2, price=99.0),  # no sale: the price means nothing
        view(step=3, sale=True, price=44.0),
        view(step=4, sale=True, price=47.0, traded=1),
        view(step=5, traded=1),
    )
    assert (mind["lowest"], mind["highest"]) == (44.0, 50.0)
    assert (mind["past_lowest"], mind["past_highest"]) == (-INF, INF)
    assert (mind["last_trade"], mind["own_last_trade"], mind["traded"]) == (4, 4, 1)


def test_a_new_period_turns_the_memory_over_with_the_last_ticks_trade_in_it():
    first = (view(step=3, sale=True, price=50.0), view(step=24, sale=True, price=40.0, traded=1))
    turn = view(step=0, period=1, sale=True, price=61.0)  # the trade of the last tick of period 0
    mind = remember(*first, turn)
    assert (mind["past_lowest"], mind["past_highest"]) == (40.0, 61.0)
    assert (mind["lowest"], mind["highest"]) == (INF, -INF)
    assert (mind["period"], mind["last_trade"], mind["own_last_trade"], mind["traded"]) == (1, 0, 0, 0)
    later = remember(*first, turn, view(step=4, period=1), view(step=5, period=1, sale=True, price=55.0, traded=1))
    assert (later["past_lowest"], later["past_highest"], later["lowest"]) == (40.0, 61.0, 55.0)
    assert (later["last_trade"], later["own_last_trade"]) == (5, 5)


def test_after_a_period_without_trade_nothing_is_known_of_prices():
    mind = remember(view(step=3, sale=True, price=50.0), view(step=0, period=1), view(step=9, period=1), view(period=2))
    assert (mind["past_lowest"], mind["past_highest"]) == (-INF, INF)


def test_a_round_starts_with_an_empty_mind():
    assert remember(memory=FRESH) == dict(
        period=0, lowest=INF, highest=-INF, past_lowest=-INF, past_highest=INF, last_trade=0, own_last_trade=0, traded=0
    )


# What a market hides.


def everybody(game, rule):
    return Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length)


class Follower(AbstractTrader):
    """Repeats the best of last tick's quotes."""

    needs = ("bids", "bidder")

    def quote(self, key, memory, obs):
        return Order(obs.tape.bids.max(), obs.limit), memory


@pytest.mark.parametrize(
    ("rule", "disclosure", "says"),
    [
        (
            Kaplan,
            ZeroDisclosure,
            "Kaplan needs bid, ask, sale, price on the tape, which this market's disclosure hides",
        ),
        (Follower, ZeroDisclosure, "Follower needs bids, bidder on the tape"),
        (Follower, ReducedDisclosure, "Follower needs bids, bidder on the tape"),
    ],
)
def test_a_market_that_hides_what_a_rule_needs_is_refused_when_it_is_built(rule, disclosure, says):
    with pytest.raises(BuildError, match=says):
        everybody(memoryless_market(disclosure=disclosure()), rule())


@pytest.mark.parametrize(
    ("rule", "disclosure"),
    [(Kaplan, ReducedDisclosure), (Kaplan, ConditionalDisclosure), (Follower, FullDisclosure), (ZIC, ZeroDisclosure)],
)
def test_a_market_that_shows_it_is_built(rule, disclosure):
    everybody(aurora("TOK", disclosure=disclosure()), rule())


def test_a_trader_outside_an_auction_is_refused():
    with pytest.raises(BuildError, match="ZIC trades in double auctions; it was given ShapeDtypeStruct observations"):
        ZIC().init(rng.key(0), Spec(jax.ShapeDtypeStruct((3,), jnp.float32), memoryless_market().roles[0].action))


def test_settings_call_the_traders_by_these_names_in_this_order():
    """Old settings and the numbering of tournaments rest on both."""
    names = "zic ziu truth markup skeleton zip gd mgd gdx aa kaplan kaplan_port ringuette easley_ledyard price_taker"
    assert list(by_name()) == [*names.split(), "perry", "lin", "gamer", "staecker"]
    assert by_name()["truth"] is TruthTeller and AbstractTrader not in by_name().values()
    assert all(isinstance(rule(), AbstractTrader) for rule in by_name().values())


def test_a_trader_is_called_by_its_class_unless_it_says_otherwise():
    class OwnZIC(ZIC):
        pass

    class KaplanLike(Kaplan):
        pass

    class Truthful(TruthTeller):
        short_name = "honest"

    assert (OwnZIC.short_name, Truthful.short_name, KaplanLike.short_name) == ("own_zic", "honest", "kaplan_like")
