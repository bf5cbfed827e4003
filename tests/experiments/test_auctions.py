"""The experiment on auctions with Q-learners: settings against the independent program, and what is read of them."""

import jax
import numpy as np
import pytest
import xarray
from doctored import HandMade

from catallax.core import rng
from catallax.experiments.learning_dynamics.auctions import (
    CLAIMS,
    FAMILY,
    GROUPS,
    SETTINGS,
    SIGNALS,
    Settings,
    alike,
    cells,
    experiment,
    last_bids,
    price,
    prices,
    table_of_affiliated,
)
from catallax.lab.claims import judge_all


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


@pytest.fixture(scope="module")
def affiliated():
    """A run of affiliated values made by hand: second price earns 0.1, 0.2, 0.3 more than first price."""
    revenue = np.zeros((10, 6, 3, 1))
    revenue[:, ::2] = 0.2 + 0.01 * np.arange(10)[:, None, None, None]
    revenue[:, 1::2] = revenue[:, ::2] + np.array([0.1, 0.2, 0.3])[:, None, None]
    total = xarray.DataArray(1000 * revenue.cumsum(axis=2), dims=("replicate", "setting", "phase", "copy"))
    return HandMade(experiment, {"affiliated": xarray.Dataset({"revenue": total})}, scale_name="paper")


def test_settings_have_names_of_their_own():
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names) and set(FAMILY) <= set(names)
    assert sum(GROUPS.values(), ()) == SETTINGS
    assert all((setting.affiliation is not None) == (setting.cell == "affiliated") for setting in SETTINGS)
    rules = [next(setting.rule for setting in SETTINGS if setting.name == name) for name in FAMILY]
    np.testing.assert_allclose(rules, np.linspace(1, 2, 5))


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.found_error is not None], ids=lambda s: s.name)
def test_prices_are_those_of_the_independent_program(results, setting):
    sample = price(setting.name)(results)
    error = np.hypot(sample.std(ddof=1) / np.sqrt(sample.size), setting.found_error)
    assert abs(sample.mean() - setting.found) < 4 * error + 0.005


def test_with_the_value_among_the_bids_second_price_learners_walk_over_the_whole_grid(results):
    """One sits at the value, the other earns nothing whatever it bids: the price is the mean of the grid."""
    np.testing.assert_allclose(price("second_value")(results), 0.5, atol=0.02)


def test_prices_are_means_of_windows(results):
    path = prices("first")(results)
    assert path.shape == (10, 1000) and (path > 0).all() and (path < 1).all()
    bids = last_bids("first")(results)
    assert bids.shape == (10, 2) and alike("first")(results).all()
    np.testing.assert_allclose(path[:, -1], bids[:, 0], atol=0.02)  # first price, both at the same bid


def test_the_table_has_a_row_for_each_setting_that_was_run(results):
    table = experiment.report(results).tables[0].frame
    assert list(table["setting"]) == [s.label for s in SETTINGS if s.cell != "affiliated"]


def test_affiliated_values_are_judged_and_shown_where_they_are_run(affiliated):
    judged = judge_all([claim for claim in CLAIMS if claim.id.startswith("affiliated")], affiliated)
    (whole,) = judged.verdicts
    assert [part.ours for part in whole.parts] == pytest.approx([0.1, 0.2, 0.3])
    assert {part.verdict for part in whole.parts} == {"reproduced"} and whole.verdict == "context"
    table = table_of_affiliated(affiliated)
    assert list(table.frame["price"].str[:5]) == ["0.245", "0.345", "0.245", "0.445", "0.245", "0.545"]
    assert list(table.frame["eta"]) == [0, 0, 0.5, 0.5, 1, 1] and table.text()


def test_learners_with_affiliated_values_keep_values_for_each_signal():
    """Traced only: a step of the cell that no scale but "paper" runs."""
    cell = next(c for c in cells(Settings()) if c.name == "affiliated")
    play = cell.build(setting=3)
    state = jax.eval_shape(play.init, rng.key(0))
    after, _ = jax.eval_shape(play.step, rng.key(0), state, 0)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert play.population.groups[0].control.agent.states == SIGNALS
