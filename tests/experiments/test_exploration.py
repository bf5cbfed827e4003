"""Exploration policies: surfaces and ends against references, claims that can fail, pictures that render."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doctored import Doctored, swap_trajectory

from catallax.experiments.learning_dynamics.exploration import (
    CLAIMS,
    LENGTH,
    PAIRS,
    RUNS,
    experiment,
    matching,
    off_surface,
    rates,
    ratio,
    schedules,
)
from catallax.experiments.learning_dynamics.quantities import heads
from catallax.experiments.learning_dynamics.reference_values import AMPS
from catallax.experiments.learning_dynamics.surfaces import GRID, gap, sheet
from catallax.lab.claims import judge_all
from catallax.lab.quantity import recorded

ENDS = ((0.331536, 0.331543), (0.329588, 0.329625), (0.331493, 0.329697))
"""P(H) after exploration with peak 2 and length 200, by two other integrators, to six digits: the first three pairs."""


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def verdicts(results):
    judged = judge_all(CLAIMS, results)
    return {v.id: v.verdict for v in judged.verdicts}, judged.failed


def test_the_surface_holds_the_reference_equilibria(results):
    shown = 0
    for (a, b), expected in AMPS.items():
        i, j = (int(np.abs(GRID - t).argmin()) for t in (a, b))
        if abs(GRID[i] - a) + abs(GRID[j] - b) < 1e-9:
            found = np.stack([sheet(k)(results)[:, i, j] for k in (0, 1)], axis=1)
            np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-11)
            shown += 1
    assert shown == 5 and gap(results).max() < 1e-11


def test_paths_end_on_the_reference_points_from_every_start(results):
    found = heads("paths")(results)
    for b, expected in enumerate(ENDS):
        np.testing.assert_allclose(found[:, :, b], np.broadcast_to(expected, found.shape[:2]), atol=6e-7)


def test_the_drawn_rates_are_those_of_the_schedules():
    time = np.linspace(1, 220, 12)
    with jax.enable_x64(True):
        given = np.asarray([[float(s(jnp.asarray(t))) for t in time] for s in schedules(LENGTH)])
    np.testing.assert_allclose(rates(np.array([0, 1]), time, LENGTH), given, atol=1e-12)


def test_the_matching_holds_every_combination():
    which = matching()
    assert which.shape == (3, RUNS) and set(np.unique(which)) == {0, 1}
    assert len({tuple(run) for run in which.T}) == 8 and 0.3 < which.mean() < 0.7
    np.testing.assert_array_equal(which, matching())


def test_paths_come_down_on_the_surface(results):
    away = off_surface(results)
    # a one-cycle policy begins without exploration: far off; half-way all are on it
    assert away[:, 20:80, :, 1].max() > 0.05 and away[:, 480:720].max() < 0.01
    assert away.shape == (10, 800, 2, len(PAIRS))


def test_exploration_splits_the_stake(results):
    np.testing.assert_allclose(ratio("linear").last(results), 1, atol=1e-5)
    payoff = recorded("matched", "payoff").last(results)
    heads_2 = heads("matched")(results)[:, 2]
    np.testing.assert_allclose(payoff[:, 1], 2 * (1 - heads_2), atol=1e-6)  # u_1 = 2 (1 - h_2) once both ends play T
    np.testing.assert_allclose(payoff[:, 3], 2 * heads_2, atol=1e-6)
    assert np.ptp(heads("none")(results)[:, 2, 0]) > 0.3


def test_claims_fail_on_other_numbers(results):
    def unfair(data):
        data["policy"].values[:, -1, 2, 0, 7] = 0.6
        data["payoff"].values[:, -1, 1] *= 1.1

    def elsewhere(data):
        data["policy"].values[::2, :, :, 0, 100] += 0.01

    def off(data):
        data["policy"].values[:, 500, 0, 0, 3] += 0.1

    changed = {"matched": unfair, "surface": elsewhere, "paths": off, "slow_paths": swap_trajectory(0, 1)}
    found, failed = verdicts(Doctored(results, changed))
    assert failed == ()
    lost = {name for name, verdict in found.items() if verdict == "not reproduced"}
    assert {"surface.unique", "split.matched", "split.uniform", "split.sum", "paths.follow"} <= lost


def test_points_that_were_not_found_are_holes(results):
    def lose(data):
        data["gap"].values[:, :, 61] = 1e-3

    lame = Doctored(results, {"surface": lose})
    values = sheet(0)(lame)
    assert np.isnan(values[:, 1, 1]).all() and np.isnan(values).sum() == values.shape[0]
    found, failed = verdicts(lame)
    assert "surface.unique" in failed and found["surface.unique"] == "not comparable"
    assert experiment.report(lame).figures[0].render().png[:4] == b"\x89PNG"


def test_the_report_shows_the_references_and_the_fair_split(results):
    report = experiment.report(results)
    assert max(float(x) for x in report.tables[0].frame["worst"]) < 1e-11
    assert all("source prints none" in figure.caption for figure in report.figures)
    kinds = set(report.figures[0].data["kind"]) | set(report.figures[1].data["kind"])
    assert kinds == {"surface", "path ETE, ETE", "path CLR-1, CLR-1", "path ETE, CLR-1", "path CLR-1, ETE"}
    last = report.figures[2].data.groupby("row")["ratio u_1 / u_3"].last()
    np.testing.assert_allclose(last, 1, atol=0.01)
