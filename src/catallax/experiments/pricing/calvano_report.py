"""What Calvano et al. (2020) print of their duopoly, as claims; tables and figures of our sessions."""

from typing import Any

import numpy as np
import pandas

from catallax.games.pricing import LogitMarket
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value
from catallax.lab.figure import TWO_COLUMNS, Figure, plot_with_interval
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .sessions import Treatment, price_cuts, series, settled

BASELINE = Treatment("baseline", "alpha 0.15, beta 4e-6")
MIDPOINT = Treatment("midpoint", "alpha 0.125, beta 1e-5")
FAST = Treatment("fast", "alpha 0.15, beta 2e-5", 0)
MYOPIC = Treatment("fast", "alpha 0.15, beta 2e-5, no look ahead", -1)
TREATMENTS = (BASELINE, MIDPOINT, FAST, MYOPIC)
SOURCE = "CalvanoEtAl2020"
_READING = "sessions read where they settled; those that had not by the end are left out and counted"


def _gain(results: Any, treatment: Treatment) -> np.ndarray:
    return settled(results, treatment, "profit_gain").value


def _learning_periods(results: Any, treatment: Treatment) -> np.ndarray:
    """Periods until the policies stood still, without the window in which they are watched."""
    return settled(results, treatment, "profit_gain").periods - results.settings.patience


def _punishment(results: Any) -> np.ndarray:
    """The rival's price the period after the deviation less its price before, price units."""
    price = price_cuts(results, BASELINE).price
    return price[:, 2, 1] - price[:, 0, 1]


def _return(results: Any) -> np.ndarray:
    """Rise of the mean price from the period after the deviation to the tenth after it, price units."""
    price = price_cuts(results, BASELINE).price.mean(axis=2)
    return price[:, 11] - price[:, 2]


CLAIMS: tuple[AbstractClaim, ...] = (
    Value(
        id="profit_gain.baseline",
        source=f"{SOURCE}, section III",
        statement="average profit gain of 85 percent at alpha = 0.15, beta = 4e-6",
        published=0.85,
        error=0.005,
        error_reason="half of the last printed digit; no standard error is printed",
        unit="1",
        estimate=lambda results: _gain(results, BASELINE),
        note=f"cited as commonly quoted, the page was not looked up; {_READING}",
        may_be_undefined=True,
    ),
    Value(
        id="periods.midpoint",
        source=f"{SOURCE}, section III",
        statement="about 850,000 periods to converge at alpha = 0.125, beta = 1e-5",
        published=850_000.0,
        error=50_000.0,
        error_reason="printed as 'about', to the nearest 50,000 at best",
        unit="periods",
        estimate=lambda results: _learning_periods(results, MIDPOINT),
        note="without the window of 100,000 periods in which nothing changes; often quoted for the baseline by mistake",
        may_be_undefined=True,
    ),
    *(
        Direction(
            id=f"profit_gain.midpoint.{side}",
            source=f"{SOURCE}, section III",
            statement="profit gains of 70 to 90 percent over most of the grid of alpha and beta",
            sign=1,
            estimate=estimate,
            note="the midpoint of the grid stands for it",
            may_be_undefined=True,
        )
        for side, estimate in (
            ("above_0.7", lambda results: _gain(results, MIDPOINT) - 0.7),
            ("below_0.9", lambda results: 0.9 - _gain(results, MIDPOINT)),
        )
    ),
    Direction(
        id="look_ahead_matters",
        source=f"{SOURCE}, section III",
        statement="the profit gain is small where the future does not count",
        sign=1,
        estimate=lambda results: _gain(results, FAST) - _gain(results, MYOPIC),
        note="discount 0.95 less discount 0, paired sessions, alpha 0.15, beta 2e-5",
        may_be_undefined=True,
    ),
    Direction(
        id="deviation_does_not_pay",
        source=f"{SOURCE}, section IV",
        statement="a unilateral cut of one period is punished enough to be unprofitable",
        sign=-1,
        estimate=lambda results: price_cuts(results, BASELINE).gain,
        note="discounted profit of the deviator for ever, relative to staying; static best response where settled",
        may_be_undefined=True,
    ),
    Direction(
        id="rival_punishes",
        source=f"{SOURCE}, section IV",
        statement="the rival answers a price cut by cutting its own price",
        sign=-1,
        estimate=_punishment,
        note="rival's price one period after the deviation less before",
        may_be_undefined=True,
    ),
    Direction(
        id="prices_return",
        source=f"{SOURCE}, section IV",
        statement="prices then go back gradually to where they were",
        sign=1,
        estimate=_return,
        note="mean price of both firms, ten periods after the deviation less one period after",
        may_be_undefined=True,
    ),
    NotComparable(
        id="more_firms",
        source=f"{SOURCE}, section V",
        statement="profit gains of 64 percent with three firms and 56 percent with four",
        published="0.64, 0.56",
        missing="cells with three and four firms: their tables have 15 and 225 times as many states",
    ),
)


def report(results: Any) -> Report:
    """The benchmarks, the sessions by cell, the impulse response, and the profit gain over time."""
    return Report(
        tables=(_benchmarks(results), _sessions(results), _response_table(results)),
        figures=(_response_figure(results), _gain_figure(results)),
    )


