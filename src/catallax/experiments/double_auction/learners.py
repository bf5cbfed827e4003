"""Five learners in one double auction: alone among zero intelligence, among their like, mixed, frozen and exploited.

Each learner has a cell of nine markets on common random numbers (`trials`): a control of zero intelligence, one learner
a side, all eight learning, and six in which what was learnt is held fixed or nothing is learnt. A last cell seats one
of each learner on each side. Hyperparameters are the rules' own, but for those written in LEARNERS, which were set by
hand on short runs with one learning buyer; nobody searched for the best.

Source: the populations are those of Rawat (2023), experiments I and III; the learners' own sources stand with them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from catallax.agents.deep import PPO, ActorCritic, Reinforce
from catallax.agents.tabular import EpsilonGreedy, PolynomialRate, QLearning
from catallax.core import AbstractAgent, Group, Interface, NaNCount, Play, Population
from catallax.games import double_auction as auctions
from catallax.lab import Cell, Experiment, Figure, NotComparable, Report, Results, Scale, Statement, Table
from catallax.lab.charts import interval_columns, interval_text
from catallax.lab.claims import direction
from catallax.lab.quantity import Quantity, defined_mean, recorded
from catallax.measures.double_auction import Dispersion, Efficiency, Profit, SurplusShift
from catallax.measures.double_auction.series import speed_of_learning

from .curves import curve, curves_figure, smooth_curve
from .rounds import LAST, TRAINED, every_round, late_mean, reached, rounds_played, scope, too_short
from .trials import MARKETS, MIXED, NAMES, ROUNDS_PER_UPDATE, Answer, InEachMarket, Trials, trials

# What is run.

MEASURES = (Profit(), Efficiency(), SurplusShift(), Dispersion(), NaNCount())
_DISCLOSURES = {"reduced": auctions.ReducedDisclosure, "full": auctions.FullDisclosure}


class Learner(NamedTuple):
    """A kind of learner, and how it sees and speaks."""

    label: str
    rule: Callable[[], AbstractAgent]
    interface: Callable[[], Interface] = auctions.standard_interface


_EXPLORE = EpsilonGreedy(1.0, 2e-4, 0.02)
LEARNERS = {
    "reinforce": Learner("REINFORCE, published", Reinforce),
    "baseline": Learner("REINFORCE, baseline", lambda: Reinforce(baseline=True)),
    "actor_critic": Learner("actor-critic", lambda: ActorCritic(rate=3e-3, reward_scale=0.01)),
    "ppo": Learner("PPO", lambda: PPO(rate=1e-3, reward_scale=0.01)),
    "table": Learner(
        "Q-table", lambda: QLearning(120, 8, _EXPLORE, PolynomialRate(0.7), gamma=0.99), auctions.discretized_interface
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


def market(settings: Settings) -> auctions.DoubleAuction:
    """The rules that all cells share."""
    return auctions.memoryless_market(disclosure=_DISCLOSURES[settings.disclosure]())


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
    made = []
    for name, learner in LEARNERS.items():
        scales = None if name in (*QUICK, settings.learner) else ("paper",)
        if settings.learner in ("all", name):
            build = partial(alone, settings, name)
            made.append(Cell(name=name, label=learner.label, build=build, measures=measures, scales=scales))
    if settings.learner == "all":
        build = partial(mixed, settings)
        made.append(Cell(name="mixed", label="mixed", build=build, measures=MEASURES, scales=("paper",)))
    return tuple(made)


# What is read.

FIRST, OTHERS, ALL = slice(0, 1), slice(1, None), slice(None)
"""Seats of a side."""
SIDES = ("buyer", "seller")


def profit(cell: str, market: str | None, side: str, seats: slice = ALL, last: int = LAST) -> Quantity:
    """Mean profit a round of some seats of a side over the last rounds, [replicate].

    Args:
        cell: a kind of learner, or "mixed".
        market: one of the nine; None in the mixed population, which is one market.
        side: "buyer" or "seller".
        seats: whose profit.
        last: number of rounds.
    """
    return late_mean(cell, f"{side}_profit", last, **_in(market))[:, seats].then(lambda each: each.mean(axis=1))


def gain(cell: str, market: str, side: str, seats: slice = ALL, control: str = "zero") -> Quantity:
    """The same less the profit of the same seats in a control on the same random numbers."""
    return profit(cell, market, side, seats) - profit(cell, control, side, seats)


def exploited(cell: str, last: int = LAST) -> Quantity:
    """Profit of the fresh buyer 1 less that of the frozen one it replaces, against the same frozen learners."""
    return profit(cell, "entrant", "buyer", FIRST, last) - profit(cell, "frozen", "buyer", FIRST, last)


def answer(cell: str, variable: str) -> Quantity:
    """Change of quotes after the forced deviation, mean over the last phases, [replicate, tick]."""
    phases = LAST // ROUNDS_PER_UPDATE
    return recorded(cell, variable)[:, -phases:].then(lambda change: defined_mean(change.astype(float), axis=1))


def _in(market: str | None) -> dict[str, int]:
    """The place of a market on the axis "market"."""
    return {} if market is None else {"market": NAMES.index(market)}


def entrant_rounds(results: Results[Settings]) -> tuple[int, int]:
    """For how many rounds the last fresh learner had learnt by the end, and over how many its gain is read."""
    sizes = results.dataset(next(iter(kinds(results)))).sizes
    phases, copies = sizes["phase"], sizes["copy"]
    began = 1 << ((phases - 1).bit_length() - 1) if phases > 1 else 0
    lived = (phases - began) * copies
    return lived, max(min(LAST, lived // 4), copies)


def kinds(results: Results[Settings]) -> dict[str, str]:
    """Cells of one kind of learner: name to label."""
    return {name: cell.label for name, cell in results.cells.items() if name != "mixed"}


# What is claimed.

_SAID = "Rawat2023, introduction"
CLAIMS = (
    Statement(
        id="outperforms", source=_SAID, statement="reinforcement learning can outperform simple trading rules",
        holds_for="some", parts=tuple(
            direction(f"{kind}.{side}", _SAID, f"{LEARNERS[kind].label} outperforms zero intelligence as a {side}",
                      1, gain(kind, "one", side, FIRST),
                      f"profit a round of the learning {side} 1 less the zero-intelligence trader's in its seat",
                      needs=(kind,), unfinished=too_short(kind))
            for kind in LEARNERS for side in SIDES),
    ),
    Statement(
        id="vulnerable", source=_SAID,
        statement="reinforcers can learn to collude, but can also be vulnerable to it",
        holds_for="some", parts=tuple(
            direction(kind, _SAID, f"{LEARNERS[kind].label} is vulnerable", 1, exploited(kind),
                      "profit of a fresh buyer 1 on the frozen others less the frozen one: a lower bound on "
                      "exploitability", needs=(kind,), unfinished=too_short(kind))
            for kind in LEARNERS),
    ),
    NotComparable(
        id="collusion", source=_SAID, published="no measure",
        statement="reinforcers can learn to collude",
        missing="a definition; surplus moved and answers to a forced deviation are in the tables beside their controls",
    ),
)  # fmt: skip

# What is shown.

SMOOTHED = 20
"""Rounds of a moving mean in the figure; short, so that short runs show something."""


def report(results: Results[Settings]) -> Report:
    """Profits, markets, frozen learners elsewhere, what a fresh learner gains, deviations, speeds, and two figures."""
    tables = (_profits, _markets, _elsewhere, _exploited, _deviations, _speeds)
    figures = (_curves_figure, _answers_figure)
    return Report(tuple(table(results) for table in tables), tuple(figure(results) for figure in figures))


def _scope(results: Results[Settings]) -> str:
    first = next(iter(kinds(results)))
    short = rounds_played(results, first) < TRAINED
    note = " Learners are not finished here: about 5,000 rounds are wanted." if short else ""
    return f"{scope(results, first)}, {results.scale.replications} replications.{note}"


def _shown(results: Results[Settings], columns: Mapping[str, Quantity], decimals: int = 1) -> dict[str, str]:
    return {name: interval_text(quantity(results), decimals) for name, quantity in columns.items()}


def _for_each(results: Results[Settings], columns: Callable[[str, str], dict[str, str]]) -> list[dict[str, str]]:
    """A row for each kind of learner and each side."""
    found = kinds(results).items()
    return [{"learner": label, "side": side} | columns(cell, side) for cell, label in found for side in SIDES]


def _profits(results: Results[Settings]) -> Table:
    def columns(cell: str, side: str) -> dict[str, str]:
        gains = {
            "alone among ZIC": gain(cell, "one", side, FIRST),
            "its ZIC neighbours": gain(cell, "one", side, OTHERS),
            "all eight learn": gain(cell, "all", side),
        }
        row = _shown(results, gains) | {"mixed population": _mixed(results, cell, side)}
        return row | _shown(results, {"ZIC control": profit(cell, "zero", side)})

    caption = (
        "Profit a round less that of the same seats held by zero intelligence on the same tokens and random numbers "
        "(last column: that control itself, mean of a side), price units, 95% intervals over replications; mixed: one "
        f"learner of each kind on each side; {_scope(results)}"
    )
    return Table.of_rows("profits", caption, _for_each(results, columns))


def _mixed(results: Results[Settings], cell: str, side: str) -> str:
    """The learner's profit in the mixed population; not there if it has no seat in it."""
    if cell not in MIXED or "mixed" not in results.cells:
        return "no seat"
    seat, home = slice(MIXED.index(cell), MIXED.index(cell) + 1), next(iter(kinds(results)))
    return interval_text((profit("mixed", None, side, seat) - profit(home, "zero", side, seat))(results), 1)


