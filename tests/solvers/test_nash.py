"""Nash equilibria by several methods that must agree, verified by regrets; degenerate games; refusals."""

import itertools
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import nashpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import EnvironmentFailure, InputError, NumericalError, rng, solve
from catallax.games.matrix import (
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    battle_of_the_sexes,
    complete_graph,
    congestion_game,
    coordination,
    first_price_bids,
    from_bimatrix,
    grid_graph,
    identity_game,
    line_graph,
    match_mismatch_line,
    matching_pennies,
    odd_cycle,
    random_graph,
    random_normal_form,
    random_polymatrix,
    random_zero_sum,
    random_zero_sum_polymatrix,
    ring_graph,
    rock_paper_scissors,
    shapleys_game,
    star_graph,
    to_arrays,
    to_bimatrix,
)
from catallax.solvers.matrix.logit import LogitNewton
from catallax.solvers.matrix.nash import (
    largest_regret,
    lemke_howson,
    nash_conv,
    pure_nash,
    support_enumeration,
    vertex_enumeration,
    zero_sum_nash,
)
from catallax.solvers.matrix.nash.equilibria import verified


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def regrets_by_loops(game, policy):
    """Expected payoffs of every deviation, summed over all profiles."""
    tables, out = to_arrays(game), []
    for k, count in enumerate(game.actions):
        earned = np.zeros(count)
        for profile in itertools.product(*map(range, game.actions)):
            chance = np.prod([policy[m, a] for m, a in enumerate(profile) if m != k])
            earned[profile[k]] += chance * tables[k][profile]
        out.append(earned.max() - policy[k, :count] @ earned)
    return np.asarray(out)


# zero-sum networks ------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(
        [
            (line_graph(2), (3, 4)),
            (line_graph(3), (2, 3, 2)),
            (ring_graph(4), (2, 1, 3, 2)),
            (complete_graph(4), (2, 3, 2, 2)),
            (((0, 2), (1, 3)), (2, 3, 2, 2)),  # two components
        ]
    ),
    st.integers(0, 2**31),
)
def test_random_zero_sum_networks(shape, seed):
    graph, actions = shape
    weights = np.random.default_rng(seed).uniform(0.2, 5.0, len(actions))
    game = random_zero_sum_polymatrix(graph, actions, seed, weights=weights)
    found = zero_sum_nash(game)
    assert found.policies.shape == (1, len(actions), max(actions)) and found.warning == ""
    assert found.regrets.max() < 1e-9
    np.testing.assert_allclose(found.regrets[0], regrets_by_loops(game, found.policy), atol=1e-12)
    assert abs(weights @ found.values[0]) < 1e-8
    np.testing.assert_allclose(found.policy.sum(axis=1), 1.0, atol=1e-12)
    assert (found.policy[~game.legal] == 0).all()


def test_larger_networks_of_many_players():
    graph = random_graph(40, 0.1, 0)
    game = random_zero_sum_polymatrix(graph, 4, 1, weights=None)
    assert zero_sum_nash(game).regrets.max() < 1e-9
    line = zero_sum_nash(match_mismatch_line(99))
    assert line.regrets.max() < 1e-12
    np.testing.assert_allclose(line.policy[1:-1:2, 1], 1.0)  # odd players play T, even ones anything


def test_values_are_the_limit_of_logit_equilibria():
    """In random games the equilibrium is unique, so policies agree too as temperatures vanish."""
    game = random_zero_sum_polymatrix(ring_graph(3), (2, 3, 2), 3, weights=np.asarray([1.0, 0.5, 2.0]))
    nash, problem = zero_sum_nash(game), LogitNewton(game, 1.0)

    @eqx.filter_jit
    def cooled(temperature, scores):
        warm = eqx.tree_at(lambda p: p.temperature, problem, temperature)
        return solve(warm, rng.key(0), tol=1e-11, max_steps=100, state=scores)

    scores, gaps = problem.start, []
    for temperature in 0.5 ** np.arange(18):
        found = cooled(jnp.full(3, temperature), scores)
        scores = found.value
        policy = np.asarray(problem.policy(scores))
        gaps.append((largest_regret(game, policy), np.abs(policy - nash.policy).max(), found.residual))
    assert gaps[-1][2] <= 1e-11 and gaps[-1][0] < 1e-4 and gaps[-1][1] < 1e-3
    assert gaps[-1][1] < gaps[8][1] / 100  # linear in the temperature
    np.testing.assert_allclose(game.payoffs(jnp.asarray(policy)), nash.values[0], atol=1e-3)


