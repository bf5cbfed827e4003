"""Trees of arrays as named NumPy arrays and back: what a checkpoint holds.

A leaf is named by its path in the tree. A typed PRNG key is stored as its key data, its implementation
beside it.
"""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path

from catallax.core.errors import FileError

_ROOT = "state"


class HostTree(NamedTuple):
    """The leaves of a tree in host memory."""

    arrays: dict[str, np.ndarray]
    keys: dict[str, str]
    """The leaves that are PRNG keys: name to implementation."""


def to_host(tree: Any) -> HostTree:
    """Copies a tree of arrays to the host. Waits until they are computed."""
    arrays, keys = {}, {}
    for path, leaf in tree_flatten_with_path(tree)[0]:
        name = _ROOT + keystr(path)
        if _is_key(leaf):
            keys[name] = str(jax.random.key_impl(leaf))
            leaf = jax.random.key_data(leaf)
        arrays[name] = np.asarray(leaf)
    return HostTree(arrays, keys)


def from_host(host: HostTree, like: Any, name: str) -> Any:
    """The tree with the structure of `like` and the leaves of `host`, as NumPy arrays and typed keys.

    Args:
        host: leaves by name.
        like: a tree of `jax.ShapeDtypeStruct`.
        name: where the leaves come from, for messages.

    Raises:
        FileError: a leaf is missing, not wanted, or of another dtype or shape.
    """
    wanted, structure = tree_flatten_with_path(like)
    names = [_ROOT + keystr(path) for path, _ in wanted]
    odd = sorted(set(names) ^ set(host.arrays))
    if odd:
        raise FileError(f"{name}: the saved state has another form (at {odd[0]!r}); the code that made it has changed")
    leaves = []
    for leaf_name, (_, leaf) in zip(names, wanted, strict=True):
        value, impl = host.arrays[leaf_name], host.keys.get(leaf_name)
        try:
            found = jax.random.wrap_key_data(jax.numpy.asarray(value), impl=impl) if impl else value
        except (TypeError, ValueError) as error:
            raise FileError(f"{name}: {leaf_name!r} is not a PRNG key ({error})") from None
        if found.dtype != leaf.dtype or found.shape != leaf.shape:
            expected = f"{leaf.dtype}{list(leaf.shape)}"
            raise FileError(f"{name}: {leaf_name!r} is {found.dtype}{list(found.shape)}, expected {expected}")
        leaves.append(found)
    return jax.tree.unflatten(structure, leaves)


def slice_axis(host: HostTree, axis: int, keep: int) -> HostTree:
    """Only the first `keep` entries along an axis of every leaf."""
    index = (slice(None),) * axis + (slice(keep),)
    return HostTree({k: v[index] for k, v in host.arrays.items()}, host.keys)


def size_in_bytes(like: Any) -> int:
    """How many bytes the leaves of a tree of `jax.ShapeDtypeStruct` take."""
    return sum(_leaf_bytes(x) for x in jax.tree.leaves(like))


def _leaf_bytes(leaf: Any) -> int:
    width = 16 if _is_key(leaf) else np.dtype(leaf.dtype).itemsize
    return width * int(np.prod(leaf.shape, dtype=np.int64))


def _is_key(leaf: Any) -> bool:
    return jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
