"""Auctions with Q-learners: first price, second price and between, with and without feedback on the bids not made.

Two bidders to whom one unit is worth 1 meet in a million auctions; each keeps one value for each bid. Replications are
runs. What an auction pays them, its static equilibria and the independent program's figures stand beside.

Source: Banchio and Skrzypacz (2022), of which we have the abstract and what others say of it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import msgspec
import numpy as np

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning, SynchronousQLearning, UniformValues
from catallax.core import Group, NaNCount, Play, Population
from catallax.games import sealed_bid
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import SPREAD, curves, distributions, standard_error
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, direction, value
from catallax.lab.quantity import Quantity, recorded, stack
from catallax.lab.statement import Statement
from catallax.lab.statistics import mean_interval
from catallax.measures.sealed_bid import LastBids, Revenue

from .quantities import margin

LONG, SHORT = 1_000_000, 300_000
"""Auctions of a run; where all bids are updated fewer are enough."""
WINDOW = 1000
"""Auctions over which a price is averaged."""
SIGNALS, ETAS = 11, (0.0, 0.5, 1.0)
"""Signals that a bidder tells apart where values are affiliated, and how strongly they are."""

# What is run.


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line. Recalled, not read: the texts that we have do not print them."""

    bids: int = 19
    """Bids on the grid, at equal distances inside (0, 1)."""
    alpha: float = 0.05
    """Step size."""
    gamma: float = 0.99
    """Discount factor."""
    epsilon: float = 0.025
    """First chance of exploring."""
    decay: float = 2e-4
    """Its rate of decay a round."""


class Setting(NamedTuple):
    """One auction with two learners: a row of the table, and a point on the lane of its cell."""

    cell: str
    name: str
    label: str
    rule: float
    """a: the winner pays (2 - a) own bid + (a - 1) highest losing bid."""
    initial: tuple[float, float] = (0, 100)
    """First values are uniform between the two."""
    found: float | None = None
    """Mean price that a scalar loop in C of ours found with other random numbers. It is derived, and no claim."""
    found_error: float | None = None
    """Standard error of that mean; None where it is not known."""
    patient: bool = True
    """Whether the discount is the experiment's, else 0."""
    affiliation: float | None = None
    """eta of `AffiliatedValues`; None for a unit worth 1 to both."""


SETTINGS = (
    Setting("asynchronous", "first", "first price, Q0 in [0, 100]", 1.0, (0, 100), 0.221, 0.006),
    Setting("asynchronous", "first_high", "first price, Q0 in [50, 100]", 1.0, (50, 100), 0.226, 0.006),
    Setting("asynchronous", "first_same", "first price, Q0 = 100", 1.0, (100, 100), 0.224, 0.005),
    Setting("asynchronous", "second", "second price, Q0 in [0, 100]", 2.0, (0, 100), 0.950, 0.0),
    Setting("asynchronous", "second_high", "second price, Q0 in [50, 100]", 2.0, (50, 100), 0.944, 0.004),
    Setting("asynchronous", "first_myopic", "first price, gamma = 0", 1.0, (0, 100), 0.947, 0.004, patient=False),
    Setting("asynchronous", "first_zero", "first price, Q0 = 0", 1.0, (0, 0), 0.111, 0.021),
    Setting("asynchronous", "between_25", "a = 1.25", 1.25),
    Setting("asynchronous", "between_50", "a = 1.5", 1.5),
    Setting("asynchronous", "between_75", "a = 1.75", 1.75),
    Setting("synchronous", "first_revealed", "first price, all bids updated", 1.0, (0, 100), 0.912, 0.002),
    Setting("synchronous", "second_revealed", "second price, all bids updated", 2.0, (0, 100), 0.950, 0.0),
    Setting("value_in_grid", "first_value", "first price, the value among the bids", 1.0, (0, 20), 0.303, 0.014),
    Setting("value_in_grid", "second_value", "second price, the value among the bids", 2.0, (0, 20), 0.500, 0.0),
    Setting("value_revealed", "first_value_revealed", "the same, all bids updated", 1.0, (0, 20), 0.821),
    *(
        Setting("affiliated", f"{name}_{eta:g}", f"{name} price, eta = {eta:g}", rule, affiliation=eta)
        for eta in ETAS
        for name, rule in (("first", 1.0), ("second", 2.0))
    ),
)
"""All settings. Bidders learn from the bid they made, in the cells "synchronous" and "value_revealed" from all bids.

In "value_*" there are 11 bids 0, 0.1, ..., 1, alpha = 0.1, gamma = 0.95, and first values lie in [0, 1 / (1 - gamma)],
which is our choice.
"""

