"""Measures: what is kept of a run. They are computed inside the scan, so that only their values are stored."""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from .dynamics import AbstractDynamics
from .errors import InputError
from .parameter import Parametrized


class Variable(NamedTuple):
    """A labelled quantity: name, dimension names (without the time axis), unit and meaning."""

    name: str
    dims: tuple[str, ...]
    unit: str
    meaning: str
    may_be_undefined: bool = False
    """True where NaN says "not defined for this round" (no trade, no surplus); elsewhere NaN is an error."""


class AbstractMeasure(Parametrized):
    """A function of the dynamics' state and record, evaluated at the end of every `every`-th step."""

    every: eqx.AbstractVar[int]
    """Static; the measure is evaluated after steps t with (t + 1) % every == 0."""

    @property
    @abc.abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """What `__call__` returns, in any order."""

    @abc.abstractmethod
    def __call__(self, dynamics: AbstractDynamics, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """The values, keyed by variable name."""


class AbstractRunningMeasure(AbstractMeasure):
    """A measure with a memory: a running sum, a mean over many phases, an extreme.

    The memory is updated after EVERY step of a run and read after every `every`-th. Runs with such measures have the
    state `WithMemories`, so that a run that is continued from its state keeps them.
    """

    @abc.abstractmethod
    def begin(self, dynamics: AbstractDynamics, state: Any) -> PyTree[Array]:
        """The memory before the first step; `state` is the first state."""

    @abc.abstractmethod
    def fold(
        self, dynamics: AbstractDynamics, memory: Any, state: Any, record: Any, t: Int[Array, ""]
    ) -> PyTree[Array]:
        """The memory after step `t`, which led to `state`; of the same form."""

    @abc.abstractmethod
    def read(self, dynamics: AbstractDynamics, memory: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """The values after step `t`, keyed by variable name."""

    def __call__(self, dynamics: AbstractDynamics, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """The values of a run that consists of this step alone."""
        return self.read(dynamics, self.fold(dynamics, self.begin(dynamics, state), state, record, t), t)


class WithMemories(NamedTuple):
    """The state of a run with running measures."""

    state: PyTree[Array]
    """The state of the dynamics."""
    memories: tuple[PyTree[Array], ...]
    """The memory of each running measure, in the order of the measures."""


def running(measures: Sequence[AbstractMeasure]) -> list[AbstractRunningMeasure]:
    """Those of the measures that have a memory."""
    return [m for m in measures if isinstance(m, AbstractRunningMeasure)]


def with_memories(dynamics: AbstractDynamics, state: Any, measures: Sequence[AbstractMeasure]) -> Any:
    """The first state of a run with these measures: `state` itself unless one of them has a memory.

    Raises:
        InputError: the state holds the memories of other measures.
    """
    remembering = running(measures)
    if isinstance(state, WithMemories):
        if len(state.memories) != len(remembering):
            raise InputError(
                f"run: the state holds memories of {len(state.memories)} running measures, but the run has "
                f"{len(remembering)}; continue a run with the measures it began with, or take `state.state`"
            )
        return state
    if not remembering:
        return state
    return WithMemories(state, tuple(m.begin(dynamics, state) for m in remembering))


class NaNCount(AbstractMeasure):
    """The number of NaN in each group's actions and rewards of a phase; `lab` ends a run if one is positive."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("nan_actions", ("group",), "count", "NaN among the group's actions and rewards"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Counts over all seats, copies and ticks of the phase."""

        def count(tree: Any) -> Array:
            reals = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.inexact)]
            return sum((jnp.isnan(x).sum(dtype=jnp.int32) for x in reals), jnp.int32(0))

        return {"nan_actions": jnp.stack([count((b.action, b.reward)) for b in record.batches])}


class MeanReward(AbstractMeasure):
    """The mean reward of a seat in a tick, for each group, over its seats and all copies and ticks of a phase."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("mean_reward", ("group",), "reward", "mean reward of the group's seats in a tick"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Means over all seats, copies and ticks of the phase."""
        return {"mean_reward": jnp.stack([b.reward.mean() for b in record.batches])}


class InfeasibleCount(AbstractMeasure):
    """The number of each group's actions in a phase that the game clipped, cut down or ignored.

    It reads the entry or field `infeasible` of the game's `Outcome.info`: booleans [seats] for each role.

    Raises:
        InputError: the game does not say which actions are infeasible.
    """

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("infeasible_actions", ("group",), "count", "actions of the group that were not feasible"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Counts over all seats, copies and ticks of the phase."""
        info = record.info
        by_role = info.get("infeasible") if isinstance(info, dict) else getattr(info, "infeasible", None)
        if by_role is None:
            raise InputError(
                f"InfeasibleCount: {type(dynamics.game).__name__} does not say which actions are infeasible; "
                "give its Outcome.info an entry `infeasible`, booleans [seats] for each role"
            )
        seats_first = lambda role: jnp.moveaxis(by_role[role], -1, 0)
        counts = [g.take(seats_first(g.role)).sum(dtype=jnp.int32) for g in dynamics.population.groups]
        return {"infeasible_actions": jnp.stack(counts)}
