"""The summary table of Rawat (2023): scripted and learning traders in the memoryless double auction.

Four markets on common random numbers (the same tokens in the same rounds): zero intelligence only; reinforcers in one
buyer's and one seller's seat among zero intelligence, without disclosure; all reinforcers without disclosure; all
reinforcers with full disclosure. Ten rounds are played between two updates, side by side as copies of one phase; the
author's code plays them one after the other, which is the same, as policies are frozen meanwhile.

Source: Rawat (2023), "Reinforcement Learning and Double Auctions", summary table and experiments I to III.
"""

from functools import partial
from typing import Any

from catallax.agents.deep import Reinforce
from catallax.agents.traders import ZIC
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.double_auction import AbstractDisclosure, FullDisclosure, ZeroDisclosure, memoryless_market
from catallax.games.double_auction.views import standard_interface
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import interval_text
from catallax.lab.statistics import mean_interval
from catallax.measures import double_auction as measures

from .curves import curves_figure, smooth_curve
from .drawing import quotes_figure, schedule_figure
from .published import Settings, learner
from .replay import replay_figure
from .rounds import every_round, late_mean, late_sd, reached, scope, unfinished
from .summary_claims import CLAIMS, LABELS, TABLE_ROWS, change

# What is run.

ROUNDS_PER_UPDATE = 10
MEASURES = (
    measures.Efficiency(), measures.Dispersion(), measures.Autocorrelation(), measures.Handover(), measures.Volume(),
    measures.Profit(), measures.CompetitiveBenchmark(), measures.QuoteDistance(), measures.SampleRound(every=10),
    NaNCount(),
)  # fmt: skip


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
    rule, cell = learner(settings), partial(Cell, measures=MEASURES)
    return (
        cell(name="zic", label="ZIC only", build=zic_only),
        cell(name="single", label="Single RL (1B, 1S)", build=lambda: single(rule)),
        cell(name="none", label="Multi RL (no disclosure)", build=lambda: all_learning(rule, ZeroDisclosure())),
        cell(name="full", label="Multi RL (full disclosure)", build=lambda: all_learning(rule, FullDisclosure())),
    )


# What is shown.

_CELLS = tuple(LABELS)
_LEARNING = _CELLS[1:]


def report(results: Results[Settings]) -> Report:
    """The table beside the printed one, its controls, profits by seat, and four figures."""
    ticks = results.dataset("full").sizes["tick"]
    quotes = (
        "Bids (red), asks (blue) and prices (black) of every hundredth round of replication 1; line: the competitive "
        "price."
    )
    return Report(
        tables=(_summary(results), _numbers(results), _controls(results), _profits(results), _speeds(results)),
        figures=(
            schedule_figure(results, "zic", " (replication 1, sampled round 1)"),
            quotes_figure(results, LABELS, quotes),
            replay_figure(results, "full", ticks, ticks),
            _learning(results),
        ),
    )


def _scope(results: Results[Settings]) -> str:
    return f"{scope(results, 'zic')}, {results.scale.replications} replications.{unfinished(results, 'zic')}"


def _summary(results: Results[Settings]) -> Table:
    rows = []
    for row in TABLE_ROWS:
        line = {"criterion": row.name.replace("_", " ")}
        for cell, label in LABELS.items():
            printed, decimals = row.cells[cell], 4 if row.variable == "efficiency" else 3
            line[label] = interval_text(late_mean(cell, row.variable)(results), decimals)
            line[f"printed, {label}"] = f"{printed.mean:g}" + ("" if printed.sd is None else f" ({printed.sd:g})")
        rows.append(line)
    caption = (
        f"Means with 95% intervals over replications; {_scope(results)} Printed: mean (SD over the rounds of one run), "
        "with the two swapped cells put right and percentages as ratios."
    )
    return Table.of_rows("summary", caption, rows)


