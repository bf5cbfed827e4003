"""The repeated advertising auction of Guo, Hu, Xu and Zhang: exact, learnt, naive, and its unregularised equilibrium.

Replications differ in the first law, drawn from Dirichlet(1, ..., 1), and in what the learner samples; replication r
has the same first law in every cell.

Source: GuoHuXuZhang2019 (slides and NeurIPS version).
"""

from typing import Any

import msgspec
import numpy as np
import pandas

from catallax.agents.tabular import EpsilonGreedy, PolynomialRate, QLearning
from catallax.core import InputError
from catallax.games.mean_field import AdAuction
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import curve_points, draw_series, interval_columns
from catallax.lab.claims import AbstractClaim, Baseline, Margin, NotComparable, PrintedError, Value, direction, value
from catallax.lab.figure import TWO_COLUMNS, plot_with_interval, state_sample
from catallax.lab.quantity import Quantity, recorded, time_axis
from catallax.lab.statistics import mean_interval
from catallax.measures import mean_field as measures
from catallax.solvers.mean_field import Argmax, FixedPoint, MeanFieldQ, MirrorDescent, Softmax

# What is run.

TEMPERATURE = 4.0
"""c, inverse temperature of the published runs (as reported; the slides do not state it)."""
TEMPERATURES = (1.0, 2.0, TEMPERATURE, 6.0, 8.0, 10.0, 20.0)
RATES = (0.05, 0.5)
"""Rates of mirror descent."""
OUTER = 20
"""Outer iterations behind the printed Q-tables."""
DELTA_Q = {1000: 0.21263, 3000: 0.1294, 5000: 0.10258, 10000: 0.0989}
"""Printed distances of the Q-tables by T_k."""
INNER = tuple(DELTA_Q)
ITERATIONS = 20
"""Steps between two evaluations of exploitability, revenue and marginals."""
SOLVER = (
    measures.L1Distance(),
    measures.Revenue(every=ITERATIONS),
    measures.Marginals(every=ITERATIONS),
    measures.StationaryExploitability(every=ITERATIONS),
)
TABLES = (measures.ActionValues(every=OUTER),)


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


def gmf_q(settings: Settings, inner: object) -> MeanFieldQ:
    """Q-learning on uniform draws, softmax, epsilon-net."""
    learner = QLearning(settings.size, settings.size, explore=EpsilonGreedy(1.0), rate=PolynomialRate(0.87))
    return MeanFieldQ(auction(settings), learner, inner, Softmax(TEMPERATURE), net=settings.net, dirichlet=True)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """GMF-V over inverse temperatures, GMF-Q over T_k, the naive map, mirror descent over rates."""
    two_steps = measures.TwoStepDistance()
    return (
        Cell(
            name="gmf_v", label="GMF-V (value iteration, softmax)", lanes={"c": TEMPERATURES},
            measures=(*SOLVER, two_steps, *TABLES),
            build=lambda c: FixedPoint(auction(settings), Softmax(c), dirichlet=True),
        ),
        Cell(
            name="gmf_q", label=f"GMF-Q, c = {TEMPERATURE:g}, {OUTER} outer iterations", measures=TABLES,
            lanes={"inner": tuple(float(n) for n in INNER)}, steps={"quick": OUTER, "paper": OUTER},
            build=lambda inner: gmf_q(settings, inner),
        ),
        Cell(
            name="naive", label="naive (value iteration, argmax-e)", steps={"quick": 60, "paper": 60},
            build=lambda: FixedPoint(auction(settings), Argmax(), dirichlet=True), measures=(*SOLVER, two_steps),
        ),
        Cell(
            name="mirror_descent", label="online mirror descent", measures=SOLVER, lanes={"rate": RATES},
            build=lambda rate: MirrorDescent(auction(settings), rate, dirichlet=True),
        ),
    )  # fmt: skip


# What is read.


def in_cell(cell: str, variable: str, c: float | None = None) -> Quantity:
    """A variable over time, [replicate, evaluation, ...].

    Args:
        cell: name of the cell; of mirror descent the larger rate is read.
        variable: name of the variable.
        c: inverse temperature, for the cell "gmf_v".
    """
    lane = {"rate": len(RATES) - 1} if cell == "mirror_descent" else {}
    return recorded(cell, variable, **(lane if c is None else {"c": TEMPERATURES.index(c)}))


def first_tables(cell: str, variable: str, **lane: int) -> Quantity:
    """The tables after 20 outer iterations, the first that are kept, [replicate, state, action].

    Raises:
        InputError: when it is read and the first tables are those of another iteration.
    """

    def read(results: Results[Any]) -> np.ndarray:
        data = results.dataset(cell)[variable]
        iteration = int(data[time_axis(data)][0]) + 1
        if iteration != OUTER:
            raise InputError(f"the first tables kept are those of iteration {iteration}, not {OUTER}")
        return recorded(cell, variable, **lane)[:, 0](results)

    return Quantity(read)


