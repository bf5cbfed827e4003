"""Paired effects between arms of an experiment on auctions, in tables whose tests are adjusted together.

An arm is a cell at one point of its lanes. Replication r of every arm ran on the same random numbers, so an effect is a
mean of differences, one a replication.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas

from catallax.lab import Figure, Results, Table
from catallax.lab.charts import interval_text
from catallax.lab.figure import ASKS, TWO_COLUMNS
from catallax.lab.statistics import LEVEL, Effect, effect, holm

from .rounds import every_round, late_mean


class Arm(NamedTuple):
    """One column of numbers."""

    cell: str
    label: str
    """What tables print."""
    at: Mapping[str, float] = {}
    """Where on the cell's lanes, by name; empty without lanes."""

    @property
    def name(self) -> str:
        """The cell and its lanes: "fee, fee = 0.5"."""
        return ", ".join([self.cell, *(f"{key} = {value:g}" for key, value in self.at.items())])


class OutcomeVariable(NamedTuple):
    """A variable that arms are compared by: a column's name, the recorded variable (seats are summed), unit, digits."""

    name: str
    variable: str
    unit: str
    decimals: int


OUTCOMES = (
    OutcomeVariable("efficiency", "efficiency", "1", 4),
    OutcomeVariable("deviation", "mad", "price", 2),
    OutcomeVariable("volatility", "price_sd", "price", 2),
    OutcomeVariable("surplus to buyers", "surplus_to_buyers", "1", 4),
    OutcomeVariable("surplus to sellers", "surplus_to_sellers", "1", 4),
)
"""Efficiency, mean |p - p*|, SD of prices, and what each side takes beyond its competitive part, as a share of the
maximum surplus; all over the last 100 rounds."""


def arms_of(results: Results[Any], cell: str, label: str) -> tuple[Arm, ...]:
    """All points of a cell's lanes, each labelled with its values."""
    lanes = results.cells[cell].lanes
    points = [dict(zip(lanes, values, strict=True)) for values in itertools.product(*lanes.values())]
    return tuple(Arm(cell, _labelled(label, point), point) for point in points)


def _labelled(label: str, point: Mapping[str, float]) -> str:
    """The label with the values of the lanes; a lane that the label names is not named twice."""
    for name, value in point.items():
        words = name.replace("_", " ")
        label += f" {value:g}" if label.endswith(words) else f", {words} {value:g}"
    return label


def path(results: Results[Any], arm: Arm, variable: str) -> np.ndarray:
    """All rounds of an arm, [replicate, round]; seats are summed."""
    values = every_round(arm.cell, variable, **_positions(results, arm))(results)
    return values if values.ndim == 2 else values.sum(axis=2)


def sample(results: Results[Any], arm: Arm, variable: str) -> np.ndarray:
    """Mean over the last 100 rounds, one for each replication; seats are summed, NaN where it is undefined."""
    values = late_mean(arm.cell, variable, **_positions(results, arm))(results)
    return values if values.ndim == 1 else values.sum(axis=1)


def _positions(results: Results[Any], arm: Arm) -> dict[str, int]:
    return {name: results.cells[arm.cell].lanes[name].index(value) for name, value in arm.at.items()}


def levels(results: Results[Any], arms: Sequence[Arm], name: str, caption: str) -> Table:
    """A line for each arm: every outcome with its interval."""
    text = lambda arm, outcome: interval_text(sample(results, arm, outcome.variable), outcome.decimals)
    rows = [{"market": arm.label} | {o.name: text(arm, o) for o in OUTCOMES} for arm in arms]
    return Table.of_rows(name, caption, rows)


class Comparison(NamedTuple):
    """One line of a table of effects: its label, and for each outcome one effect a replication, [n]."""

    label: str
    effects: Mapping[str, np.ndarray]


def compare(results: Results[Any], label: str, arm: Arm, against: Arm) -> Comparison:
    """An arm less another, replication by replication."""
    difference = lambda o: sample(results, arm, o.variable) - sample(results, against, o.variable)
    return Comparison(label, {o.name: difference(o) for o in OUTCOMES})


def less(label: str, one: Comparison, other: Comparison) -> Comparison:
    """The difference of two comparisons: an effect net of that on a control."""
    return Comparison(label, {name: one.effects[name] - other.effects[name] for name in one.effects})


