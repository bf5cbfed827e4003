"""Surfaces of logit equilibria against single solves, references and closed forms; what is not found is not shown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError, NumericalError, rng, run
from catallax.experiments.learning_dynamics.reference_values import AMPS, LINE_UNEQUAL
from catallax.games.matrix import Polymatrix, asymmetric_matching_pennies, match_mismatch_line, rock_paper_scissors
from catallax.solvers.matrix.logit import LogitGrid, Status, logit_equilibrium, logit_surface, temperature_grid

AXIS = np.linspace(2 / 60, 2, 12)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def line():
    """Players 1 and 2 vary, player 3 at 1/4."""
    with jax.enable_x64(True):
        return logit_surface(match_mismatch_line(3), AXIS, AXIS, players=(1, 2), others=0.25)


def test_points_are_the_reference_equilibria():
    for (a, b), expected in AMPS.items():
        found = logit_surface(asymmetric_matching_pennies(), [a, 5.0], [b, 0.7, 1.0])
        assert found.policy.shape == (2, 2, 2, 3)
        np.testing.assert_allclose(found.require()[:, 0, 0, 0], expected, rtol=0, atol=1e-11)


def test_axes_belong_to_the_players_named():
    (t1, t2, t3), expected = next((t, h) for t, h in LINE_UNEQUAL.items() if len(t) == 3)
    others = np.array([1, t1, t2, t3, 1])
    for pair in ((1, 2), (2, 1), (3, 1), (2, 3)):
        found = logit_surface(match_mismatch_line(3), [others[pair[0]]], [others[pair[1]]], pair, others)
        np.testing.assert_allclose(found.policy[1:4, 0, 0, 0], expected, rtol=0, atol=1e-9)


def test_every_point_is_the_equilibrium_solved_by_itself(line):
    game = match_mismatch_line(3)
    for i, j in ((0, 0), (0, 11), (11, 0), (5, 7)):
        alone = logit_equilibrium(game, jnp.asarray([1.0, AXIS[i], AXIS[j], 0.25, 1.0]), stages=6).require()
        np.testing.assert_allclose(line.policy[:, :, i, j], alone, rtol=0, atol=1e-12)
    assert line.converged.all() and line.residual.max() <= 1e-12
    assert not np.isnan(line.coordinate(2)).any()


def test_points_satisfy_the_closed_condition(line):
    """m_k = tanh((m_{k+1} - m_{k-1}) / T_k), in NumPy; in scores, as tanh saturates."""
    m = 2 * line.policy[:, 0] - 1
    m = np.concatenate([np.ones((1, 12, 12)), m[1:4], -np.ones((1, 12, 12))])
    rates = np.stack(np.broadcast_arrays(AXIS[:, None], AXIS[None], 0.25))
    np.testing.assert_allclose(m[1:4], np.tanh((m[2:] - m[:-2]) / rates), atol=1e-10)


def test_equal_temperatures_of_the_ends_give_the_closed_form():
    """m_1 = m_3 = -tanh(1 / T), m_2 = 0."""
    for end in (0.03, 0.25, 2.0):
        found = logit_surface(match_mismatch_line(3), [end], AXIS, players=(1, 2), others=end)
        np.testing.assert_allclose(2 * found.coordinate(1) - 1, np.full((1, 12), -np.tanh(1 / end)), atol=1e-12)
        np.testing.assert_allclose(found.coordinate(2), 0.5, atol=1e-12)


def test_the_middle_player_at_low_temperature():
    """As T_2 -> 0 the middle player makes its neighbours equal: h_2 -> T_3 / (T_1 + T_3)."""
    found = logit_surface(match_mismatch_line(3), [0.5, 1.0], [0.02, 0.01], players=(1, 2), others=0.75)
    expected = 0.75 / (np.array([0.5, 1.0]) + 0.75)
    assert (abs(found.coordinate(2)[:, 1] - expected) < 0.6 * abs(found.coordinate(2)[:, 0] - expected)).all()
    np.testing.assert_allclose(found.coordinate(2)[:, 1], expected, atol=0.01)


def test_the_lowest_temperatures_of_random_zero_sum_games():
    draw = np.random.default_rng(3)
    for _ in range(3):
        first = draw.normal(size=(3, 4))
        found = logit_surface(Polymatrix([(0, 1, first, -0.5 * first.T)]), [0.01, 1.0], [0.02, 0.5])
        assert found.converged.all()


def test_what_is_not_found_is_flagged_and_never_shown():
    found = logit_surface(asymmetric_matching_pennies(), AXIS, AXIS, max_steps=4, stages=0)
    lost = ~np.asarray(found.converged)
    assert lost.any() and not lost.all()
    np.testing.assert_array_equal(np.isnan(found.coordinate(0)), lost)
    assert set(np.unique(found.status)) == {Status.CONVERGED, Status.OUT_OF_STEPS}
    with pytest.raises(NumericalError, match=f"{lost.sum()} of 144 equilibria not found"):
        found.require()


def test_newton_from_random_starts_finds_the_same_surface(line):
    game = match_mismatch_line(3)
    solver = LogitGrid(game, temperature_grid(game, AXIS, AXIS, (1, 2), 0.25))
    for seed in (0, 1):
        end = run(solver, rng.key(seed), 30).state
        assert float(solver.residual(end)) < 1e-12
        np.testing.assert_allclose(solver.policy(end).reshape(line.policy.shape), line.policy, atol=1e-12)
    assert np.ptp(np.asarray(solver.init(rng.key(0))), axis=2).max() > 1  # the starts do differ


def test_cooling_saves_newton_from_wandering():
    """At T_1 = 1/30 some random starts would take a hundred steps; cooled, all take 22."""
    game = asymmetric_matching_pennies()
    grid = temperature_grid(game, np.full(60, 2 / 60), np.linspace(2 / 60, 2, 60))
    lost = {}
    for stages in (0, 5):
        solver = LogitGrid(game, grid, stages=stages)
        gaps = [solver.gaps(run(solver, rng.key(seed), 22).state) for seed in range(4)]
        lost[stages] = int((np.asarray(gaps) > 1e-11).sum())
    assert lost[0] > 0 and lost[5] == 0


def test_a_step_never_makes_a_point_worse():
    game = rock_paper_scissors()
    solver = LogitGrid(game, np.full((2, 5), 0.05), stages=0)
    state = jax.jit(lambda: solver.init(rng.key(2)))()
    step = jax.jit(lambda state, t: solver.step(rng.key(2), state, t)[0])
    gaps = jax.jit(lambda state: solver.gaps(state))
    for t in range(4):
        after = step(state, jnp.int32(t))
        assert (gaps(after) <= gaps(state)).all()
        state = after


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"players": (0, 0)}, "two different"),
        ({"players": (0, 2)}, "two different"),
        ({"temperatures_a": [[1.0]]}, "must be a list"),
        ({"temperatures_b": []}, "must be a list"),
        ({"temperatures_b": [0.0, 1.0]}, "positive"),
        ({"temperatures_a": [np.nan]}, "positive"),
    ],
)
def test_bad_input(change, words):
    given = {"temperatures_a": [1.0], "temperatures_b": [1.0], "players": (0, 1)} | change
    with pytest.raises(InputError, match=words):
        logit_surface(asymmetric_matching_pennies(), **given)


def test_bad_grids():
    with pytest.raises(InputError, match="positive"):
        LogitGrid(asymmetric_matching_pennies(), [[1.0], [0.0]])
    with pytest.raises(InputError, match="stages"):
        LogitGrid(asymmetric_matching_pennies(), 1.0, stages=-1)
    with pytest.raises(InputError, match="3 starts for 2"):
        LogitGrid(asymmetric_matching_pennies(), np.ones((2, 2)), np.full((2, 2, 3), 0.5))
