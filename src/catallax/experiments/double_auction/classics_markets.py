"""The published laboratory markets: schedules, traders and rules, what is read of them, and what was printed.

A cell is one program. Several traders play side by side in it, each in every seat of a copy of the market of its own;
the four schedules of Cliff are its lanes. Prices are cents.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import msgspec
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.traders import GD, ZIC, ZIP, ZIU, AbstractTrader
from catallax.core import AbstractMeasure, Group, InputError, Lineup, NaNCount, Play, Population
from catallax.games.double_auction import ContinuousDoubleAuction, DoubleAuction, Schedule, aurora, schedules
from catallax.games.double_auction.tokens import AbstractTokens
from catallax.lab import Cell
from catallax.lab.quantity import Quantity, defined_mean, recorded
from catallax.measures import double_auction

LOW, HIGH = 1.0, 400.0
"""Price bounds: those of Cliff's random quotes, $0.01 to $4.00, and of our markets of Gjerstad and Dickhaut."""
CENT = 1.0
MARKETS = {"A": schedules.CLIFF_A, "B": schedules.CLIFF_B, "C": schedules.CLIFF_C, "D": schedules.CLIFF_D}
"""Cliff's markets, in the order of the lane "market"; A is Smith's test 1 in cents."""
TARGET = 200.0
"""Competitive price of all of Cliff's markets, cents."""
SEATS = 11
"""Seats on each side; some have no units in C and D."""

# What is run.


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There are no settings: the markets are as published."""


def _traders() -> dict[str, AbstractTrader]:
    # Cliff's largest absolute perturbation is five cents
    return {"zip": ZIP(absolute=5.0 / (HIGH - LOW)), "gd": GD(), "zic": ZIC(), "ziu": ZIU()}


class Session(NamedTuple):
    """A cell: who plays, each trader in a copy of its own, and how long."""

    label: str
    traders: tuple[str, ...]
    """Names, in the order of the copies."""
    steps: int
    """Ticks in a period."""
    periods: dict[str, int]
    """Periods in a round, by name of the scale; traders remember earlier periods."""


SESSIONS = {
    "cliff": Session("Cliff's markets", ("zip", "zic", "ziu"), 500, {"quick": 10, "paper": 30}),
    "gd": Session("Cliff's markets, GD", ("gd",), 500, {"paper": 10}),
    "aurora": Session("symmetric market, AURORA", ("gd", "zic"), 75, {"quick": 10, "paper": 10}),
    "symmetric": Session("symmetric market, continuous", ("gd", "zip", "zic", "ziu"), 300, {"paper": 10}),
}
"""By name of the cell; a scale that is not in `periods` leaves it out."""
LANED = ("cliff", "gd")
"""Cells with a lane for each of Cliff's markets; the others have Gjerstad and Dickhaut's schedule."""
ZERO = ("zic", "ziu")
"""Zero intelligence, in the order of the dimension "zero"."""


class OneOf(AbstractTokens):
    """One of several schedules of one unit a trader, chosen by an array, so that they can be the lanes of one program.

    Shorter sides are filled with traders without units.

    Raises:
        InputError: at `draw`, other numbers of traders than `SEATS`.
    """

    units: int = eqx.field(static=True)
    values: Float[Array, "n b 1"]
    costs: Float[Array, "n s 1"]
    number: Int[Array, ""]

    def __init__(self, schedules: Sequence[Schedule], number: Any = 0) -> None:
        self.units, self.number = 1, jnp.asarray(number, jnp.int32)
        self.values = jnp.asarray([_filled(s.buyers, -np.inf) for s in schedules])
        self.costs = jnp.asarray([_filled(s.sellers, np.inf) for s in schedules])

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        """The schedule of that number. The key is not used."""
        if (buyers, sellers) != (SEATS, SEATS):
            raise InputError(f"OneOf: schedules are for {SEATS} seats a side, the market has {buyers} and {sellers}")
        return self.values[self.number], self.costs[self.number]


def _filled(rows: Sequence[Sequence[float]], absent: float) -> np.ndarray:
    return np.asarray([*rows, *[(absent,)] * (SEATS - len(rows))], np.float32)


def continuous(**changes: Any) -> ContinuousDoubleAuction:
    """The continuous double auction of all three papers: whole cents; a trade clears the book, the last one the day."""
    return ContinuousDoubleAuction(
        low=LOW, high=HIGH, tick=CENT, clear_after_trade=True, sold_out_closes=True, **changes
    )


def game(name: str, scale: str, market: Any = 0) -> ContinuousDoubleAuction | DoubleAuction:
    """The market of a cell at a scale; `market` is the number of one of Cliff's, where the cell has lanes."""
    session, symmetric = SESSIONS[name], schedules.GJERSTAD_DICKHAUT_SYMMETRIC
    changes: dict[str, Any] = dict(steps=session.steps, periods=session.periods[scale])
    if name in LANED:
        tokens = OneOf(tuple(MARKETS.values()), market)
        return continuous(tokens=tokens, buyers=SEATS, sellers=SEATS, **changes)
    changes |= dict(tokens=symmetric.tokens(), buyers=len(symmetric.buyers), sellers=len(symmetric.sellers))
    return aurora(low=LOW, high=HIGH, tick=CENT, **changes) if name == "aurora" else continuous(**changes)


