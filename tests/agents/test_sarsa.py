"""SARSA on a table: arithmetic against plain loops, the policy it plays, and where its learners come to rest."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular.sarsa import Sarsa
from catallax.core import (
    Batch,
    BuildError,
    Discrete,
    Group,
    InputError,
    Play,
    Population,
    Real,
    Spec,
    contract,
    rng,
    run,
)
from catallax.games.karma import PairwiseKarma, PayBidToPeer, PayBidToSociety, karma_interface, open_bids
from catallax.measures.karma import Conservation, SocialOutcomes
from catallax.solvers.karma import KarmaEquilibrium

OPEN = (1, 2, 3, 4, 9)
SPEC = Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(9))


def rule(**changes):
    return Sarsa(OPEN, **{"alpha": 0.1, "gamma": 0.9, "epsilon": 0.2, "beta": 3.0} | changes)


def softmax_mixture(values, beta=3.0, epsilon=0.2):
    """Executed policy of every row, [rows, width], by the definition."""
    policy = np.zeros(values.shape)
    for row, n in enumerate(OPEN):
        z = np.exp(beta * (values[row, :n] - values[row, :n].max()))
        policy[row, :n] = (1 - epsilon) * z / z.sum() + epsilon / n
    return policy


def played(agent, state):
    """The executed policy held in the state, as probabilities."""
    cumulative = np.minimum(np.asarray(state.policy).reshape(len(OPEN), agent.width), 1)
    return np.diff(np.concatenate([np.zeros((len(OPEN), 1)), cumulative], axis=1), axis=1)


def lived(T, copies, seed):
    """A batch of random play: rows, feasible actions, rewards, some ends of episodes."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, len(OPEN), (copies, T + 1))
    actions = generator.integers(0, 100, (copies, T)) % np.array(OPEN)[rows[:, :-1]]
    reward = generator.normal(size=(copies, T))
    going = (generator.random((copies, T)) > 0.3).astype(float)
    real = lambda x: jnp.asarray(x, jnp.float32)
    return Batch(jnp.asarray(rows, jnp.int32), jnp.asarray(actions, jnp.int32), real(reward), real(going), ())


def test_rewards_in_double_precision_leave_the_table_in_its_own():
    """JAX warns of a value that it must round to store it, and warnings are errors here."""
    batch = lived(2, 2, 0)
    with jax.enable_x64(True):
        agent = rule()
        state = agent.init(rng.key(0), SPEC)
        rewards = batch._replace(reward=batch.reward.astype(jnp.float64), discount=batch.discount.astype(jnp.float64))
        after, _ = agent.learn(rng.key(1), state, rewards, jnp.int32(0))
    assert after.values.dtype == state.values.dtype and not np.array_equal(after.values, state.values)


@pytest.mark.parametrize(("T", "copies"), [(1, 1), (3, 1), (2, 2), (12, 1), (8, 3)])
def test_learning_is_the_plain_loop(T, copies):
    agent, key = rule(), rng.fold(rng.key(3), T)
    state = agent.init(rng.fold(key, 0), SPEC)
    values = np.random.default_rng(1).normal(size=(len(OPEN), agent.width)).astype(np.float32)
    frozen = agent._cumulative(jnp.asarray(values), jnp.asarray(OPEN)).reshape(-1)
    state = state._replace(values=jnp.asarray(values.reshape(-1)), policy=frozen)
    batch = lived(T, copies, T)
    after, _ = agent.learn(rng.fold(key, 1), state, batch, jnp.int32(0))
    keys = rng.key_from_bits(rng.random_bits(rng.fold(key, 1), 0, jnp.int32(0), jnp.arange(copies), jnp.int32(0)))
    last = [int(agent.act(keys[c], state, (), batch.obs[c, -1])[0]) for c in range(copies)]
    q = values.astype(float)
    rows, actions = np.asarray(batch.obs), np.asarray(batch.action)
    for t in range(T):
        for c in range(copies):
            ahead = actions[c, t + 1] if t + 1 < T else last[c]
            target = batch.reward[c, t] + 0.9 * batch.discount[c, t] * q[rows[c, t + 1], ahead]
            q[rows[c, t], actions[c, t]] += 0.1 * (target - q[rows[c, t], actions[c, t]])
    np.testing.assert_allclose(after.values.reshape(q.shape), q, atol=1e-5)
    # Also where only touched rows are recomputed: untouched ones have not changed.
    np.testing.assert_allclose(played(agent, after), softmax_mixture(q), atol=1e-5)