def test_values_are_time_averages_of_the_replicator():
    """Multiplicative weights as a second method: time averages in zero-sum networks approach equilibrium."""
    game = random_zero_sum_polymatrix(ring_graph(3), (2, 3, 2), 8)
    nash, step, rounds = zero_sum_nash(game), 0.02, 20_000

    def advance(scores, _):
        x = jax.nn.softmax(jnp.where(game.legal, scores, -jnp.inf), axis=1)
        return scores + step * game.rewards(x), x

    _, path = jax.lax.scan(advance, jnp.zeros((3, 3)), None, rounds)
    average = np.asarray(path.mean(axis=0))
    assert largest_regret(game, average) < 0.02
    np.testing.assert_allclose(game.payoffs(jnp.asarray(average)), nash.values[0], atol=0.02)


def test_two_players_against_other_methods():
    for seed in range(5):
        game = random_zero_sum((4, 3), seed)
        a, _ = to_bimatrix(game)
        found = zero_sum_nash(game)
        x, y = nashpy.Game(a).linear_program()
        np.testing.assert_allclose(found.policy, [x, [*y, 0]], atol=1e-8)
        np.testing.assert_allclose(found.policy, lemke_howson(game).policy, atol=1e-8)
        assert found.values[0].sum() == pytest.approx(0.0, abs=1e-12)
    amps = zero_sum_nash(asymmetric_matching_pennies())
    np.testing.assert_allclose(amps.policy, [[1 / 3, 2 / 3]] * 2, atol=1e-12)
    np.testing.assert_allclose(amps.values[0], [2 / 3, -4 / 3], atol=1e-12)


def test_what_is_not_zero_sum_is_refused():
    with pytest.raises(InputError, match="not weighted zero-sum"):
        zero_sum_nash(coordination())
    with pytest.raises(InputError, match="normal form of 3 players"):
        zero_sum_nash(random_zero_sum((2, 2, 2), 0))
    with pytest.raises(InputError, match="3 positive numbers"):
        zero_sum_nash(random_zero_sum_polymatrix(ring_graph(3), 2, 0), weights=[1, 1])
    with pytest.raises(NumericalError, match="no equilibrium"):
        zero_sum_nash(random_normal_form((3, 3), 1), weights=[1, 1])


# two players ------------------------------------------------------------------------------------------------------


def enumerated(first, second):
    """All equilibria of a nondegenerate bimatrix game: equal supports, solved and checked in plain NumPy."""
    rows, columns = first.shape
    found = []
    for size in range(1, min(rows, columns) + 1):
        some = lambda count, size=size: itertools.combinations(range(count), size)
        for i, j in itertools.product(some(rows), some(columns)):
            edge = np.zeros((size + 1, size + 1))
            edge[:size, size], edge[size, :size] = -1.0, 1.0
            right = np.append(np.zeros(size), 1.0)
            edge[:size, :size] = first[np.ix_(i, j)]
            y_part, v = np.split(np.linalg.solve(edge, right), [size])
            edge[:size, :size] = second[np.ix_(i, j)].T
            x_part, w = np.split(np.linalg.solve(edge, right), [size])
            x, y = np.zeros(rows), np.zeros(columns)
            x[list(i)], y[list(j)] = x_part, y_part
            if min(x_part.min(), y_part.min()) > 0 and (first @ y).max() <= v + 1e-9 and (x @ second).max() <= w + 1e-9:
                found.append((x, y))
    return found


def same_set(found, expected, actions):
    assert len(found.policies) == len(expected)
    for x, y in expected:
        both = np.zeros((2, max(actions)))
        both[0, : len(x)], both[1, : len(y)] = x, y
        assert min(np.abs(policy - both).max() for policy in found.policies) < 1e-7


