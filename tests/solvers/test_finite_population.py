"""The Moran process and alpha-rank against explicit transition matrices, closed forms and symmetries."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from catallax.core import InputError
from catallax.games.matrix import from_arrays, from_bimatrix, matching_pennies, prisoners_dilemma, to_arrays
from catallax.solvers.matrix.finite_population import (
    alpha_rank,
    fixation_probabilities,
    moran_distribution,
    small_mutation_distribution,
)
from catallax.solvers.matrix.flow import replicator_mutator_path, replicator_path

ENTRIES = st.floats(-3, 3).map(lambda x: round(x, 3))
TABLES = st.lists(ENTRIES, min_size=4, max_size=4).map(lambda xs: np.reshape(xs, (2, 2)))


def explicit_chain(table, population, intensity, mutation):
    """The transition matrix of the number of followers of A, by looking at every parent and every death."""
    chain = np.zeros((population + 1, population + 1))
    for i in range(population + 1):
        n = population
        fitness = []
        if i > 0:
            fitness.append(("A", i, ((i - 1) * table[0, 0] + (n - i) * table[0, 1]) / (n - 1)))
        if i < n:
            fitness.append(("B", n - i, (i * table[1, 0] + (n - i - 1) * table[1, 1]) / (n - 1)))
        weights = np.array([count * np.exp(intensity * pay) for _, count, pay in fitness])
        for (who, _, _), share in zip(fitness, weights / weights.sum(), strict=True):
            for child, chance in (("A", mutation / 2), ("B", mutation / 2), (who, 1 - mutation)):
                for dead, gone in (("A", i / n), ("B", 1 - i / n)):
                    to = i + (child == "A") - (dead == "A")
                    if 0 <= to <= n:
                        chain[i, to] += share * chance * gone
    return chain


def long_run(chain):
    """The stationary distribution, by linear algebra."""
    n = len(chain)
    rows = np.vstack([chain.T - np.eye(n), np.ones(n)])
    return np.linalg.lstsq(rows, np.append(np.zeros(n), 1.0), rcond=None)[0]


@given(TABLES, st.integers(2, 12), st.floats(0, 2))
def test_fixation_is_absorption_of_the_explicit_chain(table, population, intensity):
    chain = explicit_chain(table, population, intensity, 0.0)
    inner = chain[1:-1, 1:-1]
    absorbed = np.linalg.solve(np.eye(population - 1) - inner, chain[1:-1, -1])
    found = fixation_probabilities(table, population, intensity)
    np.testing.assert_allclose(found, [0.0, *absorbed, 1.0], rtol=1e-8, atol=1e-12)


@given(TABLES, st.integers(2, 12), st.floats(0, 2), st.floats(0.01, 1.0))
def test_how_often_each_composition_is_seen_is_that_of_the_explicit_chain(table, population, intensity, mutation):
    chain = explicit_chain(table, population, intensity, mutation)
    np.testing.assert_allclose(chain.sum(axis=1), 1.0)
    found = moran_distribution(table, population, intensity, mutation)
    np.testing.assert_allclose(found, long_run(chain), atol=1e-9)


def test_a_constant_advantage_fixes_as_moran_says():
    """rho = (1 - 1/r) / (1 - 1/r^N) for relative fitness r, and 1 / N if there is no selection."""
    for r, n in ((1.5, 10), (0.5, 7), (1.01, 100)):
        found = fixation_probabilities([[np.log(r)] * 2, [0.0] * 2], n)[1]
        assert found == pytest.approx((1 - 1 / r) / (1 - r**-n), rel=1e-10)
    np.testing.assert_allclose(fixation_probabilities([[1.0, 5.0], [0.0, 3.0]], 20, 0.0), np.arange(21) / 20)


def test_the_one_third_law():
    """Weak selection favours A in large populations if and only if the interior equilibrium lies below 1/3."""
    for equilibrium in (0.30, 0.36):
        table = [[(1 - equilibrium) / equilibrium, 0.0], [0.0, 1.0]]
        found = fixation_probabilities(table, 3000, 1e-5)[1]
        assert (found > 1 / 3000) == (equilibrium < 1 / 3)


def test_strong_selection_neither_overflows_nor_vanishes():
    found = fixation_probabilities([[0.0, 0.0], [1.0, 1.0]], 1000, 1e3)
    assert np.isfinite(found).all() and found[1] == 0.0 and found[-1] == 1.0
    beaten = moran_distribution([[0.0, 0.0], [1.0, 1.0]], 50, 1e4, 0.1)  # only mutants follow A: 5% of children
    np.testing.assert_allclose(beaten, binom.pmf(np.arange(51), 50, 0.05), atol=1e-12)
    np.testing.assert_array_equal(small_mutation_distribution([[0.0, 0.0], [1.0, 1.0]], 1000, 1e3), [0.0, 1.0])


@given(TABLES, st.integers(2, 30), st.floats(0, 2), st.floats(-100, 100))
def test_a_game_and_its_shift_have_one_answer(table, population, intensity, shift):
    for solve in (fixation_probabilities, moran_distribution, small_mutation_distribution):
        one, other = (solve(payoffs, population, intensity) for payoffs in (table, table + shift))
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_rare_mutations_are_the_limit_of_the_explicit_chain():
    table = np.array([[1.0, 0.2], [0.7, 0.4]])
    ends = moran_distribution(table, 8, 1.5, 1e-7)[[-1, 0]]
    np.testing.assert_allclose(small_mutation_distribution(table, 8, 1.5), ends, atol=1e-5)


def test_rare_mutations_among_three_rules_are_the_chain_of_their_fixations():
    table = np.random.default_rng(0).normal(size=(3, 3))
    chain = np.zeros((3, 3))
    for i, j in itertools.permutations(range(3), 2):
        chain[i, j] = fixation_probabilities(table[np.ix_([j, i], [j, i])], 15, 0.7)[1] / 2
    np.testing.assert_allclose(
        small_mutation_distribution(table, 15, 0.7), long_run(chain + np.diag(1 - chain.sum(axis=1))), atol=1e-10
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fixation_probabilities([[1.0, 2.0]], 5), "own rule, other.s rule"),
        (lambda: fixation_probabilities(np.eye(3), 5), "got shape .3, 3."),
        (lambda: fixation_probabilities([[1.0, np.nan], [0, 0]], 5), "finite"),
        (lambda: fixation_probabilities(np.eye(2), 1), "population must be at least 2"),
        (lambda: fixation_probabilities(np.eye(2), 5, -1.0), "intensity must be finite"),
        (lambda: moran_distribution(np.eye(2), 5, 1.0, 0.0), "mutation must lie in"),
        (lambda: alpha_rank(matching_pennies(), np.inf), "alpha must be finite"),
        (lambda: alpha_rank(matching_pennies(), 1.0, 1), "population must be at least 2"),
        (lambda: alpha_rank(from_arrays([np.zeros((11, 11, 11))] * 3)), "1331 profiles"),
        (lambda: replicator_mutator_path(np.eye(2), np.ones(2) / 2, np.arange(2.0), -1.0), "at least 0"),
        (lambda: replicator_mutator_path(np.eye(2), np.ones(2) / 2, np.arange(2.0), np.ones(3)), "2 x 2"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()


# Alpha-rank.


def explicit_rank(game, alpha, population):
    """The chain as it is printed: a deviation at random, and the fixation probability of its mutant."""
    tables = [(t - t.min()) / (np.ptp(t) or 1.0) for t in to_arrays(game)]
    profiles = list(itertools.product(*(range(a) for a in game.actions)))
    eta = 1 / sum(a - 1 for a in game.actions)
    chain = np.zeros((len(profiles),) * 2)
    for i, s in enumerate(profiles):
        for j, other in enumerate(profiles):
            moved = [k for k in range(game.players) if s[k] != other[k]]
            if len(moved) == 1:
                u = tables[moved[0]][other] - tables[moved[0]][s]
                rho = (1 - np.exp(-alpha * u)) / (1 - np.exp(-population * alpha * u)) if u else 1 / population
                chain[i, j] = eta * rho
        chain[i, i] = 1 - chain[i].sum()
    return long_run(chain).reshape(game.actions)


@given(st.integers(0, 10_000), st.floats(0.1, 3.0), st.integers(2, 20))
def test_alpha_rank_is_the_printed_chain(seed, alpha, population):
    draw = np.random.default_rng(seed)
    actions = tuple(draw.integers(2, 4, 3))
    game = from_arrays([draw.integers(-3, 4, actions) for _ in actions])
    found = alpha_rank(game, alpha, population)
    np.testing.assert_allclose(found.distribution, explicit_rank(game, alpha, population), atol=1e-7)
    np.testing.assert_allclose(found.marginals.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.marginals[1, : actions[1]], found.distribution.sum(axis=(0, 2)))


def test_alpha_rank_of_games_whose_answer_is_known():
    rock = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    np.testing.assert_allclose(alpha_rank(from_bimatrix(rock, -rock)).distribution, 1 / 9, atol=1e-9)
    dilemma = alpha_rank(prisoners_dilemma())
    (best, share), *_ = dilemma.ranking()
    assert best == (1, 1) and share > 0.999 and dilemma.sinks[1, 1] == 0 and (dilemma.sinks >= 0).sum() == 1
    both = alpha_rank(from_bimatrix(np.eye(2), np.eye(2)))
    np.testing.assert_allclose(np.diag(both.distribution), 0.5, atol=1e-6)
    assert sorted(np.diag(both.sinks)) == [0, 1]
    pennies = alpha_rank(matching_pennies())
    assert (pennies.sinks == 0).all() and np.allclose(pennies.distribution, 0.25)


def test_strong_selection_goes_to_the_sinks():
    draw = np.random.default_rng(3)
    for _ in range(10):
        game = from_arrays(list(draw.integers(-5, 6, (3, 3, 2, 2))))
        found = alpha_rank(game, 1e4)
        assert found.distribution[found.sinks < 0].sum() < 1e-6 and np.isfinite(found.distribution).all()


@given(st.integers(0, 1000), st.floats(-1e3, 1e3), st.floats(0.1, 1e3))
def test_alpha_rank_of_a_shifted_and_scaled_game(seed, shift, scale):
    draw = np.random.default_rng(seed)
    tables = draw.integers(-3, 4, (2, 3, 3)).astype(float)
    one, other = (alpha_rank(from_arrays(list(t)), 2.0).distribution for t in (tables, tables * scale + shift))
    np.testing.assert_allclose(one, other, atol=1e-3)  # payoffs are in single precision


# Replicator dynamics with mutation.


def test_without_mutation_it_is_the_replicator_equation():
    table = np.random.default_rng(1).normal(size=(3, 3))
    times, start = np.linspace(0, 5, 6), np.array([0.2, 0.5, 0.3])
    found = replicator_mutator_path(table, start, times, 0.0)
    np.testing.assert_allclose(found, replicator_path(table, start, times), atol=1e-7)
    shifted = replicator_mutator_path(table + 1e6, start, times, 0.1)
    np.testing.assert_allclose(shifted, replicator_mutator_path(table, start, times, 0.1), atol=1e-6)


def test_without_selection_shares_follow_the_chain_of_mutations():
    rates = np.array([[0.0, 0.3, 0.1], [0.2, 0.0, 0.0], [0.5, 0.4, 0.0]])
    generator = rates - np.diag(rates.sum(axis=1))
    values, vectors = np.linalg.eig(generator.T)
    start, times = np.array([1.0, 0.0, 0.0]), np.linspace(0, 4, 5)
    expected = [(vectors @ np.diag(np.exp(values * t)) @ np.linalg.solve(vectors, start)).real for t in times]
    found = replicator_mutator_path(np.zeros((3, 3)), start, times, rates + 7 * np.eye(3))
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_mutation_ends_the_cycles_of_rock_paper_scissors():
    rock = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    start = np.array([0.6, 0.3, 0.1])
    assert np.ptp(replicator_mutator_path(rock, start, np.linspace(0, 200, 21), 0.0)[-5:, 0]) > 0.1
    np.testing.assert_allclose(replicator_mutator_path(rock, start, np.array([0.0, 200.0]), 0.1)[-1], 1 / 3, atol=1e-6)
