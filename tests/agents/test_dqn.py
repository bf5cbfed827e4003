"""DQN: its ring, its target, and its values against value iteration on a tiny decision problem."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.deep.dqn import DQN
from catallax.agents.parts import replay_buffer
from catallax.core import (
    AbstractGame,
    Batch,
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
    rng,
    run,
)

pytestmark = pytest.mark.compile_effort("least")

SMALL = dict(widths=(8,), capacity=16, minibatch=4, steps=2, warmup=4, renew=3)
SPEC = Spec(jax.ShapeDtypeStruct((5,), jnp.float32), Discrete(2))
GAMMA = 0.8


class River(AbstractGame):
    """Five places in a row; swimming right works with chance 0.7 (else one slips left); left always works.

    The leftmost place pays 0.2 for staying, the rightmost pays 1 for swimming right.
    """

    @property
    def roles(self):
        return (Role("swimmer", 1, Discrete(2)),)

    def init(self, key):
        return jax.random.randint(key, (), 0, 5)

    def observe(self, world):
        return {"swimmer": jax.nn.one_hot(world, 5)[None]}

    def step(self, key, world, action):
        right = action["swimmer"][0] == 1
        reward = jnp.where(right, jnp.where(world == 4, 1.0, 0.0), jnp.where(world == 0, 0.2, 0.0))
        move = jnp.where(right & (rng.uniform(key) < 0.7), 1, -1)
        after = jnp.clip(world + move, 0, 4)
        return after, Outcome({"swimmer": reward[None]}, {"swimmer": jnp.ones(1)}, ())


def swim(rule, length, copies=1):
    return Play(River(), Population((Group("swimmer", None, rule),)), length=length, copies=copies, episodic=False)


def value_iteration():
    q = np.zeros((5, 2))
    for _ in range(500):
        v = q.max(axis=1)
        for s in range(5):
            left, right = max(s - 1, 0), min(s + 1, 4)
            q[s, 0] = (0.2 if s == 0 else 0.0) + GAMMA * v[left]
            q[s, 1] = (1.0 if s == 4 else 0.0) + GAMMA * (0.7 * v[right] + 0.3 * v[left])
    return q


def transitions(numbers):
    x = jnp.asarray(numbers, jnp.float32)
    return replay_buffer.Transition(x, x.astype(jnp.int32), x, jnp.ones_like(x), x + 1)


def test_the_ring_keeps_the_latest_and_draws_only_what_it_holds():
    form = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), transitions([0]))
    store = replay_buffer.empty(5, form)
    store = replay_buffer.put(store, transitions([1, 2]))
    assert int(store.size) == 2
    drawn = replay_buffer.draw(store, rng.key(0), 200)
    assert set(np.asarray(drawn.reward).tolist()) == {1.0, 2.0}
    np.testing.assert_array_equal(drawn.after, drawn.obs + 1)
    for start in range(3, 40, 2):
        store = replay_buffer.put(store, transitions([start, start + 1]))
        latest = {float(x) for x in range(max(1, start - 3), start + 2)}
        held = set(np.asarray(replay_buffer.draw(store, rng.key(start), 200).reward).tolist())
        assert held == set(sorted(latest)[-5:])
        assert int(store.total) < 10
    with pytest.raises(InputError, match="capacity"):
        replay_buffer.put(store, transitions(range(6)))


def test_pieces_must_fit():
    with pytest.raises(BuildError, match="finitely many"):
        DQN().init(rng.key(0), Spec(SPEC.obs, Real()))
    with pytest.raises(BuildError, match="vector"):
        DQN().init(rng.key(0), Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(2)))
    with pytest.raises(InputError, match="warmup"):
        DQN(capacity=10, warmup=11)
    with pytest.raises(InputError, match="steps"):
        DQN(steps=0)
    with pytest.raises(InputError, match="5 transitions a phase do not fit a store of 4"):
        swim(DQN(widths=(4,), capacity=4, warmup=2), length=5)


@pytest.mark.parametrize(("name", "value"), [("gamma", 1.01), ("least", -0.1), ("rate", -1.0), ("explore", 0.0)])
def test_numbers_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"DQN: {name} must lie in"):
        DQN(**{name: value})
    with pytest.raises(InputError, match=f"DQN: {name} must lie in"):
        DQN(**{name: float("nan")})


def batch_of(n):
    obs = jax.random.normal(rng.key(n), (1, n + 1, 5))
    return Batch(obs, jnp.zeros((1, n), jnp.int32), jnp.ones((1, n)), jnp.ones((1, n)), ())


def test_nothing_is_learnt_before_the_warmup_and_the_target_follows_in_steps():
    rule = DQN(**SMALL)
    state = rule.init(rng.key(0), SPEC)
    learn = eqx.filter_jit(rule.learn)
    early, _ = learn(rng.key(1), state, batch_of(3), jnp.int32(0))
    assert int(early.descents) == 0 and int(early.store.size) == 3
    np.testing.assert_array_equal(early.layers[0].weight, state.layers[0].weight)
    later, _ = learn(rng.key(2), early, batch_of(3), jnp.int32(1))  # steps 1 and 2 of 3
    assert int(later.descents) == 2
    assert not np.array_equal(later.layers[0].weight, state.layers[0].weight)
    np.testing.assert_array_equal(later.target[0].weight, state.layers[0].weight)
    renewed, _ = learn(rng.key(3), later, batch_of(3), jnp.int32(2))  # steps 3 and 4: renewed after the third
    assert not np.array_equal(renewed.target[0].weight, state.layers[0].weight)
    assert not np.array_equal(renewed.target[0].weight, renewed.layers[0].weight)


@pytest.mark.parametrize("double", [False, True])
def test_the_loss_by_hand(double):
    rule = DQN(**SMALL, gamma=0.5, double=double)
    state = rule.init(rng.key(0), SPEC)
    other = rule.init(rng.key(5), SPEC).layers
    obs, after = jax.random.normal(rng.key(1), (2, 3, 5))
    lived = replay_buffer.Transition(
        obs, jnp.asarray([0, 1, 1]), jnp.asarray([1.0, -2.0, 3.0]), jnp.asarray([1.0, 1.0, 0.0]), after
    )
    ahead, here = (np.asarray(rule.values(p, x)) for p, x in ((other, after), (state.layers, obs)))
    chooser = np.asarray(rule.values(state.layers, after)) if double else ahead
    error = [
        here[i, [0, 1, 1][i]] - ([1.0, -2.0, 3.0][i] + 0.5 * [1.0, 1.0, 0.0][i] * ahead[i, chooser[i].argmax()])
        for i in range(3)
    ]
    huber = np.mean([0.5 * e * e if abs(e) <= 1 else abs(e) - 0.5 for e in error])
    assert float(rule.loss(state.layers, other, lived)) == pytest.approx(huber, rel=1e-5)


def test_values_come_near_value_iteration_in_play():
    """Over eight keys the largest error was 0.13; at one constant rate 0.3: there the last samples weigh too much."""
    state = None
    for rate, start in ((2e-3, 0), (1e-4, 1500)):
        rule = DQN(
            rate=rate,
            gamma=GAMMA,
            least=0.5,
            explore=2000.0,
            widths=(32,),
            capacity=40_000,
            minibatch=64,
            steps=4,
            renew=100,
        )
        state = run(swim(rule, length=4, copies=4), rng.key(0), 1500, state=state, start=start).state
    state = jax.tree.map(lambda x: x[0], state.agents[0])
    ours, exact = np.asarray(rule.values(state.layers, jnp.eye(5))), value_iteration()
    np.testing.assert_allclose(ours, exact, atol=0.15)
    np.testing.assert_array_equal(ours.argmax(axis=1), exact.argmax(axis=1))
    assert int(state.store.size) == 40_000 and int(state.ticks) == 3000 * 16
