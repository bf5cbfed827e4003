"""The population experiment end to end at a toy size: cells, claims, tables and figures fit together."""

from dataclasses import replace

import numpy as np
import pytest
from catallax.experiments.learning_dynamics.population_claims import (
    CLAIMS,
    agents_slope,
    biases,
    grid_errors,
    jackknife,
    mean_policy,
    node_errors,
    order,
    squared_errors,
    step_errors,
)
from catallax.experiments.learning_dynamics.population_reference import DILEMMA

from catallax.experiments.learning_dynamics import population_claims
from catallax.experiments.learning_dynamics.population import Settings, cells, experiment
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Three replications of what is quick; the costly grid and the finest gains left at their size."""
    scale = Scale(steps=21, replications=3, block=3, chunk=64)
    tiny = replace(experiment, scales={"quick": scale, "paper": scale}, cells=cells)
    return execute(tiny, Settings(substeps=20), "quick", 0, tmp_path_factory.mktemp("population") / "run")


def test_nodes_stand_on_the_reference_table(results):
    data = results.dataset("dilemma_nodes")
    for t, (cooperate, *values) in DILEMMA.items():
        np.testing.assert_allclose(data["mean_policy"].values[:, t, 0, 0], cooperate, atol=6e-9)
        np.testing.assert_allclose(data["mean_value"].values[0, t, :, 0], values, atol=2e-8)


def test_rates_of_what_is_not_random(results):
    assert order(population_claims.STEPS_A_UNIT[1:], step_errors(results)[1:]) == pytest.approx(-4, abs=0.1)
    smooth = grid_errors(results, 1, 1)
    assert len(smooth) == 4 and order([1, 1 / 2, 1 / 4, 1 / 8], smooth) == pytest.approx(2, abs=0.25)
    assert (np.diff(np.log(node_errors(results))) < -1.5).all()


def test_learners_are_off_by_what_theory_says(results):
    assert agents_slope(results).mean() == pytest.approx(-0.5, abs=0.15)
    bias = biases(results).mean(axis=0)
    assert (bias[:-1] / bias[1:] == pytest.approx(2, abs=0.4)) and (np.diff(bias) < 0).all()
    rms = np.sqrt(squared_errors(results).mean(axis=0))
    assert (rms[1:] < rms[:-1]).all()


def test_every_claim_is_judged_and_none_fails(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    ours = {v.id: v.ours for v in judged.verdicts if v.ours is not None}
    assert abs(ours["agents.dilemma"]) < 0.01 and ours["rest"] < 1e-10 and ours["rate.grid.box"] > 0.3


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    tables = {t.name: t.frame for t in report.tables}
    assert list(tables) == ["reference", "games", "kept", "errors", "orders"]
    deviations = [float(x) for x in tables["reference"]["deviation"] if x != "-"]
    assert len(deviations) == 6 and max(deviations) < 2e-8
    assert max(float(x) for x in tables["kept"]["grid, lost mass"]) < 1e-13
    assert max(float(x) for x in tables["kept"]["grid, Courant number"]) <= 0.4
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    for figure in report.figures:
        drawing = figure.render()
        assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) > 15


def test_first_values_of_a_picture_are_the_law(results):
    density = results.dataset("dilemma_grid")["density"].values[0]
    assert density.shape == (6, 80, 80) and density[0].max() == pytest.approx(0.25)  # uniform on [0, 2]^2
    histogram = results.dataset("dilemma_agents_all")["histogram"].values
    np.testing.assert_allclose(histogram.sum(axis=(2, 3)), 1, atol=1e-12)
    assert mean_policy(results, "dilemma_agents_all").shape == (3, 21, 1)


def test_pseudo_values_of_a_mean_are_the_values():
    x = np.random.default_rng(0).normal(size=(7, 2))
    np.testing.assert_allclose(jackknife(lambda s: float(s.mean()), x), x.mean(axis=1), atol=1e-12)
    assert order([1, 2, 4], np.asarray([3.0, 12.0, 48.0])) == pytest.approx(2)
