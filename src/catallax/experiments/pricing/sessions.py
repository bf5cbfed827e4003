"""Reading pricing sessions out of results: each is judged at the first check after it has settled."""

from typing import Any, NamedTuple

import numpy as np

from catallax.games.pricing import LogitMarket, PricingGame, pricing_game


class Treatment(NamedTuple):
    """Where the sessions of one kind of learner are: a cell, and the place on its lane if it has one."""

    cell: str
    label: str
    discount: int | None = None
    """Place on the lane of discount factors; None where the cell has no lane."""


class Settled(NamedTuple):
    """Sessions where they settled; NaN where one did not."""

    value: np.ndarray
    """The variable at the first check at which the session was settled, `[replicate, ...]`."""
    periods: np.ndarray
    """Periods until the stopping rule held, its window of stability included, `[replicate]`."""


class PriceCuts(NamedTuple):
    """What follows a price cut by firm 1 in each session, where it settled; NaN where it did not."""

    price: np.ndarray
    """`[replicate, period, firm]`; period 0 is before the cut, 1 the cut."""
    gain: np.ndarray
    """Discounted gain of the cut as a share of what firm 1 would have had, `[replicate]`."""
    back: np.ndarray
    """1 where the prices belong to the cycle that was left, `[replicate, period]`."""


def game_of(settings: Any) -> PricingGame:
    """The pricing game of an experiment's settings."""
    return pricing_game(LogitMarket(costs=settings.costs, mu=settings.mu), points=settings.points)


def series(results: Any, treatment: Treatment) -> Any:
    """The labelled data of a treatment, without its lane."""
    data = results.dataset(treatment.cell)
    return data if treatment.discount is None else data.isel(discount=treatment.discount)


def settled(results: Any, treatment: Treatment, variable: str) -> Settled:
    """A variable of `Collusion` at the end of each session."""
    data = series(results, treatment)
    flag = data["settled"].values.astype(bool)
    first, ever = flag.argmax(axis=1), flag.any(axis=1)
    row = np.arange(flag.shape[0])
    value = data[variable].values[row, first].astype(float)
    value[~ever] = np.nan
    last_change = data["phase"].values[first] + 1 - data["stable"].values[row, first]
    return Settled(value, np.where(ever, last_change + results.settings.patience, np.nan))


def price_cuts(results: Any, treatment: Treatment) -> PriceCuts:
    """What `PriceCut` found where each session settled."""
    at = lambda variable: settled(results, treatment, variable).value
    return PriceCuts(at("cut_price"), at("cut_gain"), at("cut_back"))