def test_the_policy_played_is_the_one_defined():
    agent = rule()
    values = np.random.default_rng(2).normal(size=(len(OPEN), agent.width)).astype(np.float32)
    policy = agent._cumulative(jnp.asarray(values), jnp.asarray(OPEN)).reshape(-1)
    state = agent.init(rng.key(0), SPEC)._replace(values=jnp.asarray(values.reshape(-1)), policy=policy)
    keys = rng.key_from_bits(rng.random_bits(rng.root(rng.key(1)), 0, jnp.int32(0), jnp.arange(40_000), jnp.int32(0)))
    for row, n in enumerate(OPEN):
        acts = np.asarray(jax.vmap(lambda k, row=row: agent.act(k, state, (), jnp.int32(row))[0])(keys))
        assert acts.min() >= 0 and acts.max() < n
        shares = np.bincount(acts, minlength=agent.width) / len(acts)
        np.testing.assert_allclose(shares, softmax_mixture(values)[row], atol=0.012)


def test_first_policy_is_uniform_over_open_actions():
    agent = rule(start=-7.0)
    state = agent.init(rng.key(0), SPEC)
    np.testing.assert_allclose(state.values, -7.0)
    for row, n in enumerate(OPEN):
        np.testing.assert_allclose(played(agent, state)[row, :n], 1 / n, atol=1e-6)


@pytest.mark.parametrize("beta", [1000.0, 1e6])
def test_sharp_policies_stay_finite(beta):
    agent = rule(beta=beta, epsilon=0.0)
    values = jnp.full((len(OPEN), agent.width), -50.0).at[4, 6].set(-49.0)
    policy = agent._cumulative(values, jnp.asarray(OPEN))
    assert bool(jnp.isfinite(policy).all())
    np.testing.assert_allclose(played(agent, agent.init(rng.key(0), SPEC)._replace(policy=policy))[4, 6], 1)


def test_the_rule_keeps_the_contract():
    contract.check_agent(rule, SPEC, jnp.int32(3))


def test_what_does_not_fit_is_said():
    with pytest.raises(InputError, match="at least one open action"):
        Sarsa((2, 0))
    for name, value in (("alpha", 1.5), ("gamma", -0.1), ("epsilon", 2.0), ("beta", -1.0), ("beta", float("nan"))):
        with pytest.raises(InputError, match=f"{name} must lie in"):
            rule(**{name: value})
    with pytest.raises(BuildError, match="number of a table row"):
        rule().init(rng.key(0), Spec(jax.ShapeDtypeStruct((2,), jnp.int32), Discrete(9)))
    with pytest.raises(BuildError, match="9 actions are open in some row"):
        rule().init(rng.key(0), Spec(SPEC.obs, Discrete(8)))
    with pytest.raises(BuildError, match="9 actions are open in some row"):
        rule().init(rng.key(0), Spec(SPEC.obs, Real()))


def population(payment, **rule):
    game = PairwiseKarma(players=100, payment=payment, cap=8, endowment=4)
    agent = Sarsa(open_bids(game), gamma=0.9, epsilon=0.0, beta=5.0, **rule)
    return Play(game, Population((Group("player", None, agent, karma_interface(game)),)), length=1000, episodic=False)


@pytest.mark.parametrize("payment", [PayBidToPeer(), PayBidToSociety()], ids=["peer", "society"])
def test_learners_come_to_rest_at_the_mean_field(payment):
    """100 learners with smooth policies in the small game: first quickly, then with a small step size."""
    key, measures = rng.key(1), (SocialOutcomes(), Conservation())
    fast = run(population(payment, alpha=0.03), key, 250, measures)
    slow = run(population(payment, alpha=0.01), key, 150, measures, state=fast.state, start=250)
    with jax.enable_x64(True):
        field = KarmaEquilibrium(PairwiseKarma(players=2, payment=payment, cap=8, endowment=4), gamma=0.9, beta=5.0)
        expected = float(field.efficiency(eqx.filter_jit(lambda f: run(f, rng.key(0), 500).state)(field)))
    assert float(fast.series["efficiency"][0, 0]) < expected - 0.1  # they had something to learn
    np.testing.assert_allclose(slow.series["efficiency"][-60:].mean(), expected, atol=0.003)
    assert int(fast.series["karma_drift"].max()) == 0 and int(slow.series["karma_outside"].max()) == 0
