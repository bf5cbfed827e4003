"""The random numbers of a run as one object, and dynamics whose next numbers are drawn a step early.

Only the engine needs this file. Whoever writes a dynamics of their own overrides `step` and derives keys from the run's
key and the number of the step; see `AbstractDynamics`.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, PyTree, Shaped, UInt32

from . import rng
from .dynamics import AbstractDynamics


class TickBits(NamedTuple):
    """The random bits of one tick."""

    world: rng.Bits
    """Of the world, [copies that draw]."""
    acts: tuple[rng.Bits, ...]
    """Of each group's seats, [n, copies that draw]."""


class Draws(eqx.Module):
    """All random numbers of a run of a game, as functions of what they are for and when: nothing is stored.

    Args:
        key: the run's key.
        seats: for each group the number of its role and the positions of its seats in it.
        copies: of the world.
        copies_per_draw: how many neighbouring copies share their numbers; it divides `copies`.
    """

    key: Shaped[PRNGKeyArray, ""]
    """The run's key, scrambled."""
    seats: tuple[Int[Array, " _"], ...]
    roles: tuple[int, ...] = eqx.field(static=True)
    copies: int = eqx.field(static=True)
    copies_per_draw: int = eqx.field(static=True)

    def __init__(
        self,
        key: Shaped[PRNGKeyArray, ""],
        seats: Sequence[tuple[int, Int[Array, " _"]]],
        copies: int = 1,
        copies_per_draw: int = 1,
    ) -> None:
        self.key = rng.root(key)
        self.roles, self.seats = tuple(role for role, _ in seats), tuple(positions for _, positions in seats)
        self.copies, self.copies_per_draw = copies, copies_per_draw

    def first_states(self) -> tuple[rng.Bits, ...]:
        """What each group's rules start with, [n]."""
        return self._once(rng.INIT, jnp.int32(0))

    def openings(self, phase: Int[Array, ""]) -> tuple[rng.Bits, tuple[rng.Bits, ...]]:
        """What the worlds [copies that draw] and each group's memories [n, copies] start a phase's episode with."""
        worlds = rng.random_bits(self.key, rng.WORLD_INIT, self._drawing(), jnp.int32(0), phase)
        return worlds, tuple(self.for_all(bits, 1) for bits in self._each(rng.RESET, phase))

    def tick(self, number: UInt32[Array, ""]) -> TickBits:
        """What the worlds and the seats draw in the tick of that number, counted from the start of the run."""
        world = rng.random_bits(self.key, rng.WORLD_STEP, self._drawing(), jnp.int32(0), number)
        return TickBits(world, self._each(rng.ACT, number))

    def updates(self, phase: Int[Array, ""]) -> tuple[rng.Bits, ...]:
        """What each group learns with after a phase, [n]."""
        return self._once(rng.LEARN, phase)

    def for_all(self, tree: PyTree[Array], axis: int) -> PyTree[Array]:
        """Arrays of the copies that draw, repeated along `axis` for all copies."""
        if self.copies_per_draw == 1:
            return tree
        return jax.tree.map(lambda x: jnp.repeat(x, self.copies_per_draw, axis), tree)

    def _drawing(self) -> Int[Array, " copies"]:
        """The numbers of the copies that draw; the others share their numbers."""
        return jnp.arange(self.copies // self.copies_per_draw)

    def _once(self, purpose: int, step: Int[Array, ""]) -> tuple[rng.Bits, ...]:
        """Bits for each seat, [n]."""
        stream = lambda role: rng.role_stream(role, purpose)
        pairs = zip(self.roles, self.seats, strict=True)
        return tuple(rng.random_bits(self.key, stream(role), jnp.int32(0), seats, step) for role, seats in pairs)

    def _each(self, purpose: int, step: Array) -> tuple[rng.Bits, ...]:
        """Bits for each seat in each copy that draws, [n, copies that draw]."""
        stream = lambda role: rng.role_stream(role, purpose)
        copies, pairs = self._drawing()[None], zip(self.roles, self.seats, strict=True)
        return tuple(rng.random_bits(self.key, stream(role), copies, seats[:, None], step) for role, seats in pairs)


class AbstractPrefetching(AbstractDynamics):
    """A dynamics whose step takes random numbers that were drawn in the step before it.

    XLA computes random numbers anew for each of their consumers if they are drawn in the same iteration of a loop; if
    they are carried from the iteration before, they are computed once. `step` alone draws the same numbers itself.
    """

    @abc.abstractmethod
    def draws(self, key: Shaped[PRNGKeyArray, ""]) -> Any:
        """The random numbers of the run with that key, as an object that `run` makes once."""

    @abc.abstractmethod
    def prefetch(self, draws: Any, t: Int[Array, ""]) -> PyTree[Array]:
        """The random numbers that step `t` is to be given."""

    @abc.abstractmethod
    def step_with(
        self, draws: Any, state: Any, t: Int[Array, ""], numbers: Any
    ) -> tuple[PyTree[Array], PyTree[Array], PyTree[Array]]:
        """The next state, the record, and the numbers of step `t + 1`; `numbers` are `prefetch(draws, t)`."""

    def step(self, key: Shaped[PRNGKeyArray, ""], state: Any, t: Int[Array, ""]) -> tuple[PyTree[Array], PyTree[Array]]:
        """The step with the numbers of its time."""
        draws = self.draws(key)
        state, record, _ = self.step_with(draws, state, t, self.prefetch(draws, t))
        return state, record


def prefetching(dynamics: AbstractDynamics, key: Shaped[PRNGKeyArray, ""]) -> tuple[Callable, Callable]:
    """The run of any dynamics with that key as two functions, for a loop that carries random numbers.

    The first, `(t) -> numbers`, gives what the first step of the loop is to be given. The second, `(state, t, numbers)
    -> (state, record, numbers)`, is the step. The numbers are () for a dynamics that does not prefetch.
    """
    if isinstance(dynamics, AbstractPrefetching):
        draws = dynamics.draws(key)
        return lambda t: dynamics.prefetch(draws, t), lambda *given: dynamics.step_with(draws, *given)
    return lambda t: (), lambda state, t, _: (*dynamics.step(key, state, t), ())
