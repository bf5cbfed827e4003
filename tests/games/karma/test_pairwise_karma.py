"""The pairwise karma game: its rules against a plain loop, conservation, and what it refuses."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import Group, InfeasibleCount, InputError, Play, Population, rng, run
from catallax.core.agent import AbstractAgent
from catallax.games.karma import (
    AbstractPayment,
    CircleMatching,
    KarmaView,
    KarmaWorld,
    PairwiseKarma,
    PayBidToPeer,
    PayBidToSociety,
    PayNothing,
    TableRow,
    UniformMatching,
    Urgency,
    coin_cost,
    coin_reward_variance,
    dictator_cost,
    dictator_reward_variance,
    open_bids,
)
from catallax.measures.karma import Conservation, KarmaDistribution, MeanBids, SocialOutcomes

PLAYERS, CAP = 8, 5


class SecondPriceToSociety(AbstractPayment):
    """The winner pays the losing bid; the loser pays nothing."""

    def __call__(self, winning, losing):
        return losing, jnp.zeros_like(losing)


RULES = {
    "peer": (PayBidToPeer(), "shared", UniformMatching()),
    "society": (PayBidToSociety(), "shared", UniformMatching()),
    "peer, kept": (PayBidToPeer(), "kept", UniformMatching()),
    "peer, circle": (PayBidToPeer(), "shared", CircleMatching()),
    "nothing": (PayNothing(), "shared", UniformMatching()),
    "second price": (SecondPriceToSociety(), "shared", UniformMatching()),
}


def make(rule: str, players: int = PLAYERS, cap: int = CAP, endowment=3) -> PairwiseKarma:
    payment, excess, matching = RULES[rule]
    return PairwiseKarma(
        players=players, payment=payment, cap=cap, endowment=endowment, matching=matching, excess=excess
    )


@cache
def stepper(rule: str):
    game = make(rule)
    return game, jax.jit(lambda key, world, bids: game.step(key, world, {"player": bids}))


def vectors(high):
    return st.lists(st.integers(0, high), min_size=PLAYERS, max_size=PLAYERS)


@pytest.mark.parametrize("rule", RULES)
@given(karma=vectors(CAP), bids=vectors(CAP), urgency=vectors(1), seed=st.integers(0, 2**16))
def test_one_step_is_the_plain_loop_and_conserves_karma(rule, karma, bids, urgency, seed):
    game, step = stepper(rule)
    key = rng.fold(rng.key(seed), 1)
    world = KarmaWorld(jnp.asarray(karma, jnp.int32), jnp.asarray(urgency, jnp.int32))
    after, outcome = step(key, world, jnp.asarray(bids, jnp.int32))
    words = rng.random_bits(key, 0, jnp.int32(0), jnp.arange(PLAYERS), jnp.int32(0))
    rival, first = (np.asarray(x) for x in game.matching(words.first))
    held, costs = np.array(karma), (1.0, 5.0)
    bids = np.minimum(bids, karma)
    for i in range(PLAYERS):
        j = rival[i]
        assert rival[j] == i != j and first[i] != first[j]
        won = bids[i] > bids[j] or (bids[i] == bids[j] and first[i])
        assert bool(outcome.info.won[i]) == won
        assert float(outcome.reward["player"][i]) == (0.0 if won else -costs[urgency[i]])
        w, l = (bids[i], bids[j]) if won else (bids[j], bids[i])
        win, lose = (int(x) for x in game.payment(jnp.int32(w), jnp.int32(l)))
        if game.excess == "kept":
            win = min(win, CAP - karma[j if won else i])
            lose = -win
        held[i] = min(karma[i] - (win if won else lose), CAP)
    gifts = np.asarray(after.karma) - held
    room = CAP - held
    assert gifts.sum() == int(outcome.info.pool) == sum(karma) - held.sum()
    level = max((a for a in range(CAP + 1) if np.minimum(a, room).sum() <= gifts.sum()), default=0)
    assert set((gifts - np.minimum(level, room))[room > level]) <= {0, 1}
    assert (gifts[room <= level] == room[room <= level]).all()
    assert int(after.karma.sum()) == sum(karma) and int(after.karma.min()) >= 0 and int(after.karma.max()) <= CAP


def test_an_odd_population_and_karma_above_the_cap_are_refused():
    with pytest.raises(InputError, match="7 players cannot all be paired; take an even number"):
        PairwiseKarma(players=7)
    with pytest.raises(InputError, match="every player starts with 21 karma, above the cap of 20"):
        PairwiseKarma(endowment=21)
    with pytest.raises(InputError, match="player 1 starts with 9 karma, above the cap of 8"):
        PairwiseKarma(players=2, cap=8, endowment=(3, 9))
    with pytest.raises(InputError, match="3 endowments for 4 players"):
        PairwiseKarma(players=4, endowment=(1, 2, 3))
    with pytest.raises(InputError, match="at least 0, got -1"):
        PairwiseKarma(endowment=-1)
    with pytest.raises(InputError, match="cap must be an integer of at least 1"):
        PairwiseKarma(cap=0, endowment=0)
    with pytest.raises(InputError, match="PayBidToSociety pays to society"):
        PairwiseKarma(payment=PayBidToSociety(), excess="kept")


def test_bad_urgencies_are_refused():
    with pytest.raises(InputError, match="sum to"):
        Urgency((1.0, 5.0), ((0.5, 0.4), (0.5, 0.5)))
    with pytest.raises(InputError, match="shape"):
        Urgency((1.0, 5.0), ((1.0,),))
    with pytest.raises(InputError, match="finite and at least 0"):
        Urgency.iid((-1.0, 5.0))
    with pytest.raises(InputError, match="2 levels and 3 probabilities"):
        Urgency.iid((1.0, 5.0), (0.2, 0.3, 0.5))


@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.booleans())
def test_the_stationary_law_is_that_of_a_linear_solver(levels, seed, transient):
    random = np.random.default_rng(seed)
    chain = random.dirichlet(np.full(levels, 0.5), size=levels) + 1e-3
    if transient and levels > 1:
        chain[:, 0] = 0.0  # the first level is left and never seen again
    chain /= chain.sum(axis=1, keepdims=True)
    with jax.enable_x64(True):
        law = np.asarray(Urgency(range(levels), chain).stationary())
    exact = np.linalg.solve(np.eye(levels) - chain.T + 1, np.ones(levels))
    np.testing.assert_allclose(law, exact, atol=1e-13)


def test_urgency_follows_its_chain():
    sticky = Urgency((0.0, 1.0, 4.0), ((0.7, 0.2, 0.1), (0.3, 0.3, 0.4), (0.0, 0.5, 0.5)))
    law = sticky.stationary()
    np.testing.assert_allclose(law @ sticky.chain, law, atol=1e-6)
    words = jax.random.bits(jax.random.key(0), (3, 40_000), jnp.uint32)
    moved = jax.vmap(lambda i, w: sticky.move(jnp.full(w.shape, i), w))(jnp.arange(3), words)
    shares = (moved[..., None] == jnp.arange(3)).mean(axis=1)
    np.testing.assert_allclose(shares, sticky.chain, atol=0.01)
    drawn = (sticky.draw(words[0])[:, None] == jnp.arange(3)).mean(axis=0)
    np.testing.assert_allclose(drawn, law, atol=0.01)


def test_closed_forms():
    urgency = Urgency.iid((1.0, 5.0))
    np.testing.assert_allclose([coin_cost(urgency), dictator_cost(urgency)], [1.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(coin_reward_variance(urgency) ** 0.5, 2.0616, atol=1e-4)
    np.testing.assert_allclose(dictator_reward_variance(urgency) ** 0.5, 1.5811, atol=1e-4)
    rare = Urgency.iid((1.0, 9.0), (0.75, 0.25))
    np.testing.assert_allclose(coin_cost(rare), 1.5)
    np.testing.assert_allclose(dictator_cost(rare), 0.5 * (1 - 0.0625 + 9 * 0.0625))


class Fixed(AbstractAgent):
    """Bids by urgency, at most what it has."""

    bids: jax.Array = eqx.field(converter=jnp.asarray)

    def act(self, key, state, memory, obs):
        return jnp.minimum(self.bids[obs.urgency], obs.karma), memory, ()


@cache
def controls():
    """200 players over 8,000 steps whose bids cost nothing: COIN and DICT."""
    game = PairwiseKarma(players=200, payment=PayNothing())
    series = {}
    for name, bids in (("coin", (0, 0)), ("dict", (0, 1))):
        play = Play(game, Population((Group("player", None, Fixed(bids)),)), length=8000, episodic=False)
        measures = (SocialOutcomes(), Conservation(), KarmaDistribution(), MeanBids())
        series[name] = run(play, rng.key(5), 1, measures).series
    return series


@pytest.mark.parametrize(
    ("name", "cost", "variance"),
    [("coin", coin_cost, coin_reward_variance), ("dict", dictator_cost, dictator_reward_variance)],
)
def test_play_gives_the_closed_forms_of_coin_and_dict(name, cost, variance):
    urgency, steps, players = Urgency.iid(), 8000, 200
    series = {k: np.asarray(v)[0, 0] for k, v in controls()[name].items()}
    sd = float(variance(urgency)) ** 0.5
    assert abs(series["efficiency"] + cost(urgency)) < 4 * sd / np.sqrt(steps * players)
    spread = 4 / np.sqrt(2 * players)  # four relative standard errors of an SD over the players
    np.testing.assert_allclose(series["reward_fairness"], -sd / np.sqrt(steps), rtol=spread)
    np.testing.assert_allclose(series["access_fairness"], -0.5 / np.sqrt(steps), rtol=spread)
    assert series["karma_drift"] == 0 and series["karma_outside"] == 0


def test_measures_of_karma_and_bids():
    series = {k: np.asarray(v)[0, 0] for k, v in controls()["dict"].items()}
    assert series["karma_share"][10] == 1 and series["karma_share"].sum() == 1  # nobody ever pays
    assert series["mean_bid"][0, 10] == 0 and series["mean_bid"][1, 10] == 1
    assert np.isnan(series["mean_bid"][:, :10]).all()


def test_conservation_sees_a_loss():
    """A payment that mints karma is what the guard is for: the winner is paid by nobody, beyond what the cap takes."""

    class Leaking(PairwiseKarma):
        def step(self, key, world, action):
            world, outcome = super().step(key, world, action)
            after = outcome.info.after.at[0].add(-1)
            return KarmaWorld(after, world.urgency), outcome._replace(info=outcome.info._replace(after=after))

    play = Play(
        Leaking(players=4, payment=PayNothing()),
        Population((Group("player", None, Fixed((0, 0))),)),
        length=12,
        episodic=False,
    )
    series = run(play, rng.key(0), 1, (Conservation(),)).series
    assert int(series["karma_drift"][0, 0]) == 12 and int(series["karma_outside"][0, 0]) == 2


def test_rows_number_situations():
    game = PairwiseKarma(cap=3, endowment=2)
    rows = {int(TableRow(3)(KarmaView(jnp.int32(k), jnp.int32(u)))) for u in range(2) for k in range(4)}
    assert rows == set(range(8)) == set(range(len(open_bids(game))))
    assert open_bids(game) == (1, 2, 3, 4, 1, 2, 3, 4)
    assert open_bids(game)[int(TableRow(3)(KarmaView(jnp.int32(2), jnp.int32(1))))] == 3


def test_bids_above_a_players_karma_are_counted():
    game = PairwiseKarma(players=4, cap=8, endowment=(0, 1, 2, 3))
    step = jax.jit(lambda bid: game.step(rng.key(1), game.init(rng.key(0)), {"player": bid})[1].info.infeasible)
    np.testing.assert_array_equal(step(jnp.array([1, 1, 3, 0]))["player"], [True, False, True, False])
    counted = run(game_of_bidders(game), rng.key(0), 2, (InfeasibleCount(),)).series["infeasible_actions"]
    assert (np.asarray(counted) > 0).all()


def game_of_bidders(game):
    return Play(game, Population([Group("player", None, Spender())]), length=3)


class Spender(AbstractAgent):
    """Always bids the cap, which nobody of its game holds."""

    def act(self, key, state, memory, obs):
        return jnp.int32(8), memory, ()


def test_rewards_have_the_precision_of_the_session():
    for x64, dtype in ((False, jnp.float32), (True, jnp.float64)):
        with jax.enable_x64(x64):
            game = PairwiseKarma(players=4, cap=8, endowment=2)
            step = lambda key, game=game: game.step(key, game.init(key), {"player": jnp.ones(4, jnp.int32)})[1]
            outcome = jax.eval_shape(step, rng.key(0))
            assert outcome.reward["player"].dtype == outcome.discount["player"].dtype == dtype
