"""The summary experiment: common random numbers, claims, tables and rounds of the run at scale quick."""

import re

import numpy as np
import pytest

from catallax.experiments.catalogue import CATALOGUE, load
from catallax.experiments.double_auction.rounds import LAST, every_round, late_mean, late_sd
from catallax.experiments.double_auction.summary import experiment
from catallax.experiments.double_auction.summary_claims import CLAIMS, TABLE_ROWS, advantage, far
from catallax.lab.cite import cite
from catallax.lab.claims import judge_all


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run("double_auction.summary")


def test_every_experiment_of_the_catalogue_loads_and_cites_what_it_uses():
    for name in CATALOGUE:
        found = load(name)
        assert found.name == name and {"quick", "paper"} <= set(found.scales)
        assert cite(found.sources)
        keys = {key for claim in found.claims for key in re.findall(r"^[A-Z]\w*\d{4}\w*", claim.source)}
        assert keys <= set(found.sources), f"{name}: claims name sources that the experiment does not"
        ids = [claim.id for claim in found.claims]
        assert len(set(ids)) == len(ids)


def test_paper_scale_is_what_the_source_says():
    scale = experiment.scales["paper"]
    assert scale.steps * 10 == 5000 and scale.replications >= 10


def test_four_markets_trade_the_same_tokens(results):
    tokens = [results.dataset(cell)["sample_values"].values for cell in ("zic", "single", "none", "full")]
    for other in tokens[1:]:
        np.testing.assert_array_equal(other, tokens[0])
    prices = [results.dataset(cell)["sample_price"].values for cell in ("zic", "single", "none", "full")]
    assert not np.array_equal(prices[0], prices[1]) and not np.array_equal(prices[2], prices[3])


def test_replacing_two_traders_leaves_the_quotes_of_the_others(results):
    zic, single = (results.dataset(cell) for cell in ("zic", "single"))
    first = (zic["sample_bids"].values[:, :, 0], single["sample_bids"].values[:, :, 0])
    np.testing.assert_array_equal(first[0][..., 1:], first[1][..., 1:])  # first tick: same values, same draws
    assert not np.array_equal(first[0][..., 0], first[1][..., 0])


def test_every_claim_is_judged_and_every_printed_cell_has_one(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    ids = {v.id for v in judged.verdicts}
    assert {f"{row.name}.{cell}" for row in TABLE_ROWS for cell in row.cells} <= ids
    assert {"mean_absolute_deviation.none.as_printed", "volatility.none.as_printed", "buyer_power.none"} <= ids
    found = {v.id: v.verdict for v in judged.verdicts}
    assert found["bid_handover.zic"] == found["efficiency.zic"] == "reproduced"


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    summary = next(t for t in report.tables if t.name == "summary").frame
    assert list(summary["criterion"]) == [row.name.replace("_", " ") for row in TABLE_ROWS]
    assert all(len(figure.data) > 10 for figure in report.figures)
    learning = report.figures[-1]
    assert learning.render() == learning.render()  # the same data, the same bytes


def test_rounds_are_read_in_order(results):
    every = every_round("zic", "efficiency")(results)
    assert every.shape == (10, 2000)
    data = results.dataset("zic")["efficiency"]
    assert every[1, 13] == data.isel(replicate=1, phase=1, copy=3).item()
    last = every[:, -LAST:]
    np.testing.assert_allclose(late_mean("zic", "efficiency")(results), last.mean(axis=1))
    np.testing.assert_allclose(late_sd("zic", "efficiency")(results), last.std(axis=1, ddof=1))
    np.testing.assert_allclose(late_mean("zic", "efficiency", 30)(results), every[:, -30:].mean(axis=1))
    seat = every_round("single", "buyer_profit", buyer=2)(results)
    np.testing.assert_array_equal(seat, every_round("single", "buyer_profit")(results)[:, :, 2])


def test_learners_are_read_against_their_neighbours(results):
    profit, distance = (late_mean("single", f"buyer_{name}")(results) for name in ("profit", "quote_distance"))
    np.testing.assert_allclose(advantage("buyer_profit")(results), profit[:, 0] - profit[:, 1:].mean(axis=1))
    np.testing.assert_allclose(far("single", "buyer", slice(1, None))(results), np.nanmean(distance[:, 1:], axis=1))
