"""The drivers: `run` scans a dynamics, `replicate` does so for many keys, `solve` iterates a dynamics to rest.

They may be vmapped, and a run may be cut into chunks.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

from .checks import check_count
from .draws import prefetching
from .dynamics import AbstractDynamics
from .errors import InputError, NumericalError
from .measure import AbstractMeasure, AbstractRunningMeasure, WithMemories, running, with_memories
from .rng import check_key


class Run(NamedTuple):
    """What `run` returns: the state after the last step, and each measured variable over time."""

    state: PyTree[Array]
    """The dynamics' state; `WithMemories` if a measure has a memory. `run(..., state=, start=)` continues from it."""
    series: dict[str, Array]
    """Variable name -> values [evaluations, ...]."""


def _check(dynamics: AbstractDynamics, steps: int, start: int, measures: Sequence[AbstractMeasure], state: Any) -> None:
    for name, value, least in (("steps", steps, 1), ("start", start, 0)):
        check_count("run", name, value, least)
    if start + steps > dynamics.most_steps:
        raise InputError(f"run: {start + steps} steps are more than this dynamics can draw for ({dynamics.most_steps})")
    names = [v.name for m in measures for v in m.variables]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"run: two measures are called {name!r}; rename or drop one")
    for m in measures:
        check_count("run", f"{type(m).__name__}.every", m.every)
    if start and running(measures) and not isinstance(state, WithMemories):
        raise InputError(
            f"run: {type(running(measures)[0]).__name__} has a memory, which the state of a run from step {start} must "
            "hold; give the `state` of the run before, which was made with the same measures"
        )


def advance(
    dynamics: AbstractDynamics,
    key: Shaped[PRNGKeyArray, ""],
    state: PyTree[Array],
    start: Int[Array, ""],
    steps: int,
    measures: Sequence[AbstractMeasure],
    offset: int = 0,
) -> Run:
    """`run` without checks and without its own jit, for drivers that compile a whole chunk themselves.

    `state` is a state of the dynamics at the start of a run, and later the state of the `Run` before. A driver that
    needs one form for both begins with `with_memories(dynamics, dynamics.init(key), measures)`. `start` may be traced;
    `offset` is `start` modulo the least common multiple of the measures' `every`.
    """

    # Measures are read after blocks of `block` steps. Steps within a block are scanned without them; this saves one
    # `cond` and one output row per step.
    block = math.gcd(steps, offset, *(m.every for m in measures)) if measures else 1
    remembering = running(measures)
    prefetch, step = prefetching(dynamics, key)
    step = jax.jit(step, inline=True)  # traced once, for its output shapes and for its use

    def one(carry: Any, t: Array) -> tuple[Any, None]:
        (state, memories, numbers), _ = carry
        state, record, numbers = step(state, t, numbers)
        memories = tuple(
            m.fold(dynamics, memory, state, record, t) for m, memory in zip(remembering, memories, strict=True)
        )
        return ((state, memories, numbers), record), None

    def body(now: Any, t: Array) -> tuple[Any, list[dict[str, Array]]]:
        if block == 1:
            (now, record), _ = one((now, None), t)
        else:
            state, _, numbers = now
            blank = _blank(jax.eval_shape(step, state, t, numbers)[1])
            (now, record), _ = jax.lax.scan(one, (now, blank), t + jnp.arange(block, dtype=jnp.int32))
            t = t + (block - 1)
        state, memories, _ = now
        left, rows = iter(memories), []
        for m in measures:
            if isinstance(m, AbstractRunningMeasure):
                value = partial(m.read, dynamics, next(left), t)
            else:
                value = partial(m, dynamics, state, record, t)
            if m.every == block:
                rows.append(value())
            else:
                blank = _blank(jax.eval_shape(value))
                rows.append(jax.lax.cond((t + 1) % m.every == 0, value, lambda blank=blank: blank))
        return now, rows

    given = with_memories(dynamics, state, measures)
    state, memories = given if remembering else (given, ())
    now = (state, memories, prefetch(start))
    (state, memories, _), rows = jax.lax.scan(body, now, start + block * jnp.arange(steps // block, dtype=jnp.int32))
    series: dict[str, Array] = {}
    for m, row in zip(measures, rows, strict=True):
        every = m.every // block
        first = every - 1 - offset // block % every
        series.update({name: x[first::every] for name, x in row.items()})
    return Run(WithMemories(state, memories) if remembering else state, series)


def _blank(form: Any) -> Any:
    return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), form)


@eqx.filter_jit
def _run(dynamics: Any, key: Any, state: Any, start: Any, steps: int, measures: Any, offset: int) -> Run:
    if state is None:
        state = dynamics.init(key)
    return advance(dynamics, key, state, start, steps, measures, offset)


