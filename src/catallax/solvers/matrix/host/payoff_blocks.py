"""The payoffs of a game as sums of blocks, in NumPy; the sizes of payoffs, and the tolerances made from these sizes.

Time and memory are linear in the edges of a network.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import check_number
from catallax.games.matrix import AbstractMatrixGame, Polymatrix, check_game, to_arrays


class Block(NamedTuple):
    """A part of a player's payoff: it depends on the player's own action and on those of some rivals."""

    rivals: tuple[int, ...]
    table: Float[np.ndarray, "own *theirs"]


def blocks(game: AbstractMatrixGame) -> tuple[tuple[Block, ...], ...]:
    """The blocks of each player, whose sum is its payoff.

    A player of a polymatrix game has one block for each neighbour; a player of any other game has one block in all.
    """
    check_game(game)
    if isinstance(game, Polymatrix):
        found: list[list[Block]] = [[] for _ in game.actions]
        for (k, m), table in sorted(game.matrices().items(), key=lambda item: item[0]):
            found[k].append(Block((m,), table))
        return tuple(map(tuple, found))
    others = [tuple(m for m in range(game.players) if m != k) for k in range(game.players)]
    tables = [np.moveaxis(x, k, 0) for k, x in enumerate(to_arrays(game))]
    return tuple((Block(*part),) for part in zip(others, tables, strict=True))


def scale_of(game: AbstractMatrixGame) -> float:
    """The largest |payoff entry|; 1 if all are 0."""
    check_game(game)
    return float(np.abs(np.asarray(game.payoff, float)).max()) or 1.0


def sizes(game: AbstractMatrixGame) -> Float[np.ndarray, " n"]:
    """A bound on the |payoff| of each player: the sum of its blocks' largest entries; 1 if all are 0."""
    found = np.asarray([sum(np.abs(part.table).max() for part in own) for own in blocks(game)], dtype=float)
    return np.where(found > 0, found, 1.0)


def tolerance(game: AbstractMatrixGame, tol: float | None) -> float:
    """The relative tolerance: `tol` if it is given, else 1e-9 for 64-bit payoffs and 1e-5 for 32-bit payoffs.

    Raises:
        InputError: `tol` is negative or not finite.
    """
    check_game(game)
    if tol is not None:
        check_number("game in matrix form", "tol", tol, "[0, inf)")
        return float(tol)
    return 1e-5 if game.payoff.dtype == np.float32 else 1e-9


def bounds(game: AbstractMatrixGame, tol: float | None) -> Float[np.ndarray, " n"]:
    """The largest gain that counts as none, for each player, in units of payoff.

    It is `tolerance` times the difference of the player's largest and least payoff, so that neither the unit of payoffs
    nor a constant matters; but it is no less than the rounding error of the payoffs.
    """
    spread = np.asarray([sum(np.ptp(part.table) for part in own) for own in blocks(game)], dtype=float)
    rounding = 16 * float(np.finfo(game.payoff.dtype).eps) * sizes(game)
    return np.maximum(tolerance(game, tol) * spread, rounding)
