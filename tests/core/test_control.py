"""The lifts: one flat axis, per-seat hyperparameters, shared and joint state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import HeavyCat, NoisyCat, RandomDog, TeamOfDogs

from catallax.core import Batch, BuildError, Discrete, Independent, Joint, Shared, Spec, rng
from catallax.core.control import flat_vmap

SPEC = Spec(jax.ShapeDtypeStruct((), jnp.float32), Discrete(5))


def words(*shape):
    n = int(np.prod(shape))
    w = rng.random_bits(rng.root(rng.key(0)), 1, jnp.int32(0), jnp.arange(n), jnp.int32(0))
    return rng.Bits(w.first.reshape(shape), w.second.reshape(shape))


@pytest.mark.parametrize("in_sequence", [False, True])
def test_flat_vmap_equals_nested_vmap(in_sequence):
    f = lambda x, y, t: {"sum": x["a"] @ y + t, "y": y * t}
    lifted = flat_vmap(f, (True, True, False), in_sequence)
    x = {"a": jnp.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)}
    y, t = jnp.arange(2 * 3 * 5.0).reshape(2, 3, 5), jnp.float32(2.0)
    plain = jax.vmap(jax.vmap(f, (0, 0, None)), (0, 0, None))(x, y, t)
    once = jax.vmap(lifted, (0, 0, None))(x, y, t)
    jax.tree.map(np.testing.assert_allclose, once, plain)
    some = jax.vmap(lifted, (0, None, 0))(x, y[0], jnp.arange(2.0))  # an unbatched row argument, a batched shared one
    want = jax.vmap(lambda x, t: jax.vmap(f, (0, 0, None))(x, y[0], t))(x, jnp.arange(2.0))
    jax.tree.map(np.testing.assert_allclose, some, want)
    twice = jax.vmap(jax.vmap(lifted, (0, 0, None)), (None, 0, 0))(x, jnp.stack([y, -y]), jnp.arange(2.0))
    assert twice["sum"].shape == (2, 2, 3, 4)
    np.testing.assert_allclose(twice["sum"][0], jax.vmap(jax.vmap(f, (0, 0, None)), (0, 0, None))(x, y, 0.0)["sum"])


def test_flat_vmap_makes_one_batch_axis():
    lifted = flat_vmap(lambda x, i: x[i], (True, True))
    jaxpr = jax.make_jaxpr(jax.vmap(jax.vmap(lifted)))(jnp.zeros((2, 3, 4, 9)), jnp.zeros((2, 3, 4), int))
    assert "f32[24,9]" in str(jaxpr)


@pytest.mark.parametrize("rule", [NoisyCat, HeavyCat])
def test_independent_is_the_rule_seat_by_seat(rule):
    control, agent = Independent(rule(scale=0.5)), rule(scale=0.5)
    state = control.init(words(4), SPEC)
    memory = control.reset(words(4, 3), state)
    obs = jnp.linspace(0.0, 1.0, 12).reshape(4, 3)
    action, after, extras = control.act(words(4, 3), state, memory, obs)
    for n in range(4):
        for e in range(3):
            w = rng.Bits(words(4, 3).first[n, e], words(4, 3).second[n, e])
            mine = jax.tree.map(lambda x, n=n, e=e: x[n, e], memory)
            a, m, x = agent.act(rng.key_from_bits(w), state[n], mine, obs[n, e])
            np.testing.assert_allclose(action[n, e], a, rtol=1e-6)
            np.testing.assert_allclose(after["said"][n, e], m["said"], rtol=1e-6)
            np.testing.assert_allclose(extras["noise"][n, e], x["noise"], rtol=1e-6)
    reward = jnp.arange(4 * 3 * 2.0).reshape(4, 3, 2)
    batch = Batch(jnp.zeros((4, 3, 3)), jnp.zeros((4, 3, 2)), reward, jnp.ones((4, 3, 2)), ())
    learnt, log = control.learn(words(4), state, batch, jnp.int32(0))
    np.testing.assert_allclose(log["reward"], reward.mean(axis=(1, 2)))
    assert learnt.shape == (4,)


def test_each_gives_every_seat_its_own_hyperparameters():
    control = Independent.each([NoisyCat(scale=s) for s in (0.0, 1.0, 2.0)])
    state = jnp.zeros(3)
    memory = jax.tree.map(jnp.zeros_like, control.reset(words(3, 1), state))
    action, _, extras = control.act(words(3, 1), state, memory, jnp.full((3, 1), 10.0))
    np.testing.assert_allclose((action - extras["noise"])[:, 0], [0.0, 10.0, 20.0], rtol=1e-6)
    with pytest.raises(BuildError, match="differ in more than"):
        Independent.each([NoisyCat(), NoisyCat(learns=False)])
    with pytest.raises(BuildError, match="at least one"):
        Independent.each([])


def test_shared_has_one_state_and_learns_from_the_named_seats():
    obs, reward = jnp.zeros((3, 2)), jnp.arange(3 * 2 * 4.0).reshape(3, 2, 4)
    batch = Batch(jnp.zeros((3, 2, 5)), jnp.zeros((3, 2, 4)), reward, jnp.ones((3, 2, 4)), ())
    everyone, first = Shared(NoisyCat()), Shared(NoisyCat(), learn_from=[0])
    state = everyone.init(words(3), SPEC)
    assert state.shape == ()
    action, memory, _ = everyone.act(words(3, 2), state, everyone.reset(words(3, 2), state), obs)
    assert action.shape == (3, 2) and memory["n"].shape == (3, 2)
    assert float(everyone.learn(words(3), state, batch, jnp.int32(0))[1]["reward"]) == float(reward.mean())
    assert float(first.learn(words(3), state, batch, jnp.int32(0))[1]["reward"]) == float(reward[0].mean())


def test_joint_sees_and_moves_the_whole_team():
    control = Joint(TeamOfDogs())
    memory = control.reset(words(3, 2), ())
    action, memory, extras = control.act(words(3, 2), (), memory, jnp.zeros((3, 2)))
    assert action.shape == (3, 2) and memory.shape == (2,) and extras["start"].shape == (2,)
    assert ((action[1] - action[0]) % 5 == 1).all()
    batch = Batch(
        jnp.zeros((3, 2, 5)),
        jnp.zeros((3, 2, 4), int),
        jnp.zeros((3, 2, 4)),
        jnp.ones((3, 2, 4)),
        {"start": jnp.zeros((2, 4))},
    )
    _, log = control.learn(words(3), (), batch, jnp.int32(0))
    assert log["shape"].tolist() == [2, 4, 3] and log["extras"].tolist() == [2, 4]


def test_a_rule_without_state_or_memory_lifts():
    action, memory, extras = Independent(RandomDog()).act(words(3, 2), (), (), jnp.zeros((3, 2)))
    assert action.shape == (3, 2) and memory == () and extras == ()
