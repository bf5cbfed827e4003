"""Nash equilibria in pure strategies, by looking at every profile."""

import numpy as np

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, to_arrays
from catallax.solvers.matrix.host.payoff_blocks import bounds, tolerance

from .equilibria import NashEquilibria, verified


def pure_equilibria(game: AbstractMatrixGame, *, tol: float | None = None) -> NashEquilibria:
    """All equilibria in which everybody plays one action, in the order of profiles, the last player's running fastest.

    Every profile is written out, so the size of the game is limited; there may be none.

    Args:
        tol: gains up to tol times the spread of payoffs count as none; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game has too many profiles to be written out, or is no game in matrix form.
    """
    if not isinstance(game, AbstractMatrixGame):
        raise InputError(
            f"pure_equilibria takes games in matrix form, not a {type(game).__name__}; a sealed-bid auction has one "
            "of its own in catallax.games.double_auction"
        )
    tables = to_arrays(game)
    slack = bounds(game, tol)
    stable = np.ones(game.actions, dtype=bool)
    for k, table in enumerate(tables):
        stable &= table >= table.max(axis=k, keepdims=True) - slack[k]
    profiles = np.argwhere(stable)
    policies = np.zeros((len(profiles), game.players, game.width))
    np.put_along_axis(policies, profiles[:, :, None], 1.0, axis=2)
    return verified(game, policies, 2 * tolerance(game, tol))
