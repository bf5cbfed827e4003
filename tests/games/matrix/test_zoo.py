"""The games of the literature: what each promises, by plain sums over profiles; graphs; random games."""

import itertools

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import InputError
from catallax.games.matrix import (
    Polymatrix,
    asymmetric_matching_pennies,
    battle_of_the_sexes,
    complete_graph,
    components,
    congestion_game,
    congestion_potential,
    grid_graph,
    hawk_dove,
    hunt_of_many,
    identity_game,
    line_graph,
    odd_cycle,
    polymatrix_on,
    prisoners_dilemma,
    public_goods,
    random_graph,
    random_normal_form,
    random_polymatrix,
    random_potential,
    random_zero_sum,
    random_zero_sum_polymatrix,
    restricted,
    ring_graph,
    rock_paper_scissors,
    shapleys_game,
    stag_hunt,
    star_graph,
    to_arrays,
    to_bimatrix,
)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def regrets(game, first, second):
    """What the best reply would add, from the two matrices."""
    a, b = to_bimatrix(game)
    x, y = np.asarray(first), np.asarray(second)
    return (a @ y).max() - x @ a @ y, (x @ b).max() - x @ b @ y


THIRD = np.full(3, 1 / 3)
EQUILIBRIA = {
    "asymmetric matching pennies": (asymmetric_matching_pennies(), [1 / 3, 2 / 3], [1 / 3, 2 / 3]),
    "other pennies": (asymmetric_matching_pennies([[3, 0], [1, 2]], [[-6, -2], [0, -4]]), [1 / 4, 3 / 4], [1 / 2] * 2),
    "rock, paper, scissors": (rock_paper_scissors(), THIRD, THIRD),
    "with ties": (rock_paper_scissors(ties=(0.3, -0.2)), THIRD, THIRD),
    "with dear losses": (rock_paper_scissors(losses=1.7), THIRD, THIRD),
    "with unequal wins": (rock_paper_scissors((2, 1, 5)), np.array([5, 2, 1]) / 8, np.array([5, 2, 1]) / 8),
    "seven in a cycle": (odd_cycle(7), np.full(7, 1 / 7), np.full(7, 1 / 7)),
    "identity": (identity_game(4), [0.5, 0, 0.5, 0], [0.5, 0, 0.5, 0]),
    "stag hunt": (stag_hunt(), [0.75, 0.25], [0.75, 0.25]),
    "sexes": (battle_of_the_sexes(3.0, 1.0), [0.75, 0.25], [0.25, 0.75]),
    "hawk and dove": (hawk_dove(1.0, 4.0), [0.25, 0.75], [0.25, 0.75]),
    "Shapley": (shapleys_game(), THIRD, THIRD),
    "dilemma": (prisoners_dilemma(), [0, 1], [0, 1]),
}


@pytest.mark.parametrize("name", EQUILIBRIA)
def test_the_equilibrium_promised_is_one(name):
    np.testing.assert_allclose(regrets(*EQUILIBRIA[name]), 0.0, atol=1e-12)


def test_zero_sum_as_promised():
    for game, scale in (
        (rock_paper_scissors((2, 1, 5)), 1),
        (rock_paper_scissors(ties=(0.3, -0.3)), 1),
        (odd_cycle(5), 1),
        (asymmetric_matching_pennies(), 0.5),
        (asymmetric_matching_pennies([[3, 0], [1, 2]], [[-6, -2], [0, -4]]), 0.5),
    ):
        a, b = to_bimatrix(game)
        np.testing.assert_allclose(a + scale * b, 0.0, atol=1e-14)
    a, b = to_bimatrix(rock_paper_scissors(losses=0.5))
    np.testing.assert_array_equal(a + b, 0.5 * (1 - np.eye(3)))
    np.testing.assert_array_equal(to_bimatrix(odd_cycle(3))[0], to_bimatrix(rock_paper_scissors())[0])
    five = to_bimatrix(odd_cycle(5))[0]
    assert five[2, 1] == five[2, 0] == 1 and five[2, 3] == five[2, 4] == -1


def test_shapley_pays_as_its_text_says():
    a, b = to_bimatrix(shapleys_game())
    for i, j in itertools.product(range(3), repeat=2):
        assert (a[i, j], b[i, j]) == (i == j, j == (i + 1) % 3)


def test_pennies_that_are_none_are_refused():
    for first, second, words in (
        ([[0, 2], [1, 0]], None, "want to match"),
        ([[2, 0, 1]], None, "2 x 2"),
        ([[2, 0], [0, np.nan]], None, "finite"),
        ([[2, 0], [0, 1]], [[-4, 0], [0, -3]], "positive number"),
        ([[2, 0], [0, 1]], [[4, 0], [0, 2]], "positive number"),
        ([[3, 0], [1, 2]], [[-6, 0], [-2, -4]], "positive number"),  # not transposed
        ([[2, 0], [0, 1]], np.eye(3), "positive number"),
    ):
        with pytest.raises(InputError, match=words):
            asymmetric_matching_pennies(first, second)


