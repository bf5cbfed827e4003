"""The lifts: from a rule for one seat to a group of seats. (`Lineup`, for tournaments, is in `lineup`.)

Everything here has the seat axis first and the copy axis second, `[n, E, ...]`; a batch has `[n, E, T, ...]`.
`Independent` merges its seat axis with every later `vmap` (replications, lanes) into ONE flat axis, which is what makes
a one-seat rule run near a C loop (see docs/design.md, "Speed").
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from . import rng
from .agent import AbstractAgent, Batch, Spec
from .errors import BuildError


def _leading(tree: Any) -> int:
    return jax.tree.leaves(tree)[0].shape[0]


def _without_axis(tree: Any) -> Any:
    """Leaves `[1, ...]` as `[...]`."""
    return jax.tree.map(lambda x: jax.lax.squeeze(x, (0,)), tree)


def _with_axis(tree: Any) -> Any:
    """Leaves `[...]` as `[1, ...]`."""
    return jax.tree.map(lambda x: jax.lax.expand_dims(jnp.asarray(x), (0,)), tree)


def flat_vmap(f: Callable, mapped: tuple[bool, ...], in_sequence: bool = False) -> Callable:
    """Like `jax.vmap(f)` over the leading axis of the `mapped` arguments, but later vmaps merge into that same axis.

    Nested vmaps give XLA arrays with several small batch axes; merged vmaps give one long axis, over which gathers and
    scatters of per-seat tables run at the speed of the memory. With `in_sequence` the merged axis is looped over
    (`jax.lax.map`), which suits large per-seat work on CPU. The result has no reverse derivative; take gradients inside
    `f`.
    """

    def one(row: tuple, rest: tuple) -> Any:
        given, others = iter(row), iter(rest)
        return f(*(next(given) if m else next(others) for m in mapped))

    @jax.custom_batching.custom_vmap
    def lifted(*args: Any) -> Any:
        row = tuple(a for a, m in zip(args, mapped, strict=True) if m)
        rest = tuple(a for a, m in zip(args, mapped, strict=True) if not m)
        if not in_sequence:
            return jax.vmap(one, in_axes=(0, None))(row, rest)
        if _leading(row) == 1:  # a loop over one row takes as long to compile as a loop over many
            return _with_axis(one(_without_axis(row), rest))
        return jax.lax.map(lambda row: one(row, rest), row)

    @lifted.def_vmap
    def merge(size: int, batched: Any, *args: Any) -> Any:
        touched = [any(jax.tree.leaves(b)) for b in batched]
        first = mapped.index(True)
        leaf, is_batched = jax.tree.leaves(args[first])[0], jax.tree.leaves(batched[first])[0]
        n = leaf.shape[1 if is_batched else 0]

        def merged(x: Array, b: bool) -> Array:
            x = x if b else jnp.broadcast_to(x[None], (size, *x.shape))
            return x.reshape(size * n, *x.shape[2:])

        def repeated(x: Array, b: bool) -> Array:
            x = x if b else jnp.broadcast_to(x[None], (size, *x.shape))
            return jnp.repeat(x, n, axis=0, total_repeat_length=size * n)

        rows = []
        for a, b, m, hit in zip(args, batched, mapped, touched, strict=True):
            rows.append(jax.tree.map(merged if m else repeated, a, b) if m or hit else a)
        now = tuple(m or hit for m, hit in zip(mapped, touched, strict=True))
        out = flat_vmap(f, now, in_sequence)(*rows)
        out = jax.tree.map(lambda x: x.reshape(size, n, *x.shape[1:]), out)
        return out, jax.tree.map(lambda _: True, out)

    return lifted


def _forgets(agent: AbstractAgent) -> bool:
    """Whether the rule keeps no memory, as most rules do; then nothing is traced or compiled for it."""
    return type(agent).reset is AbstractAgent.reset


def _first(bits: rng.Bits) -> rng.Bits:
    """The bits of the group's first seat."""
    return rng.Bits(bits.first[0], bits.second[0])


def _over_copies(f: Callable, *args: Any, outer: tuple = ()) -> Any:
    """`f(*outer, *args)` for each copy; a single copy is not vmapped, which keeps slices of tables contiguous."""
    if _leading(args) == 1:
        return _with_axis(f(*outer, *_without_axis(args)))
    return jax.vmap(f, in_axes=(None,) * len(outer) + (0,) * len(args))(*outer, *args)


class AbstractControl(eqx.Module):
    """How a rule drives a group of n seats in E copies of the game.

    `bits` have leaves [n] in `init` and `learn`, and leaves [n, E] in `reset` and `act`.
    """

    agent: eqx.AbstractVar[AbstractAgent]

    @abc.abstractmethod
    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        """The group's state before anything was learnt; `spec` describes one seat."""

    @abc.abstractmethod
    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        """The group's memories at the start of an episode."""

    @abc.abstractmethod
    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Actions `[n, E, ...]`, memories and extras."""

    @abc.abstractmethod
    def learn(self, bits: rng.Bits, state: Any, batch: Batch, t: Int[Array, ""]) -> Any:
        """The group's state after the phase, and a log. Batch leaves are `[n, E, T, ...]`."""

    def seats(self) -> int | None:
        """How many seats the lift is bound to; None where any number will do."""
        return None

    @property
    def name(self) -> str:
        """The name of the rule's class, for messages."""
        return type(self.agent).__name__


