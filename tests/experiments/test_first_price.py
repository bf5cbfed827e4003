"""The tiny first-price auction: basins against their known edge, branches against the reference, every claim judged."""

import numpy as np
import pytest

from catallax.experiments.learning_dynamics.first_price import (
    STARTS,
    TEMPERATURES,
    distances,
    experiment,
    logit_equilibria,
    policies,
    shares,
)


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def test_the_basins_end_on_the_antidiagonal(results):
    """Every path ends on the side of x + y = 1 on which it was first seen, but for those seen on the line."""
    path = policies("two_bids")(results)[:, :, :, 0]
    side = path[:, 0].sum(axis=1) - 1
    clear = np.abs(side) > 1e-6
    np.testing.assert_array_equal((path[:, -1, 0] > 0.5)[clear], (side > 0)[clear])


def test_the_fee_makes_bidding_nothing_an_attractor(results):
    with_fee, without = shares("replicator")(results), shares("printed")(results)
    assert (with_fee > 0.3).all() and (without[:, 1] == 1).all()


def test_branches_are_those_of_the_reference(results):
    """At T = 0.05 three equilibria; Q-learning ends at the outer two only."""
    lane = TEMPERATURES.index(min(TEMPERATURES, key=lambda t: abs(t - 0.05)))
    assert TEMPERATURES[lane] == pytest.approx(0.05)
    per = policies("equilibria")(results).shape[-1] // len(TEMPERATURES)
    at = slice(lane * per, (lane + 1) * per)
    solved = policies("equilibria")(results)[:, -1, 0, 0, at].ravel()
    good = results.dataset("equilibria")["gap"].values[:, -1, at].ravel() < 1e-10
    outer = np.asarray([0.144936814, 0.855192364634])
    known = np.asarray([outer[0], 0.49996, outer[1]])
    away = np.abs(solved[good, None] - known)
    assert good.mean() > 0.5 and away.min(axis=1).max() < 1e-5
    assert set(away.argmin(axis=1)) == {0, 1, 2}
    ended = policies("q_learning")(results)[:, -1, 0, 0, at].ravel()
    assert np.abs(ended[:, None] - outer).min(axis=1).max() < 1e-6


def test_distances_see_all_actions():
    ends = np.zeros((1, 2, 3, 1))
    ends[:, :, 0] = 1
    assert distances(ends)[0, 0].tolist() == [0.0, 1.0]


def test_wherever_the_flow_ends_an_equilibrium_was_found(results):
    assert policies("replicator")(results).shape[-1] == STARTS  # as the caption says
    np.testing.assert_allclose(logit_equilibria(results).groupby("temperature")["reached"].sum(), 1)
