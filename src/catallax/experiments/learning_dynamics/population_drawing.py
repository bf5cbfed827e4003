"""Figures of a population of Q-learners: densities beside histograms, mean policies, errors on log-log axes."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure

from .population_claims import (
    GAINS,
    NODES,
    POPULATIONS,
    STEPS_A_UNIT,
    biases,
    grid_errors,
    grids,
    node_errors,
    squared_errors,
    step_errors,
)

_TIMES = (0, 1, 2, 5)
_RANGE = 5.0  # values of the dilemma lie in [0, 5]
_MARKS = {"grid": ("s", 4.0), "agents_all": ("o", 2.5), "agents_pairs": ("x", 3.5)}
_SHOWN = 40  # cells an axis of a drawn density


def _coarser(cells: np.ndarray, size: int) -> np.ndarray:
    """Means of square blocks, down to size x size."""
    block = cells.shape[0] // size
    return cells if block < 2 else cells.reshape(size, block, size, block).mean(axis=(1, 3))


def densities(results: Any) -> Figure:
    """The dilemma's density on the grid, above histograms of the learners who meet all others."""
    grid = results.dataset("dilemma_grid")["density"].values[0]
    agents = results.dataset("dilemma_agents_all")["histogram"].values.mean(axis=0)
    area = (_RANGE / agents.shape[-1]) ** 2
    panels = {("grid", t): _coarser(grid[t], _SHOWN) for t in _TIMES}
    panels |= {("learners", t): agents[t] / area for t in _TIMES}
    data = pandas.concat([_long(cells, method, t) for (method, t), cells in panels.items()], ignore_index=True)
    return Figure(
        name="densities",
        draw=lambda sheet: _draw_densities(sheet, panels),
        data=data,
        caption=(
            "Prisoners' dilemma: density of learners over their values Q_1 (cooperate) and Q_2, at t = 0, 1, 2 and 5. "
            f"Above: the grid; below: histograms of learners who meet all others, {results.scale.replications} "
            "populations together. Darker is denser; each panel has its own scale, the same in a column."
        ),
        size=(TWO_COLUMNS[0], 3.9),
    )


def _long(cells: np.ndarray, method: str, time: int) -> pandas.DataFrame:
    """A panel as rows, empty cells left out."""
    centres = (np.arange(len(cells)) + 0.5) * _RANGE / len(cells)
    first, second = (x.ravel() for x in np.meshgrid(centres, centres, indexing="ij"))
    kept = cells.ravel() > 1e-6
    columns = {"q_1": first[kept], "q_2": second[kept], "density": cells.ravel()[kept]}
    return pandas.DataFrame({"method": method, "t": time, **columns})


def _draw_densities(sheet: Any, panels: dict[tuple[str, int], np.ndarray]) -> None:
    """Rows are methods, columns times."""
    axes = sheet.subplots(2, len(_TIMES), sharex=True, sharey=True)
    for row, method in enumerate(("grid", "learners")):
        for column, t in enumerate(_TIMES):
            top = panels["grid", t].max()
            image = axes[row][column].imshow(
                panels[method, t].T, origin="lower", extent=(0, _RANGE, 0, _RANGE), cmap="Greys", vmin=0, vmax=top
            )
            image.set_interpolation("nearest")
            axes[row][column].set(xlim=(0, 3), ylim=(0, 3))
            axes[row][column].grid(visible=False)
            if row == 0:
                axes[row][column].set_title(f"t = {t}", fontsize=8)
            else:
                axes[row][column].set_xlabel("Q_1")
        axes[row][0].set_ylabel(f"{method}: Q_2")


def paths(results: Any, games: dict[str, str]) -> Figure:
    """Mean policies over time: lines along characteristics, squares the grid, discs and crosses the learners."""
    frames = []
    for game in games:
        for method in ("nodes", *_MARKS):
            if f"{game}_{method}" not in results.cells:
                continue
            values = results.dataset(f"{game}_{method}")["mean_policy"].values.mean(axis=(0, -1))
            for a in range(values.shape[1]):
                at = np.arange(len(values))
                frames.append(
                    pandas.DataFrame({"game": game, "method": method, "action": a + 1, "t": at, "m": values[:, a]})
                )
    data = pandas.concat(frames, ignore_index=True)
    return Figure(
        name="paths",
        draw=lambda sheet: _draw_paths(sheet, data, games),
        data=data,
        caption=(
            "Mean policy over time, one colour an action (black, blue, vermilion: actions 1, 2, 3). Lines: "
            "characteristics; squares: grid; discs: learners who meet all others; crosses: learners who meet one other "
            f"in a play, in the dilemma only (means over {results.scale.replications} populations)."
        ),
        size=(TWO_COLUMNS[0], 2.5),
    )


