"""The repeated advertising auction of Guo, Hu, Xu and Zhang: exact, learnt, naive, and its unregularised equilibrium.

Replications differ in the first law, drawn from Dirichlet(1, ..., 1), and in what the learner samples; replication r
has the same first law in every cell.

Source: GuoHuXuZhang2019 (slides and NeurIPS version).
"""

import msgspec

from catallax.agents.tabular import EpsilonGreedy, PolynomialRate, QLearning
from catallax.core import InputError
from catallax.games.mean_field import AdAuction
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.mean_field import (
    ActionValues,
    L1Distance,
    Marginals,
    Revenue,
    StationaryExploitability,
    TwoStepDistance,
)
from catallax.solvers.mean_field import Argmax, FixedPoint, MeanFieldQ, MirrorDescent, Softmax

from .ad_auction_claims import CLAIMS, INNER, OUTER, TEMPERATURE
from .ad_auction_report import report

ITERATIONS = 20
"""Steps between two evaluations of exploitability, revenue and marginals."""
SOLVER = (
    L1Distance(),
    Revenue(every=ITERATIONS),
    Marginals(every=ITERATIONS),
    StationaryExploitability(every=ITERATIONS),
)
TABLES = (ActionValues(every=OUTER),)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    size: int = 10
    """Budgets and bids: |S| = |A|; 10 and 20 in the source."""
    bidders: int = 5
    """M, bidders in an auction."""
    penalty: float = 0.2
    """rho, weight of an overdraft."""
    net: int = 10_000
    """The learnt law is rounded onto multiples of 1 / net."""


def auction(settings: Settings) -> AdAuction:
    """The game."""
    if settings.size < 2:
        raise InputError(f"size must be at least 2, got {settings.size}")
    return AdAuction(budgets=settings.size, bids=settings.size, bidders=settings.bidders, penalty=settings.penalty)


def gmf_v(settings: Settings, c: object) -> FixedPoint:
    """Value iteration and softmax."""
    return FixedPoint(auction(settings), Softmax(c), dirichlet=True)


def naive(settings: Settings) -> FixedPoint:
    """Value iteration and argmax-e: the naive algorithm without sampling noise."""
    return FixedPoint(auction(settings), Argmax(), dirichlet=True)


def gmf_q(settings: Settings, inner: object) -> MeanFieldQ:
    """Q-learning on uniform draws, softmax, epsilon-net."""
    learner = QLearning(settings.size, settings.size, explore=EpsilonGreedy(1.0), rate=PolynomialRate(0.87))
    return MeanFieldQ(auction(settings), learner, inner, Softmax(TEMPERATURE), net=settings.net, dirichlet=True)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """GMF-V over inverse temperatures, GMF-Q over T_k, the naive map, mirror descent over rates."""
    return (
        Cell(
            name="gmf_v",
            label="GMF-V (value iteration, softmax)",
            build=lambda c: gmf_v(settings, c),
            measures=(*SOLVER, TwoStepDistance(), *TABLES),
            lanes={"c": (1.0, 2.0, TEMPERATURE, 6.0, 8.0, 10.0, 20.0)},
        ),
        Cell(
            name="gmf_q",
            label=f"GMF-Q, c = {TEMPERATURE:g}, {OUTER} outer iterations",
            build=lambda inner: gmf_q(settings, inner),
            measures=TABLES,
            lanes={"inner": tuple(float(n) for n in INNER)},
            steps={"quick": OUTER, "paper": OUTER},
        ),
        Cell(
            name="naive",
            label="naive (value iteration, argmax-e)",
            build=lambda: naive(settings),
            measures=(*SOLVER, TwoStepDistance()),
            steps={"quick": 60, "paper": 60},
        ),
        Cell(
            name="mirror_descent",
            label="online mirror descent",
            build=lambda rate: MirrorDescent(auction(settings), rate, dirichlet=True),
            measures=SOLVER,
            lanes={"rate": (0.05, 0.5)},
        ),
    )


experiment = Experiment(
    name="mean_field.ad_auction",
    title="Learning mean-field games: the repeated advertising auction",
    summary="Exact and learnt fixed points of a second-price auction; the printed Q-table distances beside ours",
    sources=("GuoHuXuZhang2019", "PerolatEtAl2021", "WatkinsDayan1992", "EvenDarMansour2003"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=300, replications=10, block=10, chunk=100),
        "paper": Scale(steps=1500, replications=20, block=10, chunk=100),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
