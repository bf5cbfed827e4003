"""Replicator dynamics against closed forms, a constant of motion and games whose stable rules are known."""

import numpy as np
import pytest

from catallax.core import InputError
from catallax.solvers.matrix.flow import evolutionarily_stable, replicator_path, symmetric_regret

TIMES = np.linspace(0.0, 20.0, 41)


def test_one_rule_that_always_earns_more_grows_logistically():
    path = replicator_path(np.array([[1.3, 1.3], [1.0, 1.0]]), np.array([0.1, 0.9]), TIMES)
    np.testing.assert_allclose(path[:, 0], 1 / (1 + 9 * np.exp(-0.3 * TIMES)), atol=1e-8)
    np.testing.assert_allclose(path.sum(axis=1), 1.0, atol=1e-14)


def test_hawks_and_doves_settle_at_value_over_cost():
    value, cost = 1.0, 4.0
    game = np.array([[(value - cost) / 2, value], [0.0, value / 2]])
    end = replicator_path(game, np.array([0.9, 0.1]), np.linspace(0, 100, 5))[-1]
    np.testing.assert_allclose(end, [value / cost, 1 - value / cost], atol=1e-8)
    assert abs(symmetric_regret(game, end)) < 1e-8 and not evolutionarily_stable(game).any()


def test_rock_paper_scissors_circles_and_keeps_the_product():
    game = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    path = replicator_path(game, np.array([0.5, 0.3, 0.2]), TIMES)
    np.testing.assert_allclose(path.prod(axis=1), 0.03, rtol=1e-6)
    assert np.ptp(path[:, 0]) > 0.3 and not evolutionarily_stable(game).any()


@pytest.mark.parametrize(
    ("game", "stable"),
    [
        ([[2, 0], [0, 1]], [True, True]),  # coordination
        ([[1, 0], [2, 0.5]], [False, True]),  # dominance
        ([[1, 1], [1, 0]], [True, False]),  # a tie against 0, which then does better against 1 than 1 does
        ([[1, 1], [1, 1]], [False, False]),
    ],
)
def test_stable_rules(game, stable):
    assert evolutionarily_stable(np.array(game, float)).tolist() == stable


def test_extinct_rules_stay_extinct_and_a_constant_changes_nothing():
    game = np.random.default_rng(0).normal(size=(4, 4))
    start = np.array([0.5, 0.0, 0.3, 0.2])
    path = replicator_path(game, start, TIMES)
    assert not path[:, 1].any()
    np.testing.assert_allclose(path, replicator_path(game + 5.0, start, TIMES), atol=1e-7)


@pytest.mark.parametrize(
    ("game", "start"),
    [
        (np.full((2, 2), np.nan), [0.5, 0.5]),
        (np.ones((2, 2)), [0.5, 0.6]),
        (np.ones((2, 2)), [1.5, -0.5]),
        (np.ones((2, 2)), [np.nan, np.nan]),
    ],
)
def test_what_is_no_game_or_no_population_is_refused(game, start):
    with pytest.raises(InputError):
        replicator_path(game, np.array(start), TIMES)


@pytest.mark.parametrize("times", [[], [0.0], [1.0, 0.0], [0.0, np.nan], [0.0, np.inf]])
def test_times_that_do_not_ascend_are_refused(times):
    with pytest.raises(InputError, match="times must be"):
        replicator_path(np.eye(2), np.array([0.5, 0.5]), np.array(times))
