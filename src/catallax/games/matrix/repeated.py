"""A matrix game played again and again, as a game that any learner can sit in."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractGame, Discrete, InputError, Outcome, Role
from catallax.games.forgone import Forgone, ForgoneInState

from .matrix_game import AbstractMatrixGame


class Repeated(AbstractGame):
    """The stage game `stage` at every tick; rewards are its payoffs, and no episode ends.

    Seats are the players that have a choice, in order; dummies with one action move by themselves. They form one role
    "player" if all have the same number of actions, else one role "player_<count>" for each number.

    What a seat sees is one integer, the number of its state. With `memory=0` it is 0: a stateless learner. With
    `memory=1` it names the last actions of the seat itself and of its neighbours (mixed radix, own action first, then
    neighbours by number; the first counts most), after 0 for "nothing has been played"; `states` says how many there
    are.

    With `shows="forgone"` a seat sees instead what each of its actions would have earned against what the others last
    played: a `Forgone`, or with `memory=1` a `ForgoneInState`, which names the state too. That is for learners that
    learn from actions they did not take.

    Raises:
        InputError: nobody has a choice, a memory other than 0 and 1, or something else to show.
    """

    stage: AbstractMatrixGame
    memory: int = eqx.field(static=True)
    shows: Literal["state", "forgone"] = eqx.field(static=True)

    def __init__(self, stage: AbstractMatrixGame, memory: int = 0, shows: Literal["state", "forgone"] = "state"):
        if max(stage.actions) < 2:
            raise InputError("Repeated: no player of this game has more than one action")
        if memory not in (0, 1):
            raise InputError(f"Repeated: memory is 0 (stateless) or 1 (the last actions), got {memory!r}")
        if shows not in ("state", "forgone"):
            raise InputError(f"Repeated: shows is 'state' or 'forgone' (payoffs of all own actions), got {shows!r}")
        self.stage, self.memory, self.shows = stage, memory, shows

    @property
    def seats(self) -> dict[str, tuple[int, ...]]:
        """The players of the stage game in each role, in the order of its seats."""
        counts = sorted({a for a in self.stage.actions if a > 1})
        name = lambda count: "player" if len(counts) == 1 else f"player_{count}"
        return {name(c): tuple(k for k, a in enumerate(self.stage.actions) if a == c) for c in counts}

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role for each number of actions above one."""
        return tuple(Role(r, len(ks), Discrete(self.stage.actions[ks[0]])) for r, ks in self.seats.items())

    @property
    def states(self) -> int:
        """How many states the seats tell apart at most: an upper bound of what they see."""
        return 1 if self.memory == 0 else 1 + max(int(np.prod(radix)) for _, radix in self._views())

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Int[Array, " n"]:
        """The last profile; -1 before anything was played."""
        return jnp.full(self.stage.players, -1, jnp.int32)

    def observe(self, world: Int[Array, " n"]) -> dict[str, PyTree[Array]]:
        """The number of each seat's state, or what its actions would have earned."""
        if self.shows == "state":
            return self._states(world)
        state = self._states(world) if self.memory else {}
        return {role: self._forgone(world, ks, state.get(role)) for role, ks in self.seats.items()}

    def _forgone(self, world: Int[Array, " n"], who: tuple[int, ...], state: Any) -> Forgone | ForgoneInState:
        """Rewards of all actions against the last profile; 0 before there was one."""
        once = jax.nn.one_hot(jnp.maximum(world, 0), self.stage.width, dtype=float)
        rewards = self.stage.rewards(once)[np.asarray(who), : self.stage.actions[who[0]]]
        played = jnp.broadcast_to(world[0] >= 0, (len(who),))
        payoff = jnp.where(played[:, None], rewards, 0.0)
        return Forgone(payoff, played) if state is None else ForgoneInState(payoff, played, state)

    def _states(self, world: Int[Array, " n"]) -> dict[str, Int[Array, " seats"]]:
        """The number of each seat's state."""
        if self.memory == 0:
            return {role: jnp.zeros(len(ks), jnp.int32) for role, ks in self.seats.items()}
        numbers = []
        for who, radix in self._views():
            place = np.concatenate([np.cumprod(radix[:0:-1])[::-1], [1]]).astype(np.int32)
            numbers.append((world[who] * place).sum())
        index = jnp.where(world[0] < 0, 0, 1 + jnp.stack(numbers))
        return {role: index[np.asarray(ks)] for role, ks in self.seats.items()}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: Int[Array, " n"], action: dict[str, PyTree[Any]]
    ) -> tuple[Int[Array, " n"], Outcome]:
        """One play of the stage game. The outcome's info is the profile [n] and everybody's payoff [n]."""
        profile = jnp.zeros(self.stage.players, jnp.int32)
        for role, ks in self.seats.items():
            profile = profile.at[np.asarray(ks)].set(action[role])
        payoff: Float[Array, " n"] = self.stage.play(profile)
        reward = {role: payoff[np.asarray(ks)] for role, ks in self.seats.items()}
        going = jax.tree.map(jnp.ones_like, reward)
        return profile, Outcome(reward, going, {"profile": profile, "payoff": payoff})

    def _views(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each player: whose last actions it recalls, and how many actions each of them has."""
        stage = self.stage
        views = []
        for k in range(stage.players):
            who = np.asarray([k, *stage.neighbours(k)])
            views.append((who, np.asarray(stage.actions)[who]))
        return views
