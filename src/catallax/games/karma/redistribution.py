"""Redistribution: an integer pool shared out evenly under a cap, with nothing lost."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from .matching import PACKED, pack

_LAST = np.uint32(0xFFFFFFFF)
"""Behind every key in play."""


def share_out(pool: Int[Array, ""], room: Int[Array, " n"], bits: UInt32[Array, " n"], cap: int) -> Int[Array, " n"]:
    """Integer water-fill: what each of n players receives, in karma.

    With G(a) = sum_i min(a, room_i), let a be the largest integer with G(a) <= pool. Everyone gets min(a, room), and
    the rest, pool - G(a), goes in single units to as many players with room left, drawn uniformly without replacement.
    The gifts sum to the pool exactly, if pool <= sum of room.

    Args:
        pool: karma to share out, >= 0.
        room: how much each player may still take, [n], in 0..cap.
        bits: 32 random bits a player.
        cap: the largest room there may be.

    Source: catallax; Vaishampayan (2024) shares out the integer quotient and draws who gets the remainder, which this
    is as long as nobody is near the cap.
    """
    grid = np.arange(cap + 1)
    by_room = jnp.zeros(cap + 1, jnp.int32).at[room].add(1, mode="promise_in_bounds")
    filled = (np.minimum(grid[:, None], grid) * by_room).sum(axis=1, dtype=jnp.int32)  # G(0) .. G(cap)
    fits = filled <= pool
    level = fits.sum(dtype=jnp.int32) - 1
    rest = pool - jnp.where(fits, filled, 0).max()
    gift, more = jnp.minimum(level, room), room > level
    return gift + (more & chosen(more, rest, bits)).astype(jnp.int32)


def chosen(eligible: Bool[Array, " n"], count: Int[Array, ""], bits: UInt32[Array, " n"]) -> Bool[Array, " n"]:
    """`count` of the eligible players, uniformly without replacement; count must be below their number.

    They are those whose random key is below the count-th smallest. The player's number in the low bits makes keys
    differ, so that exactly `count` are chosen.
    """
    n = bits.shape[0]
    players = jnp.arange(n, dtype=jnp.uint32)
    if n > PACKED:
        high = jnp.where(eligible, bits >> 1, _LAST)
        first, second = jax.lax.sort((high, players), num_keys=2)
        bar, last = first[count], second[count]
        return (high < bar) | ((high == bar) & (players < last))
    keys = jnp.where(eligible, pack(bits >> 1), _LAST)
    return keys < _smallest(keys, count)


def _smallest(keys: UInt32[Array, " n"], count: Int[Array, ""]) -> UInt32[Array, ""]:
    """A bar below which exactly `count` of the keys lie; those in play are distinct, uniform and below 2**31.

    Counted by their 8 highest bits, the keys fall into 256 bins; the bar is found in a table of 16 rows of 16, and
    then raised key by key: by two, at a thousand keys. This takes a fraction of the time of sorting (docs/speed.md).
    """
    bins = jnp.zeros(512, jnp.int32).at[(keys >> 23).astype(jnp.int32)].add(1, mode="promise_in_bounds")
    table = bins[:256].reshape(16, 16)
    row, left = _place(table.sum(axis=1, dtype=jnp.int32), count)
    column, left = _place(table.at[row].get(mode="promise_in_bounds"), left)
    floor = (16 * row + column).astype(jnp.uint32) << 23

    def above(bar: Array) -> Array:
        return jnp.where(keys >= bar, keys, _LAST).min() + 1

    return jax.lax.while_loop(lambda s: s[1] > 0, lambda s: (above(s[0]), s[1] - 1), (floor, left))[0]


def _place(counts: Int[Array, " bins"], count: Int[Array, ""]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The bin in which the partial sums of `counts` pass `count`, and how many of that bin are still wanted."""
    before = (np.tri(counts.shape[0], k=-1, dtype=np.int32) * counts).sum(axis=1, dtype=jnp.int32)
    reached = before <= count
    return reached.sum(dtype=jnp.int32) - 1, count - jnp.where(reached, before, 0).max()
