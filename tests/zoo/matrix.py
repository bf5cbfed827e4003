"""Polymatrix games played again and again, their learner, their flows."""

from collections.abc import Callable

import numpy as np

from catallax.agents import tabular
from catallax.agents.tabular import BoltzmannQ, CrossLearning, ExperienceWeighted, FictitiousPlay, RegretMatching
from catallax.core import AbstractAgent, AbstractDynamics, AbstractGame, AbstractMeasure, Group, Play, Population
from catallax.games import matrix as games
from catallax.games.matrix import Repeated, match_mismatch_line, matching_pennies, prisoners_dilemma
from catallax.measures import matrix
from catallax.measures import matrix as measures
from catallax.solvers.matrix import flow, flow_analysis, host, logit, nash, structure
from catallax.solvers.matrix.flow import BestResponsePlay, QLearningFlow, RungeKutta, SmoothQLearning
from catallax.solvers.matrix.logit import LogitGrid, LogitNewton

from .places import Home, Seat, Solver, Watch


def dilemma() -> Repeated:
    """Players who see what was played last."""
    return Repeated(prisoners_dilemma(), memory=1)


def open_dilemma() -> Repeated:
    """Players who see what each action would have earned."""
    return Repeated(prisoners_dilemma(), shows="forgone")


def pennies() -> Play:
    """Two learners of matching pennies."""
    game = Repeated(matching_pennies())
    return Play(game, Population([Group(r.name, None, BoltzmannQ()) for r in game.roles]), length=4)


def grid() -> LogitGrid:
    """Equilibria at three temperature vectors, from random starts."""
    return LogitGrid(matching_pennies(), [[0.5, 1.0, 2.0], [1.0, 1.0, 0.25]])


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "Repeated, line of three": lambda: Repeated(match_mismatch_line(3)),
    "Repeated, dilemma, memory one": dilemma,
    "Repeated, dilemma, forgone payoffs": open_dilemma,
    "Repeated, line of three, both": lambda: Repeated(match_mismatch_line(3), memory=1, shows="forgone"),
}

AGENTS: dict[str, Seat] = {
    "BoltzmannQ": Seat(BoltzmannQ, dilemma, "player"),
    "BoltzmannQ, frequency adjusted": Seat(lambda: BoltzmannQ(frequency_adjusted=True), dilemma, "player"),
    "CrossLearning": Seat(lambda: CrossLearning(high=5.0), dilemma, "player"),
    "ExperienceWeighted": Seat(lambda: ExperienceWeighted(delta=0.5), open_dilemma, "player"),
    "FictitiousPlay": Seat(FictitiousPlay, open_dilemma, "player"),
    "RegretMatching": Seat(RegretMatching, open_dilemma, "player"),
    "FictitiousPlay, smooth": Seat(lambda: FictitiousPlay(temperature=1.0, rate=0.1), open_dilemma, "player"),
}

MEASURES: dict[str, Watch] = {
    "Gap": Watch(matrix.Gap, grid),
    "Lyapunov": Watch(
        lambda: matrix.Lyapunov(target=np.full((2, 2), 0.5), weights=np.ones(2), temperature=np.ones(2)), pennies
    ),
    "Distance": Watch(lambda: matrix.Distance(target=np.full((2, 2), 0.5), weights=np.ones(2)), pennies),
}

SOLVERS: dict[str, Solver] = {
    "QLearningFlow": Solver(lambda: QLearningFlow(matching_pennies(), 1.0, trajectories=3), 1e-4),
    "QLearningFlow, fixed steps": Solver(
        lambda: QLearningFlow(matching_pennies(), 1.0, trajectories=3, integrator=RungeKutta(20)), 1e-4
    ),
    "SmoothQLearning": Solver(lambda: SmoothQLearning(matching_pennies(), 1.0), 1e-4),
    "BestResponsePlay": Solver(lambda: BestResponsePlay(matching_pennies(), start=[0.8, 0.3]), 0.1),
    "BestResponsePlay, smooth": Solver(lambda: BestResponsePlay(match_mismatch_line(3), 1.0, rate=0.1), 1e-5),
    "LogitNewton": Solver(lambda: LogitNewton(match_mismatch_line(3), 0.5), 1e-5),
    "LogitGrid": Solver(grid, 1e-5),
}

HOMES = (
    Home(games, AbstractGame, lambda make: make, {"stage": prisoners_dilemma}),
    Home(
        tabular, AbstractAgent, lambda make: Seat(make, dilemma, "player"), {"states": lambda: 5, "actions": lambda: 2}
    ),
    Home(measures, AbstractMeasure, lambda make: Watch(make, pennies)),
    *(
        Home(
            room,
            AbstractDynamics,
            lambda make: Solver(make, 1e-4),
            {"game": matching_pennies, "temperature": lambda: 1.0},
        )
        for room in (flow, flow_analysis, host, logit, nash, structure)
    ),
)
