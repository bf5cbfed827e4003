"""The heuristic traders of the Santa Fe tournament: their rules case by case, worked by hand.

In buyer's form: value 60 and prices from 1 to 101 on a grid of 1 unless said otherwise. Sellers come by reflection
(test_invariances.py)."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from catallax.agents.traders import (
    EasleyLedyard,
    Gamer,
    Kaplan,
    KaplanPort,
    Lin,
    Perry,
    PriceTaker,
    Ringuette,
    Staecker,
)
from catallax.agents.traders.moments import heard, no_prices
from catallax.agents.traders.standing import standing_quotes, up_to
from catallax.core import BuildError, Group, InputError, Play, Population, rng, run
from catallax.games.double_auction import FullDisclosure, Tape, TraderView, aurora, memoryless_market
from catallax.measures.double_auction import Efficiency

pytestmark = pytest.mark.compile_effort("least")

INF, SILENT = float("inf"), -float("inf")
KEYS = jax.random.split(rng.key(6), 4000)


def view(tokens=(60, 60, 60, 60), time=3, steps=24, period=0, traded=0, tick=1.0, low=1.0, cap=101.0, rivals=4, **tape):
    """What a buyer sees; nothing has happened but what is named. Standing quotes are also the last tick's."""
    real, whole = jnp.float32, jnp.int32
    public = dict(bid=-INF, ask=INF, sale=False, price=0.0) | tape
    public = dict(last_bid=public["bid"], last_ask=public["ask"]) | public
    quotes = dict(bids=jnp.full(4, -INF, real), asks=jnp.full(4, INF, real))
    return TraderView(
        side=real(1), limit=real(tokens[min(traded, len(tokens) - 1)]), left=whole(len(tokens) - traded),
        traded=whole(traded), tokens=jnp.asarray([*tokens] + [-INF] * (4 - len(tokens)), real), low=real(low),
        high=real(101), cap=real(cap), tick=real(tick), step=whole(time - 1), steps=whole(steps), period=whole(period),
        tape=Tape(**{k: jnp.asarray(x) if k == "sale" else real(x) for k, x in public.items()}, **quotes),
        own_seats=whole(4), rival_seats=whole(rivals),
    )  # fmt: skip


@jax.jit
def _hear(rule, memory, obs):
    return rule.quote(rng.key(0), memory, obs)


@jax.jit
def _draw(rule, memory, obs):
    return jax.vmap(lambda key: rule.quote(key, memory, obs)[0])(KEYS)


def mind(rule, *seen):
    """Its memory after what it saw."""
    memory = rule.reset(rng.key(0), ())
    for obs in seen:
        _, memory = _hear(rule, memory, obs)
    return memory


def says(rule, *seen):
    """Its quote and reserve at the last of what it saw."""
    order, _ = _hear(rule, mind(rule, *seen[:-1]), seen[-1])
    return float(order.price), float(order.reserve)


def draws(rule, *seen):
    """Many quotes at the last of what it saw."""
    order = _draw(rule, mind(rule, *seen[:-1]), seen[-1])
    return np.asarray(order.price), np.asarray(order.reserve)


def uniform(sample, low, high):
    return stats.kstest(sample, "uniform", (low, high - low)).pvalue > 1e-3


# What they share.


@pytest.mark.parametrize(
    ("seen", "bid", "ask"),
    [
        (dict(bid=40.0, ask=50.0), 40, 50),
        (dict(last_bid=40.0, last_ask=50.0), 40, 50),  # nothing stands: a memoryless market
        (dict(last_bid=40.0, last_ask=50.0, sale=True, price=50.0), -INF, INF),  # the trade took them
        (dict(last_bid=40.0, last_ask=50.0, time=1), -INF, INF),  # a new period
        (dict(bid=41.0, last_bid=-INF), 41, INF),  # the last tick was not shown
    ],
)
def test_the_quotes_that_stand_or_else_the_last_ones(seen, bid, ask):
    assert tuple(map(float, standing_quotes(view(**seen)))) == (bid, ask)


