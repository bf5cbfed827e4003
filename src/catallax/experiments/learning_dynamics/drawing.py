"""How the figures of this family are drawn: surfaces over two temperatures, simplices, a line of players, a split."""

from typing import Any, NamedTuple

import numpy as np
import pandas

from catallax.lab import Figure
from catallax.lab.charts import long_rows
from catallax.lab.figure import COLOURS
from catallax.solvers.matrix.flow_analysis.snapshot import Snapshot

from .surfaces import GRID

SHEET = "#9ecae1"
"""Light blue, as in the source."""
EXPLORERS = (COLOURS[2], COLOURS[1], COLOURS[3])
"""Colours of players 1, 2, 3 where several share a panel."""
TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Corners of the simplex: first, second and third action."""
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)))
_NAMES = ("p$_0$", "p$_1$", "p$_2$", "...", "p$_k$", "...", "p$_n$", "p$_{n+1}$")

# Surfaces.


def space(sheet: Any, rows: int, columns: int, number: int, labels: tuple[str, str, str], title: str) -> Any:
    """Three-dimensional axes in a grid of panels, with light panes and few small ticks."""
    from matplotlib.ticker import MaxNLocator

    axes = sheet.add_subplot(rows, columns, number, projection="3d")
    axes.set_xlabel(labels[0], labelpad=-7, fontsize=7)
    axes.set_ylabel(labels[1], labelpad=-7, fontsize=7)
    axes.set_zlabel(labels[2], labelpad=-7, fontsize=7)
    axes.set_box_aspect(None, zoom=0.92)
    axes.tick_params(labelsize=6, pad=-3)
    axes.set_title(title, fontsize=8, y=0.98)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor("#cccccc")
        axis._axinfo["grid"].update(color="#e4e4e4", linewidth=0.4)
    return axes


def spread(axes: Any, x: np.ndarray, y: np.ndarray, z: np.ndarray, *, opaque: float = 0.6, stride: int = 3) -> None:
    """A light-blue sheet z [I, J] over x [I] and y [J]; where z is NaN there is a hole."""
    a, b = np.meshgrid(x, y, indexing="ij")
    look = {"color": SHEET, "alpha": opaque, "linewidth": 0.25, "edgecolor": "#5a9fcb", "shade": False}
    axes.plot_surface(a, b, z, rstride=stride, cstride=stride, **look)


class PathOnSurface(NamedTuple):
    """What one panel shows."""

    title: str
    surface: np.ndarray
    """P(H) at the equilibria, [T of player 1, T of player 2]."""
    rates: np.ndarray
    """Temperatures of both players along the path, [2, t]."""
    path: np.ndarray
    """P(H) along the path, [t]."""
    azimuth: float


def draw_paths(sheet: Any, panels: list[PathOnSurface], nash: float) -> None:
    """Two rows of two panels: a surface, a path with a ring at its start and a square at its end, and Nash play."""
    for number, panel in enumerate(panels, 1):
        axes = space(sheet, 2, 2, number, ("T$_1$", "T$_2$", "P(H)"), panel.title)
        spread(axes, GRID, GRID, panel.surface, opaque=0.45)
        x, y = panel.rates
        axes.plot(x, y, panel.path, color=COLOURS[2], linewidth=0.9, linestyle="-", zorder=5)
        for at, marker, face in ((slice(1), "o", "white"), (slice(-1, None), "s", COLOURS[2])):
            style = {"marker": marker, "markersize": 4, "mfc": face, "mec": COLOURS[2], "linestyle": "none"}
            axes.plot(x[at], y[at], panel.path[at], zorder=6, **style)
        axes.plot([0], [0], [nash], marker="*", markersize=7, color=COLOURS[0], linestyle="none", zorder=7)
        axes.set(zlim=(0, 1))
        axes.view_init(elev=22, azim=panel.azimuth)


def points(panel: str, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> pandas.DataFrame:
    """A surface z [I, J] over x [I] and y [J], one row a point."""
    return long_rows({"panel": [panel], "x": x, "y": y}, {"z": z})


def least_point(picture: Snapshot) -> tuple[float, float, float]:
    """a, b and the divergence at the least point of a snapshot."""
    i, j = np.unravel_index(picture.divergence.argmin(), picture.divergence.shape)
    return picture.a[i], picture.b[j], picture.divergence[i, j]


def draw_snapshot(axes: Any, picture: Snapshot) -> None:
    """A snapshot with its least point."""
    spread(axes, picture.a, picture.b, picture.divergence)
    at = np.asarray(least_point(picture))[:, None]
    axes.plot(*at, marker="o", color=COLOURS[2], markersize=3.5, linestyle="none", zorder=10)
    axes.view_init(elev=28, azim=-60)


# Simplices.


def ternary(policy: np.ndarray) -> np.ndarray:
    """Points of the plane [..., 2] of mixed strategies over three actions [..., 3]."""
    return policy @ TRIANGLE


def simplex(axes: Any, names: tuple[str, str, str]) -> None:
    """An empty equilateral triangle with named corners."""
    closed = np.vstack([TRIANGLE, TRIANGLE[:1]])
    axes.plot(closed[:, 0], closed[:, 1], color="#555555", linewidth=0.7, linestyle="-")
    for corner, name, (dx, dy) in zip(TRIANGLE, names, ((-0.05, -0.04), (0.05, -0.04), (0.0, 0.05)), strict=True):
        axes.text(corner[0] + dx, corner[1] + dy, name, ha="center", va="center", fontsize=7)
    axes.set(xlim=(-0.1, 1.1), ylim=(-0.09, 0.96), aspect="equal")
    axes.axis("off")


def timed(axes: Any, points: np.ndarray, time: np.ndarray, until: float, width: float = 0.8) -> Any:
    """A path [t, 2] coloured by time, from dark to light; returns what a colour bar needs."""
    from matplotlib.collections import LineCollection

    pieces = np.stack([points[:-1], points[1:]], axis=1)
    line = LineCollection(list(pieces), cmap="viridis", linewidths=width, capstyle="round")
    line.set_array(time[:-1])
    line.set_clim(0.0, until)
    axes.add_collection(line)
    return line


def simplices(
    sheet: Any, panels: list[tuple[str, np.ndarray, np.ndarray]], names: tuple[str, str, str], interval: float
) -> None:
    """Paths in two rows of three triangles, coloured by time, and one bar for time.

    Args:
        sheet: the empty figure.
        panels: title, policies [t, 3] at intervals, policy [3] at rest.
        names: of the three actions.
        interval: time between two points of a path.
    """
    line, every = None, sheet.subplots(2, 3)
    for axes, (title, path, rest) in zip(every.ravel(), panels, strict=True):
        simplex(axes, names)
        points = ternary(path)
        line = timed(axes, points, interval * np.arange(1, len(path) + 1), interval * len(path))
        axes.plot(*points[0][:, None], marker="o", markersize=4, mfc="white", mec=COLOURS[0], linestyle="none")
        axes.plot(*ternary(rest)[:, None], marker="o", markersize=4, color=COLOURS[1], linestyle="none", zorder=5)
        axes.set_title(title, fontsize=8, y=1.0)
    bar = sheet.colorbar(line, ax=every, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("time", fontsize=7)
    bar.outline.set_linewidth(0.4)


# A line of players, and how exploration splits a stake.


def diagram(name: str) -> Figure:
    """The line and what its players earn."""
    data = pandas.DataFrame(
        {
            "position": range(8),
            "player": ["0", "1", "2", "", "k", "", "n", "n+1"],
            "actions": ["H", *["H or T"] * 2, "", "H or T", "", "H or T", "T"],
        }
    )
    caption = (
        "The line network (n odd). Every agent earns 1 if it matches the next and -1 if not, and 1 if it "
        "mismatches the one before and -1 if not: each edge is zero-sum. Squares: dummy agents with one action, "
        "H at the left and T at the right."
    )
    return Figure(name=name, draw=_draw_diagram, data=data, caption=caption, size=(7.2, 1.7))


def _draw_diagram(canvas: Any) -> None:
    axes = canvas.subplots()
    axes.set(xlim=(-0.6, 7.6), ylim=(-0.95, 0.95), aspect="equal")
    axes.axis("off")
    for i, name in enumerate(_NAMES):
        if name == "...":
            axes.text(i, 0, "$\\cdots$", ha="center", va="center", fontsize=12)
            continue
        dummy = i in (0, 7)
        marker, face = ("s", "#dddddd") if dummy else ("o", "#deebf7")
        axes.plot([i], [0], marker=marker, markersize=24, mfc=face, mec=COLOURS[0], mew=0.7, linestyle="none")
        axes.text(i, 0, name, ha="center", va="center", fontsize=7 if i == 7 else 9)
        choice = ("H only" if i == 0 else "T only") if dummy else "H or T"
        axes.text(i, -0.42, choice, ha="center", va="top", fontsize=7)
    for i in range(7):
        arrow = {"arrowstyle": "-|>", "lw": 0.7, "mutation_scale": 7, "shrinkA": 0, "shrinkB": 0}
        arrow["connectionstyle"] = "arc3,rad=-0.35"
        right, left = arrow | {"color": COLOURS[1]}, arrow | {"color": COLOURS[2], "linestyle": (0, (3, 1.5))}
        axes.annotate("", (i + 0.74, 0.13), (i + 0.26, 0.13), arrowprops=right)
        axes.annotate("", (i + 0.26, -0.13), (i + 0.74, -0.13), arrowprops=left)
    axes.text(3.5, 0.75, "matches the next: +1, else -1", ha="center", color=COLOURS[1], fontsize=8)
    axes.text(3.5, -0.85, "mismatches the one before: +1, else -1", ha="center", color=COLOURS[2], fontsize=8)


def draw_boxes(canvas: Any, heads: np.ndarray, payoff: np.ndarray) -> None:
    """Box plots over replications of P(H) and payoffs [replicate, agent, who explores], one column for each of who."""
    panels = canvas.subplots(2, 3, sharex=True, sharey="row")
    for row, values in zip(panels, (heads, payoff), strict=True):
        for b, axes in enumerate(row):
            drawn = axes.boxplot(
                values[:, :, b], patch_artist=True, widths=0.6, medianprops={"color": COLOURS[2]}, manage_ticks=False
            )
            for box in drawn["boxes"]:
                box.set(facecolor="#deebf7", linewidth=0.6)
            for part in (*drawn["whiskers"], *drawn["caps"]):
                part.set(linewidth=0.6)
            for part in drawn["fliers"]:
                part.set(markersize=2, markeredgewidth=0.4)
            axes.grid(visible=False, axis="x")
    for axes, title in zip(panels[0], ("nobody explores", "agents 1 to 3 explore", "all explore"), strict=True):
        axes.set_title(title, fontsize=8)
        axes.set_ylim(-0.04, 1.04)
    for axes in panels[1]:
        axes.set_xlabel("agent")
        axes.set_xticks(range(1, 8))
    panels[0, 0].set_ylabel("P(H)")
    panels[1, 0].set_ylabel("payoff")


class SplitOverTime(NamedTuple):
    """What one row of panels shows, for three agents."""

    name: str
    rates: np.ndarray
    """[time, agent]."""
    heads: np.ndarray
    """P(H), [time, agent, run]."""
    payoff: np.ndarray
    """[time, agent, run]."""

    @property
    def ratio(self) -> np.ndarray:
        """u_1 / u_3, of means over runs, [time]."""
        return self.payoff[:, 0].mean(axis=-1) / self.payoff[:, 2].mean(axis=-1)


def draw_split(sheet: Any, rows: list[SplitOverTime], labels: tuple[str, str], time: np.ndarray) -> None:
    """Rates, P(H), utilities and their ratio; bands from the tenth to the ninetieth percentile of runs."""
    panels = sheet.subplots(2, 4, sharex=True)
    for line, label, row in zip(panels, labels, rows, strict=True):
        for k in range(3):
            style = {"color": EXPLORERS[k], "linestyle": _DASHES[k], "linewidth": 1.0}
            line[0].plot(time, row.rates[:, k], label=f"agent {k + 1}", **style)
            for axes, values in ((line[1], row.heads[:, k]), (line[2], row.payoff[:, k])):
                axes.plot(time, values.mean(axis=-1), **style)
                if values.shape[-1] > 1:
                    low, high = np.percentile(values, (10, 90), axis=-1)
                    axes.fill_between(time, low, high, color=EXPLORERS[k], alpha=0.15, linewidth=0)
        line[3].plot(time, row.ratio, color=COLOURS[0], linewidth=1.0, linestyle="-")
        line[3].axhline(1.0, color="#888888", linewidth=0.6, linestyle=(0, (4, 2)))
        line[0].set_ylim(bottom=0)
        line[1].set_ylim(-0.04, 1.04)
        line[0].set_ylabel(label)
    for axes, title in zip(panels[0], ("exploration rates", "P(H)", "utilities", "u$_1$ / u$_3$"), strict=True):
        axes.set_title(title, fontsize=8)
    for axes in panels[1]:
        axes.set_xlabel("time")
    panels[0, 0].legend(loc="upper right")
