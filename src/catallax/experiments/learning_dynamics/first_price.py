"""A first-price auction with three bids: what its equilibria are, and which of them learners reach.

Two bidders of value 1 bid 0, 1/2 or 1; the winner pays its bid and a fee, ties are halved. Replicator dynamics from
random starts, with the fee and with the matrix as printed, which lacks it; the same with the two lower bids only, where
the basins of attraction are known; logit equilibria by Newton's method from random starts over a range of temperatures,
and where Q-learning ends at each; cross learning and frequency-adjusted Q-learning from sampled payoffs beside their
flows.

Source: Rawat (2023), the example of replicator dynamics; Boergers and Sarin (1997); Kaisers and Tuyls (2010).
"""

from typing import Any

import jax.numpy as jnp
import msgspec
import numpy as np

from catallax.agents.tabular import BoltzmannQ, CrossLearning
from catallax.core import Group, Independent, Play, Population
from catallax.games.matrix import Polymatrix, Repeated, first_price_bids
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.matrix import Gap, Payoffs, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.logit import LogitGrid

from .first_price_claims import CLAIMS, FEE, TEMPERATURES, THETA
from .first_price_report import report

STARTS = 200
"""Random starts of each replication of a replicator cell."""
REST, INTERVAL, SUBSTEPS = 500, 2.0, 4
"""Steps of the flows, the time between them and Runge-Kutta steps in it: payoffs differ by an eighth, rest is slow."""
SLOWER = 5
"""How many times longer the flow at positive temperatures is given: it is slowest near the bifurcation."""
GRID_STARTS = 4
PLAYS = 4000
"""Of the sampled learners; the flow's time is their product with the step size."""
LEARNER_T, LEARNER_RATE, LEARNER_FLOOR = 0.1, 0.01, 0.1
"""Of frequency-adjusted Q-learning."""
PATH_START = (0.6, 0.3, 0.1)
"""Where both bidders begin in the cells of sampled learners and of the flows beside them."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    winner_fee: float = FEE
    """What the winner pays beside its bid, a share of the value."""


def two_bids(winner_fee: float) -> Polymatrix:
    """The game without the highest bid, which is strictly dominated if there is a fee."""
    pay = np.asarray(first_price_bids(winner_fee).edge(0, 1))[:2, :2]
    return Polymatrix([(0, 1, pay, pay)])


def _replicator(name: str, label: str, game: Polymatrix, every: int = REST) -> Cell:
    """Replicator dynamics from random starts, to rest."""
    return Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, 0.0, interval=INTERVAL, integrator=RungeKutta(SUBSTEPS), trajectories=STARTS),
        measures=(Policy(every=every), Payoffs(every=REST)),
        steps={"quick": REST, "paper": REST},
    )


def _over_temperatures(game: Polymatrix) -> tuple[Cell, Cell]:
    """Logit equilibria, stable or not, and where the flow ends, at every temperature from several random starts."""
    rates = jnp.tile(jnp.repeat(jnp.asarray(TEMPERATURES), GRID_STARTS)[None], (2, 1))
    equilibria = Cell(
        name="equilibria",
        label="logit equilibria",
        build=lambda: LogitGrid(game, rates, stages=0),  # cooled down, all would follow the principal branch
        measures=(Policy(every=60), Gap(every=60)),
        steps={"quick": 60, "paper": 60},
    )
    ends = Cell(
        name="q_learning",
        label="Q-learning flow",
        build=lambda: QLearningFlow(game, rates, interval=SLOWER * INTERVAL, integrator=RungeKutta(SLOWER * SUBSTEPS)),
        measures=(Policy(every=REST),),
        steps={"quick": REST, "paper": REST},
    )
    return equilibria, ends


def _start() -> Any:
    """`PATH_START` for both bidders, [2, 3]."""
    return jnp.tile(jnp.asarray(PATH_START), (2, 1))


def _sampled(game: Polymatrix, learner: Any, name: str, label: str) -> Cell:
    """Learners who play the repeated game, one copy a replication."""
    seats = Group("player", None, Independent(learner))
    return Cell(
        name=name,
        label=label,
        build=lambda: Play(Repeated(game), Population((seats,)), length=1, episodic=False),
        measures=(Policy(every=PLAYS // 40),),
        steps={"quick": PLAYS, "paper": PLAYS},
    )


def _learners(game: Polymatrix) -> tuple[Cell, ...]:
    """Cross learning and frequency-adjusted Q-learning from sampled payoffs, and the flows that they approach."""
    low, high = (float(f(np.asarray(game.edge(0, 1)))) for f in (np.min, np.max))
    cross = CrossLearning(rate=THETA, low=low, high=high, start=PATH_START)
    adjusted = BoltzmannQ(
        temperature=LEARNER_T,
        rate=LEARNER_RATE,
        floor=LEARNER_FLOOR,
        start=LEARNER_T * jnp.log(jnp.asarray(PATH_START)),
        frequency_adjusted=True,
    )
    flow = lambda name, label, **how: Cell(
        name=name,
        label=label,
        build=lambda: QLearningFlow(game, start=_start(), integrator=RungeKutta(20), **how),
        measures=(Policy(),),
        steps={"quick": 40, "paper": 40},
    )
    # Payoffs scaled into [0, 1] slow the replicator down by the width of their range.
    return (
        _sampled(game, cross, "cross", f"cross learning, theta = {THETA:g}"),
        flow("cross_flow", "replicator", temperature=0.0, interval=THETA * PLAYS / 40 / (high - low)),
        _sampled(game, adjusted, "adjusted", f"frequency-adjusted Q-learning, T = {LEARNER_T:g}"),
        flow(
            "adjusted_flow",
            "Q-learning flow",
            temperature=LEARNER_T,
            interval=LEARNER_RATE * LEARNER_FLOOR * PLAYS / 40,
            time="temperature",
        ),
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Replicators, temperatures, learners."""
    game = first_price_bids(settings.winner_fee)
    return (
        _replicator("replicator", f"three bids, fee {settings.winner_fee:g}", game),
        _replicator("printed", "three bids, as printed (no fee)", first_price_bids(0.0)),
        _replicator("two_bids", f"two bids, fee {settings.winner_fee:g}", two_bids(settings.winner_fee), 1),
        *_over_temperatures(game),
        *_learners(game),
    )


experiment = Experiment(
    name="learning_dynamics.first_price",
    title="A first-price auction with three bids: equilibria, basins and learners",
    summary="Collusive and competitive equilibria of a tiny auction; which one replicators and Q-learners reach",
    sources=("Rawat2023", "BoergersSarin1997", "KaisersTuyls2010", "TaylorJonker1978"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=REST, replications=10, block=10, chunk=4000),
        "paper": Scale(steps=REST, replications=50, block=25, chunk=4000),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
