"""Tables and figures of the laboratory markets, from stored results only: each published row beside ours."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .classics_claims import ALPHAS, DEVIATIONS, DISPERSIONS, EFFICIENCIES, ORDERS, ZIC_MEANS
from .classics_markets import LANED, MARKETS, SESSIONS
from .classics_reading import TARGET, dollars, level, profit_dispersion, series
from .curves import curve, draw_curves

_NAMES = {"zip": "ZIP", "gd": "GD", "zic": "ZI-C", "ziu": "ZI-U"}
_BOOKS = {"aurora": "synchronized", "symmetric": "continuous"}


def report(results: Any) -> Report:
    """A table for each paper, and three figures."""
    tables = (_cliff(results), _deviations(results), _smith(results), _gode_sunder(results))
    return Report(tables=tables, figures=(_prices(results), _spread(results), _within_period(results)))


def _cell(values: np.ndarray, decimals: int) -> str:
    e = mean_interval(values, allow_undefined=True)
    return e.text(decimals)


def _laned(results: Any) -> list[tuple[str, str]]:
    """Cells with Cliff's markets, and the traders in them."""
    return [(cell, trader) for cell in LANED if cell in results.cells for trader in SESSIONS[cell].traders]


def _sample(results: Any) -> str:
    return f"Means with 95% intervals over {results.scale.replications} replications."


def _cliff(results: Any) -> Table:
    """Mean price of the first, fourth, tenth and last day, and efficiency."""
    rows = []
    for market in MARKETS:
        for cell, trader in _laned(results):
            prices = series(results, cell, "mean_price", trader, market)
            days = prices.shape[1]
            line: dict[str, Any] = {"market": market, "trader": _NAMES[trader], "published": _published(trader, market)}
            for day in (1, 4, 10, 30):
                line[f"day {day}"] = _cell(prices[:, day - 1], 1) if day <= days else "-"
            line["all days"] = _cell(level(results, cell, "mean_price", trader, market), 1)
            line["efficiency, %"] = _cell(100 * level(results, cell, "efficiency", trader, market), 2)
            rows.append(line)
    caption = (
        "Cliff's markets: mean price in cents by day; the competitive price is 200. Published for ZI-C are "
        f"predictions, for ZIP what is said of plots. {_sample(results)}"
    )
    return Table(name="cliff", frame=pandas.DataFrame(rows), caption=caption)


def _published(trader: str, market: str) -> str:
    if trader == "zic":
        return f"mean {ZIC_MEANS[market]:g}"
    if trader == "zip":
        return "200 by day 4" if market in "AB" else "200 by day 10 to 30"
    return "-"


def _deviations(results: Any) -> Table:
    """Gjerstad and Dickhaut's table, ours below each row."""
    heads = {"first": "first two periods", "all": "all periods", "last": "last two periods"}
    rows: list[dict[str, Any]] = []
    for trader, printed in DEVIATIONS.items():
        name = _NAMES.get(trader, trader)
        rows.append({"trader": name, "where": "published", **{heads[k]: f"{x:.3f}" for k, x in printed.items()}})
        rows += [_ours(results, cell, trader, heads) for cell in _cells_of(results, trader)]
    rows += [_ours(results, cell, t, heads) for t in ("zip", "ziu") for cell in _cells_of(results, t)]
    caption = (
        "Gjerstad and Dickhaut's symmetric market: mean |p - p*| in dollars, and efficiency from period 5 on "
        f"(published for GD: above 99.9%). {_sample(results)}"
    )
    return Table(name="gjerstad_dickhaut", frame=pandas.DataFrame(rows).fillna("-"), caption=caption)


def _cells_of(results: Any, trader: str) -> list[str]:
    return [cell for cell in _BOOKS if cell in results.cells and trader in SESSIONS[cell].traders]


