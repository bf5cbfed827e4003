"""Action spaces: the actions that a game accepts, and the check of an action's form."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PyTree, Shaped

from .errors import BuildError


class AbstractSpace(eqx.Module):
    """The set of actions open to one seat. A space is static: it has no arrays."""

    @abc.abstractmethod
    def struct(self) -> PyTree[jax.ShapeDtypeStruct]:
        """Shapes and dtypes of one action, without seat or copy axes."""

    @abc.abstractmethod
    def contains(self, action: PyTree[Array]) -> Bool[Array, ""]:
        """Whether `action` lies in the space."""

    @abc.abstractmethod
    def sample(self, key: Any) -> PyTree[Array]:
        """An action drawn uniformly, for tests and for exploration. Consumes the key."""


class Discrete(AbstractSpace):
    """The integers 0, ..., n - 1 (int32)."""

    n: int = eqx.field(static=True)

    def struct(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((), jnp.int32)

    def contains(self, action: Array) -> Bool[Array, ""]:
        """Whether 0 <= action < n."""
        return (action >= 0) & (action < self.n)

    def sample(self, key: Any) -> Array:
        return jax.random.randint(key, (), 0, self.n)


class Masked(NamedTuple):
    """What a view returns that also says which of finitely many actions are legal now.

    The rule must take a legal action. At least one action must be legal at each tick. Rules that cannot choose among
    legal actions refuse such a view when they are seated.
    """

    features: PyTree[Shaped[Array, "..."]]
    """The other features that the rule sees."""
    legal: Bool[Array, "*batch actions"]
    """True for each legal action."""


class Real(AbstractSpace):
    """Real vectors of a fixed shape within [low, high]; the bounds may be infinite.

    Unless `dtype` is given, it is JAX's own float type, which is double precision under `jax_enable_x64`.
    """

    low: float = eqx.field(static=True, default=-float("inf"))
    high: float = eqx.field(static=True, default=float("inf"))
    shape: tuple[int, ...] = eqx.field(static=True, default=())
    dtype: Any = eqx.field(static=True, default=None)

    def struct(self) -> jax.ShapeDtypeStruct:
        """A real array of the space's shape and dtype."""
        return jax.ShapeDtypeStruct(self.shape, jnp.result_type(float if self.dtype is None else self.dtype))

    def contains(self, action: Array) -> Bool[Array, ""]:
        """Whether every entry lies within the bounds (NaN never does)."""
        return ((action >= self.low) & (action <= self.high)).all()

    def sample(self, key: Any) -> Array:
        """An action drawn uniformly within the bounds; if a bound is infinite, clipped standard normal numbers."""
        if abs(self.low) == float("inf") or abs(self.high) == float("inf"):
            return jnp.clip(jax.random.normal(key, self.shape), self.low, self.high)
        return jax.random.uniform(key, self.shape, minval=self.low, maxval=self.high)


class Product(AbstractSpace):
    """A pytree of spaces; an action is a pytree of the same form, with one part in each space."""

    parts: PyTree[AbstractSpace] = eqx.field(static=True)

    def _map(self, f: Any, *rest: Any) -> Any:
        return jax.tree.map(f, self.parts, *rest, is_leaf=lambda x: isinstance(x, AbstractSpace))

    def struct(self) -> PyTree[jax.ShapeDtypeStruct]:
        return self._map(lambda s: s.struct())

    def contains(self, action: PyTree[Array]) -> Bool[Array, ""]:
        """Whether every part contains its entry."""
        inside = self._map(lambda s, a: s.contains(a), action)
        return jnp.stack(jax.tree.leaves(inside)).all()

    def sample(self, key: Any) -> PyTree[Array]:
        spaces, tree = jax.tree.flatten(self.parts, is_leaf=lambda x: isinstance(x, AbstractSpace))
        keys = jax.random.split(key, len(spaces))
        return jax.tree.unflatten(tree, [s.sample(k) for s, k in zip(spaces, keys, strict=True)])


def conform(action: PyTree[Any], space: AbstractSpace, who: str) -> PyTree[Array]:
    """`action` with the space's dtypes.

    Integers and weakly typed numbers become the space's dtype. Only shapes and dtypes are looked at, while the program
    is traced; the check costs nothing when the program runs.

    Args:
        who: the name of the rule, for messages.

    Raises:
        BuildError: `action` has another tree, another shape, or a kind that would lose something (a real number where
            an integer is asked for). The message says what `who` returned and what was expected.
    """
    want = space.struct()
    want_tree = jax.tree.structure(want)
    leaves, tree = jax.tree.flatten(action)
    if tree != want_tree:
        raise BuildError(f"{who} returned an action of the form {tree}; the game expects {want_tree}")
    done = []
    for (path, w), x in zip(jax.tree.leaves_with_path(want), leaves, strict=True):
        x = jnp.asarray(x)
        where = jax.tree_util.keystr(path) or "the action"
        if x.shape != w.shape:
            raise BuildError(f"{who}: {where} has shape {x.shape}; the game expects {w.shape} for one seat")
        if jnp.issubdtype(w.dtype, jnp.integer) and not jnp.issubdtype(x.dtype, jnp.integer):
            raise BuildError(f"{who}: {where} has dtype {x.dtype}; the game expects {w.dtype}")
        if jnp.issubdtype(x.dtype, jnp.complexfloating):
            raise BuildError(f"{who}: {where} has dtype {x.dtype}; the game expects {w.dtype}")
        done.append(x.astype(w.dtype))
    return jax.tree.unflatten(want_tree, done)
