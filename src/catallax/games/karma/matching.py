"""Matching: who contests with whom at a step."""

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

from catallax.core import rng

PACKED = 4096
"""Largest population whose numbers are packed into the low bits of one 32-bit sort key (20 random bits are left)."""


class Pairing(NamedTuple):
    """A perfect matching of n players."""

    rival: Int[Array, " n"]
    """Each player's opponent."""
    first: Bool[Array, " n"]
    """True for one player of each pair, by a fair coin: who wins a tie."""


class AbstractMatching(eqx.Module):
    """Draws a perfect matching of an even number of players, and a fair coin for each pair."""

    @abc.abstractmethod
    def __call__(self, bits: UInt32[Array, " n"]) -> Pairing:
        """The pairing from 32 random bits a player."""


def shuffle(bits: UInt32[Array, " n"]) -> Int[Array, " n"]:
    """The players in random order, by one sort of their random bits.

    Up to 4096 players one array is sorted, with the player's number in the low bits of the key. Keys that agree in all
    random bits (at least 20) keep the order of the numbers; that moves the chance of a pair by less than 1e-6.
    """
    n = bits.shape[0]
    if n > PACKED:
        return jax.lax.sort((bits, jnp.arange(n, dtype=jnp.int32)), num_keys=1)[1]
    return (jnp.sort(pack(bits)) & _low(n)).astype(jnp.int32)


def pack(bits: UInt32[Array, " n"]) -> UInt32[Array, " n"]:
    """Distinct sort keys: the random bits, of which the lowest are replaced by the player's number."""
    n = bits.shape[0]
    return (bits & ~_low(n)) | jnp.arange(n, dtype=jnp.uint32)


def _low(n: int) -> Array:
    return jnp.uint32((1 << max(1, (n - 1).bit_length())) - 1)


class UniformMatching(AbstractMatching):
    """All perfect matchings are equally likely: neighbours in a random order meet.

    Given who meets whom, which of the two comes first in the order is a fair coin; it decides ties.
    """

    def __call__(self, bits: UInt32[Array, " n"]) -> Pairing:
        order = shuffle(bits)
        pairs = order.reshape(-1, 2)
        told = jnp.stack([2 * pairs[:, 1] + 1, 2 * pairs[:, 0]], axis=1).reshape(-1)
        heard = jnp.zeros_like(order).at[order].set(told, unique_indices=True, mode="promise_in_bounds")
        return Pairing(heard >> 1, (heard & 1) == 1)


class CircleMatching(AbstractMatching):
    """A random round of the round-robin tournament (circle method): cheaper, not uniform over matchings.

    Every pair meets with chance 1 / (n - 1), as under `UniformMatching`, but only n - 1 matchings occur: if i meets j,
    then i + 1 meets j - 1. Laws of one player and of one pair are exact, joint laws of several pairs are not.
    """

    def __call__(self, bits: UInt32[Array, " n"]) -> Pairing:
        """Closed form: player n - 1 stays, the others i and j meet in round r if i + j = r modulo n - 1."""
        n = bits.shape[0]
        odd, me = n - 1, jnp.arange(n, dtype=jnp.int32)
        round = rng.to_integer(bits[0], odd)
        across = (round - me) % odd
        # i = round / 2 modulo the odd number n - 1 would meet itself: it meets the player who stays.
        alone = (round * (n // 2)) % odd
        rival = jnp.where(me == odd, alone, jnp.where(across == me, odd, across)).astype(jnp.int32)
        # The coin of a pair is the lowest bit that its lower player drew; the round uses only the 24 highest.
        coin = (bits.at[jnp.minimum(me, rival)].get(mode="promise_in_bounds") & 1) == 1
        return Pairing(rival, coin == (me < rival))
