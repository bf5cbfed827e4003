"""Logit equilibria against the reference tables, closed forms and other methods; zero-sum weights; interior Nash."""

from itertools import combinations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import root

from catallax.core import InputError, NumericalError, rng, run, solve
from catallax.experiments.learning_dynamics.reference_values import AMPS, line_rows
from catallax.games.matrix import (
    Polymatrix,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    prisoners_dilemma,
    rock_paper_scissors,
)
from catallax.solvers.matrix.flow import SmoothQLearning
from catallax.solvers.matrix.logit import LogitNewton, Status, logit_equilibrium, logit_gap
from catallax.solvers.matrix.structure import interior_equilibrium, pairwise_constant_sum, zero_sum_weights


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def each(game, temperatures, start=None):
    """The equilibria at these temperatures, one after the other: games of one shape share one compiled program."""
    return np.stack([np.asarray(logit_equilibrium(game, t, start=start).require()) for t in temperatures])


def test_asymmetric_matching_pennies():
    game = asymmetric_matching_pennies()
    found = jax.vmap(lambda t: logit_equilibrium(game, t))(jnp.asarray(list(AMPS)))
    np.testing.assert_allclose(found.require()[:, :, 0], list(AMPS.values()), rtol=0, atol=1e-11)
    assert (np.asarray(found.iterations) <= 10).all() and (found.status == Status.CONVERGED).all()


