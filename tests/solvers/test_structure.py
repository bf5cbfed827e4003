"""Zero-sum weights, potentials and dominance, against plain enumeration of profiles."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import InputError, rng
from catallax.games.matrix import (
    NormalForm,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    complete_graph,
    components,
    congestion_game,
    congestion_potential,
    coordination,
    from_arrays,
    from_bimatrix,
    hunt_of_many,
    line_graph,
    match_mismatch_line,
    matching_pennies,
    polymatrix_on,
    prisoners_dilemma,
    public_goods,
    random_normal_form,
    random_polymatrix,
    random_potential,
    random_zero_sum,
    random_zero_sum_polymatrix,
    ring_graph,
    star_graph,
    to_arrays,
)
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.logit import logit_equilibrium
from catallax.solvers.matrix.nash import zero_sum_nash
from catallax.solvers.matrix.structure import (
    dominated_actions,
    eliminate_dominated,
    exact_potential,
    pairwise_constant_sum,
    weighted_potential,
    zero_sum_weights,
)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


SHAPES = st.sampled_from(
    [
        (line_graph(3), (2, 3, 2)),
        (ring_graph(4), (2, 1, 3, 2)),
        (complete_graph(3), (3, 2, 3)),
        (star_graph(4), (2, 2, 3, 2)),
    ]
)
SEEDS = st.integers(0, 2**31)
POSITIVE = st.floats(0.1, 10.0)


def written_out(game):
    return from_arrays(to_arrays(game))


# zero-sum ---------------------------------------------------------------------------------------------------------


@given(SHAPES, SEEDS, st.data())
def test_weights_of_random_zero_sum_networks_are_recovered(shape, seed, data):
    graph, actions = shape
    weights = np.asarray(data.draw(st.lists(POSITIVE, min_size=len(actions), max_size=len(actions))))
    game = random_zero_sum_polymatrix(graph, actions, seed, weights=weights)
    for same in (game, written_out(game)):
        found = zero_sum_weights(same)
        assert found.unique
        total = np.tensordot(found.weights, np.stack(to_arrays(game)), axes=1)
        scale = max(np.abs(x).max() for x in to_arrays(game))
        np.testing.assert_allclose(total, 0.0, atol=1e-8 * scale)
        np.testing.assert_allclose(found.weights, weights / weights.max(), rtol=1e-6)
    pairs = pairwise_constant_sum(game)
    matrices = pairs.matrices()
    for k, m in graph:
        ours = matrices[k, m] + matrices[m, k].T
        np.testing.assert_allclose(ours, ours.mean(), atol=1e-8)
    for k, (after, before) in enumerate(zip(to_arrays(pairs), to_arrays(game), strict=True)):
        np.testing.assert_allclose(after, weights[k] / weights.max() * before, atol=1e-6)


def test_weights_of_normal_forms():
    w = np.array([1.0, 0.25, 0.5])
    game = random_zero_sum((2, 3, 2), 0, weights=w)
    found = zero_sum_weights(game)
    np.testing.assert_allclose(found.weights, w, rtol=1e-12)
    assert found.unique
    amps = zero_sum_weights(as_normal_form(asymmetric_matching_pennies()))
    np.testing.assert_allclose(amps.weights, [1, 0.5], rtol=1e-12)
    for other in (random_normal_form((2, 3, 2), 0), as_normal_form(coordination())):
        with pytest.raises(InputError, match="not weighted zero-sum"):
            zero_sum_weights(other)
    one = np.asarray(game.payoff).copy()
    one[1, 0, 2, 1] += 1e-4
    with pytest.raises(InputError, match="not weighted zero-sum"):
        zero_sum_weights(NormalForm(one))


@given(SHAPES, SEEDS, st.lists(st.floats(-50.0, 50.0), min_size=4, max_size=4))
def test_constants_added_to_payoffs_change_only_the_constant(shape, seed, constants):
    graph, actions = shape
    weights = np.linspace(0.5, 1.0, len(actions))
    game = random_zero_sum_polymatrix(graph, actions, seed, weights=weights)
    moved = from_arrays([table + c for table, c in zip(to_arrays(game), constants, strict=False)])
    found = zero_sum_weights(moved)
    total = np.tensordot(found.weights, np.stack(to_arrays(moved)), axes=1)
    np.testing.assert_allclose(total, found.constant, atol=1e-7)
    np.testing.assert_allclose(found.weights, weights, rtol=1e-5)


def test_a_constant_sum_game_is_solved():
    """Payoffs that add up to 4: matching against the same game less 2 each."""
    game = from_bimatrix([[3, 1], [0, 2]], [[1, 3], [4, 2]])
    for same in (game, written_out(game)):
        found = zero_sum_weights(same)
        np.testing.assert_allclose([*found.weights, found.constant], [1.0, 1.0, 4.0], atol=1e-12)
        solved = zero_sum_nash(same)
        np.testing.assert_allclose(solved.policy, [[0.5, 0.5], [0.25, 0.75]], atol=1e-9)
        np.testing.assert_allclose(solved.values[0], [1.5, 2.5], atol=1e-9)
    assert zero_sum_weights(asymmetric_matching_pennies()).constant == 0.0


def test_each_component_has_weights_of_a_scale_of_its_own():
    pennies, other = np.array([[1.0, -1], [-1, 1]]), np.array([[2.0, 0], [0, 1]])
    game = Polymatrix([(0, 2, pennies, -3 * pennies), (1, 3, other, -2 * other)])
    for same in (game, written_out(game)):
        found = zero_sum_weights(same)
        assert not found.unique and (found.weights > 0).all()
        np.testing.assert_allclose(found.weights[[2, 3]] / found.weights[[0, 1]], [1 / 3, 1 / 2], rtol=1e-9)


def test_games_of_several_components_are_solved_like_others():
    """The logit equilibrium is the product of those of the components; temperatures differ."""
    first, second = asymmetric_matching_pennies(), prisoners_dilemma()
    both = Polymatrix([(0, 2, first.edge(0, 1), first.edge(1, 0)), (3, 1, second.edge(0, 1), second.edge(1, 0))])
    assert components(both) == ((0, 2), (1, 3))
    temperature = np.array([0.5, 1.0, 2.0, 0.7])
    whole = np.asarray(logit_equilibrium(both, temperature).require())
    np.testing.assert_allclose(whole[[0, 2]], logit_equilibrium(first, temperature[[0, 2]]).require(), atol=1e-12)
    np.testing.assert_allclose(whole[[3, 1]], logit_equilibrium(second, temperature[[3, 1]]).require(), atol=1e-12)
    flow = QLearningFlow(both, temperature, trajectories=1, interval=40.0, integrator=RungeKutta(1000))
    end = jax.jit(lambda: flow.policy(flow.step(rng.key(1), flow.init(rng.key(0)), jnp.int32(0))[0]))
    np.testing.assert_allclose(end()[:, :, 0], whole, atol=1e-6)


# potentials -------------------------------------------------------------------------------------------------------


def four_cycles(tables, weights):
    """The largest sum of gains round any square of two players' deviations, by loops."""

    def gain(k, profile, action):
        moved = profile[:k] + (action,) + profile[k + 1 :]
        return (tables[k][moved] - tables[k][profile]) / weights[k], moved

    worst, shape = 0.0, tables[0].shape
    for k, m in itertools.combinations(range(len(shape)), 2):
        for start in itertools.product(*map(range, shape)):
            for a, b in itertools.product(range(shape[k]), range(shape[m])):
                total, at = 0.0, start
                for who, action in ((k, a), (m, b), (k, start[k]), (m, start[m])):
                    step, at = gain(who, at, action)
                    total += step
                worst = max(worst, abs(total))
    return worst


