"""The laboratory markets that the field began with, and what was printed of them: Smith (1962), Gode and Sunder (1993),
Cliff (1997), Gjerstad and Dickhaut (1998).

Cliff's four markets are played by ZIP, by zero intelligence and by GD in a continuous double auction; A is Smith's test
1, and A and B stand in for the five markets of Gode and Sunder, which they print as figures only: where a unit of
theirs is two cents, prices and the range of quotes (1 to 200) agree. Gjerstad and Dickhaut's symmetric market is played
by GD and zero intelligence in the synchronized market of Santa Fe and in the continuous one. `classics_markets` says
what is run and read; this file says what is claimed and shown. Prices are cents.

Source: the four papers. Of Cliff's rules the choice of trader, the bounds and the day are read from his program.
Differs: in the continuous market one trader is drawn at a tick and the book, which a trade clears, keeps quotes until
    then; Cliff's shouts do not last, and all traders of the other side answer each. A day has a fixed number of ticks,
    and nobody speaks once a side has sold out; Cliff's ends after 100 shouts in vain or a number of trades that is not
    known to us. Lengths of the periods of the others, and how many there are, are ours.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas

from catallax.lab import Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import interval_text
from catallax.lab.claims import AbstractClaim, Baseline, Direction, Margin, NotComparable, PrintedError, Value, value
from catallax.lab.quantity import Quantity, stack
from catallax.lab.statement import Statement

from . import classics_markets as markets
from .classics_markets import Settings, cells, dollars, efficiency, fall, order_of_trade, percent, series
from .curves import curve, curves_figure

CLIFF, GJERSTAD, GODE, SMITH = "Cliff1997", "GjerstadDickhaut1998", "GodeSunder1993", "Smith1962"
BY_DAY = f"{CLIFF}, mean price by day"
DISTANCES = f"{GJERSTAD}, mean absolute deviations, symmetric market"

# What is claimed.

_margin = partial(Margin, date="2026-12-01")


def _predicted(market: str) -> Value:
    """The mean price that Cliff predicts for ZI-C in one of his markets."""
    mean, shouts, why = markets.PREDICTED[market]
    margin = _margin(1.0, "half a cent of the last digit and half a cent by which the quotes' range is off centre")
    if market == "B":
        margin = _margin(25 / 3, "he draws demand as a straight line; a line one step of 25 cents longer adds a third")
    target = markets.TARGET
    competitive = Baseline("the competitive price", target, lambda results: np.full(results.scale.replications, target))
    again = f"his own shouts, which do not last, give {shouts:g} when written out again"
    return value(
        f"cliff.zic.mean.{market.lower()}", f"{CLIFF}, predicted mean prices of ZI-C",
        f"market {market}: ZI-C's mean price is {mean:g}, not 200", mean, margin, "cent",
        markets.level("cliff", "mean_price", "zic", market), f"{why}; {again}" if why else again,
        baseline=competitive if market != "A" else None, needs=("cliff",),
    )  # fmt: skip


def _prices(market: str) -> Quantity:
    return series("cliff", "mean_price", "zip", market)


def _away(among: str) -> Quantity:
    """|mean price - 200| on day 4, mean over markets."""
    away = stack([(_prices(market)[:, 3] - markets.TARGET).then(np.abs) for market in among])
    return away.then(lambda values: values.mean(axis=0))


_CLIFF = (
    *(_predicted(market) for market in markets.MARKETS),
    *(Value(id=f"cliff.zip.day4.{market.lower()}", source=BY_DAY, needs=("cliff",), estimate=_prices(market)[:, 3],
            statement=f"market {market}: ZIP's price is at 200 within about 4 days", published=markets.TARGET,
            margin=_margin(markets.NEAR, "read from a plot"), unit="cent")
      for market in "AB"),
    *(Value(id=f"cliff.zip.days.{market.lower()}", source=BY_DAY, needs=("cliff",), may_be_undefined=True,
            estimate=_prices(market).then(lambda prices: markets.days_to_settle(prices, markets.NEAR)),
            statement=f"market {market}: ZIP converges slowly, in 10 to 30 days", published=20.0,
            margin=_margin(10.0, "10 to 30 days"), unit="day",
            note=f"first day from which on the mean price stays within {markets.NEAR:g} cents; our traders hear the "
            "standing quote again at every tick, his a shout once; his own shouts, written out again, give "
            f"{markets.REBUILT[market]} on days 1, 4, 10, 30 if a day ends when one side has sold out, and are as fast "
            "as ours if it does not")
      for market in "CD"),
    Direction(id="cliff.zip.slower", source=BY_DAY, needs=("cliff",), sign=1, estimate=_away("CD") - _away("AB"),
              statement="ZIP converges more slowly in C and D than in A and B",
              note="|mean price - 200| on day 4, mean of C and D less that of A and B"),
    *(Value(id=f"cliff.zip.efficiency.{market.lower()}", source=f"{CLIFF}, ZIP", needs=("cliff",),
            estimate=percent("cliff", "zip", market), statement=f"market {market}: efficiency is near 100%",
            published=100.0, margin=_margin(1.0, '"near" read as within one percent'), unit="%")
      for market in markets.MARKETS),
)  # fmt: skip

_WHEN = {"first": "the first two periods", "all": "all periods", "last": "the last two periods"}
_WHERE = {"aurora": "synchronized market", "symmetric": "continuous market"}
_DRAWN = ", in which chance draws who speaks; in theirs it is more likely the trader who expects to gain most"


def _distance(cell: str, trader: str, span: str) -> Value:
    """The distance from the competitive price in one form of the symmetric market."""
    printed = markets.DEVIATIONS[trader][span]
    zero = Baseline("zero intelligence", markets.DEVIATIONS["zic"][span], dollars(cell, "zic", span))
    return Value(
        id=f"gjerstad.{cell}.{trader}.{span}", source=DISTANCES, needs=(cell,),
        estimate=dollars(cell, trader, span), baseline=zero if trader == "gd" else None,
        statement=f"{'GD' if trader == 'gd' else 'ZI'}: |p - p*| is ${printed:.3f} in {_WHEN[span]}",
        published=printed, margin=_margin(printed / 10, "a tenth of the printed number"), unit="dollar",
        printed=PrintedError(0.001, runs=1),
        context="" if cell == "symmetric" else "about a synchronized market of ours",
        note=f"{_WHERE[cell]}; how many sessions of how many periods are averaged is not known to us: taken as one",
    )  # fmt: skip


_GJERSTAD = (
    *(_distance(cell, trader, span) for cell in _WHERE for trader in ("gd", "zic") for span in markets.SPANS),
    *(Direction(id=f"gjerstad.{cell}.efficiency", source=f"{GJERSTAD}, efficiency", needs=(cell,), sign=1,
                estimate=markets.late_percent(cell, "gd") - 99.9,
                statement="GD's efficiency exceeds 99.9% after a few periods",
                note=f"percent above 99.9 from period 5 on; {where}{_DRAWN if cell == 'symmetric' else ''}")
      for cell, where in _WHERE.items()),
    NotComparable(id="gjerstad.humans", source=DISTANCES, published=".101, .050, .088 dollars", missing="people",
                  statement="humans: |p - p*| in the first two, all and the last two periods"),
)  # fmt: skip

_SMITH = (
    NotComparable(id="smith.alpha", source=f"{SMITH}, test 1", statement="alpha by period",
                  published=", ".join(f"{alpha:g}" for alpha in markets.ALPHAS) + " %",
                  missing="people; our traders' alphas are in the table"),
    *(Direction(id=f"smith.alpha.{trader}", source=f"{SMITH}, test 1", needs=(cell,), sign=1,
                estimate=fall(cell, trader), context="about programs in place of people",
                statement="alpha falls from the first to the last of five periods (11.8 to 3.5)",
                note=f"percent, {trader.upper()} in place of people; the continuous market")
      for cell, trader in (("cliff", "zip"), ("gd", "gd"))),
    Direction(id="smith.alpha.zic", source=f"{SMITH}, test 1, and {CLIFF}", needs=("cliff",), sign=1,
              estimate=fall("cliff", "zip") - fall("cliff", "zic"),
              statement="alpha falls with learning, not with zero intelligence",
              note="ZIP's fall less ZI-C's, percent; ZI-C's own is in the table"),
)  # fmt: skip

_STAND_INS = {
    "a": ("cliff", "A", "Cliff's market A"),
    "b": ("cliff", "B", "Cliff's market B"),
    "symmetric": ("symmetric", "", "Gjerstad and Dickhaut's symmetric market"),
}
"""Cell, market and name of schedules with units that should not trade, in the range of Gode and Sunder's if their unit
is two cents. In C and D no unit can take another's place, so that markets that use all their time are efficient
whatever traders do."""
_COSTS = {
    "a": "a unit replaced by its neighbour costs 3% of the surplus, as a day has six trades only",
    "b": "sellers are alike, so that only buyers can be displaced",
    "symmetric": "five units gain, so that each misplaced one costs several percent of the surplus",
}
_ORDERED = ("a", "symmetric")
"""Schedules with an order of trade: in B all sellers are alike."""
_OWN_UNITS = ", where each trader's own three units trade in order in any case, and ZI-U trades them all"
_LOW, _HIGH = min(markets.EFFICIENCIES["zic"]), max(markets.EFFICIENCIES["zic"])


def _of_budgets(name: str, of: Callable[[str, str, str], Quantity], sign: Literal[-1, 1], statement: str) -> Statement:
    """What is said to change without a budget constraint: ZI-U less ZI-C in each schedule that stands in."""
    ordering, source = name == "order", f"{GODE}, ZI-U and ZI-C"
    return Statement(id=f"gode.{name}", source=source, statement=statement, parts=tuple(
        Direction(id=key, source=source, needs=(cell,), sign=sign, statement=label,
                  estimate=of(cell, "ziu", market) - of(cell, "zic", market),
                  note=f"ZI-U less ZI-C; {label}{_OWN_UNITS if ordering and key == 'symmetric' else ''}",
                  may_be_undefined=ordering)
        for key, (cell, market, label) in _STAND_INS.items() if key in _ORDERED or not ordering
    ))  # fmt: skip


def _order(trader: str) -> Statement:
    """The sign of the rank correlation of trades with the efficient order."""
    source = f"{GODE}, rank correlation"
    statement = f"trades follow the efficient order with rank correlation {markets.ORDERS[trader]:g}"
    return Statement(id=f"gode.order.{trader}", source=source, statement=statement, parts=tuple(
        Direction(id=key, source=source, needs=(cell,), sign=1, estimate=order_of_trade(cell, trader, market),
                  may_be_undefined=True, statement=label,
                  note=f"{label}; their statistic is not known to us exactly, so that only its sign is judged")
        for key in _ORDERED for cell, market, label in [_STAND_INS[key]]
    ))  # fmt: skip


_GODE = (
    *(Value(id=f"gode.efficiency.{key}", source=f"{GODE}, efficiency of markets 1 to 5", needs=(cell,),
            estimate=percent(cell, "zic", market), statement=f"ZI-C's efficiency is {_LOW:g} to {_HIGH:g}%",
            published=(_LOW + _HIGH) / 2, margin=_margin((_HIGH - _LOW) / 2, "the range of the five markets"),
            unit="%", context="about our schedules in place of theirs",
            note=f"{label} in place of theirs, whose schedules are figures; {_COSTS[key]}")
      for key, (cell, market, label) in _STAND_INS.items()),
    _of_budgets("unconstrained", efficiency, -1, "efficiency is lower without a budget constraint"),
    _of_budgets("dispersion", markets.profit_dispersion, 1, "profits are more dispersed without a budget constraint"),
    *map(_order, markets.ZERO),
    _of_budgets("order", order_of_trade, -1, "trades follow the efficient order less without a budget constraint"),
    *(NotComparable(id=f"gode.{name}.markets", source=f"{GODE}, markets 1 to 5", statement=statement,
                    published="; ".join(f"{who} {', '.join(f'{x:g}' for x in row)}" for who, row in printed.items()),
                    missing="the five schedules, which are printed as figures only, and people")
      for name, statement, printed in (
          ("efficiency", "efficiency of the five markets, percent", markets.EFFICIENCIES),
          ("dispersion", "dispersion of profits in the five markets", markets.DISPERSIONS),
      )),
)  # fmt: skip

CLAIMS: tuple[AbstractClaim, ...] = (*_CLIFF, *_GJERSTAD, *_SMITH, *_GODE)

# What is shown.

_NAMES = {"zip": "ZIP", "gd": "GD", "zic": "ZI-C", "ziu": "ZI-U"}
_BOOKS = {"aurora": "synchronized", "symmetric": "continuous"}


def report(results: Results[Settings]) -> Report:
    """A table for each paper, each published row beside ours, and three figures."""
    tables = (_cliff_table(results), _deviations_table(results), _smith_table(results), _gode_table(results))
    return Report(tables=tables, figures=(_price_figure(results), _spread_figure(results), _trades_figure(results)))


def _players(results: Results[Settings], among: Iterable[str]) -> list[tuple[str, str]]:
    """Cells of the run among these, and the traders in them."""
    return [(cell, trader) for cell in among if cell in results.cells for trader in markets.SESSIONS[cell].traders]


def _sample(results: Results[Settings]) -> str:
    return f"Means with 95% intervals over {results.scale.replications} replications."


def _cliff_table(results: Results[Settings]) -> Table:
    rows = []
    for market in markets.MARKETS:
        for cell, trader in _players(results, markets.LANED):
            prices = series(cell, "mean_price", trader, market)(results)
            days = {
                f"day {day}": interval_text(prices[:, day - 1], 1) if day <= prices.shape[1] else "-"
                for day in (1, 4, 10, 30)
            }
            rows.append(
                {"market": market, "trader": _NAMES[trader], "published": _published(trader, market), **days}
                | {"all days": interval_text(markets.level(cell, "mean_price", trader, market)(results), 1)}
                | {"efficiency, %": interval_text(percent(cell, trader, market)(results), 2)}
            )
    caption = (
        "Cliff's markets: mean price in cents by day; the competitive price is 200. Published for ZI-C are "
        f"predictions, for ZIP what is said of plots. {_sample(results)}"
    )
    return Table.of_rows("cliff", caption, rows)


def _published(trader: str, market: str) -> str:
    if trader == "zic":
        return f"mean {markets.PREDICTED[market].mean:g}"
    if trader == "zip":
        return "200 by day 4" if market in "AB" else "200 by day 10 to 30"
    return "-"


def _deviations_table(results: Results[Settings]) -> Table:
    heads = {"first": "first two periods", "all": "all periods", "last": "last two periods"}
    rows: list[dict[str, Any]] = []
    for trader in (*markets.DEVIATIONS, "zip", "ziu"):
        name = _NAMES.get(trader, trader)
        if trader in markets.DEVIATIONS:
            printed = {heads[span]: f"{x:.3f}" for span, x in markets.DEVIATIONS[trader].items()}
            rows.append({"trader": name, "where": "published", **printed, "efficiency, %": "-"})
        for cell in (cell for cell, player in _players(results, _BOOKS) if player == trader):
            ours = {heads[span]: interval_text(dollars(cell, trader, span)(results), 3) for span in heads}
            late = interval_text(markets.late_percent(cell, trader)(results), 2)
            rows.append({"trader": name, "where": f"ours, {_BOOKS[cell]}", **ours, "efficiency, %": late})
    caption = (
        "Gjerstad and Dickhaut's symmetric market: mean |p - p*| in dollars, and efficiency from period 5 on "
        f"(published for GD: above 99.9%). {_sample(results)}"
    )
    return Table.of_rows("gjerstad_dickhaut", caption, rows)


def _smith_table(results: Results[Settings]) -> Table:
    printed = {f"period {i + 1}": f"{alpha:.1f}" for i, alpha in enumerate(markets.ALPHAS)}
    rows = [{"trader": "humans (published)", **printed, "first less fifth": "-"}]
    for cell, trader in _players(results, markets.LANED):
        alpha = series(cell, "smith_alpha", trader, "A")(results)
        ours = {head: interval_text(alpha[:, i], 1) for i, head in enumerate(printed)}
        less = interval_text(fall(cell, trader)(results), 1)
        rows.append({"trader": _NAMES[trader], **ours, "first less fifth": less})
    caption = (
        f"Smith's test 1: alpha, the root mean square of p - p* in percent of p*, by period; the continuous market. "
        f"{_sample(results)}"
    )
    return Table.of_rows("smith", caption, rows)


def _gode_table(results: Results[Settings]) -> Table:
    heads = ("trader", "market", "efficiency, %", "profit dispersion", "order of trade")
    places = [("cliff", market, f"Cliff {market}") for market in markets.MARKETS]
    if "symmetric" in results.cells:
        places.append(("symmetric", "", "Gjerstad and Dickhaut"))
    rows, printed_rows = [], (markets.EFFICIENCIES, markets.DISPERSIONS)
    for trader in markets.ZERO:
        printed = (", ".join(f"{x:g}" for x in numbers[trader]) for numbers in printed_rows)
        rows.append((_NAMES[trader], "published, 1 to 5", *printed, f"{markets.ORDERS[trader]:.2f}"))
        for cell, market, label in places:
            order = order_of_trade(cell, trader, market)(results)
            ours = (
                interval_text(percent(cell, trader, market)(results), 2),
                interval_text(markets.profit_dispersion(cell, trader, market)(results), 1),
                interval_text(order, 2) if not np.isnan(order).all() else "-",
            )
            rows.append((_NAMES[trader], label, *ours))
    caption = (
        "Gode and Sunder's statistics; their schedules are printed as figures only. Ours: dispersion in cents a period "
        f"(two cents are one of their units); order is undefined where a side's units are alike. {_sample(results)}"
    )
    return Table.of_rows("gode_sunder", caption, [dict(zip(heads, row, strict=True)) for row in rows])


def _curves(
    results: Results[Settings], among: Iterable[str], variable: str, panel: str, market: str = "", periods: int = 0
) -> list[pandas.DataFrame]:
    """Curves of a variable by period (or trade), counted from 1; ZI-U is left out, as it would flatten the others.

    Args:
        periods: how many periods are drawn; 0 means all.
    """
    found = []
    for cell, trader in _players(results, among):
        if trader != "ziu":
            values = series(cell, variable, trader, market)(results)[:, : periods or None]
            found.append(curve(values, np.arange(1, values.shape[1] + 1), panel, _NAMES[trader]))
    return found


def _figure(
    results: Results[Settings],
    name: str,
    parts: list[pandas.DataFrame],
    labels: tuple[str, str],
    caption: str,
    line: float | None = None,
) -> Figure:
    """A figure of curves; a trader looks the same in all of them, and a level makes all panels share an ordinate."""
    caption = f"{caption} Means and 95% intervals over {results.scale.replications} replications."
    shared, order = line is not None, tuple(_NAMES.values())
    return curves_figure(name, caption, parts, *labels, results, line=line, shared=shared, order=order)


def _price_figure(results: Results[Settings]) -> Figure:
    drawn = lambda market: _curves(results, markets.LANED, "mean_price", f"market {market}", market)
    parts = [part for market in markets.MARKETS for part in drawn(market)]
    caption = "Mean price by day in Cliff's markets A to D; the line is the competitive price."
    return _figure(results, "price_by_day", parts, ("day", "mean price, cents"), caption, markets.TARGET)


def _spread_figure(results: Results[Settings]) -> Figure:
    alpha = "Smith's test 1: alpha, %"
    people = pandas.DataFrame({"at": range(1, len(markets.ALPHAS) + 1), "mean": markets.ALPHAS})
    parts = [people.assign(low=np.nan, high=np.nan, panel=alpha, series="humans, published")]
    parts += _curves(results, markets.LANED, "smith_alpha", alpha, "A", periods=10)
    for cell, book in _BOOKS.items():
        parts += _curves(results, [cell], "mad", f"{book}: |p - p*|, cents")
    caption = (
        "How far prices are from the competitive price, by period: Smith's test 1, and Gjerstad and Dickhaut's "
        "symmetric market in the synchronized and the continuous double auction."
    )
    return _figure(results, "spread_by_period", parts, ("period", "distance"), caption)


def _trades_figure(results: Results[Settings]) -> Figure:
    variable = "deviation_by_trade"
    parts = _curves(results, markets.LANED, variable, "Smith's test 1 (Cliff's A)", "A")
    for cell, book in _BOOKS.items():
        parts += _curves(results, [cell], variable, f"symmetric market, {book}")
    caption = "Convergence within a period: |p - p*| of its first, second, ... trade, mean over periods."
    return _figure(results, variable, parts, ("number of the trade", "|p - p*|, cents"), caption)


experiment = Experiment(
    name="double_auction.classics", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="The first laboratory markets, replayed",
    summary="ZIP, GD and zero intelligence in the markets of Smith, Cliff, and Gjerstad and Dickhaut, beside print",
    sources=("Smith1962", "GodeSunder1993", "Cliff1997", "GjerstadDickhaut1998"),
    scales={
        "quick": Scale(steps=1, replications=10, block=10, chunk=1),
        "paper": Scale(steps=2, replications=20, block=10, chunk=2),
    },
)  # fmt: skip
"""A step is a round: all days of a market with fresh traders. Replications average the rounds they played."""
