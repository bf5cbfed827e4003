"""One cell as compiled programs: the first states, and a chunk of steps for a block of replications.

The axes of every array are [(lane,) replicate, ...]. The lanes of a cell are one flat axis here, in the order of their
product. `execute` calls all functions that use JAX in its compute thread.

A state leaves the device as a `HostTree`: its leaves as NumPy arrays by name. A leaf is named by its path in the tree.
A typed PRNG key is stored as its key data, with the name of its implementation.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.tree_util import keystr, tree_flatten_with_path

from catallax.core import rng
from catallax.core.errors import FileError, InputError
from catallax.core.measure import with_memories
from catallax.core.run import advance
from catallax.lab.experiment import Cell

_AXIS = "replicate"
_ROOT = "state"
_TOO_FAR = 4.0  # a chunk that divides the steps may be this many times smaller or larger than the requested one


class HostTree(NamedTuple):
    """The leaves of a tree in host memory.

    Attributes:
        arrays: The leaves by name.
        keys: The leaves that are PRNG keys: name to implementation.
    """

    arrays: dict[str, np.ndarray]
    keys: dict[str, str]

    def first(self, count: int, axis: int) -> "HostTree":
        """The tree with only the first `count` entries of every leaf along an axis."""
        index = (slice(None),) * axis + (slice(count),)
        return HostTree({name: value[index] for name, value in self.arrays.items()}, self.keys)


def choose_chunk(steps: int, asked: int, period: int) -> int:
    """The length of the chunks of a run.

    It is the multiple of `period` that divides `steps` and is nearest to `asked` in ratio, so that all chunks share one
    compiled program. If there is none within a factor of 4, it is the multiple of `period` nearest to `asked`; the last
    chunk is then shorter and is compiled apart.
    """

    def distance(length: int) -> tuple[float, int]:
        return abs(math.log(length / asked)), length

    if steps % period == 0:
        count = steps // period
        small = (d for d in range(1, math.isqrt(count) + 1) if count % d == 0)
        best = min((period * d for s in small for d in (s, count // s)), key=distance)
        if distance(best)[0] <= math.log(_TOO_FAR):
            return best
    return min(max(round(asked / period), 1) * period, steps)


def period_of(cell: Cell) -> int:
    """The number of steps after which the pattern of evaluations of a cell's measures repeats."""
    return math.lcm(1, *(m.every for m in cell.measures))


