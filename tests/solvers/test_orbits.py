"""Periods and conserved quantities of the replicator dynamics against quadrature, linear theory and plain SciPy."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from catallax.core import InputError, NumericalError
from catallax.games.matrix import (
    Edge,
    NormalForm,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    coordination,
    match_mismatch_line,
    matching_ring,
    prisoners_dilemma,
    rock_paper_scissors,
)
from catallax.solvers.matrix.flow_analysis import closed_orbit, conserved_quantity, recurrence, spectrum
from catallax.solvers.matrix.structure import zero_sum_weights
from matrix_games import cycling_2x2

START = (0.8, 0.9)
RPS_START = np.asarray([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def logit(p):
    return np.log(p / (1 - p))


def period_by_quadrature(alpha, beta, nash, weights, start, nodes=600):
    """Integral of dtheta / theta' around the orbit in logit coordinates; spectrally accurate, no time stepping."""
    nash, start = np.asarray(nash), np.asarray(start)
    centre = logit(nash)
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    energy = lambda z: (np.logaddexp(0, z) - nash * z) @ np.asarray(weights)
    angle = 2 * np.pi * np.arange(nodes) / nodes
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low, high, level = np.zeros(nodes), np.full(nodes, 1e3), energy(logit(start))
    for _ in range(70):  # bisection: the energy rises along each ray
        middle = (low + high) / 2
        inside = energy(centre + middle[:, None] * rays) < level
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    x, y = sigmoid(centre + low[:, None] * rays).T
    turn = (rays[:, 0] * beta * (x - nash[0]) - rays[:, 1] * alpha * (y - nash[1])) / low
    return 2 * np.pi * np.mean(1 / np.abs(turn))


def test_the_orbit_of_the_reference():
    game = asymmetric_matching_pennies()
    orbit, energy = closed_orbit(game, START), conserved_quantity(game)
    assert orbit.period == pytest.approx(13.012285113569, abs=2e-12)
    assert orbit.distance < 1e-11
    assert energy(orbit.start) == pytest.approx(0.977656989893, abs=1e-12)
    assert energy(orbit.end) == pytest.approx(energy(orbit.start), abs=1e-11)
    np.testing.assert_allclose(energy.weights, [1, 0.5])
    np.testing.assert_allclose(energy.nash[:, 0], 1 / 3)
    by_angle = period_by_quadrature(3.0, -6.0, [1 / 3, 1 / 3], [1, 0.5], START)
    assert by_angle == pytest.approx(13.012285113569, abs=1e-11)


def test_a_crossing_in_the_other_direction_is_no_return():
    assert recurrence(asymmetric_matching_pennies(), START, 0.99).period == pytest.approx(13.012285113569)


def test_the_period_of_small_oscillations():
    period = closed_orbit(asymmetric_matching_pennies(), [1 / 3 + 1e-4, 1 / 3]).period
    assert period == pytest.approx(3 * np.pi / np.sqrt(2), rel=1e-7)


def test_the_same_orbit_in_normal_form_and_with_payoffs_in_other_units():
    game = asymmetric_matching_pennies()
    assert closed_orbit(as_normal_form(game), START).period == pytest.approx(13.012285113569, abs=1e-11)
    a, b = (1000 * np.asarray(game.edge(k, 1 - k)) for k in (0, 1))
    assert closed_orbit(Polymatrix([Edge(0, 1, a, b)]), START).period == pytest.approx(0.013012285113569, abs=1e-14)
    energy = conserved_quantity(as_normal_form(game))
    np.testing.assert_allclose(energy.weights, [1, 0.5])


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_every_orbit_of_a_cycling_2x2_game_closes(seed):
    draw = np.random.default_rng(seed)
    first, second = cycling_2x2(draw)
    game = Polymatrix([Edge(0, 1, first, second)])
    slope = lambda a: a[0, 0] - a[0, 1] - a[1, 0] + a[1, 1]
    energy = conserved_quantity(game)
    nash = energy.nash[:, 0]
    start = draw.uniform(0.2, 0.8, 2)
    orbit = closed_orbit(game, start)
    assert orbit.distance < 1e-9
    assert energy(orbit.end) == pytest.approx(energy(orbit.start), abs=1e-9)
    other = period_by_quadrature(slope(first), slope(second), nash, energy.weights, start)
    assert orbit.period == pytest.approx(other, rel=1e-7)
    turning = np.abs(spectrum(game, 0.0, nash).eigenvalues.imag).max()
    assert closed_orbit(game, nash + [1e-5, 0]).period == pytest.approx(2 * np.pi / turning, rel=1e-6)


def path_of(game, start, times, rtol):
    """The textbook field by SciPy."""

    def field(_, flat):
        x = flat.reshape(start.shape)
        r = np.zeros_like(x)
        for k, m, matrix in blocks:
            r[k] += matrix @ x[m]
        return (x * (r - (x * r).sum(axis=1, keepdims=True))).ravel()

    blocks = [(k, m, np.asarray(game.edge(k, m))) for k, m in zip(game.owners, game.rivals, strict=True)]
    found = solve_ivp(field, (0, times[-1]), start.ravel(), "DOP853", times, rtol=rtol, atol=rtol)
    return found.y.reshape(*start.shape, -1)


