"""Algorithmic pricing: two Q-learners set prices in a logit duopoly and end up charging more than Nash.

Sessions are replications. Each ends when neither firm's greedy policy has changed for 100,000 periods; since sessions
run side by side, all run on to the same length, and each is read at the first check (every 25,000 periods) after it
settled.

Source: Calvano, Calzolari, Denicolo and Pastorello (2020), sections II to IV.
"""

from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.pricing import LogitMarket, PricingGame, pricing_game
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import curve_points, draw_series, interval_columns
from catallax.lab.claims import AbstractClaim, Margin, NotComparable, PrintedError, direction, value
from catallax.lab.figure import TWO_COLUMNS, plot_with_interval
from catallax.lab.quantity import Quantity, recorded
from catallax.lab.statement import Statement
from catallax.lab.statistics import mean_interval
from catallax.measures.pricing import Collusion, PriceCut

# What is run.

CHECK = 25_000
"""Periods between two looks at a session."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    costs: tuple[float, float] = (1.0, 1.0)
    """Marginal costs of the two firms."""
    mu: float = 0.25
    """Horizontal differentiation."""
    points: int = 15
    """Prices on the grid."""
    discount: float = 0.95
    """The firms' discount factor."""
    patience: int = 100_000
    """Periods of unchanged greedy policies after which a session is settled."""


def market(settings: Settings) -> LogitMarket:
    """The market of the settings."""
    return LogitMarket(costs=settings.costs, mu=settings.mu)


def pricing(settings: Settings) -> PricingGame:
    """The game of the settings."""
    return pricing_game(market(settings), points=settings.points)


def duopoly(settings: Settings, alpha: float, beta: float, discount: Any) -> Play:
    """Two Q-learners with step size alpha and exploration exp(-beta t), starting from uniform rivals' profits."""
    game = pricing(settings)
    start, explore = game.uniform_start(discount), EpsilonGreedy(1.0, decay=beta, shared_draw=True)
    rate = ConstantRate(alpha)
    rules = [
        QLearning(game.observations, game.points, explore, rate, gamma=discount, initial=first, track_settling=True)
        for first in start
    ]
    if len(set(settings.costs)) == 1:  # firms that are alike are one group, which is one kernel instead of two
        groups = [Group("firm", None, rules[0])]
    else:
        groups = [Group("firm", [seat], rule) for seat, rule in enumerate(rules)]
    return Play(game, Population(groups), length=1, episodic=False)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The baseline, two faster explorations, and firms that do not look ahead: the control."""
    measures = (Collusion(CHECK, settings.patience), NaNCount(CHECK))
    build, ahead = partial(partial, duopoly, settings), settings.discount
    return (
        Cell(
            name="baseline", label=BASELINE.label, build=build(0.15, 4e-6, ahead),
            measures=(*measures, PriceCut(CHECK, ahead)), steps={"quick": 2_500_000, "paper": 4_000_000},
        ),
        Cell(
            name="midpoint", label=MIDPOINT.label, build=build(0.125, 1e-5, ahead),
            measures=measures, steps={"quick": 1_250_000, "paper": 2_000_000},
        ),
        Cell(
            name="fast", label="alpha 0.15, beta 2e-5, with and without look ahead", build=build(0.15, 2e-5),
            measures=measures, lanes={"discount": tuple(dict.fromkeys((ahead, 0.0)))},
        ),
    )  # fmt: skip


# What is read.


class Sessions(NamedTuple):
    """The sessions of one kind of learner: a cell, and the place on its lane if it has one."""

    cell: str
    label: str
    discount: int | None = None
    """Place on the lane of discount factors; None where the cell has no lane."""

    def path(self, variable: str) -> Quantity:
        """A variable at every check, [replicate, check, ...]."""
        return recorded(self.cell, variable, **({} if self.discount is None else {"discount": self.discount}))

    def settled(self, variable: str) -> Quantity:
        """A variable at the first check at which the session was settled, [replicate, ...]; NaN where it never was."""
        return Quantity(lambda results: _at_first(self.path("settled")(results), self.path(variable)(results)))

    @property
    def periods(self) -> Quantity:
        """Periods until the policies changed for the last time, [replicate]; NaN where a session did not settle."""

        def read(results: Results[Any]) -> np.ndarray:
            still = self.path("stable")(results)
            periods = results.dataset(self.cell)["phase"].values + 1 - still
            return _at_first(self.path("settled")(results), periods)

        return Quantity(read)


def _at_first(flags: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The value [replicate, check, ...] at each replication's first flag [replicate, check]; NaN without any."""
    flags = flags.astype(bool)
    found = values[np.arange(len(flags)), flags.argmax(axis=1)].astype(float)
    found[~flags.any(axis=1)] = np.nan
    return found


