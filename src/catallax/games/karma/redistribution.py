"""Redistribution: an integer pool shared out evenly under a cap, with nothing lost."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

from .matching import PACKED, pack


def share_out(pool: Int[Array, ""], room: Int[Array, " n"], words: UInt32[Array, " n"], cap: int) -> Int[Array, " n"]:
    """Integer water-fill: what each of n players receives, in karma.

    With G(a) = sum_i min(a, room_i), let a be the largest integer with G(a) <= pool. Everyone gets min(a, room), and
    the rest, pool - G(a), goes in single units to as many players with room left, drawn uniformly without replacement.
    The gifts sum to the pool exactly, if pool <= sum of room.

    Args:
        pool: karma to share out, >= 0.
        room: how much each player may still take, [n], in 0..cap.
        words: one random word a player.
        cap: the largest room there may be.

    Source: catallax; Vaishampayan (2024) shares out the integer quotient and draws who gets the remainder, which this
    is as long as nobody is near the cap.
    """
    levels = jnp.arange(1, cap + 1, dtype=jnp.int32)
    filled = jnp.minimum(levels[:, None], room[None]).sum(axis=1, dtype=jnp.int32)  # G(1) .. G(cap)
    fits = filled <= pool
    level = fits.sum(dtype=jnp.int32)
    rest = pool - jnp.where(fits, filled, 0).max()
    gift, more = jnp.minimum(level, room), room > level
    return gift + (more & chosen(more, rest, words)).astype(jnp.int32)


def chosen(eligible: Bool[Array, " n"], count: Int[Array, ""], words: UInt32[Array, " n"]) -> Bool[Array, " n"]:
    """`count` of the eligible players, uniformly without replacement; count must be below their number.

    They are those whose random key is below the count-th smallest. The player's number in the low bits makes keys
    differ, so that exactly `count` are chosen.
    """
    n = words.shape[0]
    players = jnp.arange(n, dtype=jnp.uint32)
    if n > PACKED:
        high = jnp.where(eligible, words >> 1, jnp.uint32(0xFFFFFFFF))
        first, second = jax.lax.sort((high, players), num_keys=2)
        bar, last = first[count], second[count]
        return (high < bar) | ((high == bar) & (players < last))
    keys = jnp.where(eligible, pack(words >> 1), jnp.uint32(0xFFFFFFFF))
    return keys < jnp.sort(keys)[count]