@pytest.mark.parametrize(
    ("price", "tick", "takes", "leaves"),
    [(50.0, 1.0, 50, 51), (50.9, 1.0, 50, 51), (50.0, 0.0, 50, 50.001), (60.0, 1.0, 59, 60), (-INF, 1.0, -INF, 1)],
)
def test_a_reserve_that_takes_asks_up_to_a_price_under_weak_and_strict_acceptance(price, tick, takes, leaves):
    reserve = float(up_to(jnp.float32(price), view(tick=tick)))
    assert reserve < leaves or (leaves == 60 and reserve == 60)
    assert reserve > takes or price == -INF == reserve


def test_moments_are_those_of_all_prices_heard():
    prices, sales = np.random.default_rng(0).integers(1, 2000, 40), np.arange(40) % 3 > 0
    moments = no_prices()
    for price, sale in zip(prices, sales, strict=True):
        moments = heard(moments, jnp.asarray(sale), jnp.float32(price))
    kept = prices[sales]
    np.testing.assert_allclose(moments, (kept.size, kept.mean(), ((kept - kept.mean()) ** 2).sum()), rtol=1e-5)


# Price-taker.

MEAN, LAST = PriceTaker(), PriceTaker("last")


def trade(price, **more):
    return view(sale=True, price=float(price), **more)


@pytest.mark.parametrize(
    ("rule", "seen", "price", "reserve"),
    [
        (MEAN, [view()], 60, 60),  # no price yet: the own limit
        (LAST, [view()], 60, 60),
        (MEAN, [trade(40)], 50, 50.5),  # (60 + 40) / 2
        (MEAN, [trade(40), trade(45), view()], 49, 49.5),  # 145 / 3 = 48.3, up to the grid
        (LAST, [trade(40), trade(45), view()], 45, 45.5),
        (LAST, [trade(40), trade(45, period=1), view(period=1)], 45, 45.5),  # prices outlive a period
        (MEAN, [trade(80)], 60, 60),  # it does not pay more than its limit
        (LAST, [view(price=30.0)], 60, 60),  # no sale: the price means nothing
        (MEAN, [trade(40), view(tokens=(30,))], 30, 30),
        (LAST, [trade(60)], 60, 60),
        (LAST, [trade(59)], 59, 59.5),
    ],
)
def test_a_price_taker_quotes_and_accepts_at_the_market_price(rule, seen, price, reserve):
    assert says(rule, *seen) == (price, reserve)


def test_a_price_taker_pays_at_a_continuous_price_no_more_than_it():
    price, reserve = says(LAST, trade(40.3, tick=0.0))
    assert price == np.float32(40.3) and 0 < reserve - price < 1e-5


# Ringuette: limits 60, 50, 40, 30 give SPAN = 40, a fifth of it 8.

FOUR = (60, 50, 40, 30)
WAIT = dict(tokens=FOUR, time=3, steps=24)  # tick 3: 3 waited, 21 left


@pytest.mark.parametrize(
    ("bid", "ask", "low", "high"),
    [
        (44.0, 51.0, 52, 54),  # 44 > 51 - 8 and 60 > 51 + 8: 51 + 1 + 0.05 U 40
        (43.0, 51.0, None, None),  # 43 is not above 43
        (44.0, 52.0, None, None),
        (50.0, 52.0, None, None),  # 60 is not above 60
        (-INF, 40.0, None, None),
        (44.0, INF, None, None),
    ],
)
def test_ringuette_outbids_the_ask_where_the_spread_is_below_and_the_profit_above_a_fifth_of_span(bid, ask, low, high):
    price, reserve = draws(Ringuette(), view(**WAIT, bid=bid, ask=ask))
    assert (reserve == 60).all()
    assert uniform(price, low, high) if low else (price == SILENT).all()


@pytest.mark.parametrize(("bid", "price"), [(1.0, 2), (6.0, 7), (7.0, SILENT)])
def test_ringuette_nudges_a_bid_of_less_than_a_quarter_of_the_ticks(bid, price):
    """T / 4 = 6 above the lowest price; a bid of 7 is 6 above it."""
    assert says(Ringuette(), view(**WAIT, bid=bid)) == (price, 60)
    assert says(Ringuette(), view(tokens=(1.5,), bid=bid))[0] == price  # even at a loss


