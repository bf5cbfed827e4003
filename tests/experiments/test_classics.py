"""The laboratory markets: schedules and equilibria, what is read out of results, claims, and a second method."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from cliff_shouts import zero_intelligence_day, zip_days
from invented import Invented, noisy

from catallax.core import InputError, rng, run
from catallax.experiments.double_auction import classics_markets as markets
from catallax.experiments.double_auction.classics import CLAIMS, experiment, report
from catallax.games.double_auction.equilibrium import competitive_equilibrium
from catallax.games.double_auction.schedules import SMITH_1962_TEST_1
from catallax.lab.claims import judge_all
from catallax.measures import double_auction

pytestmark = pytest.mark.compile_effort("least")

# Markets.


@pytest.mark.parametrize(("number", "name"), list(enumerate(markets.MARKETS)))
def test_every_lane_is_its_schedule_with_the_printed_equilibrium(number, name):
    schedule, tokens = markets.MARKETS[name], markets.OneOf(tuple(markets.MARKETS.values()), number)
    values, costs = map(np.asarray, tokens.draw(rng.key(0), markets.SEATS, markets.SEATS))
    assert [(x,) for x in values[np.isfinite(values)]] == list(schedule.buyers)
    assert [(x,) for x in costs[np.isfinite(costs)]] == list(schedule.sellers)
    assert np.isneginf(values[len(schedule.buyers) :]).all() and np.isposinf(costs[len(schedule.sellers) :]).all()
    ce = competitive_equilibrium(jnp.asarray(values), jnp.asarray(costs))
    assert float(ce.price) == markets.TARGET and float(ce.surplus) == schedule.equilibrium.surplus


def test_smiths_first_test_is_cliffs_market_a_in_dollars():
    for smith, cliff in (
        (SMITH_1962_TEST_1.buyers, markets.MARKETS["A"].buyers),
        (SMITH_1962_TEST_1.sellers, markets.MARKETS["A"].sellers),
    ):
        assert [100 * price for (price,) in smith] == [price for (price,) in cliff]


def test_schedules_do_not_fit_other_numbers_of_traders():
    with pytest.raises(InputError, match="schedules are for 11 seats a side, the market has 4 and 4"):
        markets.OneOf(tuple(markets.MARKETS.values())).draw(rng.key(0), 4, 4)


def test_a_market_played(monkeypatch):
    """Market C, two short days: seats without units stand aside, and dispersion is over those who have units."""
    monkeypatch.setitem(markets.SESSIONS, "cliff", markets.SESSIONS["cliff"]._replace(steps=40, periods={"quick": 2}))
    play = markets.play("cliff", "quick", 2)
    measures = (
        double_auction.Profit(by_period=True),
        double_auction.ProfitDispersion(by_period=True),
        double_auction.Volume(by_period=True),
    )
    found = {k: np.asarray(v) for k, v in run(play, rng.key(3), 1, measures).series.items()}
    buyers, sellers = found["buyer_profit"][0], found["seller_profit"][0]
    assert found["trades"].sum() > 0 and not sellers[..., 6:].any()
    zic = markets.SESSIONS["cliff"].traders.index("zic")
    assert (buyers[zic] >= 0).all() and (sellers[zic] >= 0).all() and (buyers[zic] > 0).any()
    everyone = np.concatenate([buyers - 0.0, sellers[..., :6] - 150.0], axis=-1)
    by_hand = np.sqrt((everyone**2).mean(axis=-1))[zic].mean()
    data = xarray.Dataset({"profit_dispersion": (_DIMS, _laned(found["profit_dispersion"][0][[zic, zic]]))})
    read = markets.profit_dispersion("cliff", "zic", "C")(Invented(experiment, "quick", {"cliff": data}))
    np.testing.assert_allclose(read, by_hand, rtol=1e-5)


_DIMS = ("replicate", "market", "phase", "zero", "period")


def _laned(by_copy):
    """[zero, period] as the data of one replication, one phase, in market C only."""
    return np.where(np.arange(4)[:, None, None, None] == 2, by_copy, np.nan)[None]


# A second method.


@pytest.mark.parametrize("market", markets.MARKETS)
def test_shouts_of_cliffs_program_have_the_means_that_the_notes_state(market):
    schedule, random = markets.MARKETS[market], np.random.default_rng(1)
    values, costs = ([price for (price,) in rows] for rows in (schedule.buyers, schedule.sellers))
    days = np.array([zero_intelligence_day(values, costs, random) for _ in range(400)])
    error = np.nanstd(days) / np.sqrt(len(days))
    assert abs(np.nanmean(days) - markets.PREDICTED[market].shouts) < 4 * error < 4


@pytest.mark.parametrize("market", "CD")
def test_zip_under_cliffs_shouts_is_slow_if_a_day_ends_when_a_side_has_sold_out(market):
    """And as fast as in our market if the others go on shouting: what the notes on C and D state."""
    schedule, random = markets.MARKETS[market], np.random.default_rng(2)
    values, costs = (np.array(rows)[:, 0] for rows in (schedule.buyers, schedule.sellers))
    away = {}
    for closes in (True, False):
        prices = np.array([zip_days(values, costs, 10, random, closes) for _ in range(5)])
        away[closes] = np.abs(prices.mean(axis=0) - markets.TARGET)
    stated = abs(float(markets.REBUILT[market].split(", ")[2]) - markets.TARGET)
    assert away[True][-1] == pytest.approx(stated, abs=20) and away[False][-1] < 6 < 15 < away[True][-1]


# Reading.


def test_days_to_settle():
    inf = np.nan
    prices = np.array([[150.0, 198, 210, 203, 201], [201, 199, 200, 202, 203], [200, 200, 200, 200, 190]])
    np.testing.assert_array_equal(markets.days_to_settle(prices, 5.0), [4, 1, np.nan])
    np.testing.assert_array_equal(markets.days_to_settle(np.array([[200.0, inf, 200.0]]), 5.0), [3])


def lengths(scale_name):
    """From a cell to the lengths of its axes at a scale."""

    def of(cell):
        session = markets.SESSIONS[cell.name]
        return {"copy": len(session.traders), "period": session.periods[scale_name], "zero": 2, "trade": 5, "group": 2}

    return of


@pytest.fixture(params=["quick", "paper"])
def results(request):
    """Results of a scale with invented numbers, the same for every replication but for a little noise."""
    return noisy(experiment, request.param, lengths(request.param), {"mean_price": 200.0, "efficiency": 1.0})


def test_the_report_and_all_claims_of_a_scale(results):
    made = report(results)
    rows = {table.name: len(table.frame) for table in made.tables}
    paper = results.scale_name == "paper"
    assert rows == {
        "cliff": 16 if paper else 12,
        "gjerstad_dickhaut": 9 if paper else 5,
        "smith": 5 if paper else 4,
        "gode_sunder": 12 if paper else 10,
    }
    for figure in made.figures:
        assert len(figure.render().svg) > 1000
    judged = judge_all(experiment.claims, results)
    assert not judged.failed
    verdicts = {v.id: v for v in judged.verdicts}
    assert verdicts["cliff.zip.day4.a"].verdict == "reproduced"
    assert verdicts["cliff.zip.days.c"].ours == 1.0 and verdicts["cliff.zip.days.c"].verdict == "not reproduced"
    assert verdicts["gjerstad.aurora.gd.all"].ours == pytest.approx(0.1, abs=0.001)
    assert ("missing: cell" in verdicts["gjerstad.symmetric.gd.all"].note) != paper


def test_a_trader_and_a_market_are_read_where_they_are(results):
    data = results.dataset("cliff")
    zic = markets.SESSIONS["cliff"].traders.index("zic")
    data["mean_price"][dict(market=3, copy=zic, period=1)] += 7.0
    for market, trader in (("D", "zic"), ("D", "zip"), ("C", "zic")):
        prices = markets.series("cliff", "mean_price", trader, market)(results).mean(axis=0)
        np.testing.assert_allclose(prices[1] - prices[0], 7.0 if (market, trader) == ("D", "zic") else 0.0, atol=0.01)


# Claims.


def test_claims_find_their_cells_and_print_what_the_tables_print():
    cells = {cell.name for cell in experiment.build_cells(markets.Settings(), "paper")}
    quick = {cell.name for cell in experiment.build_cells(markets.Settings(), "quick")}
    assert quick == {"cliff", "aurora"} < cells
    assert all(set(claim.needs) <= cells for claim in CLAIMS)
    printed = {c.id: c.published for c in CLAIMS if hasattr(c, "published")}
    assert printed["cliff.zic.mean.b"] == 233.3 and printed["gjerstad.aurora.gd.last"] == 0.040
    assert printed["gode.efficiency.a"] == pytest.approx((97.1 + 99.9) / 2)
