"""The payoffs of a concrete game in blocks, on the host in double precision: sizes, tolerances, regrets.

Linear in the edges of a network; `host_game` has everything as one dense matrix.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import check_number
from catallax.games.matrix import AbstractMatrixGame, Polymatrix, check_game, to_arrays


class Block(NamedTuple):
    """A part of a player's payoff that depends on its own action and those of some others; parts add up."""

    rivals: tuple[int, ...]
    table: Float[np.ndarray, "own *theirs"]


def blocks(game: AbstractMatrixGame) -> tuple[tuple[Block, ...], ...]:
    """The parts of each player's payoff: one for each neighbour in a polymatrix game, else one with everybody else."""
    check_game(game)
    if isinstance(game, Polymatrix):
        found: list[list[Block]] = [[] for _ in game.actions]
        for (k, m), table in sorted(game.matrices().items(), key=lambda item: item[0]):
            found[k].append(Block((m,), table))
        return tuple(map(tuple, found))
    others = [tuple(m for m in range(game.players) if m != k) for k in range(game.players)]
    tables = [np.moveaxis(x, k, 0) for k, x in enumerate(to_arrays(game))]
    return tuple((Block(*part),) for part in zip(others, tables, strict=True))


def rewards(game: AbstractMatrixGame, policy: Float[np.ndarray, "n A"]) -> Float[np.ndarray, "n A"]:
    """r_ki(x), 0 beyond a player's actions."""
    found = np.zeros((game.players, game.width))
    for k, own in enumerate(blocks(game)):
        for part in own:
            left = part.table
            for m in reversed(part.rivals):
                left = left @ policy[m, : game.actions[m]]
            found[k, : game.actions[k]] += left
    return found


def values_and_regrets(
    game: AbstractMatrixGame, policy: Float[np.ndarray, "n A"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Payoffs, and what the best replies would add."""
    earned = rewards(game, policy)
    values = (policy * earned).sum(axis=1)
    return values, np.where(game.legal, earned, -np.inf).max(axis=1) - values


def scale_of(game: AbstractMatrixGame) -> float:
    """The largest payoff entry, in absolute value; 1 if all are 0."""
    check_game(game)
    return float(np.abs(np.asarray(game.payoff, float)).max()) or 1.0


def tolerance(game: AbstractMatrixGame, tol: float | None) -> float:
    """The relative tolerance: as given, or what the precision of the payoffs allows."""
    check_game(game)
    if tol is not None:
        check_number("game in matrix form", "tol", tol, "[0, inf)")
        return float(tol)
    return 1e-5 if game.payoff.dtype == np.float32 else 1e-9


def sizes(game: AbstractMatrixGame) -> Float[np.ndarray, " n"]:
    """How large each player's payoffs may be in absolute value; 1 for a player whose payoffs are all 0."""
    found = np.asarray([sum(np.abs(part.table).max() for part in own) for own in blocks(game)], dtype=float)
    return np.where(found > 0, found, 1.0)


def bounds(game: AbstractMatrixGame, tol: float | None) -> Float[np.ndarray, " n"]:
    """What counts as no gain for each player: tol times the spread of its payoffs, and no less than their rounding.

    The spread is that of the largest and the least payoff, so no unit and no constant matters.
    """
    spread = np.asarray([sum(np.ptp(part.table) for part in own) for own in blocks(game)], dtype=float)
    rounding = 16 * float(np.finfo(game.payoff.dtype).eps) * sizes(game)
    return np.maximum(tolerance(game, tol) * spread, rounding)