def test_what_is_conserved_along_a_path_and_how_an_integrator_drifts():
    times, draw = np.linspace(0, 20, 41), np.random.default_rng(4)
    nash, w = draw.uniform(0.3, 0.7, 4), np.asarray([1.0, 0.4, 0.7, 0.5])
    table = lambda slope, p: np.asarray([[slope * (1 - p), -slope * p], [0, 0]])
    slopes = {(k, m): draw.normal() for k in range(4) for m in range(k + 1, 4)}
    game = Polymatrix([Edge(k, m, table(s / w[k], nash[m]), table(-s / w[m], nash[k])) for (k, m), s in slopes.items()])
    h = draw.uniform(0.2, 0.8, 4)
    start = np.stack([h, 1 - h], axis=1)
    energy = conserved_quantity(game)
    np.testing.assert_allclose(energy.weights, w, atol=1e-9)
    np.testing.assert_allclose(energy.nash[:, 0], nash, atol=1e-9)
    assert energy.drift(path_of(game, start, times, 1e-12)) < 1e-9
    assert energy.drift(path_of(game, start, times, 1e-5)) > 1e-7
    assert energy(np.eye(2)[[0, 0, 0, 0]]) == np.inf


def test_a_continuum_of_equilibria_conserves_a_divergence_to_each():
    game, times = matching_ring(5), np.linspace(0, 20, 41)
    h = np.asarray([0.3, 0.8, 0.6, 0.2, 0.7])
    path = path_of(game, np.stack([h, 1 - h], axis=1), times, 1e-12)
    with pytest.raises(InputError, match="more than one point"):
        conserved_quantity(game)
    for p in (0.5, 0.3):  # everybody the same
        assert conserved_quantity(game, np.full(5, p)).drift(path) < 1e-9
    with pytest.raises(InputError, match="not indifferent"):
        conserved_quantity(game, [0.5, 0.5, 0.5, 0.5, 0.4])


def test_payoffs_that_one_s_own_action_does_not_change_do_not_matter():
    game, gift = asymmetric_matching_pennies(), np.asarray([[5.0, -2.0], [5.0, -2.0]])
    a, b = np.asarray(game.edge(0, 1)), np.asarray(game.edge(1, 0))
    other = Polymatrix([Edge(0, 1, a + gift, b - 3 * gift)])
    with pytest.raises(InputError):
        zero_sum_weights(other)
    assert conserved_quantity(other)(closed_orbit(other, START).start) == pytest.approx(0.977656989893, abs=1e-12)
    assert closed_orbit(other, START).period == pytest.approx(13.012285113569, abs=1e-11)


def test_rock_paper_scissors_recurs_but_need_not_close():
    game = rock_paper_scissors()
    with pytest.raises(NumericalError, match="did not close"):
        closed_orbit(game, RPS_START, horizon=40)
    back = recurrence(game, RPS_START, 0.1)
    assert 1e-8 < back.distance <= 0.1 and back.period > 10
    assert recurrence(game, RPS_START, 0.2).period <= back.period
    energy = conserved_quantity(game)
    assert energy(back.end) == pytest.approx(energy(back.start), abs=1e-9)
    with pytest.raises(NumericalError, match="did not come back"):
        recurrence(game, RPS_START, 1e-6, horizon=30)
    # both alike: one population, whose orbits are closed (the product of the shares is conserved)
    assert closed_orbit(game, RPS_START[[0, 0]]).distance < 1e-11


def test_what_has_no_orbit_or_no_conserved_quantity_says_so():
    with pytest.raises(NumericalError, match="never turned back"):
        closed_orbit(coordination(), [0.3, 0.4])
    with pytest.raises(InputError, match="rest point"):
        closed_orbit(asymmetric_matching_pennies(), [1 / 3, 1 / 3])
    with pytest.raises(InputError, match="interior"):
        closed_orbit(asymmetric_matching_pennies(), [0.0, 0.4])
    with pytest.raises(InputError, match="horizon"):
        closed_orbit(asymmetric_matching_pennies(), START, horizon=-1)
    with pytest.raises(InputError, match="distance"):
        recurrence(asymmetric_matching_pennies(), START, 0.0)
    with pytest.raises(InputError, match="no positive weights"):
        conserved_quantity(coordination())
    with pytest.raises(InputError, match="no positive weights"):
        conserved_quantity(prisoners_dilemma())
    dominated = np.asarray([[5.0, 3.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="interior Nash"):
        conserved_quantity(Polymatrix([Edge(0, 1, dominated, -dominated.T)]))
    with pytest.raises(InputError, match="Nash"):
        conserved_quantity(match_mismatch_line(3))
    with pytest.raises(InputError, match="3 players"):
        conserved_quantity(NormalForm(np.zeros((3, 2, 2, 2))))
