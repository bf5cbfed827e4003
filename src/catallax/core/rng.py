"""Random numbers: every draw is a pure function of (run key, stream, copy, seat, step) and of nothing else.

Threefry-2x32 with 20 rounds (Salmon et al. 2011, the generator behind `jax.random`), written elementwise so that it
fuses with the rule that consumes it. Nothing is split or carried, so a draw cannot depend on how many other seats draw,
on how a run is cut into chunks, on the width of a batch, or on the device.
"""

from functools import partial
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped, UInt32

from .errors import InputError

Key = Shaped[PRNGKeyArray, "*batch"]
"""A typed JAX key (`jax.random.key`, threefry). A key is consumed by exactly one call."""

# Streams of the world; roles take the streams from ROLE_STREAMS on (see `role_stream`).
WORLD_INIT: Final = 0
WORLD_STEP: Final = 1
ROLE_STREAMS: Final = 16
# What a seat may draw for.
INIT: Final = 0
RESET: Final = 1
ACT: Final = 2
LEARN: Final = 3

_ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))


class Bits(NamedTuple):
    """64 random bits for each place, as two words of 32 bits: raw output of the generator, and the data of a fresh key.

    The words are kept as two arrays, because most rules use one word; the other is then never computed.
    """

    first: UInt32[Array, "*shape"]
    second: UInt32[Array, "*shape"]


def key(seed: int) -> Shaped[PRNGKeyArray, ""]:
    """The key of an integer seed."""
    return jr.key(seed, impl="threefry2x32")


def check_key(who: str, key: Any, axes: int = 0) -> None:
    """Raises `InputError` unless `key` is a key, or an array of keys with `axes` axes; `who` begins the message.

    Raw keys (`jax.random.PRNGKey`: two words in a last axis) pass; they give the same draws as the typed key with these
    words.
    """
    dtype = getattr(key, "dtype", None)
    raw = dtype == jnp.dtype("uint32") and key.shape[-1:] == (2,)
    if not (raw or (dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key))):
        raise InputError(
            f"{who}: this is no key of random numbers: {str(key)[:80]!r}; give catallax.core.rng.key(number)"
        )
    if key.ndim - raw != axes:
        wanted = "a list of keys" if axes else "one key"
        raise InputError(f"{who} takes {wanted}, got keys of shape {key.shape}")


def fold(key: Shaped[PRNGKeyArray, ""], *data: int | Int[Array, ""]) -> Shaped[PRNGKeyArray, ""]:
    """A new key from `key` and one or more integers, which are folded in one after the other."""
    for item in data:
        key = jr.fold_in(key, item)
    return key


def role_stream(role: int, purpose: int) -> int:
    """The stream number of one purpose (INIT, RESET, ACT, LEARN) of the `role`-th role of a game."""
    return ROLE_STREAMS * (role + 1) + purpose


@partial(jax.jit, static_argnums=2)
def _mix(
    x0: UInt32[Array, "*shape"], x1: UInt32[Array, "*shape"], rotations: tuple[int, ...]
) -> tuple[UInt32[Array, "*shape"], UInt32[Array, "*shape"]]:
    """Four rounds of threefry."""
    for r in rotations:
        x0 = x0 + x1
        x1 = x0 ^ ((x1 << r) | (x1 >> (32 - r)))
    return x0, x1


@jax.jit
def threefry(
    k0: UInt32[Array, "*#shape"],
    k1: UInt32[Array, "*#shape"],
    x0: UInt32[Array, "*#shape"],
    x1: UInt32[Array, "*#shape"],
) -> tuple[UInt32[Array, "*shape"], UInt32[Array, "*shape"]]:
    """Threefry-2x32-20 of the counter (x0, x1) under the key (k0, k1), elementwise with broadcasting.

    This function and its rounds are jitted only so that a hundred operations are traced and lowered once for each
    shape, not at each of the dozens of calls in a program; XLA inlines them where they are called.

    It is equal bit for bit to `jax.extend.random.threefry_2x32`.

    Source: Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3".
    """
    shape = jnp.broadcast_shapes(k0.shape, k1.shape, x0.shape, x1.shape)
    k0, k1, x0, x1 = (jnp.broadcast_to(x, shape) for x in (k0, k1, x0, x1))
    schedule = (k0, k1, k0 ^ k1 ^ jnp.uint32(0x1BD11BDA))
    x0, x1 = x0 + k0, x1 + k1
    for block in range(5):
        x0, x1 = _mix(x0, x1, _ROTATIONS[block % 2])
        x0 = x0 + schedule[(block + 1) % 3]
        x1 = x1 + schedule[(block + 2) % 3] + jnp.uint32(block + 1)
    return x0, x1


