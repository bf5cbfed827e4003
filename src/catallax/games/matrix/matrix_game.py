"""What every game in matrix form offers: rewards of mixed strategies, payoffs, regrets."""

import abc
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from catallax.core import InputError
from catallax.core.checks import as_numbers


class AbstractMatrixGame(eqx.Module):
    """A finite game played once with mixed strategies; flows, solvers and learners take any of them.

    Players are 0, ..., n - 1 and may have different numbers of actions: arrays have A = max count columns, and columns
    beyond a player's count are never played (probability 0, reward 0). Any batch axes of policies come last: that is
    the fast order.
    """

    payoff: eqx.AbstractVar[Array]
    """All payoffs, in the form of the class; its dtype is that of everything computed from the game."""
    actions: eqx.AbstractVar[tuple[int, ...]]
    """How many actions each player has. Static."""

    @property
    def players(self) -> int:
        """How many players there are: n."""
        return len(self.actions)

    @property
    def width(self) -> int:
        """A, the largest number of actions."""
        return max(self.actions)

    @property
    def legal(self) -> Bool[np.ndarray, "n A"]:
        """Which columns are actions of the player. Static."""
        return np.arange(self.width)[None] < np.asarray(self.actions)[:, None]

    @abc.abstractmethod
    def neighbours(self, player: int) -> tuple[int, ...]:
        """The players on whose actions the payoff of `player` depends, itself left out, ascending."""

    @abc.abstractmethod
    def rewards(self, policy: Float[Array, "n A *batch"]) -> Float[Array, "n A *batch"]:
        """r_ki(x): what player k would earn with its action i against the others' mixed strategies."""

    @abc.abstractmethod
    def response(self, policy: Float[Array, "n A"], slopes: Float[Array, "n A A"]) -> Float[Array, "n A n A"]:
        """How rewards move with the others' scores: sum_b dr_ki / dx_lb S_l[b, j], where S_l[b, j] = dx_lb / dz_lj."""

    @abc.abstractmethod
    def play(self, profile: Int[Array, " n"]) -> Float[Array, " n"]:
        """Payoffs when every player takes one action."""

    def payoffs(self, policy: Float[Array, "n A *batch"]) -> Float[Array, "n *batch"]:
        """u_k(x) = <x_k, r_k(x)>."""
        return (policy * self.rewards(policy)).sum(axis=1)

    def regrets(self, policy: Float[Array, "n A *batch"]) -> Float[Array, "n *batch"]:
        """max_a r_k(a) - u_k(x): what the best reply would add; 0 for all players at a Nash equilibrium only."""
        rewards = self.rewards(policy)
        legal = jnp.asarray(self.legal).reshape(self.legal.shape + (1,) * (policy.ndim - 2))
        return jnp.where(legal, rewards, -jnp.inf).max(axis=1) - (policy * rewards).sum(axis=1)


def check_game(game: Any) -> None:
    """Raises `InputError` unless it is a game in matrix form."""
    if not isinstance(game, AbstractMatrixGame):
        if isinstance(getattr(game, "game", None), AbstractMatrixGame):
            raise InputError(f"a {type(game).__name__} holds a game and other things; give its `.game`")
        raise InputError(
            f"a game in matrix form is needed (Polymatrix, NormalForm, or one of the games of "
            f"catallax.games.matrix), got {str(game)[:80]!r}; of two matrices from_bimatrix makes one"
        )


def per_player(
    game: AbstractMatrixGame, name: str, value: Any, *, positive: bool, batched: bool = False
) -> Float[Array, "n *batch"]:
    """One number for all, or one for each player [n], checked where its value is known.

    Args:
        name: what the message calls it.
        positive: whether zero is refused too.
        batched: whether there may be one for each player and trajectory, [n, B].

    Raises:
        InputError: a wrong shape, or a value that is negative, not finite, or zero where it must be positive.
    """
    check_game(game)
    value = as_numbers("game in matrix form", name, value, game.payoff.dtype)
    if value.ndim == 0:
        value = jnp.broadcast_to(value, (game.players,))
    if value.ndim > 1 + batched or value.shape[0] != game.players:
        raise InputError(f"{name} has shape {value.shape}; give one number, or one for each of {game.players} players")
    if not isinstance(value, Tracer):
        found = np.asarray(value)
        if not np.isfinite(found).all() or (found <= 0 if positive else found < 0).any():
            least = "positive" if positive else "at least 0"
            raise InputError(f"{name} must be finite and {least} for every player, got {_short(found.tolist())}")
    return value


def _short(values: Sequence[Any]) -> str:
    text = str(values)
    return text if len(text) <= 80 else text[:77] + "..."
