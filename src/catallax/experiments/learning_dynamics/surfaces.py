"""Logit equilibria over the temperatures of two players: what the figures with surfaces share."""

from typing import Any

import numpy as np

from catallax.games.matrix import Polymatrix
from catallax.lab.experiment import Cell
from catallax.measures.matrix import Gap, Policy
from catallax.solvers.matrix.logit import LogitGrid, temperature_grid

from .reading import final

GRID = np.linspace(2 / 60, 2, 60)
"""Temperatures on either axis."""
NEWTON = 25
"""Newton steps from random starts, cooled; 22 suffice at every point of all surfaces here."""
TOLERANCE = 1e-11
"""A point with a larger gap is neither drawn nor counted as an equilibrium; in units of payoff."""


def surface(label: str, game: Polymatrix, players: tuple[int, int] = (0, 1), others: float = 1.0) -> Cell:
    """The cell `surface`: Newton from random starts at all temperatures of two players, those of the others fixed."""
    return Cell(
        name="surface",
        label=label,
        build=lambda: LogitGrid(game, temperature_grid(game, GRID, GRID, players, others)),
        measures=(Policy(every=NEWTON), Gap(every=NEWTON)),
        steps={"quick": NEWTON, "paper": NEWTON},
    )


def sheet(results: Any, player: int) -> np.ndarray:
    """P(first action) of a player at the equilibria, [replicate, T of the one, of the other]; NaN where none is."""
    found = final(results, "surface", "policy")[:, player, 0]
    whole = np.where(final(results, "surface", "gap") <= TOLERANCE, found, np.nan)
    return whole.reshape(-1, GRID.size, GRID.size)
