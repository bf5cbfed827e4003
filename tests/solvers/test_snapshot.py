"""The Lyapunov picture on a random plane against brute force; and its identity along whole trajectories."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from catallax.core import InputError, rng
from catallax.experiments.learning_dynamics.reference_values import AMPS
from catallax.games.matrix import (
    asymmetric_matching_pennies,
    coordination,
    match_mismatch_line,
    matching_ring,
    prisoners_dilemma,
)
from catallax.solvers.matrix.flow_analysis import conserved_quantity, lyapunov_balance, rest_point, snapshot
from catallax.solvers.matrix.flow_analysis.snapshot import directions
from matrix_games import profile, weighted_zero_sum


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def amps_equilibrium(temperature=(0.5, 2.0)):
    first = np.asarray(AMPS[temperature])
    return np.stack([first, 1 - first], axis=1)


def test_the_picture_is_the_divergence_on_the_plane():
    game, w = weighted_zero_sum(11)
    grid = np.asarray([-1.5, 0.0, 0.5, 2.0])
    found = snapshot(game, 0.7, rng.key(3), a=grid, b=grid[:2])
    p = rest_point(game, 0.7).require()
    np.testing.assert_allclose(found.equilibrium, p, atol=1e-12)
    assert found.divergence.shape == (4, 2)
    for i, a in enumerate(grid):
        for j, b in enumerate(grid[:2]):
            value = 0.0
            for k, count in enumerate(game.actions):
                z = a * found.directions[0, k, :count] + b * found.directions[1, k, :count]
                x = np.exp(z) / np.exp(z).sum()
                value += w[k] * (p[k, :count] * np.log(p[k, :count] / x)).sum()
            assert found.divergence[i, j] == pytest.approx(value, abs=1e-11)


def test_the_plane_s_origin_is_uniform_play():
    found = snapshot(asymmetric_matching_pennies(), (0.5, 2.0), rng.key(0), a=[0.0], b=[0.0])
    p = amps_equilibrium()
    np.testing.assert_allclose(found.divergence[0, 0], np.asarray([1, 0.5]) @ (np.log(2) + (p * np.log(p)).sum(1)))


def test_it_is_convex_on_the_plane_and_never_overflows():
    """The divergence is a sum of log-sum-exps of z less linear functions of z, and z is linear in (a, b)."""
    found = snapshot(match_mismatch_line(7), 0.25, rng.key(3))
    d = found.divergence
    assert d.shape == (61, 61) and (d > 0).all()
    assert (d[2:] - 2 * d[1:-1] + d[:-2] > 0).all() and (d[:, 2:] - 2 * d[:, 1:-1] + d[:, :-2] > 0).all()
    assert (d[2:, 2:] - 2 * d[1:-1, 1:-1] + d[:-2, :-2] > 0).all()
    far = snapshot(match_mismatch_line(3), 0.5, rng.key(1), a=[-1e6, 1e6], b=[0.0]).divergence
    assert np.isfinite(far).all() and (far > 1e4).all()


def test_directions_are_uniform_profiles_whatever_the_precision():
    game = matching_ring(2000)
    u, v = directions(game, rng.key(7))
    for z in (u, v):
        np.testing.assert_allclose(z.sum(axis=1), 0, atol=1e-12)
        assert kstest(1 / (1 + np.exp(z[:, 1] - z[:, 0])), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(u[:, 0], v[:, 0])[0, 1]) < 0.1
    with jax.enable_x64(False):
        np.testing.assert_array_equal(directions(matching_ring(2000), rng.key(7))[0], u)
    other, _ = directions(game, rng.key(8))
    assert (other != u).all()


def test_what_is_given_is_used():
    game, p = coordination(), np.asarray([[0.9, 0.1], [0.8, 0.2]])
    found = snapshot(game, 0.3, rng.key(0), a=[0.0], b=[0.0], weights=[1.0, 3.0], equilibrium=p)
    entropy = np.log(2) + (p * np.log(p)).sum(axis=1)
    assert found.divergence[0, 0] == pytest.approx(entropy[0] + 3 * entropy[1])


@pytest.mark.parametrize(
    ("game", "arguments", "message"),
    [
        (asymmetric_matching_pennies, {"temperature": [0.0, 1.0]}, "positive"),
        (asymmetric_matching_pennies, {"a": [0.0, np.nan]}, "a must be"),
        (asymmetric_matching_pennies, {"b": 1.0}, "b must be"),
        (asymmetric_matching_pennies, {"weights": [1.0, -1.0]}, "weights"),
        (asymmetric_matching_pennies, {"equilibrium": [[1.0, 1.0], [0.5, 0.5]]}, "no profile"),
        (prisoners_dilemma, {}, "not weighted zero-sum"),
    ],
)
def test_bad_input_is_refused(game, arguments, message):
    with pytest.raises(InputError, match=message):
        snapshot(game(), **({"temperature": 1.0, "key": rng.key(0)} | arguments))


def test_the_reference_divergence_and_both_sides_of_the_identity():
    game = asymmetric_matching_pennies()
    p = rest_point(game, (0.5, 2.0)).require()
    found = lyapunov_balance(game, (0.5, 2.0), (0.8, 0.9), 5.0, target=p, weights=[1, 0.5], points=6)
    np.testing.assert_allclose(found.divergence[:3], [0.6163872973, 0.1436809803, 0.0328505233], atol=6e-11)
    assert found.imbalance < 1e-10
    # the weights are essential
    assert lyapunov_balance(game, (0.5, 2.0), (0.8, 0.9), 5.0, target=p, weights=[1, 1]).imbalance > 0.1


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_the_identity_in_random_weighted_zero_sum_games(seed):
    game, w = weighted_zero_sum(seed)
    temperature = np.random.default_rng(seed).uniform(0.3, 2.0, game.players)
    p = rest_point(game, temperature).require()
    found = lyapunov_balance(game, temperature, profile(game, seed), 3.0, target=p, weights=w)
    assert found.imbalance < 1e-10
    assert (np.diff(found.divergence) < 0).all()
    least = found.divergence[0] * np.exp(-temperature.min() * found.times)
    assert (found.divergence <= least + 1e-12).all()


def test_without_exploration_both_sides_are_zero():
    game = asymmetric_matching_pennies()
    energy = conserved_quantity(game)
    found = lyapunov_balance(game, 0.0, (0.8, 0.9), 20.0, target=energy.nash, weights=energy.weights)
    np.testing.assert_allclose(found.divergence, 0.977656989893, atol=1e-10)
    assert (found.integral == 0).all()
    with pytest.raises(InputError, match="weights"):
        lyapunov_balance(game, 0.0, (0.8, 0.9), 1.0, target=energy.nash, weights=[1.0])
    with pytest.raises(InputError, match="duration"):
        lyapunov_balance(game, 0.0, (0.8, 0.9), 0.0, target=energy.nash, weights=energy.weights)
