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
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from catallax.agents.traders import ZIC
from catallax.core import Group, NaNCount, Play, Population
from catallax.games import double_auction as auctions
from catallax.games.double_auction import DoubleAuction, FullDisclosure, NormalTokens
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import interval_columns
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, direction
from catallax.lab.figure import ONE_COLUMN
from catallax.lab.statement import Statement
from catallax.measures import double_auction as measures
from catallax.measures.double_auction import speed_of_convergence, speed_of_learning

from .curves import curve, curves_figure, smooth_curve
from .effects import Arm, Comparison, arms_of, compare, effects_figure, effects_tables, less, levels, path, sample
from .published import Settings, learner
from .rounds import late_mean, reached, scope, too_short, unfinished

# What is run.

ROUNDS_PER_UPDATE = 10
MEASURES = (
    measures.Efficiency(), measures.Dispersion(), measures.DeviationByTrade(), measures.Profit(),
    measures.SurplusShift(), measures.QuoteFees(), NaNCount(),
)  # fmt: skip


class MarketTreatment(NamedTuple):
    """One change of the base market."""

    name: str
    """Of its cell; the control's ends in ".zic"."""
    label: str
    market: Callable[..., DoubleAuction]
    """The game, from the values of the lanes."""
    lanes: Mapping[str, tuple[float | int, ...]] = {}
    """Numbers of the treatment, which share a program."""
    learner: Callable[..., dict[str, Any]] = lambda **lane: {}
    """Changes of the learner, from the values of the lanes."""
    may_abstain: bool = False
    control: str | None = None
    """The treatment whose control is its own, too: zero-intelligence traders read no tape, and their discount matters
    to nobody. None: a control of its own."""


def full(**changes: Any) -> DoubleAuction:
    """The base market with changes: everything is disclosed unless they say otherwise."""
    return auctions.memoryless_market(**({"disclosure": FullDisclosure()} | changes))


TREATMENTS = (
    MarketTreatment("base", "B1 base, full disclosure", full),
    MarketTreatment("inelastic", "B2 inelastic supply",
                    lambda: full(tokens=auctions.InelasticSupply(NormalTokens(), 50.0, 2))),
    MarketTreatment("few_buyers", "B3 two buyers", lambda: full(buyers=2)),
    MarketTreatment("one_token", "B4 one unit each", lambda: full(tokens=NormalTokens(units=1))),
    MarketTreatment("kept_tokens", "B5 tokens kept", lambda draw: full(tokens=auctions.KeptDraw(NormalTokens(), draw)),
                    {"draw": (1, 2, 3, 4)}),
    MarketTreatment("patient", "B6 discount", lambda gamma: full(), {"gamma": (0.9, 1.0)},
                    learner=lambda gamma: {"gamma": gamma}, control="base"),
    *(MarketTreatment(name, label, partial(full, disclosure=disclosure), control="base")
      for name, label, disclosure in (
          ("reduced", "B7 reduced disclosure", auctions.ReducedDisclosure()),
          ("none", "B8 no disclosure", auctions.ZeroDisclosure()),
          ("conditional", "B9 conditional disclosure", auctions.ConditionalDisclosure()),
      )),
    MarketTreatment("second_price", "B10 second price",
                    lambda: full(acceptance="quotes", price_rule=auctions.SecondPrice())),
    MarketTreatment("first_price", "first price, quotes must cross", lambda: full(acceptance="quotes")),
    MarketTreatment("nyse", "B11 NYSE rule", lambda: full(persistence=True, improvement=True)),
    MarketTreatment("fee", "B12 offer fee", lambda fee: full(fee=fee), {"fee": (0.0, 0.5)}, may_abstain=True),
    MarketTreatment("reserve_bid", "B13 lowest bid", lambda lowest_bid: full(lowest_bid=lowest_bid),
                    {"lowest_bid": (50.0, 55.0, 60.0, 65.0)}),
    MarketTreatment("reserve_ask", "B13 highest ask", lambda highest_ask: full(highest_ask=highest_ask),
                    {"highest_ask": (60.0, 65.0, 70.0, 75.0)}),
)  # fmt: skip
"""B10 has a second control, `first_price`: it too asks quotes to cross and takes their midpoint, so that the price rule
is all they differ in. B12 has a lane without a fee: the difference is the fee, not the leave to abstain."""


QUICK = ("base", "reduced", "none", "conditional", "fee")
"""Treatments at scale quick: those of disclosure, and one of the rules. The others are run at scale paper only."""


def learning(treatment: MarketTreatment, settings: Settings, **lane: Any) -> Play:
    """Eight learners, each with a network of its own, under the treatment."""
    interface = auctions.standard_interface(may_abstain=treatment.may_abstain)
    rule = learner(settings, **treatment.learner(**lane))
    return _play(treatment, tuple(Group(role, None, rule, interface) for role in ("buyer", "seller")), lane)


def control(treatment: MarketTreatment, **lane: Any) -> Play:
    """Eight zero-intelligence traders under the treatment."""
    return _play(treatment, tuple(Group(role, None, ZIC()) for role in ("buyer", "seller")), lane)


