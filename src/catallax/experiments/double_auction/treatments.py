"""Which rules and disclosures improve a double auction, and for whom: the treatments B1 to B13 of Rawat (2023).

Eight learners trade in the memoryless market under one treatment at a time; beside each treatment eight
zero-intelligence traders do so under the same rules, because a change of rules moves a market in which nobody learns,
too. All cells share their random numbers: replication r has the same tokens in the same rounds wherever tokens are
drawn from the same law. The base (B1) discloses everything.

The source names the treatments and prints results of B1 and B8 only (see `double_auction.summary`). The numbers of the
others (what a fee costs, where reserve prices lie, which units are inelastic) are ours; they stand in `TREATMENTS`.

Source: Rawat (2023), "Reinforcement Learning and Double Auctions", experimental design, B1 to B13.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from catallax.agents.traders import ZIC
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.double_auction import (
    AbstractDisclosure,
    ConditionalDisclosure,
    DoubleAuction,
    FullDisclosure,
    InelasticSupply,
    KeptDraw,
    NormalTokens,
    ReducedDisclosure,
    SecondPrice,
    ZeroDisclosure,
    memoryless_market,
    standard_interface,
)
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures import double_auction

from .published import Settings, learner
from .treatments_claims import CLAIMS
from .treatments_report import report

ROUNDS_PER_UPDATE = 10
MEASURES = (
    double_auction.Efficiency(),
    double_auction.Dispersion(),
    double_auction.DeviationByTrade(),
    double_auction.Profit(),
    double_auction.SurplusShift(),
    double_auction.QuoteFees(),
    NaNCount(),
)


class Treatment(NamedTuple):
    """One change of the base market.

    Attributes:
        name: Of its cell; the control's ends in ".zic".
        label: What tables print.
        market: The game, from the values of the lanes.
        lanes: Numbers of the treatment, each with a program of its own in common.
        learner: Changes of the learner, from the values of the lanes.
        may_abstain: Whether learners may say nothing.
        control: The treatment whose control is its own, too: zero-intelligence traders read no tape, and their discount
            matters to nobody. None: a control of its own.
    """

    name: str
    label: str
    market: Callable[..., DoubleAuction]
    lanes: Mapping[str, tuple[float | int, ...]] = {}
    learner: Callable[..., dict[str, Any]] = lambda **lane: {}
    may_abstain: bool = False
    control: str | None = None


def full(**changes: Any) -> DoubleAuction:
    """The base market with changes: everything is disclosed unless they say otherwise."""
    return memoryless_market(**({"disclosure": FullDisclosure()} | changes))


def showing(disclosure: AbstractDisclosure) -> Callable[[], DoubleAuction]:
    """The base market under another disclosure."""
    return lambda: full(disclosure=disclosure)


TREATMENTS = (
    Treatment("base", "B1 base, full disclosure", full),
    Treatment("inelastic", "B2 inelastic supply", lambda: full(tokens=InelasticSupply(NormalTokens(), 50.0, 2))),
    Treatment("few_buyers", "B3 two buyers", lambda: full(buyers=2)),
    Treatment("one_token", "B4 one unit each", lambda: full(tokens=NormalTokens(units=1))),
    Treatment(
        "kept_tokens",
        "B5 tokens kept",
        lambda draw: full(tokens=KeptDraw(NormalTokens(), draw)),
        lanes={"draw": (1, 2, 3, 4)},
    ),
    Treatment(
        "patient",
        "B6 discount",
        lambda gamma: full(),
        lanes={"gamma": (0.9, 1.0)},
        learner=lambda gamma: {"gamma": gamma},
        control="base",
    ),
    Treatment("reduced", "B7 reduced disclosure", showing(ReducedDisclosure()), control="base"),
    Treatment("none", "B8 no disclosure", showing(ZeroDisclosure()), control="base"),
    Treatment("conditional", "B9 conditional disclosure", showing(ConditionalDisclosure()), control="base"),
    Treatment("second_price", "B10 second price", lambda: full(acceptance="quotes", price_rule=SecondPrice())),
    Treatment("first_price", "first price, quotes must cross", lambda: full(acceptance="quotes")),
    Treatment("nyse", "B11 NYSE rule", lambda: full(persistence=True, improvement=True)),
    Treatment("fee", "B12 offer fee", lambda fee: full(fee=fee), {"fee": (0.0, 0.5)}, may_abstain=True),
    Treatment(
        "reserve_bid",
        "B13 lowest bid",
        lambda lowest_bid: full(lowest_bid=lowest_bid),
        lanes={"lowest_bid": (50.0, 55.0, 60.0, 65.0)},
    ),
    Treatment(
        "reserve_ask",
        "B13 highest ask",
        lambda highest_ask: full(highest_ask=highest_ask),
        lanes={"highest_ask": (60.0, 65.0, 70.0, 75.0)},
    ),
)
"""B10 has a second control, `first_price`: it too asks quotes to cross and takes their midpoint, so that the price rule
is all they differ in. B12 has a lane without a fee: the difference is the fee, not the leave to abstain."""


QUICK = ("base", "reduced", "none", "conditional", "fee")
"""Treatments at scale quick: those of disclosure, and one of the rules. The others are run at scale paper only."""


def learning(treatment: Treatment, settings: Settings, **lane: Any) -> Play:
    """Eight learners, each with a network of its own, under the treatment."""
    interface = standard_interface(may_abstain=treatment.may_abstain)
    rule = learner(settings, **treatment.learner(**lane))
    return _play(treatment, tuple(Group(role, None, rule, interface) for role in ("buyer", "seller")), lane)


def control(treatment: Treatment, **lane: Any) -> Play:
    """Eight zero-intelligence traders under the treatment."""
    return _play(treatment, tuple(Group(role, None, ZIC()) for role in ("buyer", "seller")), lane)


def _play(treatment: Treatment, groups: tuple[Group, ...], lane: dict[str, Any]) -> Play:
    game = treatment.market(**lane)
    return Play(game, Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One cell a treatment, and its control unless it shares one."""
    made = []
    for t in TREATMENTS:
        build = lambda t=t, **lane: learning(t, settings, **lane)
        base = lambda t=t, **lane: control(t, **lane)
        common: dict[str, Any] = dict(measures=MEASURES, lanes=t.lanes, scales=None if t.name in QUICK else ("paper",))
        made.append(Cell(name=t.name, label=t.label, build=build, **common))
        if t.control is None:
            made.append(Cell(name=f"{t.name}.zic", label=f"{t.label}, ZIC", build=base, **common))
    return tuple(made)


experiment = Experiment(
    name="double_auction.treatments",
    title="Which rules and disclosures improve a double auction, and for whom",
    summary="Fifteen treatments of the double auction, with learners and with their zero-intelligence controls",
    sources=("Rawat2023", "RawatCode2023", "GodeSunder1993", "Williams1992", "Holm1979", "Cohen1988"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=20, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=50),
    },
    report=report,
    claims=CLAIMS,
)
