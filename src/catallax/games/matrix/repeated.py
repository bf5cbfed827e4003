"""A matrix game played again and again, as a game that any learner can sit in."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractGame, Discrete, InputError, Outcome, Role

from .matrix_game import AbstractMatrixGame


class Repeated(AbstractGame):
    """The stage game `stage` at every tick; rewards are its payoffs, and no episode ends.

    Seats are the players that have a choice, in order; dummies with one action move by themselves. They form one role
    "player" if all have the same number of actions, else one role "player_<count>" for each number.

    What a seat sees is one integer, the number of its state. With `memory=0` it is 0: a stateless learner. With
    `memory=1` it names the last actions of the seat itself and of its neighbours (mixed radix, own action first, then
    neighbours by number; the first counts most), after 0 for "nothing has been played"; `states` says how many there
    are.

    Raises:
        InputError: nobody has a choice, or a memory other than 0 and 1.
    """

    stage: AbstractMatrixGame
    memory: int = eqx.field(static=True)

    def __init__(self, stage: AbstractMatrixGame, memory: int = 0):
        if max(stage.actions) < 2:
            raise InputError("Repeated: no player of this game has more than one action")
        if memory not in (0, 1):
            raise InputError(f"Repeated: memory is 0 (stateless) or 1 (the last actions), got {memory!r}")
        self.stage, self.memory = stage, memory

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
