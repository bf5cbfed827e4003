"""Where the flow comes to rest, with and without exploration by some, against references and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from catallax.core import InputError, NumericalError
from catallax.experiments.learning_dynamics.reference_values import AMPS, line_rows
from catallax.games.matrix import (
    Edge,
    NormalForm,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    prisoners_dilemma,
    rock_paper_scissors,
)
from catallax.solvers.matrix.flow_analysis import RestKind, rest_point
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.logit import logit_equilibrium
from matrix_games import profile, weighted_zero_sum


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def line_start(n, seed):
    """Interior play on the line, dummies at their only action."""
    h = np.random.default_rng(seed).uniform(0.1, 0.9, n)
    x = np.zeros((n + 2, 2))
    x[[0, -1], 0] = 1.0
    x[1:-1] = np.stack([h, 1 - h], axis=1)
    return x


def test_the_reference_equilibria():
    game = asymmetric_matching_pennies()
    for temperature, expected in AMPS.items():
        found = rest_point(game, temperature, (0.8, 0.9))
        assert found.kind == RestKind.LOGIT_EQUILIBRIUM
        np.testing.assert_allclose(found.require()[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("n", [3, 5, 7])
def test_the_reference_equilibria_of_the_line(n):
    game = match_mismatch_line(n)
    for temperature, expected in line_rows(n):
        found = rest_point(game, [1.0, *temperature, 1.0], line_start(n, 3))
        np.testing.assert_allclose(found.require()[1:-1, 0], expected, rtol=2e-9)
        assert found.isolated and found.leading <= -min(temperature) + 1e-9


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_random_weighted_zero_sum_games_rest_at_the_logit_equilibrium(seed):
    game, _ = weighted_zero_sum(seed)
    temperature = np.random.default_rng(seed).uniform(0.3, 2.0, game.players)
    p = rest_point(game, temperature, profile(game, seed)).require(RestKind.LOGIT_EQUILIBRIUM)
    # the definition, in plain NumPy
    for k, count in enumerate(game.actions):
        earned = sum(np.asarray(game.edge(k, m)) @ p[m, : game.actions[m]] for m in game.neighbours(k))
        weights = np.exp((earned - earned.max()) / temperature[k])
        np.testing.assert_allclose(p[k, :count], weights / weights.sum(), atol=1e-12)


def test_it_agrees_with_newton_from_the_start_and_with_the_normal_form():
    game, temperature = match_mismatch_line(3), np.asarray([1.0, 0.5, 0.2, 1.0, 1.0])
    found = rest_point(game, temperature)
    np.testing.assert_allclose(found.policy, logit_equilibrium(game, temperature).require(), atol=1e-12)
    np.testing.assert_allclose(rest_point(as_normal_form(game), temperature).policy, found.policy, atol=1e-12)


def test_a_line_where_the_last_player_does_not_explore():
    """It settles on T for good; the others then solve m_1 = tanh((m_2 - 1) / T), m_2 = tanh((-1 - m_1) / T)."""
    found = rest_point(match_mismatch_line(3), [1, 0.5, 0.5, 0, 1], line_start(3, 0))
    assert found.kind == RestKind.BOUNDARY and found.isolated and found.leading == pytest.approx(-0.5)
    m1 = brentq(lambda m: m - np.tanh((np.tanh((-1 - m) / 0.5) - 1) / 0.5), -1, 0, xtol=1e-15)
    m2 = np.tanh((-1 - m1) / 0.5)
    np.testing.assert_allclose(found.policy[1:-1, 0], [(1 + m1) / 2, (1 + m2) / 2, 0.0], atol=1e-12)
    assert found.margin == pytest.approx(2 * (1 + m2))
    assert not found.support[3, 0] and found.support[1:3].all()
    with pytest.raises(NumericalError, match=r"player 3 gives up action 0.*no logit equilibrium"):
        found.require()
    assert found.require(RestKind.BOUNDARY) is found.policy


@pytest.mark.parametrize("n", [3, 5, 7])
def test_lines_where_nobody_explores_rest_on_a_continuum(n):
    found = rest_point(match_mismatch_line(n), 0.0, line_start(n, n))
    assert found.kind == RestKind.BOUNDARY and not found.isolated
    h = found.policy[1:-1, 0]
    assert (h[::2] == 0).all() and (h[1::2] > 0).all() and (h[1::2] < 1).all()
    m = np.concatenate([[1.0], 2 * h - 1, [-1.0]])
    assert found.margin == pytest.approx(min(2 * (m[k - 1] - m[k + 1]) for k in range(1, n + 1, 2)))


@pytest.mark.parametrize("n", [3, 5, 7])
def test_lines_where_the_even_players_do_not_explore_rest_in_the_interior(n):
    """They must be indifferent, so all odd players do the same; even ones are spaced evenly between +1 and -1."""
    odd = 0.5
    found = rest_point(match_mismatch_line(n), [1, *[odd, 0] * (n // 2), odd, 1], line_start(n, 1))
    assert found.kind == RestKind.INTERIOR and found.isolated
    gap = 2 / ((n + 1) / 2)
    m = 2 * found.policy[1:-1, 0] - 1
    np.testing.assert_allclose(m[1::2], 1 - gap * np.arange(1, (n + 1) / 2), atol=1e-12)
    np.testing.assert_allclose(m[::2], -np.tanh(gap / odd), atol=1e-12)
    assert (found.policy == found.require()).all()


def test_an_approach_without_a_margin_is_not_called_rest():
    """The middle player becomes ever less unwilling: its first action dies out as 1 / t."""
    for horizon in (1e3, 1e9):
        found = rest_point(match_mismatch_line(5), [1, 0, 0.5, 0, 0.5, 0, 1], line_start(5, 1), horizon=horizon)
        assert found.kind == RestKind.NONE_REACHED and found.residual == np.inf


def test_cycles_are_not_rest():
    found = rest_point(asymmetric_matching_pennies(), 0.0, (0.8, 0.9), horizon=200.0)
    assert found.kind == RestKind.NONE_REACHED and found.time >= 200
    with pytest.raises(NumericalError, match=r"none reached.*cycles"):
        found.require()
    with pytest.raises(NumericalError, match="none reached"):
        found.require(RestKind.BOUNDARY, RestKind.INTERIOR)
    assert rest_point(asymmetric_matching_pennies(), 0.0, (1 / 3, 1 / 3)).kind == RestKind.INTERIOR
    uneven = np.asarray([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    assert rest_point(rock_paper_scissors(), 0.0, uneven, horizon=50).kind == RestKind.NONE_REACHED
    one = rest_point(rock_paper_scissors(), [0.0, 0.3], uneven)
    assert one.kind == RestKind.INTERIOR
    np.testing.assert_allclose(one.policy, 1 / 3, atol=1e-12)


def test_the_unit_of_payoffs_does_not_matter():
    game = asymmetric_matching_pennies()
    plain = rest_point(game, (0.5, 2.0), (0.8, 0.9))
    for unit in (1e-6, 1e6):
        a, b = (unit * np.asarray(game.edge(k, 1 - k)) for k in (0, 1))
        found = rest_point(Polymatrix([Edge(0, 1, a, b)]), (0.5 * unit, 2.0 * unit), (0.8, 0.9))
        np.testing.assert_allclose(found.require(), plain.policy, atol=1e-12)
        assert found.leading == pytest.approx(plain.leading * unit)


def test_strict_equilibria_are_boundary_points():
    dilemma = rest_point(prisoners_dilemma(), 0.0)
    assert dilemma.kind == RestKind.BOUNDARY and (dilemma.policy == [[0, 1], [0, 1]]).all()
    assert dilemma.margin == pytest.approx(1.0) and dilemma.leading == pytest.approx(-1.0)
    competitive = rest_point(first_price_bids(), 0.0, [[0.3, 0.4, 0.3]] * 2)
    assert (competitive.policy == [[0, 1, 0]] * 2).all()
    fee_free = rest_point(first_price_bids(0.0), 0.0, [[0.3, 0.4, 0.3]] * 2)
    assert (fee_free.policy == [[0, 1, 0]] * 2).all()


def test_a_start_on_a_saddle_s_stable_manifold_says_that_it_is_unstable():
    game = coordination()
    saddle, sink = rest_point(game, 0.3), rest_point(game, 0.3, [0.5 + 1e-9, 0.5])
    np.testing.assert_allclose(saddle.policy, 0.5)
    assert saddle.leading == pytest.approx(0.2) and sink.leading < 0
    np.testing.assert_allclose(sink.policy[:, 0], 0.953666158323, atol=1e-11)


@pytest.mark.parametrize(
    ("temperature", "upper"),
    [(0.4, 0.855205891744), (0.45, 0.762714756329), (0.49, 0.621491316318), (0.499, 0.538698838967)],
)
def test_the_upper_branch_of_the_pitchfork(temperature, upper):
    found = rest_point(coordination(), temperature, [0.8, 0.8], horizon=2e4)
    np.testing.assert_allclose(found.require()[:, 0], upper, atol=1e-10)


def test_the_result_does_not_depend_on_the_precision_of_jax():
    wide = rest_point(asymmetric_matching_pennies(), (0.5, 2.0), (0.8, 0.9)).policy
    with jax.enable_x64(False):
        game = asymmetric_matching_pennies()
        assert game.payoff.dtype == jnp.float32
        np.testing.assert_array_equal(rest_point(game, (0.5, 2.0), (0.8, 0.9)).policy, wide)


def test_the_host_form_of_a_three_player_tensor():
    draw = np.random.default_rng(0)
    game = NormalForm(draw.normal(size=(3, 2, 3, 2)))
    concrete, x = concrete_game(game), profile(game, 1)
    np.testing.assert_allclose(concrete.rewards(x), game.rewards(jnp.asarray(x)), atol=1e-14)
    exact = jax.jacfwd(game.rewards)(jnp.asarray(x))
    np.testing.assert_allclose(concrete.derivative(x) * game.legal, exact * game.legal, atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -1.0}, "at least 0"),
        ({"temperature": [1.0, 1.0, 1.0]}, "shape"),
        ({"temperature": 1.0, "start": [0.0, 0.5]}, "interior"),
        ({"temperature": 1.0, "start": [[0.5, 0.6], [0.5, 0.5]]}, "no profile"),
        ({"temperature": "hot"}, "numbers"),
        ({"temperature": 1.0, "start": [[0.5], [0.5, 0.5]]}, "numbers"),
        ({"temperature": 1.0, "horizon": 0}, "horizon"),
        ({"temperature": 1.0, "tol": np.nan}, "tol"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        rest_point(asymmetric_matching_pennies(), **arguments)
