"""Figures of a population of Q-learners: densities beside histograms, mean policies, errors on log-log axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas

from catallax.lab import Figure, Results
from catallax.lab.charts import long_rows
from catallax.lab.figure import COLOURS, TWO_COLUMNS
from catallax.lab.quantity import recorded

from .population_cells import HIGHEST

GAMES = {"dilemma": "prisoners' dilemma", "coordination": "coordination", "auction": "first-price auction"}
"""Beginnings of names of cells -> labels."""
Study = tuple[Sequence[float | int], np.ndarray]
"""Sizes, and the error of the mean policy at each."""
_TIMES = (0, 1, 2, 5)
_MARKS = {"grid": ("s", 4.0), "agents_all": ("o", 2.5), "agents_pairs": ("x", 3.5)}
_SHOWN = 40
"""Cells an axis of a drawn density."""


def _coarser(cells: np.ndarray, size: int) -> np.ndarray:
    """Means of square blocks, down to size x size."""
    block = cells.shape[0] // size
    return cells if block < 2 else cells.reshape(size, block, size, block).mean(axis=(1, 3))


def densities(results: Results[Any]) -> Figure:
    """The dilemma's density on the grid, above histograms of the learners who meet all others."""
    grid = recorded("dilemma_grid", "density")(results)[0]
    agents = recorded("dilemma_agents_all", "histogram")(results).mean(axis=0)
    area = (HIGHEST / agents.shape[-1]) ** 2
    panels = {("grid", t): _coarser(grid[t], _SHOWN) for t in _TIMES}
    panels |= {("learners", t): agents[t] / area for t in _TIMES}
    data = pandas.concat([_long(cells, method, t) for (method, t), cells in panels.items()], ignore_index=True)
    caption = (
        "Prisoners' dilemma: density of learners over their values Q_1 (cooperate) and Q_2, at t = 0, 1, 2 and 5. "
        f"Above: the grid; below: histograms of learners who meet all others, {results.scale.replications} "
        "populations together. Darker is denser; each panel has its own scale, the same in a column."
    )
    draw = lambda sheet: _draw_densities(sheet, panels)
    return Figure(name="densities", draw=draw, data=data, caption=caption, size=(TWO_COLUMNS[0], 3.9))


def _long(cells: np.ndarray, method: str, time: int) -> pandas.DataFrame:
    """A panel as rows, empty cells left out."""
    centres = (np.arange(len(cells)) + 0.5) * HIGHEST / len(cells)
    rows = long_rows({"method": [method], "t": [time], "q_1": centres, "q_2": centres}, {"density": cells})
    return pandas.DataFrame(rows[rows["density"] > 1e-6])


def _draw_densities(sheet: Any, panels: dict[tuple[str, int], np.ndarray]) -> None:
    """Rows are methods, columns times."""
    every = sheet.subplots(2, len(_TIMES), sharex=True, sharey=True)
    for row, method in zip(every, ("grid", "learners"), strict=True):
        for axes, t in zip(row, _TIMES, strict=True):
            top, extent = panels["grid", t].max(), (0, HIGHEST, 0, HIGHEST)
            image = axes.imshow(panels[method, t].T, origin="lower", extent=extent, cmap="Greys", vmin=0, vmax=top)
            image.set_interpolation("nearest")
            axes.set(xlim=(0, 3), ylim=(0, 3))
            axes.grid(visible=False)
        row[0].set_ylabel(f"{method}: Q_2")
    for (above, below), t in zip(every.T, _TIMES, strict=True):
        above.set_title(f"t = {t}", fontsize=8)
        below.set_xlabel("Q_1")


def paths(results: Results[Any]) -> Figure:
    """Mean policies over time: lines along characteristics, squares the grid, discs and crosses the learners."""
    frames = []
    for game in GAMES:
        for method in ("nodes", *_MARKS):
            if f"{game}_{method}" in results.cells:
                mean = recorded(f"{game}_{method}", "mean_policy")(results).mean(axis=(0, -1))
                actions, times = range(1, mean.shape[1] + 1), range(len(mean))
                axes = {"game": [game], "method": [method], "action": actions, "t": times}
                frames.append(long_rows(axes, {"m": mean.T}))
    data = pandas.concat(frames, ignore_index=True)
    caption = (
        "Mean policy over time, one colour an action (black, blue, vermilion: actions 1, 2, 3). Lines: "
        "characteristics; squares: grid; discs: learners who meet all others; crosses: learners who meet one other "
        f"in a play, in the dilemma only (means over {results.scale.replications} populations)."
    )
    draw = lambda sheet: _draw_paths(sheet, data)
    return Figure(name="paths", draw=draw, data=data, caption=caption, size=(TWO_COLUMNS[0], 2.5))


