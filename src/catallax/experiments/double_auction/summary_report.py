"""Tables and figures of the summary experiment, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import Estimate, mean_interval
from catallax.lab.table import Table
from catallax.measures.double_auction.series import speed_of_convergence, speed_of_learning

from . import drawing
from .curves import draw_curves
from .replay import replay_figure
from .rounds import LAST, mean_of_last, rounds, sd_of_last
from .summary_claims import LABELS, TABLE_ROWS

_CELLS = tuple(LABELS)
_DECIMALS = {"efficiency": 4}


def report(results: Any) -> Report:
    """The table beside the printed one, its controls, profits by seat, and four figures."""
    return Report(
        tables=(
            _summary(results),
            _numbers(results),
            _controls(results),
            _profits(results),
            _speeds(results),
        ),
        figures=(_market(results), _quotes(results), _replay(results), _learning(results)),
    )


def _scope(results: Any) -> str:
    played = results.dataset("zic").sizes
    total = played["phase"] * played["copy"]
    short = "" if total >= 5000 else " The source trains for 5,000 rounds: learners are not finished here."
    return f"last {min(LAST, total)} of {total} rounds, {played['replicate']} replications.{short}"


def _estimate(values: np.ndarray) -> Estimate:
    return mean_interval(values, allow_undefined=True)


def _summary(results: Any) -> Table:
    rows = []
    for row in TABLE_ROWS:
        decimals = _DECIMALS.get(row.variable, 3)
        line: dict[str, Any] = {"criterion": row.name.replace("_", " ")}
        for cell in _CELLS:
            printed = row.cells[cell]
            line[LABELS[cell]] = _estimate(mean_of_last(results, cell, row.variable)).text(decimals)
            line[f"printed, {LABELS[cell]}"] = f"{printed.mean:g}" + (
                "" if printed.sd is None else f" ({printed.sd:g})"
            )
        rows.append(line)
    caption = (
        f"Means with 95% intervals over replications; {_scope(results)} Printed: mean (SD over the rounds of one run), "
        "with the two swapped cells put right and percentages as ratios."
    )
    return Table(name="summary", frame=pandas.DataFrame(rows), caption=caption)


def _numbers(results: Any) -> Table:
    """One line a cell: every number of the table, with the SD over rounds that the source prints."""
    rows = []
    for row in TABLE_ROWS:
        for cell in _CELLS:
            ours = _estimate(mean_of_last(results, cell, row.variable))
            spread = sd_of_last(results, cell, row.variable)
            rows.append(
                {
                    "criterion": row.name,
                    "market": LABELS[cell],
                    "unit": row.unit,
                    "printed": row.cells[cell].mean,
                    "printed_sd": row.cells[cell].sd,
                    "ours": ours.mean,
                    "low": ours.low,
                    "high": ours.high,
                    "sd_over_rounds": float(np.mean(spread)),
                    "sd_over_replications": ours.sd,
                    "n": ours.n,
                }
            )
    caption = f"Every cell with our SD over rounds (mean of the replications) and over replications; {_scope(results)}"
    return Table(name="numbers", frame=pandas.DataFrame(rows), caption=caption)


def _controls(results: Any) -> Table:
    """What learning changes against the all-ZIC market on the same tokens."""
    rows = []
    for variable in (
        "efficiency",
        "buyer_efficiency",
        "seller_efficiency",
        "mad",
        "price_sd",
        "bid_handover",
        "ask_handover",
    ):
        line: dict[str, Any] = {"variable": variable}
        control = mean_of_last(results, "zic", variable)
        line["ZIC only"] = _estimate(control).text(4)
        for cell in _CELLS[1:]:
            line[f"{LABELS[cell]}, less ZIC"] = _estimate(mean_of_last(results, cell, variable) - control).text(4)
        rows.append(line)
    caption = (
        "Paired differences from the all-ZIC control (same tokens, same rounds), 95% intervals over replications. ZIC "
        "alone has a buyer efficiency above 1, because the quote range [35, 90] is not symmetric about the tokens."
    )
    return Table(name="controls", frame=pandas.DataFrame(rows), caption=caption)


def _profits(results: Any) -> Table:
    rows = []
    for side in ("buyer", "seller"):
        for seat in range(4):
            line: dict[str, Any] = {"seat": f"{side} {seat + 1}"}
            for cell in _CELLS:
                line[LABELS[cell]] = _estimate(mean_of_last(results, cell, f"{side}_profit")[:, seat]).text(1)
                line[f"SD, {LABELS[cell]}"] = round(
                    float(np.mean(sd_of_last(results, cell, f"{side}_profit")[:, seat])), 1
                )
            rows.append(line)
    caption = (
        f"Profit a round by seat with 95% intervals, and SD over rounds; {_scope(results)} In the single-RL market "
        "buyer 1 and seller 1 learn."
    )
    return Table(name="profits", frame=pandas.DataFrame(rows), caption=caption)


def _speeds(results: Any) -> Table:
    """Speed of learning and of convergence: the first round, mean over the replications in which it is reached."""
    rows = []
    for cell in _CELLS[1:]:
        profit = rounds(results, cell, "buyer_profit")[:, :, 0]
        learnt = [speed_of_learning(p) for p in profit]
        settled = [speed_of_convergence(m) for m in rounds(results, cell, "mad")]
        rows.append({"market": LABELS[cell], **_reached("learning", learnt), **_reached("convergence", settled)})
    caption = (
        "Speed of learning: first round from which buyer 1's 100-round mean profit stays within 5% of its final value. "
        "Speed of convergence: first round with a 100-round mean deviation below 1.1 times its final value."
    )
    return Table(name="speeds", frame=pandas.DataFrame(rows), caption=caption, decimals=0)


def _reached(name: str, found: list[int | None]) -> dict[str, Any]:
    known = [x for x in found if x is not None]
    mean = float(np.mean(known)) if known else None
    return {f"{name}_round": mean, f"{name}_reached": f"{len(known)} of {len(found)}"}


def _market(results: Any) -> Figure:
    sample = results.dataset("zic").isel(replicate=0)
    values = sample["sample_values"].values[0]
    costs = sample["sample_costs"].values[0]
    data = drawing.schedules(values, costs)
    return Figure(
        name="supply_and_demand",
        draw=lambda sheet: drawing.draw_schedules(sheet, values, costs),
        data=data,
        caption="Demand and supply of one round, with the competitive price interval (replication 1, sampled round 1).",
    )


def _quotes(results: Any) -> Figure:
    frames = {cell: drawing.sampled_quotes(results, cell) for cell in _CELLS}
    return Figure(
        name="quotes_over_rounds",
        draw=lambda sheet: drawing.draw_quotes(sheet, {LABELS[c]: f for c, f in frames.items()}),
        data=pandas.concat([f.assign(market=LABELS[c]) for c, f in frames.items()], ignore_index=True),
        caption=(
            "Bids (red), asks (blue) and prices (black) of every hundredth round of replication 1; line: the "
            "competitive price."
        ),
        size=(TWO_COLUMNS[0], 4.6),
    )


def _replay(results: Any) -> Figure:
    """One round of eight learners with full disclosure."""
    ticks = results.dataset("full").sizes["tick"]
    return replay_figure(results, "full", ticks, ticks)


def _learning(results: Any) -> Figure:
    curves = drawing.learning_curves(results, LABELS)
    n = results.dataset("zic").sizes["replicate"]
    return Figure(
        name="learning_curves",
        draw=lambda sheet: draw_curves(sheet, curves, "round", "mean over 100 rounds", n),
        data=curves,
        caption=(
            "Moving means over 100 rounds: profit of the learning buyer and of its ZIC neighbours (single RL), "
            "deviation of prices from the competitive price, and buyer efficiency. "
            f"Mean and 95% t interval over {n} replications."
        ),
        size=TWO_COLUMNS,
    )
