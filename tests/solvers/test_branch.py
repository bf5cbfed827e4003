"""Branches of logit equilibria: folds, bifurcations, other branches, and the equilibria selected at their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from catallax.core import InputError, NumericalError, rng
from catallax.games.matrix import (
    NormalForm,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    prisoners_dilemma,
    random_graph,
    random_normal_form,
    random_polymatrix,
    rock_paper_scissors,
    shapleys_game,
)
from catallax.solvers.matrix.logit import (
    BranchEventKind,
    logit_equilibria,
    logit_equilibrium,
    select_by_vanishing_exploration,
    switch_branch,
    trace_logit_branch,
)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def pitchfork():
    """The symmetric branch of [[1, 0], [0, 1]]."""
    with jax.enable_x64(True):
        return trace_logit_branch(coordination(), 0.05)


@pytest.fixture(scope="module")
def bids():
    """The principal branch of the first-price game with its fee."""
    with jax.enable_x64(True):
        return trace_logit_branch(first_price_bids(0.25), 0.02)


def test_every_point_is_a_logit_equilibrium():
    """By the fixed-point condition itself, in a game of three players with different action counts."""
    game = NormalForm(np.random.default_rng(1).normal(size=(3, 2, 3, 2)))
    ratios = np.asarray([1.0, 0.5, 2.0])
    branch = trace_logit_branch(game, 0.05, ratios=ratios).require()
    assert len(branch.temperature) > 10 and branch.temperature[-1] <= 0.05
    for s, policy in zip(branch.temperature[1:], branch.policy[1:], strict=True):
        rewards = np.asarray(game.rewards(jnp.asarray(policy)))
        for k, count in enumerate(game.actions):
            weights = np.exp((rewards[k, :count] - rewards[k, :count].max()) / (s * ratios[k]))
            np.testing.assert_allclose(policy[k, :count], weights / weights.sum(), atol=1e-9)


def test_newton_at_fixed_temperature_agrees():
    """Two methods, unequal temperatures, both forms of a game."""
    line, ratios = match_mismatch_line(3), np.asarray([1.0, 0.5, 0.2, 1.0, 1.0])
    for game in (line, as_normal_form(line)):
        traced = trace_logit_branch(game, 0.2, ratios=ratios).at(1.0)
        np.testing.assert_allclose(traced[0], logit_equilibrium(line, ratios).require(), atol=1e-12)


def test_the_pitchfork_is_found_and_its_branches_are_taken(pitchfork):
    """T_c = 1/2; m = tanh(m / 2T) off the symmetric branch."""
    (event,) = pitchfork.events
    assert event.kind == BranchEventKind.BIFURCATION and event.unstable == (0, 1)
    assert event.temperature == pytest.approx(0.5, abs=1e-12)
    np.testing.assert_allclose(pitchfork.policy[-1], 0.5, atol=1e-12)
    ends = {}
    for side in (1, -1):
        branch = switch_branch(pitchfork, event, 0.2, side=side)
        assert (branch.unstable == 0).all()
        ends[side] = [branch.at(t)[0, 0, 0] for t in (0.3, 0.4, 0.45, 0.49, 0.499)]
    upper = max(ends.values())
    reference = [0.953666158323, 0.855205891744, 0.762714756329, 0.621491316318, 0.538698838967]
    np.testing.assert_allclose(upper, reference, atol=1e-11)
    np.testing.assert_allclose(np.add(*ends.values()), 1.0, atol=1e-11)
    magnetisation = brentq(lambda m: m - np.tanh(m / 0.6), 0.5, 1.0, xtol=1e-15)
    assert upper[0] == pytest.approx((1 + magnetisation) / 2, abs=1e-12)


def test_the_fold_is_passed():
    """[[2, 0], [0, 1]]: the branch that is away from the principal one turns where T logit x = 3 x - 1."""
    game = coordination(2.0, 1.0)
    start = (np.full((2, 2), [0.01, 0.99]), 0.1)
    branch = trace_logit_branch(game, 0.05, start=start, heading="up").require()
    (event,) = branch.events
    assert event.kind == BranchEventKind.FOLD
    assert event.temperature == pytest.approx(0.32123622744297, abs=1e-12)
    np.testing.assert_allclose(event.policy[:, 0], 0.12195072077967, atol=1e-7)
    assert branch.status == "lowest" and sorted(set(branch.unstable)) == [0, 1]
    assert len(branch.at(0.3)) == 2 and len(branch.at(0.33)) == 0
    assert len(trace_logit_branch(game, 0.05).events) == 0


def test_the_first_price_game(bids):
    """The symmetric branch, where it loses stability (T = h / 8), and the two that leave there."""
    expected = {
        0.2: (0.471073376825, 0.471073376825, 0.05785324635),
        0.1: (0.496810074174, 0.496810074174, 0.00637985165),
        0.25: (0.455769425, 0.455769425, 0.08846115),
    }
    for temperature, policy in expected.items():
        np.testing.assert_allclose(bids.at(temperature)[0], [policy, policy], atol=2e-9 if temperature > 0.2 else 1e-11)
    event = next(e for e in bids.events if e.kind == BranchEventKind.BIFURCATION)
    assert event.temperature == pytest.approx(0.0624715426, abs=1e-10)
    assert event.temperature == pytest.approx(event.policy[0, 0] / 8, abs=1e-12)
    found = sorted(switch_branch(bids, event, 0.04, side=side).at(0.05)[0, 0].tolist() for side in (1, -1))
    reference = [(0.144936814, 0.854733595, 0.000329591), (0.855192364634, 0.144798193415, 9.44195e-6)]
    np.testing.assert_allclose(found, reference, atol=1e-9)


def test_restricted_to_two_bids_it_bifurcates_at_a_sixteenth():
    pay = np.asarray([[0.375, 0.0], [0.25, 0.125]])
    (event,) = trace_logit_branch(Polymatrix([(0, 1, pay, pay)]), 0.02).events
    assert event.temperature == pytest.approx(1 / 16, abs=1e-12)


@pytest.mark.parametrize("actions", [3, 4])
def test_uniform_play_of_the_identity_game_loses_stability_at_one_over_k(actions):
    """An eigenvalue of multiplicity K - 1 crosses: no determinant changes sign where that is even."""
    pay = np.eye(actions)
    branch = trace_logit_branch(Polymatrix([(0, 1, pay, pay)]), 0.1)
    event = branch.events[0]
    assert event.temperature == pytest.approx(1 / actions, abs=1e-12)
    assert event.unstable == (0, actions - 1) and len(event.directions) == actions - 1
    towards = np.tile(np.eye(actions)[0] - 1 / actions, (2, 1))
    other = switch_branch(branch, event, 0.1, direction=towards)
    assert np.ptp(other.policy[-1][0]) > 0.9


def test_the_flow_of_shapleys_game_begins_to_spiral_away():
    """A Hopf point of the uniform branch, where the largest real part of the game's own linear map is T."""
    game = shapleys_game()
    branch = trace_logit_branch(game, 0.05)
    np.testing.assert_allclose(branch.policy[-1], 1 / 3, atol=1e-12)
    spread = np.eye(3) / 3 - 1 / 9  # dx/dz at uniform play
    first, second = (np.asarray(game.edge(k, 1 - k), float) @ spread for k in (0, 1))
    flow = np.block([[np.zeros((3, 3)), first], [second, np.zeros((3, 3))]])
    values = np.linalg.eigvals(flow)
    leading = values[np.argmax(values.real)]
    assert abs(leading.imag) > 0.1
    event = branch.events[0]
    assert event.kind == BranchEventKind.HOPF and event.unstable == (0, 2) and len(event.directions) == 0
    assert event.temperature == pytest.approx(leading.real, abs=1e-9)