def _draw_paths(sheet: Any, data: pandas.DataFrame) -> None:
    """One panel a game."""
    for axes, (game, title) in zip(sheet.subplots(1, len(GAMES), sharey=True), GAMES.items(), strict=True):
        for key, part in data[data["game"] == game].groupby(["method", "action"]):
            method, action = np.asarray(key, object)
            style: dict[str, Any] = {"color": COLOURS[int(action) - 1]}
            if method == "nodes":
                axes.plot(part["t"], part["m"], linewidth=0.9, linestyle="-", **style)
            else:
                marker, size = _MARKS[method]
                style |= {"marker": marker, "markersize": size, "fillstyle": "none", "linestyle": "none"}
                axes.plot(part["t"][::2], part["m"][::2], **style)
        axes.set_title(title, fontsize=8)
        axes.set_xlabel("t")
        axes.set_ylim(0, 1)
    sheet.axes[0].set_ylabel("mean policy")


_PANELS: dict[str, list[tuple[str, str, float | None]]] = {
    "nodes an axis": [("t = 2", "nodes an axis, t = 2", None)],
    "time steps a unit": [("t = 1", "time steps a unit, t = 1", -4.0)],
    "cells an axis": [
        ("smooth law, t = 1", "cells an axis, smooth law, t = 1", -2.0),
        ("uniform law, t = 1", "cells an axis, uniform law, t = 1", None),
        ("uniform law, t = 2", "cells an axis, uniform law, t = 2", -1.0),
    ],
    "learners N": [("all others met", "learners, all others met, t = 2 (root mean square)", -0.5)],
    "step size": [("one other met", "step size, one other met, t = 2 (bias)", 1.0)],
}
"""Panel -> its curves: name in the legend, study, slope of theory."""


def rates(studies: dict[str, Study]) -> Figure:
    """Errors of the mean policy on log-log axes, with the slopes of theory."""
    data = pandas.DataFrame(
        {"panel": panel, "series": series, "size": size, "error": error, "slope_of_theory": slope}
        for panel, curves in _PANELS.items()
        for series, study, slope in curves
        for size, error in zip(studies[study][0], np.abs(studies[study][1]), strict=True)
    )
    caption = (
        "Error of the mean policy in the prisoners' dilemma against the finest characteristics: nodes of the "
        "quadrature (no power of their number), Runge-Kutta steps, cells of the grid, learners (root mean square) "
        "and their step size with one opponent a play (bias). Dashed: slopes of theory, -4; -2 and -1; -1/2; 1."
    )
    draw = lambda sheet: _draw_rates(sheet, studies)
    return Figure(name="rates", draw=draw, data=data, caption=caption, size=(TWO_COLUMNS[0], 2.4))


def _draw_rates(sheet: Any, studies: dict[str, Study]) -> None:
    """One panel a study."""
    for axes, (panel, curves) in zip(sheet.subplots(1, len(_PANELS)), _PANELS.items(), strict=True):
        for (series, study, slope), colour, marker in zip(curves, COLOURS, "os^", strict=False):
            x, errors = np.asarray(studies[study][0], float), np.abs(studies[study][1])
            axes.loglog(x, errors, color=colour, marker=marker, linestyle="-", linewidth=0.9, label=series)
            if slope is not None:
                axes.loglog(x, errors[-1] * (x / x[-1]) ** slope, color=colour, linestyle=(0, (4, 3)), linewidth=0.7)
        shown = x[:: 1 if len(x) < 6 else 2]
        axes.set_xticks(shown, [f"{size:g}" if size >= 1 else f"1/{round(1 / size)}" for size in shown])
        axes.minorticks_off()
        axes.set_title(panel, fontsize=8)
        axes.tick_params(labelsize=6)
        low, high = axes.get_ylim()
        if high / low < 100:  # one or two decades: label what is there
            marks = [m * 10.0**e for e in range(-5, 0) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
            axes.set_yticks(marks, [f"{m:g}" for m in marks])
        axes.set_ylim(low, high * (high / low) ** 0.25)
        axes.legend(fontsize=5, loc="upper right")
    sheet.axes[0].set_ylabel("error of m_1")
