"""Solvers of stationary mean-field games: published fixed points, a second implementation, and what they refuse.

Published values: those of the 2019 setting (c = 4, |S| = |A| = 10), recomputed with plain NumPy; MFGLib's games and
numbers for exploitability after so many iterations.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mean_field_reference as reference
from catallax.agents.tabular import EpsilonGreedy, PolynomialRate, QLearning
from catallax.agents.traders import ZIC
from catallax.core import InputError, NumericalError, rng, run, solve
from catallax.games.mean_field import AdAuction, TabularMDP, dense_transition, uniform_law, uniform_policy
from catallax.measures.mean_field import (
    ActionValues,
    L1Distance,
    Marginals,
    Revenue,
    StationaryExploitability,
    TwoStepDistance,
)
from catallax.solvers.mean_field import (
    Argmax,
    FixedPoint,
    MeanFieldQ,
    MirrorDescent,
    OneStep,
    PopulationFlow,
    Softmax,
    Stationary,
    ValueIteration,
    best_response,
    evaluate,
    exploitability,
    nearest_on_net,
    one_step,
    stationary_law,
)
from mean_field_toys import LEFT_RIGHT, ROCK_PAPER_SCISSORS, Places, of_two_stages

SMALL = {"budgets": 4, "bids": 5, "bidders": 3}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@eqx.filter_jit
def gap_of(solver, state, start=None):
    """Exploitability of the policy of a state; one program for each solver and shape."""
    return exploitability(solver.game, solver.policy(state), solver.law(state) if start is None else start)


@eqx.filter_jit
def policy_law_residual(solver, state):
    return solver.policy(state), solver.law(state), solver.residual(state)


def kernel_of(alpha):
    return reference.kernel(alpha, budgets=4, bidders=3, value=2.5, penalty=0.2, refill=0.5)


@pytest.fixture(scope="module")
def published():
    """GMF-V at c = 4 from the uniform law, 200 iterations."""
    with jax.enable_x64(True):
        solver = FixedPoint(AdAuction(), Softmax(4.0))
        measures = (L1Distance(), TwoStepDistance(), Revenue(), Marginals(), ActionValues())
        return solver, run(solver, rng.key(0), 200, measures)


def test_gmf_v_makes_the_published_steps(published):
    _, out = published
    steps = np.asarray(out.series["law_step"])
    np.testing.assert_allclose(steps[[4, 9, 19, 49]], [0.13885, 0.02798, 0.005456, 0.000946], rtol=3e-4)
    np.testing.assert_allclose(steps[199], 3.0e-7, rtol=0.01)
    np.testing.assert_allclose(np.linalg.norm(out.series["q"][19]), 13.0227, atol=5e-5)
    assert np.isnan(out.series["law_two_steps"][0]) and np.isfinite(out.series["law_two_steps"][1:]).all()


def test_gmf_v_reaches_the_published_fixed_point(published):
    solver, out = published
    alpha = [0.20901, 0.22655, 0.27845, 0.18970, 0.05644, 0.01938, 0.00934, 0.00536, 0.00342, 0.00234]
    np.testing.assert_allclose(out.series["action_law"][-1], alpha, atol=6e-6)
    np.testing.assert_allclose(out.series["revenue"][-1], 2.41396, atol=6e-6)
    np.testing.assert_allclose(np.asarray(out.state.value)[[0, 9]], [0.24280, 0.49455], atol=6e-6)
    np.testing.assert_allclose(float(np.asarray(out.series["state_law"])[-1] @ np.arange(10)), 4.33805, atol=1e-5)
    found = gap_of(solver, out.state)
    np.testing.assert_allclose(float(found.mean), 0.44318, atol=6e-6)
    np.testing.assert_allclose(float(found.best_response), 0.46642, atol=6e-6)


def test_solve_says_whether_it_converged():
    solver = FixedPoint(AdAuction(**SMALL))
    found = solve(solver, rng.key(0), tol=1e-10, max_steps=2000)
    law = found.require().law
    moved = eqx.filter_jit(one_step)(solver.game, found.value.policy, law)
    assert float(np.abs(np.asarray(moved) - np.asarray(law)).sum()) < 1e-10 and int(found.steps) < 1000
    short = solve(solver, rng.key(0), tol=1e-10, max_steps=3)
    assert not bool(short.converged) and float(short.residual) > 1e-10
    with pytest.raises(NumericalError, match=r"no convergence: residual .* after 3 steps"):
        short.require()


def test_an_inner_iteration_that_does_not_converge_shows_in_the_residual():
    state = run(FixedPoint(AdAuction(**SMALL), max_sweeps=2), rng.key(0), 300).state
    assert float(state.step) < 1e-6 or float(state.inexact) > 1e-13
    lazy = FixedPoint(AdAuction(**SMALL), population=Stationary(max_steps=3))
    assert float(lazy.residual(run(lazy, rng.key(0), 1).state)) > 1e-3
    uniform = eqx.filter_jit(lambda game: exploitability(game, uniform_policy(game), uniform_law(game), max_steps=2))
    gap = uniform(lazy.game)
    assert np.isnan(float(gap.mean)) and not bool(gap.converged)


@pytest.mark.parametrize(("c", "step"), [(10.0, 0.261), (20.0, 0.651)])
def test_from_c_10_on_the_law_cycles_with_period_two(c, step):
    state = run(FixedPoint(AdAuction(), Softmax(c)), rng.key(0), 300).state
    np.testing.assert_allclose(float(state.step), step, atol=6e-4)
    assert float(state.two_steps) < 1e-8


def test_argmax_jumps_between_disjoint_laws_and_damping_cures_softmax():
    state = run(FixedPoint(AdAuction(), Argmax()), rng.key(0), 60).state
    np.testing.assert_allclose([float(state.step), float(state.two_steps)], [2.0, 0.0], atol=1e-9)
    damped = solve(FixedPoint(AdAuction(), Softmax(10.0), weight=0.5), rng.key(0), tol=1e-9, max_steps=3000)
    assert float(damped.require().step) <= 1e-9


def test_mirror_descent_reaches_the_unregularised_equilibrium():
    solver = MirrorDescent(AdAuction(), 0.5)
    out = run(solver, rng.key(0), 300, (StationaryExploitability(every=100), Marginals(every=100)))
    np.testing.assert_allclose(out.series["exploitability"][0], 0.0197, atol=6e-5)
    assert float(out.series["exploitability"][-1]) < 0.002
    assert (out.series["exploitability"] <= out.series["exploitability_sup"]).all()
    alpha = np.asarray(out.series["action_law"])[-1]
    assert float(alpha[2]) > 0.7 and float(alpha[3]) > 0.2 and float(alpha[4:].sum()) < 1e-3
    assert float(policy_law_residual(solver, out.state)[2]) > float(out.series["exploitability_sup"][-1])


@pytest.mark.parametrize(
    ("payoff", "rate", "steps", "expected"),
    [(LEFT_RIGHT, 0.1, 100, 1.4040e-4), (ROCK_PAPER_SCISSORS, 0.1, 100, 0.0807680)],
)
def test_mirror_descent_on_games_of_mfglib(payoff, rate, steps, expected):
    game = Places(payoff)
    solver = MirrorDescent(game, rate / 0.5, OneStep(), game.first)
    state = run(solver, rng.key(0), steps).state
    gap = of_two_stages(float(gap_of(solver, state, game.first).mean))
    np.testing.assert_allclose(gap, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("payoff", "choice", "expected"),
    [(LEFT_RIGHT, Softmax, 0.122886), (LEFT_RIGHT, Argmax, 2.0), (ROCK_PAPER_SCISSORS, Softmax, 1.966)],
)
def test_fixed_points_on_games_of_mfglib(payoff, choice, expected):
    game = Places(payoff)
    solver = FixedPoint(game, choice(1.0 / 0.5) if choice is Softmax else choice(), start=game.first)
    state = run(solver, rng.key(0), 500).state
    gap = of_two_stages(float(gap_of(solver, state, game.first).mean))
    np.testing.assert_allclose(gap, expected, rtol=3e-4)


def test_left_right_has_its_known_equilibrium():
    game = Places(LEFT_RIGHT)
    found = solve(MirrorDescent(game, 1.0, OneStep(), game.first), rng.key(0), tol=1e-9, max_steps=500).require()
    np.testing.assert_allclose(found.law.sum(axis=1), [1 / 2, 1 / 3, 1 / 6], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_decisions_agree_with_policy_iteration(seed):
    draw = np.random.default_rng(seed)
    law, policy = draw.dirichlet(np.ones(20)).reshape(4, 5), draw.dirichlet(np.ones(5), 4)
    mdp, (reward, move) = AdAuction(**SMALL).frozen(jnp.asarray(law)), kernel_of(law.sum(0))
    value, q = reference.optimal(reward, move, 0.8)
    best = best_response(mdp).require()
    np.testing.assert_allclose(best.value, value, atol=1e-11)
    np.testing.assert_allclose(best.q, q, atol=1e-11)
    value, q = reference.evaluate(reward, move, policy, 0.8)
    own = evaluate(mdp, jnp.asarray(policy))
    np.testing.assert_allclose(own.value, value, atol=1e-12)
    np.testing.assert_allclose(own.q, q, atol=1e-12)
    table = TabularMDP(mdp.reward, dense_transition(mdp), 0.8)
    np.testing.assert_allclose(best_response(table).require().value, best.value, atol=1e-11)


def test_population_maps_agree_with_loops():
    game, draw = AdAuction(**SMALL), np.random.default_rng(0)
    law, policy = draw.dirichlet(np.ones(20)).reshape(4, 5), draw.dirichlet(np.ones(5), 4)
    _, move = kernel_of(law.sum(0))
    expected = np.einsum("s,sa,sat->t", law.sum(1), policy, move)[:, None] * policy
    np.testing.assert_allclose(one_step(game, jnp.asarray(policy), jnp.asarray(law)), expected, atol=1e-14)
    rest = reference.stationary_law(policy, law, kernel_of)
    arguments = game, jnp.asarray(policy), jnp.asarray(law)
    np.testing.assert_allclose(stationary_law(*arguments).require(), rest, atol=1e-10)
    np.testing.assert_allclose(Stationary()(*arguments)[0], rest, atol=1e-10)
    np.testing.assert_allclose(OneStep(400)(*arguments)[0], rest, atol=1e-10)
    with pytest.raises(NumericalError, match="no convergence"):
        stationary_law(*arguments, max_steps=2).require()


def test_a_periodic_population_rests_only_if_damped():
    game = Places(LEFT_RIGHT)
    policy = uniform_policy(game)
    at_start = jnp.zeros((3, 2)).at[0].set(0.5)
    assert not bool(stationary_law(game, policy, at_start, max_steps=500).converged)
    rest = stationary_law(game, policy, at_start, weight=0.5).require()
    np.testing.assert_allclose(rest.sum(axis=1), [0.5, 0.25, 0.25], atol=1e-10)


def test_only_legal_actions_are_played():
    game = AdAuction(budgets=5, bids=5, bidders=3, cap_bids=True)
    closed = ~np.asarray(game.legal)
    for solver in (FixedPoint(game), MirrorDescent(game, 2.0)):
        state = run(solver, rng.key(0), 500).state
        policy, law, _ = map(np.asarray, policy_law_residual(solver, state))
        assert (policy[closed] == 0).all()
        np.testing.assert_allclose(law.sum(), 1.0, atol=1e-12)
    assert float(gap_of(solver, state).mean) < 0.02


def test_argmax_shares_among_ties_and_softmax_is_stable():
    legal = jnp.ones((2, 3), bool)
    q = jnp.asarray([[1.0, 1.0 - 1e-13, 0.0], [1e6, 0.0, 1e6]])
    np.testing.assert_allclose(Argmax()(q, legal), [[0.5, 0.5, 0], [0.5, 0, 0.5]])
    np.testing.assert_allclose(Softmax(100.0)(q, legal)[1], [0.5, 0, 0.5])


def test_first_laws_differ_by_key_and_not_by_solver():
    game = AdAuction(**SMALL)
    laws = [FixedPoint(game, dirichlet=True).init(rng.key(i)).law for i in range(2)]
    np.testing.assert_array_equal(MirrorDescent(game, dirichlet=True).init(rng.key(0)).law, laws[0])
    assert float(jnp.abs(laws[0] - laws[1]).sum()) > 0.1
    np.testing.assert_allclose(float(laws[0].sum()), 1.0)


def test_gmf_q_learns_nearly_what_gmf_v_knows():
    game = AdAuction()
    learner = QLearning(10, 10, explore=EpsilonGreedy(1.0), rate=PolynomialRate(0.87))
    exact = np.asarray(run(FixedPoint(game), rng.key(0), 20).state.q)
    distances = []
    for inner in (1000, 10_000):
        learnt = jax.tree.map(np.asarray, run(MeanFieldQ(game, learner, inner, net=10_000), rng.key(0), 20).state)
        distances.append(float(np.linalg.norm(learnt.q - exact) / np.linalg.norm(exact)))
        scaled = learnt.law * 10_000
        np.testing.assert_allclose(scaled, np.round(scaled), atol=1e-8)
    assert 0.03 < distances[1] < 0.13 and 1.2 < distances[0] / distances[1] < 3


def test_the_net_is_the_nearest_lattice_point():
    law = np.random.default_rng(0).dirichlet(np.ones(6)).reshape(2, 3)
    near = np.asarray(nearest_on_net(jnp.asarray(law), 10)) * 10
    np.testing.assert_allclose(near.sum(), 10)
    assert np.abs(near - law * 10).max() < 1
    best = min(
        np.abs(np.floor(law * 10).ravel() + np.array(up) - law.ravel() * 10).sum()
        for up in np.ndindex(*(2,) * 6)
        if np.floor(law * 10).sum() + sum(up) == 10
    )
    np.testing.assert_allclose(np.abs(near - law * 10).sum(), best)


class Leaky(Places):
    """Loses a tenth of its players at every step."""

    def frozen(self, law):
        mdp = super().frozen(law)
        object.__setattr__(mdp, "transition", 0.9 * mdp.transition)
        return mdp


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FixedPoint(Leaky()), r"FixedPoint: Leaky .* not a probability distribution \(sum 0.9"),
        (lambda: MirrorDescent(Leaky()), r"MirrorDescent: Leaky .* not a probability distribution"),
        (lambda: Softmax(0.0), r"inverse_temperature must lie in \(0, inf\), got 0"),
        (lambda: Softmax(-4.0), "inverse_temperature must lie in"),
        (lambda: Argmax(0.0), "tolerance must lie in"),
        (lambda: MirrorDescent(Places(), rate=0.0), "rate must lie in"),
        (lambda: FixedPoint(Places(), weight=0.0), r"weight must lie in \(0, 1\]"),
        (lambda: FixedPoint(Places(), weight=1.5), r"weight must lie in \(0, 1\]"),
        (lambda: FixedPoint(Places(), start=jnp.ones((3, 2))), "the law must be >= 0 and sum to 1; its sum is 6"),
        (lambda: FixedPoint(Places(), start=jnp.ones((2, 2)) / 4), "the law has shape"),
        (lambda: OneStep(0), "times must be an integer of at least 1"),
        (lambda: MeanFieldQ(Places(), QLearning(3, 2), 0), r"inner must lie in \[1, inf\)"),
        (lambda: MeanFieldQ(Places(), ZIC()), "ZIC has no table of values"),
        (
            lambda: evaluate(AdAuction(**SMALL).frozen(jnp.full((4, 5), 0.05)), jnp.full((4, 5), 0.3)),
            "row 0 of the policy is not a probability distribution .sum 1.5",
        ),
        (
            lambda: evaluate(AdAuction(2, 2, 2, cap_bids=True).frozen(jnp.full((2, 2), 0.25)), jnp.full((2, 2), 0.5)),
            "plays action 1 in state 0, which is not legal",
        ),
        (
            lambda: PopulationFlow(Places(), jnp.ones((3, 2)), Places().first),
            "row 0 of the policy is not a probability distribution",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_runs(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_single_precision_is_refused():
    game = Places()
    mdp = game.frozen(game.first)
    with jax.enable_x64(False):
        single = Places()
        for make in (FixedPoint, MirrorDescent):
            with pytest.raises(InputError, match="works in double precision, but x64 is off"):
                make(single)
        with pytest.raises(InputError, match="x64 is off"):
            ValueIteration(mdp)
    with pytest.raises(InputError, match=r"Places\.payoff has dtype float32; the game was built in single precision"):
        FixedPoint(single)