def play(name: str, scale: str, market: Any = 0) -> Play:
    """A cell as a dynamics: a phase is a round of all its periods, and trader k holds all seats of copy k."""
    rules, names = _traders(), SESSIONS[name].traders
    auction = game(name, scale, market)
    groups = []
    for role in auction.roles:
        seating = np.tile(np.arange(len(names)), (role.seats, 1))
        groups.append(Group(role.name, None, Lineup([rules[n] for n in names], seating)))
    # copies share their random numbers: traders of a cell are compared on equal luck
    return Play(auction, Population(groups), length=auction.length, copies=len(names), copies_per_draw=len(names))


MEASURES = (
    double_auction.Efficiency(by_period=True),
    double_auction.Dispersion(by_period=True),
    double_auction.DeviationByTrade(),
    NaNCount(),
)
GODE_SUNDER = ("cliff", "symmetric")
"""Cells in which what Gode and Sunder report is measured."""


def _zero_intelligence(name: str) -> tuple[AbstractMeasure, ...]:
    """Dispersion of profits and order of trade, of zero intelligence only: orders cost as much as all the rest."""
    copies = [SESSIONS[name].traders.index(trader) for trader in ZERO]
    measures = (double_auction.ProfitDispersion(by_period=True), double_auction.TradingOrder(by_period=True))
    return tuple(double_auction.SelectedCopies(measure, copies, "zero") for measure in measures)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One cell for each session and scale: scale paper has more days, and two more programs."""
    return tuple(
        Cell(
            name=name,
            label=session.label,
            build=partial(play, name, scale),
            measures=MEASURES + (_zero_intelligence(name) if name in GODE_SUNDER else ()),
            lanes={"market": tuple(range(len(MARKETS)))} if name in LANED else {},
            scales=(scale,),
        )
        for name, session in SESSIONS.items()
        for scale in session.periods
    )


# What is read. Quantities have one value a replication, [replicate], unless they say otherwise.


def series(cell: str, variable: str, trader: str, market: str = "") -> Quantity:
    """A variable by period (or by trade), [replicate, n]: the mean over the rounds of a replication.

    Args:
        cell: name of the cell.
        variable: a recorded variable with one more dimension than those of the traders.
        trader: one of the cell's.
        market: one of Cliff's, where the cell has lanes.
    """
    at = {"market": list(MARKETS).index(market)} if cell in LANED else {}
    if variable in ("profit_dispersion", "trading_order"):
        at["zero"] = ZERO.index(trader)
    else:
        at["copy"] = SESSIONS[cell].traders.index(trader)
    return recorded(cell, variable, **at).then(lambda values: defined_mean(values.astype(float), axis=1))


def level(cell: str, variable: str, trader: str, market: str = "") -> Quantity:
    """The mean over all periods."""
    return _mean(series(cell, variable, trader, market))


def efficiency(cell: str, trader: str, market: str = "") -> Quantity:
    """Efficiency over all periods, a share of 1."""
    return level(cell, "efficiency", trader, market)


def percent(cell: str, trader: str, market: str = "") -> Quantity:
    """Efficiency over all periods, percent."""
    return efficiency(cell, trader, market) * 100


def late_percent(cell: str, trader: str) -> Quantity:
    """Efficiency from the fifth period on, percent."""
    return series(cell, "efficiency", trader)[:, 4:].then(lambda values: values.mean(axis=1)) * 100


def profit_dispersion(cell: str, trader: str, market: str = "") -> Quantity:
    """Dispersion of profits among those who have units, cents a period: seats without any deviate by nothing."""
    value = level(cell, "profit_dispersion", trader, market)
    if cell not in LANED:
        return value
    schedule = MARKETS[market]
    return value * np.sqrt(2 * SEATS / (len(schedule.buyers) + len(schedule.sellers)))


def order_of_trade(cell: str, trader: str, market: str = "") -> Quantity:
    """Rank correlation with the efficient order of trade; NaN where a side's units are alike."""
    return level(cell, "trading_order", trader, market)


