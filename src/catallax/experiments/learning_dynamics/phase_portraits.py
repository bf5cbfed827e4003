"""Phase portraits of Q-learning when only one of two players explores: it suffices for convergence.

Every replication starts each trajectory at policies drawn uniformly from the simplices. Temperatures, payoffs of
matching pennies, horizons and starts of the figures are not printed in the source; ours are below. The proposition's
closed form says where play comes to rest.

Source: Leonardos, Piliouras and Spendlove (2021), figures 2, 7 and 8, proposition C.1.
"""

import jax.numpy as jnp
import msgspec
import numpy as np

from catallax.core import check_count
from catallax.games.matrix import Edge, Polymatrix, asymmetric_matching_pennies, rock_paper_scissors
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.matrix import Distance, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.structure import zero_sum_weights

from .phase_portraits_claims import CLAIMS, MODIFIED, MODIFIED_T, ONE_EXPLORER, RPS_T, amps_rest, modified_rest
from .phase_portraits_report import report

DRAWN = 400
"""Steps of 0.1 time units in the simplex plots."""
REST = 300
"""Time after which play is asked whether it has come to rest."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 10
    """Runge-Kutta steps in each 0.1 units of time of the paths."""


def explorer_only(temperatures: tuple[float, ...]) -> np.ndarray:
    """Temperatures [2, B] if player 2 alone explores."""
    return np.stack([np.zeros(len(temperatures)), np.asarray(temperatures)])


def modified_rps() -> Polymatrix:
    """Rock-paper-scissors with another stake: zero-sum, symmetric, Nash equilibrium (1/4, 1/2, 1/4)."""
    return Polymatrix([Edge(0, 1, MODIFIED, MODIFIED)])


def _paths(name: str, label: str, game: Polymatrix, temperatures: tuple[float, ...], substeps: int, steps: int) -> Cell:
    """Paths in fine steps, to be drawn."""
    rates = explorer_only(temperatures)
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, rates, interval=0.1, integrator=RungeKutta(substeps)),
        measures=(Policy(),),
        steps={"quick": steps, "paper": steps},
    )


def _rest(name: str, label: str, game: Polymatrix, temperatures: tuple[float, ...], target: np.ndarray) -> Cell:
    """The same starts, followed until they rest."""
    rates = explorer_only(temperatures)
    distance = Distance(target=jnp.asarray(target), weights=jnp.asarray(zero_sum_weights(game).weights))
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, rates, interval=10.0, integrator=RungeKutta(400)),
        measures=(Policy(), distance),
        steps={"quick": REST // 10, "paper": REST // 10},
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Matching pennies, rock-paper-scissors and its modification: in fine steps, and to rest."""
    check_count("phase_portraits", "substeps", settings.substeps)
    games = (
        ("one_explorer", "AMPs", asymmetric_matching_pennies(), ONE_EXPLORER, amps_rest, 500),
        ("rps", "RPS", rock_paper_scissors(), RPS_T, lambda t: np.full((2, 3), 1 / 3), DRAWN),
        ("modified", "modified RPS", modified_rps(), MODIFIED_T, modified_rest, DRAWN),
    )
    pairs = [
        (
            _paths(name, f"{label}, only player 2 explores", game, temperatures, settings.substeps, steps),
            _rest(f"{name}_rest", f"{label}, to rest", game, temperatures, np.stack([*map(rest, temperatures)], -1)),
        )
        for name, label, game, temperatures, rest, steps in games
    ]
    return tuple(cell for pair in pairs for cell in pair)


experiment = Experiment(
    name="learning_dynamics.phase_portraits",
    title="One explorer is enough: phase portraits of Q-learning in two-player zero-sum games",
    summary="Matching pennies and rock-paper-scissors when only one player explores: portraits, time series, simplices",
    sources=("LeonardosPiliourasSpendlove2021",),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=DRAWN, replications=10, block=10, chunk=DRAWN),
        "paper": Scale(steps=DRAWN, replications=100, block=50, chunk=DRAWN),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
