"""What Calvano et al. (2020) print of their duopoly, as claims; tables and figures of our sessions."""

from typing import Any

import numpy as np
import pandas

from catallax.games.macro import LogitMarket, PricingGame, pricing_game
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value
from catallax.lab.figure import TWO_COLUMNS, Figure, plot_with_interval
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .sessions import PERIODS, deviations, settled

LABELS = {
    "baseline": "alpha 0.15, beta 4e-6",
    "midpoint": "alpha 0.125, beta 1e-5",
    "fast": "alpha 0.15, beta 2e-5",
    "myopic": "alpha 0.15, beta 2e-5, no look ahead",
}
SOURCE = "Calvano2020"
_READING = "sessions read where they settled; those that had not by the end are left out and counted"


def _game(results: Any) -> PricingGame:
    settings = results.settings
    return pricing_game(LogitMarket(costs=settings.costs, mu=settings.mu), points=settings.points)


def _end(results: Any, cell: str, variable: str) -> np.ndarray:
    return settled(results, cell, variable, results.settings.patience).value


def _gain(results: Any, cell: str) -> np.ndarray:
    return _end(results, cell, "profit_gain")


def _learning_periods(results: Any, cell: str) -> np.ndarray:
    """Periods until the policies stood still, without the window in which they are watched."""
    found = settled(results, cell, "profit_gain", results.settings.patience)
    return found.periods - results.settings.patience


def _responses(results: Any, cell: str = "baseline") -> Any:
    return deviations(results, cell, _game(results), results.settings.discount)


def _punishment(results: Any) -> np.ndarray:
    """The rival's price the period after the deviation less its price before, price units."""
    price = _responses(results).price
    return price[:, 2, 1] - price[:, 0, 1]


def _return(results: Any) -> np.ndarray:
    """Rise of the mean price from the period after the deviation to the tenth after it, price units."""
    price = _responses(results).price.mean(axis=2)
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
        estimate=lambda results: _gain(results, "baseline"),
        note=f"cited as commonly quoted, the page was not looked up; {_READING}",
        may_be_undefined=True,
    ),
    Value(
        id="periods.midpoint",
        source=f"{SOURCE}, section III",
        statement="about 850,000 periods to converge at alpha = 0.125, beta = 1e-5",
        published=850_000,
        error=50_000,
        error_reason="printed as 'about', to the nearest 50,000 at best",
        unit="periods",
        estimate=lambda results: _learning_periods(results, "midpoint"),
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
            ("above_0.7", lambda results: _gain(results, "midpoint") - 0.7),
            ("below_0.9", lambda results: 0.9 - _gain(results, "midpoint")),
        )
    ),
    Direction(
        id="look_ahead_matters",
        source=f"{SOURCE}, section III",
        statement="the profit gain is small where the future does not count",
        sign=1,
        estimate=lambda results: _gain(results, "fast") - _gain(results, "myopic"),
        note="discount 0.95 less discount 0, paired sessions, alpha 0.15, beta 2e-5",
        may_be_undefined=True,
    ),
    Direction(
        id="deviation_does_not_pay",
        source=f"{SOURCE}, section IV",
        statement="a unilateral cut of one period is punished enough to be unprofitable",
        sign=-1,
        estimate=lambda results: _responses(results).gain,
        note="discounted profit of the deviator relative to staying; static best response, from the last state",
    ),
    Direction(
        id="rival_punishes",
        source=f"{SOURCE}, section IV",
        statement="the rival answers a price cut by cutting its own price",
        sign=-1,
        estimate=_punishment,
        note="rival's price one period after the deviation less before",
    ),
    Direction(
        id="prices_return",
        source=f"{SOURCE}, section IV",
        statement="prices then go back gradually to where they were",
        sign=1,
        estimate=_return,
        note="mean price of both firms, ten periods after the deviation less one period after",
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
    for cell, label in LABELS.items():
        gain, length = _gain(results, cell), _end(results, cell, "cycle_length")
        known = ~np.isnan(gain)
        estimate = mean_interval(gain, allow_undefined=True)
        share = lambda hit, known=known: float(hit[known].mean()) if known.any() else None
        rows.append(
            {
                "learners": label,
                "sessions": gain.size,
                "settled": int(known.sum()),
                "profit_gain": estimate.mean,
                "low": estimate.low,
                "high": estimate.high,
                "sd": estimate.sd,
                "constant_price": share(length == 1),
                "two_cycles": share(length == 2),
                "periods": mean_interval(_learning_periods(results, cell), allow_undefined=True).mean,
            }
        )
    caption = (
        "Profit gain over Nash (0) toward joint monopoly (1): mean, 95% interval and SD over settled sessions; shares "
        "that end at a constant price and in two-cycles; mean periods until no greedy policy changed any more."
    )
    return Table(name="sessions", frame=pandas.DataFrame(rows), caption=caption)


def _response_table(results: Any) -> Table:
    found = _responses(results)
    back = np.abs(found.price / found.price[:, :1] - 1).max(axis=2) < 0.01
    rows = [
        {
            "period": t,
            "deviator": found.price[:, t, 0].mean(),
            "rival": found.price[:, t, 1].mean(),
            "within_1_percent": float(back[:, t].mean()),
        }
        for t in range(PERIODS + 1)
    ]
    pays, gain = float((found.gain > 0).mean()), float(found.gain.mean())
    caption = (
        f"Mean prices around a one-period static best response of firm 1 in period 1, {found.gain.size} sessions "
        f"(baseline, last state). The deviation pays in {pays:.0%} of sessions; mean gain {gain:.1%}."
    )
    return Table(name="impulse_response", frame=pandas.DataFrame(rows), caption=caption)


def _response_figure(results: Any) -> Figure:
    data = _response_table(results).frame
    market = LogitMarket(costs=results.settings.costs, mu=results.settings.mu)
    levels = {"Nash": float(market.nash().mean()), "monopoly": float(market.monopoly().mean())}

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, who in enumerate(("deviator", "rival")):
            plot_with_interval(axes, data["period"], data[who], None, None, index=index + 1, label=who)
        for name, level in levels.items():
            axes.axhline(level, color="#888888", linewidth=0.8, linestyle=":")
            axes.annotate(name, (PERIODS, level), ha="right", va="bottom", fontsize=6)
        axes.set(xlabel="period", ylabel="price")
        axes.legend()

    return Figure(
        name="impulse_response",
        draw=draw,
        data=data,
        caption=f"Prices after firm 1 undercuts in period 1; means over {results.scale.replications} baseline sessions.",
    )


def _gain_figure(results: Any) -> Figure:
    frames = []
    for cell, label in LABELS.items():
        data = results.dataset(cell)
        at = np.unique(np.linspace(0, data.sizes["phase"] - 1, 40).astype(int))
        estimates = [mean_interval(data["profit_gain"].values[:, i]) for i in at]
        frames.append(
            pandas.DataFrame(
                {
                    "learners": label,
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
            known = bool(part["low"].notna().all())
            low, high = (part["low"].astype(float), part["high"].astype(float)) if known else (None, None)
            plot_with_interval(axes, part["period"] / 1e6, part["mean"], low, high, index=index, label=str(label))
        axes.set(xlabel="million periods", ylabel="profit gain of the greedy cycle")
        axes.legend()

    return Figure(
        name="profit_gain",
        draw=draw,
        data=data,
        caption=f"Profit gain of the greedy cycle over time; mean, 95% t interval, {results.scale.replications} sessions.",
        size=TWO_COLUMNS,
    )