class Independent(AbstractControl):
    """Every seat owns its state, its memory and its hyperparameters: decentralised learners, scripted traders.

    State `[n, ...]`, memory `[n, E, ...]`; `learn` sees B = E. The rule's array leaves are arguments: they may differ
    between lanes, and with `Independent.each([...])` between seats.
    """

    agent: AbstractAgent
    stacked: int | None = eqx.field(static=True, default=None)

    @classmethod
    def each(cls, agents: Sequence[AbstractAgent]) -> "Independent":
        """A control with one rule for each seat, `[n]`. The rules have one class and may differ in array leaves only.

        Raises:
            BuildError: there is no rule, or the rules differ in class or in static fields.
        """
        if not agents:
            raise BuildError("Independent.each needs at least one rule")
        arrays, static = zip(*(eqx.partition(a, eqx.is_array) for a in agents), strict=True)
        if any(not eqx.tree_equal(s, static[0]) for s in static[1:]):
            raise BuildError(
                "Independent.each: the rules differ in more than the values of their arrays; make separate groups"
            )
        return cls(eqx.combine(jax.tree.map(lambda *x: jnp.stack(x), *arrays), static[0]), len(agents))

    def seats(self) -> int | None:
        """The number of rules given to `each`."""
        return self.stacked

    def _lift(self, f: Callable, *args: Any, mapped: tuple[bool, ...], in_sequence: bool = False) -> Any:
        params, static = eqx.partition(self.agent, eqx.is_array)

        def one(bits: rng.Bits, params: Any, *rest: Any) -> Any:
            return f(eqx.combine(params, static), bits, *rest)

        bits, *rest = args
        return flat_vmap(one, (True, self.stacked is not None, *mapped), in_sequence)(bits, params, *rest)

    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        return self._lift(lambda agent, w: agent.init(rng.key_from_bits(w), spec), bits, mapped=())

    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        if _forgets(self.agent):
            return ()

        def one(agent: AbstractAgent, w: rng.Bits, s: Any) -> Any:
            return _over_copies(lambda s, w: agent.reset(rng.key_from_bits(w), s), w, outer=(s,))

        return self._lift(one, bits, state, mapped=(True,))

    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Each seat decides with its own state; the copies of a seat share it."""

        def one(agent: AbstractAgent, w: rng.Bits, s: Any, m: Any, o: Any) -> Any:
            return _over_copies(lambda s, w, m, o: agent.act(rng.key_from_bits(w), s, m, o), w, m, o, outer=(s,))

        return self._lift(one, bits, state, memory, obs, mapped=(True, True, True))

    def learn(self, bits: rng.Bits, state: Any, batch: Batch, t: Int[Array, ""]) -> Any:
        """Each seat learns from its own E sequences."""

        def one(agent: AbstractAgent, w: rng.Bits, s: Any, b: Any, t: Any) -> Any:
            return agent.learn(rng.key_from_bits(w), s, b, t)

        looped = self.agent.learns_in_sequence and jax.default_backend() == "cpu"
        return self._lift(one, bits, state, batch, t, mapped=(True, True, False), in_sequence=looped)


class Shared(AbstractControl):
    """All seats act with one state (parameter sharing), and the experience of all seats is one batch.

    State `[...]`, memory `[n, E, ...]`; `learn` sees B = m * E, where m counts the seats named in `learn_from`
    (positions within the group; None names all). Draws for the state come from the group's first seat.
    """

    agent: AbstractAgent
    learn_from: tuple[int, ...] | None = eqx.field(
        static=True, default=None, converter=lambda x: None if x is None else tuple(int(i) for i in x)
    )

    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        return self.agent.init(rng.key_from_bits(_first(bits)), spec)

    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        if _forgets(self.agent):
            return ()
        return jax.vmap(jax.vmap(lambda w: self.agent.reset(rng.key_from_bits(w), state)))(bits)

    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Every seat and copy decides with the one state."""
        return jax.vmap(jax.vmap(lambda w, m, o: self.agent.act(rng.key_from_bits(w), state, m, o)))(bits, memory, obs)

    def learn(self, bits: rng.Bits, state: Any, batch: Batch, t: Int[Array, ""]) -> Any:
        """One update from the sequences of all teaching seats."""
        if self.learn_from is not None:
            batch = jax.tree.map(lambda x: x[jnp.asarray(self.learn_from)], batch)
        batch = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)
        return self.agent.learn(rng.key_from_bits(_first(bits)), state, batch, t)


class Joint(AbstractControl):
    """One agent acts for all seats at once. A planner, value factorisation and a central critic are of this kind.

    State `[...]`, memory `[E, ...]`; `act` sees and returns a leading seat axis; `learn` sees `[E, T, n, ...]`.
    Draws come from the group's first seat.
    """

    agent: AbstractAgent

    def init(self, bits: rng.Bits, spec: Spec) -> PyTree[Array]:
        """One state; `spec` describes one seat."""
        return self.agent.init(rng.key_from_bits(_first(bits)), spec)

    def reset(self, bits: rng.Bits, state: Any) -> PyTree[Array]:
        if _forgets(self.agent):
            return ()
        return jax.vmap(lambda w: self.agent.reset(rng.key_from_bits(w), state))(_first(bits))

    def act(
        self, bits: rng.Bits, state: Any, memory: Any, obs: Any
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """The team decides in each copy; extras are the team's, `[E, ...]`."""
        act = jax.vmap(lambda w, m, o: self.agent.act(rng.key_from_bits(w), state, m, o), in_axes=(0, 0, 1))
        action, memory, extras = act(_first(bits), memory, obs)
        return jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), action), memory, extras

    def learn(self, bits: rng.Bits, state: Any, batch: Batch, t: Int[Array, ""]) -> Any:
        """One update from the team's experience."""
        to_team = lambda x: jnp.moveaxis(x, 0, 2)
        lived = jax.tree.map(to_team, batch._replace(extras=()))
        team = lived._replace(extras=batch.extras)
        return self.agent.learn(rng.key_from_bits(_first(bits)), state, team, t)
