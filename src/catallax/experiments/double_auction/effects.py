"""Paired effects between arms of an experiment on auctions, in tables whose tests are adjusted together.

An arm is a cell at one point of its lanes. Replication r of every arm ran on the same random numbers, so an effect is a
mean of differences, one a replication.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas

from catallax.lab.statistics import LEVEL, Effect, effect, holm, mean_interval
from catallax.lab.table import Table

from .rounds import mean_of_last


class Arm(NamedTuple):
    """One column of numbers.

    Attributes:
        cell: Name of the cell.
        label: What tables print.
        at: Where on the cell's lanes, by name; empty without lanes.
    """

    cell: str
    label: str
    at: Mapping[str, float] = {}

    @property
    def name(self) -> str:
        """The cell and its lanes: "fee, fee = 0.5"."""
        return ", ".join([self.cell, *(f"{key} = {value:g}" for key, value in self.at.items())])


class Outcome(NamedTuple):
    """A quantity that arms are compared by.

    Attributes:
        name: A column's name.
        variable: Recorded variable; seats are summed.
        unit: Of the variable.
        decimals: Digits that tables print.
    """

    name: str
    variable: str
    unit: str
    decimals: int


OUTCOMES = (
    Outcome("efficiency", "efficiency", "1", 4),
    Outcome("deviation", "mad", "price", 2),
    Outcome("volatility", "price_sd", "price", 2),
    Outcome("surplus to buyers", "surplus_to_buyers", "1", 4),
    Outcome("surplus to sellers", "surplus_to_sellers", "1", 4),
)
"""Efficiency, mean |p - p*|, SD of prices, and what each side takes beyond its competitive part, as a share of the
maximum surplus; all over the last 100 rounds."""


def arms_of(results: Any, cell: str, label: str) -> tuple[Arm, ...]:
    """All points of a cell's lanes, each labelled with its values."""
    lanes = results.cells[cell].lanes
    points: list[dict[str, float]] = [{}]
    for name, values in lanes.items():
        points = [{**point, name: value} for point in points for value in values]
    return tuple(Arm(cell, _labelled(label, point), point) for point in points)


def _labelled(label: str, point: Mapping[str, float]) -> str:
    """The label with the values of the lanes; a lane that the label names is not named twice."""
    for name, value in point.items():
        words = name.replace("_", " ")
        label += f" {value:g}" if label.endswith(words) else f", {words} {value:g}"
    return label


def sample(results: Any, arm: Arm, variable: str) -> np.ndarray:
    """Mean over the last 100 rounds, one for each replication; seats are summed, NaN where it is undefined."""
    values = mean_of_last(results, arm.cell, variable)
    for name, value in arm.at.items():
        lane = results.cells[arm.cell].lanes[name]
        values = values[:, lane.index(value)]
    return values if values.ndim == 1 else values.sum(axis=1)


def levels(results: Any, arms: Sequence[Arm], name: str, caption: str) -> Table:
    """A line an arm: every outcome with its interval."""
    rows = []
    for arm in arms:
        line: dict[str, Any] = {"market": arm.label}
        for outcome in OUTCOMES:
            e = mean_interval(sample(results, arm, outcome.variable), allow_undefined=True)
            line[outcome.name] = e.text(outcome.decimals)
        rows.append(line)
    return Table(name=name, frame=pandas.DataFrame(rows), caption=caption)


class Comparison(NamedTuple):
    """One line of a table of effects: what it says, and for each outcome one effect a replication, [n]."""

    label: str
    effects: Mapping[str, np.ndarray]


def compare(results: Any, label: str, arm: Arm, against: Arm) -> Comparison:
    """An arm less another, replication by replication."""
    difference = lambda o: sample(results, arm, o.variable) - sample(results, against, o.variable)
    return Comparison(label, {o.name: difference(o) for o in OUTCOMES})


def less(label: str, one: Comparison, other: Comparison) -> Comparison:
    """The difference of two comparisons: an effect net of that on a control."""
    return Comparison(label, {name: one.effects[name] - other.effects[name] for name in one.effects})


class Line(NamedTuple):
    """A tested effect: of which comparison on which outcome, and its p-value adjusted within its table."""

    label: str
    outcome: Outcome
    effect: Effect
    adjusted: float | None


def effect_lines(comparisons: Sequence[Comparison], outcomes: Sequence[Outcome] = OUTCOMES) -> list[Line]:
    """All effects of a table, their p-values adjusted together by Holm's method."""
    found = [(c.label, o, effect(c.effects[o.name], allow_undefined=True)) for c in comparisons for o in outcomes]
    adjusted = holm(e.p for _, _, e in found)
    return [Line(*one, p) for one, p in zip(found, adjusted, strict=True)]


def effects_tables(
    comparisons: Sequence[Comparison], name: str, caption: str, outcomes: Sequence[Outcome] = OUTCOMES
) -> tuple[Table, Table]:
    """The effects for reading, a line a comparison, and all numbers behind them, a line an effect."""
    lines = effect_lines(comparisons, outcomes)
    wide: dict[str, dict[str, Any]] = {}
    for line in lines:
        e = line.effect.estimate
        mark = "*" if line.adjusted is not None and line.adjusted < 1 - LEVEL else ""
        row = wide.setdefault(line.label, {"effect of": line.label})
        row[line.outcome.name] = e.text(line.outcome.decimals) + mark
    long = [
        {
            "effect of": line.label,
            "on": line.outcome.name,
            "unit": line.outcome.unit,
            "mean": line.effect.estimate.mean,
            "low": line.effect.estimate.low,
            "high": line.effect.estimate.high,
            "d": line.effect.size,
            "p": line.effect.p,
            "p_holm": line.adjusted,
            "n": line.effect.estimate.n,
        }
        for line in lines
    ]
    note = f" 95% intervals over replications; * is p < 0.05 after Holm's adjustment over all {len(lines)} tests."
    numbers = (
        f"{caption} Cohen's d of the paired differences, p of their t test, and p adjusted by Holm over the table."
    )
    return (
        Table(name=name, frame=pandas.DataFrame(wide.values()), caption=caption + note),
        Table(name=f"{name}_numbers", frame=pandas.DataFrame(long), caption=numbers, decimals=4),
    )