@pytest.mark.parametrize(
    ("time", "seen", "low", "high"),
    [
        (7, dict(), None, None),  # 7 waited of 17 left
        (8, dict(), 30 - 12, 30 - 12),  # 8 of 16: the last limit less 0.3 SPAN
        (8, dict(ask=25.0), 25 - 12, 25 - 12),
        (8, dict(bid=40.0), 59 - 19 * (0.3 + 0.4 / 3) + (0.3 + 0.4 / 3) - 1.9 + 0.1, 59 - 18 * (0.3 + 0.4 / 3)),
        (12, dict(bid=40.0, ask=70.0), 59 - 18 * 0.6, 59 - 18 * 0.5),  # w in 0.5 .. 0.6 halfway, from 41 to 59
        (12, dict(bid=20.0, ask=50.0), 50 - 29 * 0.6, 50 - 29 * 0.5),  # MOST = ask, from 21 to 50
        (12, dict(bid=59.0), None, None),  # MOST = 59 does not beat it
    ],
)
def test_ringuette_in_a_hurry_bids_like_skeleton(time, seen, low, high):
    price, _ = draws(Ringuette(), view(tokens=FOUR, time=time, **seen))
    if low is None:
        assert (price == SILENT).all()
    elif low == high:
        np.testing.assert_allclose(price, low, rtol=1e-6)
    else:
        assert uniform(price, low, high)


def test_ringuettes_wait_begins_anew_with_every_trade():
    assert says(Ringuette(), view(tokens=FOUR, time=6, sale=True, price=50.0), view(tokens=FOUR, time=8))[0] == SILENT
    assert says(Ringuette(), view(tokens=FOUR, time=6, sale=True, price=50.0), view(tokens=FOUR, time=12))[0] == 18


# Easley-Ledyard.

EL = EasleyLedyard(until=0.5)  # of 24 ticks: 12


@pytest.mark.parametrize(("time", "price"), [(3, 1 + 59 / 4), (6, 1 + 59 / 2), (12, 60), (24, 60)])
def test_in_the_first_period_the_reservation_price_climbs_from_the_lowest_price_to_the_value(time, price):
    quote, reserve = says(EL, view(time=time))
    assert quote == pytest.approx(price, rel=1e-6)
    assert reserve == min(np.floor(price) + 0.5, 60)


def second(*first, **now):
    """The first period, with quotes and trades as told, then a tick of the second."""
    return [*(view(time=i + 1, **x) for i, x in enumerate(first)), view(time=1, period=1), view(period=1, **now)]


BAND = (dict(bid=30.0, ask=52.0), dict(bid=44.0, ask=46.0), dict(sale=True, price=46.0, last_bid=50.0, last_ask=40.0))
"""Asks down to 40, bids up to 50, a trade at 46: L = 40, H = 50."""


@pytest.mark.parametrize(
    ("time", "value", "bid", "price"),
    [
        (0, 60, -INF, 40),  # min(v, L)
        (6, 60, -INF, 44.5),  # half of the way to H - 1 = 49
        (12, 60, -INF, 49),
        (20, 60, -INF, 49),  # and there it stays: after a trade the book is empty
        (20, 60, 45.0, 49),
        (20, 60, 49.0, 50),  # one above a bid that nobody took
        (20, 60, 55.0, 56),
        (20, 60, 59.0, 60),
        (20, 60, 60.0, SILENT),
        (6, 60, 49.0, SILENT),  # before its time it does not follow
        (6, 45, -INF, 42.5),  # value between L and H: from 40 to 45
        (12, 45, -INF, 45),
        (0, 35, -INF, 35),  # value below L: all it can
        (20, 35, -INF, 35),
    ],
)
def test_later_it_climbs_through_last_periods_prices(time, value, bid, price):
    quote, reserve = says(EL, *second(*BAND, time=time, tokens=(value,), bid=bid))
    assert quote == pytest.approx(price, rel=1e-6)
    assert reserve <= value
    assert quote == SILENT or reserve == min(np.floor(quote) + 0.5, value)


