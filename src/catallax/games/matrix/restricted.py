"""A game without some of its actions: faces of the simplex, and what is left after elimination."""

from collections.abc import Sequence

import numpy as np

from catallax.core import InputError

from .matrix_game import AbstractMatrixGame
from .normal_form import NormalForm, as_normal_form
from .polymatrix import Edge, Polymatrix


def restricted(game: AbstractMatrixGame, kept: Sequence[Sequence[int]]) -> Polymatrix | NormalForm:
    """The game in which each player has only the actions named, in that order; payoffs must be known, not traced.

    Args:
        kept: for each player, which of its actions stay: action i of the new game is action kept[k][i] of the old.

    Raises:
        InputError: a player without an action, an action it does not have or named twice.
    """
    if len(kept) != game.players:
        raise InputError(f"restricted: actions kept for {len(kept)} players of {game.players}")
    for k, (names, count) in enumerate(zip(kept, game.actions, strict=True)):
        if not len(names) or len(set(names)) != len(names) or not all(0 <= a < count for a in names):
            raise InputError(
                f"restricted: player {k} must keep different actions among 0, ..., {count - 1}, got {list(names)}"
            )
    rows = [np.asarray(names) for names in kept]
    if isinstance(game, Polymatrix):
        small = {(k, m): a[np.ix_(rows[k], rows[m])] for (k, m), a in game.matrices().items()}
        return Polymatrix([Edge(k, m, small[k, m], small[m, k]) for k, m in small if k < m])
    table = as_normal_form(game).payoff
    return NormalForm(table[np.ix_(np.arange(game.players), *rows)])
