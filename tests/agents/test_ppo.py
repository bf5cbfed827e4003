"""PPO: advantages against their definition, the clip by hand, and learning, alone and as a planner for a team."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.agents.learners.planner import Planner
from catallax.agents.learners.ppo import PPO, Experience, clipped_objective, log_density
from catallax.agents.parts.advantage import generalised_advantage
from catallax.core import (
    AbstractGame,
    Batch,
    BuildError,
    Discrete,
    Group,
    InputError,
    Joint,
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

SPEC = Spec(jax.ShapeDtypeStruct((2,), jnp.float32), Real())
SMALL = dict(widths=(8,), passes=2, minibatches=2)


class Aim(AbstractGame):
    """Each seat sees a number x_i and earns -(a_i - x_i - shift x_other)^2; `apart` seats care for their own x only."""

    seats: int = eqx.field(static=True, default=1)
    shift: float = eqx.field(static=True, default=0.0)

    @property
    def roles(self):
        return (Role("aimer", self.seats, Real()),)

    def init(self, key):
        return jax.random.uniform(key, (self.seats,), minval=-1.0, maxval=1.0)

    def observe(self, world):
        return {"aimer": world[:, None]}

    def step(self, key, world, action):
        goal = world + self.shift * jnp.roll(world, 1)
        reward = -((action["aimer"] - goal) ** 2)
        after = jax.random.uniform(key, (self.seats,), minval=-1.0, maxval=1.0)
        return after, Outcome({"aimer": reward}, {"aimer": jnp.zeros(self.seats)}, ())


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
    assert float(log_density(action, mean, log_sigma)) == pytest.approx(theirs, rel=1e-5)


def test_no_gradient_flows_through_what_the_clip_holds_back():
    rule = PPO(**SMALL, value_weight=0.0)
    state = rule.init(rng.key(0), SPEC)
    obs = jax.random.normal(rng.key(1), (6, 2))
    action = jax.vmap(lambda o: rule.best(state, o))(obs)[:, None] + 0.3
    now = log_density(action, action - 0.3, state.actor.log_sigma.reshape(-1))
    grad = lambda old, sign: jax.grad(rule.loss, has_aux=True)(
        state.actor, Experience(obs, action, old, jnp.full(6, sign), jnp.zeros(6))
    )[0]
    size = lambda tree: max(float(jnp.abs(x).max()) for x in jax.tree.leaves(tree))
    assert size(grad(now - 1.0, 1.0)) == 0.0  # ratio e > 1.2 and the advantage would push it further
    assert size(grad(now - 1.0, -1.0)) > 0.0  # ... but is pulled back where it was a mistake
    assert size(grad(now, 1.0)) > 0.0


def test_minibatches_must_divide_and_pieces_must_fit():
    play = lambda rule, **k: Play(Aim(), Population((Group("aimer", None, rule),)), **k)
    with pytest.raises(BuildError, match="minibatches"):
        play(PPO(minibatches=3), length=4)
    with pytest.raises(BuildError, match="real numbers"):
        PPO().init(rng.key(0), Spec(SPEC.obs, Discrete(3)))
    with pytest.raises(BuildError, match="vector"):
        PPO().init(rng.key(0), Spec(jax.ShapeDtypeStruct((), jnp.float32), Real()))
    with pytest.raises(InputError, match="passes"):
        PPO(passes=0)
    with pytest.raises(BuildError, match="Joint"):
        play(Planner(PPO(**SMALL), 2), length=4)


def test_ppo_keeps_the_contract():
    contract.check_agent(lambda: PPO(**SMALL), SPEC, jnp.ones(2), copies=2, ticks=4)


def test_actions_have_the_shape_of_the_space():
    for shape in ((), (1,), (2, 3)):
        rule, spec = PPO(**SMALL), SPEC._replace(action=Real(shape=shape))
        state = rule.init(rng.key(0), spec)
        assert rule.act(rng.key(1), state, (), jnp.ones(2))[0].shape == shape == rule.best(state, jnp.ones(2)).shape


def test_values_bootstrap_a_cut_and_not_an_end():
    rule = PPO(**SMALL, standardise=False, lambda_=0.0, gamma=0.9)
    state = rule.init(rng.key(0), SPEC)
    obs = jax.random.normal(rng.key(1), (1, 3, 2))
    batch = Batch(obs, jnp.zeros((1, 2)), jnp.ones((1, 2)), jnp.asarray([[1.0, 0.0]]), jnp.zeros((1, 2)))
    target = rule._experience(state, batch)[0].target
    np.testing.assert_allclose(target, [1 + 0.9 * float(rule.value(state, obs[0, 1])), 1.0], rtol=1e-5)


def learnt_error(rule, seats, shift, control):
    game = Aim(seats, shift)
    play = Play(game, Population((Group("aimer", None, control(rule)),)), length=16, copies=16)
    out = run(play, rng.key(0), 150)
    return out.state.agents[0]


def test_ppo_learns_to_aim():
    rule = PPO(rate=3e-3, widths=(16,), gamma=1.0, rate_decay=0.99)
    state = learnt_error(rule, 1, 0.0, lambda r: r)
    state = jax.tree.map(lambda x: x[0], state)
    xs = jnp.linspace(-0.9, 0.9, 7)
    aims = jax.vmap(lambda x: rule.best(state, x[None]))(xs)
    np.testing.assert_allclose(aims, xs, atol=0.15)


def test_a_planner_learns_what_needs_both_observations():
    rule = PPO(rate=3e-3, widths=(16,), gamma=1.0, rate_decay=0.99)
    state = learnt_error(Planner(rule, 2), 2, 0.5, Joint)
    pairs = jnp.asarray([[-0.8, 0.4], [0.0, 0.8], [0.6, -0.6]])
    aims = jax.vmap(lambda x: rule.best(state, x))(pairs)
    np.testing.assert_allclose(aims, pairs + 0.5 * pairs[:, ::-1], atol=0.25)
