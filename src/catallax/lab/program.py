"""One cell as compiled programs: the first states, and a chunk of steps for a block of replications.

Axes of every array: [(lane,) replicate, ...]. The lanes of a cell are one flat axis here, in the order of
their product. Everything in this file runs in the compute thread of `execute`.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from catallax.core import rng
from catallax.core.errors import InputError
from catallax.core.measure import with_memories
from catallax.core.run import advance
from catallax.lab.experiment import Cell
from catallax.lab.tree import HostTree, to_host

_AXIS = "replicate"
_TOO_FAR = 4.0
"""A chunk that divides the steps may be this many times smaller or larger than the one asked for."""


def choose_chunk(steps: int, asked: int, period: int) -> int:
    """The chunk length nearest (in ratio) to `asked` that is a multiple of `period` and divides `steps`.

    Then all chunks share one compiled program. If there is none within a factor of 4, the multiple of
    `period` nearest to `asked`: the last chunk is then shorter and compiled apart.
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
    """The steps after which the pattern of evaluations of a cell's measures repeats."""
    return math.lcm(1, *(m.every for m in cell.measures))


class CellProgram:
    """The programs of one cell.

    Args:
        cell: what to run.
        block: replications side by side.
        seed: root of all keys; replicate r has fold(key(seed), r) in every cell and lane.

    Raises:
        InputError: steps beyond what the dynamics can draw for, or measures that do not return what they
            declare.
    """

    def __init__(self, cell: Cell, block: int, seed: int, devices: list[Any] | None = None) -> None:
        self.cell, self.block, self.seed = cell, block, seed
        self._place = _placement(block, jax.local_devices() if devices is None else devices, bool(cell.lanes))
        whole, states = self._place.whole, self._place.states
        # Without lanes the dynamics is built once and its arrays are arguments: nothing becomes a constant
        arrays, self._static = eqx.partition(None if cell.lanes else cell.build(), eqx.is_array)
        self._arrays = jax.device_put(arrays, whole)
        self.lanes = jax.device_put({k: jnp.asarray(v) for k, v in _grid(cell).items()}, whole)
        self._begin = self._place.jit(self._first_states, (whole, whole, self._place.keys), states)
        self._beginning: Any = None
        self.state_like = jax.eval_shape(self._first_states, self._arrays, self.lanes, self.keys(0))
        self._traced: dict[int, Any] = {}
        self._compiled: dict[int, Any] = {}

    def keys(self, block: int) -> Any:
        """The keys of a block's replications [block], beyond the last replication too: the last block is
        padded.
        """
        root = rng.key(self.seed)
        numbers = block * self.block + jnp.arange(self.block, dtype=jnp.int32)
        return jax.device_put(jax.vmap(lambda r: rng.fold(root, r))(numbers), self._place.keys)

    def begin(self, keys: Any) -> Any:
        """The first states of a block."""
        if self._beginning is None:
            # once a block: time spent on optimising it would never come back
            options = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
            lowered = self._begin.lower(self._arrays, self.lanes, keys)
            self._beginning = lowered.compile(compiler_options=options)
        return self._beginning(self._arrays, self.lanes, keys)

    def put(self, states: Any) -> Any:
        """Saved states back on the devices. Copied, because the program consumes what it is given."""
        return jax.device_put(states, self._place.states, may_alias=False)

    def trace(self, steps: int) -> dict[str, jax.ShapeDtypeStruct]:
        """Traces the program of a chunk of `steps` steps and gives the form of the series it records."""
        if steps not in self._traced:
            longest: list[int] = []
            whole, states = self._place.whole, self._place.states
            inputs = (whole, whole, self._place.keys, states, whole)
            function = self._place.jit(self._advance(steps, longest), inputs, states, donate_argnums=(3,))
            start = jax.ShapeDtypeStruct((), jnp.int32)
            self._traced[steps] = (
                function.trace(self._arrays, self.lanes, self.keys(0), self.state_like, start),
                longest,
            )
        traced, _ = self._traced[steps]
        return traced.out_info[1]

    def longest(self, steps: int) -> int:
        """How many steps the dynamics can draw for, known once a chunk of `steps` is traced."""
        return min(self._traced[steps][1])

    def compile(self, steps: int) -> None:
        """Compiles the program of a chunk of `steps` steps; nothing if it is compiled."""
        if steps not in self._compiled:
            self.trace(steps)
            self._compiled[steps] = self._traced[steps][0].lower().compile()

    def is_compiled(self, steps: int) -> bool:
        """Whether a chunk of `steps` steps can start at once."""
        return steps in self._compiled

    def advance(self, keys: Any, states: Any, start: int, steps: int) -> tuple[Any, HostTree, dict[str, np.ndarray]]:
        """Runs a chunk: the new states, the same on the host, and the series. `states` is consumed."""
        states, series = self._compiled[steps](self._arrays, self.lanes, keys, states, np.int32(start))
        return states, to_host(states), {name: np.asarray(value) for name, value in series.items()}

    def _build(self, arrays: Any, lane: dict[str, Any]) -> Any:
        return self.cell.build(**lane) if self.cell.lanes else eqx.combine(arrays, self._static)

    def _first_states(self, arrays: Any, lanes: Any, keys: Any) -> Any:
        def one_lane(lane: Any) -> Any:
            dynamics = self._build(arrays, lane)
            return jax.vmap(lambda key: with_memories(dynamics, dynamics.init(key), self.cell.measures))(keys)

        # a weakly typed first state would not fit the program of the second chunk
        return jax.tree.map(_strong, self._over_lanes(one_lane)(lanes))

    def _advance(self, steps: int, longest: list[int]) -> Callable[..., Any]:
        measures = self.cell.measures

        def chunk(arrays: Any, lanes: Any, keys: Any, states: Any, start: Any) -> Any:
            def one_lane(lane: Any, states: Any) -> Any:
                dynamics = self._build(arrays, lane)
                longest.append(dynamics.most_steps)
                out = jax.vmap(lambda k, s: advance(dynamics, k, s, start, steps, measures))(keys, states)
                return out.state, out.series

            return self._over_lanes(one_lane)(lanes, states)

        return chunk

    def _over_lanes(self, one_lane: Callable[..., Any]) -> Callable[..., Any]:
        return jax.vmap(one_lane) if self.cell.lanes else one_lane