def test_prisoners_dilemma():
    branch = trace_logit_branch(prisoners_dilemma(), 0.1)
    found = [branch.at(t)[0, 0, 0] for t in (0.5, 1.0, 2.0)]
    np.testing.assert_allclose(found, [0.0997884840, 0.2267506448, 0.3386482024], atol=1e-10)


@pytest.mark.parametrize(
    ("game", "policy"),
    [
        (lambda: asymmetric_matching_pennies(), [1 / 3, 1 / 3]),
        (lambda: rock_paper_scissors(), [1 / 3, 1 / 3]),
        (lambda: match_mismatch_line(3), [1, 0, 0.5, 0, 1]),
        (lambda: match_mismatch_line(7), [1, 0, 0.5, 0, 0.5, 0, 0.5, 0, 1]),
        (lambda: prisoners_dilemma(), [0, 0]),
        (lambda: coordination(2.0, 1.0), [1, 1]),
    ],
    ids=["AMPs", "RPS", "line of 3", "line of 7", "dilemma", "coordination"],
)
def test_vanishing_exploration_selects_a_nash_equilibrium(game, policy):
    found = select_by_vanishing_exploration(game())
    np.testing.assert_allclose(found.policy[:, 0], policy, atol=1e-6)
    assert found.largest_regret < 1e-8


@pytest.mark.parametrize("ratios", [(1, 1, 5, 1, 1), (1, 1, 0.2, 1, 1), (1, 0.3, 1, 2, 1)])
def test_the_line_is_split_fairly_whatever_the_ratios(ratios):
    found = select_by_vanishing_exploration(match_mismatch_line(3), ratios)
    np.testing.assert_allclose(found.policy[2, 0], 0.5, atol=1e-6)
    assert found.largest_regret < 1e-8


