"""Tabular Q-learning against a plain NumPy table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import Boltzmann, ConstantRate, EpsilonGreedy, PolynomialRate, QLearning
from catallax.core import (
    AbstractGame,
    BuildError,
    Discrete,
    Group,
    InputError,
    Outcome,
    Play,
    Population,
    Real,
    Role,
    Spec,
    contract,
    rng,
    run,
)

pytestmark = pytest.mark.compile_effort("least")

ROWS, ACTIONS = 5, 3
SPEC = Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(ACTIONS))


def triangle(row):
    """In row s the actions 0, ..., s are open."""
    return jnp.arange(ACTIONS) <= row


class Ring(AbstractGame):
    """Action 1 steps onwards round a ring of rows, the others stay; row 3 pays when it is left. Discount 0.9."""

    @property
    def roles(self):
        return (Role("player", 1, Discrete(ACTIONS)),)

    def init(self, key):
        return jnp.int32(0)

    def observe(self, world):
        return {"player": world[None]}

    def step(self, key, world, action):
        a = action["player"][0]
        onward = a == 1
        after = jnp.where(onward, (world + 1) % ROWS, world)
        reward = jnp.where(onward & (world == 3), 1.0, 0.0) - 0.01 * a
        return after, Outcome({"player": reward[None]}, {"player": jnp.full(1, 0.9)}, ())


def play(rule, length=1, copies=1):
    return Play(Ring(), Population((Group("player", None, rule),)), length=length, copies=copies, episodic=False)


def replay(batch, values, rate, gamma):
    """The same transitions learnt from by a two-dimensional table."""
    q, visits = np.broadcast_to(np.asarray(values, np.float32), (ROWS, ACTIONS)).copy(), np.zeros((ROWS, ACTIONS))
    for s, a, r, d, s2 in zip(*(np.asarray(x).reshape(-1) for x in batch), strict=True):
        q[s, a] += rate(visits[s, a]) * (r + gamma * d * q[s2].max() - q[s, a])
        visits[s, a] += 1
    return q


@pytest.mark.parametrize(
    ("rate", "plain"),
    [(ConstantRate(0.3), lambda n: 0.3), (PolynomialRate(0.8), lambda n: (1 + n) ** -0.8)],
    ids=["constant", "polynomial"],
)
def test_a_phase_is_learnt_from_in_order(rate, plain):
    rule = QLearning(ROWS, ACTIONS, explore=EpsilonGreedy(0.5), rate=rate, gamma=0.95, initial=[0.5, 0.0, 0.2])
    dynamics = play(rule, length=40, copies=2)
    first = dynamics.init(rng.key(0))
    after, record = jax.jit(lambda: dynamics.step(rng.key(0), first, jnp.int32(0)))()
    batch = jax.tree.map(lambda x: np.asarray(x[0]), record.batches[0])
    lived = (batch.obs[:, :-1], batch.action, batch.reward, batch.discount, batch.obs[:, 1:])
    expected = replay(lived, [0.5, 0.0, 0.2], plain, 0.95)
    learner = jax.tree.map(lambda x: x[0], after.agents[0])
    np.testing.assert_allclose(rule.values(learner), expected, atol=1e-5)
    np.testing.assert_array_equal(learner.greedy, np.asarray(rule.values(learner)).argmax(axis=1))
    assert int(learner.updates) == 80 and set(np.unique(batch.action)) == {0, 1, 2}
    assert (np.asarray(learner.table).reshape(ROWS, 8)[:, ACTIONS:] == 0).all()


def test_one_tick_at_a_time_or_many_is_the_same_where_nothing_depends_on_the_table():
    rule = QLearning(ROWS, ACTIONS, explore=EpsilonGreedy(1.0), rate=ConstantRate(0.2))
    short, long = (run(play(rule, n), rng.key(3), 60 // n).state.agents[0] for n in (1, 30))
    np.testing.assert_allclose(short.table, long.table, atol=1e-6)
    np.testing.assert_array_equal(short.greedy, long.greedy)


def test_online_it_learns_to_go_round():
    rule = QLearning(ROWS, ACTIONS, explore=EpsilonGreedy(1.0, decay=1e-3), rate=ConstantRate(0.2))
    state = run(play(rule), rng.key(0), 8000).state.agents[0]
    np.testing.assert_array_equal(state.greedy[0], np.ones(ROWS))
    value = np.zeros(ROWS)
    for _ in range(400):  # value iteration on the ring
        value = np.maximum((np.arange(ROWS) == 3) - 0.01 + 0.9 * np.roll(value, -1), 0.9 * value)
    np.testing.assert_allclose(rule.values(jax.tree.map(lambda x: x[0], state)).max(axis=1), value, atol=0.02)


def frequencies(rule, row, n=20_000, values=None):
    state = rule.init(rng.key(0), SPEC)
    if values is not None:
        table = np.zeros((ROWS, 8), np.float32)
        table[:, :ACTIONS] = values
        state = state._replace(table=jnp.asarray(table.reshape(-1)), greedy=jnp.full(ROWS, int(np.argmax(values))))
    keys = jax.vmap(lambda i: rng.fold(rng.key(7), i))(jnp.arange(n))
    actions = jax.jit(jax.vmap(lambda k: rule.act(k, state, (), jnp.int32(row))[0]))(keys)
    return np.bincount(actions, minlength=ACTIONS) / n, np.asarray(rule.policy(state))[row]


@pytest.mark.parametrize(
    ("explore", "expected"),
    [
        (EpsilonGreedy(0.3), [0.1, 0.8, 0.1]),
        (EpsilonGreedy(1.0), [1 / 3, 1 / 3, 1 / 3]),
        (EpsilonGreedy(0.0), [0.0, 1.0, 0.0]),
        (Boltzmann(2.0), np.exp([0.0, 2.0, 1.0]) / np.exp([0.0, 2.0, 1.0]).sum()),
        (Boltzmann(1e6), [0.0, 1.0, 0.0]),
    ],
)
def test_actions_are_chosen_with_the_stated_probabilities(explore, expected):
    seen, policy = frequencies(QLearning(ROWS, ACTIONS, explore=explore), 2, values=[0.0, 1.0, 0.5])
    np.testing.assert_allclose(policy, expected, atol=1e-6)
    np.testing.assert_allclose(seen, expected, atol=5 * np.sqrt(0.25 / 20_000))


@pytest.mark.parametrize("explore", [EpsilonGreedy(1.0), Boltzmann(1.0)])
@pytest.mark.parametrize("row", [0, 1, 4])
def test_only_legal_actions_are_played(explore, row):
    seen, policy = frequencies(QLearning(ROWS, ACTIONS, explore=explore, legal=triangle), row)
    expected = np.where(np.arange(ACTIONS) <= row, 1 / min(row + 1, ACTIONS), 0)
    np.testing.assert_allclose(policy, expected, atol=1e-6)
    np.testing.assert_allclose(seen, expected, atol=5 * np.sqrt(0.25 / 20_000))
    assert (seen[expected == 0] == 0).all()


def test_exploration_decays_to_its_floor():
    explore = EpsilonGreedy(1.0, decay=0.01, least=0.1)
    chances = [float(explore.probability(jnp.int32(n))) for n in (0, 100, 100_000)]
    np.testing.assert_allclose(chances, [1.0, 0.1 + 0.9 * np.exp(-1), 0.1], atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: QLearning(ROWS, ACTIONS, explore=Boltzmann(), rate=PolynomialRate(), initial=np.ones((ROWS, ACTIONS))),
        lambda: QLearning(ROWS, ACTIONS, legal=triangle),
    ],
    ids=["Boltzmann", "masked"],
)
def test_the_contract(make):
    contract.check_agent(make, SPEC, jnp.int32(2))


@pytest.mark.parametrize(
    ("rule", "spec", "says"),
    [
        (QLearning(ROWS, 4), SPEC, "has 4 actions; its seat accepts"),
        (QLearning(ROWS, ACTIONS), Spec(SPEC.obs, Real()), "its seat accepts Real"),
        (QLearning(ROWS, ACTIONS), Spec(jax.ShapeDtypeStruct((2,), jnp.int32), SPEC.action), "an Interface"),
        (QLearning(ROWS, ACTIONS), Spec(jax.ShapeDtypeStruct((), jnp.float32), SPEC.action), "an Interface"),
        (QLearning(ROWS, ACTIONS, initial=np.ones(4)), SPEC, "initial values have shape"),
    ],
)
def test_a_seat_that_does_not_fit_is_refused(rule, spec, says):
    with pytest.raises((BuildError, InputError), match=says):
        rule.init(rng.key(0), spec)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: QLearning(0, 3), "states must be an integer of at least 1"),
        (lambda: QLearning(3, 3, gamma=1.5), r"gamma must lie in \[0, 1\]"),
        (lambda: EpsilonGreedy(1.5), "epsilon must lie in"),
        (lambda: Boltzmann(0.0), r"inverse_temperature must lie in \(0"),
        (lambda: Boltzmann(-1.0), r"inverse_temperature must lie in \(0"),
        (lambda: ConstantRate(0.0), r"alpha must lie in \(0, 1\]"),
        (lambda: PolynomialRate(float("nan")), "power must lie in"),
    ],
)
def test_numbers_out_of_range_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
