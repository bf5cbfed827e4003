"""Tables and the figure of learners among scripted traders, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import ASKS, BIDS, TWO_COLUMNS, Figure, state_sample
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .effects import Arm, Comparison, OutcomeVariable, effects_tables, levels, sample
from .opponents_claims import LABELS, PLACES, advantage, gain
from .rounds import LAST, mean_of_last

OUTCOMES = (
    OutcomeVariable("buyer, over neighbours", "buyer_profit", "price", 1),
    OutcomeVariable("buyer, over the rule there", "buyer_profit", "price", 1),
    OutcomeVariable("seller, over neighbours", "seller_profit", "price", 1),
    OutcomeVariable("seller, over the rule there", "seller_profit", "price", 1),
    OutcomeVariable("efficiency", "efficiency", "1", 4),
    OutcomeVariable("deviation", "mad", "price", 2),
)
"""What two learners change: their profit less their neighbours', less what the scripted trader earns in their seat when
it has all seats, and the market's efficiency and mean |p - p*| less the same control's."""


def report(results: Any) -> Report:
    """What learning earns against each opponent, the markets behind it, profits by seat, and a picture."""
    lines = [_effects(results, place, name) for place, name in _line_ups(results)]
    arms = [Arm(cell.name, cell.label) for cell in results.cells.values()]
    scope = _scope(results)
    tables = (
        *effects_tables(lines, "learning", f"What two learners earn and change, by opponent. {scope}", OUTCOMES),
        levels(results, arms, "markets", f"The markets. {scope}"),
        _profits(results, arms, scope),
    )
    return Report(tables=tables, figures=(_figure(results),))


def _line_ups(results: Any) -> list[tuple[str, str]]:
    return [(place, name) for place in PLACES for name in LABELS if f"{place}.{name}" in results.cells]


def _scope(results: Any) -> str:
    played = results.dataset("memoryless.zic").sizes
    total = played["phase"] * played["copy"]
    short = "" if total >= 5000 else " The source trains for 5,000 rounds: learners are not finished here."
    return f"Last {min(LAST, total)} of {total} rounds.{short}"


def _effects(results: Any, place: str, name: str) -> Comparison:
    cell = f"{place}.{name}"
    market = lambda variable: (
        sample(results, Arm(cell, ""), variable) - sample(results, Arm(f"{cell}.alone", ""), variable)
    )
    found = (
        advantage(cell, "buyer")(results),
        gain(cell, "buyer")(results),
        advantage(cell, "seller")(results),
        gain(cell, "seller")(results),
        market("efficiency"),
        market("mad"),
    )
    return Comparison(f"{LABELS[name]}, {place}", {o.name: x for o, x in zip(OUTCOMES, found, strict=True)})


def _profits(results: Any, arms: list[Arm], scope: str) -> Table:
    rows = []
    for arm in arms:
        line: dict[str, Any] = {"market": arm.label}
        for side in ("buyer", "seller"):
            profit = mean_of_last(results, arm.cell, f"{side}_profit")
            for label, values in ((f"{side} 1", profit[:, 0]), (f"other {side}s", profit[:, 1:].mean(axis=1))):
                e = mean_interval(values, allow_undefined=True)
                line[label] = e.text(1)
        rows.append(line)
    caption = f"Profit a round of the first seat and mean of the other three, with 95% intervals. {scope}"
    return Table(name="profits", frame=pandas.DataFrame(rows), caption=caption)


def _figure(results: Any) -> Figure:
    """What learning earns over the scripted trader in the same seat."""
    rows = []
    for place, name in _line_ups(results):
        for side in ("buyer", "seller"):
            e = mean_interval(gain(f"{place}.{name}", side)(results), allow_undefined=True)
            rows.append(
                {"place": place, "opponent": LABELS[name], "side": side, "gain": e.mean, "low": e.low, "high": e.high}
            )
    data = pandas.DataFrame(rows)
    n = results.dataset("memoryless.zic").sizes["replicate"]
    return Figure(
        name="gain_from_learning",
        draw=lambda sheet: _draw(sheet, data, n),
        data=data,
        caption=(
            "Profit a round of the learning buyer and seller less that of the scripted trader in the same seat when "
            f"all eight are of its kind, by opponent; means and 95% intervals over {n} replications."
        ),
        size=TWO_COLUMNS,
    )


def _draw(sheet: Any, data: pandas.DataFrame, replications: int) -> None:
    panels = np.atleast_1d(sheet.subplots(1, data["place"].nunique(), sharex=True))
    for axes, (place, part) in zip(panels, data.groupby("place", sort=False), strict=True):
        names = list(dict.fromkeys(part["opponent"]))
        for side, style, shift in (("buyer", BIDS, 0.12), ("seller", ASKS, -0.12)):
            mine = part[part["side"] == side]
            place_of = np.asarray([len(names) - 1 - names.index(x) for x in mine["opponent"]]) + shift
            low, high = np.asarray(mine["low"], float), np.asarray(mine["high"], float)
            axes.hlines(place_of, low, high, color=style["color"], linewidth=1.0)
            axes.plot(mine["gain"], place_of, **(style | {"label": f"learning {side}"}))
        axes.axvline(0.0, color="#888888", linewidth=0.6)
        axes.set_yticks(np.arange(len(names))[::-1], names)
        axes.set_title(f"{place} market", fontsize=8)
        axes.set_xlabel("gain, price units a round")
    panels[0].legend(loc="best")
    state_sample(sheet, replications, "95% t interval")
