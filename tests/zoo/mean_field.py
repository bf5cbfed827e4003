"""The repeated advertising auction, its learner and its solvers."""

from collections.abc import Callable

import numpy as np

from catallax.agents.tabular import EpsilonGreedy, QLearning
from catallax.core import AbstractDynamics, AbstractGame, AbstractMeasure
from catallax.games import mean_field as games
from catallax.games.mean_field import AdAuction, FinitePlayers, Representative, uniform_law, uniform_policy
from catallax.measures import mean_field as measures
from catallax.solvers import mean_field as solvers
from catallax.solvers.mean_field import FixedPoint, MeanFieldQ, MirrorDescent, PopulationFlow, Softmax, ValueIteration

from .places import Home, Seat, Solver, Watch


def small() -> AdAuction:
    """Four budgets, four bids, three bidders in a contest."""
    return AdAuction(budgets=4, bids=4, bidders=3)


def fixed_point() -> FixedPoint:
    """Value iteration against the law, softened so that it settles."""
    return FixedPoint(small(), Softmax(4.0))


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "Representative, ad auction": lambda: Representative(AdAuction(), np.full((10, 10), 0.01)),
    "FinitePlayers, ad auction": lambda: FinitePlayers(AdAuction(), 10),
}

AGENTS: dict[str, Seat] = {"QLearning": Seat(lambda: QLearning(10, 10), GAMES["FinitePlayers, ad auction"], "player")}


# Named here because another family has a measure of the same name.
MEASURES: dict[str, Watch] = {"Revenue": Watch(measures.Revenue, fixed_point, x64=True)}


def population_flow() -> PopulationFlow:
    """Everybody keeps to the uniform policy."""
    game = small()
    return PopulationFlow(game, uniform_policy(game), uniform_law(game))


SOLVERS: dict[str, Solver] = {
    "PopulationFlow": Solver(population_flow, 1e-10, x64=True),
    "ValueIteration": Solver(lambda: ValueIteration(small().frozen(uniform_law(small()))), 1e-10, x64=True),
    "FixedPoint": Solver(fixed_point, 1e-10, x64=True),
    "MirrorDescent": Solver(lambda: MirrorDescent(small()), 1e-6, x64=True),
    # Its samples are noisy: it comes to rest no nearer than that.
    "MeanFieldQ": Solver(
        lambda: MeanFieldQ(small(), QLearning(4, 4, explore=EpsilonGreedy(1.0)), 50, Softmax(4.0)), 1.0, x64=True
    ),
}

HOMES = (
    Home(games, AbstractGame, lambda make: make, {"game": AdAuction, "players": lambda: 10}),
    Home(measures, AbstractMeasure, lambda make: Watch(make, fixed_point, x64=True)),
    Home(solvers, AbstractDynamics, lambda make: Solver(make, 1e-6, x64=True), {"game": small}),
)
