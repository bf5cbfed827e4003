"""Play: a population playing a game, as a dynamics. A step is a phase: ticks with frozen states, then learning."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, PyTree, Shaped

from . import rng
from .agent import Batch, Spec
from .checks import check_count
from .control import AbstractControl, Joint
from .draws import AbstractPrefetching, Draws, TickBits
from .errors import BuildError, CatallaxError
from .game import AbstractGame, Role
from .population import Group, Interface, Population
from .space import conform


@contextmanager
def _errors_of(group: Group, operation: str) -> Iterator[None]:
    """Re-raises an exception with the name of the group and the operation."""
    try:
        yield
    except CatallaxError as error:
        if type(group.control.agent).__name__ in str(error):
            raise
        raise type(error)(f"{group}: {error}") from error
    except Exception as error:
        said = (str(error).strip() or "no message").splitlines()[0]
        raise BuildError(f"{group}: {operation} ({type(error).__name__}: {said})") from error


def _form(tree: Any) -> str:
    """The structure, shapes and dtypes of a tree as text."""
    return str(jax.tree.map(lambda x: f"{jnp.result_type(x)}{list(jnp.shape(x))}", tree))


class PlayState(NamedTuple):
    """Where a population at play stands between two phases."""

    worlds: PyTree[Array]
    """The E copies of the world, leaves [E, ...]."""
    memories: tuple[PyTree[Array], ...]
    """Per group, leaves [n, E, ...] ([E, ...] under `Joint`)."""
    agents: tuple[PyTree[Array], ...]
    """Per group, leaves [n, ...] under `Independent`, [...] under `Shared` and `Joint`."""


class Record(NamedTuple):
    """What happened in a phase, for measures. Whatever no measure reads is never computed."""

    batches: tuple[Batch, ...]
    """Per group, leaves [n, E, T, ...] (observations T + 1)."""
    first: PyTree[Array]
    """The worlds at the start of the phase, leaves [E, ...]."""
    last: PyTree[Array]
    """The worlds at its end, leaves [E, ...]."""
    info: PyTree[Array]
    """The game's own account of each tick, leaves [E, T, ...]."""
    logs: tuple[dict[str, Array], ...]
    """Per group, what `learn` logged."""