REFUSED = {
    "wins": (lambda: rock_paper_scissors((1, 1)), "three wins"),
    "a win": (lambda: rock_paper_scissors((1, 0, 1)), "a win must lie in"),
    "an even cycle": (lambda: odd_cycle(4), "odd"),
    "no dilemma": (lambda: prisoners_dilemma(temptation=2.0), "temptation > reward"),
    "no hunt": (lambda: stag_hunt(1.0, 2.0), "stag > hare"),
    "no sexes": (lambda: battle_of_the_sexes(1.0, 2.0), "preferred > other"),
    "no hawk": (lambda: hawk_dove(4.0, 2.0), "cost > value"),
    "too many needed": (lambda: hunt_of_many(3, 4), "needed of at most 3"),
    "a short line": (lambda: line_graph(1), "at least 2"),
    "a graph never connected": (lambda: random_graph(8, 0.001, 0), "raise it"),
    "no chance": (lambda: random_graph(3, 0.0, 0), r"must lie in \(0, 1\]"),
    "seed": (lambda: random_normal_form((2, 2), -1), "seed"),
    "one player": (lambda: random_normal_form((2,), 0), "two players"),
    "no action": (lambda: random_normal_form((2, 0), 0), "at least 1"),
    "too large": (lambda: random_normal_form((10,) * 9, 0), "no more than"),
    "counts": (lambda: random_polymatrix(line_graph(3), (2, 2), 0), "2 numbers of actions for the 3"),
    "a gap": (lambda: random_polymatrix(((0, 2),), 2, 0), "player 1 is on no edge"),
    "no edge": (lambda: random_polymatrix((), 2, 0), "no edge"),
    "weights": (lambda: random_zero_sum_polymatrix(line_graph(3), 2, 0, weights=[1, 0, 1]), "a weight"),
    "a resource": (lambda: congestion_game([[[0], [1]], [[0]]], [lambda n: n]), "action 1 of player 0"),
    "a cost": (lambda: congestion_game([[[0]], [[0]]], [[1.0]]), "resource 0 needs a finite cost"),
    "alone on the road": (lambda: congestion_game([[[0]]], [[1.0]]), "at least two players"),
    "players kept": (lambda: restricted(stag_hunt(), [[0]]), "1 players of 2"),
    "actions kept": (lambda: restricted(stag_hunt(), [[0], [2]]), "player 1 must keep"),
    "nothing kept": (lambda: restricted(stag_hunt(), [[], [1]]), "player 0 must keep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    make, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        make()


def test_graphs():
    assert line_graph(3) == ((0, 1), (1, 2))
    assert sorted(ring_graph(4)) == [(0, 1), (0, 3), (1, 2), (2, 3)]
    assert star_graph(4) == ((0, 1), (0, 2), (0, 3))
    assert len(complete_graph(6)) == 15
    assert grid_graph(2, 3) == ((0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (4, 5))
    assert grid_graph(1, 4) == line_graph(4)


def test_random_graphs_are_connected_and_of_the_right_density():
    for seed in range(5):
        graph = random_graph(7, 0.3, seed)
        assert components(random_polymatrix(graph, 1, 0)) == (tuple(range(7)),)
        assert graph == random_graph(7, 0.3, seed) and all(k < m for k, m in graph)
    assert random_graph(7, 0.3, 0) != random_graph(7, 0.3, 1)
    # of the connected graphs on three players, three have two edges and one has three: chances 3 p p (1-p) : p p p
    draw = np.random.default_rng(0)
    full = np.mean([len(random_graph(3, 0.5, draw)) == 3 for _ in range(300)])
    assert abs(full - 1 / 4) < 0.08


def test_games_of_several_components():
    game = polymatrix_on(((0, 3), (1, 2)), np.eye(2))
    assert components(game) == ((0, 3), (1, 2))
    assert components(polymatrix_on(line_graph(4), np.eye(2))) == ((0, 1, 2, 3),)
    assert components(random_normal_form((2, 2, 2), 0)) == ((0, 1, 2),)


def test_the_same_game_or_another_on_every_edge():
    same = polymatrix_on(ring_graph(3), np.arange(4.0).reshape(2, 2))
    assert all(np.array_equal(same.edge(k, m), [[0, 1], [2, 3]]) for k, m in itertools.permutations(range(3), 2))
    two = polymatrix_on(((0, 1),), [[1, 2, 3]], [[4], [5], [6]])
    assert two.actions == (1, 3)
    each = polymatrix_on(line_graph(3), lambda k, m: np.full((1, 1), 10.0 * k + m))
    assert [each.edge(k, m).item() for k, m in ((0, 1), (1, 0), (1, 2), (2, 1))] == [1, 10, 12, 21]


SHAPES = st.sampled_from(
    [
        (line_graph(3), (2, 3, 2)),
        (ring_graph(4), (2, 1, 3, 2)),
        (complete_graph(4), (2,) * 4),
        (((0, 2), (1, 3)), (2, 3, 2, 2)),
    ]
)


@given(SHAPES, st.integers(0, 2**31), st.booleans(), st.booleans())
def test_random_games_are_zero_sum_with_their_weights(shape, seed, pairwise, given_weights):
    graph, actions = shape
    weights = np.linspace(0.5, 2.0, len(actions)) if given_weights else 1.0
    game = random_zero_sum_polymatrix(graph, actions, seed, weights=weights, pairwise=pairwise)
    total = np.tensordot(np.broadcast_to(weights, (len(actions),)), np.stack(to_arrays(game)), axes=1)
    np.testing.assert_allclose(total, 0.0, atol=1e-12)
    again = random_zero_sum_polymatrix(graph, actions, seed, weights=weights, pairwise=pairwise)
    np.testing.assert_array_equal(game.payoff, again.payoff)


def edge_sums(game, weights):
    """The range of w_k A_kl + w_l A_lk' on every edge."""
    pairs = [(k, m) for k, m in zip(game.owners, game.rivals, strict=True) if k < m]
    return [np.ptp(weights[k] * game.edge(k, m) + weights[m] * game.edge(m, k).T) for k, m in pairs]


def test_zero_sum_as_a_whole_is_not_zero_sum_by_pairs():
    w = np.array([1.0, 2.0, 0.5, 1.5])
    whole = random_zero_sum_polymatrix(ring_graph(4), 3, 0, weights=w)
    assert min(edge_sums(whole, w)) > 0.1
    pairs = random_zero_sum_polymatrix(ring_graph(4), 3, 0, weights=w, pairwise=True)
    assert max(edge_sums(pairs, w)) < 1e-12
    drawn = random_zero_sum_polymatrix(ring_graph(4), 3, 7, weights=None)
    assert max(edge_sums(drawn, np.ones(4))) > 0.1


def test_random_normal_forms():
    assert random_normal_form((2, 3, 1), 4).actions == (2, 3, 1)
    w = np.array([1.0, 3.0, 0.5])
    table = np.stack(to_arrays(random_zero_sum((2, 3, 2), 1, weights=w)))
    np.testing.assert_allclose(np.tensordot(w, table, axes=1), 0.0, atol=1e-13)
    game, potential = random_potential((2, 3, 2), 1, weights=w)
    for k, table in enumerate(to_arrays(game)):
        np.testing.assert_allclose(np.diff(table, axis=k), w[k] * np.diff(potential, axis=k), atol=1e-13)
    free = np.random.default_rng(3)
    first, second = random_normal_form((2, 2), free), random_normal_form((2, 2), free)
    assert not np.array_equal(first.payoff, second.payoff)  # a generator is advanced


def test_congestion_games_pay_by_load_and_have_rosenthals_potential():
    # two roads and a bypass that is part of both detours; costs as functions and as tables
    choices = [[(0,), (1, 2)], [(0,), (1,), (2,)], [(1, 2), (0, 2)]]
    costs = [lambda load: load**2, [1, 3, 7], [0.5, 0.5, 4.0]]
    game = congestion_game(choices, costs)
    tables, potential = to_arrays(game), congestion_potential(choices, costs)
    assert game.actions == (2, 3, 2)
    # all on road 2: player 0 on roads 1 and 2, player 1 on 2, player 2 on 1 and 2
    assert [t[1, 2, 0] for t in tables] == [-(3 + 4), -4, -(3 + 4)]
    assert potential[1, 2, 0] == -((1 + 3) + (0.5 + 0.5 + 4))
    for k, table in enumerate(tables):
        np.testing.assert_allclose(np.diff(table, axis=k), np.diff(potential, axis=k), atol=1e-13)


def test_public_goods_and_the_hunt():
    goods = to_arrays(public_goods(3, 2.0))
    assert (
        goods[0][0, 0, 0] == 1.0
        and goods[0][1, 0, 0] == pytest.approx(4 / 3)
        and goods[2][1, 1, 0] == pytest.approx(-1 / 3)
    )
    hunt = to_arrays(hunt_of_many(3, 2, 5.0, 1.0))
    assert [t[0, 0, 1] for t in hunt] == [5, 5, 1] and [t[0, 1, 1] for t in hunt] == [0, 1, 1]


def test_actions_may_be_taken_out():
    game = random_polymatrix(ring_graph(3), (3, 2, 4), 0)
    kept = [[2, 0], [1], [0, 3]]
    for whole in (game, random_normal_form((3, 2, 4), 0)):
        small = restricted(whole, kept)
        assert small.actions == (2, 1, 2) and type(small) is type(whole)
        for before, after in zip(to_arrays(whole), to_arrays(small), strict=True):
            np.testing.assert_allclose(after, before[np.ix_(*kept)], atol=1e-14)


def test_written_out_games_have_the_payoffs_of_play():
    game = random_polymatrix(((0, 2), (1, 2)), (2, 3, 2), 5)
    assert isinstance(game, Polymatrix)
    tables = np.stack(to_arrays(game))
    play = jax.jit(lambda profile: game.play(profile))
    for profile in itertools.product(range(2), range(3), range(2)):
        np.testing.assert_allclose(play(np.asarray(profile)), tables[(slice(None), *profile)], atol=1e-14)