class AdjustedEffect(NamedTuple):
    """The effect of a comparison on an outcome, and its p-value adjusted within its table."""

    label: str
    outcome: OutcomeVariable
    effect: Effect
    adjusted: float | None


def adjusted_effects(
    comparisons: Sequence[Comparison], outcomes: Sequence[OutcomeVariable] = OUTCOMES
) -> list[AdjustedEffect]:
    """All effects of a table, their p-values adjusted together by Holm's method."""
    found = [(c.label, o, effect(c.effects[o.name], allow_undefined=True)) for c in comparisons for o in outcomes]
    adjusted = holm(e.p for _, _, e in found)
    return [AdjustedEffect(*one, p) for one, p in zip(found, adjusted, strict=True)]


def effects_tables(
    comparisons: Sequence[Comparison], name: str, caption: str, outcomes: Sequence[OutcomeVariable] = OUTCOMES
) -> tuple[Table, Table]:
    """The effects for reading, a line for each comparison, and all numbers behind them, a line for each effect."""
    tested = adjusted_effects(comparisons, outcomes)
    wide: dict[str, dict[str, Any]] = {}
    for label, outcome, found, adjusted in tested:
        mark = "*" if adjusted is not None and adjusted < 1 - LEVEL else ""
        row = wide.setdefault(label, {"effect of": label})
        row[outcome.name] = found.estimate.text(outcome.decimals) + mark
    long = [
        {"effect of": label, "on": outcome.name, "unit": outcome.unit}
        | {key: getattr(found.estimate, key) for key in ("mean", "low", "high")}
        | {"d": found.size, "p": found.p, "p_holm": adjusted, "n": found.estimate.n}
        for label, outcome, found, adjusted in tested
    ]
    note = f" 95% intervals over replications; * is p < 0.05 after Holm's adjustment over all {len(tested)} tests."
    numbers = " Cohen's d of the paired differences, p of their t test, and p adjusted by Holm over the table."
    return (
        Table.of_rows(name, caption + note, wide.values()),
        Table.of_rows(f"{name}_numbers", caption + numbers, long, decimals=4),
    )


def effects_figure(comparisons: Sequence[Comparison], name: str, caption: str, replications: int) -> Figure:
    """Standardised effects with their intervals, a panel for each outcome; filled where p < 0.05 after adjustment."""
    rows = []
    for label, outcome, found, adjusted in adjusted_effects(comparisons):
        e = found.estimate
        low, high = (end / e.sd if end is not None and e.sd else None for end in (e.low, e.high))
        row = {"effect of": label, "on": outcome.name, "d": found.size, "low": low, "high": high, "p_holm": adjusted}
        rows.append(row)
    data = pandas.DataFrame(rows)
    draw, size = lambda sheet: _draw_effects(sheet, data, replications), (TWO_COLUMNS[0], 0.9 + 0.2 * len(comparisons))
    return Figure(name=name, draw=draw, data=data, caption=caption, size=size)


def _draw_effects(sheet: Any, data: pandas.DataFrame, replications: int) -> None:
    names = list(dict.fromkeys(data["effect of"]))
    panels = sheet.subplots(1, len(OUTCOMES), sharey=True)
    for axes, outcome in zip(panels, OUTCOMES, strict=True):
        part = data[data["on"] == outcome.name].reset_index(drop=True)
        place = np.arange(len(part))[::-1]
        d, low, high = (np.asarray(part[k], float) for k in ("d", "low", "high"))
        axes.axvline(0.0, color="#888888", linewidth=0.6)
        axes.hlines(place, low, high, color=ASKS["color"], linewidth=1.0)
        sure = np.asarray(part["p_holm"], float) < 0.05
        axes.plot(d[sure], place[sure], "o", color=ASKS["color"])
        axes.plot(d[~sure], place[~sure], "o", color=ASKS["color"], markerfacecolor="white")
        axes.set_title(outcome.name, fontsize=8)
        axes.set_yticks(np.arange(len(names))[::-1], names, fontsize=7)
    sheet.supxlabel(f"effect, SD over {replications} replications (intervals of the mean, in these SDs)", fontsize=8)
