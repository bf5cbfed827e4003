"""Learners in a mean-field game: one seat in a crowd, and N seats that meet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mean_field_reference as reference
from catallax.agents.tabular import ConstantRate, EpsilonGreedy, PolynomialRate, QLearning
from catallax.core import BuildError, Group, InputError, Play, Population, Shared, contract, rng, run
from catallax.games.mean_field import AdAuction, FinitePlayers, Representative, empirical_law, meet_in_law, uniform_law
from mean_field_toys import ROCK_PAPER_SCISSORS, Places

UNIFORM = np.full((10, 10), 0.01)


def one_seat(uniform):
    return Representative(AdAuction(), UNIFORM, np.full(10, 0.1) if uniform else None)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Representative(AdAuction(), UNIFORM),
        lambda: FinitePlayers(AdAuction(budgets=4, bids=6, cap_bids=True), 10, np.array([1.0, 0, 0, 0])),
        lambda: FinitePlayers(Places(ROCK_PAPER_SCISSORS), 7),
    ],
    ids=["one bidder", "capped bidders", "seven in places"],
)
def test_they_keep_the_contract(make):
    contract.check_game(make)


@pytest.fixture(scope="module")
def learnt():
    rule = QLearning(10, 10, explore=EpsilonGreedy(1.0), rate=PolynomialRate(0.7))
    crowd = Play(one_seat(True), Population((Group("player", None, rule),)), length=1)
    state = run(crowd, rng.key(2), 200_000).state
    return np.asarray(rule.values(jax.tree.map(lambda x: x[0], state.agents[0])))


def test_a_learner_in_the_crowd_finds_the_optimal_values(learnt):
    reward, move = reference.kernel(np.full(10, 0.1), budgets=10, bidders=5, value=2.5, penalty=0.2, refill=0.5)
    _, q = reference.optimal(reward, move, 0.8)
    assert np.linalg.norm(learnt - q) / np.linalg.norm(q) < 0.05


def test_n_players_earn_what_the_crowd_would_pay():
    rule = QLearning(10, 10, explore=EpsilonGreedy(1.0), rate=ConstantRate(0.1))  # always a uniform bid
    play = Play(FinitePlayers(AdAuction(), 200), Population((Group("player", None, rule),)), length=400, copies=1)
    _, record = jax.jit(lambda: play.step(rng.key(0), play.init(rng.key(0)), jnp.int32(0)))()
    with jax.enable_x64(True):
        game, law = AdAuction(), jnp.asarray(UNIFORM)
        for _ in range(400):
            law = game.frozen(law).push(law)[:, None] * jnp.full((10, 10), 0.1)
        expected = float((law * game.frozen(law).reward).sum())
        revenue = float(game.revenue(law))
    rewards = np.asarray(record.batches[0].reward)[:, 0, 100:]
    assert abs(rewards.mean() - expected) < 5 * rewards.mean(axis=0).std() / np.sqrt(300 / 5)
    won, price = (np.asarray(x)[0, 100:] for x in (record.info.event.won, record.info.event.price))
    assert abs(price[won].mean() - revenue) < 0.05
    assert won.sum() == 300 * 40


def test_every_learner_of_a_finite_population_has_a_table():
    rule = QLearning(10, 10, explore=EpsilonGreedy(0.3))
    for control, tables in ((rule, (10, 160)), (Shared(rule, learn_from=[0]), (160,))):
        play = Play(FinitePlayers(AdAuction(), 10), Population((Group("player", None, control),)), length=20)
        state = run(play, rng.key(0), 3).state
        assert state.agents[0].table.shape == tables and np.isfinite(state.agents[0].table).all()


def test_the_empirical_law_with_and_without_oneself():
    game = Places()
    state, action = jnp.asarray([1, 1, 2, 0]), jnp.asarray([0, 1, 0, 1])
    law = np.asarray(empirical_law(game, state, action))
    np.testing.assert_allclose(law, [[0, 0.25], [0.25, 0.25], [0.25, 0]])
    key = rng.fold(rng.key(0), 1)
    _, counted = meet_in_law(game, key, state, action)
    _, apart = meet_in_law(game, key, state, action, with_self=False)
    np.testing.assert_allclose(counted, [-2 / 3, -2 / 3, -2 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(apart, [-1 / 2, -1 / 2, 0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (
            lambda: Representative(AdAuction(), UNIFORM * 2),
            InputError,
            "law must be >= 0 and sum to 1; its sum is 2",
        ),
        (lambda: Representative(AdAuction(), UNIFORM[:5]), InputError, r"the law has shape \(5, 10\); expected"),
        (lambda: Representative(AdAuction(), UNIFORM, np.ones(10)), InputError, "start must be >= 0 and sum to 1"),
        (lambda: FinitePlayers(AdAuction(), 7), BuildError, "7 players cannot be parted into auctions of 5"),
        (lambda: FinitePlayers(Places(), 0), BuildError, "must be an integer of at least 1"),
        (lambda: FinitePlayers(Places(), 3, np.ones(2) / 2), InputError, "start has shape"),
    ],
)
def test_what_cannot_be_played_is_said_when_it_is_built(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_the_uniform_law_heeds_what_is_legal():
    law = np.asarray(uniform_law(AdAuction(budgets=3, bids=3, bidders=2, cap_bids=True)))
    np.testing.assert_allclose(law * 3, [[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-6)
