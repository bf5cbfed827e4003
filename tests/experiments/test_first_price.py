"""The tiny first-price auction: basins against their known edge, branches against the reference, every claim judged."""

import numpy as np
import pytest
from catallax.experiments.learning_dynamics.first_price_claims import CLAIMS, TEMPERATURES, distances, policies, shares

from catallax.experiments.learning_dynamics.first_price import Settings, experiment
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return execute(experiment, Settings(), "quick", 0, tmp_path_factory.mktemp("first_price") / "run")


def test_the_basins_end_on_the_antidiagonal(results):
    """Every path ends on the side of x + y = 1 on which it was first seen, but for those seen on the line."""
    path = policies(results, "two_bids")[:, :, :, 0]
    side = path[:, 0].sum(axis=1) - 1
    clear = np.abs(side) > 1e-6
    np.testing.assert_array_equal((path[:, -1, 0] > 0.5)[clear], (side > 0)[clear])


def test_the_fee_makes_bidding_nothing_an_attractor(results):
    with_fee, without = shares(results, "replicator"), shares(results, "printed")
    assert (with_fee > 0.3).all() and (without[:, 1] == 1).all()


def test_branches_are_those_of_the_reference(results):
    """At T = 0.05 three equilibria; Q-learning ends at the outer two only."""
    lane = TEMPERATURES.index(min(TEMPERATURES, key=lambda t: abs(t - 0.05)))
    assert TEMPERATURES[lane] == pytest.approx(0.05)
    per = policies(results, "equilibria").shape[-1] // len(TEMPERATURES)
    at = slice(lane * per, (lane + 1) * per)
    solved = policies(results, "equilibria")[:, -1, 0, 0, at].ravel()
    good = results.dataset("equilibria")["gap"].values[:, -1, at].ravel() < 1e-10
    outer = np.asarray([0.144936814, 0.855192364634])
    known = np.asarray([outer[0], 0.49996, outer[1]])
    away = np.abs(solved[good, None] - known)
    assert good.mean() > 0.5 and away.min(axis=1).max() < 1e-5
    assert set(away.argmin(axis=1)) == {0, 1, 2}
    ended = policies(results, "q_learning")[:, -1, 0, 0, at].ravel()
    assert np.abs(ended[:, None] - outer).min(axis=1).max() < 1e-6


def test_distances_see_all_actions():
    ends = np.zeros((1, 2, 3, 1))
    ends[:, :, 0] = 1
    assert distances(ends)[0, 0].tolist() == [0.0, 1.0]


def test_claims_and_report(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == ()
    verdicts = {v.id: v.verdict for v in judged.verdicts}
    assert verdicts.pop("equilibria.as_printed") == "not reproduced"
    assert verdicts.pop("cross_learning.equation") == "not comparable"
    assert set(verdicts.values()) <= {"reproduced", "direction only"}, verdicts
    report = experiment.report(results)
    assert [t.name for t in report.tables] == ["ends", "logit_equilibria", "learners"]
    reached = report.tables[1].frame.groupby("temperature")["reached"].sum()
    np.testing.assert_allclose(reached, 1)  # wherever the flow ends an equilibrium was found
    assert all(len(f.data) for f in report.figures)
