"""A replay store as arrays: what happened lately, in a ring, to be learnt from again."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import InputError


class Transition(NamedTuple):
    """One tick of a life, or many along leading axes."""

    obs: PyTree[Array]
    action: PyTree[Array]
    reward: Float[Array, "*batch"]
    discount: Float[Array, "*batch"]
    after: PyTree[Array]
    """The observation that followed."""


class ReplayBuffer(NamedTuple):
    """The last `capacity` transitions, in a ring."""

    kept: Transition
    """Leaves [capacity, ...]; zeros where nothing was put yet."""
    total: Int[Array, ""]
    """Transitions ever put in."""

    @property
    def size(self) -> Int[Array, ""]:
        """How many transitions can be drawn."""
        return jnp.minimum(self.total, self.kept.reward.shape[0])


def empty(capacity: int, one: Transition) -> ReplayBuffer:
    """A store for transitions of the form of `one` (arrays or structs without a batch axis)."""
    return ReplayBuffer(jax.tree.map(lambda x: jnp.zeros((capacity, *x.shape), x.dtype), one), jnp.int32(0))


def put(store: ReplayBuffer, new: Transition) -> ReplayBuffer:
    """The store after `new`, leaves [n, ...]; the oldest make room.

    Raises:
        InputError: more transitions at once than the store holds.
    """
    capacity, n = store.kept.reward.shape[0], new.reward.shape[0]
    if n > capacity:
        raise InputError(f"replay: {n} transitions a phase do not fit a store of {capacity}; give it a larger capacity")
    at = (store.total + jnp.arange(n)) % capacity
    # the counter is folded back so that it never runs over; its place in the ring and `size` stay right
    total = store.total + n
    total = jnp.where(total >= 2 * capacity, total - capacity, total)
    kept = jax.tree.map(lambda x, y: x.at[at].set(y.astype(x.dtype), unique_indices=True), store.kept, new)
    return ReplayBuffer(kept, total)


def draw(store: ReplayBuffer, key: Shaped[PRNGKeyArray, ""], n: int) -> Transition:
    """n transitions drawn uniformly with replacement, leaves [n, ...]; zeros from an empty store. Consumes the key."""
    at = jax.random.randint(key, (n,), 0, jnp.maximum(store.size, 1))
    return jax.tree.map(lambda x: x[at], store.kept)
