"""The actor-critic: gradient and update against independent formulas, both heads, and that it learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aiming import Aim

from catallax.agents.deep import ActorCritic
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
    Product,
    Real,
    Role,
    Spec,
    rng,
    run,
)

pytestmark = pytest.mark.compile_effort("least")

INPUTS = 2
SPEC = Spec(jax.ShapeDtypeStruct((INPUTS,), jnp.float32), Real())
CHOICE = SPEC._replace(action=Discrete(3))
_learn = eqx.filter_jit(lambda rule, state, batch: rule.learn(rng.key(0), state, batch, jnp.int32(0)))


def lived(seed=0, copies=3, ticks=4, finite=False):
    """A phase of random experience; one sequence ends in the middle."""
    random = np.random.default_rng(seed)
    draw = lambda *shape: jnp.asarray(random.normal(size=shape), jnp.float32)
    action = jnp.asarray(random.integers(0, 3, (copies, ticks)), jnp.int32) if finite else draw(copies, ticks)
    discount = jnp.full((copies, ticks), 0.9).at[1, 2].set(0.0)
    return Batch(draw(copies, ticks + 1, INPUTS), action, draw(copies, ticks), discount, ())


def returns(batch, gamma, scale, value, lambda_):
    """Lambda-advantages by their double sum."""
    reward, discount = scale * np.asarray(batch.reward, float), gamma * np.asarray(batch.discount, float)
    error = reward + discount * value[:, 1:] - value[:, :-1]
    out = np.zeros_like(error)
    for b, t in np.ndindex(*error.shape):
        weight = 1.0
        for k in range(t, error.shape[1]):
            out[b, t] += weight * error[b, k]
            weight *= lambda_ * discount[b, k]
    return out


def linear(layer, x):
    return x @ np.asarray(layer.weight, float) + np.asarray(layer.bias, float)


def first_step(rule, spec, batch):
    """Networks before one update, and the gradient that Adam was given: its first moment over 1 - 0.9."""
    state = rule.init(rng.key(1), spec)
    after, log = _learn(rule, state, batch)
    _, restored = jax.flatten_util.ravel_pytree(state.nets)
    return state.nets, restored(np.asarray(after.optimiser.mu) / 0.1), log, after.nets


FREE = dict(widths=(), norm=jnp.inf, value_weight=0.7, entropy_weight=0.03, reward_scale=2.0, gamma=0.8)


@pytest.mark.parametrize("lambda_", [0.0, 0.6, 1.0])
def test_gradient_is_the_formula_for_a_linear_gaussian_policy(lambda_):
    rule, batch = ActorCritic(**FREE, lambda_=lambda_, sigma=0.8), lived()
    nets, slope, log, _ = first_step(rule, SPEC, batch)
    obs = np.asarray(batch.obs, float)
    value = linear(nets.value[0], obs)[..., 0]
    gain = returns(batch, 0.8, 2.0, value, lambda_).ravel()
    x, n = obs[:, :-1].reshape(-1, INPUTS), gain.size
    error = (np.asarray(batch.action, float).ravel() - linear(nets.policy.layers[0], x)[:, 0]) / 0.8
    push, missed = -gain * error / 0.8 / n, -0.7 * gain / n  # the critic misses its target by the advantage
    close = lambda mine, theirs: np.testing.assert_allclose(mine, theirs, rtol=3e-4, atol=1e-6)
    close(slope.policy.layers[0].weight[:, 0], x.T @ push)
    close(slope.policy.layers[0].bias[0], push.sum())
    close(slope.policy.log_sigma, -(gain * (error**2 - 1)).mean() - 0.03)
    close(slope.value[0].weight[:, 0], x.T @ missed)
    close(slope.value[0].bias[0], missed.sum())
    assert float(log["value_error"]) == pytest.approx((gain**2).mean(), rel=1e-4)
    assert float(log["entropy"]) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 0.64), rel=1e-5)
    assert float(log["return"]) == pytest.approx(float(batch.reward.sum(axis=1).mean()), rel=1e-5)


def test_gradient_is_the_formula_for_a_softmax_policy():
    rule, batch = ActorCritic(**FREE), lived(1, finite=True)
    nets, slope, log, _ = first_step(rule, CHOICE, batch)
    assert nets.policy.log_sigma is None
    obs = np.asarray(batch.obs, float)
    gain = returns(batch, 0.8, 2.0, linear(nets.value[0], obs)[..., 0], 1.0).ravel()
    x, n = obs[:, :-1].reshape(-1, INPUTS), gain.size
    scores = np.exp(linear(nets.policy.layers[0], x))
    p = scores / scores.sum(axis=1, keepdims=True)
    entropy = -(p * np.log(p)).sum(axis=1)
    push = -gain[:, None] * (np.eye(3)[np.asarray(batch.action).ravel()] - p)
    push = (push + 0.03 * p * (np.log(p) + entropy[:, None])) / n
    np.testing.assert_allclose(slope.policy.layers[0].weight, x.T @ push, rtol=5e-4, atol=1e-6)
    np.testing.assert_allclose(slope.policy.layers[0].bias, push.sum(axis=0), rtol=5e-4, atol=1e-6)
    assert float(log["entropy"]) == pytest.approx(entropy.mean(), rel=1e-5)


@pytest.mark.parametrize("action", [Real(shape=(3,)), Discrete(4)], ids=["real", "finite"])
def test_gradient_is_its_finite_difference_through_hidden_layers(action):
    rule = ActorCritic(widths=(5,), entropy_weight=0.02)
    single = rule.init(rng.key(2), SPEC._replace(action=action)).nets
    random = np.random.default_rng(3)
    with jax.enable_x64(True):
        draw = lambda *shape: jnp.asarray(random.normal(size=shape))
        took = jnp.asarray(random.integers(0, 4, 9)) if isinstance(action, Discrete) else draw(9, 3)
        lived = draw(9, INPUTS), took, draw(9), draw(9)
        nets = jax.tree.map(lambda x: np.asarray(x, float), single)
        loss = jax.jit(jax.value_and_grad(lambda nets: rule.loss(nets, *lived)[0]))
        gradient = loss(nets)[1]
        for _ in range(4):
            along = jax.tree.map(lambda x: random.normal(size=x.shape), nets)
            ends = [float(loss(jax.tree.map(lambda x, d, h=h: x + h * d, nets, along))[0]) for h in (1e-6, -1e-6)]
            slope = sum(float((g * d).sum()) for g, d in zip(*map(jax.tree.leaves, (gradient, along)), strict=True))
            assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_the_step_is_adams_on_the_clipped_gradient_and_goes_downhill():
    batch = lived(2)
    nets, slope, log, _ = first_step(ActorCritic(**FREE), SPEC, batch)
    norm = float(log["gradient_norm"])
    flat = np.concatenate([np.ravel(x) for x in jax.tree.leaves(slope)])
    assert np.linalg.norm(flat) == pytest.approx(norm, rel=1e-4) and norm > 0.2
    _, short, _, after = first_step(ActorCritic(**(FREE | {"norm": 0.1}), rate=0.01), SPEC, batch)
    np.testing.assert_allclose(np.concatenate([np.ravel(x) for x in jax.tree.leaves(short)]), flat * 0.1 / norm, 1e-3)
    for new, old, g in zip(*map(jax.tree.leaves, (after, nets, short)), strict=True):
        np.testing.assert_allclose(new - old, -0.01 * g / (np.abs(g) + 1e-8), atol=2e-6)


def test_actions_are_drawn_from_the_policy_and_best_is_its_mode():
    rule, obs = ActorCritic(widths=(4,), sigma=0.4), jnp.asarray([0.5, -1.0])
    bits = rng.random_bits(rng.root(rng.key(2)), 1, jnp.int32(0), jnp.arange(4000), jnp.int32(0))
    acts = lambda state: jax.jit(jax.vmap(lambda k: rule.act(k, state, (), obs)[0]))(rng.key_from_bits(bits))
    state = rule.init(rng.key(0), SPEC._replace(action=Real(shape=(2,))))
    action = np.asarray(acts(state))
    np.testing.assert_allclose(action.mean(axis=0), rule.best(state, obs), atol=4 * 0.4 / 4000**0.5)
    np.testing.assert_allclose(np.cov(action.T), 0.16 * np.eye(2), atol=0.016)
    state = rule.init(rng.key(0), CHOICE)
    sharp = state.nets.policy.layers[-1]._replace(bias=jnp.asarray([0.0, 1.0, -1.0]))
    state = eqx.tree_at(lambda s: s.nets.policy.layers, state, (*state.nets.policy.layers[:-1], sharp))
    count = np.bincount(np.asarray(acts(state)), minlength=3) / 4000
    np.testing.assert_allclose(count, np.exp([0, 1, -1]) / np.exp([0, 1, -1]).sum(), atol=0.03)
    assert int(rule.best(state, obs)) == 1


def test_it_learns_to_aim():
    rule = ActorCritic(widths=(16,), rate=0.02, norm=10.0, sigma=0.4)
    play = Play(Aim(), Population([Group("aimer", None, rule)]), length=4, copies=32, episodic=False)
    state = run(play, rng.key(1), 250).state.agents[0]
    seat = jax.tree.map(lambda x: x[0], state)
    goals = jnp.linspace(-0.9, 0.9, 7)[:, None]
    np.testing.assert_allclose(jax.vmap(lambda o: rule.best(seat, o))(goals), goals[:, 0], atol=0.15)


class Arms(AbstractGame):
    """One seat, three arms; the good one is the number seen."""

    roles = (Role("player", 1, Discrete(3)),)

    def init(self, key):
        return jax.random.randint(key, (), 0, 3)

    def observe(self, world):
        return {"player": jax.nn.one_hot(world, 3)[None]}

    def step(self, key, world, action):
        reward = (action["player"] == world).astype(jnp.float32)
        return self.init(key), Outcome({"player": reward}, {"player": jnp.zeros(1)}, ())


def test_it_learns_which_arm_to_pull():
    rule = ActorCritic(widths=(8,), rate=0.02, norm=10.0)
    play = Play(Arms(), Population([Group("player", None, rule)]), length=4, copies=16)
    state = run(play, rng.key(1), 150).state.agents[0]
    seat = jax.tree.map(lambda x: x[0], state)
    assert [int(rule.best(seat, x)) for x in jnp.eye(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"widths": (8, 0)}, "a width must be an integer of at least 1"),
        ({"rate": -1e-3}, r"rate must lie in \[0, inf\)"),
        ({"gamma": 1.01}, r"gamma must lie in \[0, 1\]"),
        ({"lambda_": float("nan")}, "lambda_ must lie in"),
        ({"sigma": 0.0}, "sigma must lie in"),
        ({"norm": 0.0}, r"norm must lie in \(0, inf\]"),
        ({"reward_scale": (1.0, 2.0)}, "reward_scale must be one number"),
    ],
)
def test_parameters_that_cannot_be_are_refused(wrong, says):
    with pytest.raises(InputError, match=f"ActorCritic: {says}"):
        ActorCritic(**wrong)


def test_what_does_not_fit_says_so():
    with pytest.raises(BuildError, match="vector of features"):
        ActorCritic().init(rng.key(0), SPEC._replace(obs=jax.ShapeDtypeStruct((), jnp.float32)))
    with pytest.raises(BuildError, match="real numbers or chooses among finitely many"):
        ActorCritic().init(rng.key(0), SPEC._replace(action=Product((Real(), Real()))))
