"""The figures that most experiments draw, made from samples: curves with bands, and distributions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, ONE_COLUMN, TWO_COLUMNS, Figure, plot_with_interval, state_sample
from catallax.lab.statistics import mean_interval


def curves(
    name: str,
    caption: str,
    series: Mapping[str, tuple[Any, np.ndarray]],
    labels: tuple[str, str],
    *,
    level: float | None = None,
    size: tuple[float, float] = TWO_COLUMNS,
    legend: Mapping[str, Any] | None = None,
    **axes_options: Any,
) -> Figure:
    """Means over replications as curves, with 95% t intervals as bands where there are ten replications.

    Args:
        name: file name of the figure.
        caption: what is shown.
        series: legend -> (abscissa [n], values [replicate, n]).
        labels: the labels of the abscissa and of the ordinate; they also name the columns of the CSV.
        level: the height of a dotted line across the figure.
        size: width and height in inches.
        legend: arguments of `axes.legend`.
        axes_options: arguments of `axes.set`, such as `ylim=(0, 1)`.
    """
    data = curve_rows(series, labels)
    replications = len(next(iter(series.values()))[1])

    def draw(sheet: Any) -> None:
        axes, banded = sheet.subplots(), bool(np.isfinite(np.asarray(data["low"], float)).all())
        for index, (label, part) in enumerate(data.groupby("series", sort=False)):
            x, y, low, high = (np.asarray(part[c], float) for c in (*labels, "low", "high"))
            plot_with_interval(axes, x, y, *((low, high) if banded else (None, None)), index=index, label=str(label))
        if level is not None:
            axes.axhline(level, color="#555555", linestyle=":", linewidth=0.8)
        axes.set(xlabel=labels[0], ylabel=labels[1], **axes_options)
        axes.legend(**({"loc": "best"} | dict(legend or {})))
        state_sample(sheet, replications, "95% t interval" if banded else None)

    return Figure(name=name, draw=draw, data=data, caption=caption, size=size)


def curve_rows(series: Mapping[str, tuple[Any, np.ndarray]], labels: tuple[str, str]) -> pandas.DataFrame:
    """The numbers of `curves`: one row a point, with the columns series, labels[0], labels[1], low, high."""
    rows = []
    for label, (abscissa, values) in series.items():
        for x, sample in zip(abscissa, values.T, strict=True):
            e = mean_interval(sample, allow_undefined=True)
            rows.append({"series": label, labels[0]: x, labels[1]: e.mean, "low": e.low, "high": e.high})
    return pandas.DataFrame(rows)


def distributions(
    name: str, caption: str, series: Mapping[str, np.ndarray], across: str, limits: tuple[float, float]
) -> Figure:
    """The empirical distribution of each sample: the share of replications with at most the abscissa.

    Args:
        name: file name of the figure.
        caption: what is shown.
        series: legend -> values [replicate].
        across: the label of the abscissa; it also names the column of the CSV.
        limits: ends of the abscissa.
    """
    rows = [
        {"series": label, across: x, "share": (i + 1) / len(values)}
        for label, values in series.items()
        for i, x in enumerate(np.sort(values))
    ]
    data = pandas.DataFrame(rows)

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, (label, part) in enumerate(data.groupby("series", sort=False)):
            x = np.concatenate([limits[:1], np.asarray(part[across], float), limits[1:]])
            y = np.concatenate([[0.0], np.asarray(part["share"], float), [1.0]])
            axes.step(x, y, where="post", color=COLOURS[index], label=str(label))
        axes.set(xlabel=across, ylabel="share of runs", xlim=limits)
        axes.legend(loc="center right")

    return Figure(name=name, draw=draw, data=data, caption=caption, size=ONE_COLUMN)


def standard_error(sample: np.ndarray) -> float:
    """The standard error of the mean of independent values, sd / sqrt(n) with ddof 1; `sample` is [n]."""
    return float(sample.std(ddof=1) / np.sqrt(sample.size))


SPREAD = {
    "s.e.": standard_error,
    "median": lambda sample: float(np.median(sample)),
    "10%": lambda sample: float(np.quantile(sample, 0.1)),
    "90%": lambda sample: float(np.quantile(sample, 0.9)),
}
"""Columns that describe a sample [replicate]: name -> function of the sample."""


def interval_columns(
    sample: Any, mean: str = "mean", prefix: str = "", *, allow_undefined: bool = False
) -> dict[str, float | None]:
    """The mean over replications and the ends of its 95% interval as columns of a row: `mean`, "low" and "high".

    Args:
        sample: one value a replication.
        mean: name of the mean's column.
        prefix: what stands before "low" and "high", where a row has several intervals.
        allow_undefined: whether NaN means "undefined in this replication".
    """
    estimate = mean_interval(sample, allow_undefined=allow_undefined)
    return {mean: estimate.mean, f"{prefix}low": estimate.low, f"{prefix}high": estimate.high}


def interval_text(sample: Any, decimals: int) -> str:
    """The mean over replications with its 95% interval, for a cell of a table; NaN means "undefined"."""
    return mean_interval(sample, allow_undefined=True).text(decimals)


def curve_points(
    values: np.ndarray, across: str, at: Any, *, allow_undefined: bool = False, **labels: str
) -> pandas.DataFrame:
    """The numbers of one curve, one row a point: the labels, the abscissa, and mean, low and high over replications.

    Args:
        values: [replicate, n].
        across: name of the abscissa's column.
        at: the abscissa, [n].
        allow_undefined: whether NaN means "undefined"; a point that no replication defines is left out.
        labels: columns that say which curve it is, such as panel and series.
    """
    rows = [
        labels | {across: x} | interval_columns(sample, allow_undefined=allow_undefined)
        for x, sample in zip(np.asarray(at), values.T, strict=True)
        if not (allow_undefined and np.isnan(sample).all())
    ]
    return pandas.DataFrame(rows)


def long_rows(axes: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> pandas.DataFrame:
    """Arrays over the same axes, one row an element: a column for each axis and one for each array.

    Args:
        axes: column -> labels along the axis, in the order of the axes; the last changes fastest.
        values: column -> an array that can be broadcast to the shape of the axes.
    """
    every = np.meshgrid(*axes.values(), indexing="ij")
    arrays = {name: np.broadcast_to(array, every[0].shape) for name, array in values.items()}
    return pandas.DataFrame({name: x.ravel() for name, x in (dict(zip(axes, every, strict=True)) | arrays).items()})


def draw_series(axes: Any, data: pandas.DataFrame, by: str, across: str, order: Sequence[str] = ()) -> bool:
    """Draw a curve for each value of a column, with a band where every point of the curve has an interval.

    Args:
        axes: where to draw.
        data: rows of `curve_points`.
        by: the column that tells curves apart; its values stand in the legend.
        across: the column of the abscissa.
        order: values that take the first styles, so that they look alike in several panels or figures.

    Returns:
        Whether any curve has a band.
    """
    names, banded = list(dict.fromkeys([*order, *data[by]])), False
    for label, part in data.groupby(by, sort=False):
        x, mean, low, high = (np.asarray(part[name], float) for name in (across, "mean", "low", "high"))
        known = bool(np.isfinite(low).all())
        banded |= known
        band = (low, high) if known else (None, None)
        plot_with_interval(axes, x, mean, *band, index=names.index(label), label=str(label))
    return banded