BASELINE = Sessions("baseline", "alpha 0.15, beta 4e-6")
MIDPOINT = Sessions("midpoint", "alpha 0.125, beta 1e-5")
FAST = Sessions("fast", "alpha 0.15, beta 2e-5", 0)
MYOPIC = Sessions("fast", "alpha 0.15, beta 2e-5, no look ahead", -1)
KINDS = (BASELINE, MIDPOINT, FAST, MYOPIC)

cut_price = BASELINE.settled("cut_price")
"""Prices around a cut by firm 1, [replicate, period, firm]; period 0 is before the cut, 1 the cut."""
cut_gain = BASELINE.settled("cut_gain")
"""Discounted gain of the cut as a share of what firm 1 would have had, [replicate]."""
cut_back = BASELINE.settled("cut_back")
"""1 where the prices belong to the cycle that was left, [replicate, period]."""

# What is claimed.

_THIRD, _FOURTH = "CalvanoEtAl2020, section III", "CalvanoEtAl2020, section IV"
_SET = "2026-12-01"
_READING = "sessions read where they settled; those that had not by the end are left out and counted"
_value, _sign = (partial(claim, may_be_undefined=True) for claim in (value, direction))
_gain = MIDPOINT.settled("profit_gain")

CLAIMS: tuple[AbstractClaim, ...] = (
    _value("profit_gain.baseline", _THIRD, "average profit gain of 85 percent at alpha = 0.15, beta = 4e-6",
           0.85, Margin(0.01, "one unit of the last digit", _SET), "1", BASELINE.settled("profit_gain"), _READING,
           PrintedError(0.01), context="recalled: commonly quoted so, and the page was not looked up"),
    _value("periods.midpoint", _THIRD, "about 850,000 periods to converge at alpha = 0.125, beta = 1e-5",
           850_000.0, Margin(50_000.0, "printed as 'about', to the nearest 50,000 at best", _SET), "periods",
           MIDPOINT.periods,
           "without the window of 100,000 periods in which nothing changes; often quoted for the baseline by mistake"),
    Statement(
        id="profit_gain.midpoint", source=_THIRD, note="the midpoint of the grid stands for it",
        statement="profit gains of 70 to 90 percent over most of the grid of alpha and beta",
        parts=(_sign("above_0.7", _THIRD, "above 70 percent", 1, _gain - 0.7),
               _sign("below_0.9", _THIRD, "below 90 percent", 1, 0.9 - _gain)),
    ),
    _sign("look_ahead_matters", _THIRD, "the profit gain is small where the future does not count", 1,
          FAST.settled("profit_gain") - MYOPIC.settled("profit_gain"),
          "discount 0.95 less discount 0, paired sessions, alpha 0.15, beta 2e-5"),
    _sign("deviation_does_not_pay", _FOURTH,
          "a unilateral cut of one period is punished enough to be unprofitable", -1, cut_gain,
          "discounted profit of the deviator for ever, relative to staying; static best response where settled"),
    _sign("rival_punishes", _FOURTH, "the rival answers a price cut by cutting its own price", -1,
          cut_price[:, 2, 1] - cut_price[:, 0, 1], "rival's price one period after the deviation less before"),
    _sign("prices_return", _FOURTH, "prices then go back gradually to where they were", 1,
          cut_price.then(lambda price: price[:, 11].mean(axis=1) - price[:, 2].mean(axis=1)),
          "mean price of both firms, ten periods after the deviation less one period after"),
    NotComparable(
        id="more_firms", source="CalvanoEtAl2020, section V", published="0.64, 0.56",
        statement="profit gains of 64 percent with three firms and 56 percent with four",
        missing="cells with three and four firms: their tables have 15 and 225 times as many states",
    ),
)  # fmt: skip

# What is shown.


def report(results: Results[Settings]) -> Report:
    """The benchmarks, the sessions by cell, the impulse response, and the profit gain over time."""
    tables = (_benchmarks(results), _sessions(results), _response_table(results))
    return Report(tables=tables, figures=(_response_figure(results), _gain_figure(results)))


def _benchmarks(results: Results[Settings]) -> Table:
    rows, static = [], market(results.settings)
    for name, prices in (("Bertrand-Nash", static.nash()), ("joint monopoly", static.monopoly())):
        for firm, (price, profit) in enumerate(zip(prices, static.profits(prices), strict=True), 1):
            rows.append({"benchmark": name, "firm": firm, "price": price, "profit": profit})
    caption = "Exact benchmarks of the static market, price units; solved in double precision."
    return Table.of_rows("benchmarks", caption, rows, decimals=8)


