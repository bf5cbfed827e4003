"""One learner on each side against six scripted traders of one kind: the experiments A1 and A2 of Rawat (2023).

Buyer 1 and seller 1 learn; they see the clock and their own trades only, whatever the market discloses to the others,
most of which need its tape. Each line-up is played in the memoryless market and, because several of these traders were
made for standing quotes, in the same market with standing quotes and strict improvement. Its control is the market in
which the scripted trader sits in all eight seats: the difference in the learners' two seats is what learning earns
against that opponent.

Source: Rawat (2023), "Reinforcement Learning and Double Auctions", experimental design, A1 and A2. Results are printed
of A1 only, against zero intelligence (see `double_auction.summary`).
"""

from typing import Any

import numpy as np
import pandas

from catallax.agents.deep import Reinforce
from catallax.agents.traders import GD, ZIC, ZIP, AbstractTrader, EasleyLedyard, Kaplan, Skeleton, TruthTeller
from catallax.core import Group, NaNCount, Play, Population
from catallax.games import double_auction as auctions
from catallax.lab import Cell, Direction, Experiment, Figure, NotComparable, Report, Results, Scale, Statement, Table
from catallax.lab.charts import interval_columns, interval_text
from catallax.lab.claims import direction
from catallax.lab.figure import ASKS, BIDS, TWO_COLUMNS, state_sample
from catallax.lab.quantity import Quantity
from catallax.measures import double_auction as measures

from .effects import Arm, Comparison, OutcomeVariable, effects_tables, levels
from .published import Settings, learner
from .rounds import late_mean, scope, too_short, unfinished

# What is run.

ROUNDS_PER_UPDATE = 10
MEASURES = (
    measures.Efficiency(), measures.Dispersion(), measures.Profit(), measures.SurplusShift(), NaNCount()
)  # fmt: skip
OPPONENTS: tuple[tuple[str, AbstractTrader], ...] = (
    ("zic", ZIC()), ("truth", TruthTeller()), ("skeleton", Skeleton()), ("kaplan", Kaplan()), ("zip", ZIP()),
    ("gd", GD()), ("easley_ledyard", EasleyLedyard()),
)  # fmt: skip
QUICK = ("zic", "kaplan")
"""Opponents at scale quick; the others at scale paper only."""


def memoryless(**changes: Any) -> auctions.DoubleAuction:
    """The market of A1, with a tape for those who need one."""
    return auctions.memoryless_market(disclosure=auctions.FullDisclosure(), **changes)


def standing() -> auctions.DoubleAuction:
    """The same with standing quotes that new ones must beat."""
    return memoryless(persistence=True, improvement=True)


INSTITUTIONS = {"memoryless": memoryless, "standing": standing}


def line_up(game: auctions.DoubleAuction, rule: AbstractTrader, learner: Reinforce, sides: tuple[str, ...]) -> Play:
    """Learners in the first seat of `sides`, the rule in all other seats."""
    groups = []
    for role in ("buyer", "seller"):
        if role in sides:
            groups.append(Group(role, [0], learner, auctions.standard_interface(auctions.WithoutTape())))
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
                name_of = f"{place}.{name}{suffix}"
                made.append(Cell(name=name_of, label=label, build=build, measures=MEASURES, scales=scales))
    return tuple(made)


# What is read.

LABELS = {
    "zic": "zero intelligence", "truth": "truth-tellers", "skeleton": "Skeleton", "kaplan": "Kaplan", "zip": "ZIP",
    "gd": "Gjerstad-Dickhaut", "easley_ledyard": "Easley-Ledyard",
}  # fmt: skip
PLACES = tuple(INSTITUTIONS)


def advantage(cell: str, side: str) -> Quantity:
    """Profit of the learning seat less the mean of its three scripted neighbours, a round, [replicate]."""
    return late_mean(cell, f"{side}_profit").then(lambda profit: profit[:, 0] - profit[:, 1:].mean(axis=1))


def gain(cell: str, side: str) -> Quantity:
    """Profit of the learning seat less that of the scripted trader who has it in the control, a round, [replicate]."""
    learner, scripted = (late_mean(name, f"{side}_profit")[:, 0] for name in (cell, f"{cell}.alone"))
    return learner - scripted


# What is claimed.


_SOURCE = "Rawat2023, introduction"


def _part(place: str, opponent: str, side: str) -> Direction:
    """The evidence from one market: the learner of one side among traders of one rule."""
    cell, note = f"{place}.{opponent}", "profit a round of the learner less its neighbours'"
    statement = f"the learning {side} outperforms {LABELS[opponent]} in the {place} market"
    more = {"needs": (cell,), "unfinished": too_short(cell)}
    return direction(f"{cell}.{side}", _SOURCE, statement, 1, advantage(cell, side), note, **more)


CLAIMS = (
    Statement(
        id="outperforms", source=_SOURCE, statement="reinforcement learning can outperform simple trading rules",
        holds_for="some", note="one rule of those that are outperformed suffices; which they are is in the parts",
        parts=tuple(_part(place, opponent, side)
                    for place in PLACES for opponent in LABELS for side in ("buyer", "seller")),
    ),
    NotComparable(
        id="opponents", source="Rawat2023, experimental design", published="no results",
        statement="A2: against particular trading strategies",
        missing="numbers: the source lists the experiment and prints results against zero intelligence only",
    ),
)  # fmt: skip

