"""Cross learning, experience-weighted attraction and fictitious play: identities, enumeration, plain Python."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import (
    BoltzmannQ,
    CrossLearning,
    ExperienceWeighted,
    FictitiousPlay,
    RegretMatching,
    Regrets,
)
from catallax.core import Batch, BuildError, Discrete, Group, InputError, Play, Population, Real, Spec, rng, run
from catallax.games.forgone import Forgone, ForgoneInState
from catallax.games.matrix import Polymatrix, Repeated, from_bimatrix, match_mismatch_line, prisoners_dilemma
from catallax.measures.matrix import Policy
from catallax.solvers.matrix.flow import BestResponsePlay
from catallax.solvers.matrix.nash import correlated_regret

pytestmark = pytest.mark.compile_effort("least")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def spec(actions):
    form = jax.ShapeDtypeStruct
    return Spec(Forgone(form((actions,), jnp.float64), form((), jnp.bool_)), Discrete(actions))


def batch(action, payoff, reward=None):
    """One copy, T ticks: actions [T], forgone payoffs [T, A]."""
    action, payoff = jnp.asarray(action)[None], jnp.asarray(payoff, float)[None]
    reward = jnp.take_along_axis(payoff, action[:, :, None], axis=2)[:, :, 0] if reward is None else reward
    seen = jnp.concatenate([jnp.zeros_like(payoff[:, :1]), payoff], axis=1)
    obs = Forgone(seen, jnp.ones(seen.shape[:2], bool))
    return Batch(obs, action, reward, jnp.ones_like(reward), ())


def taught(rule, lessons, actions=3):
    state = rule.init(rng.key(0), spec(actions))
    return jax.jit(lambda s: rule.learn(rng.key(1), s, lessons, jnp.int32(0)))(state)


HISTORY = np.random.default_rng(5)
ACTIONS, PAYOFFS = HISTORY.integers(0, 3, 40), HISTORY.normal(size=(40, 3))


# Cross learning.


@pytest.mark.parametrize("rate", [0.01, 0.4, 1.0])
def test_the_expected_motion_is_the_replicator_s_at_any_rate(rate):
    """All pairs of actions, weighted by their probabilities."""
    low, high = -2.0, 3.0
    draw = np.random.default_rng(1)
    game, pi, s = draw.uniform(low, high, (3, 4)), draw.dirichlet(np.ones(3)), draw.dirichlet(np.ones(4))
    rule = CrossLearning(rate=rate, low=low, high=high, start=pi)
    learn = jax.jit(lambda action, reward: rule.learn(rng.key(0), rule.start, one(action, reward), jnp.int32(0))[0])
    one = lambda action, reward: Batch((), action[None, None], reward[None, None], jnp.ones((1, 1)), ())
    mean = np.zeros(3)
    for i in range(3):
        for j in range(4):
            after = np.asarray(learn(jnp.asarray(i), jnp.asarray(game[i, j])))
            assert after.sum() == pytest.approx(1, abs=1e-12) and (after >= 0).all()
            mean += pi[i] * s[j] * (after - pi)
    u = (game - low) / (high - low) @ s
    np.testing.assert_allclose(mean, rate * pi * (u - pi @ u), atol=1e-12)


def test_rewards_beyond_the_range_count_as_its_ends():
    lessons = batch([0, 1, 2, 0], np.full((4, 3), 1.0), reward=jnp.asarray([[7.0, -3.0, 0.5, 1.0]]))
    state, log = taught(CrossLearning(rate=0.5), lessons)
    same = batch([0, 1, 2, 0], np.full((4, 3), 1.0), reward=jnp.asarray([[1.0, 0.0, 0.5, 1.0]]))
    np.testing.assert_array_equal(state, taught(CrossLearning(rate=0.5), same)[0])
    assert log["clipped"] == 0.5 and (np.asarray(state) > 0).all()


def test_cross_learners_find_dominant_actions():
    game = Repeated(prisoners_dilemma())
    play = Play(game, Population([Group("player", None, CrossLearning(rate=0.02, high=5.0))]), 1, 8, episodic=False)
    policy = run(play, rng.key(2), 1500, (Policy(every=1500),)).series["policy"][-1, :, :, 0]
    assert (np.asarray(policy)[:, 1] > 0.95).all()


# Experience-weighted attraction.


def test_with_kappa_and_delta_one_it_is_smooth_q_learning():
    alpha, temperature = 0.2, 0.7
    rule = ExperienceWeighted(alpha=alpha, kappa=1.0, delta=1.0, beta=alpha / temperature, start=[0.3, -0.1, 0.5])
    state, _ = taught(rule, batch(ACTIONS, PAYOFFS))
    q = alpha * np.asarray([0.3, -0.1, 0.5])
    for r in PAYOFFS:
        q = (1 - alpha) * q + alpha * r
    np.testing.assert_allclose(alpha * state.values, q, atol=1e-12)
    assert state.experience == 1
    expected = np.exp(q / temperature) / np.exp(q / temperature).sum()
    np.testing.assert_allclose(rule.policy(state), expected, atol=1e-12)


def test_with_all_remembered_and_averaged_it_is_smooth_fictitious_play():
    weighted = ExperienceWeighted(alpha=0.0, kappa=0.0, delta=1.0, beta=4.0, start=0.2, experience=3.0)
    smooth = FictitiousPlay(temperature=0.25, start=0.2, prior=3.0)
    one, _ = taught(weighted, batch(ACTIONS, PAYOFFS))
    other, _ = taught(smooth, batch(ACTIONS, PAYOFFS))
    np.testing.assert_allclose(one.values, other.values, atol=1e-12)
    np.testing.assert_allclose(one.values, (3 * 0.2 + PAYOFFS.sum(axis=0)) / 43, atol=1e-12)
    np.testing.assert_allclose(weighted.policy(one), smooth.policy(other), atol=1e-12)
    assert one.experience == other.count == 43


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_in_plain_python(seed):
    alpha, kappa, delta = np.random.default_rng(seed).uniform(size=3)
    state, _ = taught(
        ExperienceWeighted(alpha=alpha, kappa=kappa, delta=delta, experience=2.0), batch(ACTIONS, PAYOFFS)
    )
    q, n = [0.0] * 3, 2.0
    for a, r in zip(ACTIONS, PAYOFFS, strict=True):
        after = (1 - alpha) * (1 - kappa) * n + 1
        q = [
            ((1 - alpha) * n * q[i] + (delta + (1 - delta) * (1.0 if i == a else 0.0)) * r[i]) / after for i in range(3)
        ]
        n = after
    np.testing.assert_allclose(state.values, q, atol=1e-12)
    assert float(state.experience) == pytest.approx(n)


# Fictitious play.


def test_averages_are_payoffs_against_empirical_frequencies():
    game = match_mismatch_line(3)
    rule = FictitiousPlay(temperature=2.0)
    play = Play(Repeated(game, shows="forgone"), Population([Group("player", None, rule)]), 1, episodic=False)
    step = jax.jit(lambda s, t: play.step(rng.key(0), s, t))
    state, count = eqx.filter_jit(play.init)(rng.key(0)), np.zeros((5, 2))
    for t in range(30):
        state, record = step(state, jnp.int32(t))
        count[np.arange(5), np.asarray(record.info["profile"])[0, 0]] += 1
    expected = game.rewards(jnp.asarray(count / 30))[1:4]
    np.testing.assert_allclose(state.agents[0].values, expected, atol=1e-12)
    assert 0 < count[2, 0] < 30  # play did vary


def test_learners_play_what_beliefs_play():
    """The learners, who know payoffs only, and the solver, which knows frequencies, make the same moves."""
    draw = np.random.default_rng(8)
    game = Polymatrix([(0, 1, draw.normal(size=(3, 3)), draw.normal(size=(3, 3)))])
    beliefs = BestResponsePlay(game, start=np.full((2, 3), 1 / 3), prior=2.0)
    rewards = game.rewards(beliefs.start)[:, :, 0]
    groups = [Group("player", k, FictitiousPlay(start=rewards[k], prior=2.0)) for k in (0, 1)]
    play = Play(Repeated(game, shows="forgone"), Population(groups), 1, episodic=False)

    def body(carry, t):
        learners, believers = carry
        learners, record = play.step(rng.key(0), learners, t)
        believers, reply = beliefs.step(rng.key(0), believers, t)
        return (learners, believers), (record.info["profile"][0, 0], reply[:, :, 0].argmax(axis=1))

    both = jax.jit(lambda c: jax.lax.scan(body, c, jnp.arange(300)))
    _, (played, replied) = both((eqx.filter_jit(play.init)(rng.key(0)), beliefs.init(rng.key(0))))
    np.testing.assert_array_equal(played, replied)


def test_ties():
    state = FictitiousPlay().init(rng.key(0), spec(3))
    np.testing.assert_array_equal(FictitiousPlay().policy(state), [1, 0, 0])
    even = state._replace(values=jnp.asarray([1.0, 2.0, 2.0]))
    np.testing.assert_array_equal(FictitiousPlay(ties="random").policy(even), [0, 0.5, 0.5])
    np.testing.assert_array_equal(FictitiousPlay().policy(even), [0, 1, 0])
    np.testing.assert_allclose(FictitiousPlay(temperature=1e-3).policy(even), [0, 0.5, 0.5], atol=1e-12)


def test_a_constant_rate_discounts():
    state, _ = taught(FictitiousPlay(rate=0.25, start=1.0), batch(ACTIONS, PAYOFFS))
    v = np.ones(3)
    for r in PAYOFFS:
        v = v + 0.25 * (r - v)
    np.testing.assert_allclose(state.values, v, atol=1e-12)


# What the game shows.


def test_forgone_payoffs_by_playing_every_action():
    ones = lambda k, m: (HISTORY.normal(size=(k, m)), HISTORY.normal(size=(m, k)))
    stage = Polymatrix([(0, 1, *ones(2, 3)), (1, 2, *ones(3, 2)), (2, 3, *ones(2, 1))])
    game = Repeated(stage, memory=1, shows="forgone")
    observe, earned = eqx.filter_jit(game.observe), eqx.filter_jit(stage.play)
    fresh = observe(game.init(rng.key(0)))
    assert not fresh["player_2"].played.any() and (fresh["player_3"].payoff == 0).all()
    profile = jnp.asarray([1, 2, 0, 0])
    seen = observe(profile)
    plain = eqx.filter_jit(Repeated(stage, memory=1).observe)(profile)
    for role, who in game.seats.items():
        assert isinstance(seen[role], ForgoneInState) and seen[role].played.all()
        np.testing.assert_array_equal(seen[role].state, plain[role])
        for seat, k in enumerate(who):
            for a in range(stage.actions[k]):
                expected = earned(jnp.asarray([*profile[:k], a, *profile[k + 1 :]]))[k]
                np.testing.assert_allclose(seen[role].payoff[seat, a], expected, atol=1e-12)


@pytest.mark.usefixtures("as_users_have_it")
def test_bad_input_is_refused():
    cases = (
        (lambda: CrossLearning(rate=0.0), InputError, "rate"),
        (lambda: CrossLearning(low=1.0, high=1.0), InputError, "high - low"),
        (lambda: CrossLearning(start=[0.5, 0.6]), InputError, "add up to 1"),
        (lambda: ExperienceWeighted(kappa=1.5), InputError, "kappa"),
        (lambda: ExperienceWeighted(beta=-1.0), InputError, "beta"),
        (lambda: ExperienceWeighted(experience=-1.0), InputError, "experience"),
        (lambda: FictitiousPlay(temperature=-0.1), InputError, "temperature"),
        (lambda: FictitiousPlay(rate=0.0), InputError, "rate"),
        (lambda: FictitiousPlay(ties="last"), Exception, "ties"),
        (lambda: Repeated(prisoners_dilemma(), shows="all"), Exception, "shows"),
        (lambda: CrossLearning().init(rng.key(0), spec(3)._replace(action=Real())), BuildError, "Discrete"),
        (lambda: CrossLearning(start=[0.5, 0.5]).init(rng.key(0), spec(3)), BuildError, "2 probabilities"),
        (lambda: BoltzmannQ(start=[0.0, 1.0]).init(rng.key(0), spec(3)), BuildError, "start has shape"),
        (lambda: FictitiousPlay(start=[0.0, 1.0]).init(rng.key(0), spec(3)), BuildError, "start has shape"),
        (lambda: ExperienceWeighted(start=[0.0, 1.0]).init(rng.key(0), spec(3)), BuildError, "start has shape"),
        (lambda: BoltzmannQ(frequency_adjusted="yes"), InputError, "True or False"),
        (lambda: FictitiousPlay().init(rng.key(0), spec(3)._replace(action=Real())), BuildError, "Discrete"),
    )
    for make, error, words in cases:
        with pytest.raises(error, match=words):
            make()
    for rule in (FictitiousPlay(), ExperienceWeighted()):
        with pytest.raises(BuildError, match="let the game show"):
            Play(Repeated(prisoners_dilemma()), Population([Group("player", None, rule)]), 1)


# Regret matching.


@pytest.mark.parametrize("plus", [False, True])
def test_regret_matching_is_the_plain_loop(plus):
    state, _ = taught(RegretMatching(plus=plus), batch(ACTIONS, PAYOFFS))
    regrets = np.zeros(3)
    for action, payoff in zip(ACTIONS, PAYOFFS, strict=True):
        regrets += payoff - payoff[action]
        regrets = np.maximum(regrets, 0) if plus else regrets
    np.testing.assert_allclose(state.values, regrets, atol=1e-12)
    positive = np.maximum(regrets, 0)
    np.testing.assert_allclose(RegretMatching().policy(state), positive / positive.sum(), atol=1e-12)


def test_regret_matching_without_regrets_is_uniform_and_neither_overflows_nor_vanishes():
    rule = RegretMatching()
    for values, policy in (
        ([-1.0, 0.0, -2.0], 1 / 3),
        ([1e300, 1e300, 0.0], [0.5, 0.5, 0]),
        ([1e-300, 0, 0], [1, 0, 0]),
    ):
        found = rule.policy(Regrets(jnp.asarray(values)))
        np.testing.assert_allclose(found, np.broadcast_to(policy, 3), atol=1e-3)


@pytest.mark.parametrize("plus", [False, True])
def test_regret_matchers_approach_coarse_correlated_equilibria(plus):
    """Rock-paper-scissors: the average play of 4,000 rounds; regrets are of the order of 1 / sqrt(rounds)."""
    rock = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    game = from_bimatrix(rock, -rock)
    play = Play(Repeated(game, shows="forgone"), Population([Group("player", None, RegretMatching(plus=plus))]), 1, 1)
    policy = np.asarray(run(play, rng.key(3), 4000, (Policy(every=1),)).series["policy"])
    policy = policy.reshape(4000, 2, 3)
    average = policy.mean(axis=0)
    np.testing.assert_allclose(average, 1 / 3, atol=0.05)
    joint = np.einsum("ti,tj->ij", policy[:, 0], policy[:, 1]) / len(policy)
    assert correlated_regret(game, joint / joint.sum(), coarse=True) < 0.03
    assert np.ptp(policy[2000:, 0, 0]) > 0.1  # play itself does not come to rest
