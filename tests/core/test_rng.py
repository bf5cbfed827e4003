"""Draws are a pure function of (key, stream, copy, seat, step), and good ones."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from scipy import stats

from catallax.core import rng

pytestmark = pytest.mark.compile_effort("full")  # bits are those of users


def test_threefry_is_jaxs_own_bit_for_bit():
    key = jr.key_data(jr.key(7))
    x = jnp.arange(64, dtype=jnp.uint32) * jnp.uint32(2654435761)
    y = x[::-1]
    ours = jnp.concatenate(rng.threefry(key[0], key[1], x, y))
    assert (ours == threefry_2x32(key, jnp.concatenate([x, y]))).all()


def test_a_draw_does_not_depend_on_how_many_are_drawn_beside_it():
    key = rng.root(rng.key(3))
    alone = rng.random_bits(key, 5, jnp.int32(2), jnp.int32(4), jnp.int32(9))
    many = rng.random_bits(key, 5, jnp.arange(6)[:, None], jnp.arange(8), jnp.int32(9))
    assert alone.first == many.first[2, 4] and alone.second == many.second[2, 4]


def test_streams_copies_seats_and_steps_never_meet():
    key = rng.root(rng.key(0))
    grid = [
        rng.random_bits(key, stream, jnp.arange(8)[:, None, None], jnp.arange(16)[:, None], jnp.arange(32))
        for stream in (rng.WORLD_INIT, rng.WORLD_STEP, *(rng.role_stream(r, p) for r in range(3) for p in range(4)))
    ]
    first = np.stack([np.asarray(w.first, np.uint64) for w in grid])
    second = np.stack([np.asarray(w.second, np.uint64) for w in grid])
    both = (first << np.uint64(32)) | second
    assert np.unique(both).size == both.size


def test_neighbouring_seeds_share_no_draw():
    draws = []
    for seed in range(40):
        w = rng.random_bits(rng.root(rng.key(seed)), 1, jnp.arange(64)[:, None], jnp.arange(4), jnp.int32(0))
        draws.append(np.asarray(w.first, np.uint64) << np.uint64(32) | np.asarray(w.second, np.uint64))
    draws = np.stack(draws)
    assert np.unique(draws).size == draws.size


def test_uniform_normal_and_below_have_their_laws():
    keys = rng.key_from_bits(rng.random_bits(rng.root(rng.key(1)), 2, jnp.int32(0), jnp.arange(40_000), jnp.int32(0)))
    uniform, normal = np.asarray(rng.uniform(keys)), np.asarray(rng.normal(keys))
    assert uniform.min() >= 0 and uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    die = np.bincount(np.asarray(rng.to_integer(rng.key_bits(keys).first, 6)), minlength=6)
    assert die.size == 6 and stats.chisquare(die).pvalue > 1e-3
    assert int(rng.to_integer(jnp.uint32(2**32 - 1), 6)) == 5 and int(rng.to_integer(jnp.uint32(5), 0)) == 0


def test_the_two_words_of_a_key_are_uncorrelated_with_neighbours():
    w = rng.random_bits(rng.root(rng.key(5)), 2, jnp.int32(0), jnp.arange(20_000), jnp.int32(3))
    a, b = np.asarray(rng.to_uniform(w.first)), np.asarray(rng.to_uniform(w.second))
    for x, y in ((a, b), (a[1:], a[:-1]), (b[1:], b[:-1])):
        assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(x.size)


def test_words_under_vmap_and_jit_are_the_same_bits():
    keys = jnp.stack([rng.fold(rng.key(0), i) for i in range(5)])
    f = lambda k: rng.random_bits(k, 3, jnp.int32(0), jnp.arange(7), jnp.int32(2)).first
    assert (jax.jit(jax.vmap(f))(keys) == jnp.stack([f(k) for k in keys])).all()


def test_draws_are_the_counters_under_the_key():
    key = rng.key(5)
    counts = jnp.concatenate([jnp.arange(7, dtype=jnp.uint32), jnp.zeros(7, jnp.uint32)])
    first, second = threefry_2x32(jr.key_data(key), counts).reshape(2, 7)
    drawn = rng.draws(key, 7)
    np.testing.assert_array_equal(drawn.first, first)
    np.testing.assert_array_equal(drawn.second, second)


def test_bell_is_the_normal_quantile_of_the_words_middle():
    words = jnp.asarray([0, 2**31, 2**32 - 1, 12345678, 3456789012], jnp.uint32)
    exact = stats.norm.ppf((np.asarray(words >> 8, float) + 0.5) / 2**24)
    np.testing.assert_allclose(rng.to_normal(words), exact, rtol=2e-5, atol=1e-6)
    assert float(rng.to_normal(words[1])) == float(rng.normal(rng.key_from_bits(rng.Bits(words[1], words[0]))))
