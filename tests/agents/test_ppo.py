"""PPO: advantages, loss, gradient and update against independent formulas; and what it refuses."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aiming import Aim
from hypothesis import given
from hypothesis import strategies as st

from catallax.agents.deep import PPO
from catallax.agents.deep.ppo import Experience, clipped_objective
from catallax.agents.parts.advantage import generalised_advantage
from catallax.agents.parts.policy import log_density
from catallax.core import Batch, BuildError, Group, InputError, Play, Population, Product, Real, Spec, rng

pytestmark = pytest.mark.compile_effort("least")

SPEC = Spec(jax.ShapeDtypeStruct((2,), jnp.float32), Real())
SMALL = dict(widths=(8,), passes=1, minibatches=1)  # one form, so that each function below is compiled once
_init = eqx.filter_jit(lambda rule, shape: rule.init(rng.key(0), SPEC._replace(action=Real(shape=shape))))
_gradient = eqx.filter_jit(lambda rule, actor, lived: jax.grad(rule.loss, has_aux=True)(actor, lived)[0])
_best = eqx.filter_jit(lambda rule, state, obs: jax.vmap(lambda o: rule.best(state, o))(obs))


def fresh(rule, shape=()):
    """The rule's first state."""
    return _init(rule, shape)


def by_definition(reward, discount, value, lambda_):
    """The double sum, term by term."""
    batch, ticks = reward.shape
    error = reward + discount * value[:, 1:] - value[:, :-1]
    out = np.zeros((batch, ticks))
    for b in range(batch):
        for t in range(ticks):
            weight = 1.0
            for k in range(t, ticks):
                out[b, t] += weight * error[b, k]
                weight *= lambda_ * discount[b, k]
    return out


@given(st.integers(0, 2**31 - 1), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_advantages_are_the_double_sum_of_their_definition(seed, lambda_):
    random, batch, ticks = np.random.default_rng(seed), 3, 9
    reward, value = random.normal(size=(batch, ticks)), random.normal(size=(batch, ticks + 1))
    discount = random.choice([0.0, 0.9, 1.0], size=(batch, ticks))
    single = [jnp.asarray(x, jnp.float32) for x in (reward, discount, value)]
    ours = jax.jit(generalised_advantage)(*single, jnp.float32(lambda_))
    np.testing.assert_allclose(ours, by_definition(reward, discount, value, lambda_), rtol=1e-4, atol=1e-4)


def test_lambda_one_is_the_return_less_the_value_and_lambda_zero_the_one_step_error():
    reward, discount = jnp.asarray([[1.0, 2.0, 3.0]]), jnp.full((1, 3), 0.5)
    value = jnp.asarray([[1.0, 1.0, 1.0, 4.0]])
    np.testing.assert_allclose(
        generalised_advantage(reward, discount, value, 1.0), [[1 + 1 + 0.75 + 0.5 - 1, 2 + 1.5 + 1 - 1, 3 + 2 - 1]]
    )
    np.testing.assert_allclose(generalised_advantage(reward, discount, value, 0.0), [[0.5, 1.5, 4.0]])


def test_the_clip_by_hand():
    ratio = jnp.asarray([0.5, 0.9, 1.5, 0.5, 1.1, 1.5])
    advantage = jnp.asarray([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    by_hand = [0.5, 0.9, 1.2, -0.8, -1.1, -1.5]
    np.testing.assert_allclose(clipped_objective(ratio, advantage, 0.2), by_hand, rtol=1e-6)


def test_density_is_scipys():
    from scipy.stats import multivariate_normal

    action, mean, log_sigma = jnp.asarray([0.3, -1.0]), jnp.asarray([0.1, 0.2]), jnp.asarray([-0.5, 0.4])
    theirs = multivariate_normal(np.asarray(mean), np.diag(np.exp(2 * np.asarray(log_sigma)))).logpdf(action)
    assert float(jax.jit(log_density)(action, mean, log_sigma)) == pytest.approx(theirs, rel=1e-5)


def samples(n=12, actions=1, dtype=jnp.float32):
    """Random experience in which some ratios lie beyond the clip on either side."""
    random = np.random.default_rng(1)
    draw = lambda *shape: jnp.asarray(random.normal(size=shape), dtype)
    return Experience(draw(n, 2), draw(n, actions), 0.5 * draw(n) - 1.0, draw(n), draw(n))


def test_gradient_of_the_loss_is_the_formula_for_linear_networks():
    rule = PPO(widths=(), value_weight=0.7, entropy_weight=0.03, sigma=0.8)
    state, lived = fresh(rule), samples()
    weight, bias = (np.asarray(x, float) for x in state.actor.policy.layers[0])
    x, a, old, gain, target = (np.asarray(x, float) for x in lived)
    mean, sigma = (x @ weight + bias)[:, 0], 0.8
    error = (a[:, 0] - mean) / sigma
    ratio = np.exp(-0.5 * error**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi) - old)
    free = np.where(gain > 0, ratio < 1.2, ratio > 0.8)
    assert 0 < free.sum() < len(free)
    assert ((~free) & (gain > 0)).any() and ((~free) & (gain < 0)).any()
    pull = -np.where(free, ratio * gain, 0) / len(x)  # d loss / d ln w
    value_weight, value_bias = (np.asarray(x, float) for x in state.actor.value[0])
    missed = 0.7 * ((x @ value_weight + value_bias)[:, 0] - target) / len(x)
    ours = _gradient(rule, state.actor, lived)
    close = lambda mine, theirs: np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=1e-6)
    close(ours.policy.layers[0].weight[:, 0], x.T @ (pull * error / sigma))
    close(ours.policy.layers[0].bias[0], (pull * error / sigma).sum())
    close(ours.policy.log_sigma, (pull * (error**2 - 1)).sum() - 0.03)
    close(ours.value[0].weight[:, 0], x.T @ missed)
    close(ours.value[0].bias[0], missed.sum())


def test_gradient_of_the_loss_is_its_finite_difference():
    rule = PPO(**SMALL, entropy_weight=0.01)
    single = fresh(rule, (3,)).actor
    with jax.enable_x64(True):
        actor, lived = jax.tree.map(lambda x: np.asarray(x, float), single), samples(actions=3, dtype=jnp.float64)
        loss = jax.jit(jax.value_and_grad(lambda actor: rule.loss(actor, lived)[0]))
        gradient, random = jax.tree.map(np.asarray, loss(actor)[1]), np.random.default_rng(0)
        for _ in range(5):
            along = jax.tree.map(lambda x: random.normal(size=x.shape), actor)
            moved = lambda h, along=along: float(loss(jax.tree.map(lambda x, d: x + h * d, actor, along))[0])
            slope = sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), gradient, along)))
            assert slope == pytest.approx((moved(1e-6) - moved(-1e-6)) / 2e-6, rel=1e-5)


