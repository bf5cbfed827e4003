"""Exploration that rises and falls, and the equilibrium it selects: explore-then-exploit, one cycle, linear.

In matching pennies all pairs of two policies walk over the surface of logit equilibria down to the Nash equilibrium. In
a line of three players, who have infinitely many Nash equilibria, exploration splits the stake of players 1 and 3
fairly; without it any split may be reached. Every replication starts at policies drawn uniformly from the simplices.
Peaks, lengths and the linear rates are not printed in the source; ours are in `exploration_claims`.

Source: Leonardos, Piliouras and Spendlove (2021), figures 1, 6 and 10.
"""

import jax.numpy as jnp
import msgspec
import numpy as np

from catallax.core import check_count
from catallax.games.matrix import asymmetric_matching_pennies, match_mismatch_line
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.matrix import Payoffs, Policy
from catallax.solvers.matrix.flow import (
    AbstractTemperatureSchedule,
    ExploreThenExploit,
    LinearTemperature,
    Matched,
    OneCycle,
    QLearningFlow,
    RungeKutta,
)

from .exploration_claims import CLAIMS, FIRST, LENGTH, LINE, PAIRS, PEAK, RUNS, SLOW, matching
from .exploration_report import report
from .surfaces import surface


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 20
    """Runge-Kutta steps for each unit of time."""


def policies(length: float) -> tuple[AbstractTemperatureSchedule, AbstractTemperatureSchedule]:
    """Explore-then-exploit and one cycle: number 0 and 1 of every matching."""
    return ExploreThenExploit(PEAK, length), OneCycle(PEAK, length)


def _paths(name: str, label: str, length: float, interval: float, substeps: int) -> Cell:
    """Figures 1 and 6: all pairs of policies, one a trajectory."""
    game, which = asymmetric_matching_pennies(), np.asarray(PAIRS).T
    steps = round(length / interval)
    integrator = RungeKutta(max(1, round(substeps * interval)))
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, Matched(which, policies(length)), interval=interval, integrator=integrator),
        measures=(Policy(),),
        steps={"quick": steps, "paper": steps},
    )


def _line(name: str, label: str, schedule: AbstractTemperatureSchedule | float, runs: int, substeps: int) -> Cell:
    """Figure 10: three players between two dummies, whose rates have no effect."""
    game = match_mismatch_line(3)
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(
            game, schedule, interval=LINE / 100, integrator=RungeKutta(round(LINE / 100) * substeps), trajectories=runs
        ),
        measures=(Policy(), Payoffs()),
        steps={"quick": 100, "paper": 100},
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The surface, paths over it in two speeds, and the line of three with three kinds of exploration."""
    check_count("exploration", "substeps", settings.substeps)
    substeps = settings.substeps
    which = np.pad(matching(), ((1, 1), (0, 0)))
    first = jnp.asarray([1.0, *FIRST, 1.0])
    return (
        surface("AMPs", asymmetric_matching_pennies()),
        _paths("paths", f"AMPs, L = {LENGTH:g}", LENGTH, 0.25, substeps),
        _paths("slow_paths", f"AMPs, L = {SLOW:g}", SLOW, SLOW / 8, substeps),
        _line("linear", "line of 3, linear", LinearTemperature(first, 0.0, LINE), 1, substeps),
        _line("matched", "line of 3, matched at random", Matched(which, policies(LINE)), RUNS, substeps),
        _line("none", "line of 3, nobody explores", 0.0, 1, substeps),
    )


experiment = Experiment(
    name="learning_dynamics.exploration",
    title="Exploration policies and the equilibria they select",
    summary="Explore-then-exploit and one-cycle policies: paths over the QRE surface, and a fair split on a network",
    sources=("LeonardosPiliourasSpendlove2021", "SmithTopin2017"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=100, replications=10, block=10, chunk=100),
        "paper": Scale(steps=100, replications=50, block=25, chunk=100),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
