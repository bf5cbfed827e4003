"""One learner on each side against six scripted traders of one kind: the experiments A1 and A2 of Rawat (2023).

Buyer 1 and seller 1 learn; they see the clock and their own trades only, whatever the market discloses to the others,
most of which need its tape. Each line-up is played in the memoryless market and, because several of these traders were
made for standing quotes, in the same market with standing quotes and strict improvement. Its control is the market in
which the scripted trader sits in all eight seats: the difference in the learners' two seats is what learning earns
against that opponent.

Source: Rawat (2023), "Reinforcement Learning and Double Auctions", experimental design, A1 and A2. Results are printed
of A1 only, against zero intelligence (see `double_auction.summary`).
"""

from catallax.agents.deep import Reinforce
from catallax.agents.traders import (
    GD,
    ZIC,
    ZIP,
    AbstractTrader,
    EasleyLedyard,
    Kaplan,
    Skeleton,
    TruthTeller,
)
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.double_auction import (
    DoubleAuction,
    FullDisclosure,
    WithoutTape,
    memoryless_market,
    standard_interface,
)
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures import double_auction

from .opponents_claims import CLAIMS
from .opponents_report import report
from .published import Settings, learner

ROUNDS_PER_UPDATE = 10
MEASURES = (
    double_auction.Efficiency(),
    double_auction.Dispersion(),
    double_auction.Profit(),
    double_auction.SurplusShift(),
    NaNCount(),
)
OPPONENTS: tuple[tuple[str, AbstractTrader], ...] = (
    ("zic", ZIC()),
    ("truth", TruthTeller()),
    ("skeleton", Skeleton()),
    ("kaplan", Kaplan()),
    ("zip", ZIP()),
    ("gd", GD()),
    ("easley_ledyard", EasleyLedyard()),
)
QUICK = ("zic", "kaplan")
"""Opponents at scale quick; the others at scale paper only."""


def memoryless() -> DoubleAuction:
    """The market of A1, with a tape for those who need one."""
    return memoryless_market(disclosure=FullDisclosure())


def standing() -> DoubleAuction:
    """The same with standing quotes that new ones must beat."""
    return memoryless_market(disclosure=FullDisclosure(), persistence=True, improvement=True)


INSTITUTIONS = {"memoryless": memoryless, "standing": standing}


def line_up(game: DoubleAuction, rule: AbstractTrader, learner: Reinforce, sides: tuple[str, ...]) -> Play:
    """Learners in the first seat of `sides`, the rule in all other seats."""
    groups = []
    for role in ("buyer", "seller"):
        if role in sides:
            groups.append(Group(role, [0], learner, standard_interface(WithoutTape())))
            groups.append(Group(role, [1, 2, 3], rule))
        else:
            groups.append(Group(role, None, rule))
    return Play(game, Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """For each institution and opponent the market with learners and its control; A1 also with one learner only."""
    rival = learner(settings)
    made = []
    for place, game in INSTITUTIONS.items():
        for name, rule in OPPONENTS:
            versions: dict[str, tuple[str, ...]] = {"": ("buyer", "seller"), ".alone": ()}
            if (place, name) == ("memoryless", "zic"):
                versions |= {".buyer": ("buyer",), ".seller": ("seller",)}
            for suffix, sides in versions.items():
                build = lambda game=game, rule=rule, sides=sides: line_up(game(), rule, rival, sides)
                label = f"{name.replace('_', ' ')}, {place}{suffix.replace('.', ', ')}"
                scales = None if name in QUICK and suffix in ("", ".alone") else ("paper",)
                made.append(
                    Cell(name=f"{place}.{name}{suffix}", label=label, build=build, measures=MEASURES, scales=scales)
                )
    return tuple(made)


experiment = Experiment(
    name="double_auction.opponents",
    title="Two learners among scripted traders of one kind",
    summary="One learning buyer and seller against seven kinds of scripted traders, in two institutions",
    sources=("Rawat2023", "RawatCode2023", "RustMillerPalmer1994", "Cliff1997", "GjerstadDickhaut1998", "Holm1979"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=20, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=50),
    },
    report=report,
    claims=CLAIMS,
)
