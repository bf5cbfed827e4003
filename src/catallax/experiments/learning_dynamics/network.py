"""Q-learning on a line of players, each to match the next and to mismatch the one before: who must explore.

With three players: the logit equilibrium over two temperatures. With seven: where play ends if nobody, some or all
explore. With up to fifteen: the Lyapunov function along play and on random planes. Every replication starts at policies
drawn uniformly from the simplices, and looks at planes of its own. Temperatures and the sizes of the last games are not
printed in the source; ours are in `network_claims`.

Source: Leonardos, Piliouras and Spendlove (2021), figures 3, 4, 5 and 9, algorithm 1.
"""

import jax.numpy as jnp
import msgspec
import numpy as np

from catallax.games.matrix import match_mismatch_line
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.matrix import Payoffs, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta

from .network_claims import CLAIMS, FIXED_T, LYAPUNOV_T, SELECTION_T, SIZES
from .network_report import report
from .surfaces import surface

SELECTION = 200
"""Time in the box plots: with larger temperatures and longer times the even players settle too."""
SETTLED = 60
"""Time of the Lyapunov flows: at T = 0.5 distances have then shrunk by exp(-30)."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    substeps: int = 20
    """Runge-Kutta steps for each unit of time."""


def _selection(substeps: int) -> Cell:
    """Figure 5: seven players on a line; nobody, players 1 to 3, or all explore (dummies' rates have no effect)."""
    explore = SELECTION_T * np.asarray([[0] * 7, [1, 1, 1, 0, 0, 0, 0], [1] * 7])
    rates = jnp.asarray(np.pad(explore, ((0, 0), (1, 1)), constant_values=1.0)).T
    return Cell(
        name="selection",
        label="line of 7: none, players 1-3, all explore",
        build=lambda: QLearningFlow(match_mismatch_line(7), rates, integrator=RungeKutta(substeps)),
        measures=(Policy(every=SELECTION), Payoffs(every=SELECTION)),
        steps={"quick": SELECTION, "paper": SELECTION},
    )


def _lyapunov(n: int, substeps: int) -> Cell:
    """Figures 4 (panel 4) and 9: the flow, whose end is the equilibrium of the snapshots."""
    return Cell(
        name=f"lyapunov_{n}",
        label=f"line of {n}, T = {LYAPUNOV_T:g}",
        build=lambda: QLearningFlow(match_mismatch_line(n), LYAPUNOV_T, integrator=RungeKutta(substeps)),
        measures=(Policy(),),
        steps={"quick": SETTLED, "paper": SETTLED},
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The surface, who explores, and flows to the equilibria of the snapshots."""
    substeps = settings.substeps
    figure_4 = surface(f"line of 3, T_3 = {FIXED_T:g}", match_mismatch_line(3), (1, 2), FIXED_T)
    return (figure_4, _selection(substeps), *(_lyapunov(n, substeps) for n in SIZES))


experiment = Experiment(
    name="learning_dynamics.network",
    title="Who must explore on a network: equilibrium selection in the match-mismatch line",
    summary="A line of players who match and mismatch: surfaces of equilibria, who must explore, Lyapunov snapshots",
    sources=("LeonardosPiliourasSpendlove2021", "LiEtAl2018"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=SELECTION, replications=10, block=10, chunk=SELECTION),
        "paper": Scale(steps=SELECTION, replications=100, block=50, chunk=SELECTION),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
