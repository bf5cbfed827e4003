"""Lyapunov function, regrets and time averages along runs, against direct formulas, bounds and theory."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError, rng, run
from catallax.games.matrix import asymmetric_matching_pennies, first_price_bids, match_mismatch_line, prisoners_dilemma
from catallax.measures.matrix import Distance, Lyapunov, Payoffs, Regrets
from catallax.solvers.matrix.flow import Adaptive, QLearningFlow, RungeKutta
from catallax.solvers.matrix.flow_analysis import closed_orbit, running_average
from catallax.solvers.matrix.logit import logit_equilibrium

WEIGHTS = np.asarray([1.0, 0.5])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_the_lyapunov_function_falls_at_the_rate_that_is_measured():
    game = asymmetric_matching_pennies()
    heat = np.asarray([[0.5, 1.0], [2.0, 1.0]])  # two trajectories, each with its temperatures and target
    p = np.stack([np.asarray(logit_equilibrium(game, t).require()) for t in heat.T], axis=2)
    flow = QLearningFlow(game, heat, (0.8, 0.9), interval=0.01, integrator=Adaptive(1e-12, 1e-12, diffrax.Dopri8()))
    watched = (
        Lyapunov(target=p, weights=WEIGHTS, temperature=heat),
        Distance(target=p, weights=WEIGHTS),
    )
    series = run(flow, rng.key(0), 201, watched).series
    value, rate = np.asarray(series["lyapunov"]), np.asarray(series["lyapunov_rate"])
    np.testing.assert_array_equal(value, series["divergence"])
    np.testing.assert_allclose(value[[99, 199], 0], [0.1436809803, 0.0328505233], atol=6e-11)
    simpson = 0.01 / 3 * (rate[0] + rate[200] + 4 * rate[1:200:2].sum(axis=0) + 2 * rate[2:199:2].sum(axis=0))
    np.testing.assert_allclose(value[200] - value[0], simpson, rtol=1e-8)
    single = Lyapunov(target=p[:, :, 0], weights=WEIGHTS, temperature=heat[:, 0])
    first = np.asarray([[0.8, 0.2], [0.9, 0.1]])[:, :, None]
    found = single.of(game, jnp.asarray(first))
    assert found["lyapunov"][0] == pytest.approx(0.6163872973, abs=6e-11)
    assert found["lyapunov_rate"][0] == pytest.approx(-1.691162763, abs=6e-10)


@pytest.mark.parametrize("game", [asymmetric_matching_pennies, first_price_bids, lambda: match_mismatch_line(3)])
def test_regrets_are_those_of_brute_force_and_vanish_with_exploration(game):
    game = game()
    last = np.inf
    for heat in (1.0, 0.3, 0.1):
        p = logit_equilibrium(game, heat, stages=3).require()[:, :, None]
        found = Regrets().of(game, p)
        regrets = np.asarray(Payoffs().of(game, p)["regret"])[:, 0]
        assert found["nash_conv"][0] == pytest.approx(regrets.sum())
        assert found["largest_regret"][0] == pytest.approx(regrets.max()) and found["largest_regret"][0] < last
        assert (regrets <= heat * np.log(game.actions) + 1e-12).all()
        last = float(found["largest_regret"][0])
    pure = jnp.zeros((2, 2, 1)).at[:, 0].set(1.0)
    found = Regrets().of(prisoners_dilemma(), pure)
    assert (found["nash_conv"][0], found["largest_regret"][0]) == (4.0, 2.0)  # both would defect: 5 instead of 3


def test_the_average_over_an_orbit_is_the_nash_equilibrium():
    game, steps = asymmetric_matching_pennies(), 400
    period = closed_orbit(game, (0.8, 0.9)).period
    flow = QLearningFlow(game, 0.0, (0.8, 0.9), interval=period / steps, integrator=RungeKutta(20))
    state, path = flow.init(rng.key(0)), [np.asarray([0.8, 0.9])]
    advance = jax.jit(lambda z: flow.step(rng.key(0), z, jnp.int32(0))[0])
    for _ in range(steps):
        state = advance(state)
        path.append(np.asarray(flow.policy(state))[:, 0, 0])
    times = np.linspace(0, period, steps + 1)
    average = running_average(times, path)
    np.testing.assert_allclose(average[-1], 1 / 3, atol=1e-9)  # trapezoids are exact for a whole period
    np.testing.assert_array_equal(average[0], [0.8, 0.9])
    assert np.abs(average[steps // 2] - 1 / 3).max() > 0.05
    np.testing.assert_allclose(running_average([0, 1, 3], [1.0, 2.0, 2.0]), [1, 1.5, 5.5 / 3])


@pytest.mark.parametrize("times", [[0.0, 0.0], [0.0], [[0.0, 1.0]], [0.0, np.nan]])
def test_times_that_do_not_ascend_are_refused(times):
    with pytest.raises(InputError, match="ascend"):
        running_average(times, [1.0, 2.0])
