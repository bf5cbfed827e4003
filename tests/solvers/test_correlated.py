"""Correlated equilibria against their definition, written out in loops, and games whose answer is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import InputError
from catallax.games.matrix import from_arrays, from_bimatrix, matching_pennies, prisoners_dilemma, to_arrays
from catallax.solvers.matrix.nash import correlated_equilibrium, correlated_regret, pure_nash, support_enumeration


def regret_in_loops(game, p, coarse):
    """The most that any player gains by a deviation, in spreads of its payoffs."""
    worst = 0.0
    for k, table in enumerate(to_arrays(game)):
        spread = np.ptp(table) or 1.0
        for played in range(game.actions[k]):
            gain = np.zeros(game.actions[k])
            for s in itertools.product(*(range(a) for a in game.actions)):
                other = (*s[:k], played, *s[k + 1 :])
                gain[s[k]] += p[s] * (table[other] - table[s]) / spread
            worst = max(worst, gain.sum() if coarse else gain.max())
    return worst


def random_game(seed):
    draw = np.random.default_rng(seed)
    actions = tuple(draw.integers(2, 4, draw.integers(2, 4)))
    return from_arrays([draw.integers(-9, 10, actions) for _ in actions])


@given(st.integers(0, 10_000), st.booleans())
def test_regret_is_its_definition_and_the_solver_has_none(seed, coarse):
    game = random_game(seed)
    p = np.random.default_rng(seed).dirichlet(np.ones(int(np.prod(game.actions)))).reshape(game.actions)
    assert correlated_regret(game, p, coarse=coarse) == pytest.approx(regret_in_loops(game, p, coarse), abs=1e-12)
    found = correlated_equilibrium(game, coarse=coarse)
    assert regret_in_loops(game, found.distribution, coarse) < 1e-8 and found.regret < 1e-8
    assert found.distribution.sum() == pytest.approx(1) and (found.distribution >= 0).all()
    np.testing.assert_allclose(found.values, [(found.distribution * t).sum() for t in to_arrays(game)])


@given(st.integers(0, 10_000))
def test_nash_equilibria_are_correlated_and_these_are_coarse(seed):
    draw = np.random.default_rng(seed)
    game = from_bimatrix(draw.integers(-9, 10, (3, 3)), draw.integers(-9, 10, (3, 3)))
    weights = [1.0, 1.0]
    best = correlated_equilibrium(game, weights)
    coarse = correlated_equilibrium(game, weights, coarse=True)
    assert coarse.values.sum() >= best.values.sum() - 1e-6
    for policy, values in zip(*support_enumeration(game)[:2], strict=True):
        assert correlated_regret(game, np.outer(*policy[:, :3])) < 1e-5
        assert best.values.sum() >= values.sum() - 1e-4


def test_chicken_does_better_with_a_mediator():
    """Aumann's example: told to dare and yield with a third each, players earn 5 each; the best sum is 10.5."""
    chicken = from_bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    third = np.array([[1, 1], [1, 0]]) / 3
    assert correlated_regret(chicken, third) == 0.0
    best = correlated_equilibrium(chicken)
    assert best.values.sum() == pytest.approx(10.5) and best.distribution[0, 0] == pytest.approx(0.5)
    assert correlated_equilibrium(chicken, [1.0, 0.0]).values[0] == pytest.approx(7.0)
    assert correlated_equilibrium(chicken, [-1.0, 0.0]).values[0] == pytest.approx(2.0)


def test_where_only_one_equilibrium_is():
    np.testing.assert_allclose(correlated_equilibrium(matching_pennies()).distribution, 0.25, atol=1e-9)
    found = correlated_equilibrium(prisoners_dilemma()).distribution
    np.testing.assert_allclose(found, np.moveaxis(pure_nash(prisoners_dilemma()).policy, 0, 0).prod(axis=0) * np.eye(2))


@given(st.integers(0, 1000), st.floats(-1e3, 1e3), st.floats(0.1, 1e3))
def test_a_game_and_its_shift_and_scaling_have_one_answer(seed, shift, scale):
    tables = np.random.default_rng(seed).normal(size=(2, 3, 3))
    one, other = (correlated_equilibrium(from_arrays(list(t))) for t in (tables, tables * scale + shift))
    np.testing.assert_allclose((other.values - shift) / scale, one.values, atol=1e-2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda game: correlated_equilibrium(game, [1.0]), "weights must be 2"),
        (lambda game: correlated_equilibrium(game, [1.0, np.inf]), "weights must be 2"),
        (lambda game: correlated_regret(game, np.ones((2, 2))), "sum to 1"),
        (lambda game: correlated_regret(game, [0.5, 0.5]), "shape"),
        (lambda game: correlated_regret(game, [[1.5, -0.5], [0, 0]]), "at least 0"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call(matching_pennies())