def test_trades_widen_the_band_and_a_period_without_them_leaves_what_lies_between_bid_and_ask():
    memory = mind(EL, *second(dict(sale=True, price=55.0, last_bid=50.0, last_ask=40.0)))
    assert (memory.past_lowest, memory.past_highest) == (40, 55)
    memory = mind(EL, *second(dict(bid=30.0, ask=70.0), dict(bid=35.0, ask=64.0)))
    assert (memory.past_lowest, memory.past_highest) == (35, 64)
    memory = mind(EL, *second(dict(ask=70.0)))
    assert (memory.past_lowest, memory.past_highest) == (-INF, 70)
    memory = mind(EL, *second())
    assert (memory.past_lowest, memory.past_highest) == (-INF, INF)


# Kaplan, ported. Time is not running out at tick 3 of 24.

PORT = KaplanPort()


@pytest.mark.parametrize(
    ("seen", "price", "reserve"),
    [
        (dict(), 2, 2.5),  # the lowest price and one
        (dict(tokens=(60, 2.5)), 1.5, 1.5),  # the worst unit limits the opening
        (dict(tokens=(60, 2.5), ask=1.0), 1, 1.5),
        (dict(bid=50.0, ask=54.0), 54, 54.5),  # spread 4 of 55, 0.98 * 61 = 59.8
        (dict(bid=48.5, ask=54.0), SILENT, 48.5),  # 5.5 of 55
        (dict(bid=49.0, ask=54.0), 54, 54.5),  # 5 of 55; in the paper's flow chart 5 of 54
        (dict(bid=58.0, ask=59.5), 59, 59.5),  # the profit of a half is 2% of the limit's 61, not more than MOST
        (dict(bid=58.0, ask=59.9), SILENT, 58.5),  # more than 59.78
        (dict(bid=59.0, ask=59.0), SILENT, 59.5),  # MOST = 59 does not beat the bid
        (dict(bid=30.0, ask=54.0, time=8), 54, 54.5),  # (c) 8 of 16
        (dict(bid=30.0, time=8), SILENT, 30.5),  # without an ask it does not jump, the paper's does
        (dict(bid=30.0, ask=54.0, time=21, sale=True, price=50.0), 2, 2.5),  # just traded: the book is empty
        (dict(bid=30.0, ask=54.0, time=23), 54, 60),  # the last two ticks: whatever is profitable
        (dict(bid=30.0, ask=54.0, time=22), 54, 54.5),
    ],
)
def test_the_ported_kaplan_in_a_first_period(seen, price, reserve):
    seen = dict(last_bid=-INF, last_ask=INF) | dict(bid=-INF, ask=INF) | seen
    if seen.get("sale"):
        seen |= dict(bid=-INF, ask=INF)
    said, takes = says(PORT, view(**seen))
    assert said == price
    assert takes == pytest.approx(reserve) or (reserve % 1 and takes == pytest.approx(np.floor(reserve) + 0.5))


@pytest.mark.parametrize(
    ("trades", "ask", "bid", "price"),
    [
        ([(40, False), (46, False)], 46.0, 43.0, 46),  # (a) not above 46, close
        ([(40, False), (46, False)], 47.0, 44.0, SILENT),
        ([(40, False), (46, False)], 40.0, 5.0, 40),  # (b) not above 40
        ([(40, True), (46, False)], 40.0, 5.0, SILENT),  # an own trade: PMIN is next to nothing
        ([(40, False), (46, True)], 46.0, 43.0, SILENT),  # own prices do not count for PMAX
        ([(40, False), (46, True)], 40.0, 38.0, 40),
        ([(40, True)], 30.0, 29.0, SILENT),  # others did not trade: no PMAX
        ([], 30.0, 29.0, SILENT),
        ([(30, False), (170, False)], 58.0, 57.0, 58),  # nothing comes of the hundreds
    ],
)
def test_the_ported_kaplan_remembers_prices_as_the_program_did(trades, ask, bid, price):
    own = np.cumsum([mine for _, mine in trades])
    first = [view(time=i + 1, sale=True, price=float(p), traded=int(own[i])) for i, (p, _) in enumerate(trades)]
    second = [view(period=1, time=1), view(period=1, time=3, bid=bid, ask=ask)]
    assert says(PORT, *first, *second)[0] == price


