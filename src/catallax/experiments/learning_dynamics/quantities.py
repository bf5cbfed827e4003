"""What the experiments on flows share: cells, quantities, columns of tables, and the claim of an exact limit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import msgspec
import numpy as np

from catallax.core import AbstractDynamics, AbstractMeasure
from catallax.lab import Cell, Direction, Margin, Value, claims
from catallax.lab.quantity import Quantity, recorded

SOURCE = "LeonardosPiliourasSpendlove2021"
margin = partial(Margin, date="2026-12-01")
"""The margins of this family: a width and its reason."""
APART = margin(0.02, "twice what can be read off a plot; a distance is above zero in any case")
"""How far two ends are apart that the source calls different."""
READING = "payoffs and exploration rates of the figure are not printed; ours satisfy all that the text says of them"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 20
    """Runge-Kutta steps for each unit of time."""


def policies(cell: str) -> Quantity:
    """Policies over time, [replicate, time, player, action, trajectory]."""
    return recorded(cell, "policy")


def heads(cell: str) -> Quantity:
    """P(first action) at the end, [replicate, player, trajectory]."""
    return policies(cell).last[:, :, 0]


def neighbours_apart(quantity: Quantity) -> Quantity:
    """How far each replication is from the next (the last from the first); each replication is in two differences."""
    return quantity.then(lambda values: np.abs(values - np.roll(values, -1, axis=0)))


def beside(found: np.ndarray, reference: Sequence[float] | np.ndarray, name: str = "reference") -> dict[str, Any]:
    """Columns of a table: mean P(H) [replicate, player] of two players beside a reference, and the worst deviation."""
    row: dict[str, Any] = {}
    for k, exact in enumerate(np.asarray(reference)):
        row |= {f"P{k + 1}(H)": found[:, k].mean(), f"{name} {k + 1}": exact}
    return row | {"worst": f"{np.abs(found - reference).max():.1e}"}


def liveliness(path: Quantity, window: int) -> Quantity:
    """Range of a path over its last `window` evaluations over that of its first: 1 for a cycle, 0 at rest."""
    return path.then(lambda x: np.ptp(x[:, -window:], axis=1) / np.ptp(x[:, :window], axis=1))


def same_length(
    name: str, label: str, build: Callable[..., AbstractDynamics], steps: int, *measures: AbstractMeasure, **more: Any
) -> Cell:
    """A cell that takes as many steps at scale quick as at scale paper; `more` are its lanes and scales."""
    both = {"quick": steps, "paper": steps}
    return Cell(name=name, label=label, build=build, measures=measures, steps=both, **more)


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
    return claims.value(name, f"{SOURCE}, {where}", statement, published, margin(error, reason), unit, estimate, note)


def direction(
    name: str, where: str, statement: str, sign: Literal[-1, 1], estimate: Quantity, note: str = "", **more: Any
) -> Direction:
    """A statement of the source on the sign of an effect, as a claim."""
    return claims.direction(name, f"{SOURCE}, {where}", statement, sign, estimate, note, **more)
