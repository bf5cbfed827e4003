"""Polymatrix games played again and again, their learner, their flows."""

from collections.abc import Callable

import numpy as np

from catallax.agents.tabular import BoltzmannQ
from catallax.core import AbstractGame, Group, Play, Population
from catallax.games.matrix import Repeated, match_mismatch_line, matching_pennies, prisoners_dilemma
from catallax.measures import matrix
from catallax.solvers.matrix import LogitNewton, QLearningFlow, RungeKutta, SmoothQLearning

from .places import Seat, Solver, Watch


def dilemma() -> Repeated:
    """Players who see what was played last."""
    return Repeated(prisoners_dilemma(), memory=1)


def pennies() -> Play:
    """Two learners of matching pennies."""
    game = Repeated(matching_pennies())
    return Play(game, Population([Group(r.name, None, BoltzmannQ()) for r in game.roles]), length=4)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "line of three, repeated": lambda: Repeated(match_mismatch_line(3)),
    "dilemma, memory one": dilemma,
}

AGENTS: dict[str, Seat] = {
    "BoltzmannQ": Seat(BoltzmannQ, dilemma, "player"),
    "BoltzmannQ, frequency adjusted": Seat(lambda: BoltzmannQ(frequency_adjusted=True), dilemma, "player"),
}

MEASURES: dict[str, Watch] = {
    "Policy": Watch(matrix.Policy, pennies),
    "Payoffs": Watch(matrix.Payoffs, pennies),
    "Exploitability": Watch(matrix.Exploitability, pennies),
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
    "LogitNewton": Solver(lambda: LogitNewton(match_mismatch_line(3), 0.5), 1e-5),
}