_MARKET_COLUMNS = {"efficiency": 4, "mad": 2, "price_sd": 2, "surplus_to_buyers": 4, "surplus_to_sellers": 4}
"""Variables of the table of markets, with the digits that are shown."""


def _markets(results: Results[Settings]) -> Table:
    first = next(iter(kinds(results)))
    markets: list[tuple[str, str, str | None]] = [
        ("ZIC only", first, "zero"),
        ("truth-tellers only", first, "truthful"),
        *((f"all learn: {label}", cell, "all") for cell, label in kinds(results).items()),
        *([("mixed", "mixed", None)] if "mixed" in results.cells else []),
    ]
    rows = []
    for label, cell, market in markets:
        read = lambda name, cell=cell, market=market: late_mean(cell, name, **_in(market))
        shown = {name: interval_text(read(name)(results), digits) for name, digits in _MARKET_COLUMNS.items()}
        moved = read("surplus_to_buyers") - late_mean(first, "surplus_to_buyers", **_in("zero"))
        rows.append({"market": label} | shown | _shown(results, {"to buyers, less ZIC": moved}, 4))
    caption = (
        "Efficiency; mean |p - p*| and SD of prices, price units; share of the maximum surplus that each side took "
        "beyond its competitive part (what moved between the sides, and what was lost), and the buyers' less that of "
        f"the control; 95% intervals; {_scope(results)}"
    )
    return Table.of_rows("markets", caption, rows)