def assert_potential(game, found, atol=1e-9):
    whole = found.table()
    assert whole.shape == game.actions and abs(whole.mean()) < atol
    for k, table in enumerate(to_arrays(game)):
        np.testing.assert_allclose(np.diff(table, axis=k), found.weights[k] * np.diff(whole, axis=k), atol=atol)
    last = tuple(count - 1 for count in game.actions)
    assert found.at(last) == pytest.approx(whole[last])


@given(st.sampled_from([(2, 3), (2, 3, 2), (1, 3, 2), (2, 2, 2, 2)]), SEEDS, st.data())
def test_potentials_of_random_potential_games(actions, seed, data):
    game, potential = random_potential(actions, seed)
    found = exact_potential(game)
    assert (found.weights == 1).all()
    assert_potential(game, found)
    np.testing.assert_allclose(found.table(), potential - potential.mean(), atol=1e-9)
    weights = np.asarray(data.draw(st.lists(POSITIVE, min_size=len(actions), max_size=len(actions))))
    scaled, _ = random_potential(actions, seed, weights=weights)
    wide = weighted_potential(scaled)
    assert_potential(scaled, wide, 1e-6)
    if min(actions) > 1:  # the weight of a player without a choice is free
        np.testing.assert_allclose(wide.weights / wide.weights.max(), weights / weights.max(), rtol=1e-6)