# What is shown.

OUTCOMES = (
    OutcomeVariable("buyer, over neighbours", "buyer_profit", "price", 1),
    OutcomeVariable("buyer, over the rule there", "buyer_profit", "price", 1),
    OutcomeVariable("seller, over neighbours", "seller_profit", "price", 1),
    OutcomeVariable("seller, over the rule there", "seller_profit", "price", 1),
    OutcomeVariable("efficiency", "efficiency", "1", 4),
    OutcomeVariable("deviation", "mad", "price", 2),
)
"""What two learners change: their profit less their neighbours', less what the scripted trader earns in their seat when
it has all seats, and the market's efficiency and mean |p - p*| less the same control's."""


def report(results: Results[Settings]) -> Report:
    """What learning earns against each opponent, the markets behind it, profits by seat, and a picture."""
    lines = [_effects(results, place, name) for place, name in _line_ups(results)]
    arms = [Arm(cell.name, cell.label) for cell in results.cells.values()]
    last = f"L{scope(results, 'memoryless.zic')[1:]}.{unfinished(results, 'memoryless.zic')}"
    tables = (
        *effects_tables(lines, "learning", f"What two learners earn and change, by opponent. {last}", OUTCOMES),
        levels(results, arms, "markets", f"The markets. {last}"),
        _profits(results, last),
    )
    return Report(tables=tables, figures=(_figure(results),))


def _line_ups(results: Results[Settings]) -> list[tuple[str, str]]:
    return [(place, name) for place in PLACES for name in LABELS if f"{place}.{name}" in results.cells]


def _effects(results: Results[Settings], place: str, name: str) -> Comparison:
    cell = f"{place}.{name}"
    found = (
        *(effect(cell, side) for side in ("buyer", "seller") for effect in (advantage, gain)),
        *(late_mean(cell, variable) - late_mean(f"{cell}.alone", variable) for variable in ("efficiency", "mad")),
    )
    effects = {outcome.name: effect(results) for outcome, effect in zip(OUTCOMES, found, strict=True)}
    return Comparison(f"{LABELS[name]}, {place}", effects)


def _profits(results: Results[Settings], last: str) -> Table:
    rows = []
    for cell in results.cells.values():
        line = {"market": cell.label}
        for side in ("buyer", "seller"):
            profit = late_mean(cell.name, f"{side}_profit")(results)
            line[f"{side} 1"] = interval_text(profit[:, 0], 1)
            line[f"other {side}s"] = interval_text(profit[:, 1:].mean(axis=1), 1)
        rows.append(line)
    caption = f"Profit a round of the first seat and mean of the other three, with 95% intervals. {last}"
    return Table.of_rows("profits", caption, rows)


def _figure(results: Results[Settings]) -> Figure:
    rows = []
    for place, name in _line_ups(results):
        for side in ("buyer", "seller"):
            columns = interval_columns(gain(f"{place}.{name}", side)(results), "gain", allow_undefined=True)
            rows.append({"place": place, "opponent": LABELS[name], "side": side} | columns)
    data, n = pandas.DataFrame(rows), results.scale.replications
    caption = (
        "Profit a round of the learning buyer and seller less that of the scripted trader in the same seat when "
        f"all eight are of its kind, by opponent; means and 95% intervals over {n} replications."
    )
    draw = lambda sheet: _draw(sheet, data, n)
    return Figure(name="gain_from_learning", draw=draw, data=data, caption=caption, size=TWO_COLUMNS)


def _draw(sheet: Any, data: pandas.DataFrame, replications: int) -> None:
    panels = np.atleast_1d(sheet.subplots(1, data["place"].nunique(), sharex=True))
    for axes, (place, part) in zip(panels, data.groupby("place", sort=False), strict=True):
        names = list(dict.fromkeys(part["opponent"]))
        for side, style, shift in (("buyer", BIDS, 0.12), ("seller", ASKS, -0.12)):
            mine = part[part["side"] == side]
            place_of = np.asarray([len(names) - 1 - names.index(x) for x in mine["opponent"]]) + shift
            low, high = np.asarray(mine["low"], float), np.asarray(mine["high"], float)
            axes.hlines(place_of, low, high, color=style["color"], linewidth=1.0)
            axes.plot(mine["gain"], place_of, **(style | {"label": f"learning {side}"}))
        axes.axvline(0.0, color="#888888", linewidth=0.6)
        axes.set_yticks(np.arange(len(names))[::-1], names)
        axes.set_title(f"{place} market", fontsize=8)
        axes.set_xlabel("gain, price units a round")
    panels[0].legend(loc="best")
    state_sample(sheet, replications, "95% t interval")


experiment = Experiment(
    name="double_auction.opponents", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="Two learners among scripted traders of one kind",
    summary="One learning buyer and seller against seven kinds of scripted traders, in two institutions",
    sources=("Rawat2023", "RawatCode2023", "RustMillerPalmer1994", "Cliff1997", "GjerstadDickhaut1998", "Holm1979"),
    scales={
        "quick": Scale(steps=20, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=50),
    },
)  # fmt: skip
