"""The surface of logit equilibria over the temperatures of two players."""

import numpy as np

from catallax.games.matrix import Polymatrix
from catallax.lab import Cell, Value
from catallax.lab.quantity import Quantity, largest, recorded
from catallax.measures.matrix import Gap, Policy
from catallax.solvers.matrix.logit import LogitGrid, temperature_grid

from .quantities import heads, limit, neighbours_apart, same_length

GRID = np.linspace(2 / 60, 2, 60)
"""Temperatures on either axis of a surface."""
NEWTON = 25
"""Newton steps from random starts, cooled; 22 suffice at every point of all surfaces here."""
TOLERANCE = 1e-11
"""A point with a larger gap is neither drawn nor counted as an equilibrium; in units of payoff."""


def surface(label: str, game: Polymatrix, players: tuple[int, int] = (0, 1), others: float = 1.0) -> Cell:
    """The cell `surface`: Newton from random starts at all temperatures of two players, those of the others fixed."""
    build = lambda: LogitGrid(game, temperature_grid(game, GRID, GRID, players, others))
    return same_length("surface", label, build, NEWTON, Policy(every=NEWTON), Gap(every=NEWTON))


gap = recorded("surface", "gap").last
"""The residual at each point of the surface, [replicate, point]."""


def sheet(player: int) -> Quantity:
    """P(first action) of a player on the surface, [replicate, T of the one, of the other]; NaN where none was found."""
    heads_of_player = heads("surface")[:, player]
    return Quantity(
        lambda results: np.where(gap(results) <= TOLERANCE, heads_of_player(results), np.nan).reshape(
            -1, GRID.size, GRID.size
        )
    )


def unique(name: str, where: str, statement: str, players: tuple[int, ...], note: str) -> Value:
    """The claim that the surface has one sheet: those found from two random starts are the same."""
    return limit(name, where, statement, 1e-9, largest(*(neighbours_apart(sheet(k)) for k in players)), note=note)