GROUPS = {cell: tuple(s for s in SETTINGS if s.cell == cell) for cell in dict.fromkeys(s.cell for s in SETTINGS)}
"""The cells of the experiment: what each runs side by side."""
FAMILY = ("first", "between_25", "between_50", "between_75", "second")
"""Names of the settings from first to second price."""


def auction(settings: Settings, rows: tuple[Setting, ...], feedback: str, with_value: bool) -> Callable[..., Play]:
    """From the place of a setting to two learners at play; the value among the bids has parameters of its own."""
    alpha, gamma = (0.1, 0.95) if with_value else (settings.alpha, settings.gamma)
    rule, low, high, patient = (
        jnp.asarray([float(x) for x in column])
        for column in zip(*((row.rule, *row.initial, row.patient) for row in rows), strict=True)
    )
    affiliated = rows[0].affiliation is not None

    def build(setting: Any) -> Play:
        step = 1 / (settings.bids + 1)
        grid = sealed_bid.even_grid(0.0, 1.0, 11) if with_value else sealed_bid.even_grid(step, 1 - step, settings.bids)
        eta = jnp.asarray([row.affiliation or 0.0 for row in rows])
        law = sealed_bid.AffiliatedValues(SIGNALS, eta[setting]) if affiliated else sealed_bid.ConstantValue()
        game = sealed_bid.SealedBid(  # pyright: ignore  (takes the inherited property `roles` for a field)
            bids=grid, rule=rule[setting], values=law, feedback=feedback
        )
        first = UniformValues(low[setting], high[setting])
        discount = gamma * patient[setting]
        explore = EpsilonGreedy(settings.epsilon, decay=settings.decay)
        if feedback == "full":
            learner: Any = SynchronousQLearning(
                game.actions, explore=explore, alpha=alpha, gamma=discount, initial=first
            )
        else:
            learner = QLearning(
                game.states, game.actions, explore=explore, rate=ConstantRate(alpha), gamma=discount, initial=first
            )
        return Play(game, Population((Group("bidder", None, learner),)), length=1, episodic=False)

    return build


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each kind of bidders and grid; its settings are a lane. Affiliated values: only at scale "paper"."""
    made, measures = [], (Revenue(WINDOW), LastBids(100_000), NaNCount(100_000))
    for name, rows in GROUPS.items():
        feedback = "full" if name in ("synchronous", "value_revealed") else "none"
        paper = SHORT if feedback == "full" else LONG
        quick = LONG if name == "asynchronous" else paper // 3
        steps = {"quick": quick // 100_000 * 100_000, "paper": paper}
        scales, label = ("paper",) if name == "affiliated" else None, name.replace("_", " ")
        build, lanes = auction(settings, rows, feedback, name.startswith("value")), {"setting": tuple(range(len(rows)))}
        cell = Cell(name=name, label=label, build=build, lanes=lanes, measures=measures, steps=steps, scales=scales)
        made.append(cell)
    return tuple(made)


# What is read.


def _recorded(name: str, variable: str) -> Quantity:
    """A variable of the setting of that name, [replicate, time, ...]."""
    setting = next(s for s in SETTINGS if s.name == name)
    return recorded(setting.cell, variable, setting=GROUPS[setting.cell].index(setting), copy=0)


def prices(name: str) -> Quantity:
    """Mean price of each window of 1000 auctions, [replicate, window]."""
    return _recorded(name, "revenue").then(lambda total: np.diff(total, axis=1, prepend=0.0) / WINDOW)


def price(name: str) -> Quantity:
    """Mean price of the last 1000 auctions, [replicate]."""
    return prices(name).last


def last_bids(name: str) -> Quantity:
    """The last bids, [replicate, bidder]."""
    return _recorded(name, "bid").last


def alike(name: str) -> Quantity:
    """1 in each run whose two last bids are the same."""
    return last_bids(name).then(lambda bids: (np.abs(bids[:, 0] - bids[:, 1]) < 1e-9).astype(float))


def static_bid(results: Results[Settings]) -> float:
    """The lowest symmetric static equilibrium bid of the first-price auction."""
    return sealed_bid.lowest_symmetric_bid(2, 1 / (results.settings.bids + 1))


def _slope(price: np.ndarray) -> np.ndarray:
    """Slope of the price in a over the family, [family, replicate], of each run."""
    a = np.linspace(-0.5, 0.5, len(price))
    return a @ price / (a @ a)


def _smallest_step(price: np.ndarray) -> np.ndarray:
    """The step between neighbours of the family that is smallest on average, in each run."""
    steps = np.diff(price, axis=0)
    return steps[steps.mean(axis=1).argmin()]


_family = stack(price(name) for name in FAMILY)

# What is claimed, in the order of the source.

_ABSTRACT = "BanchioSkrzypacz2022, abstract"
_RETOLD = "BanchioSkrzypacz2022, as retold; the section is not known to us"
_LATER = "RawatAuctions2023, abstract of the later version"
_RECALLED = (
    "judged with recalled parameters: the texts that we have do not print the 19 bids, alpha, gamma, exploration and "
    "first values (in [0, 100])"
)


def _effect(name: str, source: str, statement: str, sign: Literal[-1, 1], estimate: Quantity, note: str) -> Direction:
    """A statement on the sign of an effect, judged with recalled parameters."""
    return direction(name, source, statement, sign, estimate, note, context=_RECALLED)


CLAIMS: tuple[AbstractClaim, ...] = (
    _effect(
        "first_price.tacit_collusion", _ABSTRACT,
        "first-price auctions with no additional feedback lead to tacit-collusive outcomes", -1,
        Quantity(lambda results: price("first")(results) - static_bid(results)),
        "price of the last 1000 auctions less the lowest static equilibrium bid, 0.90"),
    _effect(
        "second_price.no_collusion", _ABSTRACT,
        "second-price auctions do not lead to tacit-collusive outcomes", 1,
        price("second") - price("first"), "price, second less first price, same random numbers"),
    value(
        "second_price.static_nash", _RETOLD,
        "in second-price auctions bidders come to the static equilibrium, with high revenue", 0.95,
        margin(0.05, "one step of the grid; the bid in undominated strategies is its highest, 0.95"), "price",
        price("second"), context=_RECALLED),
    _effect(
        "feedback.more_competition", _ABSTRACT,
        "information about the lowest bid to win increases the competitiveness of first-price auctions", 1,
        price("first_revealed") - price("first"),
        "all bids are updated by what they would have earned, expected over ties"),
    value(
        "feedback.static_nash", _RETOLD,
        "with the lowest bid to win revealed the first-price auction is competitive", 0.925,
        margin(0.025, "the symmetric static equilibria of the grid are 0.90 and 0.95"), "price",
        price("first_revealed"), "300,000 auctions", context=_RECALLED),
    value(
        "first_price.same_bid", _RETOLD, "both bidders end on the same bid", 1.0,
        margin(0.02, "a statement on all runs"), "share of runs", alike("first"), context=_RECALLED),
    _effect(
        "family.rising", _RETOLD,
        "between first and second price the price rises with the weight of the highest losing bid", 1,
        _family.then(_slope), "slope of the price in a = 1, 1.25, ..., 2, in each run"),
    _effect(
        "family.monotone", _RETOLD, "the price is monotone in the weight of the highest losing bid", 1,
        _family.then(_smallest_step),
        "the least of the four steps between neighbours; that it is monotone is our reading"),
    _effect(
        "patience.needed", _LATER, "tacit collusion is more possible with higher discount factors", -1,
        price("first") - price("first_myopic"), "price at gamma = 0.99 less that at gamma = 0"),
    Statement(
        id="affiliated", source=_LATER,
        statement="first-price auctions lead to lower seller revenues under affiliated values",
        note="price, second less first price, two bidders; the levels of the source are not known", context=_RECALLED,
        parts=tuple(
            direction(f"eta_{eta:g}", _LATER, f"eta = {eta:g}", 1, price(f"second_{eta:g}") - price(f"first_{eta:g}"),
                      needs=("affiliated",))
            for eta in ETAS),
    ),
    NotComparable(
        id="distribution_of_bids", source="BanchioSkrzypacz2022, figures", published=None,
        statement="distributions of limit bids over about 1000 experiments",
        missing="the figures' numbers and the parameters, which the texts that we have do not print"),
)  # fmt: skip

# What is shown.

_PATHS = {
    "first price": "first",
    "a = 1.5": "between_50",
    "second price": "second",
    "first price, revealed": "first_revealed",
}
"""Label in a figure -> name of the setting."""


def report(results: Results[Settings]) -> Report:
    """All settings beside the independent program, the family of price rules; prices over time, and where runs end."""
    tables = (_table_of_settings(results), _table_of_rules(results))
    if "affiliated" in results.cells:
        tables = (*tables, table_of_affiliated(results))
    return Report(tables=tables, figures=(_paths(results), _ends(results)))


def _table_of_settings(results: Results[Settings]) -> Table:
    rows = []
    for s in SETTINGS[: -len(GROUPS["affiliated"])]:
        sample = price(s.name)(results)
        joint = 0.0 if s.found_error is None else float(np.hypot(standard_error(sample), s.found_error))
        rows.append(
            {"setting": s.label, "price": sample.mean(), **{name: f(sample) for name, f in SPREAD.items()}}
            | {"same bid": alike(s.name)(results).mean(), "reference": s.found, "reference s.e.": s.found_error}
            | {"z": (sample.mean() - s.found) / joint if s.found is not None and joint else None}
        )
    caption = (
        f"Price averaged over the last {WINDOW} auctions, {results.scale.replications} runs of a million auctions (a "
        "third of that, or less, where bidders settle sooner): ours, and the mean that a scalar loop in C found with "
        "other random numbers; z is the difference in standard errors of both. `same bid`: share of runs whose last "
        "bids are equal."
    )
    return Table.of_rows("settings", caption, rows)


def _table_of_rules(results: Results[Settings]) -> Table:
    rows = []
    for a, name in zip(np.linspace(1, 2, len(FAMILY)), FAMILY, strict=True):
        sample, same = price(name)(results), alike(name)(results).mean()
        rows.append({"a": a, "price": mean_interval(sample).text(3), "median": np.median(sample), "same bid": same})
    caption = (
        "Price by the rule: the winner pays (2 - a) own bid + (a - 1) highest losing bid; mean over "
        f"{results.scale.replications} runs with 95% interval. Lowest symmetric static equilibrium at a = 1: "
        f"{static_bid(results):.2f}."
    )
    return Table.of_rows("price_rules", caption, rows)


def table_of_affiliated(results: Results[Settings]) -> Table:
    """Prices with affiliated values beside revenues in equilibrium; at scale "paper" only."""
    rows = []
    for s in GROUPS["affiliated"]:
        sample, equilibrium = price(s.name)(results), sealed_bid.affiliated_revenue(2, s.affiliation or 0.0)
        rows.append(
            {"format": "first price" if s.rule == 1 else "second price", "eta": s.affiliation}
            | {"price": mean_interval(sample).text(3), "equilibrium": equilibrium}
            | {"relative": sample.mean() / equilibrium}
        )
    caption = (
        f"Affiliated values, {SIGNALS} signals: price averaged over the last {WINDOW} auctions, mean over "
        f"{results.scale.replications} runs with 95% interval, beside (n - 1) / (n + 1) phi, the revenue in the "
        "symmetric equilibrium with signals and bids from the whole of [0, 1]. A bidder keeps values for each signal, "
        "so learning is slow."
    )
    return Table.of_rows("affiliated", caption, rows)


def _pooled(path: np.ndarray, points: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Ends of at most so many equal stretches, in thousand auctions, and mean prices in them, [replicate, stretch]."""
    size = max(1, path.shape[1] // points)
    pooled = path[:, : path.shape[1] // size * size].reshape(path.shape[0], -1, size).mean(axis=2)
    return (np.arange(pooled.shape[1]) + 1) * size * WINDOW / 1000, pooled


def _paths(results: Results[Settings]) -> Figure:
    figure = curves(
        "prices",
        f"Price over time, mean of {results.scale.replications} runs, first values uniform in [0, 100]; dotted: the "
        "lowest symmetric static equilibrium of the first-price auction. Revealed: all bids are updated.",
        {label: _pooled(prices(name)(results)) for label, name in _PATHS.items()},
        ("thousand auctions", "price"),
        level=static_bid(results),
        legend={"loc": "center right"},
        ylim=(0, 1.02),
    )
    # The CSV counts single auctions.
    data = figure.data.rename(columns={"series": "setting", "thousand auctions": "auctions"})
    return replace(figure, data=data.assign(auctions=(data["auctions"] * 1000).round().astype(int)))


def _ends(results: Results[Settings]) -> Figure:
    who = f"{results.scale.replications} runs whose price over the last {WINDOW} auctions"
    prices = {label: price(name)(results) for label, name in _PATHS.items()}
    figure = distributions("where_runs_end", f"Share of {who} is at most the abscissa.", prices, "price", (0.0, 1.0))
    return replace(figure, data=figure.data.rename(columns={"series": "setting"}))


experiment = Experiment(
    name="learning_dynamics.auctions", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Q-learners in sealed-bid auctions",
    summary="First price, second price and between; what bidders learn with and without feedback, beside static Nash",
    sources=("BanchioSkrzypacz2022", "RawatAuctions2023", "WatkinsDayan1992"),
    scales={
        "quick": Scale(steps=LONG, replications=10, block=10, chunk=100_000),
        "paper": Scale(steps=LONG, replications=200, block=200, chunk=100_000),
    },
)  # fmt: skip