class Play(AbstractPrefetching):
    """The bridge from a game and a population to a dynamics.

    Args:
        game: the rules of the world.
        population: who sits where.
        length: T, ticks in a phase; 1 is online learning.
        copies: E, independent copies of the game played in parallel with the same learner states.
        episodic: a new episode at each phase (True), or one continuing game (False).
        copies_per_draw: how many neighbouring copies share all random numbers: the first so many copies open with the
            same world, and a rule in a given seat draws the same there. For tournaments, which replay a world with
            other rules in its seats (see `Lineup`).

    The tick of phase t at position i is number t * T + i; together with role, seat and copy it fixes every draw. So in
    a continuing game that nobody learns from, the length of the phases changes nothing.

    Raises:
        BuildError: seats not filled exactly once, or a rule whose action does not fit the game.
    """

    game: AbstractGame
    population: Population
    length: int = eqx.field(static=True)
    copies: int = eqx.field(static=True, default=1)
    episodic: bool = eqx.field(static=True, default=True)
    copies_per_draw: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        """All that can be known before play is checked here, by shapes alone."""
        for name in ("length", "copies", "copies_per_draw"):
            check_count("Play", name, getattr(self, name), error=BuildError)
        if self.copies % self.copies_per_draw:
            raise BuildError(f"Play: {self.copies} copies are no multiple of copies_per_draw = {self.copies_per_draw}")
        self.population.check(self.game)
        eqx.filter_eval_shape(self._dry_run, rng.key(0))

    @property
    def most_steps(self) -> int:
        """Ticks are counted in 32 bits."""
        return min(2**31 - 1, 2**32 // self.length)

    def draws(self, key: Shaped[PRNGKeyArray, ""]) -> Draws:
        """The random numbers of the run with that key."""
        seats = [(index, group.positions(role)) for group, index, role in self._groups()]
        return Draws(key, seats, self.copies, self.copies_per_draw)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PlayState:
        draws = self.draws(key)
        agents = []
        for group, spec, bits in zip(self.population.groups, self._specs(draws.key), draws.first_states(), strict=True):
            with _errors_of(group, "`init` failed on the form of what it is to see and do"):
                agents.append(group.control.init(bits, spec))
        worlds, memories = self._open(draws, tuple(agents), jnp.int32(0))
        return PlayState(worlds, memories, tuple(agents))

    def prefetch(self, draws: Draws, t: Int[Array, ""]) -> tuple[TickBits, tuple[rng.Bits, ...]]:
        """The random bits of a phase's first tick, and those each group learns with."""
        return draws.tick(self._first_tick(t)), draws.updates(t)

    def step_with(
        self, draws: Draws, state: PlayState, t: Int[Array, ""], numbers: tuple[TickBits, tuple[rng.Bits, ...]]
    ) -> tuple[PlayState, Record, tuple[TickBits, tuple[rng.Bits, ...]]]:
        """One phase. Each tick draws the numbers of the next, so the last draws those of the next phase's first."""
        worlds, memories, agents = state
        if self.episodic:
            worlds, memories = self._open(draws, agents, t)
        start, first = self._first_tick(t), worlds
        drawn, learning_bits = numbers
        # Jitted so that it is traced once, for the ticks and for what is seen after the last.
        observe = jax.jit(lambda worlds: self._observe(worlds), inline=True)

        def tick(carry: Any, i: Array) -> Any:
            worlds, memories, drawn = carry
            now = start + i.astype(jnp.uint32)
            (worlds, memories), out = self._tick(draws, drawn, agents, worlds, memories, observe)
            return (worlds, memories, draws.tick(now + jnp.uint32(1))), out

        carry = (worlds, memories, drawn)
        if self.length == 1:
            carry, history = tick(carry, jnp.int32(0))
            history = jax.tree.map(lambda x: x[None], history)
        else:
            carry, history = jax.lax.scan(tick, carry, jnp.arange(self.length))
        worlds, memories, drawn = carry
        ticks, info = history
        batches = self._batches(ticks, observe(worlds)[1])
        learnt, logs = self._learn(learning_bits, agents, batches, t)
        record = Record(batches, first, worlds, jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), info), logs)
        return PlayState(worlds, memories, learnt), record, (drawn, draws.updates(t + 1))

    def _first_tick(self, t: Int[Array, ""]) -> Array:
        return t.astype(jnp.uint32) * jnp.uint32(self.length)

    def _groups(self) -> list[tuple[Group, int, Role]]:
        """Each group with the number of its role and the role."""
        numbers = {role.name: i for i, role in enumerate(self.game.roles)}
        return [(g, numbers[g.role], self.game.roles[numbers[g.role]]) for g in self.population.groups]

    def _observe(self, worlds: Any) -> tuple[list[Any], list[Any]]:
        """Each group's observations and what its interface makes of them, [n, E, ...]."""
        obs = jax.vmap(self.game.observe, out_axes=1)(worlds)
        seen = [g.take(obs[g.role]) for g in self.population.groups]
        views = [_views(g.interface, x) for g, x in zip(self.population.groups, seen, strict=True)]
        return seen, views

    def _specs(self, key: Any) -> list[Spec]:
        def one(key: Any) -> list[Any]:
            obs = self.game.observe(self.game.init(key))
            views = []
            for group in self.population.groups:
                with _errors_of(group, "its interface's `view` failed on what the game shows"):
                    views.append(group.interface.view(jax.tree.map(lambda x: x[0], obs[group.role])))
            return views

        views = eqx.filter_eval_shape(one, key)
        given = [(g.interface.space, role.action) for g, _, role in self._groups()]
        spaces = [own if space is None else space for space, own in given]
        return [Spec(*pair) for pair in zip(views, spaces, strict=True)]

    def _open(self, draws: Draws, agents: tuple[Any, ...], t: Array) -> tuple[Any, tuple[Any, ...]]:
        """The worlds and the memories at the start of an episode."""
        world_bits, reset_bits = draws.openings(t)
        worlds = draws.for_all(jax.vmap(self.game.init)(rng.key_from_bits(world_bits)), 0)
        memories = []
        for group, bits, state in zip(self.population.groups, reset_bits, agents, strict=True):
            with _errors_of(group, "`reset` failed"):
                memories.append(group.control.reset(bits, state))
        return worlds, tuple(memories)

    def _tick(
        self, draws: Draws, drawn: TickBits, agents: tuple, worlds: Any, memories: tuple, observe: Callable
    ) -> tuple[tuple[Any, tuple], tuple[tuple[Batch, ...], Any]]:
        """One tick: worlds and memories after it, what each group saw, did and was paid, and the game's account."""
        decided, moves, kept = [], [], []
        for (group, _, role), bits, state, memory, obs, view in zip(
            self._groups(), drawn.acts, agents, memories, *observe(worlds), strict=True
        ):
            action, memory, extras = _act(group.control, draws.for_all(bits, 1), state, memory, view)
            decided.append((view, action, extras))
            moves.append(_moves(group, role, obs, action))
            kept.append(memory)
        acted = self.population.gather(self.game, moves)
        step = jax.vmap(self.game.step, in_axes=(0, 0, 1))
        worlds, outcome = step(rng.key_from_bits(draws.for_all(drawn.world, 0)), worlds, acted)
        by_seat = lambda x: jnp.moveaxis(x, 1, 0)
        out = []
        for group, (view, action, extras) in zip(self.population.groups, decided, strict=True):
            reward = group.paid(group.take(by_seat(outcome.reward[group.role])))
            discount = group.take(by_seat(outcome.discount[group.role]))
            out.append(Batch(view, action, reward, discount, extras))
        return (worlds, tuple(kept)), (tuple(out), outcome.info)

    def _batches(self, seen: tuple[Batch, ...], after: list[Any]) -> tuple[Batch, ...]:
        """Time moved behind seats and copies, and what is seen after the last tick appended."""
        batches = []
        for group, batch, last in zip(self.population.groups, seen, after, strict=True):
            late = lambda tree, to=2: jax.tree.map(lambda x: jnp.moveaxis(x, 0, to), tree)
            views = jax.tree.map(lambda x, y: jnp.concatenate([x, y[:, :, None]], axis=2), late(batch.obs), last)
            extras = late(batch.extras, 1 if isinstance(group.control, Joint) else 2)
            batches.append(Batch(views, late(batch.action), late(batch.reward), late(batch.discount), extras))
        return tuple(batches)

    def _learn(self, learning_bits: tuple[rng.Bits, ...], agents: tuple, batches: tuple[Batch, ...], t: Array) -> Any:
        learnt, logs = [], []
        for group, bits, state, batch in zip(self.population.groups, learning_bits, agents, batches, strict=True):
            with _errors_of(group, "`learn` failed on what was lived through"):
                state, log = _learnt(group.control, bits, state, batch, t)
            learnt.append(state)
            logs.append(log)
        return tuple(learnt), tuple(logs)

    def _dry_run(self, key: Any) -> Any:
        """One phase, traced for its shapes only: finds rules that do not fit and says which."""
        state = self.init(key)
        for (group, _, role), agent, memory, obs, view in zip(
            self._groups(), state.agents, state.memories, *self._observe(state.worlds), strict=True
        ):
            with _errors_of(group, "`act` failed on what it is shown"):
                bits = rng.Bits(*jnp.zeros((2, group.size(role), self.copies), jnp.uint32))
                action, kept, _ = _act(group.control, bits, agent, memory, view)
                if (was := _form(memory)) != (now := _form(kept)):
                    raise BuildError(
                        f"{group}: `act` must keep the form of the memory; it was given {was}, and returned {now}"
                    )
                _moves(group, role, obs, action)
            with _errors_of(group, "its interface's `reward` failed on rewards of its seats"):
                group.paid(jnp.zeros((group.size(role), self.copies)))
        after, _ = self.step(key, state, jnp.int32(0))
        before = jax.tree.structure(state), [x.shape for x in jax.tree.leaves(state)]
        if before != (jax.tree.structure(after), [x.shape for x in jax.tree.leaves(after)]):
            raise BuildError(
                "Play: a phase changed the form of the state; `learn` and `act` must keep the shapes they got"
            )
        return after


# Calls of a group's rule and of its interface are jitted, so that JAX traces them once for the dry run and
# the run, and traces and lowers them once for all groups of one form (the buyers and the sellers of a market, say). XLA
# inlines them where they are called.


@eqx.filter_jit
def _views(interface: Interface, seen: Any) -> Any:
    """What the interface shows of the game's observations, [n, E, ...]."""
    return jax.vmap(jax.vmap(interface.view))(seen)


@eqx.filter_jit
def _act(control: AbstractControl, bits: rng.Bits, state: Any, memory: Any, view: Any) -> tuple[Any, Any, Any]:
    """Actions, memories and extras of a group."""
    return control.act(bits, state, memory, view)


@eqx.filter_jit
def _learnt(control: AbstractControl, bits: rng.Bits, state: Any, batch: Batch, t: Array) -> tuple[Any, dict]:
    """The state of a group after a phase, and its log."""
    return control.learn(bits, state, batch, t)


def _moves(group: Group, role: Role, obs: Any, action: Any) -> Any:
    """The group's actions as the game takes them, [n, E, ...]."""
    one = lambda obs, action: conform(group.interface.move(obs, action), role.action, str(group))
    return jax.vmap(jax.vmap(one))(obs, action)
