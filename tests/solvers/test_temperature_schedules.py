"""Temperatures that change with time: their shapes, and the equilibria that they select."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError, rng, run
from catallax.games.matrix import asymmetric_matching_pennies, match_mismatch_line
from catallax.solvers.matrix.flow import (
    Adaptive,
    ConstantTemperature,
    CosineTemperature,
    ExploreThenExploit,
    LinearTemperature,
    Matched,
    OneCycle,
    QLearningFlow,
    RungeKutta,
    matched_at_random,
)

PEAK, LENGTH = 2.0, 200.0
ETE, CLR = ExploreThenExploit(PEAK, LENGTH), OneCycle(PEAK, LENGTH)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (ExploreThenExploit(2.0, 10.0), {0: 2.0, 5: 1.0, 10: 0.0, 12: 0.0}),
        (ExploreThenExploit(2.0, 10.0, 3.0), {0: 2.0, 10: 2 * np.exp(-3), 20: 2 * np.exp(-6)}),
        (OneCycle(2.0, 10.0, 0.5), {0: 0.5, 2.5: 1.25, 5: 2.0, 7.5: 1.25, 10: 0.5, 15: 0.5}),
        (LinearTemperature(0.5, 2.0, 10.0), {0: 0.5, 5: 1.25, 10: 2.0, 15: 2.0}),
        (CosineTemperature(2.0, 10.0, 1.0), {0: 2.0, 5: 1.5, 10: 1.0, 15: 1.0}),
        (ConstantTemperature(0.7), {0: 0.7, 9: 0.7}),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, dict) else "",
)
def test_shapes(schedule, points):
    for time, expected in points.items():
        np.testing.assert_allclose(schedule(jnp.asarray(float(time))), expected, rtol=1e-6)
    np.testing.assert_allclose(schedule(jnp.asarray(1e6)), schedule.limit, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ETE, (0.331536, 0.331543)),
        (CLR, (0.329588, 0.329625)),
        (Matched([0, 1], (ETE, CLR)), (0.331493, 0.329697)),
    ],
    ids=["ETE, ETE", "CLR-1, CLR-1", "ETE, CLR-1"],
)
def test_selection_in_asymmetric_matching_pennies(schedule, expected):
    """Reference runs of two other integrators, given to six digits; fixed and adaptive steps."""
    start = np.asarray([0.8, 0.9])
    ends = []
    for integrator in (RungeKutta(4000), Adaptive(1e-10, 1e-10, diffrax.Dopri8())):
        flow = QLearningFlow(asymmetric_matching_pennies(), schedule, start, interval=LENGTH, integrator=integrator)
        ends.append(flow.policy(run(flow, rng.key(0), 1).state)[:, 0, 0])
    np.testing.assert_allclose(ends[0], expected, atol=6e-7)
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-8)


def test_exploration_splits_the_stake_of_the_line_fairly():
    """With any of the policies player 2 ends at 1/2 and the payoffs of 1 and 3 are equal; without, they are not."""
    game = match_mismatch_line(3)
    heads = np.asarray([1, 0.7, 0.9, 0.2, 1])
    start = np.stack([heads, [0, 0.3, 0.1, 0.8, 0]], axis=1)
    which = np.broadcast_to([0, 1, 2], (5, 3))
    schedule = Matched(which, (ETE, CLR, ConstantTemperature(0.0)))
    flow = QLearningFlow(game, schedule, start, interval=LENGTH, integrator=RungeKutta(4000))
    end = flow.policy(run(flow, rng.key(0), 1).state)
    np.testing.assert_allclose(end[2, 0], [0.5, 0.5, 0.29], atol=1e-6)
    np.testing.assert_allclose(game.payoffs(end)[1::2], [[1, 1, 1.42], [1, 1, 0.58]], atol=1e-6)


def test_time_goes_on_between_steps():
    """Two hundred steps of one unit end where one step of two hundred does."""
    game, start = asymmetric_matching_pennies(), np.asarray([0.8, 0.9])
    coarse = QLearningFlow(game, CLR, start, interval=LENGTH, integrator=RungeKutta(4000))
    fine = QLearningFlow(game, CLR, start, interval=1.0, integrator=RungeKutta(20))
    ends = [run(f, rng.key(0), n).state for f, n in ((coarse, 1), (fine, 200))]
    np.testing.assert_allclose(*ends, atol=1e-9)


def test_players_and_trajectories_have_their_own():
    """[n, B] parameters, drawn at random, are the single runs side by side; long batches are cut in blocks."""
    game, start = asymmetric_matching_pennies(), np.asarray([0.8, 0.9])
    drawn = matched_at_random(rng.key(3), 2, 5, (ExploreThenExploit(2.0, 10.0), OneCycle(1.0, 10.0)))
    assert set(np.asarray(drawn.which).ravel()) == {0, 1}
    flow = lambda schedule, **more: QLearningFlow(game, schedule, start, interval=10.0, **more)
    together = run(flow(drawn, integrator=RungeKutta(200, block=2)), rng.key(0), 1).state
    for b in range(5):
        alone = flow(Matched(drawn.which[:, b], drawn.schedules), integrator=RungeKutta(200))
        np.testing.assert_allclose(run(alone, rng.key(0), 1).state[..., 0], together[..., b], atol=1e-12)


@pytest.mark.usefixtures("as_users_have_it")
def test_bad_schedules_are_refused():
    game = asymmetric_matching_pennies()
    with pytest.raises(InputError, match="length"):
        OneCycle(1.0, 0.0)
    with pytest.raises(InputError, match="no lower than the floor"):
        OneCycle(1.0, 10.0, [0.5, 3.0])
    with pytest.raises(InputError, match="other numbers of players"):
        CosineTemperature([1.0, 1.0, 1.0], 10.0, [0.5, 3.0])
    with pytest.raises(InputError, match="no lower than the floor"):
        OneCycle([[1.0, 3.0], [3.0, 3.0]], 10.0, [2.0, 0.5])
    OneCycle([[2.0, 3.0], [1.0, 1.0]], 10.0, [2.0, 0.5])  # floors of players, not of trajectories
    with pytest.raises(InputError, match="which"):
        Matched([0, 2], (ETE, CLR))
    with pytest.raises(InputError, match="which must be numbers"):
        Matched("second", (ETE, CLR))
    with pytest.raises(InputError, match="a list of one or more"):
        Matched(0, ())
    with pytest.raises(InputError, match="each of the schedules"):
        Matched(0, (ETE, 1.0))
    with pytest.raises(InputError, match="no key"):
        matched_at_random(3, 2, 5, (ETE, CLR))
    with pytest.raises(InputError, match="players"):
        matched_at_random(rng.key(3), 0, 5, (ETE, CLR))
    with pytest.raises(InputError, match="at least 0"):
        QLearningFlow(game, ConstantTemperature(-1.0))
    with pytest.raises(InputError, match="2 players"):
        QLearningFlow(game, ConstantTemperature([1.0, 1.0, 1.0]))
    with pytest.raises(InputError, match="ends at 0"):
        QLearningFlow(game, ETE, time="temperature")
