"""The population experiment at scale quick: the reference table, errors that fall as theory says, pseudo-values."""

import numpy as np
import pytest

from catallax.experiments.learning_dynamics.population import (
    agents_slope,
    biases,
    experiment,
    grid_errors,
    jackknife,
    mean_policy,
    node_errors,
    order,
    squared_errors,
    step_errors,
)
from catallax.experiments.learning_dynamics.population_cells import STEPS_A_UNIT
from catallax.experiments.learning_dynamics.reference_values import DILEMMA
from catallax.lab.quantity import recorded


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def test_nodes_stand_on_the_reference_table(results):
    data = results.dataset("dilemma_nodes")
    for t, (cooperate, *values) in DILEMMA.items():
        np.testing.assert_allclose(data["mean_policy"].values[:, t, 0, 0], cooperate, atol=6e-9)
        np.testing.assert_allclose(data["mean_value"].values[0, t, :, 0], values, atol=2e-8)


def test_rates_of_what_is_not_random(results):
    assert order(STEPS_A_UNIT[1:], step_errors(results)[0, 1:]) == pytest.approx(-4, abs=0.1)
    smooth = grid_errors(1, 1)(results)[0]
    assert len(smooth) == 4 and order([1, 1 / 2, 1 / 4, 1 / 8], smooth) == pytest.approx(2, abs=0.25)
    assert (np.diff(np.log(node_errors(results)[0])) < -1.5).all()


def test_learners_are_off_by_what_theory_says(results):
    assert agents_slope(results).mean() == pytest.approx(-0.5, abs=0.15)
    bias = biases(results).mean(axis=0)
    assert (bias[:-1] / bias[1:] == pytest.approx(2, abs=0.4)) and (np.diff(bias) < 0).all()
    rms = np.sqrt(squared_errors(results).mean(axis=0))
    assert (rms[1:] < rms[:-1]).all()


def test_what_draws_nothing_is_the_same_in_all_replications(results):
    for errors in (node_errors, step_errors, grid_errors(0, 2)):
        assert (np.ptp(errors(results), axis=0) == 0).all()


def test_tables_stand_on_the_reference_and_keep_what_must_be_kept(results):
    tables = {t.name: t.frame for t in experiment.report(results).tables}
    deviations = [float(x) for x in tables["reference"]["deviation"] if x != "-"]
    assert len(deviations) == 6 and max(deviations) < 2e-8
    assert max(float(x) for x in tables["kept"]["grid, lost mass"]) < 1e-13
    assert max(float(x) for x in tables["kept"]["grid, Courant number"]) <= 0.4


def test_first_values_of_a_picture_are_the_law(results):
    density = recorded("dilemma_grid", "density")(results)[0]
    assert density.shape == (6, 80, 80) and density[0].max() == pytest.approx(0.25)  # uniform on [0, 2]^2
    histogram = recorded("dilemma_agents_all", "histogram")(results)
    np.testing.assert_allclose(histogram.sum(axis=(2, 3)), 1, atol=1e-12)
    assert mean_policy("dilemma_agents_all")(results).shape == (10, 21, 1)


def test_pseudo_values_of_a_mean_are_the_values():
    x = np.random.default_rng(0).normal(size=(7, 2))
    np.testing.assert_allclose(jackknife(lambda s: float(s.mean()), x), x.mean(axis=1), atol=1e-12)
    assert order([1, 2, 4], np.asarray([3.0, 12.0, 48.0])) == pytest.approx(2)
