"""The summary table of Rawat (2023): scripted and learning traders in the memoryless double auction.

Four markets on common random numbers (the same tokens in the same rounds): zero intelligence only; reinforcers in one
buyer's and one seller's seat among zero intelligence, without disclosure; all reinforcers without disclosure; all
reinforcers with full disclosure. Ten rounds are played between two updates, side by side as copies of one phase; the
author's code plays them one after the other, which is the same, as policies are frozen meanwhile.

Source: Rawat (2023), "Reinforcement Learning and Double Auctions", summary table and experiments I to III.
"""

from catallax.agents.deep import Reinforce
from catallax.agents.traders import ZIC
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.double_auction.disclosure import AbstractDisclosure, FullDisclosure, ZeroDisclosure
from catallax.games.double_auction.institutions import memoryless_market
from catallax.games.double_auction.views import standard_interface
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.double_auction.activity import Handover, Volume
from catallax.measures.double_auction.efficiency import Efficiency
from catallax.measures.double_auction.prices import Autocorrelation, CompetitiveBenchmark, Dispersion
from catallax.measures.double_auction.profit import Profit
from catallax.measures.double_auction.quotes import QuoteDistance, SampleRound

from .published import Settings, learner
from .summary_claims import CLAIMS
from .summary_report import report

ROUNDS_PER_UPDATE = 10
MEASURES = (
    Efficiency(),
    Dispersion(),
    Autocorrelation(),
    Handover(),
    Volume(),
    Profit(),
    CompetitiveBenchmark(),
    QuoteDistance(),
    SampleRound(every=10),
    NaNCount(),
)


def _play(disclosure: AbstractDisclosure, groups: tuple[Group, ...]) -> Play:
    game = memoryless_market(disclosure=disclosure)
    return Play(game, Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE)


def zic_only() -> Play:
    """Eight zero-intelligence traders: the control."""
    return _play(ZeroDisclosure(), (Group("buyer", None, ZIC()), Group("seller", None, ZIC())))


def single(learner: Reinforce) -> Play:
    """Reinforcers in the first seat of each side, the rest zero intelligence; no disclosure (experiment I)."""
    groups = []
    for role in ("buyer", "seller"):
        groups += [Group(role, [0], learner, standard_interface()), Group(role, [1, 2, 3], ZIC())]
    return _play(ZeroDisclosure(), tuple(groups))


def all_learning(learner: Reinforce, disclosure: AbstractDisclosure) -> Play:
    """Eight reinforcers, each with a network of its own (experiments II and III)."""
    groups = tuple(Group(role, None, learner, standard_interface()) for role in ("buyer", "seller"))
    return _play(disclosure, groups)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The four columns of the table."""
    rule = learner(settings)
    return (
        Cell(name="zic", label="ZIC only", build=zic_only, measures=MEASURES),
        Cell(name="single", label="Single RL (1B, 1S)", build=lambda: single(rule), measures=MEASURES),
        Cell(
            name="none",
            label="Multi RL (no disclosure)",
            build=lambda: all_learning(rule, ZeroDisclosure()),
            measures=MEASURES,
        ),
        Cell(
            name="full",
            label="Multi RL (full disclosure)",
            build=lambda: all_learning(rule, FullDisclosure()),
            measures=MEASURES,
        ),
    )


experiment = Experiment(
    name="double_auction.summary",
    title="Learning and scripted traders in a double auction: the summary table",
    summary="Four markets of eight traders; every printed number of Rawat's table beside ours",
    sources=(
        "Rawat2023",
        "RawatCode2023",
        "GodeSunder1993",
        "Williams1992",
        "KingmaBa2015",
        "RustMillerPalmer1994",
        "optax",
    ),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=200, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=10),
    },
    report=report,
    claims=CLAIMS,
)