# Gamer.


@pytest.mark.parametrize(
    ("value", "bid", "price"),
    [(60, -INF, 54), (60, 53.0, 54), (60, 54.0, SILENT), (150, -INF, 101), (0.5, -INF, 1)],
)
def test_gamer_asks_for_a_tenth_within_the_bounds(value, bid, price):
    quote, reserve = says(Gamer(), view(tokens=(value,), bid=bid))
    assert quote == pytest.approx(price, rel=1e-6) and reserve == value


# Staecker.


@pytest.mark.parametrize(
    ("seen", "price", "reserve"),
    [
        ([view(tokens=FOUR)], 60 - 9, 60),  # no forecast yet: 0.3 of 30 less
        ([view(tokens=FOUR, bid=55.0)], 56, 60),  # but above the bid
        ([view(ask=50.0)], 49, 50.5),  # forecast 50; below the ask
        ([view(ask=50.0, bid=47.0)], 49, 50.5),  # spread 3: settled
        ([view(ask=50.0, bid=40.0)], SILENT, 50.5),  # spread 10 of a midpoint of 45, more than 5
        ([view(ask=50.0, bid=45.0)], 49, 50.5),  # 5 is not more than 5
        ([view(ask=50.0, bid=40.0, time=13)], 49, 50.5),  # half of the time is over
        ([view(ask=50.0), view(ask=40.0)], 39, 47.5),  # forecast 50 - 0.3 * 10
        ([view(ask=40.0), view(ask=50.0)], 43, 43.5),
        ([view(ask=50.0), trade(50, time=4)], 50, 50.5),  # the book is empty, the forecast stays
        ([view(ask=60.0)], SILENT, 60),  # no profit in the forecast
        ([view(ask=59.5)], 58.5, 59.5),
        ([view(ask=50.0, bid=49.0)], SILENT, 50.5),
        ([view(ask=50.0, time=21)], 50, 60),  # 21 of 24 is late: take it
        ([view(ask=59.5, time=21)], 59, 60),
        ([view(ask=60.0, time=21)], SILENT, 60),
        ([view(time=21)], SILENT, 60),
        ([view(ask=50.0), view(period=1, tokens=FOUR, last_ask=40.0, time=1)], 51, 60),  # a new period, no forecast
    ],
)
def test_staecker_trades_on_its_forecast(seen, price, reserve):
    assert says(Staecker(), *seen) == (pytest.approx(price), pytest.approx(reserve))


# Lin.


def test_lin_without_prices_goes_from_its_last_limit_or_the_bid_towards_its_value():
    """Tick 12 of 24, all units left, four of eight are sellers: w = 1/4."""
    assert says(Lin(), view(tokens=FOUR, time=12)) == (0.25 * 29 + 0.75 * 59, 51.5)
    assert says(Lin(), view(tokens=FOUR, time=12, bid=39.0)) == (0.25 * 40 + 0.75 * 59, 54.5)
    assert says(Lin(), view(tokens=FOUR, time=12, bid=59.0)) == (SILENT, 59.5)
    assert says(Lin(), view(tokens=FOUR, time=12, traded=2)) == (0.125 * 29 + 0.875 * 39, 37.5)
    few = says(Lin(), view(tokens=FOUR, time=12, rivals=1))  # one of five is a seller: w = 1/10
    assert few[0] == pytest.approx(0.1 * 29 + 0.9 * 59)