def delta_q(inner: int, *, weighted: bool = False) -> Quantity:
    """||Q_V - Q_Q||_2 / ||Q_V||_2, [replicate]; `weighted`: cells weighted by the law of GMF-V."""
    exact, law = (first_tables("gmf_v", name, c=TEMPERATURES.index(TEMPERATURE)) for name in ("q", "law"))
    learnt = first_tables("gmf_q", "q", inner=INNER.index(inner))
    weight = law.then(np.sqrt) if weighted else 1.0
    size = lambda table: (table * weight).then(lambda x: np.sqrt(np.square(x).sum(axis=(1, 2))))
    return size(exact - learnt) / size(exact)


def movement(cell: str, c: float | None = None) -> Quantity:
    """The mean l1 step of the law over iterations 41 to 50, [replicate]; over the last ten of a shorter run."""
    return in_cell(cell, "law_step", c).then(lambda steps: steps[:, :50][:, -10:].mean(axis=1))


# What is claimed.

SOURCE = "GuoHuXuZhang2019"
_TABLE = f"{SOURCE}, slides, table of Delta-Q"
_UNSTATED = (
    "the slides do not say how (s, a) are visited, whether Q and visit counts outlive an outer step, nor the rate; "
    "ours: uniform draws, both kept, rate (1 + n)^-0.87; relative l2 distance over all cells after 20 outer iterations "
    "from the same first law"
)


def _distance(inner: int, before: int | None) -> Value:
    """The claim on one printed distance; the one with fewer inner iterations says in which direction it goes."""
    printed = PrintedError(1e-4 if inner in (3000, 10000) else 1e-5, runs=1)
    margin = Margin(DELTA_Q[inner] / 10, "a tenth of the printed number", "2026-12-01")
    baseline = None if before is None else Baseline(f"T_k = {before}", DELTA_Q[before], delta_q(before))
    return value(
        f"delta_q.{inner}", _TABLE, f"Delta-Q with T_k = {inner}", DELTA_Q[inner], margin,
        "1", delta_q(inner), _UNSTATED, printed, baseline=baseline,
    )  # fmt: skip


CLAIMS: tuple[AbstractClaim, ...] = (
    *map(_distance, INNER, (None, *INNER)),
    direction("delta_q.falls", _TABLE, "Delta-Q falls with the inner iterations, T_k = 1000 to 10000",
              -1, delta_q(INNER[-1]) - delta_q(INNER[0])),
    direction("naive.fluctuates", f"{SOURCE}, slides, failure of the naive algorithm",
              "the naive algorithm with argmax-e fluctuates; softmax makes it stable",
              1, movement("naive") - movement("gmf_v", TEMPERATURE),
              "l1 step of the law at iterations 41 to 50, argmax-e less softmax; both with exact values: argmax-e "
              "cycles without any sampling noise, so the cause is the map, not approximation errors alone"),
    NotComparable(
        id="naive.amplitude", source=f"{SOURCE}, slides, figure of the failure", published=None,
        statement="fluctuations in l1 and l-infinity over 30 sample paths",
        missing="numbers: a figure without a table",
    ),
    NotComparable(
        id="accuracy", source=f"{SOURCE}, slides, learning accuracy C(pi)", published=None,
        statement="GMF-Q below IL and MF-Q for |S| = |A| in {10, 20} and N in {20, 40}",
        missing="numbers (figures only), and C(pi) itself: a maximum over policies of joint states, summed over "
        "|S|^N of them, is out of reach; the estimator used is not stated",
    ),
)  # fmt: skip

# What is shown.

_CYCLE = 1e-2  # l1 step beyond which a law that returns after two steps is called a cycle


def report(results: Results[Settings]) -> Report:
    """Solutions side by side, inverse temperatures, distances of Q-tables; how laws move and what is bid."""
    tables = (_solutions(results), _temperatures(results), _distances(results))
    return Report(tables=tables, figures=(_movement(results), _bids(results)))


def _solution(results: Results[Settings], label: str, cell: str, c: float | None = None) -> dict[str, Any]:
    law = in_cell(cell, "action_law", c).last
    ends = {
        "exploitability": in_cell(cell, "exploitability", c).last,
        "value of the best response": in_cell(cell, "best_response_value", c).last,
        "revenue": in_cell(cell, "revenue", c).last,
        "mean bid": law.then(lambda shares: shares @ np.arange(shares.shape[-1])),
        "l1 step": in_cell(cell, "law_step", c).last,
    }
    row = {name: mean_interval(end(results), allow_undefined=True).mean for name, end in ends.items()}
    return {"solution": label} | row


def _solutions(results: Results[Settings]) -> Table:
    rows = [
        _solution(results, f"GMF-V, softmax, c = {TEMPERATURE:g}", "gmf_v", TEMPERATURE),
        _solution(results, "naive, argmax-e", "naive"),
        _solution(results, f"mirror descent, rate {RATES[-1]:g}", "mirror_descent"),
    ]
    caption = (
        f"Means over {results.scale.replications} replications at the end of the run. Exploitability: gain of the best "
        "deviation at the policy's own stationary law, in discounted reward; an equilibrium has 0. Truthful bidding "
        "would be the mean worth of a conversion."
    )
    return Table.of_rows("solutions", caption, rows, decimals=5)


