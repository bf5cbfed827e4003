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
from .control import Joint
from .dynamics import AbstractDynamics
from .errors import BuildError, CatallaxError
from .game import AbstractGame
from .population import Group, Population
from .space import conform


@contextmanager
def _blaming(group: Group, doing: str) -> Iterator[None]:
    """Whatever fails here is said to be the group's, and what it was doing."""
    try:
        yield
    except CatallaxError as error:
        if type(group.control.agent).__name__ in str(error):
            raise
        raise type(error)(f"{group}: {error}") from error
    except Exception as error:
        said = (str(error).strip() or "no message").splitlines()[0]
        raise BuildError(f"{group}: {doing} ({type(error).__name__}: {said})") from error


def _form(tree: Any) -> str:
    """Structure, shapes and dtypes, in words."""
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


class Play(AbstractDynamics):
    """The bridge from a game and a population to a dynamics.

    Args:
        game: the rules of the world.
        population: who sits where.
        length: T, ticks in a phase; 1 is online learning.
        copies: E, independent copies of the game played in parallel with the same learner states.
        episodic: a new episode at each phase (True), or one continuing game (False).
        replays: how many neighbouring copies share all random numbers: copies 0..replays-1 open with the same world,
            and a rule in a given seat draws the same there. For tournaments, which replay a world with other rules in
            its seats (see `Lineup`).

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
    replays: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        """All that can be known before play is checked here, by shapes alone."""
        for name, value in (("length", self.length), ("copies", self.copies), ("replays", self.replays)):
            check_count("Play", name, value, error=BuildError)
        if self.copies % self.replays:
            raise BuildError(f"Play: {self.copies} copies are not so many times {self.replays} replays")
        self.population.check(self.game)
        eqx.filter_eval_shape(self._rehearse, rng.key(0))

    @property
    def longest(self) -> int:
        """The tick counter has 32 bits."""
        return min(2**31 - 1, 2**32 // self.length)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PlayState:
        """Fresh worlds, memories and states."""
        key = rng.root(key)
        specs = self._specs(key)
        agents = []
        for group, spec in zip(self.population.groups, specs, strict=True):
            index, role = self._role(group)
            words = rng.random_bits(
                key, rng.role_stream(index, rng.INIT), jnp.int32(0), group.positions(role), jnp.int32(0)
            )
            with _blaming(group, "`init` failed on the form of what it is to see and do"):
                agents.append(group.control.init(words, spec))
        worlds, memories = self._open(key, tuple(agents), jnp.int32(0))
        return PlayState(worlds, memories, tuple(agents))

    def ahead(self, key: Shaped[PRNGKeyArray, ""], t: Int[Array, ""]) -> tuple[Any, tuple[rng.Bits, ...]]:
        """The random words of a phase's first tick, and those each group learns with."""
        key = rng.root(key)
        return self._draws(key, self._first_tick(t)), self._lessons(key, t)

    def step(self, key: Shaped[PRNGKeyArray, ""], state: PlayState, t: Int[Array, ""]) -> tuple[PlayState, Record]:
        """One phase."""
        state, record, _ = self.step_ahead(key, state, t, self.ahead(key, t))
        return state, record

    def step_ahead(
        self, key: Shaped[PRNGKeyArray, ""], state: PlayState, t: Int[Array, ""], ahead: Any
    ) -> tuple[PlayState, Record, Any]:
        """One phase, its first words already drawn; its last tick draws those of the next phase's first."""
        key = rng.root(key)
        worlds, memories, agents = state
        if self.episodic:
            worlds, memories = self._open(key, agents, t)
        start, first = self._first_tick(t), worlds
        draws, lessons = ahead
        # Traced once for the ticks and for what is seen after the last: views took a quarter of an auction's tracing.
        look = jax.jit(lambda worlds: self._look(worlds), inline=True)

        def tick(carry: Any, i: Array) -> Any:
            worlds, memories, draws = carry
            now = start + i.astype(jnp.uint32)
            (worlds, memories), out = self._tick(draws, agents, worlds, memories, look)
            return (worlds, memories, self._draws(key, now + jnp.uint32(1))), out

        carry = (worlds, memories, draws)
        if self.length == 1:
            carry, history = tick(carry, jnp.int32(0))
            history = jax.tree.map(lambda x: x[None], history)
        else:
            carry, history = jax.lax.scan(tick, carry, jnp.arange(self.length))
        worlds, memories, draws = carry
        seen, info = history
        batches = self._batches(seen, look(worlds)[1])
        learnt, logs = self._learn(lessons, agents, batches, t)
        record = Record(batches, first, worlds, jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), info), logs)
        return PlayState(worlds, memories, learnt), record, (draws, self._lessons(key, t + 1))

    def _first_tick(self, t: Int[Array, ""]) -> Array:
        return t.astype(jnp.uint32) * jnp.uint32(self.length)

    def _role(self, group: Group) -> tuple[int, Any]:
        return next((i, r) for i, r in enumerate(self.game.roles) if r.name == group.role)

    def _look(self, worlds: Any) -> tuple[list[Any], list[Any]]:
        """Each group's observations and what its interface makes of them, [n, E, ...]."""
        obs = jax.vmap(self.game.observe, out_axes=1)(worlds)
        seen = [g.take(obs[g.role]) for g in self.population.groups]
        views = [jax.vmap(jax.vmap(g.interface.view))(x) for g, x in zip(self.population.groups, seen, strict=True)]
        return seen, views

    def _specs(self, key: Any) -> list[Spec]:
        def one(key: Any) -> list[Any]:
            obs = self.game.observe(self.game.init(key))
            views = []
            for group in self.population.groups:
                with _blaming(group, "its interface's `view` failed on what the game shows"):
                    views.append(group.interface.view(jax.tree.map(lambda x: x[0], obs[group.role])))
            return views

        views = eqx.filter_eval_shape(one, key)
        given = [(g.interface.space, self._role(g)[1].action) for g in self.population.groups]
        spaces = [own if space is None else space for space, own in given]
        return [Spec(*pair) for pair in zip(views, spaces, strict=True)]

    def _open(self, key: Any, agents: tuple[Any, ...], t: Array) -> tuple[Any, tuple[Any, ...]]:
        copies = self._drawn()
        worlds = jax.vmap(self.game.init)(
            rng.key_from_bits(rng.random_bits(key, rng.WORLD_INIT, copies, jnp.int32(0), t))
        )
        worlds = self._replayed(worlds, 0)
        memories = []
        for group, state in zip(self.population.groups, agents, strict=True):
            index, role = self._role(group)
            words = rng.random_bits(
                key, rng.role_stream(index, rng.RESET), copies[None], group.positions(role)[:, None], t
            )
            with _blaming(group, "`reset` failed"):
                memories.append(group.control.reset(self._replayed(words, 1), state))
        return worlds, tuple(memories)

    def _drawn(self) -> Array:
        """The numbers of the copies that draw; the others repeat them."""
        return jnp.arange(self.copies // self.replays)

    def _replayed(self, tree: Any, axis: int) -> Any:
        """What E / replays copies drew, for all E."""
        return tree if self.replays == 1 else jax.tree.map(lambda x: jnp.repeat(x, self.replays, axis), tree)

    def _draws(self, key: Any, t: Array) -> tuple[rng.Bits, tuple[rng.Bits, ...]]:
        """The random words of tick t: the world's [E], and each group's [n, E] (E / replays of them).

        A tick computes the next tick's words and hands them on. Drawn where they are used, XLA would compute the
        generator anew for every consumer (measured: 130 against 25 ns a market-step).
        """
        copies = self._drawn()
        world = rng.random_bits(key, rng.WORLD_STEP, copies, jnp.int32(0), t)
        groups = []
        for group in self.population.groups:
            index, role = self._role(group)
            seats = group.positions(role)[:, None]
            groups.append(rng.random_bits(key, rng.role_stream(index, rng.ACT), copies[None], seats, t))
        return world, tuple(groups)

    def _lessons(self, key: Any, t: Array) -> tuple[rng.Bits, ...]:
        """The random words each group learns with after phase t, [n]."""
        lessons = []
        for group in self.population.groups:
            index, role = self._role(group)
            stream = rng.role_stream(index, rng.LEARN)
            lessons.append(rng.random_bits(key, stream, jnp.int32(0), group.positions(role), t))
        return tuple(lessons)

    def _tick(self, draws: Any, agents: tuple[Any, ...], worlds: Any, memories: tuple[Any, ...], look: Callable) -> Any:
        spoken, moves, kept = [], [], []
        for group, words, state, memory, obs, view in zip(
            self.population.groups, draws[1], agents, memories, *look(worlds), strict=True
        ):
            _, role = self._role(group)
            action, memory, extras = group.control.act(self._replayed(words, 1), state, memory, view)
            move = jax.vmap(jax.vmap(lambda o, a, g=group, r=role: conform(g.interface.move(o, a), r.action, str(g))))
            spoken.append((view, action, extras))
            moves.append(move(obs, action))
            kept.append(memory)
        acted = self.population.gather(self.game, moves)
        step = jax.vmap(self.game.step, in_axes=(0, 0, 1))
        worlds, outcome = step(rng.key_from_bits(self._replayed(draws[0], 0)), worlds, acted)
        by_seat = lambda x: jnp.moveaxis(x, 1, 0)
        out = []
        for group, (view, action, extras) in zip(self.population.groups, spoken, strict=True):
            reward = group.take(by_seat(outcome.reward[group.role]))
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

    def _learn(
        self, lessons: tuple[rng.Bits, ...], agents: tuple[Any, ...], batches: tuple[Batch, ...], t: Array
    ) -> Any:
        learnt, logs = [], []
        for group, words, state, batch in zip(self.population.groups, lessons, agents, batches, strict=True):
            with _blaming(group, "`learn` failed on what was lived through"):
                state, log = group.control.learn(words, state, batch, t)
            learnt.append(state)
            logs.append(log)
        return tuple(learnt), tuple(logs)

    def _rehearse(self, key: Any) -> Any:
        """One phase, traced for its shapes only: finds rules that do not fit and says which."""
        state = self.init(key)
        for group, agent, memory, obs, view in zip(
            self.population.groups, state.agents, state.memories, *self._look(state.worlds), strict=True
        ):
            with _blaming(group, "`act` failed on what it is shown"):
                self._audition(group, agent, memory, obs, view)
        after, _ = self.step(key, state, jnp.int32(0))
        before = jax.tree.structure(state), [x.shape for x in jax.tree.leaves(state)]
        if before != (jax.tree.structure(after), [x.shape for x in jax.tree.leaves(after)]):
            raise BuildError(
                "Play: a phase changed the form of the state; `learn` and `act` must keep the shapes they got"
            )
        return after

    def _audition(self, group: Group, agent: Any, memory: Any, obs: Any, view: Any) -> None:
        _, role = self._role(group)
        words = rng.Bits(*jnp.zeros((2, group.size(role), self.copies), jnp.uint32))
        action, kept, _ = group.control.act(words, agent, memory, view)
        if (was := _form(memory)) != (now := _form(kept)):
            raise BuildError(f"{group}: `act` must keep the form of the memory; it was given {was}, and returned {now}")
        one = lambda o, a: conform(group.interface.move(o, a), role.action, str(group))
        jax.vmap(jax.vmap(one))(obs, action)
