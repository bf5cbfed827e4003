"""Matching and redistribution: uniform where they should be, exact always."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.games.karma import CircleMatching, UniformMatching, share_out
from catallax.games.karma.redistribution import chosen

pytestmark = pytest.mark.compile_effort("least")

DRAWS = 15_000


def words(n, draws=DRAWS, seed=0):
    return jax.random.bits(jax.random.key(seed), (draws, n), jnp.uint32)


def counts_of(rows):
    return np.unique(np.asarray(rows), axis=0, return_counts=True)[1]


def evenly(counts, cells):
    """Pearson's statistic below its mean plus five standard deviations."""
    assert len(counts) == cells
    expected = counts.sum() / cells
    return ((counts - expected) ** 2 / expected).sum() < (cells - 1) + 5 * np.sqrt(2 * (cells - 1))


def test_uniform_matching_draws_every_matching_alike_and_fair_coins():
    rival, first = jax.vmap(UniformMatching())(words(6))
    assert evenly(counts_of(rival), 15)  # (6 - 1)!! matchings
    met = np.asarray(rival[:, 0])
    assert all(abs(np.asarray(first)[met == j, 0].mean() - 0.5) < 0.05 for j in range(1, 6))


def test_circle_matching_is_a_round_robin():
    rival, first = jax.vmap(CircleMatching())(words(6))
    assert evenly(counts_of(rival), 5)
    assert all(evenly(counts_of(rival[:, i]), 5) for i in range(6))
    assert abs(float(first[:, 2].mean()) - 0.5) < 0.03


@pytest.mark.parametrize("matching", [UniformMatching(), CircleMatching()])
@pytest.mark.parametrize("n", [2, 4, 100, 1000, 4098])
def test_everyone_meets_one_other(matching, n):
    rival, first = matching(words(n, 1)[0])
    np.testing.assert_array_equal(rival[rival], np.arange(n))
    assert (np.asarray(rival) != np.arange(n)).all()
    np.testing.assert_array_equal(first[rival], ~np.asarray(first))


@cache
def sharing(n, cap):
    return jax.jit(lambda pool, room, words: share_out(pool, room, words, cap))


@given(room=st.lists(st.integers(0, 5), min_size=7, max_size=7), data=st.data(), seed=st.integers(0, 2**16))
def test_nothing_is_lost_and_nobody_gets_more_than_he_can_take(room, data, seed):
    pool = data.draw(st.integers(0, sum(room)))
    room = np.array(room)
    gift = np.asarray(sharing(7, 5)(jnp.int32(pool), jnp.asarray(room, jnp.int32), words(7, 1, seed)[0]))
    assert gift.sum() == pool and (gift >= 0).all() and (gift <= room).all()
    short = gift < room  # as even as can be: who could take more has at most one less than anybody
    assert not short.any() or gift.max() - gift[short].min() <= 1


def test_who_gets_one_more_is_drawn_uniformly_without_replacement():
    room = jnp.asarray([1, 4, 2, 5, 1, 3, 1], jnp.int32)  # 7 go to all, 2 of the four with room left get one more
    gifts = jax.vmap(lambda w: share_out(jnp.int32(9), room, w, 5))(words(7))
    assert set(np.asarray(gifts.sum(axis=1))) == {9}
    assert evenly(counts_of(gifts), 6)


@pytest.mark.parametrize("n", [10, 5000])
def test_exactly_so_many_are_chosen(n):
    eligible = jnp.arange(n) % 3 == 1
    for count in (0, 1, int(eligible.sum()) - 1):
        got = chosen(eligible, jnp.int32(count), words(n, 1)[0]) & eligible
        assert int(got.sum()) == count
        same = chosen(eligible, jnp.int32(count), jnp.zeros(n, jnp.uint32)) & eligible  # all words equal
        assert int(same.sum()) == count