def random_potential_network(graph, actions, seed, weights):
    """Edges with w_k P_kl(a, b) plus terms of the own action (of any kind) and of the other's."""
    draw = np.random.default_rng(seed)
    edges = []
    for k, m in graph:
        common = draw.normal(size=(actions[k], actions[m]))
        own, other = draw.normal(size=(2, actions[k], 1)), draw.normal(size=(2, 1, actions[m]))
        edges.append((k, m, weights[k] * common + own[0] + other[0], (weights[m] * common + own[1] + other[1]).T))
    return Polymatrix(edges)


@given(SHAPES, SEEDS, st.data())
def test_networks_are_potential_games_exactly_if_written_out_they_are(shape, seed, data):
    graph, actions = shape
    exact = random_potential_network(graph, actions, seed, np.ones(len(actions)))
    found = exact_potential(exact)
    assert_potential(exact, found)
    np.testing.assert_allclose(found.table(), exact_potential(written_out(exact)).table(), atol=1e-9)
    weights = np.asarray(data.draw(st.lists(POSITIVE, min_size=len(actions), max_size=len(actions))))
    scaled = random_potential_network(graph, actions, seed, weights)
    assert_potential(scaled, weighted_potential(scaled), 1e-6)
    assert_potential(scaled, weighted_potential(written_out(scaled)), 1e-6)
    free = random_polymatrix(graph, actions, seed)
    for same in (free, written_out(free)):
        for test in (exact_potential, weighted_potential):
            if min(actions) > 1:
                with pytest.raises(InputError, match="potential game"):
                    test(same)


def test_the_four_cycle_condition_by_loops():
    w = np.array([1.0, 3.0, 0.5])
    game, _ = random_potential((2, 3, 2), 0, weights=w)
    tables = to_arrays(game)
    assert four_cycles(tables, weighted_potential(game).weights) < 1e-12
    assert four_cycles(tables, np.ones(3)) > 0.1
    with pytest.raises(InputError, match="no exact potential game: the nearest potential misses"):
        exact_potential(game)
    one = np.asarray(game.payoff).copy()
    one[2, 1, 1, 1] += 1e-3
    with pytest.raises(InputError, match="no weighted potential"):
        weighted_potential(NormalForm(one))


def test_the_fit_is_least_squares():
    """Of all tables, the one found has the least sum of squared misses: against NumPy's solver."""
    tables = to_arrays(random_normal_form((2, 3, 2), 5))
    system, target = [], []
    for k, table in enumerate(tables):
        centre = lambda x, k=k: (x - x.mean(axis=k, keepdims=True)).reshape(-1)
        system.append(np.stack([centre(x.reshape(table.shape)) for x in np.eye(table.size)], axis=1))
        target.append(centre(table))
    best = np.linalg.lstsq(np.concatenate(system), np.concatenate(target))[0].reshape(tables[0].shape)
    found = exact_potential(from_arrays(tables), tol=1e9)
    np.testing.assert_allclose(found.table(), best, atol=1e-12)


def test_potentials_of_known_games():
    choices = [[(0,), (1, 2)], [(0,), (1,), (2,)], [(1, 2), (0, 2)]]
    costs = [lambda load: load**2, [1, 3, 7], [0.5, 0.5, 4.0]]
    rosenthal = congestion_potential(choices, costs)
    found = exact_potential(congestion_game(choices, costs))
    np.testing.assert_allclose(found.table(), rosenthal - rosenthal.mean(), atol=1e-12)
    for game in (prisoners_dilemma(), coordination(2.0, 1.0), public_goods(3, 2.0), hunt_of_many(3, 2)):
        assert_potential(game, exact_potential(game))
    for game in (matching_pennies(), asymmetric_matching_pennies(), match_mismatch_line(3)):
        with pytest.raises(InputError, match="no weighted potential"):
            weighted_potential(game)
    wide = polymatrix_on(line_graph(40), np.array([[3.0, 1.0], [0.0, 2.0]]))  # 2^40 profiles
    terms = exact_potential(wide)
    zeros = (0,) * 40
    one = (1,) + (0,) * 39
    assert terms.at(zeros) - terms.at(one) == pytest.approx(3.0)


# dominance --------------------------------------------------------------------------------------------------------