def _ours(results: Any, cell: str, trader: str, heads: dict[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {"trader": _NAMES[trader], "where": f"ours, {_BOOKS[cell]}"}
    line |= {heads[k]: _cell(x, 3) for k, x in dollars(results, cell, trader).items()}
    late = series(results, cell, "efficiency", trader)[:, 4:].mean(axis=1)
    return line | {"efficiency, %": _cell(100 * late, 2)}


def _smith(results: Any) -> Table:
    """Alpha of the first five periods."""
    heads = [f"period {i + 1}" for i in range(len(ALPHAS))]
    rows: list[dict[str, Any]] = [
        {"trader": "humans (published)", **{h: f"{a:.1f}" for h, a in zip(heads, ALPHAS, strict=True)}}
    ]
    for cell, trader in _laned(results):
        alpha = series(results, cell, "smith_alpha", trader, "A")
        line: dict[str, Any] = {"trader": _NAMES[trader]}
        line |= {h: _cell(alpha[:, i], 1) for i, h in enumerate(heads)}
        line["first less fifth"] = _cell(alpha[:, 0] - alpha[:, len(ALPHAS) - 1], 1)
        rows.append(line)
    caption = (
        f"Smith's test 1: alpha, the root mean square of p - p* in percent of p*, by period; the continuous market. "
        f"{_sample(results)}"
    )
    return Table(name="smith", frame=pandas.DataFrame(rows).fillna("-"), caption=caption)


def _gode_sunder(results: Any) -> Table:
    """Efficiency, dispersion of profits and order of trade of zero intelligence."""
    rows: list[dict[str, Any]] = []
    for trader in ("zic", "ziu"):
        row = {"trader": _NAMES[trader], "market": "published, 1 to 5"}
        row["efficiency, %"] = ", ".join(f"{x:g}" for x in EFFICIENCIES[trader])
        row["profit dispersion"] = ", ".join(f"{x:g}" for x in DISPERSIONS[trader])
        row["order of trade"] = f"{ORDERS[trader]:.2f}"
        rows.append(row)
        places = [("cliff", market, f"Cliff {market}") for market in MARKETS]
        if "symmetric" in results.cells:
            places.append(("symmetric", "", "Gjerstad and Dickhaut"))
        for cell, market, label in places:
            order = level(results, cell, "trading_order", trader, market)
            rows.append(
                {
                    "trader": _NAMES[trader],
                    "market": label,
                    "efficiency, %": _cell(100 * level(results, cell, "efficiency", trader, market), 2),
                    "profit dispersion": _cell(profit_dispersion(results, cell, trader, market), 1),
                    "order of trade": _cell(order, 2) if not np.isnan(order).all() else "-",
                }
            )
    caption = (
        "Gode and Sunder's statistics; their schedules are printed as figures only. Ours: dispersion in cents a period "
        f"(two cents are one of their units); order is undefined where a side's units are alike. {_sample(results)}"
    )
    return Table(name="gode_sunder", frame=pandas.DataFrame(rows), caption=caption)


def _curve(values: np.ndarray, panel: str, trader: str) -> pandas.DataFrame:
    """By period (or trade), [replicate, n], counted from 1."""
    return curve(values, np.arange(1, values.shape[1] + 1), panel, _NAMES[trader])


def _figure(
    results: Any,
    name: str,
    parts: list[pandas.DataFrame],
    labels: tuple[str, str],
    caption: str,
    line: float | None = None,
) -> Figure:
    """A figure of curves; a trader looks the same in all of them, and a level makes all panels share an ordinate."""
    data = pandas.concat(parts, ignore_index=True)
    n = results.scale.replications
    return Figure(
        name=name,
        draw=lambda sheet: draw_curves(
            sheet, data, *labels, n, line=line, shared=line is not None, order=tuple(_NAMES.values())
        ),
        data=data,
        caption=f"{caption} Means and 95% intervals over {n} replications.",
        size=TWO_COLUMNS,
    )


def _prices(results: Any) -> Figure:
    """Mean price by day in Cliff's markets."""
    parts = [
        _curve(series(results, cell, "mean_price", trader, market), f"market {market}", trader)
        for market in MARKETS
        for cell, trader in _laned(results)
        if trader != "ziu"
    ]
    caption = "Mean price by day in Cliff's markets A to D; the line is the competitive price."
    return _figure(results, "price_by_day", parts, ("day", "mean price, cents"), caption, TARGET)


def _spread(results: Any) -> Figure:
    """Alpha in Smith's market and mean |p - p*| in Gjerstad and Dickhaut's, by period."""
    people = pandas.DataFrame({"at": range(1, len(ALPHAS) + 1), "mean": ALPHAS, "low": np.nan, "high": np.nan})
    alpha = "Smith's test 1: alpha, %"
    parts = [people.assign(panel=alpha, series="humans, published")]
    for cell, trader in _laned(results):
        if trader != "ziu":  # its distances would flatten the others
            parts.append(_curve(series(results, cell, "smith_alpha", trader, "A")[:, :10], alpha, trader))
    for cell, book in _BOOKS.items():
        for trader in SESSIONS[cell].traders if cell in results.cells else ():
            if trader != "ziu":
                parts.append(_curve(series(results, cell, "mad", trader), f"{book}: |p - p*|, cents", trader))
    caption = (
        "How far prices are from the competitive price, by period: Smith's test 1, and Gjerstad and Dickhaut's "
        "symmetric market in the synchronized and the continuous double auction."
    )
    return _figure(results, "spread_by_period", parts, ("period", "distance"), caption)


def _within_period(results: Any) -> Figure:
    """|p - p*| by the number of the trade in its period."""
    parts = []
    for cell, trader in _laned(results):
        if trader != "ziu":
            far = series(results, cell, "deviation_by_trade", trader, "A")
            parts.append(_curve(far, "Smith's test 1 (Cliff's A)", trader))
    for cell, book in _BOOKS.items():
        for trader in SESSIONS[cell].traders if cell in results.cells else ():
            if trader != "ziu":
                far = series(results, cell, "deviation_by_trade", trader)
                parts.append(_curve(far, f"symmetric market, {book}", trader))
    caption = "Convergence within a period: |p - p*| of its first, second, ... trade, mean over periods."
    return _figure(results, "deviation_by_trade", parts, ("number of the trade", "|p - p*|, cents"), caption)
