"""Tables and figures of the learners' experiment, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table
from catallax.measures.double_auction.series import speed_of_learning

from .curves import curve, draw_curves, smooth_curve
from .rounds import LAST
from .trials import MARKETS, MIXED, NAMES

MIXED_CELL = "mixed"
_SOME = 20
"""Rounds of a moving mean in the figure; short, so that short runs show something."""


def learners(results: Any) -> dict[str, str]:
    """Cells of one kind of learner: name to label."""
    return {name: cell.label for name, cell in results.cells.items() if name != MIXED_CELL}


def rounds(results: Any, cell: str, variable: str, market: str | None = None) -> np.ndarray:
    """All rounds of a variable in order, [replicate, round, ...]; of one of the nine markets, if the cell has them."""
    data = results.dataset(cell)[variable]
    if "market" in data.dims:
        data = data.isel(market=NAMES.index(market or "zero"))
    others = [d for d in data.dims if d not in ("replicate", "phase", "copy")]
    data = data.transpose("replicate", "phase", "copy", *others)
    return data.values.reshape(data.shape[0], -1, *data.shape[3:]).astype(float)


def late(results: Any, cell: str, variable: str, market: str | None = None, last: int = LAST) -> np.ndarray:
    """Mean over the last rounds in which the variable is defined, one a replication, [replicate, ...]."""
    values = rounds(results, cell, variable, market)[:, -last:]
    count = (~np.isnan(values)).sum(axis=1)
    total = np.where(np.isnan(values), 0.0, values).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def report(results: Any) -> Report:
    """Profits, markets, frozen learners elsewhere, what a fresh learner gains, deviations, speeds, and two figures."""
    return Report(
        tables=(
            _profits(results),
            _markets(results),
            _elsewhere(results),
            _exploited(results),
            _deviations(results),
            _speeds(results),
        ),
        figures=(_curves_figure(results), _answers_figure(results)),
    )


def _scope(results: Any) -> str:
    played = results.dataset(next(iter(learners(results)))).sizes
    total = played["phase"] * played["copy"]
    short = "" if total >= 5000 else " Learners are not finished here: about 5,000 rounds are wanted."
    return f"last {min(LAST, total)} of {total} rounds, {played['replicate']} replications.{short}"


def _show(values: np.ndarray, decimals: int = 1) -> str:
    return mean_interval(values, allow_undefined=True).text(decimals)


def _side(results: Any, cell: str, market: str | None, side: str, seats: Any) -> np.ndarray:
    """Mean profit of some seats of a side, one a replication."""
    return late(results, cell, f"{side}_profit", market)[:, seats].mean(axis=1)


def _gain(results: Any, cell: str, market: str | None, side: str, seats: Any, control: str = "zero") -> np.ndarray:
    """The same less that of the same seats in a control on the same random numbers."""
    home = cell if market is not None else next(iter(learners(results)))
    return _side(results, cell, market, side, seats) - _side(results, home, control, side, seats)


_FIRST, _OTHERS, _ALL = [0], slice(1, None), slice(None)


def _profits(results: Any) -> Table:
    rows = []
    for cell, label in learners(results).items():
        for side in ("buyer", "seller"):
            rows.append(
                {
                    "learner": label,
                    "side": side,
                    "alone among ZIC": _show(_gain(results, cell, "one", side, _FIRST)),
                    "its ZIC neighbours": _show(_gain(results, cell, "one", side, _OTHERS)),
                    "all eight learn": _show(_gain(results, cell, "all", side, _ALL)),
                    "mixed population": _mixed(results, cell, side),
                    "ZIC control": _show(_side(results, cell, "zero", side, _ALL)),
                }
            )
    caption = (
        "Profit a round less that of the same seats held by zero intelligence on the same tokens and random numbers "
        "(last column: that control itself, mean of a side), price units, 95% intervals over replications; mixed: one "
        f"learner of each kind on each side; {_scope(results)}"
    )
    return Table(name="profits", frame=pandas.DataFrame(rows), caption=caption)


def _mixed(results: Any, cell: str, side: str) -> str:
    """The learner's profit in the mixed population; not there if it has no seat in it."""
    if cell not in MIXED or MIXED_CELL not in results.cells:
        return "no seat"
    return _show(_gain(results, MIXED_CELL, None, side, [MIXED.index(cell)]))


