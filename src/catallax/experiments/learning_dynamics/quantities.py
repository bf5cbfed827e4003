"""What the experiments on flows share: quantities, the surface of logit equilibria, and the claim of an exact limit."""

from typing import Literal

import numpy as np

from catallax.games.matrix import Polymatrix
from catallax.lab.claims import Direction, Value
from catallax.lab.experiment import Cell
from catallax.lab.quantity import Quantity, largest, recorded
from catallax.measures.matrix import Gap, Policy
from catallax.solvers.matrix.logit import LogitGrid, temperature_grid

SOURCE = "LeonardosPiliourasSpendlove2021"
READING = "payoffs and exploration rates of the figure are not printed; ours satisfy all that the text says of them"

GRID = np.linspace(2 / 60, 2, 60)
"""Temperatures on either axis of a surface."""
NEWTON = 25
"""Newton steps from random starts, cooled; 22 suffice at every point of all surfaces here."""
TOLERANCE = 1e-11
"""A point with a larger gap is neither drawn nor counted as an equilibrium; in units of payoff."""


def policies(cell: str) -> Quantity:
    """Policies over time, [replicate, time, player, action, trajectory]."""
    return recorded(cell, "policy")


def heads(cell: str) -> Quantity:
    """P(first action) at the end, [replicate, player, trajectory]."""
    return policies(cell).last[:, :, 0]


def neighbours_apart(quantity: Quantity) -> Quantity:
    """How far each replication is from the next (the last from the first); each replication is in two differences."""
    return quantity.then(lambda values: np.abs(values - np.roll(values, -1, axis=0)))


def liveliness(path: Quantity, window: int) -> Quantity:
    """Range of a path over its last `window` evaluations over that of its first: 1 for a cycle, 0 at rest."""
    return path.then(lambda x: np.ptp(x[:, -window:], axis=1) / np.ptp(x[:, :window], axis=1))


def surface(label: str, game: Polymatrix, players: tuple[int, int] = (0, 1), others: float = 1.0) -> Cell:
    """The cell `surface`: Newton from random starts at all temperatures of two players, those of the others fixed."""
    return Cell(
        name="surface",
        label=label,
        build=lambda: LogitGrid(game, temperature_grid(game, GRID, GRID, players, others)),
        measures=(Policy(every=NEWTON), Gap(every=NEWTON)),
        steps={"quick": NEWTON, "paper": NEWTON},
    )


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


def value(
    name: str,
    source: str,
    statement: str,
    published: float,
    error: float,
    reason: str,
    unit: str,
    estimate: Quantity,
    note: str = "",
) -> Value:
    """A printed number, as a claim; `reason` says why it may lie `error` from the truth."""
    return Value(
        id=name, source=source, statement=statement, published=published, error=error, error_reason=reason, unit=unit,
        estimate=estimate, note=note,
    )  # fmt: skip


def limit(
    name: str,
    where: str,
    statement: str,
    error: float,
    estimate: Quantity,
    unit: str = "probability",
    published: float = 0.0,
    note: str = READING,
    reason: str = "an exact limit; what is left is finite time and rounding",
) -> Value:
    """A statement of the source that names an exact limit, as a claim."""
    return value(name, f"{SOURCE}, {where}", statement, published, error, reason, unit, estimate, note)


def direction(name: str, where: str, statement: str, sign: Literal[-1, 1], estimate: Quantity, note: str) -> Direction:
    """A statement of the source on the sign of an effect, as a claim."""
    return Direction(id=name, source=f"{SOURCE}, {where}", statement=statement, sign=sign, estimate=estimate, note=note)


def unique(name: str, where: str, statement: str, players: tuple[int, ...], note: str) -> Value:
    """The claim that the surface has one sheet: those found from two random starts are the same."""
    return limit(name, where, statement, 1e-9, largest(*(neighbours_apart(sheet(k)) for k in players)), note=note)
