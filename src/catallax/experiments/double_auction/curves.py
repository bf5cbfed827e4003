"""Curves of market statistics in panels: the numbers behind them, and how they are drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas
from numpy.typing import ArrayLike

from catallax.lab import Figure, Results
from catallax.lab.charts import curve_points, draw_series
from catallax.lab.figure import TWO_COLUMNS, state_sample
from catallax.measures.double_auction.series import moving_mean


def curve(values: np.ndarray, at: ArrayLike, panel: str, series: str) -> pandas.DataFrame:
    """Mean and interval at each point where any replication has a value; columns panel, series, at, mean, low, high.

    Args:
        values: [replicate, n]; NaN where undefined.
        at: abscissa, [n].
        panel, series: where the curve is drawn, and its name there.
    """
    return curve_points(values, "at", at, allow_undefined=True, panel=panel, series=series)


def smooth_curve(
    rounds: np.ndarray, panel: str, series: str, *, window: int = 100, points: int = 60
) -> pandas.DataFrame:
    """The curve of a moving mean over rounds, thinned to so many points: enough for a column's width.

    Args:
        rounds: [replicate, round].
        window: rounds in a mean; all of them if there are fewer.
    """
    means = np.stack([moving_mean(x, min(window, rounds.shape[1])) for x in rounds])
    kept = np.unique(np.linspace(0, means.shape[1] - 1, points).astype(int))
    return curve(means[:, kept], kept + rounds.shape[1] - means.shape[1] + 1, panel, series)


def curves_figure(
    name: str,
    caption: str,
    parts: Sequence[pandas.DataFrame],
    across: str,
    up: str,
    results: Results[Any],
    *,
    line: float | None = None,
    shared: bool = False,
    order: Sequence[str] = (),
) -> Figure:
    """A figure across two columns: a panel for each "panel", in it a curve for each "series", with bands if known.

    Args:
        name: file name of the figure.
        caption: what is shown.
        parts: what `curve` or `smooth_curve` gave.
        across, up: what the axes show.
        results: whose replications stand under the figure.
        line: a level drawn across all panels.
        shared: one ordinate for all panels.
        order: series that take the first styles, so that they look alike in several figures.
    """
    data = pandas.concat(parts, ignore_index=True)

    def draw(sheet: Any) -> None:
        panels = data.groupby("panel", sort=False)
        names = list(dict.fromkeys([*order, *data["series"]]))
        grid, banded = np.atleast_1d(sheet.subplots(1, len(panels), sharey=shared)), False
        for axes, (panel, part) in zip(grid, panels, strict=True):
            banded |= draw_series(axes, part, "series", "at", names)
            if line is not None:
                axes.axhline(line, color="#888888", linewidth=0.6)
            axes.set_title(panel, fontsize=8)
            axes.set_xlabel(across)
        for axes in grid[:1] if shared else grid:
            axes.legend(loc="best")
        grid[0].set_ylabel(up)
        state_sample(sheet, results.scale.replications, "95% t interval" if banded else None)

    return Figure(name=name, draw=draw, data=data, caption=caption, size=TWO_COLUMNS)
