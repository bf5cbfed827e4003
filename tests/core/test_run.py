"""The drivers: chunks give the same bits, measures keep their time, solve says whether it came to rest."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import HeavyCat, Herd, Info, Level, NoisyCat, RandomDog, Walk

from catallax.core import (
    Group,
    InputError,
    MeanReward,
    NaNCount,
    NumericalError,
    Play,
    Population,
    replicate,
    rng,
    run,
    solve,
)
from catallax.games.mean_field import AdAuction
from catallax.solvers.mean_field import Argmax, FixedPoint, Softmax

as_for_users = pytest.mark.compile_effort("full")

RULES = (Group("cat", [0], HeavyCat()), Group("cat", [1, 2], NoisyCat()), Group("dog", None, RandomDog()))
KEYS = jnp.stack([rng.fold(rng.key(0), i) for i in range(3)])


@functools.cache
def herd():
    """Three groups at play."""
    return Play(Herd(), Population(RULES), length=3, copies=2)


def equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def in_chunks(dynamics, key, cuts, measures, go=run):
    state, start, rows = None, 0, []
    for stop in cuts:
        words = {"state": state} if go is run else {"states": state}
        out = go(dynamics, key, stop - start, measures, start=start, **words)
        state, start = out.state, stop
        rows.append(out.series)
    axis = 0 if go is run else 1
    return state, {name: np.concatenate([r[name] for r in rows], axis) for name in rows[0]}


@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]], ids=str)
@as_for_users
def test_any_chunks_give_the_same_bits(cuts):
    """Every way of cutting four steps."""
    measures = (Info(), NaNCount())
    whole = run(herd(), rng.key(4), 4, measures)
    state, series = in_chunks(herd(), rng.key(4), [*cuts, 4], measures)
    equal(state, whole.state)
    equal(series, dict(whole.series))


@as_for_users
def test_replications_in_chunks_give_the_same_bits():
    whole = replicate(herd(), KEYS, 4, (Info(),))
    state, series = in_chunks(herd(), KEYS, [2, 4], (Info(),), replicate)
    equal(state, whole.state)
    equal(series, dict(whole.series))


@as_for_users
def test_a_replication_is_the_run_of_its_key():
    together = replicate(herd(), KEYS, 4, (Info(),)).series
    alone = run(herd(), KEYS[1], 4, (Info(),)).series
    np.testing.assert_array_equal(together["dogs"][1], alone["dogs"])
    np.testing.assert_allclose(together["cats"][1], alone["cats"], rtol=1e-5)


@pytest.mark.parametrize("length", [1, 3])
def test_what_is_drawn_a_step_ahead_is_what_the_step_would_draw(length):
    play = Play(Herd(), Population(RULES), length=length, copies=2)
    key, state = rng.key(7), play.init(rng.key(7))
    for t in range(4):
        state, _ = eqx.filter_jit(play.step)(key, state, jnp.int32(t))
    close = functools.partial(np.testing.assert_allclose, rtol=1e-5)  # one program or two: to rounding
    jax.tree.map(close, state, run(play, key, 4).state)


def test_the_mean_reward_is_that_of_each_groups_seats():
    state = herd().init(rng.key(2))
    _, record = eqx.filter_jit(herd().step)(rng.key(2), state, jnp.int32(0))
    mean = run(herd(), rng.key(2), 1, (MeanReward(),), state=state).series["mean_reward"][0]
    assert mean.shape == (3,)
    np.testing.assert_allclose(mean, [np.mean(b.reward) for b in record.batches], rtol=1e-5)


@pytest.mark.parametrize("cuts", [[20], [4, 20], [8, 12, 20], [5, 20], [3, 10, 20]])
@pytest.mark.parametrize("everies", [(2,), (4, 2), (4, 6), (10,)])
def test_steps_between_measurements_are_scanned_and_counted(cuts, everies):
    """Without a measure of every step the steps are scanned in beats: the right ones are measured all the same."""
    level = run(Walk(), rng.key(1), 20, (Level(),)).series["level"]
    measures = tuple(Level(every, f"level_{every}") for every in everies)
    _, series = in_chunks(Walk(), rng.key(1), cuts, measures)
    for every in everies:
        np.testing.assert_array_equal(series[f"level_{every}"], level[every - 1 :: every])


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(1, 19), max_size=3), st.sampled_from([1, 2, 3, 7]))
def test_every_kth_step_is_measured_whatever_the_chunks(cuts, every):
    level = run(Walk(), rng.key(1), 20, (Level(),)).series["level"]
    _, series = in_chunks(Walk(), rng.key(1), [*sorted(cuts), 20], (Level(), Level(every, "some")))
    np.testing.assert_array_equal(series["level"], level)
    np.testing.assert_array_equal(series["some"], level[every - 1 :: every])


def test_hyperparameters_do_not_compile_again():
    traces = 0

    class Counted(Walk):
        def step(self, key, state, t):
            nonlocal traces
            traces += 1
            return super().step(key, state, t)

    for pull in (0.1, 0.2, 0.3):
        run(Counted(pull), rng.key(0), 5)
    assert traces == 1


def test_nan_in_actions_is_counted_by_group():
    class Sick(NoisyCat):
        def act(self, key, state, memory, obs):
            action, memory, extras = super().act(key, state, memory, obs)
            return jnp.where(memory["n"] == 2, jnp.nan, action), memory, extras

    sick, well = Group("cat", [0], Sick(learns=False)), Group("cat", [1, 2], NoisyCat(scale=0.0))
    people = Population((sick, well, Group("dog", None, RandomDog())))
    counts = run(Play(Herd(), people, length=3, copies=2), rng.key(0), 1, (NaNCount(),)).series["nan_actions"]
    assert counts[0, 0] >= 2 and counts.shape == (1, 3)
    assert run(herd(), rng.key(0), 2, (NaNCount(),)).series["nan_actions"].sum() == 0


def test_solve_comes_to_rest_or_says_that_it_did_not():
    done = solve(Walk(0.5, noise=0.0), rng.key(0), tol=1e-3)
    assert bool(done.converged) and int(done.steps) == 10 and float(done.require()) == 2.0**-10
    short = solve(Walk(0.5, noise=0.0), rng.key(0), tol=1e-3, max_steps=4)
    assert not bool(short.converged) and float(short.residual) == 2.0**-4
    with pytest.raises(NumericalError, match=r"residual 0\.0625 after 4 steps"):
        short.require()
    lost = solve(Walk(jnp.nan, noise=0.0), rng.key(0), tol=1e-3, max_steps=50)
    assert int(lost.steps) == 1 and not bool(lost.converged)


def test_a_cycle_is_said_to_be_one():
    with jax.enable_x64(True):
        turns = FixedPoint(AdAuction(), Argmax())
        lost = solve(turns, rng.key(0), tol=1e-9, max_steps=40)
        with pytest.raises(NumericalError, match=r"after 40 steps; period-2 cycle \(step .*, lag-2 step .*damp with"):
            lost.require()
        short = solve(FixedPoint(AdAuction(), Softmax(4.0)), rng.key(0), tol=1e-9, max_steps=4)
        with pytest.raises(NumericalError, match="after 4 steps; raise max_steps"):
            short.require()


@pytest.mark.parametrize("steps", [0, -1, True, 2**31])
def test_steps_must_be_a_possible_count(steps):
    with pytest.raises(InputError):
        run(Walk(), rng.key(0), steps)


def test_clashing_measures_and_bad_intervals_are_refused():
    with pytest.raises(InputError, match="two measures are called 'level'"):
        run(Walk(), rng.key(0), 2, (Level(), Level()))
    with pytest.raises(InputError, match="every must be an integer of at least 1"):
        run(Walk(), rng.key(0), 2, (Level(0),))


@pytest.mark.parametrize("key", [7, None, "seven", np.zeros(2), np.zeros(3, np.uint32)])
@pytest.mark.usefixtures("as_users_have_it")
def test_what_is_no_key_is_refused(key):
    for start in (lambda: run(Walk(), key, 2), lambda: replicate(Walk(), key, 2), lambda: solve(Walk(), key)):
        with pytest.raises(InputError, match="no key of random numbers"):
            start()
    with pytest.raises(InputError, match=r"replicate takes a list of keys, got keys of shape \(\)"):
        replicate(Walk(), rng.key(0), 2)
    with pytest.raises(InputError, match=r"run takes one key, got keys of shape \(3,\)"):
        run(Walk(), jax.random.split(rng.key(0), 3), 2)


@pytest.mark.usefixtures("as_users_have_it")
def test_a_raw_key_gives_the_bits_of_the_typed_one():
    raw, typed = jax.random.PRNGKey(7), rng.key(7)
    np.testing.assert_array_equal(run(Walk(), raw, 3).state, run(Walk(), typed, 3).state)
    both = replicate(Walk(), jax.random.split(raw, 3), 3), replicate(Walk(), jax.random.split(typed, 3), 3)
    np.testing.assert_array_equal(both[0].state, both[1].state)
    with pytest.raises(InputError, match="run takes one key"):
        run(Walk(), jax.random.split(raw, 3), 2)
