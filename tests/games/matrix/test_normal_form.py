"""Normal-form games against plain sums over profiles, and against the polymatrix games they come from."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError
from catallax.games.matrix import (
    Edge,
    NormalForm,
    Polymatrix,
    as_normal_form,
    check_game,
    format_nfg,
    from_bimatrix,
    match_mismatch_line,
    parse_nfg,
    prisoners_dilemma,
    to_arrays,
)
from catallax.solvers.matrix.logit import logit_equilibrium


@pytest.fixture(scope="module")
def unequal():
    """Three players with 2, 3 and 2 actions, no symmetry, and interior policies of five trajectories."""
    draw = np.random.default_rng(0)
    game = NormalForm(draw.normal(size=(3, 2, 3, 2)))
    policy = np.zeros((3, 3, 5))
    for k, count in enumerate(game.actions):
        policy[k, :count] = draw.dirichlet(np.ones(count), 5).T
    return game, policy


def test_rewards_are_sums_over_the_others_profiles(unequal):
    """Every reward, with a batch axis, against loops."""
    game, policy = unequal
    table = np.asarray(game.payoff)
    expected = np.zeros_like(policy)
    for k, profile in product(range(3), product(*(range(c) for c in game.actions))):
        others = np.prod([policy[m, profile[m]] for m in range(3) if m != k], axis=0)
        expected[k, profile[k]] += table[k][profile] * others
    np.testing.assert_allclose(game.rewards(jnp.asarray(policy)), expected, rtol=1e-5, atol=1e-6)


def test_play_reads_the_profile(unequal):
    """Player 0's action comes first for everybody."""
    game, _ = unequal
    np.testing.assert_array_equal(game.play(jnp.asarray([1, 2, 0])), np.asarray(game.payoff)[:, 1, 2, 0])


def test_written_out_polymatrix_is_the_same_game():
    """Rewards and equilibria agree; the Newton steps go through another Jacobian."""
    with jax.enable_x64(True):
        line = match_mismatch_line(3)
        table = as_normal_form(line)
        assert table.actions == (1, 2, 2, 2, 1)
        rates = jnp.asarray([1.0, 0.5, 0.2, 1.0, 1.0])
        found = [logit_equilibrium(g, rates).require() for g in (line, table)]
        np.testing.assert_allclose(*found, atol=1e-13)


def test_equilibrium_of_a_game_that_is_no_polymatrix(unequal):
    """Its logit condition holds by direct evaluation."""
    game, _ = unequal
    found = logit_equilibrium(game, 0.7)
    rewards = np.asarray(game.rewards(found.require()))
    for k, count in enumerate(game.actions):
        weights = np.exp(rewards[k, :count] / 0.7)
        np.testing.assert_allclose(found.policy[k, :count], weights / weights.sum(), atol=1e-4)


def test_bad_payoffs_are_refused():
    """Shapes, entries and size."""
    with pytest.raises(InputError, match="one shape"):
        NormalForm([np.ones((2, 2)), np.ones((2, 3))])
    with pytest.raises(InputError, match="with 3 axes"):
        NormalForm(np.ones((3, 2, 2)))
    with pytest.raises(InputError, match="player 1"):
        NormalForm([np.ones((2, 2)), np.full((2, 2), np.nan)])
    with pytest.raises(InputError, match="profiles"):
        as_normal_form(match_mismatch_line(41))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: NormalForm([x, -x]),
        lambda x: from_bimatrix(x, -x),
        lambda x: Polymatrix([Edge(0, 1, x, -x)]),
        lambda x: parse_nfg('NFG 1 R "" { "a" "b" } { 2 2 } 1e39 0 0 0 0 0 0 0').game,
    ],
    ids=["normal form", "bimatrix", "polymatrix", "nfg"],
)
def test_a_payoff_that_single_precision_cannot_hold_is_refused_by_its_number(make):
    big = np.array([[1e39, 0.0], [0.0, 1.0]])
    with pytest.raises(InputError, match=r"has the number 1e\+39, which float32 cannot hold"):
        make(big)
    with jax.enable_x64(True):
        assert np.isfinite(np.asarray(to_arrays(make(big)))).all()


def test_a_byte_order_mark_and_a_file_in_place_of_its_game():
    found = parse_nfg("\ufeff" + format_nfg(prisoners_dilemma()))
    np.testing.assert_array_equal(to_arrays(found.game), to_arrays(prisoners_dilemma()))
    with pytest.raises(InputError, match=r"GambitFile holds a game and other things; give its `\.game`"):
        check_game(found)
