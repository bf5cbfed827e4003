"""Populations: which rule sits in which seat, and how it sees, acts and is paid."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from .control import AbstractControl, Independent
from .errors import BuildError
from .game import AbstractGame, Role
from .space import AbstractSpace


def same_view(obs: Any) -> Any:
    """The view that shows the game's observation unchanged."""
    return obs


def same_move(obs: Any, action: Any) -> Any:
    """The move that passes the rule's action on unchanged."""
    return action


def same_reward(reward: Any) -> Any:
    """The payment of the game's rewards unchanged."""
    return reward


class Interface(eqx.Module):
    """How a group's rule sees the game's observation of one seat, how its action becomes the game's, and how it is
    paid.

    `view`, `move` and `reward` are named module-level functions or Modules (a new lambda would be traced anew). `view`
    takes one seat's observation; `move` takes the game's observation, not the view, and the rule's action.

    `reward` takes the rewards of all seats of the group in one tick, [n], and returns what the group's learners are
    paid, [n]: a coalition shares its sum, an inequality-averse agent minds the difference. The record of a phase holds
    what was paid.

    `space` is the space of the rule's actions where `move` takes other actions than the game (`Discrete(5)` for a menu
    of five, `Real()` for one number); None stands for the game's own space. The rule finds it in its `Spec`.
    """

    view: Callable[[Any], Any] = same_view
    move: Callable[[Any, Any], Any] = same_move
    space: AbstractSpace | None = eqx.field(static=True, default=None)
    reward: Callable[[Any], Any] = same_reward


def _seats(seats: Any) -> Any:
    if seats is None or isinstance(seats, jax.Array):
        return seats
    if isinstance(seats, int | np.integer):
        return (int(seats),)
    if isinstance(seats, Sequence | range | np.ndarray):
        return tuple(int(i) for i in seats)
    raise BuildError(f"seats must be a list of seat numbers or None for all, got {seats!r}")


class Group(eqx.Module):
    """Seats of one role driven by one control.

    `seats` are positions within the role: None for all, a list (checked and compiled in), or a JAX integer array, which
    stays an argument of the program so that a tournament may permute it without compiling again. A bare agent is
    taken as `Independent(agent)`.
    """

    role: str = eqx.field(static=True)
    seats: Any
    control: AbstractControl
    interface: Interface

    def __init__(self, role: str, seats: Any, control: Any, interface: Interface | None = None):
        self.role = role
        self.seats = _seats(seats)
        self.control = control if isinstance(control, AbstractControl) else Independent(control)
        self.interface = Interface() if interface is None else interface

    def size(self, role: Role) -> int:
        """How many seats the group has in `role`."""
        return role.seats if self.seats is None else len(self.seats)

    def positions(self, role: Role) -> Int[Array, " n"]:
        """The seats as an integer array [n]."""
        return jnp.arange(role.seats) if self.seats is None else jnp.asarray(self.seats)

    def take(self, tree: Any) -> Any:
        """The group's rows of arrays with a leading seat axis; whole and contiguous seats are sliced, not gathered."""
        if self.seats is None:
            return tree
        if isinstance(self.seats, tuple) and self.seats == tuple(range(self.seats[0], self.seats[-1] + 1)):
            return jax.tree.map(lambda x: x[self.seats[0] : self.seats[-1] + 1], tree)
        return jax.tree.map(lambda x: x[jnp.asarray(self.seats)], tree)

    def paid(self, reward: Float[Array, "n E"]) -> Float[Array, "n E"]:
        """What the group's learners are paid for the game's rewards, in each copy.

        Raises:
            BuildError: the interface does not return one number for each seat.
        """
        if self.interface.reward is same_reward:
            return reward
        paid = jax.vmap(self.interface.reward, in_axes=1, out_axes=-1)(reward)
        if jnp.shape(paid) != reward.shape:
            raise BuildError(
                f"{self}: its interface's `reward` must give one number for each of the {reward.shape[0]} seats, "
                f"it gave the shape {jnp.shape(paid)[:-1]}"
            )
        return paid.astype(reward.dtype)

    def __str__(self) -> str:
        """The rule, the role and the seats, for messages."""
        where = "all seats" if self.seats is None else f"seats {self.seats}"
        return f"{self.control.name} in role {self.role!r} ({where})"


class Population(eqx.Module):
    """Groups that together fill every seat of every role of a game exactly once."""

    groups: tuple[Group, ...] = eqx.field(converter=tuple)

    def check(self, game: AbstractGame) -> None:
        """Raises `BuildError` if a role is unknown, or a seat is out of range, taken twice or empty.

        Seats given as JAX arrays inside a compiled program cannot be looked at; then only their number is checked.
        """
        names = [role.name for role in game.roles]
        for group in self.groups:
            if group.role not in names:
                raise BuildError(f"{group}: the game has no role {group.role!r}; it has {names}")
        for role in game.roles:
            members = [g for g in self.groups if g.role == role.name]
            for g in members:
                bound = g.control.seats()
                if bound is not None and bound != g.size(role):
                    raise BuildError(f"{g}: {bound} rules were given for {g.size(role)} seats")
            total = sum(g.size(role) for g in members)
            if total != role.seats:
                raise BuildError(
                    f"role {role.name!r} has {role.seats} seats, the population fills {total}; each needs one rule"
                )
            if any(isinstance(g.seats, Tracer) for g in members):
                continue
            seats = np.concatenate([np.arange(role.seats) if g.seats is None else np.asarray(g.seats) for g in members])
            if sorted(seats.tolist()) != list(range(role.seats)):
                raise BuildError(
                    f"{role.name!r}: seats {sorted(seats.tolist())} are filled; fill each of 0..{role.seats - 1} once"
                )

    def gather(self, game: AbstractGame, parts: Sequence[Any]) -> dict[str, Any]:
        """The groups' arrays [n, ...] put together by role, in the order of seats: [seats of the role, ...]."""
        out = {}
        for role in game.roles:
            mine = [(g, p) for g, p in zip(self.groups, parts, strict=True) if g.role == role.name]
            out[role.name] = _in_seat_order([g for g, _ in mine], [p for _, p in mine], role)
        return out


def _in_seat_order(groups: Sequence[Group], parts: Sequence[Any], role: Role) -> Any:
    if len(groups) == 1 and groups[0].seats is None:
        return parts[0]
    if all(isinstance(g.seats, tuple) for g in groups):
        order = [s for g in groups for s in g.seats]
        back = np.argsort(np.asarray(order))
        if (back == np.arange(role.seats)).all():
            return jax.tree.map(lambda *x: jnp.concatenate(x), *parts)
        return jax.tree.map(lambda *x: jnp.concatenate(x)[back], *parts)
    where = jnp.concatenate([g.positions(role) for g in groups])

    def put(*rows: Array) -> Array:
        joined = jnp.concatenate(rows)
        return jnp.zeros_like(joined).at[where].set(joined, unique_indices=True)

    return jax.tree.map(put, *parts)