def _apart(x: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    """x itself, computed as the running sum of (0, x).

    XLA fuses elementwise operations into each of their consumers, however many there are, and so computes them again
    for each; a running sum is computed once.
    """
    return jax.lax.cumsum(jnp.stack([jnp.zeros_like(x), x], axis=-1), axis=x.ndim)[..., 1]


def root(key: Shaped[PRNGKeyArray, ""]) -> Shaped[PRNGKeyArray, ""]:
    """The key scrambled once. `random_bits` perturbs its key by small numbers, so that key must not be a bare seed:
    a copy of seed 10 and another copy of seed 11 would have the same draws.

    Raises:
        InputError: `key` is no key.
    """
    check_key("rng", key)
    data = jr.key_data(key)
    return key_from_bits(Bits(*map(_apart, threefry(data[0], data[1], jnp.uint32(0x63617461), jnp.uint32(0x6C6C6178)))))


def random_bits(
    key: Shaped[PRNGKeyArray, ""],
    stream: int,
    copy: Int[Array, "*#shape"] | UInt32[Array, "*#shape"],
    seat: Int[Array, "*#shape"] | UInt32[Array, "*#shape"],
    step: Int[Array, "*#shape"] | UInt32[Array, "*#shape"],
) -> Bits:
    """Random bits for each (copy, seat, step) of a stream.

    The stream and the copy perturb the key; the seat and the step are the counter. Distinct arguments therefore never
    have the same draw within a run. `key` must be scrambled (by `root` or `fold`, or handed out by the engine): then
    two runs share draws only if their 64-bit keys differ by (stream, copy) alone, which has a chance of about 2**-48
    for a pair of runs of a thousand copies.
    """
    data = jr.key_data(key)
    k0 = data[0] ^ jnp.uint32(stream)
    k1 = data[1] ^ jnp.asarray(copy).astype(jnp.uint32)
    return Bits(*threefry(k0, k1, jnp.asarray(seat).astype(jnp.uint32), jnp.asarray(step).astype(jnp.uint32)))


def key_from_bits(bits: Bits) -> Shaped[PRNGKeyArray, "*shape"]:
    """The typed keys whose data are `random_bits`."""
    return jr.wrap_key_data(jnp.stack(bits, axis=-1), impl="threefry2x32")


def key_bits(key: Shaped[PRNGKeyArray, "*shape"]) -> Bits:
    """The random bits that are the data of the key. Consumes the key; no random number is computed.

    Only keys that the engine handed to a rule or a game will do: their data are output of the generator.
    """
    data = jr.key_data(key)
    return Bits(data[..., 0], data[..., 1])


def to_uniform(word: UInt32[Array, "*shape"]) -> Float[Array, "*shape"]:
    """A 32-bit word as a number in [0, 1), a multiple of 2**-24 (float32)."""
    return (word >> 8).astype(jnp.float32) * jnp.float32(2**-24)


def uniform(key: Shaped[PRNGKeyArray, "*shape"]) -> Float[Array, "*shape"]:
    """One number in [0, 1) from the key's own bits (float32, of 24 bits). Consumes the key."""
    return to_uniform(key_bits(key).first)


def normal(key: Shaped[PRNGKeyArray, "*shape"]) -> Float[Array, "*shape"]:
    """One standard normal number from the key's own bits (float32). Consumes the key."""
    return to_normal(key_bits(key).first)


def to_normal(word: UInt32[Array, "*shape"]) -> Float[Array, "*shape"]:
    """A 32-bit word as a standard normal number (float32), by inversion.

    The uniform number has 24 bits and is centred in its cell, so the value lies within +-5.4.
    """
    centred = (word >> 8).astype(jnp.float32) * jnp.float32(2**-23) + jnp.float32(2**-24 - 1.0)
    return jnp.float32(2**0.5) * jax.lax.erf_inv(centred)


def draws(key: Shaped[PRNGKeyArray, ""], n: int) -> Bits:
    """Random bits [n]: the generator at the counters 0, ..., n - 1 under the key. Consumes the key.

    It is meant for whole arrays, where it compiles faster than `jax.random`, whose generator is a loop on CPU.

    Raises:
        InputError: `key` is no key.
    """
    check_key("rng", key)
    data = jr.key_data(key)
    return Bits(*map(_apart, threefry(data[0], data[1], jnp.arange(n, dtype=jnp.uint32), jnp.uint32(0))))


def to_integer(word: UInt32[Array, "*shape"], n: Int[Array, "*shape"] | int) -> Int[Array, "*shape"]:
    """A 32-bit word as an integer in [0, n), for n up to 2**16 (bias below n / 2**24); n < 1 gives 0."""
    n = jnp.asarray(n)
    return jnp.minimum(
        (to_uniform(word) * n.astype(jnp.float32)).astype(jnp.int32), jnp.maximum(n - 1, 0).astype(jnp.int32)
    )


def inverse_cdf(share: Float[Array, "*shape"], cumulative: Float[Array, "*#shape n"]) -> Int[Array, "*shape"]:
    """The index at which a number in [0, 1) falls among cumulative probabilities: how many of them it has reached."""
    return (cumulative <= share[..., None]).sum(axis=-1, dtype=jnp.int32)


def categorical(key: Shaped[PRNGKeyArray, ""], probabilities: Float[Array, " n"]) -> Int[Array, ""]:
    """Index i with probability probabilities[i], by inversion, from the key's own bits. Consumes the key."""
    return inverse_cdf(uniform(key), jnp.cumsum(probabilities)[:-1])


def to_candidate(word: UInt32[Array, ""], candidates: Bool[Array, " n"]) -> Int[Array, ""]:
    """The index of one of the candidates, each with the same chance, from a 32-bit word."""
    return (jnp.cumsum(candidates) <= to_integer(word, candidates.sum())).sum(dtype=jnp.int32)
