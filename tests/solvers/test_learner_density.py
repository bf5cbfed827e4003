"""The population equation of Q-learners: characteristics, finite volumes and finite populations against oracles."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expi

from catallax.core import InputError, rng, run, solve
from catallax.experiments.learning_dynamics.reference_values import DILEMMA
from catallax.games.matrix import (
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    prisoners_dilemma,
)
from catallax.solvers.learner_density import (
    Beta,
    Characteristics,
    FiniteLearners,
    FiniteVolume,
    LearnerModel,
    ProductLaw,
    TruncatedNormal,
    Uniform,
    given_nodes,
    minmod,
    monotonized_central,
    stationary_state,
    symmetric_payoff,
)
from catallax.solvers.matrix.flow import Adaptive, RungeKutta
from catallax.solvers.matrix.logit import logit_equilibrium

BOX = ProductLaw(Uniform(0, 2), Uniform(0, 2))


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def dilemma(**options):
    return LearnerModel(prisoners_dilemma(), **options)


def after(dynamics, steps=1, key=0):
    return run(dynamics, rng.key(key), steps).state


def path(dynamics, times):
    """The states at these times, whole numbers of intervals: one program for all."""
    state, states = dynamics.init(rng.key(0)), {}
    for t in range(max(times) + 1):
        state = run(dynamics, rng.key(0), 1, state=state).state if t else state
        states[t] = state
    return {t: states[t] for t in times}


@eqx.filter_jit
def mix(dynamics, state):
    return dynamics.mean_policy(state)


@eqx.filter_jit
def first(dynamics, key):
    return dynamics.init(key)


@eqx.filter_jit
def means(dynamics, state):
    values, weights = dynamics.points(state)
    return (values * weights).sum(axis=1)[:, 0]


# Characteristics.


@pytest.mark.parametrize("nodes", [28, 32])
def test_the_reference_table(nodes):
    """Nodes of weight 0 fill up the smaller quadrature, so that both have one shape and one program."""
    found, missing = BOX.quadrature(nodes), 32**2 - nodes**2
    law = given_nodes(np.pad(found.nodes, ((0, 0), (0, missing))), np.pad(found.weights, (0, missing)))
    dynamics = Characteristics(dilemma(), law)
    states = path(dynamics, DILEMMA)
    for t, (cooperate, *values) in DILEMMA.items():
        state = states[t]
        np.testing.assert_allclose(mix(dynamics, state)[0, 0], cooperate, rtol=0, atol=1e-9)
        np.testing.assert_allclose(means(dynamics, state), values, rtol=0, atol=6e-9)  # given to eight digits


def test_scipy_agrees_with_three_actions_and_unlike_marginals():
    model = LearnerModel(first_price_bids(), temperature=0.2, rate=1.5)
    law = ProductLaw(Beta(-0.2, 0.3, 2.0, 5.0), Uniform(0.0, 0.3), TruncatedNormal(-0.2, 0.2, 0.0, 0.1))
    found = law.quadrature(5)
    payoff = np.asarray(first_price_bids().edge(0, 1))

    def field(_, flat):
        q = flat.reshape(3, -1)
        e = np.exp(q / 0.2)
        pi = e / e.sum(axis=0)
        return (1.5 * pi * ((payoff @ (pi @ found.weights))[:, None] - q)).ravel()

    theirs = solve_ivp(field, (0, 3), found.nodes.ravel(), method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    fixed = after(Characteristics(model, law, 5, interval=3.0, integrator=RungeKutta(200)))
    np.testing.assert_allclose(np.asarray(fixed[:3]).ravel(), theirs, atol=1e-9)
    tight = Adaptive(1e-11, 1e-11)
    adaptive = after(Characteristics(model, given_nodes(*found), interval=3.0, integrator=tight))
    np.testing.assert_allclose(adaptive[:3].ravel(), theirs, atol=1e-9)


def test_nodes_beyond_an_integrator_s_block_still_share_the_mean_field():
    short = lambda block: Characteristics(dilemma(), BOX, 8, integrator=RungeKutta(10, block=block))
    np.testing.assert_array_equal(after(short(4)), after(short(4096)))


def test_the_determinant_is_that_of_the_flow():
    """Nodes of no weight around one feel the mean field without bending it: differences give the Jacobian."""
    base, h = BOX.quadrature(6), 1e-5
    at = np.asarray([[0.7], [1.4]])
    cross = at + h * np.asarray([[1, -1, 0, 0], [0, 0, 1, -1]])
    nodes = np.concatenate([base.nodes, at, cross], axis=1)
    law = given_nodes(nodes, np.concatenate([base.weights, np.zeros(5)]), np.full(41, 0.25))
    dynamics = Characteristics(dilemma(temperature=0.8), law, interval=2.0, integrator=RungeKutta(100))
    state = after(dynamics)
    right, left, up, down = np.asarray(state[:2, -4:, 0]).T
    jacobian = np.stack([right - left, up - down], axis=1) / (2 * h)
    np.testing.assert_allclose(np.exp(state[2, -5, 0]), np.linalg.det(jacobian), rtol=1e-7)
    np.testing.assert_allclose(dynamics.density(state)[-5], 0.25 / np.linalg.det(jacobian), rtol=1e-7)


def test_at_high_temperature_values_decay_exponentially():
    """pi is uniform: Q_j(t) = r_j + (Q_j(0) - r_j) exp(-alpha t / A), r = A m."""
    dynamics = Characteristics(dilemma(temperature=1e9, rate=2.0), BOX, 6, interval=1.5)
    r = np.asarray([1.5, 3.0])[:, None]
    expected = r + (BOX.quadrature(6).nodes - r) * np.exp(-2.0 * 1.5 / 2)
    state = after(dynamics)
    np.testing.assert_allclose(state[:2, :, 0], expected, atol=1e-8)
    np.testing.assert_allclose(state[2], -2.0 * 1.5, atol=1e-8)  # the divergence is -alpha everywhere


def test_a_constant_game_conserves_a_function_of_the_values():
    """All payoffs c: dQ_1 / dQ_2 separates, and Ei((c - Q_1) / tau) - Ei((c - Q_2) / tau) stays what it was."""
    c, tau = 3.0, 0.8
    dynamics = Characteristics(LearnerModel(np.full((2, 2), c), tau), BOX, 6, interval=4.0, integrator=RungeKutta(400))
    kept = lambda q: expi((c - np.asarray(q[0])) / tau) - expi((c - np.asarray(q[1])) / tau)
    state = after(dynamics)
    assert np.abs(state[:2, :, 0] - dynamics.start).max() > 0.5
    np.testing.assert_allclose(kept(state[:2, :, 0]), kept(dynamics.start), rtol=0, atol=1e-8)


def test_four_actions_take_points_of_a_sequence():
    rps = np.random.default_rng(3).normal(size=(4, 4))
    law = ProductLaw(*[Uniform(-1, 1)] * 3, Beta(-1, 1))
    model = LearnerModel(rps, 0.7)
    few, many = (Characteristics(model, law, k, integrator=RungeKutta(20)) for k in (1000, 8000))
    assert few.start.shape == (4, 1000)
    np.testing.assert_allclose(mix(few, after(few)), mix(many, after(many)), atol=2e-3)
    np.testing.assert_allclose(few.start.mean(axis=1), 0, atol=0.01)


def test_the_mean_policy_can_be_differentiated():
    make = {
        "characteristics": lambda model: Characteristics(model, BOX, 6, integrator=RungeKutta(20)),
        "finite volume": lambda model: FiniteVolume(model, BOX, 8),
    }
    for build in make.values():
        dynamics = build(dilemma())

        def share(temperature, payoff, dynamics=dynamics):
            leaves = lambda d: (d.model.temperature, d.model.payoff)
            moved = eqx.tree_at(leaves, dynamics, (temperature, payoff))
            return moved.mean_policy(moved.step(rng.key(0), moved.init(rng.key(0)), jnp.int32(0))[0])[0, 0]

        both = jax.jit(jax.value_and_grad(share, argnums=(0, 1)))
        tau, payoff = dynamics.model.temperature, dynamics.model.payoff
        _, (slope, pull) = both(tau, payoff)
        share = lambda temperature, payoff, both=both: both(temperature, payoff)[0]
        h = 1e-5
        np.testing.assert_allclose((share(tau + h, payoff) - share(tau - h, payoff)) / (2 * h), slope, rtol=1e-5)
        bump = jnp.zeros((2, 2)).at[0, 1].set(h)
        np.testing.assert_allclose(
            (share(tau, payoff + bump) - share(tau, payoff - bump)) / (2 * h), pull[0, 1], rtol=1e-5
        )


# The stationary state.


def test_populations_come_to_rest_at_the_symmetric_logit_equilibrium():
    model = dilemma(temperature=0.5, rate=5.0)
    rest = stationary_state(model)
    expected = logit_equilibrium(prisoners_dilemma(), 0.5).require()[0]
    np.testing.assert_allclose(rest.policy, expected, atol=1e-12)
    np.testing.assert_allclose(rest.policy[0], 0.0997884840, atol=1e-9)
    dirac = Characteristics(model, given_nodes(rest.values[:, None], [1.0]), integrator=RungeKutta(20))
    assert float(dirac.residual(dirac.init(rng.key(0)))) < 1e-12
    np.testing.assert_allclose(after(dirac)[:2, 0, 0], rest.values, atol=1e-12)
    spread = Characteristics(model, BOX, 6, integrator=RungeKutta(60))
    found = solve(spread, rng.key(0), tol=1e-9, max_steps=400)
    assert found.converged
    np.testing.assert_allclose(found.value[:2, :, 0], np.broadcast_to(rest.values[:, None], (2, 36)), atol=1e-7)


def test_the_dirac_found_depends_on_the_start_where_there_are_several():
    model = LearnerModel(coordination(), 0.3)
    high = stationary_state(model, [0.9, 0.1]).policy
    np.testing.assert_allclose(high, [0.953666158323, 1 - 0.953666158323], atol=1e-10)
    np.testing.assert_allclose(stationary_state(model, [0.1, 0.9]).policy, high[::-1], atol=1e-10)
    law = lambda a, b: ProductLaw(Uniform(a, a + 0.2), Uniform(b, b + 0.2))
    dynamics = Characteristics(model, law(0.6, 0.2), 6, interval=400.0, integrator=RungeKutta(2000))
    np.testing.assert_allclose(mix(dynamics, after(dynamics))[:, 0], high, atol=1e-6)


# Finite volumes.


@pytest.fixture(scope="module")
def grids():
    """The dilemma from the box to t = 10 on 80 x 80 cells: (dynamics, states at t = 1, 2, 5, 10)."""
    with jax.enable_x64(True):
        dynamics = FiniteVolume(dilemma(), BOX, 80)
        return dynamics, path(dynamics, (1, 2, 5, 10))


def test_the_grid_keeps_mass_and_sign_and_the_courant_bound(grids):
    dynamics, states = grids
    courant = eqx.filter_jit(lambda grid, state: grid.courant(state))
    for state in (dynamics.start, *states.values()):
        assert abs(float(state.sum()) - 1) < 1e-13
        assert float(state.min()) >= 0
        assert float(courant(dynamics, state)) <= 0.4
    assert dynamics.grid.low == 0 and dynamics.grid.high == 5


def test_the_grid_is_near_the_reference(grids):
    dynamics, states = grids
    for t, bound in ((1, 5e-4), (2, 6e-4), (5, 5e-4), (10, 2.1e-3)):
        error = abs(float(mix(dynamics, states[t])[0, 0]) - DILEMMA[t][0])
        assert 1e-5 < error < bound, t  # and it is no other method in disguise


@pytest.mark.parametrize("limiter", [minmod, monotonized_central])
def test_second_order_while_the_density_is_smooth(limiter):
    law = ProductLaw(Beta(0, 5, 4, 6), Beta(0, 5, 5, 5))
    exact = Characteristics(dilemma(), law, 24, interval=0.5, integrator=RungeKutta(50))
    target = mix(exact, after(exact))[0, 0]
    errors = []
    for cells in (20, 40):
        coarse = FiniteVolume(dilemma(), law, cells, interval=0.5, limiter=limiter)
        errors.append(abs(float(mix(coarse, after(coarse))[0, 0] - target)))
    assert np.log2(errors[0] / errors[1]) > 1.6, errors


def test_the_density_of_both_methods_is_the_same_function():
    law = ProductLaw(Beta(0, 5, 4, 6), Beta(0, 5, 5, 5))
    nodes = Characteristics(dilemma(), law, 24, interval=0.5, integrator=RungeKutta(50))
    carried = after(nodes)
    cells = FiniteVolume(dilemma(), law, 80, interval=0.5)
    density = np.asarray(cells.density(after(cells)))
    at = np.floor((np.asarray(carried[:2, :, 0]) - cells.grid.low) / cells.grid.width).astype(int)
    exact = np.asarray(nodes.density(carried))
    high = exact > 0.2 * exact.max()
    assert high.sum() > 50
    np.testing.assert_allclose(density[at[0], at[1]][high], exact[high], rtol=0.15)
    assert abs(np.median(density[at[0], at[1]][high] / exact[high]) - 1) < 0.02


def test_three_actions_on_a_grid():
    model = LearnerModel(first_price_bids(), 0.2)
    law = ProductLaw(*[Beta(-0.25, 0.375, 3, 3)] * 3)
    exact = Characteristics(model, law, 10, interval=2.0, integrator=RungeKutta(50))
    grid = FiniteVolume(model, law, 12, interval=2.0)
    state = after(grid)
    assert state.shape == (12, 12, 12) and abs(float(state.sum()) - 1) < 1e-13 and float(state.min()) >= 0
    np.testing.assert_allclose(mix(grid, state), mix(exact, after(exact)), atol=4e-3)


def test_relabelling_actions_relabels_everything():
    payoff = np.asarray([[3.0, 0.0], [5.0, 1.0]])
    law = (Uniform(0, 2), Beta(0.5, 2.5))
    build = (
        lambda model, law: Characteristics(model, law, 6, integrator=RungeKutta(20)),
        lambda model, law: FiniteVolume(model, law, 12),
        partial(FiniteLearners, agents=2000, gain=0.1),
    )
    for make, tol in zip(build, (1e-12, 1e-12, 0.03), strict=True):
        one = make(LearnerModel(payoff), ProductLaw(*law))
        other = make(LearnerModel(payoff[::-1, ::-1]), ProductLaw(*law[::-1]))
        np.testing.assert_allclose(mix(one, after(one)), mix(other, after(other))[::-1], atol=tol)


def test_time_steps_that_may_break_the_bound_are_refused():
    safe = FiniteVolume(dilemma(), BOX, 20)
    with pytest.raises(InputError, match=r"time_step 0\.1 may break the Courant bound of 0\.4.*at most 0\.01"):
        FiniteVolume(dilemma(), BOX, 20, time_step=0.1)
    assert FiniteVolume(dilemma(), BOX, 20, time_step=1 / safe.substeps).substeps == safe.substeps
    assert FiniteVolume(dilemma(), BOX, 20, time_step=0.001).substeps == 1000


# Finite populations.


def test_a_play_in_plain_python():
    """Values of everybody after one play against all others, from the actions that were played."""
    payoff = np.asarray([[3.0, 0.0, 1.0], [5.0, 1.0, 2.0], [0.0, 4.0, -1.0]])
    law = ProductLaw(*[Uniform(0, 2)] * 3)
    game = FiniteLearners(LearnerModel(payoff), law, 7, gain=0.25, interval=0.25, populations=2)
    before = np.asarray(first(game, rng.key(5)))
    moved = np.asarray(run(game, rng.key(5), 1).state)
    played = moved != before
    assert (played.sum(axis=0) == 1).all() and before.shape == (3, 7, 2)
    action = played.argmax(axis=0)
    for b in range(2):
        for i in range(7):
            a = action[i, b]
            r = np.mean([payoff[a, action[j, b]] for j in range(7) if j != i])
            assert moved[a, i, b] == pytest.approx(before[a, i, b] + 0.25 * (r - before[a, i, b]), abs=1e-12)


def test_opponents_are_others_and_all_of_them_in_time():
    """Learner i plays action i only (values far apart), so what it is paid names whom it met."""
    n = 4
    names = np.tile(10.0 ** np.arange(n), (n, 1))
    game = FiniteLearners(LearnerModel(names), ProductLaw(*[Uniform(0, 1)] * n), n, gain=1.0, opponents=1)
    start = jnp.where(jnp.eye(n, dtype=bool), 1e9, -1e9)[:, :, None]
    step = jax.jit(lambda t: game.step(rng.key(1), start, t)[0])
    met = [np.log10(np.diagonal(np.asarray(step(jnp.int32(t)))[:, :, 0])).round().astype(int) for t in range(60)]
    for i in range(n):
        assert {int(m[i]) for m in met} == set(range(n)) - {i}


def test_more_opponents_come_nearer_to_all():
    make = lambda m: FiniteLearners(
        dilemma(), BOX, 512, gain=0.25, interval=2.0, opponents=m, populations=64, lattice=True
    )
    one, four, everybody = (float(mix(d, after(d))[0].mean()) for d in map(make, (1, 4, None)))
    assert one - everybody > 2.5 * (four - everybody) > 0


def test_first_values_follow_the_law():
    law = ProductLaw(Beta(0, 3, 2, 5), Uniform(1, 2))
    for lattice, tol in ((False, 0.02), (True, 2e-3)):
        q = np.asarray(first(FiniteLearners(dilemma(), law, 20_000, lattice=lattice), rng.key(2)))[:, :, 0]
        np.testing.assert_allclose(q.mean(axis=1), [3 * 2 / 7, 1.5], atol=tol)
        np.testing.assert_allclose(q.var(axis=1), [9 * 10 / (49 * 8), 1 / 12], atol=tol)
        assert abs(np.corrcoef(q)[0, 1]) < 0.02


def test_agents_chunks_and_keys():
    game = FiniteLearners(dilemma(), BOX, 50, gain=0.25, opponents=1)
    whole = run(game, rng.key(4), 4).state
    half = run(game, rng.key(4), 2).state
    np.testing.assert_array_equal(whole, run(game, rng.key(4), 2, state=half, start=2).state)
    assert not np.array_equal(whole, run(game, rng.key(5), 4).state)


# Laws and bad input.


@pytest.mark.parametrize("law", [Uniform(-1, 2), Beta(0, 2, 2.5, 1.5), TruncatedNormal(0, 3, 1.0, 0.7)])
def test_nodes_integrate_what_scipy_integrates(law):
    q = law.quadrature(30)
    assert q.weights.sum() == pytest.approx(1, abs=1e-14)
    for f in (lambda x: x, lambda x: x**2, np.exp):
        assert q.weights @ f(q.nodes) == pytest.approx(law.law.expect(f), abs=1e-9)
    masses = ProductLaw(law, Uniform(0, 1)).masses(np.linspace(-1, 3, 9))
    assert masses.shape == (8, 8) and masses.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.usefixtures("as_users_have_it")
def test_bad_input_is_refused():
    three = ProductLaw(*[Uniform(0, 1)] * 3)
    cases = (
        (lambda: symmetric_payoff(asymmetric_matching_pennies()), "symmetric game"),
        (lambda: symmetric_payoff(match_mismatch_line(1)), "two players"),
        (lambda: symmetric_payoff(np.ones((2, 3))), "square"),
        (lambda: symmetric_payoff([[1.0, np.nan], [0, 0]]), "finite"),
        (lambda: symmetric_payoff("rps"), "square matrix of numbers"),
        (lambda: dilemma(temperature=0.0), "temperature"),
        (lambda: dilemma(rate=-1.0), "rate"),
        (lambda: Uniform(1, 1), "below"),
        (lambda: Uniform(0, np.inf), "high"),
        (lambda: Beta(0, 1, a=0.0), "a must"),
        (lambda: TruncatedNormal(0, 1, deviation=0.0), "deviation"),
        (lambda: ProductLaw(Uniform(0, 1)), "two or more"),
        (lambda: given_nodes(np.zeros((2, 3)), np.ones(2)), "shapes"),
        (lambda: given_nodes(np.zeros((2, 3)), -np.ones(3)), "at least 0"),
        (lambda: Characteristics(dilemma(), three), "3 values"),
        (lambda: Characteristics(dilemma(), BOX, 0), "nodes"),
        (lambda: Characteristics(dilemma(), BOX, interval=0.0), "interval"),
        (lambda: FiniteVolume(dilemma(), three), "3 values"),
        (lambda: FiniteVolume(dilemma(), BOX, 1), "cells"),
        (lambda: FiniteVolume(dilemma(), BOX, 5000), "at most"),
        (lambda: FiniteLearners(dilemma(), three), "3 values"),
        (lambda: FiniteLearners(dilemma(), BOX, 1), "agents"),
        (lambda: FiniteLearners(dilemma(), BOX, gain=1.5), "gain"),
        (lambda: FiniteLearners(dilemma(), BOX, gain=0.4), "whole number of plays"),
        (lambda: FiniteLearners(dilemma(), BOX, opponents=0), "opponents"),
        (lambda: stationary_state(dilemma(), [1.0, 0.0]), "interior"),
        (lambda: stationary_state(dilemma(), [0.2, 0.3, 0.5]), "shape"),
        (lambda: stationary_state(dilemma(), "middle"), "start must be numbers"),
        (lambda: stationary_state(prisoners_dilemma()), "model must be of the class LearnerModel"),
        (lambda: Characteristics(dilemma(), Uniform(0, 1)), "law must be of the class ProductLaw or Quadrature"),
        (lambda: Characteristics(dilemma(), BOX, integrator=100), "integrator must be"),
        (lambda: FiniteVolume(prisoners_dilemma(), BOX), "model must be"),
        (lambda: FiniteLearners(dilemma(), None), "law must be"),
        (lambda: FiniteLearners(dilemma(), BOX, lattice=1), "lattice must be True or False"),
        (lambda: given_nodes("nodes", np.ones(2)), "nodes must be numbers"),
        (lambda: BOX.masses([0.0, 0.0, 1.0]), "ascending"),
        (lambda: BOX.masses(3), "ascending"),
    )
    for make, words in cases:
        with pytest.raises(InputError, match=words):
            make()
    with pytest.raises(InputError, match="must be known"):
        jax.jit(lambda tau: FiniteVolume(LearnerModel(prisoners_dilemma(), tau), BOX, 8).start)(1.0)