@given(st.sampled_from([(2, 2), (3, 2), (3, 4), (4, 4), (1, 3), (3, 1)]), st.integers(0, 2**31))
def test_all_methods_agree_on_random_games(actions, seed):
    game = random_normal_form(actions, seed)
    expected = enumerated(*to_bimatrix(game))
    for method in (support_enumeration, vertex_enumeration):
        found = method(game)
        same_set(found, expected, actions)
        assert found.warning == "" and found.regrets.max() < 1e-9
    ends = lemke_howson(game, every_label=True)
    assert 1 <= len(ends.policies) <= len(expected) and ends.regrets.max() < 1e-9
    for policy in ends.policies:
        np.testing.assert_allclose(regrets_by_loops(game, policy), 0.0, atol=1e-9)
        assert min(np.abs(policy[0, : len(x)] - x).max() for x, _ in expected) < 1e-7


def test_known_equilibria():
    third = [[1 / 3] * 3] * 2
    for game in (rock_paper_scissors(), shapleys_game()):
        for method in (support_enumeration, vertex_enumeration, lemke_howson):
            found = method(game)
            np.testing.assert_allclose(found.policies, [third], atol=1e-12)
            assert found.warning == ""
    for method in (support_enumeration, vertex_enumeration):
        assert len(method(identity_game(3)).policies) == 7
    mixed = support_enumeration(battle_of_the_sexes()).policies
    assert len(mixed) == 3 and np.isclose(mixed, [[2 / 3, 1 / 3], [1 / 3, 2 / 3]]).all(axis=(1, 2)).any()
    bids = vertex_enumeration(first_price_bids(0.25))
    same_set(bids, [([1, 0, 0], [1, 0, 0]), ([0, 1, 0], [0, 1, 0]), ([0.5, 0.5, 0], [0.5, 0.5, 0])], (3, 3))
    np.testing.assert_allclose(zero_sum_nash(odd_cycle(7)).policy, 1 / 7, atol=1e-12)


def test_payoffs_of_any_size_and_sign():
    a, b = to_bimatrix(random_normal_form((3, 3), 11))
    expected = enumerated(a, b)
    for scale, shift in ((1e-8, 0.0), (1e8, -3e8), (1.0, 100.0)):
        game = from_bimatrix(scale * a + shift, b)
        for method in (support_enumeration, vertex_enumeration):
            same_set(method(game, tol=1e-7), expected, (3, 3))
        assert largest_regret(game, lemke_howson(game, tol=1e-7).policy) <= 1e-7 * max(1.0, scale * 5 + abs(shift))


def test_degenerate_games_are_said_to_be():
    # column 0 makes the row player indifferent: equilibria are x in [1/2, 1] with column 0, and row 1 with column 1
    game = from_bimatrix([[1.0, 0.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]])
    by_vertices = vertex_enumeration(game)
    same_set(by_vertices, [([1, 0], [1, 0]), ([0.5, 0.5], [1, 0]), ([0, 1], [0, 1])], (2, 2))
    for found in (by_vertices, support_enumeration(game)):
        assert "degenerate" in found.warning
    # the middle of the segment is an equilibrium that no enumeration lists
    assert largest_regret(game, [[0.75, 0.25], [1.0, 0.0]]) == 0.0
    # where support enumeration finds an even number, vertices find all corners
    flat = from_bimatrix(np.zeros((2, 2)), [[1.0, 0.0], [0.0, 1.0]])
    assert "degenerate" in support_enumeration(flat).warning
    corners = vertex_enumeration(flat)
    assert len(corners.policies) >= 4 and "degenerate" in corners.warning
    assert "degenerate" in lemke_howson(flat).warning
    assert "degenerate" in vertex_enumeration(from_bimatrix([[1.0, 2.0, 3.0]], [[5.0, 1.0, 5.0]])).warning


def test_lemke_howson_goes_on_to_other_labels():
    """Twenty actions: paths overflow in floating point now and then, and an equilibrium is found all the same."""
    failures = 0
    for seed in range(12):
        game = random_normal_form((20, 18), seed)
        found = lemke_howson(game)
        failures += found.warning != ""
        assert found.regrets.max() < 1e-9
    assert 0 < failures < 12


def test_lemke_howson_says_when_nothing_was_found(monkeypatch):
    monkeypatch.setattr("catallax.solvers.matrix.nash.bimatrix._MOST_PIVOTS", 1)
    with pytest.raises(NumericalError, match="none of the 6 paths"):
        lemke_howson(rock_paper_scissors())


