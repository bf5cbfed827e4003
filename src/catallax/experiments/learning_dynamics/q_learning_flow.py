"""Q-learning in competitive games: convergence to the logit equilibrium, of flows and of sampled learners.

Every replication starts all trajectories of a cell at points drawn uniformly from the simplices. The payoffs of the
two-player game are not printed in the source; ours are in the zoo of games, temperatures in `reference_values`.

Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1. Its figures are experiments of their own.
"""

from typing import Any

import jax.numpy as jnp
import msgspec

from catallax.agents.tabular.boltzmann import BoltzmannQ
from catallax.core import Group, Independent, Play, Population
from catallax.games.matrix import Polymatrix, Repeated, asymmetric_matching_pennies, match_mismatch_line
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.matrix import Distance, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.structure import interior_equilibrium, zero_sum_weights

from .q_learning_claims import CLAIMS
from .q_learning_report import report
from .reference_values import AMPS, AMPS_START, AMPS_TRAJECTORIES, line_rows

HORIZON = 300
"""Time in the equilibrium cells: at T = 0.1 distances have then shrunk by exp(-30)."""
LEARNING = 2000
"""Plays of the stage game by sampled learners."""
LEARNERS_T = 1.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 20
    """Runge-Kutta steps for each unit of time."""


def _to_equilibrium(name: str, label: str, game: Polymatrix, rows: Any, substeps: int) -> Cell:
    """Flows from random starts, one for each (temperatures, P(H)) of the reference equilibria."""
    rates = jnp.asarray([temperatures for temperatures, _ in rows]).T
    heads = jnp.asarray([p for _, p in rows]).T
    distance = Distance(target=_two_actions(heads), weights=jnp.asarray(zero_sum_weights(game).weights))
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, rates, integrator=RungeKutta(substeps)),
        measures=(distance, Policy(every=HORIZON)),
        steps={"quick": HORIZON, "paper": HORIZON},
    )


def _two_actions(heads: Any) -> Any:
    """P(H) [n, ...] as policies [n, 2, ...]."""
    return jnp.stack([heads, 1 - heads], axis=1)


def _with_dummies(rows: Any, ends: tuple[float, float]) -> list[tuple[float, ...]]:
    """Numbers of players 1, ..., n with those of the two dummies around them."""
    return [(ends[0], *row, ends[1]) for row in rows]


def _line(n: int, substeps: int) -> Cell:
    """The line of n players. The dummies' only action is column 0; their temperature has no effect."""
    temperatures, heads = zip(*line_rows(n), strict=True)
    rows = zip(_with_dummies(temperatures, (1.0, 1.0)), _with_dummies(heads, (1.0, 1.0)), strict=True)
    return _to_equilibrium(f"line_{n}", f"line of {n}", match_mismatch_line(n), list(rows), substeps)


def _amps_trajectories() -> Cell:
    """The same start for all temperatures, as in the reference table."""
    game = asymmetric_matching_pennies()
    nash, w = jnp.asarray(interior_equilibrium(game)), jnp.asarray(zero_sum_weights(game).weights)
    rates = jnp.asarray(list(AMPS_TRAJECTORIES)).T
    return Cell(
        name="amps_trajectories",
        label="AMPs from (0.8, 0.9)",
        build=lambda: QLearningFlow(game, rates, jnp.asarray(AMPS_START), integrator=RungeKutta(2000)),
        measures=(Policy(), Distance(target=nash, weights=w)),
        steps={"quick": 10, "paper": 10},
    )


def _learners() -> Cell:
    """Sampled Boltzmann learners in the repeated game, a hundred copies side by side."""
    game = asymmetric_matching_pennies()
    target = _two_actions(jnp.asarray(AMPS[LEARNERS_T, LEARNERS_T]))
    seats = Group("player", None, Independent(BoltzmannQ(temperature=LEARNERS_T, rate=0.05)))
    return Cell(
        name="learners",
        label="AMPs, sampled learners",
        build=lambda: Play(Repeated(game), Population((seats,)), length=1, copies=100, episodic=False),
        measures=(
            Policy(every=20),
            Distance(target=target, weights=jnp.asarray(zero_sum_weights(game).weights), every=20),
        ),
        steps={"quick": LEARNING, "paper": LEARNING},
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Equilibria of both games, trajectories, sampled learners."""
    substeps = settings.substeps
    return (
        _to_equilibrium("amps", "AMPs", asymmetric_matching_pennies(), list(AMPS.items()), substeps),
        *(_line(n, substeps) for n in (3, 5, 7)),
        _amps_trajectories(),
        _learners(),
    )


experiment = Experiment(
    name="learning_dynamics.q_learning_flow",
    title="Q-learning in weighted zero-sum polymatrix games",
    summary="Flows and sampled learners against logit equilibria",
    sources=("LeonardosPiliourasSpendlove2021", "CaiEtAl2016", "McKelveyPalfrey1995"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=HORIZON, replications=10, block=10, chunk=HORIZON),
        "paper": Scale(steps=HORIZON, replications=100, block=50, chunk=HORIZON),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