SPANS = {"first": slice(2), "all": slice(None), "last": slice(-2, None)}
"""The periods over which Gjerstad and Dickhaut average."""


def dollars(cell: str, trader: str, span: str) -> Quantity:
    """Mean |p - p*| in dollars over the first two, all or the last two periods; the symmetric market."""
    return _mean((series(cell, "mad", trader) / 100)[:, SPANS[span]])


def days_to_settle(prices: np.ndarray, within: float) -> np.ndarray:
    """The first day from which on the mean price stays within so many cents of 200; NaN if it never does.

    Days count from 1; `prices` is [replicate, day]. A day without trades is not within.
    """
    near = np.abs(prices - TARGET) <= within
    stays = np.logical_and.accumulate(near[:, ::-1], axis=1)[:, ::-1]
    return np.where(stays.any(axis=1), stays.argmax(axis=1) + 1.0, np.nan)


def fall(cell: str, trader: str) -> Quantity:
    """Smith's alpha of the first period less that of the last one that he prints, in his market."""
    alpha = series(cell, "smith_alpha", trader, "A")
    return alpha[:, 0] - alpha[:, len(ALPHAS) - 1]


def _mean(path: Quantity) -> Quantity:
    return path.then(lambda values: defined_mean(values, axis=1))


# What is printed.


class Prediction(NamedTuple):
    """The mean price of budget-constrained zero intelligence in one of Cliff's markets."""

    mean: float
    """As Cliff predicts it."""
    shouts: float
    """Of days under the shouts of his program, written out again; standard error 0.3 to 0.4 (see the tests)."""
    why: str = ""
    """What moves our mean away from the prediction."""


PREDICTED = {
    "A": Prediction(200.0, 199.8, "the quotes' range is centred on 200.5"),
    "B": Prediction(233.3, 233.8),
    "C": Prediction(125.0, 137.1,
                    "excess demand: standing bids of eleven buyers wait for the next seller and lift the price"),
    "D": Prediction(260.0, 251.4,
                    "excess supply: standing asks of eleven sellers wait for the next buyer and lower the price"),
}  # fmt: skip
REBUILT = {"C": "129, 127, 138, 172", "D": "239, 240, 229, 207"}
"""ZIP's mean prices on days 1, 4, 10, 30 under the shouts of Cliff's program: eight sessions of ours. Not published."""
NEAR = 5.0
"""Cents around a price read by eye from a plot over several dollars."""
DEVIATIONS = {
    "humans": {"first": 0.101, "all": 0.050, "last": 0.088},
    "gd": {"first": 0.077, "all": 0.045, "last": 0.040},
    "zic": {"first": 0.276, "all": 0.237, "last": 0.209},
}
"""Gjerstad and Dickhaut's mean |p - p*| in dollars in the first two, all and the last two periods."""
ALPHAS = (11.8, 8.1, 5.2, 5.5, 3.5)
"""Smith's test 1, percent by period."""
EFFICIENCIES = {
    "ziu": (90.0, 90.0, 76.7, 48.8, 86.0),
    "zic": (99.9, 99.2, 99.0, 98.2, 97.1),
    "humans": (99.7, 99.1, 100.0, 99.1, 90.2),
}
"""Of Gode and Sunder's markets 1 to 5, percent."""
DISPERSIONS = {
    "ziu": (225.48, 253.12, 90.54, 363.80, 156.28),
    "zic": (28.53, 49.81, 15.90, 60.47, 19.07),
    "humans": (18.67, 28.74, 8.23, 15.37, 30.69),
}
"""Root mean square of actual less equilibrium profit in the same markets, in Gode and Sunder's price units."""
ORDERS = {"ziu": 0.42, "zic": 0.74, "humans": 0.52}
"""Rank correlation with the efficient order of trade."""
