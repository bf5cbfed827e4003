"""Tables and figures of the treatments, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import ASKS, TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table
from catallax.measures.double_auction.series import speed_of_convergence, speed_of_learning

from .curves import curve, draw_curves, smooth_curve
from .effects import OUTCOMES, Arm, Comparison, arms_of, compare, effect_lines, effects_tables, less, levels
from .rounds import LAST, mean_of_last, rounds

_BASE, _NONE = Arm("base", "B1 base"), Arm("none", "B8 no disclosure")
_OTHER_MARKETS = ("inelastic", "few_buyers", "one_token", "kept_tokens")
"""Treatments with other tokens or traders: their surplus differs, so they are read against their own control only."""


def report(results: Any) -> Report:
    """What learning changes under each treatment, what rules and disclosures change, how fast, and three figures."""
    arms, controls = _arms(results), _arms(results, ".zic")
    learning = [compare(results, a.label, a, _control(results, a)) for a in arms]
    disclosure, (rules, net) = _of_disclosure(results), _of_rules(results, arms)
    tables = (
        levels(results, arms, "learners", f"Eight learners under each treatment. {_scope(results)}"),
        levels(results, controls, "zero_intelligence", f"Eight zero-intelligence traders likewise. {_scope(results)}"),
        *effects_tables(learning, "learning", "What learning changes: learners less the control under the same rules."),
        *effects_tables(disclosure, "disclosure", "What disclosure changes among learners: less no disclosure."),
        *effects_tables(
            rules,
            "rules",
            "What rules change among learners: less the base market; the second price less the first price, the fee "
            "less the same market without one.",
        ),
        *effects_tables(
            net,
            "rules_net",
            "The same net of what these rules change among zero-intelligence traders, who do not adapt to them.",
        ),
        _speeds(results, arms),
        _fees(results),
    )
    return Report(
        tables=tables, figures=(_effects_figure(results, [*disclosure, *rules]), _learning(results), _by_trade(results))
    )


def _arms(results: Any, suffix: str = "") -> tuple[Arm, ...]:
    """All points of all cells, either the learners' or the controls'."""
    names = [n for n in results.cells if n.endswith(".zic") == bool(suffix)]
    return tuple(arm for n in names for arm in arms_of(results, n, results.cells[n].label))


def _control(results: Any, arm: Arm) -> Arm:
    """The zero-intelligence traders under the same rules: the cell's own, or the base's where it has none."""
    name = f"{arm.cell}.zic"
    return arm._replace(cell=name) if name in results.cells else Arm("base.zic", "")


def _scope(results: Any) -> str:
    played = results.dataset("base").sizes
    total = played["phase"] * played["copy"]
    short = "" if total >= 5000 else " The source trains for 5,000 rounds: learners are not finished here."
    return f"Last {min(LAST, total)} of {total} rounds, means with 95% intervals over replications.{short}"


def _of_disclosure(results: Any) -> list[Comparison]:
    """Reduced, conditional and full disclosure less none. Zero-intelligence traders do not read the tape."""
    shown = (
        ("reduced disclosure", Arm("reduced", "")),
        ("conditional disclosure", Arm("conditional", "")),
        ("full disclosure", _BASE),
    )
    return [compare(results, label, arm, _NONE) for label, arm in shown]


def _of_rules(results: Any, arms: tuple[Arm, ...]) -> tuple[list[Comparison], list[Comparison]]:
    """Each rule less its reference: among learners, and net of the same among zero-intelligence traders.

    The reference is the base market, except that the second price is read against the first price and the fee against
    the same market without one: those pairs differ in nothing else.
    """
    plainly, net = [], []
    for arm in arms:
        if arm.cell in (*_OTHER_MARKETS, "base", "none", "reduced", "conditional"):
            continue
        against = _reference(arm)
        plain = compare(results, arm.label, arm, against)
        among_zic = compare(results, arm.label, _control(results, arm), _control(results, against))
        plainly.append(plain)
        net.append(less(arm.label, plain, among_zic))
    return plainly, net


def _reference(arm: Arm) -> Arm:
    if arm.cell == "second_price":
        return Arm("first_price", "")
    if arm.cell == "fee" and arm.at["fee"] > 0:
        return Arm("fee", "", {"fee": 0.0})
    return _BASE


def _speeds(results: Any, arms: tuple[Arm, ...]) -> Table:
    """Rounds until buyers' profit and the deviation of prices have settled."""
    rows = []
    for arm in arms:
        profit, deviation = _series(results, arm, "buyer_profit"), _series(results, arm, "mad")
        learnt = [x for x in map(speed_of_learning, profit) if x is not None]
        settled = [x for x in map(speed_of_convergence, deviation) if x is not None]
        line: dict[str, Any] = {"market": arm.label}
        for name, known, all_ in (("learning", learnt, profit), ("convergence", settled, deviation)):
            e = mean_interval(np.asarray(known, float))
            line[f"{name}, rounds"], line[f"{name}, low"], line[f"{name}, high"] = e.mean, e.low, e.high
            line[f"{name}, reached"] = f"{len(known)} of {len(all_)}"
        rows.append(line)
    caption = (
        "Speed of learning: rounds until the 100-round mean of buyers' profit stays within 5% of its final value. "
        "Speed of convergence: rounds until the 100-round mean deviation is below 1.1 times its final value. Means "
        "over the replications that reach it."
    )
    return Table(name="speeds", frame=pandas.DataFrame(rows), caption=caption, decimals=0)