class CellProgram:
    """The programs of one cell.

    Args:
        cell: What to run.
        block: The number of replications side by side.
        seed: The root of all keys; replicate r has fold(key(seed), r) in every cell and lane.
        devices: The devices to use; all local devices if left out.
    """

    def __init__(self, cell: Cell, block: int, seed: int, devices: list[Any] | None = None) -> None:
        self.cell, self.block, self.seed = cell, block, seed
        self._place = _placement(block, jax.local_devices() if devices is None else devices, bool(cell.lanes))
        whole, states = self._place.whole, self._place.states
        # Without lanes the dynamics is built once and its arrays are arguments, so that none becomes a constant.
        arrays, self._static = eqx.partition(None if cell.lanes else cell.build(), eqx.is_array)
        self._arrays = jax.device_put(arrays, whole)
        self.lanes = jax.device_put({k: jnp.asarray(v) for k, v in _grid(cell).items()}, whole)
        self._begin = self._place.jit(self._first_states, (whole, whole, self._place.keys), states)
        self._beginning: Any = None
        self.state_like = jax.eval_shape(self._first_states, self._arrays, self.lanes, self.keys(0))
        self._traced: dict[int, Any] = {}
        self._compiled: dict[int, Any] = {}

    def keys(self, block: int) -> Any:
        """The keys of the replications of a block, [block]. The last block also has keys for its padding."""
        root = rng.key(self.seed)
        numbers = block * self.block + jnp.arange(self.block, dtype=jnp.int32)
        return jax.device_put(jax.vmap(lambda r: rng.fold(root, r))(numbers), self._place.keys)

    def begin(self, keys: Any) -> Any:
        """The first states of a block."""
        if self._beginning is None:
            # This program runs once a block, so that optimising it would cost more than it saves.
            options = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
            lowered = self._begin.lower(self._arrays, self.lanes, keys)
            self._beginning = lowered.compile(compiler_options=options)
        return self._beginning(self._arrays, self.lanes, keys)

    def on_host(self, saved: HostTree, name: str) -> Any:
        """Saved states as a tree of NumPy arrays and typed keys. `name` is their file, for messages."""
        return from_host(saved, self.state_like, name)

    def restore(self, saved: HostTree, name: str) -> Any:
        """Saved states on the devices. `name` is their file, for messages.

        The states are copied, because `advance` consumes its argument.
        """
        return jax.device_put(self.on_host(saved, name), self._place.states, may_alias=False)

    def trace(self, steps: int) -> dict[str, jax.ShapeDtypeStruct]:
        """Trace the program of a chunk of `steps` steps; returns the shapes and dtypes of the series it records."""
        longest: list[int] = []

        def chunk(arrays: Any, lanes: Any, keys: Any, states: Any, start: Any) -> Any:
            def one_lane(lane: Any, states: Any) -> Any:
                dynamics = self._build(arrays, lane)
                longest.append(dynamics.most_steps)
                out = jax.vmap(lambda k, s: advance(dynamics, k, s, start, steps, self.cell.measures))(keys, states)
                return out.state, out.series

            return self._over_lanes(one_lane)(lanes, states)

        if steps not in self._traced:
            whole, states = self._place.whole, self._place.states
            inputs = (whole, whole, self._place.keys, states, whole)
            function = self._place.jit(chunk, inputs, states, donate_argnums=(3,))
            start = jax.ShapeDtypeStruct((), jnp.int32)
            traced = function.trace(self._arrays, self.lanes, self.keys(0), self.state_like, start)
            self._traced[steps] = traced, longest
        return self._traced[steps][0].out_info[1]

    def longest(self, steps: int) -> int:
        """How many steps the dynamics can draw for. A chunk of `steps` steps must be traced before."""
        return min(self._traced[steps][1])

    def compile(self, steps: int) -> None:
        """Compile the program of a chunk of `steps` steps, unless it is compiled."""
        if steps not in self._compiled:
            self.trace(steps)
            self._compiled[steps] = self._traced[steps][0].lower().compile()

    def is_compiled(self, steps: int) -> bool:
        """Whether the program of a chunk of `steps` steps is compiled."""
        return steps in self._compiled

    def advance(self, keys: Any, states: Any, start: int, steps: int) -> tuple[Any, HostTree, dict[str, np.ndarray]]:
        """Run a chunk; returns the new states, a copy of them on the host, and the series. `states` is consumed."""
        states, series = self._compiled[steps](self._arrays, self.lanes, keys, states, np.int32(start))
        return states, to_host(states), {name: np.asarray(value) for name, value in series.items()}

    def _build(self, arrays: Any, lane: dict[str, Any]) -> Any:
        """The dynamics at one point of the lanes."""
        return self.cell.build(**lane) if self.cell.lanes else eqx.combine(arrays, self._static)

    def _first_states(self, arrays: Any, lanes: Any, keys: Any) -> Any:
        """The function behind `begin`."""

        def one_lane(lane: Any) -> Any:
            dynamics = self._build(arrays, lane)
            return jax.vmap(lambda key: with_memories(dynamics, dynamics.init(key), self.cell.measures))(keys)

        # A weakly typed first state would not fit the program of the second chunk.
        return jax.tree.map(_strong, self._over_lanes(one_lane)(lanes))

    def _over_lanes(self, one_lane: Callable[..., Any]) -> Callable[..., Any]:
        """The function of one lane, mapped over the lane axis if the cell has one."""
        return jax.vmap(one_lane) if self.cell.lanes else one_lane


class _Placement:
    """Where keys, states and everything else lie: on one device, or on a mesh over the replicate axis."""

    def __init__(self, keys: Any, states: Any, whole: Any) -> None:
        self.keys, self.states, self.whole = keys, states, whole

    def jit(self, function: Callable[..., Any], inputs: tuple, outputs: Any, **options: Any) -> Any:
        """`jax.jit` with these shardings of arguments and results; on one device there are none.

        Each device runs the program of one device on its replications. The compiler, left to itself, would gather
        tables whose replicate axis is merged with seats from all devices at every step.
        """
        if self.whole is None:
            return jax.jit(function, **options)
        specs = tuple(sharding.spec for sharding in inputs)
        local = jax.shard_map(function, mesh=self.whole.mesh, in_specs=specs, out_specs=outputs.spec, check_vma=False)
        return jax.jit(local, in_shardings=inputs, out_shardings=outputs, **options)


