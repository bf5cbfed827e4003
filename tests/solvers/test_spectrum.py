"""The linearised flow against reference eigenvalues, theory on random games, finite differences, known bifurcations."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from catallax.core import InputError
from catallax.games.matrix import (
    Edge,
    NormalForm,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    prisoners_dilemma,
)
from catallax.solvers.matrix.flow_analysis import rest_point, spectrum
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.logit.given_support import solve_on_support
from matrix_games import profile, weighted_zero_sum

SEEDS = st.integers(0, 10_000)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def plain_rewards(game, x):
    """r_k(x) = sum_l A_kl x_l, edge by edge."""
    r = np.zeros_like(x)
    for k, m in zip(game.owners, game.rivals, strict=True):
        r[k, : game.actions[k]] += np.asarray(game.edge(k, m)) @ x[m, : game.actions[m]]
    return r


def by_finite_differences(game, temperature, x, time):
    """Eigenvalues of the textbook field dx/dt, by central differences in a Euclidean basis of the tangent space."""
    legal = game.legal

    def field(x):
        gain = np.where(legal, plain_rewards(game, x) - temperature[:, None] * np.log(np.where(legal, x, 1.0)), 0.0)
        move = x * (gain - (x * gain).sum(axis=1, keepdims=True))
        return move / temperature[:, None] if time == "temperature" else move

    basis = []
    for k, count in enumerate(game.actions):
        for a in range(count - 1):
            e = np.zeros(x.shape)
            e[k, a], e[k, count - 1] = 1.0, -1.0
            basis.append(e)
    h = 1e-6
    columns = [(field(x + h * e) - field(x - h * e)) / (2 * h) for e in basis]
    flat = np.stack([e.ravel() for e in basis], axis=1)
    return np.linalg.eigvals(np.linalg.lstsq(flat, np.stack([c.ravel() for c in columns], axis=1), rcond=None)[0])


@pytest.mark.parametrize(
    ("temperature", "real", "imaginary"), [((1.0, 1.0), -1.0, 0.97059211), ((0.5, 2.0), -1.25, 0.68082516)]
)
def test_the_reference_eigenvalues(temperature, real, imaginary):
    game = asymmetric_matching_pennies()
    found = spectrum(game, temperature, rest_point(game, temperature).require())
    np.testing.assert_allclose(found.eigenvalues, [real + imaginary * 1j, real - imaginary * 1j], atol=6e-9)
    assert (found.stable, found.unstable, found.neutral) == (2, 0, 0)
    assert found.leading == pytest.approx(real)


@settings(max_examples=12)
@given(SEEDS)
def test_with_one_temperature_every_mode_decays_at_it(seed):
    game, _ = weighted_zero_sum(seed)
    temperature = float(np.random.default_rng(seed).uniform(0.4, 2.0))
    found = spectrum(game, temperature, rest_point(game, temperature).require())
    assert len(found.eigenvalues) == sum(game.actions) - game.players
    np.testing.assert_allclose(found.eigenvalues.real, -temperature, rtol=1e-7)


@settings(max_examples=12)
@given(SEEDS)
def test_with_unequal_temperatures_modes_decay_between_them(seed):
    game, w = weighted_zero_sum(seed)
    temperature = np.random.default_rng(seed).uniform(0.4, 2.0, game.players)
    found = spectrum(game, temperature, rest_point(game, temperature).require())
    real = found.eigenvalues.real
    assert (real >= -temperature.max() - 1e-9).all() and (real <= -temperature.min() + 1e-9).all()
    choices = np.asarray(game.actions) - 1
    assert real.sum() == pytest.approx(-(choices * temperature).sum())
    # scaled by the square roots of the weights the matrix is skew, less the temperatures
    root = np.repeat(np.sqrt(w), choices)
    scaled = root[:, None] * found.matrix / root
    np.testing.assert_allclose((scaled + scaled.T) / 2, -np.diag(np.repeat(temperature, choices)), atol=1e-9)


@settings(max_examples=12)
@given(SEEDS, st.sampled_from(["payoff", "temperature"]))
def test_it_is_the_derivative_of_the_textbook_field_anywhere(seed, time):
    game, _ = weighted_zero_sum(seed)
    temperature = np.random.default_rng(seed).uniform(0.4, 2.0, game.players)
    x = profile(game, seed)
    ours, theirs = spectrum(game, temperature, x, time=time), by_finite_differences(game, temperature, x, time)
    np.testing.assert_allclose(np.poly(ours.eigenvalues), np.poly(theirs), rtol=1e-5, atol=1e-5)


def test_the_same_game_in_normal_form():
    game, _ = weighted_zero_sum(5)
    x = profile(game, 1)
    np.testing.assert_allclose(
        spectrum(game, 0.5, x).eigenvalues, spectrum(as_normal_form(game), 0.5, x).eigenvalues, atol=1e-12
    )


@pytest.mark.parametrize("actions", [2, 3, 5])
def test_uniform_play_of_the_identity_game_is_unstable_below_one_over_its_actions(actions):
    game = Polymatrix([Edge(0, 1, np.eye(actions), np.eye(actions))])
    uniform = np.full((2, actions), 1 / actions)
    for temperature in (0.5 / actions, 1 / actions, 2 / actions):
        found = spectrum(game, temperature, uniform)
        assert found.leading == pytest.approx(1 / actions - temperature, abs=1e-14)
        assert np.sign(found.unstable) == (temperature < 1 / actions)
    assert spectrum(game, 1 / actions, uniform).neutral == actions - 1


def test_the_fold_of_the_uneven_coordination_game():
    x, temperature = 0.12195072077967, 0.32123622744297
    assert spectrum(coordination(2.0, 1.0), temperature, [x, x]).leading == pytest.approx(0.0, abs=1e-10)


def test_where_the_symmetric_branch_of_the_bidding_game_turns_unstable():
    game = first_price_bids()
    concrete = concrete_game(game)

    def leading(temperature):
        point = solve_on_support(concrete, np.full(2, temperature), np.zeros((2, 3)), concrete.legal)
        assert point.residual < 1e-12 and point.policy[0, 0] == pytest.approx(point.policy[0, 1])
        return spectrum(game, temperature, point.policy).leading

    assert brentq(leading, 0.055, 0.08, xtol=1e-12) == pytest.approx(0.0624715426, abs=1e-10)
    pair = game.payoff[0, :2, :2]
    assert spectrum(Polymatrix([Edge(0, 1, pair, pair)]), 1 / 16, [0.5, 0.5]).leading == pytest.approx(0.0)


def test_centres_and_vertices_without_exploration():
    centre = spectrum(asymmetric_matching_pennies(), 0.0, [1 / 3, 1 / 3])
    assert centre.neutral == 2
    assert np.abs(centre.eigenvalues.imag).max() == pytest.approx(2 * np.pi / (3 * np.pi / np.sqrt(2)))
    # at a vertex the eigenvalues are what the other action would add: -1 at (D, D), +2 at (C, C)
    np.testing.assert_allclose(spectrum(prisoners_dilemma(), 0.0, [0.0, 0.0]).eigenvalues, [-1, -1])
    np.testing.assert_allclose(spectrum(prisoners_dilemma(), 0.0, [1.0, 1.0]).eigenvalues, [2, 2])


def test_players_without_a_choice():
    alone = NormalForm([np.ones((1, 1)), np.ones((1, 1))])
    found = spectrum(alone, 1.0, [[1.0], [1.0]])
    assert len(found.eigenvalues) == 0 and found.leading == -np.inf


@pytest.mark.parametrize(
    ("temperature", "policy", "kind", "message"),
    [
        (1.0, [0.0, 0.5], "payoff", "positive probability"),
        (1.0, [0.2, 1.5], "payoff", "no profile"),
        (1.0, [0.2, np.nan], "payoff", "no profile"),
        (1.0, np.full((2, 3), 1 / 3), "payoff", "shape"),
        (-1.0, [0.5, 0.5], "payoff", "at least 0"),
        (0.0, [0.5, 0.5], "temperature", "positive"),
    ],
)
def test_bad_input_is_refused(temperature, policy, kind, message):
    with pytest.raises(InputError, match=message):
        spectrum(asymmetric_matching_pennies(), temperature, policy, time=kind)
