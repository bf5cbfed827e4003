"""Tables and figures of the tiny first-price auction, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.games.matrix import first_price_bids
from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure, state_sample
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table
from catallax.solvers.matrix.logit import trace_logit_branch

from .first_price_claims import TEMPERATURES, gap_to_flow, policies, shares

_BIDS = ("0", "1/2", "1")
_APART = 1e-4
_SOLVED = 1e-10


def report(results: Any) -> Report:
    """Where replicators end, equilibria by temperature, learners; basins, branches and paths."""
    return Report(
        tables=(_ends(results), _equilibria(results), _learners(results)),
        figures=(_basins(results), _branches(results), _paths(results)),
    )


def _label(results: Any, cell: str) -> str:
    return results.cells[cell].label


def _ends(results: Any) -> Table:
    rows = []
    for cell in ("replicator", "printed", "two_bids"):
        found = shares(results, cell)
        regret = results.dataset(cell)["regret"].values[:, -1].max(axis=(1, 2))
        line: dict[str, Any] = {"game": _label(results, cell)}
        for which, name in enumerate(("both bid 0", "both bid 1/2")):
            line[name] = mean_interval(found[:, which]).text(3)
        line["elsewhere"] = mean_interval(1 - found.sum(axis=1)).text(3)
        line["largest regret"] = f"{regret.max():.1e}"
        rows.append(line)
    starts = policies(results, "replicator").shape[-1]
    caption = (
        f"Replicator dynamics from {starts} policies a replication, drawn uniformly for both bidders: shares that end "
        "within 0.01 of the equilibria, with 95% intervals. With two bids the edge of the basins is the line on which "
        "the bidders' probabilities of bidding 0 add up to one, so that half of the starts lead to either side. "
        "Largest regret: what a best reply would still add at the end of the slowest path."
    )
    return Table(name="ends", frame=pandas.DataFrame(rows), caption=caption)


def _solutions(results: Any) -> pandas.DataFrame:
    """Distinct logit equilibria of bidder 1 at every temperature, and which of them Q-learning ends at."""
    gap = results.dataset("equilibria")["gap"].values[:, -1]
    solved = policies(results, "equilibria")[:, -1]
    ended = policies(results, "q_learning")[:, -1]
    per = solved.shape[-1] // len(TEMPERATURES)
    rows = []
    for i, temperature in enumerate(TEMPERATURES):
        lane = slice(i * per, (i + 1) * per)
        good = (gap[:, lane] < _SOLVED).reshape(-1)
        newton = np.moveaxis(solved[..., lane], -1, 1).reshape(-1, 2, 3)[good]
        flow = np.moveaxis(ended[..., lane], -1, 1).reshape(-1, 2, 3)
        for point in _distinct(newton):
            reached = (np.abs(flow - point).max(axis=(1, 2)) < _APART).mean()
            rows.append(
                {"temperature": temperature}
                | {f"P(bid {bid})": point[0, a] for a, bid in enumerate(_BIDS)}
                | {"other's P(bid 0)": point[1, 0], "reached": reached}
            )
    return pandas.DataFrame(rows)


def _loss_of_stability(results: Any) -> float | None:
    """Where the principal branch of the run's game first loses stability; None if it never does."""
    branch = trace_logit_branch(first_price_bids(results.settings.winner_fee), min(TEMPERATURES))
    return next((e.temperature for e in branch.events if e.unstable[1] > e.unstable[0]), None)


def _distinct(points: np.ndarray) -> list[np.ndarray]:
    kept: list[np.ndarray] = []
    for point in points[np.argsort(points[:, 0, 0])]:
        if all(np.abs(point - other).max() > _APART for other in kept):
            kept.append(point)
    return kept


def _equilibria(results: Any) -> Table:
    frame = _solutions(results)
    chosen: Any = frame[frame["temperature"].round(6).isin([0.03, 0.05, 0.1, 0.2, 0.25])]
    caption = (
        "Logit equilibria found by Newton's method from random starts, with a residual below 1e-10, at some of the "
        "temperatures; `reached` is the share of random starts from which the Q-learning flow ends there."
    )
    loss = _loss_of_stability(results)
    if loss is not None:
        caption += f" Below T = {loss:.4f} the principal branch is unstable."
    return Table(name="logit_equilibria", frame=chosen.reset_index(drop=True), caption=caption, decimals=6)