def test_many_starts_find_all_branches():
    """One logit equilibrium above the fold, three below; the middle one is unstable."""
    game, key = coordination(2.0, 1.0), rng.key(5)
    below, above = logit_equilibria(game, 0.3, key), logit_equilibria(game, 0.4, key)
    assert len(above.policy) == 1 and above.stable.all()
    order = np.argsort(below.policy[:, 0, 0])
    assert below.stable[order].tolist() == [True, False, True]
    low = trace_logit_branch(game, 0.1, start=(np.full((2, 2), [0.01, 0.99]), 0.1), heading="up").at(0.3)
    np.testing.assert_allclose(np.sort(low[:, 0, 0]), below.policy[order[:2], 0, 0], atol=1e-10)
    assert below.share.sum() == pytest.approx(1.0)
    assert len(logit_equilibria(asymmetric_matching_pennies(), 0.1, key).policy) == 1


def test_stability_turns_where_the_branch_splits():
    """Coordination at T = 1/2: uniform play attracts a thousandth above, and no more a thousandth below."""
    key = rng.key(5)
    above, below = logit_equilibria(coordination(), 0.501, key), logit_equilibria(coordination(), 0.499, key)
    assert above.stable.tolist() == [True]
    order = np.argsort(below.policy[:, 0, 0])
    assert below.stable[order].tolist() == [True, False, True]


def test_refusals(pitchfork):
    with pytest.raises(InputError, match="lowest"):
        trace_logit_branch(coordination(), 0.0)
    with pytest.raises(InputError, match="ratios"):
        trace_logit_branch(coordination(), 0.1, ratios=[1.0, 0.0])
    with pytest.raises(InputError, match="near the start"):
        trace_logit_branch(coordination(), 0.05, start=(np.asarray([[0.9, 0.1], [0.4, 0.6]]), 0.01))
    with pytest.raises(NumericalError, match="out of points"):
        trace_logit_branch(coordination(), 0.01, points=4).require()
    fold = pitchfork.events[0]._replace(kind=BranchEventKind.FOLD)
    with pytest.raises(InputError, match="bifurcation only"):
        switch_branch(pitchfork, fold, 0.1)


def test_32_bit_games_are_traced_in_double_precision():
    with jax.enable_x64(False):
        (event,) = trace_logit_branch(coordination(), 0.1).events
    assert event.temperature == pytest.approx(0.5, abs=1e-12)


def _regret(tables, actions, policy):
    """The largest gain of any player from a better reply, by contracting payoff tensors in NumPy."""
    worst, n = 0.0, len(actions)
    for k, table in enumerate(tables):
        left = np.moveaxis(table, k, 0)
        for m in reversed([m for m in range(n) if m != k]):
            left = left @ policy[m, : actions[m]]
        worst = max(worst, left.max() - left @ policy[k, : actions[k]])
    return worst


@pytest.mark.parametrize("seed", [4, 14, 18, 42])
def test_mixed_limits_are_reached_where_scores_are_too_large_to_step_on(seed):
    actions = ((2, 3, 1), (2, 2), (3, 3), (2, 2, 2), (3, 2, 4), (4, 4))[seed % 6]
    game = random_normal_form(actions, seed)
    found = select_by_vanishing_exploration(game)
    mixes = (found.policy > 1e-3) & (found.policy < 1 - 1e-3)
    assert mixes.any() and found.branch.status == "lowest"  # scores of unplayed actions are about 1 / T there
    assert _regret(np.asarray(game.payoff), actions, found.policy) < 1e-8
    # at low temperatures the branch is a smooth curve: the log-odds of played actions converge, and nothing jumps
    low = found.branch.policy[found.branch.temperature < 1e-4]
    assert len(low) > 5 and np.abs(np.diff(low, axis=0)).max() < 1e-3
    middle = found.branch.at(1e-7)
    assert len(middle) == 1 and _regret(np.asarray(game.payoff), actions, middle[0]) < 1e-5


def test_a_step_that_jumps_to_another_branch_is_taken_back():
    game = random_polymatrix(random_graph(4, 0.6, 58), (2, 3, 3, 4), 58)
    ratios = np.random.default_rng(58).uniform(0.1, 10, 4)
    branch = trace_logit_branch(game, 1e-2, ratios=ratios)
    # generic payoffs: nothing crosses the branch, folds come in pairs and it ends at the lowest temperature
    assert branch.status == "lowest" and not any(e.kind == BranchEventKind.BIFURCATION for e in branch.events)
    assert np.abs(np.diff(branch.policy, axis=0)).max() < 0.35


def test_below_what_was_traced_the_branch_says_so():
    branch = trace_logit_branch(prisoners_dilemma(), 0.5)
    assert len(branch.at(0.5)) == 1
    for temperature in (0.1, 0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match=r"is below 0\.4\d*, the lowest that this branch was traced to"):
            branch.at(temperature)