class _Placement:
    """Where keys, states and the rest live: one device, or a mesh over the replicate axis."""

    def __init__(self, keys: Any, states: Any, whole: Any) -> None:
        self.keys, self.states, self.whole = keys, states, whole

    def jit(self, function: Callable[..., Any], inputs: tuple, outputs: Any, **options: Any) -> Any:
        """`jax.jit` with these shardings of arguments and results; plain on one device.

        Each device runs the program of one device on its replications. Left to the compiler, tables whose replicate
        axis is merged with seats are gathered from all devices at every step (measured: over a hundred times slower).
        """
        if self.whole is None:
            return jax.jit(function, **options)
        specs = tuple(sharding.spec for sharding in inputs)
        local = jax.shard_map(function, mesh=self.whole.mesh, in_specs=specs, out_specs=outputs.spec, check_vma=False)
        return jax.jit(local, in_shardings=inputs, out_shardings=outputs, **options)


def _placement(block: int, devices: list[Any], has_lanes: bool) -> _Placement:
    """Over as many devices as divide the block; each then has the same number of replications, and at least two.

    A single replication is compiled to other machine code than several, whose last bits may differ.
    """
    count = max(d for d in range(1, len(devices) + 1) if d == 1 or (block % d == 0 and block // d > 1))
    if count == 1:
        return _Placement(None, None, None)
    mesh = Mesh(np.asarray(devices[:count]), (_AXIS,))
    states = PartitionSpec(None, _AXIS) if has_lanes else PartitionSpec(_AXIS)
    return _Placement(*(NamedSharding(mesh, s) for s in (PartitionSpec(_AXIS), states, PartitionSpec())))


def _grid(cell: Cell) -> dict[str, list[float | int]]:
    """The product of the lanes, flat: for each lane its value at every point."""
    points = list(itertools.product(*cell.lanes.values()))
    return {name: [p[i] for p in points] for i, name in enumerate(cell.lanes)}


def _strong(x: Any) -> Any:
    return x if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else jax.lax.convert_element_type(x, x.dtype)


def check_series_form(cell: Cell, series: dict[str, jax.ShapeDtypeStruct]) -> None:
    """Whether the measures return what they declare.

    Raises:
        InputError: a variable is missing or not declared, its axes do not match its dimensions, or two
            variables give
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