def _learners(results: Any) -> Table:
    rows = []
    for cell in ("cross", "adjusted"):
        learnt, flow = (policies(results, name)[:, -1, :, 0, 0].mean(axis=1) for name in (cell, f"{cell}_flow"))
        rows.append(
            {
                "learners": _label(results, cell),
                "P(bid 0) at the end": mean_interval(learnt).text(4),
                "of the flow": float(flow.mean()),
                "learners less flow, second half": mean_interval(gap_to_flow(results, cell)).text(4),
                "SD over replications": learnt.std(ddof=1),
            }
        )
    caption = "Learners from sampled payoffs beside the flows they approach, from the same start; 95% intervals."
    return Table(name="learners", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _basins(results: Any) -> Figure:
    path = policies(results, "two_bids")[0, :120, :, 0, :40]
    data = pandas.concat(
        pandas.DataFrame({"start": s, "bidder_1": path[:, 0, s], "bidder_2": path[:, 1, s]})
        for s in range(path.shape[-1])
    )
    return Figure(
        name="basins",
        draw=lambda sheet: _draw_basins(sheet, data),
        data=data.reset_index(drop=True),
        caption=(
            "Replicator dynamics with two bids, winner's fee included: probabilities of bidding 0 of both bidders from "
            "40 random starts. Dashed: the edge of the basins, on which they add up to one. Discs: the equilibria "
            "(0, 0), upper right, and (1/2, 1/2), lower left."
        ),
    )


def _draw_basins(sheet: Any, data: pandas.DataFrame) -> None:
    axes = sheet.subplots()
    for _, line in data.groupby("start"):
        x, y = (np.asarray(line[k], float) for k in ("bidder_1", "bidder_2"))
        colour = COLOURS[2] if x[-1] > 0.5 else COLOURS[1]
        axes.plot(x, y, color=colour, linewidth=0.7, linestyle="-")
        axes.plot(x[:1], y[:1], color=colour, marker=".", markersize=3)
    axes.plot([0, 1], [1, 0], color="#888888", linestyle="--", linewidth=0.8)
    axes.plot([0, 1], [0, 1], color="#000000", marker="o", markersize=4, linestyle="none")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xlabel="P(bid 0), bidder 1")
    axes.set_ylabel("P(bid 0), bidder 2")


def _branches(results: Any) -> Figure:
    data, loss = _solutions(results), _loss_of_stability(results)
    return Figure(
        name="branches",
        draw=lambda sheet: _draw_branches(sheet, data, loss),
        data=data,
        caption=(
            "Logit equilibria of the three-bid game by temperature (Newton's method from random starts): filled where "
            "the Q-learning flow from random starts ends there, open where it never does. The line is where "
            "the principal branch loses stability."
        ),
        size=TWO_COLUMNS,
    )


def _draw_branches(sheet: Any, data: pandas.DataFrame, loss: float | None) -> None:
    for index, (axes, bid) in enumerate(zip(sheet.subplots(1, 2), ("0", "1/2"), strict=True)):
        for reached, part in data.groupby(data["reached"] > 0):
            face = COLOURS[index + 1] if reached else "none"
            label = "Q-learning ends here" if reached else "not reached"
            axes.plot(
                part["temperature"], part[f"P(bid {bid})"], color=COLOURS[index + 1], markerfacecolor=face,
                marker="o", markersize=3, linestyle="none", label=label,
            )  # fmt: skip
        if loss is not None:
            axes.axvline(loss, color="#888888", linewidth=0.6)
        axes.set(xlabel="temperature", ylabel=f"P(bid {bid}), bidder 1", ylim=(-0.03, 1.03))
        axes.legend(loc="upper right")


def _paths(results: Any) -> Figure:
    frames = []
    for cell in ("cross", "adjusted"):
        learnt, flow = (policies(results, name)[:, :, 0, 0, 0] for name in (cell, f"{cell}_flow"))
        at = np.arange(1, learnt.shape[1] + 1) / learnt.shape[1]
        low, high = np.quantile(learnt, [0.1, 0.9], axis=0)
        frames.append(
            pandas.DataFrame(
                {
                    "panel": _label(results, cell),
                    "time": at,
                    "learners": learnt.mean(axis=0),
                    "low": low,
                    "high": high,
                    "flow": flow[0],
                }
            )
        )
    data, n = pandas.concat(frames, ignore_index=True), results.scale.replications
    return Figure(
        name="learners",
        draw=lambda sheet: _draw_paths(sheet, data, n),
        data=data,
        caption="Learners from sampled payoffs (mean; band: 10th to 90th percentile of replications) and their flows.",
        size=TWO_COLUMNS,
    )


def _draw_paths(sheet: Any, data: pandas.DataFrame, replications: int) -> None:
    panels = list(dict.fromkeys(data["panel"]))
    for axes, panel in zip(sheet.subplots(1, len(panels), sharey=True), panels, strict=True):
        part = data[data["panel"] == panel]
        time = np.asarray(part["time"], float)
        axes.fill_between(time, part["low"], part["high"], color=COLOURS[1], alpha=0.2, linewidth=0)
        axes.plot(time, part["learners"], color=COLOURS[1], label="learners, mean")
        axes.plot(time, part["flow"], color=COLOURS[0], linestyle="--", label="flow")
        axes.set_title(panel, fontsize=8)
        axes.set(xlabel="share of the run", ylim=(0, 1))
        axes.legend(loc="best")
    sheet.axes[0].set_ylabel("P(bid 0), bidder 1")
    state_sample(sheet, replications, None)