def _benchmarks(results: Any) -> Table:
    market = LogitMarket(costs=results.settings.costs, mu=results.settings.mu)
    rows = []
    for name, prices in (("Bertrand-Nash", market.nash()), ("joint monopoly", market.monopoly())):
        for firm, (price, profit) in enumerate(zip(prices, market.profits(prices), strict=True), 1):
            rows.append({"benchmark": name, "firm": firm, "price": price, "profit": profit})
    caption = "Exact benchmarks of the static market, price units; solved in double precision."
    return Table(name="benchmarks", frame=pandas.DataFrame(rows), caption=caption, decimals=8)


def _sessions(results: Any) -> Table:
    rows = []
    for treatment in TREATMENTS:
        gain, length = _gain(results, treatment), settled(results, treatment, "cycle_length").value
        known = ~np.isnan(gain)
        estimate = mean_interval(gain, allow_undefined=True)
        share = lambda hit, known=known: float(hit[known].mean()) if known.any() else None
        rows.append(
            {
                "learners": treatment.label,
                "sessions": gain.size,
                "settled": int(known.sum()),
                "profit_gain": estimate.mean,
                "low": estimate.low,
                "high": estimate.high,
                "sd": estimate.sd,
                "constant_price": share(length == 1),
                "two_cycles": share(length == 2),
                "periods": mean_interval(_learning_periods(results, treatment), allow_undefined=True).mean,
            }
        )
    caption = (
        "Profit gain over Nash (0) toward joint monopoly (1): mean, 95% interval and SD over settled sessions; shares "
        "that end at a constant price and in two-cycles; mean periods until no greedy policy changed any more."
    )
    return Table(name="sessions", frame=pandas.DataFrame(rows), caption=caption)


def _response_table(results: Any) -> Table:
    found = price_cuts(results, BASELINE)
    known = ~np.isnan(found.gain)
    rows = []
    for t in range(found.price.shape[1]):
        line: dict[str, Any] = {"period": t}
        for firm, who in enumerate(("deviator", "rival")):
            estimate = mean_interval(found.price[:, t, firm], allow_undefined=True)
            line |= {who: estimate.mean, f"{who}_low": estimate.low, f"{who}_high": estimate.high}
        rows.append(line | {"back": float(found.back[known, t].mean()) if known.any() else None})
    worse = ""
    if known.any():
        worse = f"; in {(found.gain[known] < 0).mean():.0%} of them the deviator is worse off "
        worse += f"(mean {found.gain[known].mean():+.1%} of the discounted profit)"
    caption = (
        "Mean prices (95% intervals) around a one-period static best response of firm 1 in period 1, and the share of "
        f"sessions back on the cycle they left; {known.sum()} settled baseline sessions{worse}."
    )
    return Table(name="impulse_response", frame=pandas.DataFrame(rows), caption=caption)


def _response_figure(results: Any) -> Figure:
    table = _response_table(results)
    data = table.frame
    market = LogitMarket(costs=results.settings.costs, mu=results.settings.mu)
    levels = {"Nash": float(market.nash().mean()), "monopoly": float(market.monopoly().mean())}

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, who in enumerate(("deviator", "rival")):
            _curve(axes, data["period"], data[who], data[f"{who}_low"], data[f"{who}_high"], index + 1, who)
        for name, level in levels.items():
            axes.axhline(level, color="#888888", linewidth=0.8, linestyle=":")
            below = name == "monopoly"
            axes.annotate(name, (data["period"].max(), level), ha="right", va="top" if below else "bottom", fontsize=6)
        axes.set(xlabel="period", ylabel="price", xticks=range(0, len(data), 3))
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.08))

    return Figure(name="impulse_response", draw=draw, data=data, caption=table.caption)


def _gain_figure(results: Any) -> Figure:
    frames = []
    for treatment in TREATMENTS:
        data = series(results, treatment)
        at = np.unique(np.linspace(0, data.sizes["phase"] - 1, 40).astype(int))
        estimates = [mean_interval(data["profit_gain"].values[:, i]) for i in at]
        frames.append(
            pandas.DataFrame(
                {
                    "learners": treatment.label,
                    "period": data["phase"].values[at] + 1,
                    "mean": [e.mean for e in estimates],
                    "low": [e.low for e in estimates],
                    "high": [e.high for e in estimates],
                }
            )
        )
    data = pandas.concat(frames, ignore_index=True)

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, (label, part) in enumerate(data.groupby("learners", sort=False)):
            _curve(axes, part["period"] / 1e6, part["mean"], part["low"], part["high"], index, str(label))
        axes.set(xlabel="million periods", ylabel="profit gain of the greedy cycle")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12))

    shown = f"mean, 95% t interval, {results.scale.replications} sessions, settled or not"
    return Figure(
        name="profit_gain",
        draw=draw,
        data=data,
        caption=f"Profit gain of the greedy cycle over time; {shown}.",
        size=TWO_COLUMNS,
    )


def _curve(axes: Any, x: Any, mean: Any, low: Any, high: Any, index: int, label: str) -> None:
    """A curve with its band where there are enough sessions for one."""
    mean, low, high = (np.asarray(v, float) for v in (mean, low, high))
    known = bool(np.isfinite(low).all())
    plot_with_interval(
        axes, np.asarray(x), mean, low if known else None, high if known else None, index=index, label=label
    )