@pytest.mark.parametrize("n", [3, 5, 7])
def test_match_mismatch_lines(n):
    game = match_mismatch_line(n)
    temperatures, heads = (np.asarray(x) for x in zip(*line_rows(n), strict=True))
    rates = np.pad(temperatures, ((0, 0), (1, 1)), constant_values=1.0)
    p = each(game, rates)
    np.testing.assert_allclose(p[:, 1:-1, 0], heads, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(p[:, [0, -1], 0], 1.0)
    # m_k = tanh((m_{k+1} - m_{k-1}) / T_k), the closed condition
    m = np.concatenate([np.ones((len(p), 1)), 2 * p[:, 1:-1, 0] - 1, -np.ones((len(p), 1))], axis=1)
    np.testing.assert_allclose(m[:, 1:-1], np.tanh((m[:, 2:] - m[:, :-2]) / temperatures), atol=1e-11)


def test_closed_forms():
    line = match_mismatch_line(3)
    t = np.asarray([0.25, 0.5, 1.0, 2.0])
    p = each(line, t)
    np.testing.assert_allclose(2 * p[:, 1, 0] - 1, -np.tanh(1 / t), atol=1e-12)
    start = np.asarray([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    p = logit_equilibrium(rock_paper_scissors(), 0.3, start=start).require()
    np.testing.assert_allclose(p, 1 / 3, atol=1e-12)


def test_social_games():
    found = each(prisoners_dilemma(), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(found[:, 0, 0], [0.0997884840, 0.2267506448, 0.3386482024], atol=1e-10)
    bids = first_price_bids(0.25)
    for t, expected in (
        (0.2, (0.471073376825, 0.471073376825, 0.05785324635)),
        (0.1, (0.496810074174, 0.496810074174, 0.00637985165)),
    ):
        np.testing.assert_allclose(logit_equilibrium(bids, t).require()[0], expected, atol=1e-11)


def test_several_branches_are_told_by_the_start():
    game = coordination()
    known = {0.3: 0.953666158323, 0.4: 0.855205891744, 0.45: 0.762714756329, 0.49: 0.621491316318}
    upper = np.asarray(list(known.values()))
    for start, heads in ((0.9, upper), (0.5, np.full(4, 0.5)), (0.1, 1 - upper)):
        np.testing.assert_allclose(each(game, known, [start, start])[:, 0, 0], heads, atol=1e-10)


def test_two_other_methods_agree():
    game, temperature = match_mismatch_line(5), 0.5
    p = logit_equilibrium(game, temperature).require()
    slow = SmoothQLearning(game, temperature, rate=0.2)
    damped = solve(slow, rng.key(0), tol=1e-12, max_steps=20_000)
    np.testing.assert_allclose(slow.policy(damped.require())[:, :, 0], p, atol=1e-10)

    def condition(m):
        m = np.concatenate([[1], m, [-1]])
        return m[1:-1] - np.tanh((m[2:] - m[:-2]) / temperature)

    theirs = root(condition, np.zeros(5), tol=1e-13)
    assert theirs.success
    np.testing.assert_allclose(2 * p[1:-1, 0] - 1, theirs.x, atol=1e-9)


def test_low_temperatures():
    game = match_mismatch_line(7)
    for stages in (0, 6):  # both find it; the staged solver makes steps at each temperature
        found = logit_equilibrium(game, 0.01, stages=stages)
        p = found.require()
        assert p[1, 0] < 1e-80 and abs(p[2, 0] - 0.5211510657) < 1e-8
    assert found.iterations > 14


def _weighted_zero_sum(seed, players, actions):
    """A complete graph, zero-sum after weighting, by construction."""
    draw = np.random.default_rng(seed)
    weights = draw.uniform(0.3, 3.0, players)
    edges = []
    for k, m in combinations(range(players), 2):
        pay = draw.normal(size=(actions, actions))
        edges.append((k, m, pay / weights[k], -pay.T / weights[m]))
    return Polymatrix(edges)


@pytest.mark.parametrize(("players", "actions"), [(2, 8), (5, 3)])
def test_newton_finds_the_equilibrium_of_any_weighted_zero_sum_game(players, actions):
    """From uniform play, down to a temperature of 0.001, where it is a Nash equilibrium within T ln A."""
    for seed in range(4):
        game = _weighted_zero_sum(seed, players, actions)
        for temperature in (0.1, 0.001):
            policy = np.asarray(logit_equilibrium(game, temperature).require())
            reply = _choice(game, np.full(players, temperature), policy)
            np.testing.assert_allclose(policy, reply, atol=1e-8)
            rewards = _rewards(game, policy)
            regrets = rewards.max(axis=1) - (policy * rewards).sum(axis=1)
            assert float(regrets.max()) <= temperature * np.log(actions)


def test_linearisation_at_the_equilibrium():
    game = asymmetric_matching_pennies()
    jacobian = eqx.filter_jit(lambda problem, z: problem.jacobian(z))
    for rates, expected in (((1.0, 1.0), -1 + 0.97059211j), ((0.5, 2.0), -1.25 + 0.68082516j)):
        z = logit_equilibrium(game, rates).scores
        values = np.linalg.eigvals(-np.asarray(jacobian(LogitNewton(game, rates), z)))
        assert np.abs(values - expected).min() < 1e-7


def test_the_jacobian_is_the_derivative():
    game = match_mismatch_line(3)
    problem = LogitNewton(game, [1.0, 0.3, 0.7, 2.0, 1.0])

    @jax.jit
    def both(z):
        return problem.jacobian(z), jax.jacobian(lambda z: logit_gap(game, problem.temperature, z))(z)

    ours, numeric = both(jnp.asarray([[0, 0], [0.3, -0.3], [-0.1, 0.1], [0.5, -0.5], [0, 0.0]]))
    moves = np.kron(np.diag(np.asarray(game.actions) == 2), [[1.0, -1.0], [-1.0, 1.0]])  # centred ones
    np.testing.assert_allclose(ours @ moves, np.asarray(numeric).reshape(10, 10) @ moves, atol=1e-12)


def test_derivatives_by_temperature_and_payoff():
    rates = jnp.asarray([0.5, 2.0])

    def heads(t, a):
        return logit_equilibrium(Polymatrix([(0, 1, a, np.asarray([[-4.0, 0.0], [0.0, -2.0]]))]), t).policy[:, 0]

    pay, h = jnp.asarray([[2.0, 0.0], [0.0, 1.0]]), 1e-5
    derivatives = jax.jit(lambda t, a: (jax.jacrev(heads, (0, 1))(t, a), jax.jacfwd(heads, 0)(t, a)))
    (by_t, by_a), forward = derivatives(rates, pay)
    f = lambda t, a: np.asarray(heads(np.asarray(t), np.asarray(a)))
    for k in range(2):
        step = h * np.eye(2)[k]
        numeric = (f(rates + step, pay) - f(rates - step, pay)) / (2 * h)
        np.testing.assert_allclose(by_t[:, k], numeric, atol=1e-8)
        np.testing.assert_allclose(forward[:, k], numeric, atol=1e-8)
    step = h * np.asarray([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(by_a[:, 0, 1], (f(rates, pay + step) - f(rates, pay - step)) / (2 * h), atol=1e-8)


def test_the_solver_is_a_dynamics():
    problem = LogitNewton(asymmetric_matching_pennies(), [0.5, 2.0])
    found = solve(problem, rng.key(0), tol=1e-12)
    np.testing.assert_allclose(problem.policy(found.require())[:, 0], AMPS[0.5, 2.0], atol=1e-11)
    assert problem.residual(run(problem, rng.key(0), 8).state) < 1e-12


def test_no_convergence_is_said_and_refused():
    game = asymmetric_matching_pennies()
    found = jax.vmap(lambda t: logit_equilibrium(game, t, max_steps=3))(jnp.asarray([0.1, 2.0]))
    assert found.status.tolist() == [Status.OUT_OF_STEPS, Status.CONVERGED]
    assert found.converged.tolist() == [False, True] and found.iterations[0] == 3 and found.residual[0] > 1e-9
    with pytest.raises(NumericalError, match=r"1 of 2 .*residual"):
        found.require()


def test_not_finite_is_a_status():
    found = jax.jit(lambda t: logit_equilibrium(asymmetric_matching_pennies(), t))(jnp.nan)
    assert found.status == Status.NOT_FINITE


def test_bad_input_is_refused():
    game = asymmetric_matching_pennies()
    for t in (0.0, [1.0, -1.0], np.inf):
        with pytest.raises(InputError, match="positive"):
            logit_equilibrium(game, t)
    with pytest.raises(InputError, match="interior"):
        logit_equilibrium(game, 1.0, start=[[1.0, 0.0], [0.5, 0.5]])
    with jax.enable_x64(False):
        single = asymmetric_matching_pennies()
        with pytest.raises(InputError, match="jax_enable_x64"):
            logit_equilibrium(single, 1.0, tol=1e-10)
        np.testing.assert_allclose(logit_equilibrium(single, 1.0).require()[:, 0], AMPS[1.0, 1.0], atol=1e-4)


# Weighted zero-sum games.


def disguised(seed=0):
    """A weighted zero-sum game of four players, no edge of which is constant-sum, with its weights."""
    draw = np.random.default_rng(seed)
    w = np.asarray([1.0, 0.5, 0.25, 0.8])
    counts = (2, 3, 2, 4)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]
    edges = {}
    for k, m in pairs:
        a = draw.normal(size=(counts[k], counts[m]))
        edges[k, m], edges[m, k] = a, -a.T
    # what a player gains by its own action on one edge it loses on another
    for k, one, other in ((0, 1, 3), (1, 0, 2), (2, 1, 3)):
        f = draw.normal(size=(counts[k], 1))
        edges[k, one] = edges[k, one] + f
        edges[k, other] = edges[k, other] - f
    edges[0, 1], edges[1, 2] = edges[0, 1] + 0.7, edges[1, 2] - 0.7
    game = Polymatrix([(k, m, edges[k, m] / w[k], edges[m, k] / w[m]) for k, m in pairs])
    return game, w


def test_weights_are_found():
    for game, expected in (
        (asymmetric_matching_pennies(), [1.0, 0.5]),
        (rock_paper_scissors(), [1.0, 1.0]),
        (match_mismatch_line(5), np.ones(7)),
        disguised(),
    ):
        found = zero_sum_weights(game)
        np.testing.assert_allclose(found.weights, expected, atol=1e-10)
        assert found.unique


def test_weights_that_are_not_unique():
    null = Polymatrix([(0, 1, np.zeros((2, 2)), np.zeros((2, 2)))])
    found = zero_sum_weights(null)
    assert not found.unique and (found.weights > 0).all()


def test_games_that_are_not_zero_sum_are_refused():
    game, _ = disguised()
    spoilt = game.payoff.at[3, 0, 0].add(0.01)
    for other in (
        eqx.tree_at(lambda g: g.payoff, game, spoilt),
        prisoners_dilemma(),
        coordination(),
        Polymatrix([(0, 1, np.eye(2), 2 * np.eye(2))]),  # weights exist, but not positive ones
    ):
        with pytest.raises(InputError, match="not weighted zero-sum"):
            zero_sum_weights(other)
        with pytest.raises(InputError, match="not weighted zero-sum"):
            pairwise_constant_sum(other)


def test_the_pairwise_form_pays_the_same():
    game, w = disguised()
    pairwise = pairwise_constant_sum(game)
    draw = np.random.default_rng(5)
    total = 0.0
    for _ in range(20):
        profile = jnp.asarray([draw.integers(a) for a in game.actions])
        np.testing.assert_allclose(pairwise.play(profile), w * game.play(profile), atol=1e-13)
        np.testing.assert_allclose((w * game.play(profile)).sum(), 0.0, atol=1e-13)
    for k, m in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2)):
        both = np.asarray(pairwise.edge(k, m)) + np.asarray(pairwise.edge(m, k)).T
        assert np.ptp(both) < 1e-13
        total += both.mean()
        plain = w[k] * np.asarray(game.edge(k, m)) + w[m] * np.asarray(game.edge(m, k)).T
        assert np.ptp(plain) > 0.1 or (k, m) == (0, 2)
    assert abs(total) < 1e-12


def test_interior_nash_equilibria():
    np.testing.assert_allclose(interior_equilibrium(asymmetric_matching_pennies())[:, 0], 1 / 3)
    np.testing.assert_allclose(interior_equilibrium(rock_paper_scissors()), 1 / 3)
    np.testing.assert_allclose(interior_equilibrium(coordination(2.0, 1.0))[:, 0], 1 / 3)
    for game in (prisoners_dilemma(), match_mismatch_line(3), first_price_bids()):
        with pytest.raises(InputError, match="no interior"):
            interior_equilibrium(game)
    with pytest.raises(InputError, match="more than one point"):
        interior_equilibrium(Polymatrix([(0, 1, np.zeros((2, 2)), np.zeros((2, 2)))]))


def _choice(game, temperature, policy):
    """softmax(r / T) of every player, in NumPy, by the game's own matrices."""
    out = np.zeros_like(policy)
    for k, count in enumerate(game.actions):
        scores = _rewards(game, policy)[k, :count] / temperature[k]
        weights = np.exp(scores - scores.max())
        out[k, :count] = weights / weights.sum()
    return out


def _rewards(game, policy):
    """r(x) in NumPy, by the game's own matrices."""
    rewards = np.zeros(policy.shape)
    for (k, m), a in game.matrices().items():
        rewards[k, : game.actions[k]] += a @ policy[m, : game.actions[m]]
    return rewards


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e6])
def test_the_unit_of_payoffs_does_not_matter(unit):
    first = np.array([[2.0, 0.0], [0.0, 1.0]])
    temperature = np.array([0.5, 2.0])
    found = logit_equilibrium(asymmetric_matching_pennies(unit * first), unit * temperature).require()
    np.testing.assert_allclose(found[:, 0], AMPS[0.5, 2.0], rtol=0, atol=1e-11)
    with jax.enable_x64(False):
        game = asymmetric_matching_pennies(unit * first)
        found = logit_equilibrium(game, unit * temperature).require()
    np.testing.assert_allclose(found[:, 0], AMPS[0.5, 2.0], rtol=0, atol=2e-6)


def test_a_player_with_small_payoffs_is_solved_as_well_as_the_others():
    first = np.array([[2.0, 0.0], [0.0, 1.0]])
    game = Polymatrix([(0, 1, 1e6 * first, -2e-3 * first.T)])
    temperature = np.array([0.5e6, 2e-3])
    p = logit_equilibrium(game, temperature).require()
    np.testing.assert_allclose(_choice(game, temperature, np.asarray(p)), p, rtol=0, atol=1e-13)


def test_payoffs_that_are_all_zero_are_met_with_uniform_play():
    game = Polymatrix([(0, 1, np.zeros((2, 3)), np.zeros((3, 2)))])
    p = logit_equilibrium(game, 0.3, np.array([[0.9, 0.1, 0.0], [0.7, 0.2, 0.1]])).require()
    np.testing.assert_allclose(p, [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]], rtol=0, atol=1e-13)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6, 1e9])
def test_the_unit_does_not_matter_to_an_interior_nash_equilibrium(unit):
    game = asymmetric_matching_pennies(unit * np.array([[2.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(interior_equilibrium(game)[:, 0], 1 / 3, rtol=0, atol=1e-14)