def test_no_gradient_flows_through_what_the_clip_holds_back():
    rule = PPO(**SMALL, value_weight=0.0)
    state = fresh(rule)
    obs = jax.random.normal(rng.key(1), (12, 2))
    action = _best(rule, state, obs)[:, None] + 0.3
    now = log_density(action, action - 0.3, state.actor.policy.log_sigma.reshape(-1))
    grad = lambda old, sign: _gradient(
        rule, state.actor, Experience(obs, action, old, jnp.full(12, sign), jnp.zeros(12))
    )
    size = lambda tree: max(float(jnp.abs(x).max()) for x in jax.tree.leaves(tree))
    assert size(grad(now - 1.0, 1.0)) == 0.0  # ratio e > 1.2 and the advantage would push it further
    assert size(grad(now - 1.0, -1.0)) > 0.0  # ... but is pulled back where it was a mistake
    assert size(grad(now, 1.0)) > 0.0


def lived_through(rule, state):
    """A phase of 3 sequences of 4 ticks, one of which ends in the middle."""
    random = np.random.default_rng(2)
    draw = lambda *shape: jnp.asarray(random.normal(size=shape), jnp.float32)
    obs, action = draw(3, 5, 2), draw(3, 4)
    mean = _best(rule, state, obs[:, :-1].reshape(-1, 2)).reshape(3, 4)
    density = log_density(action[..., None], mean[..., None], state.actor.policy.log_sigma.reshape(-1))
    return Batch(obs, action, draw(3, 4), jnp.full((3, 4), 0.9).at[1, 2].set(0.0), density)


def test_one_pass_over_one_batch_is_one_step_of_adam_on_the_clipped_gradient():
    rule = PPO(**SMALL, rate=0.01, rate_decay=0.5, norm=0.1, reward_scale=2.0, gamma=0.8)
    state = fresh(rule)
    batch = lived_through(rule, state)
    after, log = eqx.filter_jit(rule.learn)(rng.key(1), state, batch, jnp.int32(3))
    value = np.asarray(rule.value(state, batch.obs), float)
    advantage = by_definition(2.0 * np.asarray(batch.reward), 0.8 * np.asarray(batch.discount), value, 0.95)
    target = jnp.asarray((advantage + value[:, :-1]).ravel(), jnp.float32)
    standard = jnp.asarray(((advantage - advantage.mean()) / advantage.std()).ravel(), jnp.float32)
    flat = Experience(
        batch.obs[:, :-1].reshape(12, 2), batch.action.reshape(12, 1), batch.extras.reshape(12), standard, target
    )
    gradient = _gradient(rule, state.actor, flat)
    norm = np.sqrt(sum(float((g**2).sum()) for g in jax.tree.leaves(gradient)))
    assert norm > 0.1 and float(log["gradient_norm"]) == pytest.approx(norm, rel=1e-3)
    g = jnp.concatenate([g.ravel() for g in jax.tree.leaves(gradient)])
    np.testing.assert_allclose(after.optimiser.mu / 0.1, g * 0.1 / norm, rtol=1e-3, atol=1e-6)
    for new, old, g in zip(*(jax.tree.leaves(t) for t in (after.actor, state.actor, gradient)), strict=True):
        g = g * 0.1 / norm
        np.testing.assert_allclose(new - old, -0.01 * 0.5**3 * g / (jnp.abs(g) + 1e-8), atol=2e-6)
    assert float(log["return"]) == pytest.approx(float(batch.reward.sum(axis=1).mean()), rel=1e-5)
    assert float(log["clip_fraction"]) == 0.0  # before the first step all ratios are 1