def _elsewhere(results: Results[Settings]) -> Table:
    def columns(cell: str, side: str) -> dict[str, str]:
        home, kin = profit(cell, "one", side, FIRST), profit(cell, "own_kind", side)
        profits = {
            "at home": home,
            "among truth-tellers": profit(cell, "among_truthful", side, FIRST),
            "less a truth-teller there": gain(cell, "among_truthful", side, FIRST, "truthful"),
            "among its own kind": kin,
            "own kind less at home": kin - home,
        }
        return _shown(results, profits)

    caption = (
        "Profit a round of a learner that learnt among zero intelligence (at home) and is put, frozen as it is in each "
        "phase, among truth-tellers and among copies of itself (mean of the side); price units, 95% intervals; "
        f"{_scope(results)}"
    )
    return Table.of_rows("frozen_elsewhere", caption, _for_each(results, columns))


def _exploited(results: Results[Settings]) -> Table:
    lived, last = entrant_rounds(results)
    rows = []
    for cell, label in kinds(results).items():
        columns = {
            "frozen buyer 1": profit(cell, "frozen", "buyer", FIRST, last),
            "fresh learner": profit(cell, "entrant", "buyer", FIRST, last),
        }
        found = interval_columns(exploited(cell, last)(results), "gain", allow_undefined=True)
        rows.append({"frozen population": label} | _shown(results, columns) | found)
    caption = (
        "Lower bound on exploitability: what a fresh learner of the same kind earns in the seat of buyer 1 against the "
        f"other seven, frozen, after {lived} rounds of learning, less what the frozen buyer 1 earns there on the same "
        f"random numbers; price units a round, means of the last {last} rounds, 95% intervals. A learner need not find "
        "the best response, so a gain of 0 or less bounds nothing."
    )
    return Table.of_rows("exploitability", caption, rows)


