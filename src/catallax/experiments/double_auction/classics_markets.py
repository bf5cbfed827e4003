"""The published laboratory markets: which schedules, which traders, under which rules. Prices are cents.

A cell is one program. Several traders play side by side in it, each in every seat of a copy of the market of its own;
the four schedules of Cliff are its lanes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.traders import GD, ZIC, ZIP, ZIU, AbstractTrader
from catallax.core import Group, InputError, Lineup, Play, Population
from catallax.games.double_auction import ContinuousDoubleAuction, DoubleAuction, aurora
from catallax.games.double_auction.schedules import (
    CLIFF_A,
    CLIFF_B,
    CLIFF_C,
    CLIFF_D,
    GJERSTAD_DICKHAUT_SYMMETRIC,
    Schedule,
)
from catallax.games.double_auction.tokens import AbstractTokens

LOW, HIGH = 1.0, 400.0
"""Price bounds: of Cliff's random quotes, $0.01 to $4.00, and of our markets of Gjerstad and Dickhaut."""
CENT = 1.0
MARKETS = {"A": CLIFF_A, "B": CLIFF_B, "C": CLIFF_C, "D": CLIFF_D}
"""Of Cliff, in the order of the lane "market"; A is Smith's test 1 in cents."""
SEATS = 11
"""On each side, some without units in C and D."""


def _traders() -> dict[str, AbstractTrader]:
    # Cliff's largest absolute perturbation is five cents
    return {"zip": ZIP(absolute=5.0 / (HIGH - LOW)), "gd": GD(), "zic": ZIC(), "ziu": ZIU()}


class Session(NamedTuple):
    """A cell: who plays, each trader in a copy of its own, and how long.

    Attributes:
        label: What tables print.
        traders: Names, in the order of the copies.
        steps: Ticks in a period.
        periods: Periods in a round; traders remember them. By name of the scale.
    """

    label: str
    traders: tuple[str, ...]
    steps: int
    periods: dict[str, int]


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
    session, symmetric = SESSIONS[name], GJERSTAD_DICKHAUT_SYMMETRIC
    changes: dict[str, Any] = dict(steps=session.steps, periods=session.periods[scale])
    if name in LANED:
        tokens = OneOf(tuple(MARKETS.values()), market)
        return continuous(tokens=tokens, buyers=SEATS, sellers=SEATS, **changes)
    changes |= dict(tokens=symmetric.tokens(), buyers=len(symmetric.buyers), sellers=len(symmetric.sellers))
    return aurora(low=LOW, high=HIGH, tick=CENT, **changes) if name == "aurora" else continuous(**changes)


def play(name: str, scale: str, market: Any = 0) -> Play:
    """A cell as a dynamics: a phase is a round of all its periods, copy k is all of trader k."""
    rules, names = _traders(), SESSIONS[name].traders
    auction = game(name, scale, market)
    groups = []
    for role in auction.roles:
        seating = np.tile(np.arange(len(names)), (role.seats, 1))
        groups.append(Group(role.name, None, Lineup([rules[n] for n in names], seating)))
    # copies share their random numbers: traders of a cell are compared on equal luck
    return Play(auction, Population(groups), length=auction.length, copies=len(names), copies_per_draw=len(names))
