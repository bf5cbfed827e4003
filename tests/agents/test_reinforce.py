"""REINFORCE: gradient, reward-to-go, baseline, clipping, optimiser, schedule; and it learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from catallax.agents.deep import Reinforce
from catallax.agents.parts import MLP
from catallax.core import (
    AbstractGame,
    Batch,
    BuildError,
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
from catallax.games.double_auction import memoryless_market, standard_interface

pytestmark = pytest.mark.compile_effort("least")

INPUTS, COPIES, TICKS = 3, 4, 5
TINY = MLP((4, 3), final_gain=0.5)
FREE = dict(network=TINY, clip=1e9)  # nothing clipped
SPEC = Spec(jax.ShapeDtypeStruct((INPUTS,), jnp.float32), Real())

_init = eqx.filter_jit(lambda agent, key: agent.init(key, SPEC))
_learn = eqx.filter_jit(lambda agent, state, batch: agent.learn(rng.key(0), state, batch, jnp.int32(0)))


def lived(seed=0, copies=COPIES, ticks=TICKS):
    """A batch of random experience; one sequence ends early, as episodes of other games may."""
    draw = np.random.default_rng(seed)
    discount = np.ones((copies, ticks))
    discount[0, 2] = 0.0
    return Batch(
        jnp.asarray(draw.normal(size=(copies, ticks + 1, INPUTS)), jnp.float32),
        jnp.asarray(draw.normal(size=(copies, ticks)), jnp.float32),
        jnp.asarray(100 * draw.normal(size=(copies, ticks)), jnp.float32),
        jnp.asarray(discount, jnp.float32),
        (),
    )


def gradient_of(before, after):
    """The gradient that Adam was given in its first step: its first moment over 1 - 0.9."""
    assert int(before.optimiser.count) == 0 and int(after.optimiser.count) == 1
    _, restored = ravel_pytree(before.layers)
    return jax.tree.map(lambda m: np.asarray(m, float) / 0.1, restored(after.optimiser.mu))


def returns_to_go(batch, gamma, scale):
    """By the definition: sum over k >= t of gamma^(k - t) r_k, as long as the episode lasts."""
    reward, discount = np.asarray(batch.reward, float) / scale, np.asarray(batch.discount, float)
    out = np.zeros_like(reward)
    for b, t in np.ndindex(*reward.shape):
        weight = 1.0
        for k in range(t, reward.shape[1]):
            out[b, t] += weight * reward[b, k]
            weight *= gamma * discount[b, k]
    return out


def network(layers, x):
    """The tiny network in double precision."""
    for weight, bias in layers[:-1]:
        x = x @ weight + bias
        x = np.where(x > 0, x, 0.01 * x)
    return np.tanh(x @ layers[-1][0] + layers[-1][1])[..., 0]


def loss(layers, batch, sigma, weight):
    """Minus the weighted log-likelihood of the actions under N(mu, sigma)."""
    error = (np.asarray(batch.action, float) - network(layers, np.asarray(batch.obs, float)[:, :-1])) / sigma
    return -(weight * (-0.5 * error**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))).sum()


def finite_differences(layers, *args, step=1e-5):
    flat, rebuild = jax.tree.flatten(layers)
    out = [np.zeros_like(x) for x in flat]
    for leaf, slope in zip(flat, out, strict=True):
        for i in np.ndindex(*leaf.shape):
            kept = leaf[i]
            ends = []
            for at in (kept - step, kept + step):
                leaf[i] = at
                ends.append(loss(jax.tree.unflatten(rebuild, flat), *args))
            leaf[i] = kept
            slope[i] = (ends[1] - ends[0]) / (2 * step)
    return jax.tree.unflatten(rebuild, out)


def close(ours, theirs, rtol=2e-4, atol=1e-5):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=rtol, atol=atol), ours, theirs)


@pytest.mark.parametrize("baseline", [False, True])
def test_the_gradient_is_that_of_finite_differences(baseline):
    agent, batch = Reinforce(**FREE, baseline=baseline), lived()
    state = _init(agent, rng.key(1))
    after, _ = _learn(agent, state, batch)
    weight = returns_to_go(batch, 0.99, 100.0)
    if baseline:  # the mean of the other sequences
        others = (weight.sum(axis=0) - weight) / (COPIES - 1)
        weight = weight - others
    layers = jax.tree.map(lambda x: np.array(x, float), tuple(tuple(layer) for layer in state.layers))
    expected = finite_differences(layers, batch, float(state.sigma), weight)
    close(tuple(tuple(layer) for layer in gradient_of(state, after)), expected, rtol=1e-3)


def test_the_gradient_is_the_analytic_score_of_the_gaussian():
    """Without hidden layers mu = tanh(w x + b): d log N / d mu = +(a - mu) / sigma^2, with no half and no minus."""
    agent, batch = Reinforce(network=MLP((), final_gain=0.5), clip=1e9), lived(1)
    state = _init(agent, rng.key(2))
    after, _ = _learn(agent, state, batch)
    x, a = np.asarray(batch.obs, float)[:, :-1], np.asarray(batch.action, float)
    mu = np.tanh(x @ np.asarray(state.layers[0].weight, float) + np.asarray(state.layers[0].bias, float))[..., 0]
    score = (a - mu) / 0.7**2 * (1 - mu**2)
    push = -score * returns_to_go(batch, 0.99, 100.0)
    found = gradient_of(state, after)[0]
    close(found.weight[:, 0], np.einsum("bt,bti->i", push, x))
    close(found.bias, [push.sum()])
    assert np.sign(after.layers[0].bias - state.layers[0].bias) == -np.sign(push.sum())  # downhill


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.99, 1.0])
def test_reward_to_go_is_its_definition(gamma):
    agent, batch = Reinforce(gamma=gamma, reward_scale=10.0), lived(2, copies=3, ticks=9)
    close(agent._advantage(batch), returns_to_go(batch, gamma, 10.0))


def test_the_baseline_leaves_the_mean_of_the_gradient_and_takes_most_of_its_variance():
    """10,000 batches of a one-tick bandit whose rewards are far from zero."""
    agent = Reinforce(network=MLP((), final_gain=0.5), clip=1e9)
    state = _init(agent, rng.key(3))
    corrected = eqx.tree_at(lambda a: a.clip, Reinforce(network=MLP((), final_gain=0.5), baseline=True), agent.clip)

    @eqx.filter_jit
    def gradients(agent, keys):
        def one(key):
            acts = jax.random.split(rng.fold(key, 1), COPIES)
            obs = jnp.ones((COPIES, 2, INPUTS))
            action = jax.vmap(lambda k: agent.act(k, state, (), obs[0, 0])[0])(acts)[:, None]
            reward = 2000.0 - 100.0 * (action - 0.4) ** 2
            after, _ = agent.learn(key, state, Batch(obs, action, reward, jnp.ones((COPIES, 1)), ()), jnp.int32(0))
            return ravel_pytree(state.layers)[1](after.optimiser.mu)[0].bias[0] / 0.1

        return jax.vmap(one)(keys)

    keys = jax.random.split(rng.key(4), 10_000)
    plain, better = (np.asarray(gradients(a, keys), float) for a in (agent, corrected))
    error = (plain - better).std() / 100
    assert abs(plain.mean() - better.mean()) < 4 * error
    assert better.var() < 0.2 * plain.var()
    assert abs(better.mean()) > 10 * better.std() / 100  # and there is something to agree on


def test_the_gradient_is_clipped_by_its_norm():
    batch = lived(3)
    state = _init(Reinforce(**FREE), rng.key(5))
    free, log = _learn(Reinforce(**FREE), state, batch)
    norm = float(optax.tree.norm(gradient_of(state, free)))
    assert norm == pytest.approx(float(log["gradient_norm"]), rel=1e-4) and norm > 0.1
    short, log_short = _learn(Reinforce(network=TINY, clip=0.1), state, batch)
    assert float(log_short["gradient_norm"]) == pytest.approx(norm, rel=1e-4)  # what is logged is not clipped
    close(gradient_of(state, short), jax.tree.map(lambda g: g * 0.1 / norm, gradient_of(state, free)), rtol=1e-3)
    long, _ = _learn(Reinforce(network=TINY, clip=2 * norm), state, batch)
    close(gradient_of(state, long), gradient_of(state, free))


def test_updates_are_those_of_clipped_adam_in_optax():
    agent = Reinforce(network=TINY, rate=0.01, clip=1.0)
    state = _init(agent, rng.key(6))
    reference = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01))
    layers, memory = state.layers, reference.init(state.layers)

    @jax.jit
    def step(layers, memory, batch, weight, sigma):
        def minus_likelihood(layers):
            error = (batch.action - TINY(layers, batch.obs[:, :-1])[..., 0]) / sigma
            return (weight * 0.5 * error**2).sum()

        update, memory = reference.update(jax.grad(minus_likelihood)(layers), memory, layers)
        return optax.apply_updates(layers, update), memory

    sigma = 0.7
    for n in range(4):
        batch = lived(10 + n)
        layers, memory = step(layers, memory, batch, jnp.asarray(returns_to_go(batch, 0.99, 100.0), jnp.float32), sigma)
        state, _ = _learn(agent, state, batch)
        close(state.layers, layers, atol=2e-5)
        sigma *= 0.995
        assert float(state.sigma) == pytest.approx(sigma)


def test_sigma_shrinks_by_half_a_percent_until_it_is_below_its_least():
    agent, batch = Reinforce(network=MLP(())), lived(copies=2, ticks=3)
    state = _init(agent, rng.key(7))

    @jax.jit
    def shrink(state):
        def step(state, _):
            state, log = agent.learn(rng.key(0), state, batch, jnp.int32(0))
            return state, (state.sigma, log["sigma"])

        return jax.lax.scan(step, state, None, length=600)[1]

    sigma, used = (np.asarray(x, float) for x in shrink(state))
    updates = int(np.ceil(np.log(0.05 / 0.7) / np.log(0.995)))  # 527
    np.testing.assert_allclose(sigma[:updates], 0.7 * 0.995 ** np.arange(1, updates + 1), rtol=1e-4)
    assert sigma[updates - 2] > 0.05 > sigma[updates - 1]
    assert (sigma[updates:] == sigma[updates - 1]).all()
    np.testing.assert_array_equal(used[1:], sigma[:-1])  # logged: the one that acted


def test_actions_are_normal_around_the_mean_and_never_clipped():
    agent = Reinforce(network=TINY)
    state = _init(agent, rng.key(8))
    obs = jnp.asarray([0.5, -1.0, 2.0])
    keys = jax.random.split(rng.key(9), 20_000)
    action = np.asarray(jax.jit(jax.vmap(lambda key: agent.act(key, state, (), obs)[0]))(keys), float)
    mean = float(TINY(state.layers, obs)[0])
    assert abs(action.mean() - mean) < 4 * 0.7 / np.sqrt(20_000)
    assert abs(action.std() - 0.7) < 4 * 0.7 / np.sqrt(40_000)
    assert (np.abs(action) > 1).mean() > 0.1


# It learns.


class Bandit(AbstractGame):
    """One seat, one tick: the reward falls with the squared distance from 0.4."""

    roles = (Role("player", 1, Real()),)

    def init(self, key):
        return jnp.zeros(())

    def observe(self, world):
        return {"player": jnp.ones((1, 2))}

    def step(self, key, world, action):
        reward = 100.0 - 100.0 * (action["player"] - 0.4) ** 2
        return world, Outcome({"player": reward}, {"player": jnp.zeros(1)}, ())


def test_it_finds_the_best_of_a_one_tick_bandit():
    agent = Reinforce(network=MLP((8,)), rate=0.02, sigma=0.4, sigma_decay=0.99, baseline=True)
    play = Play(Bandit(), Population([Group("player", None, agent)]), length=1, copies=32)
    before = play.init(rng.key(1)).agents[0]
    after = run(play, rng.key(1), 200).state.agents[0]
    mean = lambda state: float(agent.network(jax.tree.map(lambda x: x[0], state.layers), jnp.ones(2))[0])
    assert abs(mean(before)) < 0.1
    assert abs(mean(after) - 0.4) < 0.05


# What it refuses.


@pytest.mark.parametrize("form", [(), (2, 3)])
def test_observations_must_be_vectors(form):
    with pytest.raises(BuildError, match="Reinforce needs a vector of features"):
        Reinforce().init(rng.key(0), Spec(jax.ShapeDtypeStruct(form, jnp.float32), Real()))


def test_in_the_market_it_needs_an_interface():
    game = memoryless_market()
    groups = [Group(r.name, None, Reinforce(network=TINY)) for r in game.roles]
    with pytest.raises(BuildError, match="an Interface with a view, such as standard_interface"):
        Play(game, Population(groups), length=game.length)


def test_a_baseline_needs_another_sequence_to_compare_with():
    game = memoryless_market()
    groups = [Group(r.name, None, Reinforce(network=TINY, baseline=True), standard_interface()) for r in game.roles]
    with pytest.raises(BuildError, match="copies of at least 2"):
        Play(game, Population(groups), length=game.length)


@pytest.mark.parametrize(
    ("name", "value"),
    [("gamma", 1.1), ("rate", -0.1), ("sigma", 0.0), ("sigma_least", -1.0), ("reward_scale", 0.0), ("clip", 0.0)],
)
def test_parameters_must_lie_in_their_ranges(name, value):
    for wrong in (value, float("nan")):
        with pytest.raises(InputError, match=f"Reinforce: {name} must lie in"):
            Reinforce(**{name: wrong})
