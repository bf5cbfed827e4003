"""Normal-form games: one payoff for every player at every profile; cost exponential in the players."""

from math import prod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from catallax.core import InputError
from catallax.core.checks import check_holdable

from .matrix_game import AbstractMatrixGame, check_game

LARGEST = 2**26
"""Numbers that a payoff tensor made here may hold: half a gigabyte in double precision."""


class NormalForm(AbstractMatrixGame):
    """A game given by a payoff tensor for each player, u_k[a_0, ..., a_{n-1}].

    All tensors have the players' actions in the same order, player 0 first: the convention of Gambit, Nashpy (whose
    second matrix has player 0's actions as rows) and OpenSpiel. It is not the own-row convention of `Polymatrix`.

    Args:
        payoffs: one tensor for each of n >= 2 players, each of shape (n_0, ..., n_{n-1}).

    Raises:
        InputError: fewer than two players, tensors whose shapes differ or have not one axis for each player, an action
            set that is empty, payoffs that are not finite.
    """

    payoff: Float[Array, "n *actions"]
    """u_k at each profile, players first."""
    actions: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, payoffs: Any):
        tables = [x if isinstance(x, Tracer) else np.asarray(x) for x in payoffs]
        n = len(tables)
        shapes = {tuple(x.shape) for x in tables}
        if n < 2 or len(shapes) != 1 or len(tables[0].shape) != n or 0 in tables[0].shape:
            raise InputError(
                f"normal form: {n} players need (at least two and) {n} tensors of one shape with {n} axes of at least "
                f"one action each, got shapes {sorted(shapes)}"
            )
        for k, x in enumerate(tables):
            if not isinstance(x, Tracer) and (x.dtype == object or not np.isfinite(x).all()):
                raise InputError(f"normal form: the payoffs of player {k} have an entry that is not a finite number")
            if not isinstance(x, Tracer):
                check_holdable("normal form", f"the table of player {k}", x)
        self.actions = tuple(int(size) for size in tables[0].shape)
        traced = any(isinstance(x, Tracer) for x in tables)
        self.payoff = jnp.stack(tables) if traced else jnp.asarray(np.stack(tables), dtype=float)

    def neighbours(self, player: int) -> tuple[int, ...]:
        return tuple(k for k in range(self.players) if k != player)

    def rewards(self, policy: Float[Array, "n A *batch"]) -> Float[Array, "n A *batch"]:
        """r_ki(x) = sum over the others' actions of u_k(i, a) times their probabilities."""
        rows = []
        for k in range(self.players):
            operands: list[Any] = [self.payoff[k], list(range(self.players))]
            for m in self.neighbours(k):
                operands += [policy[m, : self.actions[m]], [m, ...]]
            own = jnp.einsum(*operands, [k, ...], optimize="greedy")
            rows.append(jnp.pad(own, [(0, self.width - self.actions[k])] + [(0, 0)] * (policy.ndim - 2)))
        return jnp.stack(rows)

    def response(self, policy: Float[Array, "n A"], slopes: Float[Array, "n A A"]) -> Float[Array, "n A n A"]:
        """The Jacobian of rewards at the policy, through the others' slopes."""
        return jnp.einsum("kilb,lbj->kilj", jax.jacfwd(self.rewards)(policy), slopes)

    def play(self, profile: Int[Array, " n"]) -> Float[Array, " n"]:
        return self.payoff[(slice(None), *profile)]


def as_normal_form(game: AbstractMatrixGame) -> NormalForm:
    """The same game with all its profiles written out; dummies keep their axis of length one.

    Raises:
        InputError: n times the number of profiles is above `LARGEST`; a polymatrix game need not be written out.
    """
    check_size(game)
    if isinstance(game, NormalForm):
        return game
    profiles = jnp.stack([x.reshape(-1) for x in jnp.indices(game.actions)], axis=-1)
    payoffs = jax.vmap(game.play)(profiles)
    return NormalForm(payoffs.T.reshape(game.players, *game.actions))


def check_size(game: AbstractMatrixGame) -> None:
    """Raises `InputError` if the game written out would hold more than `LARGEST` numbers, or 32 axes."""
    check_game(game)
    profiles = prod(game.actions)
    if game.players * profiles > LARGEST or game.players > 32:
        raise InputError(
            f"a payoff tensor for {game.players} players with {profiles:.3g} profiles would hold "
            f"{game.players * profiles:.3g} numbers, more than {LARGEST} or with more than 32 axes; work "
            "with the game as it is, or with fewer players"
        )