def _numbers(results: Results[Settings]) -> Table:
    rows = []
    for row in TABLE_ROWS:
        for cell in _CELLS:
            ours = mean_interval(late_mean(cell, row.variable)(results), allow_undefined=True)
            line = {"criterion": row.name, "market": LABELS[cell], "unit": row.unit}
            line |= {"printed": row.cells[cell].mean, "printed_sd": row.cells[cell].sd}
            line |= {"ours": ours.mean, "low": ours.low, "high": ours.high}
            line["sd_over_rounds"] = late_sd(cell, row.variable)(results).mean()
            rows.append(line | {"sd_over_replications": ours.sd, "n": ours.n})
    caption = f"Every cell with our SD over rounds (mean of the replications) and over replications; {_scope(results)}"
    return Table.of_rows("numbers", caption, rows)


def _controls(results: Results[Settings]) -> Table:
    rows = []
    profits = ("efficiency", "buyer_efficiency", "seller_efficiency")
    for variable in (*profits, "mad", "price_sd", "bid_handover", "ask_handover"):
        line = {"variable": variable, "ZIC only": interval_text(late_mean("zic", variable)(results), 4)}
        for cell in _LEARNING:
            line[f"{LABELS[cell]}, less ZIC"] = interval_text(change(variable, cell)(results), 4)
        rows.append(line)
    caption = (
        "Paired differences from the all-ZIC control (same tokens, same rounds), 95% intervals over replications. ZIC "
        "alone has a buyer efficiency above 1, because the quote range [35, 90] is not symmetric about the tokens."
    )
    return Table.of_rows("controls", caption, rows)


def _profits(results: Results[Settings]) -> Table:
    rows = []
    for side in ("buyer", "seller"):
        for seat in range(4):
            line: dict[str, Any] = {"seat": f"{side} {seat + 1}"}
            for cell, label in LABELS.items():
                line[label] = interval_text(late_mean(cell, f"{side}_profit")[:, seat](results), 1)
                line[f"SD, {label}"] = round(float(late_sd(cell, f"{side}_profit")[:, seat](results).mean()), 1)
            rows.append(line)
    caption = (
        f"Profit a round by seat with 95% intervals, and SD over rounds; {_scope(results)} In the single-RL market "
        "buyer 1 and seller 1 learn."
    )
    return Table.of_rows("profits", caption, rows)


def _speeds(results: Results[Settings]) -> Table:
    rows = []
    for cell in _LEARNING:
        line: dict[str, Any] = {"market": LABELS[cell]}
        for name, speed, quantity in (
            ("learning", measures.speed_of_learning, every_round(cell, "buyer_profit", buyer=0)),
            ("convergence", measures.speed_of_convergence, every_round(cell, "mad")),
        ):
            rounds, share = reached(speed, quantity(results))
            line |= {f"{name}_round": rounds.mean() if rounds.size else None, f"{name}_reached": share}
        rows.append(line)
    caption = (
        "Speed of learning: first round from which buyer 1's 100-round mean profit stays within 5% of its final value. "
        "Speed of convergence: first round with a 100-round mean deviation below 1.1 times its final value."
    )
    return Table.of_rows("speeds", caption, rows, decimals=0)


def _learning(results: Results[Settings]) -> Figure:
    profit, n = every_round("single", "buyer_profit")(results), results.scale.replications
    parts = [
        smooth_curve(profit[:, :, 0], "profit a round", "learning buyer"),
        smooth_curve(profit[:, :, 1:].mean(axis=2), "profit a round", "ZIC buyers"),
    ]
    for panel, variable in (("mean |p - p*|", "mad"), ("buyer efficiency", "buyer_efficiency")):
        parts += [smooth_curve(every_round(cell, variable)(results), panel, label) for cell, label in LABELS.items()]
    caption = (
        "Moving means over 100 rounds: profit of the learning buyer and of its ZIC neighbours (single RL), "
        "deviation of prices from the competitive price, and buyer efficiency. "
        f"Mean and 95% t interval over {n} replications."
    )
    return curves_figure("learning_curves", caption, parts, "round", "mean over 100 rounds", results)


experiment = Experiment(
    name="double_auction.summary", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="Learning and scripted traders in a double auction: the summary table",
    summary="Four markets of eight traders; every printed number of Rawat's table beside ours",
    sources=(
        "Rawat2023", "RawatCode2023", "GodeSunder1993", "Williams1992", "KingmaBa2015", "RustMillerPalmer1994", "optax",
    ),
    scales={
        "quick": Scale(steps=200, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=10),
    },
)  # fmt: skip