def _temperatures(results: Results[Settings]) -> Table:
    rows = []
    for c in TEMPERATURES:
        step, two = (in_cell("gmf_v", name, c).last(results) for name in ("law_step", "law_two_steps"))
        cycles = (step > _CYCLE) & (two < _CYCLE * step)
        row: dict[str, Any] = {"c": c, "l1 step": step.mean(), "l1 two steps": two.mean()}
        row["cycles of two"] = f"{int(cycles.sum())} of {cycles.size}"
        for name in ("exploitability", "best_response_value", "revenue"):
            end = in_cell("gmf_v", name, c).last(results)
            row[name.replace("_", " ")] = mean_interval(end, allow_undefined=True).mean
        rows.append(row)
    caption = (
        f"GMF-V by inverse temperature c, means over {results.scale.replications} replications. A large step with a "
        "vanishing two-step distance is a cycle of length two: the policy there is no fixed point, its "
        "exploitability that of one of two policies."
    )
    return Table.of_rows("temperatures", caption, rows, decimals=5)


def _distances(results: Results[Settings]) -> Table:
    rows = []
    for inner in INNER:
        for name, weighted in (("all cells alike", False), ("cells weighted by the law", True)):
            sample = delta_q(inner, weighted=weighted)(results)
            row = {"T_k": inner, "distance": name, "printed": None if weighted else DELTA_Q[inner]}
            rows.append(row | interval_columns(sample, "ours") | {"sd": mean_interval(sample).sd})
    caption = (
        f"Relative l2 distance of the learnt from the exact Q-table after {OUTER} outer iterations from the same first "
        f"law; mean, 95% interval and SD over {results.scale.replications} replications. Most of the plain norm lies "
        "in cells that nobody plays."
    )
    return Table.of_rows("delta_q", caption, rows, decimals=4)


def _movement(results: Results[Settings]) -> Figure:
    parts = []
    for label, cell, c in (
        (f"softmax, c = {TEMPERATURE:g}", "gmf_v", TEMPERATURE),
        ("softmax, c = 10", "gmf_v", 10.0),
        ("argmax-e", "naive", None),
    ):
        steps = in_cell(cell, "law_step", c)(results)[:, :50]
        parts.append(curve_points(steps, "iteration", np.arange(steps.shape[1]) + 1, series=label))
    frame, n = pandas.concat(parts, ignore_index=True), results.scale.replications

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        ends = {name: frame[name].astype(float).clip(lower=1e-12) for name in ("low", "high")}  # the axis is a log
        banded = draw_series(axes, frame.assign(**ends), "series", "iteration")
        axes.set(xlabel="outer iteration", ylabel="l1 step of the law", yscale="log", ylim=(1e-5, 3))
        axes.legend()
        state_sample(sheet, n, "95% t interval" if banded else None)

    caption = f"l1 step of the population's law by iteration, exact values; mean of {n} first laws, 95% t interval."
    return Figure(name="movement", draw=draw, data=frame, caption=caption)


def _bids(results: Results[Settings]) -> Figure:
    rows = []
    solutions = ((f"GMF-V, c = {TEMPERATURE:g}", "gmf_v", TEMPERATURE), ("mirror descent", "mirror_descent", None))
    for label, cell, c in solutions:
        for variable, panel in (("action_law", "bid"), ("state_law", "budget")):
            law = in_cell(cell, variable, c).last(results).mean(axis=0)
            rows += [{"panel": panel, "series": label, "at": i, "share": x} for i, x in enumerate(law)]
    frame = pandas.DataFrame(rows)
    caption = (
        f"Shares of players by bid and by budget at the end of the run, mean of {results.scale.replications} first "
        "laws: the softmax solution and the unregularised equilibrium."
    )
    panels = frame.groupby("panel", sort=False)

    def draw(sheet: Any) -> None:
        for axes, (panel, laws) in zip(sheet.subplots(1, len(panels)), panels, strict=True):
            for index, (label, part) in enumerate(laws.groupby("series", sort=False)):
                at, share = np.asarray(part["at"]), np.asarray(part["share"])
                plot_with_interval(axes, at, share, None, None, index=index, label=str(label))
            axes.set(xlabel=panel, ylabel="share of players")
            axes.legend()

    return Figure(name="laws", draw=draw, data=frame, caption=caption, size=TWO_COLUMNS)


experiment = Experiment(
    name="mean_field.ad_auction", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Learning mean-field games: the repeated advertising auction",
    summary="Exact and learnt fixed points of a second-price auction; the printed Q-table distances beside ours",
    sources=("GuoHuXuZhang2019", "PerolatEtAl2021", "WatkinsDayan1992", "EvenDarMansour2003"),
    scales={
        "quick": Scale(steps=300, replications=10, block=10, chunk=100),
        "paper": Scale(steps=1500, replications=20, block=10, chunk=100),
    },
)  # fmt: skip
