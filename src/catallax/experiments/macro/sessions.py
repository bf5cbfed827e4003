"""Reading pricing sessions out of results: each is judged at the first check after it has settled."""

from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from catallax.games.macro import LogitMarket, PricingGame, pricing_game
from catallax.measures.macro import Deviation, deviation


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


@eqx.filter_jit
def _deviations(game: PricingGame, policy: Any, world: Any, discount: Any) -> Deviation:
    return jax.vmap(lambda p, w: deviation(game, p, w, discount))(policy, world)


@lru_cache(maxsize=4)  # several claims, a table and a figure ask for the same
def deviations(results: Any, treatment: Treatment) -> Deviation:
    """Impulse responses of all sessions from their last state, leaves `[replicate, ...]`; firm 1 deviates.

    Prices and gain are NaN in sessions that had not settled by the end. The treatment must have no lane.
    """
    state = results.final(treatment.cell)
    policy = np.concatenate(
        [np.asarray(a.greedy) for a in state.agents], axis=1
    )  # groups are in the order of the seats
    world = np.asarray(state.worlds)[:, 0]
    game, discount = game_of(results.settings), jnp.float32(results.settings.discount)
    found = _deviations(game, jnp.asarray(policy), jnp.asarray(world), discount)
    unsettled = np.isnan(settled(results, treatment, "profit_gain").periods)
    price, gain = (np.array(x, float) for x in (found.price, found.gain))
    price[unsettled], gain[unsettled] = np.nan, np.nan
    return Deviation(price, gain, np.asarray(found.back))  # pyright: ignore  (NumPy arrays of the same shapes)