def test_each_pass_visits_every_sample_once_in_an_order_of_its_own():
    orders = np.asarray(PPO(passes=3, minibatches=4)._orders(rng.key(0), 20))
    assert orders.shape == (12, 5)
    passes = orders.reshape(3, 20)
    assert (np.sort(passes, axis=1) == np.arange(20)).all()
    assert len({tuple(row) for row in (*passes, np.arange(20))}) == 4


def test_values_bootstrap_a_cut_and_not_an_end():
    rule = PPO(**SMALL, standardise=False, lambda_=0.0, gamma=0.9)
    state = fresh(rule)
    obs = jax.random.normal(rng.key(1), (1, 3, 2))
    batch = Batch(obs, jnp.zeros((1, 2)), jnp.ones((1, 2)), jnp.asarray([[1.0, 0.0]]), jnp.zeros((1, 2)))
    target = eqx.filter_jit(rule._experience)(state, batch)[0].target
    np.testing.assert_allclose(target, [1 + 0.9 * float(rule.value(state, obs[0, 1])), 1.0], rtol=1e-5)


def test_actions_are_drawn_from_the_policy_whose_density_is_remembered():
    rule = PPO(**SMALL, sigma=0.4)
    state, obs = fresh(rule, (3,)), jnp.asarray([0.5, -1.0])
    words = rng.random_bits(rng.root(rng.key(2)), 1, jnp.int32(0), jnp.arange(4000), jnp.int32(0))
    action, _, density = jax.jit(jax.vmap(lambda k: rule.act(k, state, (), obs)))(rng.key_from_bits(words))
    mean = rule.best(state, obs)
    np.testing.assert_allclose(action.mean(axis=0), mean, atol=4 * 0.4 / 4000**0.5)
    np.testing.assert_allclose(np.cov(np.asarray(action).T), 0.16 * np.eye(3), atol=0.016)
    np.testing.assert_allclose(
        density, log_density(action, jnp.broadcast_to(mean, (4000, 3)), jnp.full(3, jnp.log(0.4))), rtol=1e-4
    )


def test_actions_have_the_shape_of_the_space():
    rule = PPO(**SMALL)
    for shape in ((), (1,), (2, 3)):
        state = jax.eval_shape(lambda shape=shape: rule.init(rng.key(0), SPEC._replace(action=Real(shape=shape))))
        action, _, density = jax.eval_shape(lambda s: rule.act(rng.key(1), s, (), jnp.ones(2)), state)
        best = jax.eval_shape(lambda s: rule.best(s, jnp.ones(2)), state)
        assert action.shape == shape == best.shape and density.shape == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"passes": 0}, "passes must be an integer of at least 1"),
        ({"minibatches": True}, "minibatches must be an integer of at least 1"),
        ({"widths": (8, 0)}, "a width must be an integer of at least 1"),
        ({"rate": -1e-3}, r"rate must lie in \[0, inf\)"),
        ({"rate_decay": 0.0}, r"rate_decay must lie in \(0, inf\)"),
        ({"gamma": 1.01}, r"gamma must lie in \[0, 1\]"),
        ({"lambda_": float("nan")}, "lambda_ must lie in"),
        ({"clip": 0.0}, "clip must lie in"),
        ({"sigma": 0.0}, "sigma must lie in"),
        ({"norm": 0.0}, r"norm must lie in \(0, inf\]"),
        ({"value_weight": -1.0}, "value_weight must lie in"),
        ({"reward_scale": float("inf")}, r"reward_scale must lie in \(0, inf\), got inf"),
        ({"rate": (1e-3, 2e-3)}, "rate must be one number"),
    ],
)
def test_parameters_that_cannot_be_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        PPO(**wrong)


def test_what_does_not_fit_says_so_when_it_is_built():
    play = lambda rule, **size: Play(Aim(), Population((Group("aimer", None, rule),)), **size)
    with pytest.raises(BuildError, match=r"4 samples a phase .* 3 minibatches"):
        play(PPO(minibatches=3), length=4)
    with pytest.raises(BuildError, match="2 samples"):
        play(PPO(minibatches=1), length=1)
    with pytest.raises(BuildError, match="real numbers"):
        PPO().init(rng.key(0), Spec(SPEC.obs, Product((Real(), Real()))))
    with pytest.raises(BuildError, match="vector"):
        PPO().init(rng.key(0), Spec(jax.ShapeDtypeStruct((), jnp.float32), Real()))
