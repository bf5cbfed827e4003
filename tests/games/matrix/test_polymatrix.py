"""Polymatrix games: the convention, payoffs against enumeration, unequal action counts, refusals."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError
from catallax.games.matrix import (
    Edge,
    Polymatrix,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    matching_pennies,
    matching_ring,
    per_player,
    prisoners_dilemma,
    rock_paper_scissors,
)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def random_game(counts, pairs, seed=0):
    """A game with the given action counts and pairs of players, and its matrices."""
    draw = np.random.default_rng(seed)
    matrices = {}
    for k, m in pairs:
        matrices[k, m] = draw.normal(size=(counts[k], counts[m]))
        matrices[m, k] = draw.normal(size=(counts[m], counts[k]))
    return Polymatrix([(k, m, matrices[k, m], matrices[m, k]) for k, m in pairs]), matrices


def random_policy(game, seed=1, batch=()):
    """Interior policies, 0 beyond a player's actions."""
    draw = np.random.default_rng(seed).exponential(size=(game.players, game.width, *batch))
    draw = np.where(game.legal.reshape(game.legal.shape + (1,) * len(batch)), draw, 0.0)
    return jnp.asarray(draw / draw.sum(axis=1, keepdims=True))


# player 0 meets all others (degree 3), 3 meets only 0: the sum over edges has blocks of different degree
GAMES = {
    "star and triangle": ((2, 3, 2, 4), ((0, 1), (0, 2), (0, 3), (1, 2))),
    "edges against the numbering": ((3, 3, 3), ((2, 0), (2, 1))),
    "many actions": ((9, 10), ((0, 1),)),
}


