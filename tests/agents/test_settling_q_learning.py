"""Q-learning as in the pricing experiments: one draw for coin and action, and when the greedy policy last changed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning
from catallax.core import (
    AbstractMeasure,
    Discrete,
    Group,
    Play,
    Population,
    Spec,
    Variable,
    replicate,
    rng,
    run,
)
from catallax.games.pricing import LogitMarket, pricing_game

PERIODS = 3000
DECAY, ALPHA, GAMMA = 1e-3, 0.3, 0.9


class Story(AbstractMeasure):
    """What each firm saw, did and got, period by period, and what its learner says of its policy."""

    every: int = 1

    @property
    def variables(self):
        names = ("seen", "action", "reward", "next", "changed")
        return tuple(Variable(name, ("firm",), "1", name) for name in names)

    def __call__(self, dynamics, state, record, t):
        lived = [jax.tree.map(lambda x: x[:, 0], b) for b in record.batches]
        join = lambda pick: jnp.concatenate([pick(b) for b in lived])
        return {
            "seen": join(lambda b: b.obs[:, 0]),
            "action": join(lambda b: b.action[:, 0]),
            "reward": join(lambda b: b.reward[:, 0]),
            "next": join(lambda b: b.obs[:, 1]),
            "changed": jnp.concatenate([a.changed for a in state.agents]),
        }


def duopoly(game, length=1, **changes):
    start = game.uniform_start(GAMMA)
    rules = [
        QLearning(
            **{
                "states": game.observations,
                "actions": game.points,
                "explore": EpsilonGreedy(1.0, decay=DECAY, shared_draw=True),
                "rate": ConstantRate(ALPHA),
                "gamma": GAMMA,
                "initial": start[i],
                "track_settling": True,
            }
            | changes
        )
        for i in range(2)
    ]
    groups = [Group("firm", [i], rule) for i, rule in enumerate(rules)]
    return Play(game, Population(groups), length=length, episodic=False)


@pytest.fixture(scope="module")
def game():
    return pricing_game(LogitMarket(costs=(1.0, 0.8)), points=4)


@pytest.fixture(scope="module")
def session(game):
    return run(duopoly(game), rng.key(3), PERIODS, (Story(),))


def plain(game, story, firm):
    """A two-dimensional table updated as the paper writes it, and the last period in which its argmax changed."""
    q = np.tile(np.asarray(game.uniform_start(GAMMA), np.float64)[firm], (game.observations, 1))
    changed = []
    last = 0
    lived = zip(*(story[name][:, firm] for name in ("seen", "action", "reward", "next")), strict=True)
    for period, (s, a, r, s2) in enumerate(lived, 1):
        before = q[s].argmax()
        q[s, a] = (1 - ALPHA) * q[s, a] + ALPHA * (r + GAMMA * q[s2].max())
        if q[s].argmax() != before:
            last = period
        changed.append(last)
    return q, np.asarray(changed)


@pytest.mark.parametrize("firm", [0, 1])
def test_a_session_replayed_with_a_plain_table(game, session, firm):
    story = {name: np.asarray(x) for name, x in session.series.items()}
    np.testing.assert_array_equal(story["seen"][1:], story["next"][:-1])
    q, changed = plain(game, story, firm)
    learner = jax.tree.map(lambda x: x[0], session.state.agents[firm])
    rule = duopoly(game).population.groups[firm].control.agent
    np.testing.assert_allclose(rule.values(learner), q, rtol=2e-5)
    np.testing.assert_array_equal(learner.greedy, q.argmax(axis=1))
    epsilon = np.exp(-DECAY * PERIODS)
    expected = epsilon / 4 + (1 - epsilon) * np.eye(4)[q.argmax(axis=1)]
    np.testing.assert_allclose(rule.policy(learner), expected, rtol=1e-5)
    np.testing.assert_array_equal(story["changed"][:, firm], changed)
    assert int(learner.updates) == PERIODS and 0 < changed[-1] < PERIODS


def test_exploration_follows_the_clock(game):
    """Sessions side by side: the share that leaves the greedy action in period t is exp(-beta t) (m - 1) / m."""
    play = duopoly(game, rate=ConstantRate(1e-9))  # the greedy policy stays what it was
    keys = jax.vmap(lambda r: rng.fold(rng.key(1), r))(jnp.arange(300))
    story = replicate(play, keys, 2000, (Story(),)).series
    best = np.asarray(game.uniform_start(GAMMA)).argmax(axis=1)
    off = np.asarray(story["action"]) != best  # [session, period, firm]
    share = off.mean(axis=(0, 2)).reshape(20, 100).mean(axis=1)
    expected = (np.exp(-DECAY * np.arange(2000)) * 0.75).reshape(20, 100).mean(axis=1)
    np.testing.assert_allclose(share, expected, atol=5 * np.sqrt(0.25 / (300 * 2 * 100)))
    assert off[:, 0].mean() == pytest.approx(0.75, abs=0.1)
    tried = np.bincount(np.asarray(story["action"])[:, :200].ravel(), minlength=4) / (300 * 200 * 2)
    other = np.exp(-DECAY * np.arange(200)).mean() / 4
    np.testing.assert_allclose(np.delete(tried, np.unique(best)), other, rtol=0.03)
    one, two = off[..., 0].ravel(), off[..., 1].ravel()  # the firms explore independently
    both = (one & two).reshape(300, 20, 100).mean(axis=(0, 2))
    np.testing.assert_allclose(
        both, (np.exp(-2 * DECAY * np.arange(2000)) * 0.75**2).reshape(20, 100).mean(1), atol=0.02
    )


def test_a_phase_of_many_periods_dates_a_change_by_its_end(game):
    play = duopoly(game, length=5)
    state, changed = play.init(rng.key(0)), []
    step = jax.jit(lambda state, t: play.step(rng.key(0), state, t))
    for t in range(20):
        before = state
        state, _ = step(state, jnp.int32(t))
        moved = np.asarray((state.agents[0].greedy != before.agents[0].greedy).any(axis=1))
        changed.append(bool(moved[0]))
        expected = (t + 1) * 5 if moved[0] else int(before.agents[0].changed[0])
        assert int(state.agents[0].changed[0]) == expected
    assert any(changed) and not all(changed)


def odd_only(row):
    return jnp.arange(4) % 2 == 1


def test_shared_draw_explores_each_legal_action_alike_and_no_other():
    rule = QLearning(2, 4, EpsilonGreedy(0.6, shared_draw=True), legal=odd_only, track_settling=True)
    state = rule.init(rng.key(0), Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(4)))
    bits = rng.random_bits(rng.root(rng.key(2)), 1, jnp.int32(0), jnp.arange(20_000), jnp.int32(0))
    action = jax.jit(jax.vmap(lambda k: rule.act(k, state, (), jnp.int32(1))[0]))(rng.key_from_bits(bits))
    share = np.bincount(np.asarray(action), minlength=4) / 20_000
    np.testing.assert_allclose(share, [0, 0.7, 0, 0.3], atol=4 * 0.5 / 20_000**0.5)
    assert share[0] == share[2] == 0


def test_without_tracking_nothing_is_kept():
    state = QLearning(2, 4).init(rng.key(0), Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(4)))
    assert state.changed == ()