def worse(tables, k, a, strict, grid):
    """Whether some mixture on the grid dominates action a of player k, by loops over profiles."""
    own = np.moveaxis(tables[k], k, 0).reshape(tables[k].shape[k], -1)
    for mixture in grid:
        gain = mixture @ own - own[a]
        if mixture[a] == 0 and ((gain > 1e-9).all() if strict else (gain >= -1e-9).all() and (gain > 1e-9).any()):
            return True
    return False


@given(
    st.sampled_from([(line_graph(3), (3, 2, 3)), (complete_graph(3), (2, 3, 2))]), SEEDS, st.booleans(), st.booleans()
)
def test_dominance_by_pure_strategies_by_loops(shape, seed, strict, integer):
    graph, actions = shape
    game = random_polymatrix(graph, actions, seed)
    if integer:  # ties, for weak dominance
        whole = game.matrices()
        game = Polymatrix([(k, m, np.round(whole[k, m]), np.round(whole[m, k])) for k, m in graph])
    tables = to_arrays(game)
    for same in (game, written_out(game)):
        found = dominated_actions(same, strict=strict, mixed=False)
        for k, count in enumerate(actions):
            assert found[k, :count].tolist() == [worse(tables, k, a, strict, np.eye(count)) for a in range(count)]
            assert not found[k, count:].any()


@given(SEEDS, st.booleans())
def test_dominance_by_mixed_strategies(seed, strict):
    """Whatever a fine grid of mixtures dominates is found; networks and their tables agree."""
    draw = np.random.default_rng(seed)
    payoffs = lambda rows, columns: draw.integers(0, 4, size=(rows, columns)).astype(float)
    game = Polymatrix([(0, 1, payoffs(3, 2), payoffs(2, 3)), (0, 2, payoffs(3, 2), payoffs(2, 3))])
    tables = to_arrays(game)
    found = dominated_actions(game, strict=strict)
    np.testing.assert_array_equal(found, dominated_actions(written_out(game), strict=strict))
    grid = [np.array([i, j, 24 - i - j]) / 24 for i in range(25) for j in range(25 - i)]
    for a in range(3):  # payoffs are small integers, so bounds of dominating mixtures are fractions with few digits
        seen = worse(tables, 0, a, strict, grid)
        assert found[0, a] or not seen
        if found[0, a] and not seen:
            assert strict is False or not worse(tables, 0, a, False, np.eye(3))


def test_an_action_that_only_a_mixture_dominates():
    row = np.array([[4.0, 0.0], [0.0, 4.0], [1.0, 1.0]])
    game = from_bimatrix(row, np.zeros((3, 2)))
    assert dominated_actions(game)[0].tolist() == [False, False, True]
    assert not dominated_actions(game, mixed=False).any()
    touching = from_bimatrix(np.array([[4.0, 0.0], [0.0, 4.0], [2.0, 2.0]]), np.zeros((3, 2)))
    assert not dominated_actions(touching).any() and not dominated_actions(touching, strict=False).any()
    weakly = from_bimatrix(np.array([[4.0, 0.0, 2.0], [0.0, 4.0, 2.0], [2.0, 2.0, 1.0]]), np.zeros((3, 3)))
    assert not dominated_actions(weakly).any()
    assert dominated_actions(weakly, strict=False)[0].tolist() == [False, False, True]
    assert not dominated_actions(weakly, strict=False, mixed=False).any()


def test_iterated_elimination_round_by_round():
    # a textbook chain: the middle column goes, then the lower row, then the right column
    game = from_bimatrix([[3.0, 0.0, 2.0], [1.0, 5.0, 1.0]], [[3.0, 1.0, 2.0], [4.0, 2.0, 3.0]])
    left = eliminate_dominated(game)
    assert left.rounds == (((1, 1), (1, 2)), ((0, 1),)) and left.kept == ((0,), (0,))
    assert left.game.actions == (1, 1)
    np.testing.assert_array_equal(left.lift(np.ones((2, 1)), 3), [[1, 0, 0], [1, 0, 0]])
    assert eliminate_dominated(prisoners_dilemma()).kept == ((1,), (1,))
    assert eliminate_dominated(public_goods(3, 2.0)).kept == ((1,),) * 3
    pennies = eliminate_dominated(matching_pennies())
    assert pennies.rounds == () and pennies.kept == ((0, 1), (0, 1))
    weak = from_bimatrix([[1.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]])
    assert eliminate_dominated(weak, strict=False).kept == ((0,), (0,)) != eliminate_dominated(weak).kept


def test_elimination_in_a_long_network():
    chain = polymatrix_on(line_graph(30), np.array([[3.0, 0.0], [5.0, 1.0]]))
    assert eliminate_dominated(chain).kept == ((1,),) * 30