def test_lin_draws_its_target_about_the_mean_of_the_periods_means():
    """First period: trades at 20 and 30; second: 38, 42 and 46. m = (25 + 42) / 2, s = sqrt(32) / 2."""
    told = [trade(20, time=4), trade(30, time=9), view(time=1, period=1)]
    told += [trade(p, time=i + 1, period=1) for i, p in enumerate((38, 42, 46))]
    price, reserve = draws(Lin(), *told, view(period=1, time=24, steps=24, tokens=FOUR))  # w = 0
    m, s = 33.5, 32**0.5 / 2
    assert stats.kstest(price, "norm", (m, s)).pvalue > 1e-3
    np.testing.assert_allclose(reserve, np.maximum(np.floor(price + 1e-3) + 0.5, m + s), rtol=1e-5)
    price, _ = draws(Lin(), *told, view(period=1, time=24, steps=24, tokens=FOUR, bid=34.0))
    assert np.isclose(price, 35).mean() == pytest.approx(stats.norm.cdf(34, m, s), abs=0.03)  # below the bid: one more
    price, _ = draws(Lin(), *told, view(period=1, time=24, steps=24, tokens=(33.0,)))
    assert np.isclose(price, 32).mean() == pytest.approx(stats.norm.sf(32, m, s), abs=0.03)  # above MOST: MOST


# Perry.

THREE = [trade(40, time=1), trade(46, time=2), trade(52, time=3)]
"""Mean 46, SD sqrt(24)."""
SD = 24**0.5


@pytest.mark.parametrize(
    ("seen", "price"),
    [
        (dict(time=6), 46 - 1.5 * SD),  # a (1 - t / T) = 1.5
        (dict(time=18), 46 - 0.5 * SD),
        (dict(time=6, ask=80.0), 46 - 1.3 * SD),  # a quote stands
        (dict(time=6, ask=30.0), 30),  # no more than the ask
        (dict(time=6, bid=41.0), 42),  # one above the bid
        (dict(time=6, bid=57.0), 58),
        (dict(time=6, bid=59.0), SILENT),
        (dict(time=18, tokens=(40,)), 39),
    ],
)
def test_perry_aims_so_many_standard_deviations_below_the_mean(seen, price):
    assert says(Perry(), *THREE, view(**seen))[0] == pytest.approx(price, rel=1e-5)


@pytest.mark.parametrize(
    ("seen", "reserve"),
    [
        (dict(time=6, ask=80.0), 39.5),  # up to its aim, 46 - 1.3 SD = 39.6
        (dict(time=6, bid=41.0), 42.5),  # or to its own bid
        (dict(time=6, bid=59.0), 59.5),  # which may stand
        (dict(time=19, bid=41.0), 45.5),  # 46 - (10 / 24 - 0.2) SD = 44.9, rounded down by a bid of 44.9
        (dict(time=20, bid=41.0), 58),  # the last fifth: what leaves more than 2
    ],
)
def test_perry_accepts_up_to_its_aim_and_at_the_end_what_leaves_more_than_two(seen, reserve):
    if seen["time"] == 19:
        reserve = np.floor(46 - (10 / 24 - 0.2) * SD) + 0.5
    assert says(Perry(), *THREE, view(**seen))[1] == pytest.approx(reserve)


def test_perry_opens_at_random_and_then_closes_the_gap():
    price, reserve = draws(Perry(), view(tokens=FOUR))
    assert uniform(price, 1, 30)  # below its last limit
    np.testing.assert_allclose(reserve, np.floor(price + 1e-3) + 0.5)
    price, _ = draws(Perry(), view(tokens=FOUR, bid=20.0))  # as long as there is no ask
    assert uniform(price, 1, 30)
    price, _ = draws(Perry(), view(bid=20.0, ask=40.0))
    assert uniform(20 / (2 * (price - 20)), 1.2, 2.2)
    price, _ = draws(Perry(), view(tokens=(26,), bid=20.0, ask=40.0))
    assert ((price == SILENT) | (price < 26)).all() and 0.3 < (price == SILENT).mean() < 0.6  # U < 0.467
    assert says(Perry(), *THREE[:2], view(time=6))[0] < 30  # two trades are too few in a first period


