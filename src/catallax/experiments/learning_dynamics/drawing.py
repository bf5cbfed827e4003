"""What the figures of this family share: sheets over a plane of temperatures, simplices, lines coloured by time."""

from typing import Any

import numpy as np

from catallax.lab.figure import COLOURS

SHEET = "#9ecae1"
"""Light blue, as in the source."""
EXPLORERS = (COLOURS[2], COLOURS[1], COLOURS[3])
"""Colours of players 1, 2, 3 where several share a panel."""
TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Corners of the simplex: first, second and third action."""


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