def _play(treatment: MarketTreatment, groups: tuple[Group, ...], lane: dict[str, Any]) -> Play:
    game = treatment.market(**lane)
    return Play(game, Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One cell for each treatment, and its control unless it shares one."""
    made = []
    for t in TREATMENTS:
        common: dict[str, Any] = dict(measures=MEASURES, lanes=t.lanes, scales=None if t.name in QUICK else ("paper",))
        made.append(Cell(name=t.name, label=t.label, build=partial(learning, t, settings), **common))
        if t.control is None:
            made.append(Cell(name=f"{t.name}.zic", label=f"{t.label}, ZIC", build=partial(control, t), **common))
    return tuple(made)


# What is claimed. Rawat (2023) says it in words; the summary experiment judges its numbers for B1 and B8.


_SAID = "Rawat2023, summary"


def _part(id: str, statement: str, variable: str, cell: str, against: str, sign: Literal[-1, 1]) -> Direction:
    """The evidence of one variable: its late mean in a cell less that in another."""
    effect = late_mean(cell, variable) - late_mean(against, variable)
    return direction(id, _SAID, statement, sign, effect, unfinished=too_short(cell))


CLAIMS: tuple[AbstractClaim, ...] = (
    Statement(
        id="disclosure", source=_SAID,
        statement="increasing disclosures can, paradoxically, worsen market outcomes", holds_for="some",
        parts=(
            _part("full.deviation", "mean |p - p*|, full less no disclosure", "mad", "base", "none", 1),
            _part("full.volatility", "SD of prices, full less no disclosure", "price_sd", "base", "none", 1),
            _part("full.efficiency", "efficiency, full less no disclosure", "efficiency", "base", "none", -1),
            _part("reduced.deviation", "mean |p - p*|, reduced less no disclosure", "mad", "reduced", "none", 1),
        ),
    ),
    Statement(
        id="competition", source=_SAID, statement="reinforcer competition is efficient and prices are stable",
        note="each part is less the ZIC control",
        parts=(
            _part("efficient.full", "efficiency, full disclosure", "efficiency", "base", "base.zic", 1),
            _part("efficient.none", "efficiency, no disclosure", "efficiency", "none", "base.zic", 1),
            _part("stable.full", "SD of prices, full disclosure", "price_sd", "base", "base.zic", -1),
            _part("stable.none", "SD of prices, no disclosure", "price_sd", "none", "base.zic", -1),
        ),
    ),
    NotComparable(
        id="treatments", source="Rawat2023, experimental design", published="no results",
        statement="B2 to B7 and B9 to B13 are listed as experiments",
        missing="numbers and parameters: the source lists these treatments and prints no results of them",
    ),
)  # fmt: skip

# What is shown.

_BASE, _NONE = Arm("base", "B1 base"), Arm("none", "B8 no disclosure")
_DISCLOSURES = ("base", "none", "reduced", "conditional")
_OTHER_MARKETS = ("inelastic", "few_buyers", "one_token", "kept_tokens")
"""Treatments with other tokens or traders: their surplus differs, so they are read against their own control only."""


def report(results: Results[Settings]) -> Report:
    """What learning changes under each treatment, what rules and disclosures change, how fast, and three figures."""
    arms, controls = _arms(results), _arms(results, ".zic")
    learning = [compare(results, arm.label, arm, _control(results, arm)) for arm in arms]
    disclosure = [
        compare(results, f"{name} disclosure", Arm(cell, ""), _NONE)
        for name, cell in (("reduced", "reduced"), ("conditional", "conditional"), ("full", "base"))
    ]
    rules, net = _of_rules(results, arms)
    rules_text = (
        "What rules change among learners: less the base market; the second price less the first price, the fee less "
        "the same market without one."
    )
    net_text = "The same net of what these rules change among zero-intelligence traders, who do not adapt to them."
    tables = (
        levels(results, arms, "learners", f"Eight learners under each treatment. {_scope(results)}"),
        levels(results, controls, "zero_intelligence", f"Eight zero-intelligence traders likewise. {_scope(results)}"),
        *effects_tables(learning, "learning", "What learning changes: learners less the control under the same rules."),
        # zero-intelligence traders do not read the tape: disclosure needs no control
        *effects_tables(disclosure, "disclosure", "What disclosure changes among learners: less no disclosure."),
        *effects_tables(rules, "rules", rules_text),
        *effects_tables(net, "rules_net", net_text),
        _speeds(results, arms),
        _fees(results),
    )
    n = results.scale.replications
    caption = (
        f"Effects of disclosures (against none) and rules (against their reference) in standard deviations over {n} "
        "replications, with 95% intervals; filled: p < 0.05 after Holm's adjustment over this figure."
    )
    effects = effects_figure([*disclosure, *rules], "treatment_effects", caption, n)
    return Report(tables=tables, figures=(effects, _learning(results), _by_trade(results)))


def _arms(results: Results[Settings], suffix: str = "") -> tuple[Arm, ...]:
    """All points of all cells, either the learners' or the controls'."""
    names = [n for n in results.cells if n.endswith(".zic") == bool(suffix)]
    return tuple(arm for n in names for arm in arms_of(results, n, results.cells[n].label))


def _control(results: Results[Settings], arm: Arm) -> Arm:
    """The zero-intelligence traders under the same rules: the cell's own, or the base's where it has none."""
    name = f"{arm.cell}.zic"
    return arm._replace(cell=name) if name in results.cells else Arm("base.zic", "")


def _scope(results: Results[Settings]) -> str:
    rounds = scope(results, "base").capitalize()
    return f"{rounds}, means with 95% intervals over replications.{unfinished(results, 'base')}"


def _of_rules(results: Results[Settings], arms: tuple[Arm, ...]) -> tuple[list[Comparison], list[Comparison]]:
    """Each rule less its reference: among learners, and net of the same among zero-intelligence traders."""
    among_learners, net = [], []
    for arm in arms:
        if arm.cell not in (*_OTHER_MARKETS, *_DISCLOSURES):
            against = _reference(arm)
            plain = compare(results, arm.label, arm, against)
            among_zic = compare(results, arm.label, _control(results, arm), _control(results, against))
            among_learners.append(plain)
            net.append(less(arm.label, plain, among_zic))
    return among_learners, net


def _reference(arm: Arm) -> Arm:
    """The base market, except that the second price is read against the first price and the fee against the same market
    without one: those pairs differ in nothing else."""
    if arm.cell == "second_price":
        return Arm("first_price", "")
    if arm.cell == "fee" and arm.at["fee"] > 0:
        return Arm("fee", "", {"fee": 0.0})
    return _BASE


def _speeds(results: Results[Settings], arms: tuple[Arm, ...]) -> Table:
    speeds = {"learning": ("buyer_profit", speed_of_learning), "convergence": ("mad", speed_of_convergence)}
    rows = []
    for arm in arms:
        row: dict[str, Any] = {"market": arm.label}
        for name, (variable, speed) in speeds.items():
            rounds, share = reached(speed, path(results, arm, variable))
            row |= interval_columns(rounds, f"{name}, rounds", f"{name}, ") | {f"{name}, reached": share}
        rows.append(row)
    caption = (
        "Speed of learning: rounds until the 100-round mean of buyers' profit stays within 5% of its final value. "
        "Speed of convergence: rounds until the 100-round mean deviation is below 1.1 times its final value. Means "
        "over the replications that reach it."
    )
    return Table.of_rows("speeds", caption, rows, decimals=0)


def _fees(results: Results[Settings]) -> Table:
    rows = []
    for arm in (arm for cell in ("fee", "fee.zic") for arm in arms_of(results, cell, results.cells[cell].label)):
        row: dict[str, Any] = {"market": arm.label}
        for name in ("revenue", "bids_named", "asks_named", "surplus"):
            row |= interval_columns(sample(results, arm, name), name, f"{name}, ", allow_undefined=True)
        rows.append(row)
    caption = (
        "Offer fees: revenue of the market in a round, share of seats and ticks with a legal quote, and realised "
        "surplus before fees. Learners may say nothing; zero-intelligence traders always quote."
    )
    return Table.of_rows("fees", caption, rows)


def _learning(results: Results[Settings]) -> Figure:
    disclosures = {"none": "none", "reduced": "reduced", "conditional": "conditional", "base": "full"}
    parts = [
        smooth_curve(path(results, Arm(cell, ""), variable), f"{panel}, price units", label)
        for panel, variable in (("deviation", "mad"), ("buyers' profit", "buyer_profit"))
        for cell, label in disclosures.items()
    ]
    caption = "Means over 100 rounds while eight learners learn, by disclosure, with 95% t intervals."
    return curves_figure("learning_by_disclosure", caption, parts, "round", "mean over 100 rounds", results)


def _by_trade(results: Results[Settings]) -> Figure:
    parts = []
    for cell, label in {"base.zic": "zero intelligence", "none": "learners, none", "base": "learners, full"}.items():
        deviation = late_mean(cell, "deviation_by_trade")(results)
        parts.append(curve(deviation, np.arange(1, deviation.shape[1] + 1), "deviation by trade", label))
    caption = "Distance of prices from the competitive price by the number of the trade, last 100 rounds."
    across = "number of the trade in the round"
    figure = curves_figure("convergence_by_trade", caption, parts, across, "mean |p - p*|", results)
    return replace(figure, size=ONE_COLUMN)


experiment = Experiment(
    name="double_auction.treatments", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="Which rules and disclosures improve a double auction, and for whom",
    summary="Fifteen treatments of the double auction, with learners and with their zero-intelligence controls",
    sources=("Rawat2023", "RawatCode2023", "GodeSunder1993", "Williams1992", "Holm1979", "Cohen1988"),
    scales={
        "quick": Scale(steps=20, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=50),
    },
)  # fmt: skip
