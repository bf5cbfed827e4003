"""Games exchanged with other libraries as arrays: Nashpy, Gambit, OpenSpiel; none of them is needed.

All of them index every player's payoffs by (action of player 0, action of player 1, ...): the convention of
`NormalForm`. Only `Polymatrix` has each player's own actions as rows. Exported arrays are NumPy's, double precision.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from jax.core import Tracer
from jaxtyping import Float

from catallax.core import InputError

from .matrix_game import AbstractMatrixGame
from .normal_form import NormalForm, as_normal_form, check_size
from .polymatrix import Polymatrix


def from_bimatrix(to_row: Any, to_column: Any) -> Polymatrix:
    """A two-player game from two matrices that both have player 0's actions as rows: `nashpy.Game(A, B)`.

    OpenSpiel's `create_matrix_game(row_utilities, col_utilities)` takes the same two.

    Raises:
        InputError: matrices of different shape.
    """
    a, b = (x if isinstance(x, Tracer) else _numbers("from_bimatrix", k, x) for k, x in enumerate((to_row, to_column)))
    if a.ndim != 2 or a.shape != b.shape:
        raise InputError(
            f"from_bimatrix: both matrices have player 0's actions as rows, so need one shape, got {a.shape} and "
            f"{b.shape}; a second matrix with player 1's own actions as rows belongs in Polymatrix([(0, 1, A, B)])"
        )
    return Polymatrix([(0, 1, a, b.T)])


def as_polymatrix(game: AbstractMatrixGame) -> Polymatrix:
    """A polymatrix game as it is; a game of two players in any other form as one edge.

    Raises:
        InputError: a normal form of more than two players.
    """
    if isinstance(game, Polymatrix):
        return game
    if game.players != 2:
        raise InputError(
            f"a normal form of {game.players} players is not taken apart into edges; if its payoffs are sums over "
            "pairs of players give them as a Polymatrix"
        )
    return from_bimatrix(*to_bimatrix(game))


def to_bimatrix(
    game: AbstractMatrixGame,
) -> tuple[Float[np.ndarray, "rows columns"], Float[np.ndarray, "rows columns"]]:
    """(A, B), both with player 0's actions as rows: `nashpy.Game(*to_bimatrix(game))`.

    Raises:
        InputError: the game has not two players.
    """
    if game.players != 2:
        raise InputError(
            f"to_bimatrix: a bimatrix has two players, this game has {game.players}; to_arrays(game) writes out a "
            "tensor for each player"
        )
    first, second = to_arrays(game)
    return first, second


def to_arrays(game: AbstractMatrixGame) -> list[Float[np.ndarray, "*actions"]]:
    """One tensor for each player, player 0's action first: what pygambit's `from_arrays(*tensors)` takes.

    Raises:
        InputError: the game has too many profiles to be written out.
    """
    if not isinstance(game, Polymatrix):
        return [np.asarray(table, dtype=float) for table in as_normal_form(game).payoff]
    check_size(game)
    tables = np.zeros((game.players, *game.actions))
    for (k, m), block in game.matrices().items():
        axes = [a for a in range(game.players) if a not in (k, m)]
        tables[k] += np.expand_dims(block if k < m else block.T, axes)
    return list(tables)


def from_arrays(arrays: Sequence[Any]) -> NormalForm:
    """A game from one tensor for each player, such as pygambit's `to_arrays()` gives (fractions too).

    Raises:
        InputError: tensors whose shapes do not agree, or that are not numbers.
    """
    return NormalForm([_numbers("from_arrays", k, x) for k, x in enumerate(arrays)])


def from_tensor_game(utilities: Sequence[Any], shape: Sequence[int] | None = None) -> NormalForm:
    """A game from OpenSpiel's `create_tensor_game(utilities, shape)`: flat lists in row-major order, or nested ones.

    Row-major: the last player's action runs fastest.

    Args:
        utilities: for each player, its payoffs.
        shape: the number of actions of each player; needed for flat lists.

    Raises:
        InputError: flat lists without a shape, or a length that is not the number of profiles.
    """
    tables = [_numbers("from_tensor_game", k, x) for k, x in enumerate(utilities)]
    if shape is None:
        if any(x.ndim == 1 for x in tables):
            raise InputError("from_tensor_game: flat utilities need the numbers of actions, shape=(n_0, n_1, ...)")
        return NormalForm(tables)
    size = tuple(int(x) for x in shape)
    for k, x in enumerate(tables):
        if x.size != prod(size) or (x.ndim > 1 and x.shape != size):
            raise InputError(
                f"from_tensor_game: player {k} has utilities of shape {x.shape}, not {size} or {prod(size)} in a row"
            )
    return NormalForm([x.reshape(size) for x in tables])


def to_tensor_game(game: AbstractMatrixGame) -> tuple[list[list[float]], list[int]]:
    """(utilities, shape) for OpenSpiel's `create_tensor_game`: a flat list for each player, the last action fastest.

    Raises:
        InputError: the game has too many profiles to be written out.
    """
    return [x.reshape(-1).tolist() for x in to_arrays(game)], list(game.actions)


def _numbers(who: str, player: int, values: Any) -> np.ndarray:
    """An array of floats; Fractions and Decimals, as Gambit has them, are rounded."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{who}: the payoffs of player {player} are not a rectangular array of numbers") from None
