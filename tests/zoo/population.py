"""Populations of Q-learners: the transport equation of their values, and measures of it."""

import numpy as np

from catallax.games.matrix import prisoners_dilemma
from catallax.measures import learner_density
from catallax.solvers.learner_density import (
    Beta,
    Characteristics,
    FiniteLearners,
    FiniteVolume,
    LearnerModel,
    ProductLaw,
    Uniform,
)
from catallax.solvers.matrix.flow import RungeKutta

from .places import Solver, Watch

BOX = ProductLaw(Uniform(0, 2), Beta(0, 2))


def dilemma() -> LearnerModel:
    """Fast learners of the prisoners' dilemma."""
    return LearnerModel(prisoners_dilemma(), rate=4.0)


def nodes() -> Characteristics:
    """A coarse quadrature."""
    return Characteristics(dilemma(), BOX, 3, integrator=RungeKutta(20))


def grid() -> FiniteVolume:
    """A coarse grid."""
    return FiniteVolume(dilemma(), BOX, 10)


def agents() -> FiniteLearners:
    """Two small populations in which everybody meets everybody."""
    return FiniteLearners(dilemma(), BOX, 20, gain=0.2, populations=2)


MEASURES: dict[str, Watch] = {
    "MeanPolicy": Watch(learner_density.MeanPolicy, agents),
    "MeanPolicy, before": Watch(lambda: learner_density.MeanPolicy(before=True), nodes),
    "Moments": Watch(learner_density.Moments, nodes),
    "StationaryDistance": Watch(
        lambda: learner_density.StationaryDistance(values=np.ones(2), policy=np.full(2, 0.5)), agents
    ),
    "Histogram": Watch(lambda: learner_density.Histogram(bins=5, high=5.0), agents),
    "Density": Watch(learner_density.Density, grid),
    "Courant": Watch(learner_density.Courant, grid),
}

SOLVERS: dict[str, Solver] = {
    "Characteristics": Solver(nodes, 1e-4),
    # Cells have a width: the population gathers in a few of them.
    "FiniteVolume": Solver(grid, 0.4),
    # Learners draw their actions: their values keep moving.
    "FiniteLearners": Solver(agents, 0.3),
    "FiniteLearners, pairs": Solver(
        lambda: FiniteLearners(dilemma(), BOX, 20, gain=0.02, opponents=1, lattice=True), 0.8
    ),
}