def _sessions(results: Results[Settings]) -> Table:
    rows = []
    for kind in KINDS:
        gain, length = (kind.settled(name)(results) for name in ("profit_gain", "cycle_length"))
        known = ~np.isnan(gain)
        estimate = mean_interval(gain, allow_undefined=True)
        share = lambda hit, known=known: float(hit[known].mean()) if known.any() else None
        row = {"learners": kind.label, "sessions": gain.size, "settled": int(known.sum()), "profit_gain": estimate.mean}
        row |= {"low": estimate.low, "high": estimate.high, "sd": estimate.sd}
        row |= {"constant_price": share(length == 1), "two_cycles": share(length == 2)}
        rows.append(row | {"periods": mean_interval(kind.periods(results), allow_undefined=True).mean})
    caption = (
        "Profit gain over Nash (0) toward joint monopoly (1): mean, 95% interval and SD over settled sessions; shares "
        "that end at a constant price and in two-cycles; mean periods until no greedy policy changed any more."
    )
    return Table.of_rows("sessions", caption, rows)


def _response_table(results: Results[Settings]) -> Table:
    price, gain, back = cut_price(results), cut_gain(results), cut_back(results)
    known = ~np.isnan(gain)
    rows = []
    for t in range(price.shape[1]):
        line: dict[str, Any] = {"period": t}
        for firm, who in enumerate(("deviator", "rival")):
            line |= interval_columns(price[:, t, firm], who, f"{who}_", allow_undefined=True)
        rows.append(line | {"back": float(back[known, t].mean()) if known.any() else None})
    worse = ""
    if known.any():
        worse = f"; in {(gain[known] < 0).mean():.0%} of them the deviator is worse off "
        worse += f"(mean {gain[known].mean():+.1%} of the discounted profit)"
    caption = (
        "Mean prices (95% intervals) around a one-period static best response of firm 1 in period 1, and the share of "
        f"sessions back on the cycle they left; {known.sum()} settled baseline sessions{worse}."
    )
    return Table.of_rows("impulse_response", caption, rows)


def _response_figure(results: Results[Settings]) -> Figure:
    table, static = _response_table(results), market(results.settings)
    data = table.frame
    levels = {"Nash": float(static.nash().mean()), "monopoly": float(static.monopoly().mean())}

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, who in enumerate(("deviator", "rival")):
            low, high = (np.asarray(data[f"{who}_{end}"], float) for end in ("low", "high"))
            band = (low, high) if np.isfinite(low).all() else (None, None)
            mean = np.asarray(data[who], float)
            plot_with_interval(axes, np.asarray(data["period"]), mean, *band, index=index + 1, label=who)
        for name, level in levels.items():
            axes.axhline(level, color="#888888", linewidth=0.8, linestyle=":")
            below = name == "monopoly"
            axes.annotate(name, (data["period"].max(), level), ha="right", va="top" if below else "bottom", fontsize=6)
        axes.set(xlabel="period", ylabel="price", xticks=range(0, len(data), 3))
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.08))

    return Figure(name="impulse_response", draw=draw, data=data, caption=table.caption)


def _gain_figure(results: Results[Settings]) -> Figure:
    parts = []
    for kind in KINDS:
        path, phases = kind.path("profit_gain")(results), results.dataset(kind.cell)["phase"].values
        at = np.unique(np.linspace(0, len(phases) - 1, 40).astype(int))
        parts.append(curve_points(path[:, at], "period", phases[at] + 1, learners=kind.label))
    data = pandas.concat(parts, ignore_index=True)

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        draw_series(axes, data.assign(period=data["period"] / 1e6), "learners", "period")
        axes.set(xlabel="million periods", ylabel="profit gain of the greedy cycle")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12))

    n = results.scale.replications
    caption = f"Profit gain of the greedy cycle over time; mean, 95% t interval, {n} sessions, settled or not."
    return Figure(name="profit_gain", draw=draw, data=data, caption=caption, size=TWO_COLUMNS)


experiment = Experiment(
    name="pricing.calvano", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="Q-learners in a pricing duopoly: collusion without instruction",
    summary="Profit gain over Nash, time to settle, and what happens after one firm undercuts",
    sources=("CalvanoEtAl2020", "WatkinsDayan1992"),
    scales={
        "quick": Scale(steps=750_000, replications=12, block=12, chunk=CHECK),
        "paper": Scale(steps=1_500_000, replications=100, block=100, chunk=CHECK),
    },
)  # fmt: skip