_MARKET_ROWS = {"efficiency": 4, "mad": 2, "price_sd": 2, "surplus_to_buyers": 4, "surplus_to_sellers": 4}


def _markets(results: Any) -> Table:
    first = next(iter(learners(results)))
    columns = [("ZIC only", first, "zero"), ("truth-tellers only", first, "truthful")]
    columns += [(f"all learn: {label}", cell, "all") for cell, label in learners(results).items()]
    mixed = [("mixed", MIXED_CELL, None)] if MIXED_CELL in results.cells else []
    rows = []
    for label, cell, market in [*columns, *mixed]:
        row = {name: _show(late(results, cell, name, market), digits) for name, digits in _MARKET_ROWS.items()}
        moved = late(results, cell, "surplus_to_buyers", market) - late(results, first, "surplus_to_buyers", "zero")
        rows.append({"market": label, **row, "to buyers, less ZIC": _show(moved, 4)})
    caption = (
        "Efficiency; mean |p - p*| and SD of prices, price units; share of the maximum surplus that each side took "
        "beyond its competitive part (what moved between the sides, and what was lost), and the buyers' less that of "
        f"the control; 95% intervals; {_scope(results)}"
    )
    return Table(name="markets", frame=pandas.DataFrame(rows), caption=caption)


def _elsewhere(results: Any) -> Table:
    rows = []
    for cell, label in learners(results).items():
        for side in ("buyer", "seller"):
            alone = _side(results, cell, "one", side, _FIRST)
            kin = _side(results, cell, "own_kind", side, _ALL)
            rows.append(
                {
                    "learner": label,
                    "side": side,
                    "at home": _show(alone),
                    "among truth-tellers": _show(_side(results, cell, "among_truthful", side, _FIRST)),
                    "less a truth-teller there": _show(
                        _gain(results, cell, "among_truthful", side, _FIRST, "truthful")
                    ),
                    "among its own kind": _show(kin),
                    "own kind less at home": _show(kin - alone),
                }
            )
    caption = (
        "Profit a round of a learner that learnt among zero intelligence (at home) and is put, frozen as it is in each "
        "phase, among truth-tellers and among copies of itself (mean of the side); price units, 95% intervals; "
        f"{_scope(results)}"
    )
    return Table(name="frozen_elsewhere", frame=pandas.DataFrame(rows), caption=caption)


