"""The advertising auction: closed forms against enumeration and against the auction as played."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mean_field_reference as reference
from catallax.core import BuildError, InputError, rng
from catallax.games.mean_field import AdAuction, TabularMDP, check_mdp, dense_transition
from catallax.games.mean_field.ad_auction import clearing


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def random_law(seed, states, actions):
    return np.random.default_rng(seed).dirichlet(np.full(states * actions, 0.4)).reshape(states, actions)


bids = st.lists(st.sampled_from([0.0, 1.0, 2.0, 7.0]), min_size=4, max_size=4).filter(lambda x: sum(x) > 0)


@given(weights=bids, bidders=st.integers(2, 4))
def test_clearing_is_what_enumeration_gives(weights, bidders):
    alpha = np.array(weights) / sum(weights)
    price, win, at_most = (np.asarray(x) for x in clearing(jnp.asarray(alpha), bidders))
    np.testing.assert_allclose(price, reference.clearing(alpha, bidders), atol=1e-15)
    np.testing.assert_allclose(price.sum(axis=1), win, atol=1e-15)
    np.testing.assert_allclose(at_most, np.cumsum(price, axis=1), atol=1e-15)
    np.testing.assert_allclose(alpha @ win, 1 / bidders, atol=1e-15)  # every auction has one winner
    assert (np.diff(win) >= 0).all() and (price >= 0).all()


def test_clearing_has_no_quotient_to_fail():
    nobody_bids_five = jnp.asarray([0.5, 0.5, 0.0, 0.0, 0.0, 0.0])
    price, win, _ = clearing(nobody_bids_five, 5)
    assert float(win[5]) == 1.0 and float(price[5, 5]) == 0.0
    slope = jax.jacobian(lambda a: clearing(a, 5)[1])(nobody_bids_five)
    assert np.isfinite(slope).all() and np.isfinite(jax.jacobian(lambda a: clearing(a, 5)[0])(nobody_bids_five)).all()
    tiny = jnp.asarray([1.0 - 1e-12, 1e-12])
    exact = 1e-12 * (1 - 1e-12) ** 3 + 0.5 * 6 * 1e-24  # beyond rounding: relative precision is kept
    np.testing.assert_allclose(float(clearing(tiny, 4)[0][1, 1]), exact * 3 / 2, rtol=1e-6)


@pytest.mark.parametrize("shape", [(7, 5, 4), (4, 6, 3), (1, 3, 2), (10, 10, 3)])
def test_the_frozen_problem_is_what_loops_give(shape):
    states, actions, bidders = shape
    game = AdAuction(budgets=states, bids=actions, bidders=bidders, penalty=0.3, refill=0.25)
    law = random_law(1, states, actions)
    reward, move = reference.kernel(law.sum(0), budgets=states, bidders=bidders, value=2.5, penalty=0.3, refill=0.25)
    mdp = game.frozen(jnp.asarray(law))
    policy = np.random.default_rng(2).dirichlet(np.ones(actions), states)
    np.testing.assert_allclose(mdp.reward, reward, atol=1e-13)
    np.testing.assert_allclose(dense_transition(mdp), move, atol=1e-14)
    np.testing.assert_allclose(mdp.push(jnp.asarray(law)), np.einsum("sa,sat->t", law, move), atol=1e-14)
    np.testing.assert_allclose(mdp.chain(jnp.asarray(policy)), np.einsum("sa,sat->st", policy, move), atol=1e-14)
    check_mdp(mdp, "the auction")
    revenue = bidders * sum(
        law.sum(0)[a] * reference.clearing(law.sum(0), bidders)[a, p] * p for a, p in np.ndindex(actions, actions)
    )
    np.testing.assert_allclose(float(game.revenue(jnp.asarray(law))), revenue, atol=1e-13)


def test_draws_follow_the_frozen_problem():
    game = AdAuction(budgets=4, bids=4, bidders=3)
    law = jnp.asarray(random_law(3, 4, 4))
    mdp, n = game.frozen(law), 40_000
    move = np.asarray(dense_transition(mdp))
    keys = jax.vmap(lambda i: rng.fold(rng.key(5), i))(jnp.arange(n))
    draw = jax.jit(lambda s, a: jax.vmap(lambda k: mdp.draw(k, s, a))(keys))
    for s, a in itertools.product((0, 2, 3), (0, 1, 3)):
        after, reward = draw(jnp.int32(s), jnp.int32(a))
        share = np.bincount(after, minlength=4) / n
        np.testing.assert_allclose(share, move[s, a], atol=5 * np.sqrt(0.25 / n))
        np.testing.assert_allclose(reward.mean(), mdp.reward[s, a], atol=5 * float(reward.std()) / np.sqrt(n))


def test_players_meet_by_the_rules():
    game = AdAuction(budgets=6, bids=6, bidders=4)
    state = jnp.asarray([0, 1, 2, 3, 4, 5, 5, 5], jnp.int32)
    action = jnp.asarray([3, 0, 2, 3, 5, 1, 0, 2], jnp.int32)
    n = 20_000
    keys = jax.vmap(lambda i: rng.fold(rng.key(1), i))(jnp.arange(n))
    after, reward, event = jax.jit(jax.vmap(lambda k: game.meet(k, state, action)))(keys)
    won, price, value = np.asarray(event.won), np.asarray(event.price), np.asarray(event.value)
    assert (won.sum(axis=1) == 2).all()
    left = np.where(won, np.maximum(np.asarray(state) - price, 0), state)
    assert ((after - left == 0) | (after - left == 1)).all() and (after <= 5).all()
    risen = np.asarray(after - left)[left < 5]
    assert abs(risen.mean() - 0.5) < 0.01
    over = np.maximum(price - np.asarray(state), 0)
    np.testing.assert_allclose(reward, np.where(won, value - price - 1.2 * over, 0.0), atol=1e-12)
    assert set(np.unique(value)) == {1.0, 2.0, 3.0, 4.0}
    # by listing every set of three rivals, all equally likely
    for seat in range(8):
        rivals = [np.asarray(action)[list(c)] for c in itertools.combinations([i for i in range(8) if i != seat], 3)]
        bid = int(action[seat])
        chance = np.mean([(bid > r.max()) + (bid == r.max()) / (1 + (r == r.max()).sum()) for r in rivals])
        np.testing.assert_allclose(won[:, seat].mean(), chance, atol=5 * np.sqrt(0.25 / n))
        paid = np.mean([r.max() * ((bid > r.max()) + (bid == r.max()) / (1 + (r == r.max()).sum())) for r in rivals])
        np.testing.assert_allclose((price * won)[:, seat].mean(), paid, atol=5 * 2.5 / np.sqrt(n))


def test_capped_bids_are_legal_only_within_the_budget():
    game = AdAuction(budgets=4, bids=4, bidders=2, cap_bids=True)
    np.testing.assert_array_equal(game.legal, np.tril(np.ones((4, 4), bool)))
    key = rng.fold(rng.key(0), 1)
    budgets, bids = jnp.asarray([1, 0], jnp.int32), jnp.asarray([3, 3], jnp.int32)
    capped = game.meet(key, budgets, bids)
    open_ = AdAuction(budgets=4, bids=4, bidders=2).meet(key, budgets, budgets)
    jax.tree.map(np.testing.assert_array_equal, capped, open_)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"budgets": 0}, "budgets must be an integer of at least 1"),
        ({"bidders": 1}, "bidders must be an integer of at least 2"),
        ({"refill": 1.5}, r"refill must lie in \[0, 1\], got 1.5"),
        ({"discount": 1.0}, r"discount must lie in \[0, 1\), got 1"),
        ({"conversions": ()}, "at least one number"),
        ({"penalty": float("nan")}, "penalty must be finite"),
    ],
)
def test_impossible_auctions_are_refused(arguments, says):
    with pytest.raises(InputError, match=says):
        AdAuction(**arguments)


def test_players_must_fill_auctions():
    with pytest.raises(BuildError, match="22 players cannot be parted into auctions of 5"):
        AdAuction().check_players(22)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r, p: (r, p * 0.9, None, 0.9), r"transition from state 0 under action 0 .*sum 0.9"),
        (lambda r, p: (r, p.at[1, 1].set([1.5, -0.5]), None, 0.9), "from state 1 under action 1 .*least entry -0.5"),
        (lambda r, p: (r.at[1, 0].set(jnp.nan), p, None, 0.9), "reward of action 0 in state 1 is nan"),
        (lambda r, p: (r, p, [[True, True], [False, False]], 0.9), "state 1 has no legal action"),
        (lambda r, p: (r, p, None, 1.0), "needs 0 <= discount < 1"),
        (lambda r, p: (r, p[:, :1], None, 0.9), "reward has shape"),
    ],
)
def test_tables_that_are_no_problem_are_refused(change, says):
    reward, move = jnp.zeros((2, 2)), jnp.full((2, 2, 2), 0.5)
    reward, move, legal, discount = change(reward, move)
    with pytest.raises(InputError, match=says):
        TabularMDP(reward, move, discount, legal)
