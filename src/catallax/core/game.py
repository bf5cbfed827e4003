"""The protocol of games: the rules of a world with simultaneous moves. A game knows nothing of agents."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree, Shaped

from .parameter import Parametrized
from .space import AbstractSpace


class Role(NamedTuple):
    """A kind of player: its name, how many seats it has, and what one seat may do. Static."""

    name: str
    seats: int
    action: AbstractSpace


class Outcome(NamedTuple):
    """What one tick brought. All dictionaries are keyed by the name of the role; arrays have a leading seat axis."""

    reward: dict[str, Float[Array, " seats"]]
    """Reward of the tick, in the game's units."""
    discount: dict[str, Float[Array, " seats"]]
    """0 where the seat's episode ended with this tick, else 1 (or the game's own discount)."""
    info: PyTree[Array]
    """What happened (trades, prices, payments); only measures see it, never agents.

    A game that clips or ignores actions which are not feasible says so in an entry or a field `infeasible`: a
    dictionary from role name to booleans [seats]. The measure `InfeasibleCount` counts them. `outside` gives them
    where feasible means in the role's action space.
    """


class AbstractGame(Parametrized):
    """A stochastic game of N players. Every seat acts at every tick; the game decides which actions count.

    `init` opens an episode, `observe` says what each seat sees, `step` takes one action of every seat. All three are
    pure functions; the world is a pytree of arrays, which also holds turn order, stages and periods.
    """

    roles: eqx.AbstractVar[tuple[Role, ...]]
    """The roles; static."""

    @abc.abstractmethod
    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PyTree[Array]:
        """A fresh world. Consumes the key."""

    @abc.abstractmethod
    def observe(self, world: PyTree[Array]) -> dict[str, PyTree[Array]]:
        """What the seats of each role see now: role name -> pytree with leaves [seats, ...]."""

    @abc.abstractmethod
    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: PyTree[Array], action: dict[str, PyTree[Any]]
    ) -> tuple[PyTree[Array], Outcome]:
        """One tick: actions by role, leaves [seats, ...]. Consumes the key. Returns the next world and the outcome."""


def outside(role: Role, action: PyTree[Array]) -> Bool[Array, " seats"]:
    """For each seat of a role, whether its action (leaves [seats, ...]) lies outside the role's action space."""
    return ~jax.vmap(role.action.contains)(action)


def role_of(game: AbstractGame, name: str) -> Role:
    """The role of that name; `KeyError` with the known names otherwise."""
    for role in game.roles:
        if role.name == name:
            return role
    raise KeyError(f"no role {name!r}; this game has {[r.name for r in game.roles]}")