def _draw_paths(sheet: Any, data: pandas.DataFrame, games: dict[str, str]) -> None:
    """One panel a game."""
    for axes, (game, title) in zip(sheet.subplots(1, len(games), sharey=True), games.items(), strict=True):
        for key, part in data[data["game"] == game].groupby(["method", "action"]):
            method, action = np.asarray(key, object)
            colour = COLOURS[int(action) - 1]
            t, m = np.asarray(part["t"], float), np.asarray(part["m"], float)
            if method == "nodes":
                axes.plot(t, m, color=colour, linewidth=0.9, linestyle="-")
            else:
                marker, size = _MARKS[method]
                kept = slice(None, None, 2)
                axes.plot(
                    t[kept], m[kept], color=colour, marker=marker, markersize=size, fillstyle="none", linestyle="none"
                )
        axes.set_title(title, fontsize=8)
        axes.set_xlabel("t")
        axes.set_ylim(0, 1)
    sheet.axes[0].set_ylabel("mean policy")


def rates(results: Any) -> Figure:
    """Errors of the mean policy on log-log axes, with the slopes of theory."""
    squared, bias = squared_errors(results), np.abs(biases(results).mean(axis=0))
    panels: dict[str, list[tuple[str, Any, np.ndarray, float | None]]] = {
        "nodes an axis": [("t = 2", NODES, node_errors(results), None)],
        "time steps a unit": [("t = 1", STEPS_A_UNIT, step_errors(results), -4.0)],
        "cells an axis": [
            ("smooth law, t = 1", grids(results), grid_errors(results, 1, 1), -2.0),
            ("uniform law, t = 1", grids(results), grid_errors(results, 0, 1), None),
            ("uniform law, t = 2", grids(results), grid_errors(results, 0, 2), -1.0),
        ],
        "learners N": [("all others met", POPULATIONS, np.sqrt(squared.mean(axis=0)), -0.5)],
        "step size": [("one other met", GAINS, bias, 1.0)],
    }
    data = pandas.DataFrame(
        [
            {"panel": panel, "series": series, "size": size, "error": error, "slope_of_theory": slope}
            for panel, curves in panels.items()
            for series, sizes, errors, slope in curves
            for size, error in zip(sizes, errors, strict=True)
        ]
    )
    return Figure(
        name="rates",
        draw=lambda sheet: _draw_rates(sheet, panels),
        data=data,
        caption=(
            "Error of the mean policy in the prisoners' dilemma against the finest characteristics: nodes of the "
            "quadrature (no power of their number), Runge-Kutta steps, cells of the grid, learners (root mean square) "
            "and their step size with one opponent a play (bias). Dashed: slopes of theory, -4; -2 and -1; -1/2; 1."
        ),
        size=(TWO_COLUMNS[0], 2.4),
    )


def _size(x: float) -> str:
    """A size as a tick: 80, or 1/8."""
    return f"{x:g}" if x >= 1 else f"1/{round(1 / x)}"


def _draw_rates(sheet: Any, panels: dict[str, Any]) -> None:
    """One panel a study."""
    for axes, (panel, curves) in zip(sheet.subplots(1, len(panels)), panels.items(), strict=True):
        for i, (series, sizes, errors, slope) in enumerate(curves):
            x = np.asarray(sizes, float)
            axes.loglog(x, errors, color=COLOURS[i], marker="os^"[i], linestyle="-", linewidth=0.9, label=series)
            if slope is not None:
                line = errors[-1] * (x / x[-1]) ** slope
                axes.loglog(x, line, color=COLOURS[i], linestyle=(0, (4, 3)), linewidth=0.7)
        sizes = np.asarray(curves[0][1], float)
        axes.set_xticks(sizes[:: 1 if len(sizes) < 6 else 2], [_size(x) for x in sizes[:: 1 if len(sizes) < 6 else 2]])
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
