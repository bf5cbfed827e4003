"""One explorer: rest points against closed forms and other methods, claims that can fail, pictures that render."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doctored import Doctored, swap_trajectory, verdicts_by_name
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from catallax.core import rng
from catallax.experiments.learning_dynamics.drawing import TRIANGLE, ternary
from catallax.experiments.learning_dynamics.phase_portraits import (
    CLAIMS,
    MODIFIED_NASH,
    MODIFIED_T,
    ONE_EXPLORER,
    amps_rest,
    experiment,
    modified_rest,
    modified_rps,
)
from catallax.experiments.learning_dynamics.quantities import liveliness, neighbours_apart, policies
from catallax.lab.claims import judge_all
from catallax.lab.quantity import Quantity, recorded
from catallax.solvers.matrix.flow import QLearningFlow
from catallax.solvers.matrix.structure import zero_sum_weights


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def verdicts(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == ()
    return {name: v.verdict for name, v in verdicts_by_name(judged).items()}


def test_rest_points_of_matching_pennies_solve_the_equations():
    """xdot = 3 x (1 - x) (y - 1/3), ydot = y (1 - y) (-6 (x - 1/3) - T logit y); the threshold by root finding."""
    for temperature in ONE_EXPLORER[1:3]:
        x, y = amps_rest(temperature)[:, 0]
        assert y == pytest.approx(1 / 3, abs=1e-15)
        assert -6 * (x - 1 / 3) - temperature * np.log(y / (1 - y)) == pytest.approx(0, abs=1e-14)
    x, y = amps_rest(6.5)[:, 0]
    assert x == 1 and -6 * (1 - 1 / 3) - 6.5 * np.log(y / (1 - y)) == pytest.approx(0, abs=1e-14) and y > 1 / 3
    assert brentq(lambda t: 1 / 3 + t / 6 * np.log(2) - 1, 1, 10) == pytest.approx(5.7707801636)


def test_play_in_matching_pennies_against_scipy(results):
    """The simplex form by another integrator, from a stored point."""
    path = policies("one_explorer")(results)[3, :, :, 0]

    def field(_, z, temperature):
        x, y = z
        pull = temperature * np.log(y / (1 - y))
        return [3 * x * (1 - x) * (y - 1 / 3), y * (1 - y) * (-6 * (x - 1 / 3) - pull)]

    for b, temperature in enumerate(ONE_EXPLORER):
        solved = solve_ivp(field, (0, 5), path[9, :, b], args=(temperature,), rtol=1e-10, atol=1e-12, method="DOP853")
        np.testing.assert_allclose(path[59, :, b], solved.y[:, -1], atol=2e-7)


def test_the_modified_game_and_its_rest_points():
    with jax.enable_x64(True):
        game = modified_rps()
        np.testing.assert_allclose(zero_sum_weights(game).weights, [1, 1])
        nash = np.stack([MODIFIED_NASH, MODIFIED_NASH])
        np.testing.assert_allclose(game.rewards(jnp.asarray(nash)), 0, atol=1e-15)
        for temperature in MODIFIED_T:
            rest = modified_rest(temperature)
            assert (rest > 0).all() and rest.sum(axis=1) == pytest.approx(1)
            flow = QLearningFlow(game, [0.0, temperature], rest[:, :, None])
            assert float(flow.residual(flow.init(rng.key(0)))) < 1e-15
    third = lambda t: modified_rest(t)[0, 2]
    assert brentq(third, 0.5, 3) == pytest.approx(1 / np.log(2))


def test_explorers_end_where_the_closed_forms_say(results):
    for cell, temperatures, rest in (
        ("one_explorer_rest", ONE_EXPLORER, amps_rest),
        ("modified_rest", MODIFIED_T, modified_rest),
    ):
        found = policies(cell).last(results)
        for b, temperature in enumerate(temperatures[1:], 1):
            np.testing.assert_allclose(found[..., b], np.broadcast_to(rest(temperature), found.shape[:-1]), atol=1e-6)


def test_rock_paper_scissors_decays_at_half_the_explorers_temperature(results):
    """Near uniform play the eigenvalues solve s^2 + T s + 1/3 = 0: their real part is -T / 2 for T < 2 / sqrt 3."""
    divergence = recorded("rps_rest", "divergence")(results)[:, :, 1]
    rate = np.log(divergence[:, 9] / divergence[:, 19]) / 100  # D is quadratic in the distance
    np.testing.assert_allclose(rate.mean(), 0.1, rtol=0.02)


def test_claims_fail_without_convergence(results):
    """If those who explore played as if nobody did."""
    lame = Doctored(
        results,
        {
            "rps_rest": swap_trajectory(1, 0),
            "modified_rest": swap_trajectory(2, 0),
            "one_explorer_rest": swap_trajectory(2, 0),
        },
    )
    failed = {name for name, verdict in verdicts(lame).items() if verdict == "not reproduced"}
    assert {"rps.player_1", "rps.explorer", "modified.converges", "one_explorer.converges"} <= failed


def test_claims_fail_without_cycles(results):
    """If nobody exploring played as if somebody did."""
    cells = ("rps", "rps_rest", "modified_rest", "one_explorer", "one_explorer_rest")
    calm = verdicts(Doctored(results, {cell: swap_trajectory(0, 2) for cell in cells}))
    names = ("rps.cycles", "rps.conserved", "modified.conserved", "no_exploration/cycles", "no_exploration/conserved")
    assert {calm[name] for name in names} == {"not reproduced"}


def test_the_report_shows_rest_points_and_points_of_simplices(results):
    report = experiment.report(results)
    assert max(float(x) for x in report.tables[0].frame["worst"]) < 1e-6
    assert all("source" in figure.caption and not figure.data.isna().any(axis=None) for figure in report.figures)
    simplex = report.figures[1].data
    np.testing.assert_allclose(simplex[["P(R)", "P(P)", "P(S)"]].sum(axis=1), 1, atol=1e-12)
    assert set(simplex["T_2"]) == {0, 0.1, 0.3, 0.5, 1, 2} and set(simplex["player"]) == {1}


def test_ternary_coordinates():
    np.testing.assert_array_equal(ternary(np.eye(3)), TRIANGLE)
    np.testing.assert_allclose(ternary(np.full(3, 1 / 3)), TRIANGLE.mean(axis=0))
    sides = np.linalg.norm(TRIANGLE - np.roll(TRIANGLE, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 1)


def test_liveliness_and_distance_between_replications():
    time = np.linspace(0, 40, 401)
    paths = np.stack([np.sin(time), np.exp(-time) * np.sin(time)])
    cycle, rest = liveliness(Quantity(lambda results: paths), 100)(None)
    assert cycle == pytest.approx(1, abs=0.01) and rest < 1e-10
    one = Quantity(lambda results: np.asarray([1.0, 4.0, 2.0]))
    np.testing.assert_array_equal(neighbours_apart(one)(None), [3.0, 2.0, 1.0])
