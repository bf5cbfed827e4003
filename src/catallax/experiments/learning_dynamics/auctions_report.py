"""Tables and figures of auctions with Q-learners, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.games.sealed_bid import affiliated_revenue, lowest_symmetric_bid
from catallax.lab import statistics
from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure, plot_with_interval, state_sample
from catallax.lab.report import Report
from catallax.lab.table import Table

from .auction_reading import WINDOW, last_price, prices
from .auction_settings import AFFILIATED, FAMILY, GROUPS, SIGNALS
from .auctions_claims import alike, step_of

_PATHS = (
    ("first", "first price"),
    ("between_50", "a = 1.5"),
    ("second", "second price"),
    ("first_revealed", "first price, revealed"),
)
_POINTS = 100


def report(results: Any) -> Report:
    """All settings beside the independent program, the family of price rules; prices over time, and where runs end."""
    tables = (_settings(results), _family(results))
    if "affiliated" in results.cells:
        tables = (*tables, _affiliated(results))
    return Report(tables=tables, figures=(_paths(results), _ends(results)))


def _settings(results: Any) -> Table:
    rows = []
    for cell, settings in GROUPS.items():
        for setting in settings if cell != "affiliated" else ():
            price = last_price(results, setting.name)
            error = price.std(ddof=1) / np.sqrt(price.size)
            line: dict[str, Any] = {
                "setting": setting.label,
                "price": price.mean(),
                "s.e.": error,
                "median": np.median(price),
                "10%": np.quantile(price, 0.1),
                "90%": np.quantile(price, 0.9),
                "same bid": alike(results, setting.name).mean(),
                "reference": setting.found.mean if setting.found else None,
                "reference s.e.": setting.found.error if setting.found else None,
            }
            line["z"] = _gap(price.mean(), error, setting)
            rows.append(line)
    caption = (
        f"Price averaged over the last {WINDOW} auctions, {price.size} runs of a million auctions (a third of that, or "
        "less, where bidders settle sooner): ours, and the mean that a scalar loop in C found with other random "
        "numbers; z is the difference in standard errors of both. `same bid`: share of runs whose last bids are equal."
    )
    return Table(name="settings", frame=pandas.DataFrame(rows), caption=caption)


def _affiliated(results: Any) -> Table:
    rows = []
    for setting in AFFILIATED:
        price, eta = last_price(results, setting.name), float(setting.affiliation or 0.0)
        estimate = statistics.mean_interval(price)
        rows.append(
            {
                "format": "first price" if setting.rule == 1 else "second price",
                "eta": eta,
                "price": estimate.text(3),
                "equilibrium": affiliated_revenue(2, eta),
                "relative": price.mean() / affiliated_revenue(2, eta),
            }
        )
    caption = (
        f"Affiliated values, {SIGNALS} signals: price averaged over the last {WINDOW} auctions, mean over "
        f"{price.size} runs with 95% interval, beside (n - 1) / (n + 1) phi, the revenue in the symmetric equilibrium "
        "with signals and bids from the whole of [0, 1]. A bidder keeps values for each signal, so learning is slow."
    )
    return Table(name="affiliated", frame=pandas.DataFrame(rows), caption=caption)


def _gap(mean: float, error: float, setting: Any) -> float | None:
    """Difference from the reference in standard errors; None where one is not known or both are 0."""
    if setting.found is None or setting.found.error is None:
        return None
    joint = float(np.hypot(error, setting.found.error))
    return (mean - setting.found.mean) / joint if joint else None


def _family(results: Any) -> Table:
    rows = []
    for a, name in zip(np.linspace(1, 2, len(FAMILY)), FAMILY, strict=True):
        price = last_price(results, name)
        estimate = statistics.mean_interval(price)
        rows.append(
            {"a": a, "price": estimate.text(3), "median": np.median(price), "same bid": alike(results, name).mean()}
        )
    caption = (
        "Price by the rule: the winner pays (2 - a) own bid + (a - 1) highest losing bid; mean over "
        f"{price.size} runs with 95% interval. Lowest symmetric static equilibrium at a = 1: "
        f"{lowest_symmetric_bid(2, step_of(results)):.2f}."
    )
    return Table(name="price_rules", frame=pandas.DataFrame(rows), caption=caption)


def _paths(results: Any) -> Figure:
    frames = []
    for name, label in _PATHS:
        path = prices(results, name)
        size = max(1, path.shape[1] // _POINTS)
        pooled = path[:, : path.shape[1] // size * size].reshape(path.shape[0], -1, size).mean(axis=2)
        for k, values in enumerate(pooled.T):
            e = statistics.mean_interval(values)
            end = (k + 1) * size * WINDOW
            frames.append({"setting": label, "auctions": end, "price": e.mean, "low": e.low, "high": e.high})
    data, runs = pandas.DataFrame(frames), path.shape[0]
    nash = lowest_symmetric_bid(2, step_of(results))
    return Figure(
        name="prices",
        draw=lambda sheet: _draw_paths(sheet, data, nash, runs),
        data=data,
        caption=(
            f"Price over time, mean of {runs} runs, first values uniform in [0, 100]; dotted: the lowest symmetric "
            "static equilibrium of the first-price auction. Revealed: all bids are updated."
        ),
        size=TWO_COLUMNS,
    )


def _draw_paths(sheet: Any, data: pandas.DataFrame, nash: float, runs: int) -> None:
    axes, bounded = sheet.subplots(), bool(np.isfinite(np.asarray(data["low"], float)).all())
    for index, (label, part) in enumerate(data.groupby("setting", sort=False)):
        low, high = (np.asarray(part[c], float) if bounded else None for c in ("low", "high"))
        x, y = np.asarray(part["auctions"], float) / 1000, np.asarray(part["price"], float)
        plot_with_interval(axes, x, y, low, high, index=index, label=str(label))
    axes.axhline(nash, color="#555555", linestyle=":", linewidth=0.8)
    axes.set(xlabel="thousand auctions", ylabel="price", ylim=(0, 1.02))
    axes.legend(loc="center right")
    state_sample(sheet, runs, "95% t interval" if bounded else None)


def _ends(results: Any) -> Figure:
    rows = []
    for name, label in _PATHS:
        price = np.sort(last_price(results, name))
        share = np.arange(1, price.size + 1) / price.size
        rows += [{"setting": label, "price": p, "share": s} for p, s in zip(price, share, strict=True)]
    data = pandas.DataFrame(rows)
    return Figure(
        name="where_runs_end",
        draw=lambda sheet: _draw_ends(sheet, data),
        data=data,
        caption=f"Share of {price.size} runs whose price over the last {WINDOW} auctions is at most the abscissa.",
    )


def _draw_ends(sheet: Any, data: pandas.DataFrame) -> None:
    axes = sheet.subplots()
    for index, (label, part) in enumerate(data.groupby("setting", sort=False)):
        x = np.concatenate([[0.0], np.asarray(part["price"], float), [1.0]])
        y = np.concatenate([[0.0], np.asarray(part["share"], float), [1.0]])
        axes.step(x, y, where="post", color=COLOURS[index], label=str(label))
    axes.set(xlabel="price", ylabel="share of runs", xlim=(0, 1))
    axes.legend(loc="center right")
