"""The factors of the study of what makes Q-learners collude in auctions, its designs, and what each point runs."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning, SynchronousQLearning, UniformValues
from catallax.core import Group, Play, Population
from catallax.games.sealed_bid import SealedBid, even_grid, symmetric_equilibria
from catallax.lab.factorial import Design, factorial


class Factor(NamedTuple):
    """A factor and its two levels."""

    low: float
    high: float
    label: str
    levels: str
    """In words: low / high."""
    shapes: bool = False
    """Whether its levels are different programs."""


FACTORS: dict[str, Factor] = {
    "format": Factor(1.0, 2.0, "auction format", "first price / second price"),
    "gamma": Factor(0.25, 0.95, "discount factor", "0.25 / 0.95"),
    "alpha": Factor(0.05, 0.2, "step size", "0.05 / 0.2"),
    "initial": Factor(0.0, 1.0, "first values", "uniform in [0, 0.01] / in [0, 1 / (1 - gamma)]"),
    "exploration": Factor(0.1, 0.9, "exploration", "falls from 1 to 0.01 over 10% / 90% of the run"),
    "reserve": Factor(0.0, 0.5, "reserve price", "none / 0.5"),
    "bidders": Factor(2.0, 4.0, "bidders", "2 / 4", shapes=True),
    "update": Factor(0.0, 1.0, "update", "bid made / all bids", shapes=True),
    "information": Factor(0.0, 1.0, "winning bid seen", "no / yes", shapes=True),
    "bids": Factor(9.0, 19.0, "bids on the grid", "9 / 19", shapes=True),
}
"""The unit is worth 1 to all; bids lie inside (0, 1) at equal distances."""

LEAST = 0.01
"""Chance of exploring when the fall that `exploration` speaks of is over; it goes on falling at that rate."""

_BASE = ("format", "gamma", "alpha", "initial", "exploration", "bidders", "update")


@cache
def design_of(scale: str) -> Design:
    """The design of a scale: a half fraction, in which only effects of very many factors are aliased.

    "paper": ten factors in 512 points, 2^(10-1), resolution X, the size of the design of the source. Elsewhere eight in
    128 points, 2^(8-1), resolution VIII, with the low levels of `information` and `bids`, as each factor that shapes
    the program doubles what must be compiled. Smaller fractions mislead here: at resolution V the large interaction of
    discount, bidders and update is taken for one of format and exploration.
    """
    if scale == "paper":
        base = (*_BASE, "reserve", "information")
        return factorial(base, {"bids": base})
    return factorial(_BASE, {"reserve": _BASE})


@cache
def points_of(scale: str) -> tuple[dict[str, float], ...]:
    """The value of every factor at every point of the design."""
    design = design_of(scale)
    value = lambda name, sign: FACTORS[name].high if sign > 0 else FACTORS[name].low
    fixed = {name: factor.low for name, factor in FACTORS.items() if name not in design.factors}
    return tuple(fixed | {n: value(n, s) for n, s in zip(design.factors, row, strict=True)} for row in design.matrix)


def shape_of(point: dict[str, float]) -> tuple[int, ...]:
    """What decides the program of a point: the values of the factors that shape it."""
    return tuple(int(point[name]) for name, factor in FACTORS.items() if factor.shapes)


def groups(scale: str) -> dict[str, tuple[int, ...]]:
    """Cell name -> the points of the design that it runs, by number."""
    found: dict[str, list[int]] = {}
    for number, point in enumerate(points_of(scale)):
        n, update, seen, bids = shape_of(point)
        name = f"{n}_bidders_{'all' if update else 'own'}_{'seen' if seen else 'blind'}_{bids}_bids"
        found.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in sorted(found.items())}


def game_of(point: dict[str, Any]) -> SealedBid:
    """The auction of a point; the values of factors that do not shape it may be traced."""
    bids = int(point["bids"])
    feedback = ("full" if point["update"] else "none", "full and winning bid" if point["update"] else "winning bid")
    return SealedBid(  # pyright: ignore  (takes the inherited property `roles` for a field)
        bids=even_grid(1 / (bids + 1), bids / (bids + 1), bids),
        bidders=int(point["bidders"]),
        rule=point["format"],
        reserve=point["reserve"],
        feedback=feedback[int(point["information"])],
    )


def play_of(scale: str, numbers: tuple[int, ...], rounds: int) -> Callable[..., Play]:
    """From the place of a point among `numbers` to learners at play in its auction for so many rounds."""
    points = [points_of(scale)[i] for i in numbers]

    def build(point: Any) -> Play:
        here: dict[str, Any] = {
            name: points[0][name] if factor.shapes else jnp.asarray([p[name] for p in points])[point]
            for name, factor in FACTORS.items()
        }
        game = game_of(here)
        optimistic = 1 / (1 - here["gamma"])
        first = UniformValues(0.0, jnp.where(here["initial"] > 0.5, optimistic, 0.01))
        explore = EpsilonGreedy(1.0, decay=-math.log(LEAST) / (here["exploration"] * rounds))
        if here["update"]:
            rule: Any = SynchronousQLearning(
                game.actions, game.states, explore, alpha=here["alpha"], gamma=here["gamma"], initial=first
            )
        else:
            rule = QLearning(
                game.states, game.actions, explore, ConstantRate(here["alpha"]), gamma=here["gamma"], initial=first
            )
        return Play(game, Population((Group("bidder", None, rule),)), length=1, episodic=False)

    return build


@cache
def static_prices(scale: str) -> np.ndarray:
    """At each point, the price in the lowest symmetric pure equilibrium of one auction: what competition is."""
    decides = ("bids", "bidders", "format", "reserve")
    return np.asarray([_static_price(*(float(point[name]) for name in decides)) for point in points_of(scale)])


@cache
def _static_price(bids: float, bidders: float, rule: float, reserve: float) -> float:
    game = game_of(
        {"bids": bids, "bidders": bidders, "format": rule, "reserve": reserve, "update": 0, "information": 0}
    )
    grid = np.asarray(game.bids, float)
    return float(min(grid[i] for i in symmetric_equilibria(game, 1e-6) if grid[i] >= reserve - 1e-6))
