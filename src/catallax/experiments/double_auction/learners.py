"""Five learners in one double auction: alone among zero intelligence, among their like, mixed, frozen and exploited.

Each learner has a cell of nine markets on common random numbers (`trials`): a control of zero intelligence, one learner
a side, all eight learning, and six in which what was learnt is held fixed or nothing is learnt. A last cell seats one
of each learner on each side. Hyperparameters are the rules' own, but for those written in LEARNERS, which were set by
hand on short runs with one learning buyer; nobody searched for the best.

Source: the populations are those of Rawat (2023), experiments I and III; the learners' own sources stand with them.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import msgspec

from catallax.agents.deep import PPO, ActorCritic, Reinforce
from catallax.agents.tabular import EpsilonGreedy, QLearning
from catallax.agents.tabular.q_learning import PolynomialRate
from catallax.core import AbstractAgent, Group, Interface, NaNCount, Play, Population
from catallax.games.double_auction.disclosure import AbstractDisclosure, FullDisclosure, ReducedDisclosure
from catallax.games.double_auction.discretized import discretized_interface
from catallax.games.double_auction.double_auction import DoubleAuction
from catallax.games.double_auction.institutions import memoryless_market
from catallax.games.double_auction.views import standard_interface
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.double_auction.collusion import SurplusShift
from catallax.measures.double_auction.efficiency import Efficiency
from catallax.measures.double_auction.prices import Dispersion
from catallax.measures.double_auction.profit import Profit

from .learners_claims import CLAIMS
from .learners_report import report
from .trials import MIXED, ROUNDS_PER_UPDATE, Answer, InEachMarket, Trials, trials

MEASURES = (Profit(), Efficiency(), SurplusShift(), Dispersion(), NaNCount())
_DISCLOSURES: dict[str, type[AbstractDisclosure]] = {"reduced": ReducedDisclosure, "full": FullDisclosure}


class Learner(NamedTuple):
    """A kind of learner, and how it sees and speaks."""

    label: str
    rule: Callable[[], AbstractAgent]
    interface: Callable[[], Interface] = standard_interface


LEARNERS = {
    "reinforce": Learner("REINFORCE, published", Reinforce),
    "baseline": Learner("REINFORCE, baseline", lambda: Reinforce(baseline=True)),
    "actor_critic": Learner("actor-critic", lambda: ActorCritic(rate=3e-3, reward_scale=0.01)),
    "ppo": Learner("PPO", lambda: PPO(rate=1e-3, reward_scale=0.01)),
    "table": Learner(
        "Q-table",
        lambda: QLearning(120, 8, EpsilonGreedy(1.0, 2e-4, 0.02), PolynomialRate(0.7), gamma=0.99),
        discretized_interface,
    ),
}


QUICK = ("baseline", "table")
"""Learners at scale quick: a policy gradient and a table. The others, and the mixed population, at scale paper only."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    disclosure: Literal["reduced", "full"] = "full"
    """What is public; the table of the Q-learner needs prices."""
    learner: Literal["all", "reinforce", "baseline", "actor_critic", "ppo", "table"] = "all"
    """One kind of learner only; without the mixed population then."""


def market(settings: Settings) -> DoubleAuction:
    """The rules that all cells share."""
    return memoryless_market(disclosure=_DISCLOSURES[settings.disclosure]())


def alone(settings: Settings, name: str) -> Trials:
    """The nine markets of one kind of learner."""
    learner = LEARNERS[name]
    return trials(market(settings), learner.rule(), learner.interface())


def mixed(settings: Settings) -> Play:
    """One learner of each kind on each side."""
    game = market(settings)
    groups = [
        Group(role.name, [seat], LEARNERS[name].rule(), LEARNERS[name].interface())
        for role in game.roles
        for seat, name in enumerate(MIXED)
    ]
    return Play(game, Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """A cell for each learner, and the mixed population."""
    each = (InEachMarket(measure=m) for m in MEASURES)  # pyright: ignore[reportCallIssue]  (every is a property)
    measures = (*each, Answer())
    kinds = tuple(
        Cell(
            name=name,
            label=learner.label,
            build=partial(alone, settings, name),
            measures=measures,
            scales=None if name in (*QUICK, settings.learner) else ("paper",),
        )
        for name, learner in LEARNERS.items()
        if settings.learner in ("all", name)
    )
    if settings.learner != "all":
        return kinds
    together = partial(mixed, settings)
    return (*kinds, Cell(name="mixed", label="mixed", build=together, measures=MEASURES, scales=("paper",)))


experiment = Experiment(
    name="double_auction.learners",
    title="Five learners in one double auction",
    summary="Profits beside zero intelligence, collusion, frozen learners elsewhere, what a fresh one gains on them",
    sources=("Rawat2023", "Williams1992", "MnihEtAl2016", "Schulman2017", "WatkinsDayan1992", "GodeSunder1993"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=8, replications=10, block=10, chunk=8),
        "paper": Scale(steps=512, replications=20, block=10, chunk=64),
    },
    report=report,
    claims=CLAIMS,
)