def _placement(block: int, devices: list[Any], has_lanes: bool) -> _Placement:
    """The placement on the largest number of devices that divides the block and gives each at least two replications.

    A single replication is compiled to other machine code than several, and its last bits may differ.
    """
    count = max(d for d in range(1, len(devices) + 1) if d == 1 or (block % d == 0 and block // d > 1))
    if count == 1:
        return _Placement(None, None, None)
    mesh = Mesh(np.asarray(devices[:count]), (_AXIS,))
    states = PartitionSpec(None, _AXIS) if has_lanes else PartitionSpec(_AXIS)
    return _Placement(*(NamedSharding(mesh, s) for s in (PartitionSpec(_AXIS), states, PartitionSpec())))


def _grid(cell: Cell) -> dict[str, list[float | int]]:
    """The product of the lanes as one flat axis: for each lane its value at every point."""
    points = list(itertools.product(*cell.lanes.values()))
    return {name: [p[i] for p in points] for i, name in enumerate(cell.lanes)}


def _strong(x: Any) -> Any:
    """The same array without a weak type."""
    return x if _is_key(x) else jax.lax.convert_element_type(x, x.dtype)


def check_series_form(cell: Cell, series: dict[str, jax.ShapeDtypeStruct]) -> None:
    """Check that the measures of a cell return what they declare.

    Args:
        cell: The cell.
        series: Shapes and dtypes of its series.

    Raises:
        InputError: a variable is missing or not declared, its axes do not match its dimensions, or two variables give
            one dimension different sizes.
    """
    declared = {v.name for v in cell.variables}
    odd = sorted(declared ^ set(series))
    if odd:
        side = "declares but does not return" if odd[0] in declared else "returns but does not declare"
        raise InputError(f"cell {cell.name!r}: a measure {side} the variable {odd[0]!r}")
    sizes: dict[str, int] = {}
    for variable in cell.variables:
        shape = series[variable.name].shape[3 if cell.lanes else 2 :]
        if len(shape) != len(variable.dims):
            raise InputError(
                f"cell {cell.name!r}: {variable.name!r} has the shape {shape} but declares the dimensions "
                f"{variable.dims}"
            )
        for dim, size in zip(variable.dims, shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise InputError(
                    f"cell {cell.name!r}: dimension {dim!r} has {size} entries in {variable.name!r}, "
                    f"{sizes[dim]} elsewhere"
                )


def to_host(tree: Any) -> HostTree:
    """Copy a tree of arrays to the host, once they are computed."""
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
        host: The leaves by name.
        like: A tree of `jax.ShapeDtypeStruct`.
        name: The file that the leaves come from, for messages.

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
            found = jax.random.wrap_key_data(jnp.asarray(value), impl=impl) if impl else value
        except (TypeError, ValueError) as error:
            raise FileError(f"{name}: {leaf_name!r} is not a PRNG key ({error})") from None
        if found.dtype != leaf.dtype or found.shape != leaf.shape:
            expected = f"{leaf.dtype}{list(leaf.shape)}"
            raise FileError(f"{name}: {leaf_name!r} is {found.dtype}{list(found.shape)}, expected {expected}")
        leaves.append(found)
    return jax.tree.unflatten(structure, leaves)


def size_in_bytes(like: Any) -> int:
    """The number of bytes that the leaves of a tree of `jax.ShapeDtypeStruct` take."""
    return sum(_leaf_bytes(x) for x in jax.tree.leaves(like))


def _leaf_bytes(leaf: Any) -> int:
    """The number of bytes of one leaf; a key counts as its widest implementation."""
    width = 16 if _is_key(leaf) else np.dtype(leaf.dtype).itemsize
    return width * int(np.prod(leaf.shape, dtype=np.int64))


def _is_key(leaf: Any) -> bool:
    """Whether a leaf is a typed PRNG key."""
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