def test_other_players_and_sizes_are_refused():
    three = random_polymatrix(ring_graph(3), 2, 0)
    for method in (lemke_howson, support_enumeration, vertex_enumeration):
        with pytest.raises(InputError, match="for two players, the game has 3; use zero_sum_nash"):
            method(three)
    large = random_normal_form((12, 12), 0)
    for method in (support_enumeration, vertex_enumeration):
        with pytest.raises(InputError, match="24 actions together"):
            method(large)


def test_without_nashpy_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nashpy", None)
    with pytest.raises(EnvironmentFailure, match="pip install nashpy"):
        lemke_howson(matching_pennies())


# pure equilibria and regrets --------------------------------------------------------------------------------------


@given(st.sampled_from([(2, 3), (2, 3, 2), (1, 2, 2), (2, 2, 2, 2)]), st.integers(0, 2**31), st.booleans())
def test_pure_equilibria_by_loops(actions, seed, rounded):
    tables = [np.round(x) if rounded else x for x in to_arrays(random_normal_form(actions, seed))]
    game = as_normal_form(from_bimatrix(*tables)) if len(actions) == 2 else type(random_normal_form(actions, 0))(tables)
    expected = []
    for profile in itertools.product(*map(range, actions)):
        gains = [
            tables[k][profile[:k] + (a,) + profile[k + 1 :]] - tables[k][profile]
            for k, count in enumerate(actions)
            for a in range(count)
        ]
        if max(gains) <= 1e-9:
            expected.append(profile)
    found = pure_nash(game)
    assert [tuple(p.argmax(axis=1)) for p in found.policies] == expected
    assert found.regrets.shape == (len(expected), len(actions)) and found.warning == ""


def test_pure_equilibria_of_networks():
    assert len(pure_nash(matching_pennies()).policies) == 0
    with pytest.raises(NumericalError, match="no Nash equilibrium was found"):
        _ = pure_nash(matching_pennies()).policy
    road = congestion_game([[(0,), (1,)]] * 3, [lambda load: load, lambda load: 2.0 * load])
    best = pure_nash(road)
    # two on the cheap road, one on the dear one: 3 profiles (2 and 2; to move would cost 4 or 3)
    assert sorted(p[:, 1].sum() for p in best.policies) == [1.0, 1.0, 1.0]
    ring = pure_nash(Polymatrix([(k, (k + 1) % 4, np.eye(2), np.eye(2)) for k in range(4)]))
    assert {tuple(p[:, 1].astype(int)) for p in ring.policies} >= {(0,) * 4, (1,) * 4}
    with pytest.raises(InputError, match="profiles"):
        pure_nash(random_polymatrix(line_graph(40), 2, 0))


def test_largest_regret_and_nash_conv():
    game = random_polymatrix(star_graph(4), (2, 3, 2, 2), 0)
    policy = np.where(game.legal, 1.0, 0.0)
    policy /= policy.sum(axis=1, keepdims=True)
    expected = regrets_by_loops(game, policy)
    assert largest_regret(game, policy) == pytest.approx(expected.max())
    assert nash_conv(game, policy) == pytest.approx(expected.sum())
    np.testing.assert_allclose(game.regrets(jnp.asarray(policy)), expected, atol=1e-12)
    table = as_normal_form(game)
    assert nash_conv(table, policy) == pytest.approx(expected.sum())
    for wrong, words in ((policy[:3], "shape"), (policy * 2, "sum to 1"), (np.nan * policy, "sum to 1")):
        with pytest.raises(InputError, match=words):
            largest_regret(game, wrong)


def test_candidates_that_are_no_equilibria_are_dropped_and_said_so():
    game = matching_pennies()
    found = verified(game, [[[0.5, 0.5], [0.5, 0.5]], [[1, 0], [1, 0]], [[0.5, 0.5 - 1e-12], [0.5, 0.5]]])
    assert len(found.policies) == 1 and "1 candidates were dropped" in found.warning


def test_single_precision_games_are_solved_in_double():
    with jax.enable_x64(False):
        game = random_zero_sum_polymatrix(grid_graph(2, 2), 3, 0)
        assert game.payoff.dtype == jnp.float32
        found = zero_sum_nash(game)
        assert found.policies.dtype == np.float64 and found.regrets.max() < 1e-5