def _deviations(results: Results[Settings]) -> Table:
    rows = []
    later = lambda change: defined_mean(change[:, 1:], axis=1)  # the ticks after the first
    for cell, label in kinds(results).items():
        profits = {
            "buyer 1": gain(cell, "deviant", "buyer", FIRST, "all"),
            "other buyers": gain(cell, "deviant", "buyer", OTHERS, "all"),
            "sellers": gain(cell, "deviant", "seller", ALL, "all"),
        }
        quotes = {
            "bids of the others": answer(cell, "rivals_answer").then(later),
            "asks, sign reversed": answer(cell, "sellers_answer").then(later),
        }
        rows.append({"all learn": label} | _shown(results, profits) | _shown(results, quotes, 2))
    caption = (
        "A forced deviation: buyer 1 bids its value for a round, all others play what they have learnt. Change of "
        "profits a round (mean of a side's seats) and of the others' quotes in the ticks after the first (positive: "
        f"more generous), price units, 95% intervals; {_scope(results)}"
    )
    return Table.of_rows("deviations", caption, rows)


def _speeds(results: Results[Settings]) -> Table:
    rows = []
    for cell, label in kinds(results).items():
        line: dict[str, Any] = {"learner": label}
        for name, market in (("alone among ZIC", "one"), ("all eight learn", "all")):
            paths = every_round(cell, "buyer_profit", buyer=0, **_in(market))(results)
            rounds, share = reached(speed_of_learning, paths)
            line |= {f"{name}, round": rounds.mean() if rounds.size else None, f"{name}, reached": share}
        rows.append(line)
    caption = (
        "Speed of learning: first round from which buyer 1's 100-round mean profit stays within 5% of its final value, "
        "mean over the replications in which it is reached."
    )
    return Table.of_rows("speeds", caption, rows, decimals=0)


def _curves_figure(results: Results[Settings]) -> Figure:
    parts = []
    for market in ("one", "all"):
        for cell, label in kinds(results).items():
            learnt, control = (every_round(cell, "buyer_profit", buyer=0, **_in(name)) for name in (market, "zero"))
            parts.append(smooth_curve((learnt - control)(results), MARKETS[market].label, label, window=SMOOTHED))
    caption = f"Buyer 1's profit a round less zero intelligence's in its seat, moving mean of {SMOOTHED} rounds."
    up = "profit less ZIC's, price units"
    return curves_figure("learning_curves", caption, parts, "round", up, results, line=0.0, shared=True)


def _answers_figure(results: Results[Settings]) -> Figure:
    parts = []
    for panel, variable in (("other buyers' bids", "rivals_answer"), ("asks, sign reversed", "sellers_answer")):
        for cell, label in kinds(results).items():
            values = answer(cell, variable)(results)
            parts.append(curve(values, np.arange(1, values.shape[1] + 1), panel, label))
    caption = "How learners' quotes change within a round in which buyer 1 bids its value (positive: more generous)."
    up = "change of quotes, price units"
    return curves_figure("answers", caption, parts, "tick", up, results, line=0.0, shared=True)


experiment = Experiment(
    name="double_auction.learners", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="Five learners in one double auction",
    summary="Profits beside zero intelligence, collusion, frozen learners elsewhere, what a fresh one gains on them",
    sources=("Rawat2023", "Williams1992", "MnihEtAl2016", "Schulman2017", "WatkinsDayan1992", "GodeSunder1993"),
    scales={
        "quick": Scale(steps=8, replications=10, block=10, chunk=8),
        "paper": Scale(steps=512, replications=20, block=10, chunk=64),
    },
)  # fmt: skip
