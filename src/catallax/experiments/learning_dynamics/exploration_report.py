"""Paths over the surface of equilibria, and how exploration splits a stake; from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table

from .drawing import EXPLORERS, space, spread
from .exploration_claims import (
    FIRST,
    LENGTH,
    LINE,
    PAIRS,
    PEAK,
    RUNS,
    SLOW,
    matching,
    off_surface,
    rates,
    ratio,
)
from .reading import final, heads
from .reference_values import AMPS
from .surfaces import GRID, TOLERANCE, sheet

_NAMES = ("ETE", "CLR-1")
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)))


def report(results: Any) -> Report:
    """Surface points and ends of paths, how stakes are split: tables and figures 1, 6 and 10."""
    return Report(
        tables=(_surface(results), _paths(results), _split(results)),
        figures=(
            _figure_paths(results, (0, 1), "figure_1", "both players follow the same policy"),
            _figure_paths(results, (2, 3), "figure_6", "the players follow different policies"),
            _figure_10(results),
        ),
    )


def _surface(results: Any) -> Table:
    sheets = [sheet(results, k) for k in (0, 1)]
    rows = []
    for (a, b), reference in AMPS.items():
        i, j = (int(np.abs(GRID - t).argmin()) for t in (a, b))
        if abs(GRID[i] - a) < 1e-9 and abs(GRID[j] - b) < 1e-9:
            row: dict[str, Any] = {"T_1": a, "T_2": b}
            for k in (0, 1):
                row[f"P{k + 1}(H)"] = sheets[k][:, i, j].mean()
                row[f"reference {k + 1}"] = reference[k]
            row["worst"] = f"{max(np.abs(sheets[k][:, i, j] - reference[k]).max() for k in (0, 1)):.1e}"
            rows.append(row)
    gap = final(results, "surface", "gap")
    caption = (
        "Asymmetric matching pennies: P(H) at the logit equilibrium by Newton's method from "
        f"{gap.shape[0]} random starts at those points of the 60 x 60 surface that have reference values, and the "
        f"largest deviation. {int((gap <= TOLERANCE).sum())} of {gap.size} points were solved to {TOLERANCE:g}; others "
        "would be holes."
    )
    return Table(name="surface", frame=pandas.DataFrame(rows), caption=caption, decimals=12)


def _paths(results: Any) -> Table:
    away = off_surface(results)[:, 480:720].max(axis=1)
    rows = []
    for b, pair in enumerate(PAIRS):
        row: dict[str, Any] = {"player 1": _NAMES[pair[0]], "player 2": _NAMES[pair[1]]}
        row["off surface"] = away[:, :, b].max()
        for cell, length in (("paths", LENGTH), ("slow_paths", SLOW)):
            end = heads(results, cell)[:, :, b]
            row[f"P1(H), L = {length:g}"], row[f"P2(H), L = {length:g}"] = end.mean(axis=0)
            row[f"from Nash, L = {length:g}"] = np.abs(end - 1 / 3).max()
        rows.append(row)
    caption = (
        f"Asymmetric matching pennies with peak {PEAK:g}, {away.shape[0]} random starts: largest distance from the "
        f"surface of equilibria from t = 120 to 180 (L = {LENGTH:g}); mean P(H) when exploration has ended and the "
        "largest distance from the Nash equilibrium (1/3, 1/3), in runs of two lengths."
    )
    return Table(name="paths", frame=pandas.DataFrame(rows), caption=caption, decimals=6)


def _split(results: Any) -> Table:
    rows = []
    for cell, label in (("none", "nobody explores"), ("linear", "linear"), ("matched", "ETE or CLR-1 at random")):
        even = heads(results, cell)[:, 2]
        payoff = final(results, cell, "payoff")
        share = ratio(results, cell)[:, -1]
        rows.append(
            {
                "exploration": label,
                "runs": even.size,
                "P2(H), mean": even.mean(),
                "P2(H), min": even.min(),
                "P2(H), max": even.max(),
                "u_1, mean": payoff[:, 1].mean(),
                "u_3, mean": payoff[:, 3].mean(),
                "u_1 / u_3, min": share.min(),
                "u_1 / u_3, max": share.max(),
            }
        )
    caption = (
        f"Line of three at t = {LINE:g} from random starts: P(H) of the middle agent and payoffs; the ratio is that "
        f"of mean payoffs of one replication ({RUNS} runs for the matched policies, else one)."
    )
    return Table(name="split", frame=pandas.DataFrame(rows), caption=caption, decimals=6)


def _figure_paths(results: Any, pairs: tuple[int, int], name: str, what: str) -> Figure:
    path = results.dataset("paths")["policy"].values[0, :, :, 0]
    time = 0.25 * np.arange(1, path.shape[0] + 1)
    sheets = [sheet(results, k)[0] for k in (0, 1)]
    a, b = (x.ravel() for x in np.meshgrid(GRID, GRID, indexing="ij"))
    first, second = (values.ravel() for values in sheets)
    surface = pandas.DataFrame({"kind": "surface", "T_1": a, "T_2": b, "P1": first, "P2": second})
    lines = []
    for p in pairs:
        t1, t2 = rates(PAIRS[p], time, LENGTH)
        kind = f"path {_NAMES[PAIRS[p][0]]}, {_NAMES[PAIRS[p][1]]}"
        lines.append(pandas.DataFrame({"kind": kind, "T_1": t1, "T_2": t2, "P1": path[:, 0, p], "P2": path[:, 1, p]}))

    def draw(canvas: Any) -> None:
        for i, p in enumerate(pairs):
            for k in (0, 1):
                title = f"player {k + 1}; policies {_NAMES[PAIRS[p][0]]}, {_NAMES[PAIRS[p][1]]}"
                axes = space(canvas, 2, 2, 2 * i + k + 1, ("T$_1$", "T$_2$", "P(H)"), title)
                spread(axes, GRID, GRID, sheets[k], opaque=0.45)
                t1, t2 = rates(PAIRS[p], time, LENGTH)
                z = path[:, k, p]
                axes.plot(t1, t2, z, color=COLOURS[2], linewidth=0.9, linestyle="-", zorder=5)
                for at, marker, face in ((0, "o", "white"), (-1, "s", COLOURS[2])):
                    axes.plot(
                        [t1[at]],
                        [t2[at]],
                        [z[at]],
                        marker=marker,
                        markersize=4,
                        mfc=face,
                        mec=COLOURS[2],
                        linestyle="none",
                        zorder=6,
                    )
                axes.plot([0], [0], [1 / 3], marker="*", markersize=7, color=COLOURS[0], linestyle="none", zorder=7)
                axes.set(zlim=(0, 1))
                axes.view_init(elev=22, azim=-125 if k == 0 else -35)

    return Figure(
        name=name,
        draw=draw,
        data=pandas.concat([surface, *lines], ignore_index=True),
        caption=(
            "Asymmetric matching pennies: P(H) of a player at the QRE over the exploration rates of both (light blue, "
            f"60 x 60 points in (0, 2]), and P(H) along play (red) if {what}: explore-then-exploit (ETE) or one cycle "
            f"(CLR-1), peak {PEAK:g}, length {LENGTH:g}, one random start. Ring: start; square: end; star: Nash "
            "equilibrium. A one-cycle policy begins without exploration, so play first cycles off the surface. Payoffs "
            "and the policies' constants are our choice: the source prints none."
        ),
        size=(7.2, 6.0),
    )


def _figure_10(results: Any) -> Figure:
    linear, matched = (results.dataset(cell) for cell in ("linear", "matched"))
    time = LINE / 100 * np.arange(1, linear["policy"].shape[1] + 1)
    first = np.asarray(FIRST)[:, None] * (1 - time / LINE)
    second = rates(matching(), time, LINE).mean(axis=1)
    rows = []
    for label, data, rate, runs in (("linear", linear, first, slice(0, 1)), ("matched", matched, second, slice(None))):
        policy = data["policy"].values[0, :, 1:4, 0, runs]
        payoff = data["payoff"].values[0, :, 1:4, runs]
        rows.append((label, rate.T, policy, payoff))
    frames = [
        pandas.DataFrame(
            {
                "row": label,
                "time": time,
                "agent": k + 1,
                "exploration": rate[:, k],
                "P(H)": policy[:, k].mean(axis=-1),
                "utility": payoff[:, k].mean(axis=-1),
                "ratio u_1 / u_3": payoff[:, 0].mean(axis=-1) / payoff[:, 2].mean(axis=-1),
            }
        )
        for label, rate, policy, payoff in rows
        for k in range(3)
    ]
    return Figure(
        name="figure_10",
        draw=lambda canvas: _draw_10(canvas, rows, time),
        data=pandas.concat(frames, ignore_index=True),
        caption=(
            "Line of three agents while exploration ends. Top: rates fall linearly from "
            f"{', '.join(f'{x:g}' for x in FIRST)}; one random start. Bottom: averages of {RUNS} runs from random "
            "starts in which each agent follows ETE or CLR-1, drawn with equal probability (one draw for all "
            f"replications), peak {PEAK:g}, length {LINE:g}; bands: tenth to ninetieth percentile of the "
            "runs. Left to right: rates, P(H), utilities, ratio of the (mean) utilities of agents 1 "
            "and 3, which ends at 1: a fair split. The constants are our choice: the source prints none."
        ),
        size=(7.2, 3.6),
    )


def _draw_10(canvas: Any, rows: list[Any], time: np.ndarray) -> None:
    panels = canvas.subplots(2, 4, sharex=True)
    for line, (_, rate, policy, payoff) in zip(panels, rows, strict=True):
        for k in range(3):
            style = {"color": EXPLORERS[k], "linestyle": _DASHES[k], "linewidth": 1.0}
            line[0].plot(time, rate[:, k], label=f"agent {k + 1}", **style)
            for axes, values in ((line[1], policy[:, k]), (line[2], payoff[:, k])):
                axes.plot(time, values.mean(axis=-1), **style)
                if values.shape[-1] > 1:
                    low, high = np.percentile(values, (10, 90), axis=-1)
                    axes.fill_between(time, low, high, color=EXPLORERS[k], alpha=0.15, linewidth=0)
        share = payoff[:, 0].mean(axis=-1) / payoff[:, 2].mean(axis=-1)
        line[3].plot(time, share, color=COLOURS[0], linewidth=1.0, linestyle="-")
        line[3].axhline(1.0, color="#888888", linewidth=0.6, linestyle=(0, (4, 2)))
        line[0].set_ylim(bottom=0)
        line[1].set_ylim(-0.04, 1.04)
    for axes, title in zip(panels[0], ("exploration rates", "P(H)", "utilities", "u$_1$ / u$_3$"), strict=True):
        axes.set_title(title, fontsize=8)
    for axes in panels[1]:
        axes.set_xlabel("time")
    panels[0, 0].set_ylabel("linear")
    panels[1, 0].set_ylabel("matched at random")
    panels[0, 0].legend(loc="upper right")