@pytest.mark.parametrize(
    ("own", "factor"),
    [
        ([], 2 / 3),  # bought nothing where 60 and 50 were worth more than the mean of 46
        ([0], 2 * 20 / 19),  # one of two units, at 40: a gain of 20 of 14 + 4 and 1; no more than all
        ([2], 2 * 8 / 19),  # one, at 52
        ([0, 1], 2),  # both, at 40 and 46: 24 of 19
        ([1, 2], 2 * (2 - 12 / 19)),  # both, at 46 and 52: 14 - 2, too little
    ],
)
def test_perry_tunes_how_much_it_asks_by_what_the_last_period_brought(own, factor):
    tape = [(40, 1), (46, 2), (52, 3)]
    seen = [view(tokens=FOUR, time=1)]
    for i, (price, time) in enumerate(tape):
        seen.append(trade(price, time=time, tokens=FOUR, traded=sum(o <= i for o in own)))
    memory = mind(Perry(), *seen, view(tokens=FOUR, time=1, period=1))
    assert float(memory.factor) == pytest.approx(min(factor, 2) if own == [0] else factor, rel=1e-5)
    assert (float(memory.gain), float(memory.now.count), float(memory.prices.count)) == (0, 0, 3)


def test_perry_learns_nothing_from_a_period_without_trades():
    assert float(mind(Perry(), view(time=3), view(time=1, period=1)).factor) == 2


# SelectedCopies themselves, and what cannot be.


@pytest.mark.parametrize(
    ("rule", "environment", "least"), [(EasleyLedyard(), "SHRT", 0.9), (Ringuette(), "BASE", 0.9), (PORT, "BASE", 0.95)]
)
def test_they_trade_among_themselves(rule, environment, least):
    """Bounds below what was measured: 0.96, 0.96 and 0.99. (Were Easley and Ledyard's reservation price to fall back
    where a trade clears the book, the first would fail.)"""
    game = aurora(environment)
    play = Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length, copies=40)
    efficiency = np.asarray(run(play, rng.key(1), 2, (Efficiency(),)).series["efficiency"])
    assert np.nanmean(efficiency) > least


def test_kaplans_alone_lose_a_sixth_of_the_surplus_where_time_is_short():
    """An independent program has 0.824 of all surplus in SHRT. With waits that are counted one tick late it is 0.75."""
    game = aurora("SHRT")
    play = Play(game, Population([Group(r.name, None, Kaplan()) for r in game.roles]), length=game.length, copies=100)
    series = run(play, rng.key(1), 3, (Efficiency(),)).series
    assert 0.80 < np.asarray(series["surplus"]).sum() / np.asarray(series["maximum_surplus"]).sum() < 0.85


@pytest.mark.parametrize(
    ("rule", "least"),
    [
        (EasleyLedyard(), 0.6),
        (PriceTaker(), 0.98),
        (Perry(), 0.4),
        (Lin(), 0.98),
        (Staecker(), 0.1),
        (Ringuette(), 0.2),
    ],
    ids=lambda x: type(x).__name__,
)
def test_they_trade_where_no_quote_stands_and_prices_are_continuous(rule, least):
    game = memoryless_market(disclosure=FullDisclosure())
    play = Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length, copies=40)
    assert np.nanmean(np.asarray(run(play, rng.key(1), 2, (Efficiency(),)).series["efficiency"])) > least


@pytest.mark.parametrize(
    ("make", "error", "says_"),
    [
        (lambda: Gamer(1.0), InputError, r"Gamer: margin must lie in \[0, 1\), got 1"),
        (lambda: EasleyLedyard(0.0), InputError, "EasleyLedyard: until must lie in"),
        (lambda: EasleyLedyard(float("nan")), InputError, "EasleyLedyard: until must lie in"),
        (lambda: Staecker(weight=1.5), InputError, "Staecker: weight must lie in"),
        (
            lambda: PriceTaker.__check_init__(SimpleNamespace(estimate="median")),
            BuildError,
            "estimate must be 'mean' or 'last', got 'median'",
        ),
    ],
)
def test_numbers_that_cannot_be_are_refused(make, error, says_):
    with pytest.raises(error, match=says_):
        make()