def entrant_rounds(results: Any) -> tuple[int, int]:
    """For how many rounds the last fresh learner had learnt by the end, and over how many its gain is read."""
    sizes = results.dataset(next(iter(learners(results)))).sizes
    phases, copies = sizes["phase"], sizes["copy"]
    began = 1 << ((phases - 1).bit_length() - 1) if phases > 1 else 0
    lived = (phases - began) * copies
    return lived, max(min(LAST, lived // 4), copies)


def _exploited(results: Any) -> Table:
    lived, last = entrant_rounds(results)
    rows = []
    for cell, label in learners(results).items():
        profit = {m: late(results, cell, "buyer_profit", m, last)[:, 0] for m in ("entrant", "frozen")}
        gain = mean_interval(profit["entrant"] - profit["frozen"], allow_undefined=True)
        rows.append(
            {
                "frozen population": label,
                "frozen buyer 1": _show(profit["frozen"]),
                "fresh learner": _show(profit["entrant"]),
                "gain": gain.mean,
                "low": gain.low,
                "high": gain.high,
            }
        )
    caption = (
        "Lower bound on exploitability: what a fresh learner of the same kind earns in the seat of buyer 1 against the "
        f"other seven, frozen, after {lived} rounds of learning, less what the frozen buyer 1 earns there on the same "
        f"random numbers; price units a round, means of the last {last} rounds, 95% intervals. A learner need not find "
        "the best response, so a gain of 0 or less bounds nothing."
    )
    return Table(name="exploitability", frame=pandas.DataFrame(rows), caption=caption)


def _answers(results: Any, cell: str, variable: str) -> np.ndarray:
    """Mean over the last phases, [replicate, tick]."""
    data = results.dataset(cell)
    phases = max(LAST // data.sizes["copy"], 1)
    tick = next(d for d in data[variable].dims if d not in ("replicate", "phase"))
    values = data[variable].transpose("replicate", "phase", tick).values[:, -phases:].astype(float)
    count = (~np.isnan(values)).sum(axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the ticks after the first, one a replication."""
    later = values[:, 1:]
    count = (~np.isnan(later)).sum(axis=1)
    return np.where(count > 0, np.nansum(later, axis=1) / np.maximum(count, 1), np.nan)


def _deviations(results: Any) -> Table:
    rows = []
    for cell, label in learners(results).items():
        change = lambda side, seats, cell=cell: _gain(results, cell, "deviant", side, seats, "all")
        rows.append(
            {
                "all learn": label,
                "buyer 1": _show(change("buyer", _FIRST)),
                "other buyers": _show(change("buyer", _OTHERS)),
                "sellers": _show(change("seller", _ALL)),
                "bids of the others": _show(_mean(_answers(results, cell, "rivals_answer")), 2),
                "asks, sign reversed": _show(_mean(_answers(results, cell, "sellers_answer")), 2),
            }
        )
    caption = (
        "A forced deviation: buyer 1 bids its value for a round, all others play what they have learnt. Change of "
        "profits a round (mean of a side's seats) and of the others' quotes in the ticks after the first (positive: "
        f"more generous), price units, 95% intervals; {_scope(results)}"
    )
    return Table(name="deviations", frame=pandas.DataFrame(rows), caption=caption)


def _speeds(results: Any) -> Table:
    rows = []
    for cell, label in learners(results).items():
        line: dict[str, Any] = {"learner": label}
        for name, market in (("alone among ZIC", "one"), ("all eight learn", "all")):
            found = [speed_of_learning(p) for p in rounds(results, cell, "buyer_profit", market)[:, :, 0]]
            known = [x for x in found if x is not None]
            line[f"{name}, round"] = float(np.mean(known)) if known else None
            line[f"{name}, reached"] = f"{len(known)} of {len(found)}"
        rows.append(line)
    caption = (
        "Speed of learning: first round from which buyer 1's 100-round mean profit stays within 5% of its final value, "
        "mean over the replications in which it is reached."
    )
    return Table(name="speeds", frame=pandas.DataFrame(rows), caption=caption, decimals=0)


def _curves_figure(results: Any) -> Figure:
    parts = []
    for market in ("one", "all"):
        for cell, label in learners(results).items():
            gain = [rounds(results, cell, "buyer_profit", m)[:, :, 0] for m in (market, "zero")]
            parts.append(smooth_curve(gain[0] - gain[1], MARKETS[market].label, label, window=_SOME))
    data, n = pandas.concat(parts, ignore_index=True), results.scale.replications
    return Figure(
        name="learning_curves",
        draw=lambda sheet: draw_curves(
            sheet, data, "round", "profit less ZIC's, price units", n, line=0.0, shared=True
        ),
        data=data,
        caption=f"Buyer 1's profit a round less zero intelligence's in its seat, moving mean of {_SOME} rounds.",
        size=TWO_COLUMNS,
    )


def _answers_figure(results: Any) -> Figure:
    parts = []
    for panel, variable in (("other buyers' bids", "rivals_answer"), ("asks, sign reversed", "sellers_answer")):
        for cell, label in learners(results).items():
            values = _answers(results, cell, variable)
            parts.append(curve(values, np.arange(1, values.shape[1] + 1), panel, label))
    data, n = pandas.concat(parts, ignore_index=True), results.scale.replications
    return Figure(
        name="answers",
        draw=lambda sheet: draw_curves(sheet, data, "tick", "change of quotes, price units", n, line=0.0, shared=True),
        data=data,
        caption="How learners' quotes change within a round in which buyer 1 bids its value (positive: more generous).",
        size=TWO_COLUMNS,
    )