@eqx.filter_jit
def _replicate(dynamics: Any, keys: Any, states: Any, start: Any, steps: int, measures: Any, offset: int) -> Run:
    if states is None:
        states = jax.vmap(dynamics.init)(keys)
    return jax.vmap(lambda k, s: advance(dynamics, k, s, start, steps, measures, offset))(keys, states)


def _offset(start: int, measures: Sequence[AbstractMeasure]) -> int:
    period = 1
    for m in measures:
        period = period * m.every // math.gcd(period, m.every)
    return start % period


def run(
    dynamics: AbstractDynamics,
    key: Shaped[PRNGKeyArray, ""],
    steps: int,
    measures: Sequence[AbstractMeasure] = (),
    *,
    state: Any = None,
    start: int = 0,
) -> Run:
    """Runs `dynamics` for `steps` steps from step number `start`.

    Args:
        dynamics: what evolves.
        key: the run's key; every draw is a function of it and of absolute step numbers.
        steps: the number of steps, at least 1.
        measures: what is kept, evaluated inside the scan; no two may have a variable of the same name.
        state: the state before the first step; None stands for `dynamics.init(key)`.
        start: the number of the first step. `run(a + b)` equals `run(a)` followed by `run(b, state=..., start=a)`,
            bit for bit if `a` and `b` are multiples of every measure's `every`: then both are one loop of one program.

    Raises:
        InputError: a count is below one, two measures have a variable of the same name, the run has more steps than the
            random counters cover, `key` is no key, or `state` lacks the memories of running measures.
    """
    measures = tuple(measures)
    check_key("run", key)
    _check(dynamics, steps, start, measures, state)
    return _run(dynamics, key, state, np.asarray(start, np.int32), steps, measures, _offset(start, measures))


def replicate(
    dynamics: AbstractDynamics,
    keys: Shaped[PRNGKeyArray, " replicates"],
    steps: int,
    measures: Sequence[AbstractMeasure] = (),
    *,
    states: Any = None,
    start: int = 0,
) -> Run:
    """`run` for each key, as one batched program: every leaf of the result has a leading replicate axis.

    The number of keys is the width of the block. Floats may differ in the last bits between widths, so an experiment
    fixes the width.

    Args: as `run`; `states` have a leading replicate axis too.

    Raises:
        InputError: as `run`, or `keys` is no list of keys.
    """
    measures = tuple(measures)
    check_key("replicate", keys, axes=1)
    _check(dynamics, steps, start, measures, states)
    return _replicate(dynamics, keys, states, np.asarray(start, np.int32), steps, measures, _offset(start, measures))


class Solution(NamedTuple):
    """What `solve` returns: the last state, and whether the iteration came to rest there."""

    value: PyTree[Array]
    """The last state."""
    steps: Int[Array, ""]
    """The number of steps that were made."""
    residual: Float[Array, ""]
    """The residual of the last state, in the dynamics' own norm."""
    converged: Bool[Array, ""]
    """Whether the residual is at most `tol`."""

    def require(self) -> PyTree[Array]:
        """The value, if the iteration converged.

        Raises:
            NumericalError: the iteration did not converge. The message has the residual, and the text of
                `value.status()` if the state's class has such a method, for example that the iteration cycles; a state
                with nothing to tell returns the empty text.
        """
        if not bool(self.converged):
            status = getattr(self.value, "status", str)()
            raise NumericalError(
                f"no convergence: residual {float(self.residual):.3g} after {int(self.steps)} steps; "
                + (status or "raise max_steps, loosen tol, or start nearer")
            )
        return self.value


@eqx.filter_jit
def solve(
    dynamics: AbstractDynamics,
    key: Shaped[PRNGKeyArray, ""],
    *,
    tol: float | Float[Array, ""] = 1e-6,
    max_steps: int = 10_000,
    state: Any = None,
) -> Solution:
    """Steps `dynamics` until its residual is at most `tol`, or `max_steps` have been made.

    The result says whether the iteration converged; `Solution.require()` raises where it did not. A NaN residual ends
    the iteration.

    Args:
        dynamics: what is iterated.
        key: the key that `init` and every `step` are given.
        tol: the largest residual at rest, in the dynamics' own norm.
        max_steps: the largest number of steps.
        state: the state before the first step; None stands for `dynamics.init(key)`.

    Raises:
        InputError: `key` is no key.
    """
    check_key("solve", key)
    state = dynamics.init(key) if state is None else state

    def going(carry: Any) -> Array:
        _, t, residual = carry
        return (residual > tol) & (t < max_steps)

    def body(carry: Any) -> Any:
        state, t, _ = carry
        state, _ = dynamics.step(key, state, t)
        return state, t + 1, dynamics.residual(state)

    state, t, residual = jax.lax.while_loop(going, body, (state, jnp.int32(0), dynamics.residual(state)))
    return Solution(state, t, residual, residual <= tol)