@pytest.mark.parametrize("name", GAMES)
def test_payoffs_are_sums_over_edges(name):
    game, matrices = random_game(*GAMES[name])
    x = random_policy(game)
    expected = np.zeros(game.players)
    for (k, m), a in matrices.items():
        expected[k] += np.asarray(x)[k, : a.shape[0]] @ a @ np.asarray(x)[m, : a.shape[1]]
        np.testing.assert_array_equal(game.edge(k, m), a)
    np.testing.assert_allclose(game.payoffs(x), expected, rtol=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_expected_payoffs_are_means_over_pure_profiles(name):
    game, _ = random_game(*GAMES[name])
    x = np.asarray(random_policy(game))
    total = np.zeros(game.players)
    play = jax.jit(lambda profile: game.play(profile))
    for profile in itertools.product(*(range(a) for a in game.actions)):
        chance = np.prod([x[k, a] for k, a in enumerate(profile)])
        total += chance * np.asarray(play(jnp.asarray(profile)))
    np.testing.assert_allclose(game.payoffs(jnp.asarray(x)), total, rtol=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_batch_axes_come_last(name):
    game, _ = random_game(*GAMES[name])
    x = random_policy(game, batch=(5, 2))
    one = np.stack([[np.asarray(game.rewards(x[..., i, j])) for j in range(2)] for i in range(5)])
    np.testing.assert_allclose(game.rewards(x), one.transpose(2, 3, 0, 1), rtol=1e-12)
    assert game.regrets(x).shape == (game.players, 5, 2)


def test_regret_is_zero_at_nash_only_and_looks_at_legal_actions():
    game = first_price_bids(0.25)
    pure = lambda a: jnp.zeros((2, 3)).at[:, a].set(1.0)
    np.testing.assert_allclose(game.regrets(pure(0)), 0.0, atol=1e-15)
    np.testing.assert_allclose(game.regrets(pure(1)), 0.0, atol=1e-15)
    assert (np.asarray(game.regrets(pure(2))) > 0.1).all()
    np.testing.assert_allclose(game.regrets(jnp.asarray([[0.5, 0.5, 0.0]] * 2)), 0.0, atol=1e-15)
    bad = Polymatrix([(0, 1, [[-1.0, -2.0]], [[1.0], [3.0]])])  # a column beyond an action count must not tempt
    np.testing.assert_allclose(bad.regrets(jnp.asarray([[1.0, 0.0], [0.0, 1.0]])), 0.0)


def test_each_player_is_the_row_player_of_its_own_matrix():
    to_row, to_column = np.arange(6.0).reshape(2, 3), 10 * np.arange(6.0).reshape(2, 3)
    game = Polymatrix.from_bimatrix(to_row, to_column)
    np.testing.assert_array_equal(game.play(jnp.asarray([1, 2])), [to_row[1, 2], to_column[1, 2]])
    np.testing.assert_array_equal(game.edge(1, 0), to_column.T)
    own = prisoners_dilemma()  # symmetric: (A, A) in this convention
    np.testing.assert_array_equal(own.play(jnp.asarray([0, 1])), [0, 5])
    with pytest.raises(InputError, match="transposed"):
        Polymatrix([(0, 1, to_row, to_column)])


def test_games_of_the_literature():
    amps = asymmetric_matching_pennies()
    np.testing.assert_allclose(amps.edge(0, 1) + 0.5 * amps.edge(1, 0).T, 0.0)
    np.testing.assert_allclose(amps.regrets(jnp.asarray([[1 / 3, 2 / 3], [1 / 3, 2 / 3]])), 0.0, atol=1e-15)
    for game in (matching_pennies(), rock_paper_scissors(), matching_ring(4)):
        np.testing.assert_allclose(game.regrets(random_policy(game) * 0 + 1 / game.width), 0.0, atol=1e-15)
        np.testing.assert_allclose(game.payoffs(random_policy(game)).sum(), 0.0, atol=1e-14)
    assert coordination(2.0, 1.0).play(jnp.asarray([0, 0])).tolist() == [2.0, 2.0]
    free = np.asarray(first_price_bids(0.0).edge(0, 1))
    np.testing.assert_allclose(free, [[0.5, 0, 0], [0.5, 0.25, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        first_price_bids(0.25).edge(0, 1), [[0.375, 0, 0], [0.25, 0.125, 0], [-0.25, -0.25, -0.125]]
    )


def test_the_line_pays_as_its_text_says():
    line = match_mismatch_line(3)
    h = np.asarray([1.0, 0.2, 0.7, 0.9, 0.0])
    m = 2 * h - 1
    x = np.stack([h, 1 - h], axis=1)
    x[0], x[4] = (1, 0), (1, 0)  # dummies: their only action is column 0
    ours = line.payoffs(jnp.asarray(x))
    np.testing.assert_allclose(ours[1:4], m[1:4] * (m[2:] - m[:-2]), atol=1e-14)
    assert line.actions == (1, 2, 2, 2, 1)
    nash = np.asarray([[1, 0], [0, 1], [0.3, 0.7], [0, 1], [1, 0]])
    np.testing.assert_allclose(line.payoffs(jnp.asarray(nash)), [-1, 1.4, 0, 0.6, -1], atol=1e-14)
    np.testing.assert_allclose(line.regrets(jnp.asarray(nash)), 0.0, atol=1e-14)
    for n in (0, 2):
        with pytest.raises(InputError, match="odd"):
            match_mismatch_line(n)


def test_payoffs_may_be_differentiated():
    x = jnp.asarray([[0.3, 0.7], [0.6, 0.4]])
    pay = jnp.asarray([[1.0, 2.0], [3.0, 4.0]])
    slope = jax.grad(lambda a: Polymatrix([(0, 1, a, -a.T)]).payoffs(x)[0])(pay)
    np.testing.assert_allclose(slope, x[0][:, None] * x[1][None], rtol=1e-12)


def test_precision_follows_the_switch():
    assert matching_pennies().payoff.dtype == jnp.float64
    with jax.enable_x64(False):
        assert matching_pennies().payoff.dtype == jnp.float32


SQUARE = np.eye(2)
REFUSED = {
    "no edge": ([], "no edge"),
    "itself": ([(0, 0, SQUARE, SQUARE)], "with itself"),
    "twice": ([(0, 1, SQUARE, SQUARE), (1, 0, SQUARE, SQUARE)], "twice"),
    "a gap in the numbers": ([(0, 2, SQUARE, SQUARE)], "0, ..., n - 1"),
    "not a matrix": ([(0, 1, np.ones(2), SQUARE)], "must be a matrix"),
    "unequal counts": ([(0, 1, SQUARE, SQUARE), (0, 2, np.eye(3), np.eye(3))], "2 actions"),
    "not finite": ([(0, 1, np.full((2, 2), np.inf), SQUARE)], "not a finite number"),
    "not numbers": ([(0, 1, np.asarray([["a", None]] * 2, object), SQUARE)], "not a finite number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_game_is_refused(name):
    edges, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        Polymatrix([Edge(*e) for e in edges])


def test_numbers_for_each_player():
    game = matching_ring(3)
    assert per_player(game, "temperature", 0.5, positive=True).tolist() == [0.5] * 3
    assert per_player(game, "temperature", np.ones((3, 7)), positive=True, batched=True).shape == (3, 7)
    for value, words in ((0.0, "positive"), ([1, 1, np.nan], "finite"), (-1.0, "positive"), ([1, 1], "3 players")):
        with pytest.raises(InputError, match=words):
            per_player(game, "temperature", value, positive=True)
    with pytest.raises(InputError, match="at least 0"):
        per_player(game, "temperature", [-0.1, 0, 0], positive=False)
    with pytest.raises(InputError, match="share no edge"):
        match_mismatch_line(3).edge(1, 3)
    with pytest.raises(InputError, match="at least 3"):
        matching_ring(2)