def _series(results: Any, arm: Arm, variable: str) -> np.ndarray:
    """All rounds of an arm, [replicate, round]; seats are summed."""
    values = rounds(results, arm.cell, variable)
    for name, value in arm.at.items():
        values = values[:, :, results.cells[arm.cell].lanes[name].index(value)]
    return values if values.ndim == 2 else values.sum(axis=2)


def _fees(results: Any) -> Table:
    """Who is silent under a fee, and what the market earns."""
    rows = []
    for cell in ("fee", "fee.zic"):
        for arm in arms_of(results, cell, results.cells[cell].label):
            line: dict[str, Any] = {"market": arm.label}
            for name in ("revenue", "bids_named", "asks_named", "surplus"):
                e = mean_interval(mean_of_last(results, cell, name)[:, _place(results, arm)], allow_undefined=True)
                line |= {name: e.mean, f"{name}, low": e.low, f"{name}, high": e.high}
            rows.append(line)
    caption = (
        "Offer fees: revenue of the market in a round, share of seats and ticks with a legal quote, and realised "
        "surplus before fees. Learners may say nothing; zero-intelligence traders always quote."
    )
    return Table(name="fees", frame=pandas.DataFrame(rows), caption=caption)


def _place(results: Any, arm: Arm) -> int:
    (name, value), *_ = arm.at.items()
    return results.cells[arm.cell].lanes[name].index(value)


def _effects_figure(results: Any, comparisons: list[Comparison]) -> Figure:
    """Standardised effects with their intervals, a panel an outcome."""
    rows = []
    for line in effect_lines(comparisons):
        e = line.effect.estimate
        known = e.low is not None and bool(e.sd)
        rows.append(
            {
                "effect of": line.label,
                "on": line.outcome.name,
                "d": line.effect.size,
                "low": e.low / e.sd if known else None,  # type: ignore[operator]
                "high": e.high / e.sd if known else None,  # type: ignore[operator]
                "p_holm": line.adjusted,
            }
        )
    data = pandas.DataFrame(rows)
    n = results.dataset("base").sizes["replicate"]
    return Figure(
        name="treatment_effects",
        draw=lambda sheet: _draw_effects(sheet, data, n),
        data=data,
        caption=(
            "Effects of disclosures (against none) and rules (against their reference) in "
            f"standard deviations over {n} replications, with 95% intervals; filled: p < 0.05 after Holm's adjustment "
            "over this figure."
        ),
        size=(TWO_COLUMNS[0], 0.9 + 0.2 * len(set(data["effect of"]))),
    )


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


def _learning(results: Any) -> Figure:
    """How deviation and buyers' profit move while they learn, for the four disclosures."""
    labels = {"none": "none", "reduced": "reduced", "conditional": "conditional", "base": "full"}
    frames = []
    for panel, variable in (("deviation", "mad"), ("buyers' profit", "buyer_profit")):
        for cell, label in labels.items():
            frames.append(smooth_curve(_series(results, Arm(cell, ""), variable), f"{panel}, price units", label))
    data, n = pandas.concat(frames, ignore_index=True), results.scale.replications
    return Figure(
        name="learning_by_disclosure",
        draw=lambda sheet: draw_curves(sheet, data, "round", "mean over 100 rounds", n),
        data=data,
        caption="Means over 100 rounds while eight learners learn, by disclosure, with 95% t intervals.",
        size=TWO_COLUMNS,
    )


def _by_trade(results: Any) -> Figure:
    """Convergence within a period: the deviation of the first, second, ... trade."""
    labels = {"base.zic": "zero intelligence", "none": "learners, none", "base": "learners, full"}
    parts = []
    for cell, label in labels.items():
        deviation = mean_of_last(results, cell, "deviation_by_trade")
        parts.append(curve(deviation, np.arange(1, deviation.shape[1] + 1), "deviation by trade", label))
    data, n = pandas.concat(parts, ignore_index=True), results.scale.replications
    across = "number of the trade in the round"
    return Figure(
        name="convergence_by_trade",
        draw=lambda sheet: draw_curves(sheet, data, across, "mean |p - p*|", n),
        data=data,
        caption="Distance of prices from the competitive price by the number of the trade, last 100 rounds.",
    )
