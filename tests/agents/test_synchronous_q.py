"""Q-learning from forgone payoffs against plain loops; drawn first values; both precisions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning, SynchronousQLearning, UniformValues
from catallax.core import (
    AbstractMeasure,
    Batch,
    BuildError,
    Discrete,
    Group,
    Independent,
    InputError,
    Play,
    Population,
    Spec,
    Variable,
    rng,
    run,
)
from catallax.games.forgone import Forgone, ForgoneInState
from catallax.games.sealed_bid import AffiliatedValues, SealedBid, even_grid

pytestmark = pytest.mark.compile_effort("least")

ROUNDS, ALPHA, GAMMA = 300, 0.2, 0.9
A = 5


class Story(AbstractMeasure):
    """What was seen, done and learnt."""

    every: int = 1

    @property
    def variables(self):
        return (
            Variable("action", ("bidder",), "1", "moves"),
            Variable("signal", ("bidder",), "1", "state before"),
            Variable("table", ("bidder", "entry"), "1", "values after"),
        )

    def __call__(self, dynamics, state, record, t):
        batch = record.batches[0]
        return {
            "action": batch.action[:, 0, 0],
            "signal": record.first.signal[0],
            "table": state.agents[0].table,
        }


def auction(values=None, **given):
    extra = {} if values is None else {"values": values}
    return SealedBid(even_grid(0.1, 0.9, A), feedback="full", **extra, **given)


def play(game, states=1, length=1, copies=1, **given):
    rule = SynchronousQLearning(
        A, states, EpsilonGreedy(0.3), alpha=ALPHA, gamma=GAMMA, initial=UniformValues(1.0, 2.0), **given
    )
    return Play(game, Population((Group("bidder", None, rule),)), length=length, copies=copies, episodic=False)


@pytest.mark.parametrize("signals", [1, 3])
def test_a_plain_loop_learns_the_same(signals):
    with jax.enable_x64(True):
        game = auction(AffiliatedValues(3, 0.5) if signals == 3 else None)
        dynamics = play(game, signals)
        first = eqx.filter_jit(dynamics.init)(rng.key(4)).agents[0].table
        story = run(dynamics, rng.key(4), ROUNDS, (Story(),)).series
        moves, signal, tables = (np.asarray(story[k]) for k in ("action", "signal", "table"))
        payoffs = np.asarray(jax.jit(jax.vmap(game.forgone))(jnp.asarray(moves), jnp.asarray(signal)))
    assert tables.dtype == np.float64
    q = np.asarray(first).reshape(2, signals, A).copy()
    assert (q >= 1).all() and (q < 2).all() and len(np.unique(q)) == q.size
    greedy = 0
    for t in range(ROUNDS - 1):
        for i in range(2):
            s, s2 = signal[t, i], signal[t + 1, i]
            greedy += moves[t, i] == q[i, s].argmax()
            q[i, s] += ALPHA * (payoffs[t, i] + GAMMA * q[i, s2].max() - q[i, s])
        np.testing.assert_allclose(tables[t].reshape(q.shape), q, rtol=1e-12)
    assert greedy / (2 * (ROUNDS - 1)) == pytest.approx(0.7 + 0.3 / A, abs=0.08)


def test_where_payoffs_stand_still_values_come_to_rest():
    """Q = r + gamma max r / (1 - gamma)."""
    rule = SynchronousQLearning(3, alpha=0.5, gamma=0.5)
    payoff = jnp.asarray([0.2, 1.0, -0.4])
    obs = Forgone(payoff, jnp.asarray(True))
    spec = Spec(jax.eval_shape(lambda: obs), Discrete(3))
    state = rule.init(rng.key(0), spec)
    seen = jax.tree.map(lambda x: jnp.broadcast_to(x, (2, 41, *x.shape)), obs)
    batch = Batch(seen, jnp.zeros((2, 40), jnp.int32), jnp.zeros((2, 40)), jnp.ones((2, 40)), ())
    state, _ = eqx.filter_jit(rule.learn)(rng.key(1), state, batch, jnp.int32(0))
    np.testing.assert_allclose(rule.values(state)[0], payoff + 0.5 * 1.0 / 0.5, rtol=1e-5)
    assert int(rule.best(state, obs)) == 1 and int(state.updates) == 80
    np.testing.assert_allclose(rule.policy(state).sum(axis=1), 1.0, rtol=1e-6)


def test_what_is_not_shown_is_not_learnt():
    rule = SynchronousQLearning(3, alpha=0.5, initial=[1.0, 2.0, 3.0])
    obs = Forgone(jnp.full(3, 9.0), jnp.asarray(False))
    state = rule.init(rng.key(0), Spec(jax.eval_shape(lambda: obs), Discrete(3)))
    seen = jax.tree.map(lambda x: jnp.broadcast_to(x, (1, 2, *x.shape)), obs)
    batch = Batch(seen, jnp.zeros((1, 1), jnp.int32), jnp.zeros((1, 1)), jnp.ones((1, 1)), ())
    after, _ = eqx.filter_jit(rule.learn)(rng.key(1), state, batch, jnp.int32(0))
    np.testing.assert_array_equal(after.table, state.table)


def test_an_ended_episode_has_no_future():
    rule = SynchronousQLearning(2, alpha=1.0, gamma=0.9, initial=100.0)
    obs = Forgone(jnp.asarray([1.0, 2.0]), jnp.asarray(True))
    state = rule.init(rng.key(0), Spec(jax.eval_shape(lambda: obs), Discrete(2)))
    seen = jax.tree.map(lambda x: jnp.broadcast_to(x, (1, 2, *x.shape)), obs)
    batch = Batch(seen, jnp.zeros((1, 1), jnp.int32), jnp.zeros((1, 1)), jnp.zeros((1, 1)), ())
    after, _ = eqx.filter_jit(rule.learn)(rng.key(1), state, batch, jnp.int32(0))
    np.testing.assert_array_equal(after.table, [1.0, 2.0])


def test_phases_and_copies_run():
    state = run(play(auction(), length=4, copies=3), rng.key(0), 5).state
    assert int(state.agents[0].updates[0]) == 60 and np.isfinite(state.agents[0].table).all()


def test_drawn_first_values_differ_between_seats_and_runs_and_fill_their_range():
    game = SealedBid(even_grid(0.05, 0.95, 19))
    for x64 in (False, True):
        with jax.enable_x64(x64):
            rule = QLearning(1, 19, initial=UniformValues(5.0, 9.0))
            dynamics = Play(game, Population((Group("bidder", None, rule),)), length=1, episodic=False)
            keys = jax.jit(jax.vmap(lambda i: rng.fold(rng.key(0), i)))(jnp.arange(200))
            table = np.asarray(jax.jit(jax.vmap(dynamics.init))(keys).agents[0].table).reshape(200, 2, 24)[..., :19]
            assert table.dtype == (np.float64 if x64 else np.float32)
        assert 5.0 <= table.min() < 5.01 and 8.99 < table.max() < 9.0
        assert table.mean() == pytest.approx(7.0, abs=0.1)
        assert np.abs(np.corrcoef(table[:, 0].ravel(), table[:, 1].ravel())[0, 1]) < 0.07
        if x64:
            assert len(np.unique(table)) == table.size
            low_bits = np.unique((table - 5) / 4 * 2**24 % 1)
            assert len(low_bits) > 1000  # more than the 24 bits of single precision


@pytest.mark.parametrize("x64", [False, True])
def test_values_follow_the_float_type(x64):
    """With gamma = 0.99 values near 100 grow by less than single precision can tell apart."""
    with jax.enable_x64(x64):
        rule = QLearning(1, A, EpsilonGreedy(0.0), ConstantRate(0.05), gamma=0.99, initial=99.99)
        game = SealedBid(even_grid(0.1, 0.9, A))
        group = Group("bidder", None, Independent(rule))
        state = run(Play(game, Population((group,)), length=1, episodic=False), rng.key(0), 1).state.agents[0]
        assert state.table.dtype == (jnp.float64 if x64 else jnp.float32)
        exact = [99.99 + 0.05 * (r - 0.01 * 99.99) for r in (0.0, 0.9)]  # who lost, and who won at 0.1
        error = np.abs(np.sort(np.asarray(state.table)[:, 0]) - exact).max()
        assert error < 1e-12 if x64 else 1e-8 < error < 1e-4


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: SynchronousQLearning(0), InputError, "actions must be an integer"),
        (lambda: SynchronousQLearning(2, alpha=0.0), InputError, r"alpha must lie in \(0, 1\]"),
        (lambda: SynchronousQLearning(2, gamma=1.1), InputError, r"gamma must lie in \[0, 1\]"),
        (lambda: UniformValues(2.0, 1.0), InputError, "low at most high"),
        (lambda: UniformValues(0.0, np.inf), InputError, "must be finite"),
        (lambda: seat(SynchronousQLearning(3)), BuildError, "its seat accepts"),
        (lambda: seat(SynchronousQLearning(A, states=2)), BuildError, "ForgoneInState"),
        (lambda: seat(SynchronousQLearning(A), feedback="none"), BuildError, "full feedback"),
        (lambda: seat(SynchronousQLearning(A, initial=[1.0, 2.0])), InputError, "initial values have shape"),
        (
            lambda: seat(SynchronousQLearning(A, initial=UniformValues(0.0, [1.0, 2.0]))),
            InputError,
            "initial values have",
        ),
    ],
)
def test_bad_input_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


def seat(rule, feedback="full"):
    game = SealedBid(even_grid(0.1, 0.9, A), feedback=feedback)
    return Play(game, Population((Group("bidder", None, rule),)), length=1, episodic=False)


def test_the_form_of_what_is_shown_with_states():
    game = auction(AffiliatedValues(3))
    shown = jax.eval_shape(lambda: game.observe(game.init(rng.key(0))))
    assert isinstance(shown["bidder"], ForgoneInState)
    with pytest.raises(BuildError, match="ForgoneInState"):
        play(auction(), states=3)
