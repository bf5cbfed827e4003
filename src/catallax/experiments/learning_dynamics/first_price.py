"""A first-price auction with three bids: what its equilibria are, and which of them learners reach.

Two bidders of value 1 bid 0, 1/2 or 1; the winner pays its bid and a fee, ties are halved. Replicator dynamics from
random starts, with the fee and with the matrix as printed, which lacks it; the same with the two lower bids only, where
the basins of attraction are known; logit equilibria by Newton's method from random starts over a range of temperatures,
and where Q-learning ends at each; cross learning and frequency-adjusted Q-learning from sampled payoffs beside their
flows.

Source: Rawat (2023), the example of replicator dynamics; Boergers and Sarin (1997); Kaisers and Tuyls (2010).
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
import msgspec
import numpy as np
import pandas

from catallax.agents.tabular import BoltzmannQ, CrossLearning
from catallax.core import Group, Independent, Play, Population
from catallax.games.matrix import Polymatrix, Repeated, first_price_bids
from catallax.lab import Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import long_rows
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, value
from catallax.lab.figure import COLOURS, TWO_COLUMNS, state_sample
from catallax.lab.quantity import Quantity, recorded
from catallax.lab.statistics import mean_interval
from catallax.measures.matrix import Gap, Payoffs, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.logit import LogitGrid, trace_logit_branch
from catallax.solvers.matrix.nash import pure_nash

from .quantities import margin, policies, same_length

FEE = 0.25
"""The printed fee of the winner."""
THETA = 0.01
"""Step size of cross learning."""
TEMPERATURES = tuple(float(t) for t in np.linspace(0.02, 0.3, 57))
"""At which logit equilibria are sought."""
PURE = np.stack([np.tile(np.eye(3)[a], (2, 1)) for a in (0, 1)])
"""Both bid 0; both bid 1/2: [equilibrium, player, action]."""
STARTS = 200
"""Random starts of each replication of a replicator cell."""
REST, INTERVAL, SUBSTEPS = 500, 2.0, 4
"""Steps of the flows, the time between them and Runge-Kutta steps in it: payoffs differ by an eighth, rest is slow."""
SLOWER = 5
"""How many times longer the flow at positive temperatures is given: it is slowest near the bifurcation."""
GRID_STARTS = 4
PLAYS = 4000
"""Of the sampled learners; the flow's time is their product with the step size."""
LEARNER_T, LEARNER_RATE, LEARNER_FLOOR = 0.1, 0.01, 0.1
"""Of frequency-adjusted Q-learning."""
PATH_START = (0.6, 0.3, 0.1)
"""Where both bidders begin in the cells of sampled learners and of the flows beside them."""

# What is run.


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    winner_fee: float = FEE
    """What the winner pays beside its bid, a share of the value."""


def two_bids(winner_fee: float) -> Polymatrix:
    """The game without the highest bid, which is strictly dominated if there is a fee."""
    pay = np.asarray(first_price_bids(winner_fee).edge(0, 1))[:2, :2]
    return Polymatrix([(0, 1, pay, pay)])


def _replicator(name: str, label: str, game: Polymatrix, every: int = REST) -> Cell:
    """Replicator dynamics from random starts, to rest."""
    build = lambda: QLearningFlow(game, 0.0, interval=INTERVAL, integrator=RungeKutta(SUBSTEPS), trajectories=STARTS)
    return same_length(name, label, build, REST, Policy(every=every), Payoffs(every=REST))


def _over_temperatures(game: Polymatrix) -> tuple[Cell, Cell]:
    """Logit equilibria, stable or not, and where the flow ends, at every temperature from several random starts."""
    rates = jnp.tile(jnp.repeat(jnp.asarray(TEMPERATURES), GRID_STARTS)[None], (2, 1))
    solutions = lambda: LogitGrid(game, rates, stages=0)  # cooled down, all would follow the principal branch
    flow = lambda: QLearningFlow(game, rates, interval=SLOWER * INTERVAL, integrator=RungeKutta(SLOWER * SUBSTEPS))
    return (
        same_length("equilibria", "logit equilibria", solutions, 60, Policy(every=60), Gap(every=60)),
        same_length("q_learning", "Q-learning flow", flow, REST, Policy(every=REST)),
    )


def _sampled(game: Polymatrix, learner: Any, name: str, label: str) -> Cell:
    """Learners who play the repeated game, one copy a replication."""
    seats = Group("player", None, Independent(learner))
    build = lambda: Play(Repeated(game), Population((seats,)), length=1, episodic=False)
    return same_length(name, label, build, PLAYS, Policy(every=PLAYS // 40))


def _learners(game: Polymatrix) -> tuple[Cell, ...]:
    """Cross learning and frequency-adjusted Q-learning from sampled payoffs, and the flows that they approach."""
    low, high = (float(f(np.asarray(game.edge(0, 1)))) for f in (np.min, np.max))
    cross = CrossLearning(rate=THETA, low=low, high=high, start=PATH_START)
    values, start = LEARNER_T * jnp.log(jnp.asarray(PATH_START)), jnp.tile(jnp.asarray(PATH_START), (2, 1))
    adjusted = BoltzmannQ(LEARNER_T, LEARNER_RATE, floor=LEARNER_FLOOR, start=values, frequency_adjusted=True)
    flow = partial(QLearningFlow, game, start=start, integrator=RungeKutta(20))
    # Payoffs scaled into [0, 1] slow the replicator down by the width of their range.
    replicator = partial(flow, temperature=0.0, interval=THETA * PLAYS / 40 / (high - low))
    interval = LEARNER_RATE * LEARNER_FLOOR * PLAYS / 40
    smooth = partial(flow, temperature=LEARNER_T, interval=interval, time="temperature")
    return (
        _sampled(game, cross, "cross", f"cross learning, theta = {THETA:g}"),
        same_length("cross_flow", "replicator", replicator, 40, Policy()),
        _sampled(game, adjusted, "adjusted", f"frequency-adjusted Q-learning, T = {LEARNER_T:g}"),
        same_length("adjusted_flow", "Q-learning flow", smooth, 40, Policy()),
    )


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Replicators, temperatures, learners."""
    game = first_price_bids(settings.winner_fee)
    return (
        _replicator("replicator", f"three bids, fee {settings.winner_fee:g}", game),
        _replicator("printed", "three bids, as printed (no fee)", first_price_bids(0.0)),
        _replicator("two_bids", f"two bids, fee {settings.winner_fee:g}", two_bids(settings.winner_fee), 1),
        *_over_temperatures(game),
        *_learners(game),
    )


# What is read.


def distances(ends: np.ndarray) -> np.ndarray:
    """Largest |x - p| to each of the two printed equilibria, [replicate, trajectory, equilibrium]."""
    padded = np.zeros((*ends.shape[:2], 3, ends.shape[3]))
    padded[:, :, : ends.shape[2]] = ends
    return np.stack([np.abs(padded - p[None, :, :, None]).max(axis=(1, 2)) for p in PURE], axis=-1)


def shares(cell: str) -> Quantity:
    """Shares of the starts that end within 0.01 of (0, 0) and of (1/2, 1/2), [replicate, equilibrium]."""
    return policies(cell).last.then(lambda ends: (distances(ends) < 0.01).mean(axis=1))


def elsewhere(cell: str) -> Quantity:
    """Share of the starts that end at neither, [replicate]."""
    return 1.0 - shares(cell).then(lambda found: found.sum(axis=1))


def bids_nothing(cell: str) -> Quantity:
    """P(bid 0) of the first trajectory, [replicate, time, bidder]."""
    return policies(cell)[:, :, :, 0, 0]


def learners_less_flow(cell: str) -> Quantity:
    """P(bid 0), learners less their flow, mean over both bidders and the second half of the path, [replicate]."""
    difference = bids_nothing(cell) - bids_nothing(f"{cell}_flow")
    return difference.then(lambda path: path[:, path.shape[1] // 2 :].mean(axis=(1, 2)))


def _pure_equilibria(fee: float) -> Quantity:
    """How many pure equilibria the matrix with this fee has; the same in every replication."""
    count = lambda: float(len(pure_nash(first_price_bids(fee)).policies))
    return Quantity(lambda results: np.full(results.scale.replications, count()))


# What is claimed, in the order of the slides.

_SOURCE = "Rawat2023, first-price auction"
_DYNAMICS = "Rawat2023, replicator dynamics"
_PNE = "pure Nash equilibria: both bid 0, both bid 1/2"


CLAIMS: tuple[AbstractClaim, ...] = (
    value(
        "equilibria.with_fee", _SOURCE, f"{_PNE} (of the rule as written, with the winner's fee of 0.25)",
        2.0, margin(0.0, "a count"), "pure Nash equilibria", _pure_equilibria(FEE)),
    value(
        "equilibria.as_printed", _SOURCE, f"{_PNE} (of the printed matrix, which omits the fee)",
        2.0, margin(0.0, "a count"), "pure Nash equilibria", _pure_equilibria(0.0),
        "without the fee (1, 1) is one too, and all but (1/2, 1/2) are weak",
        context="the other reading of the same sentence"),
    value(
        "replicator.ends", _DYNAMICS, "the replicator dynamics of the game lead to its pure equilibria",
        0.0, margin(0.01, "an exact limit; starts near the basin's edge take long"),
        "share of random starts that end elsewhere", elsewhere("replicator"),
        "our reading: the slides draw the dynamics and print no number"),
    *(Direction(id=f"replicator.{name}", source=_DYNAMICS, sign=1, estimate=shares("replicator")[:, which],
                threshold=margin(0.01, "one start in a hundred; a share is never negative"),
                statement=f"both bidding {bid} is a possible outcome", note="share of random starts that end there")
      for which, (name, bid) in enumerate((("collusive", "0"), ("competitive", "1/2")))),
    value(
        "cross_learning.limit", f"{_DYNAMICS} (Boergers and Sarin 1997)",
        "the replicator dynamics can be derived from cross learning",
        0.0, margin(THETA, "the learners' paths leave their mean by a variance of order theta"),
        "P(bid 0), learners less replicator", learners_less_flow("cross"),
        "theta = 0.01 and rewards scaled into [0, 1]; at theta = 1, as written, a reward of 1 makes a policy pure"),
    value(
        "frequency_adjusted.limit", f"{_DYNAMICS} of Q-learning (Kaisers and Tuyls 2010)",
        "Q-learning with updates divided by their frequency follows the selection-mutation equation",
        0.0, margin(0.01, "the policy is nonlinear in noisy values: a bias of the order of the rate"),
        "P(bid 0), learners less flow", learners_less_flow("adjusted"),
        "softmax(Q / tau) with the factor pi_i; the slide divides outside the exponent and drops the index"),
    NotComparable(
        id="cross_learning.equation", source=f"{_DYNAMICS} for evolutionary game theory",
        statement="the replicator equation", published=None, missing="the equation is absent from the text"),
)  # fmt: skip

# What is shown.

_BIDS = ("0", "1/2", "1")
_APART = 1e-4
"""Distance from which two equilibria count as different."""
_SOLVED = 1e-10
"""Largest residual of a logit equilibrium."""


def report(results: Results[Settings]) -> Report:
    """Where replicators end, equilibria by temperature, learners; basins, branches and paths."""
    solutions, loss = logit_equilibria(results), _loss_of_stability(results)
    return Report(
        tables=(_ends(results), _equilibria(solutions, loss), _sampled_learners(results)),
        figures=(_basins(results), _branches(solutions, loss), _paths(results)),
    )


def _ends(results: Results[Settings]) -> Table:
    rows = []
    for cell in ("replicator", "printed", "two_bids"):
        found, regret = shares(cell)(results), recorded(cell, "regret").last(results)
        ends = {"both bid 0": found[:, 0], "both bid 1/2": found[:, 1], "elsewhere": elsewhere(cell)(results)}
        row = {"game": results.cells[cell].label} | {name: mean_interval(x).text(3) for name, x in ends.items()}
        rows.append(row | {"largest regret": f"{regret.max():.1e}"})
    caption = (
        f"Replicator dynamics from {STARTS} policies a replication, drawn uniformly for both bidders: shares that end "
        "within 0.01 of the equilibria, with 95% intervals. With two bids the edge of the basins is the line on which "
        "the bidders' probabilities of bidding 0 add up to one, so that half of the starts lead to either side. "
        "Largest regret: what a best reply would still add at the end of the slowest path."
    )
    return Table.of_rows("ends", caption, rows)


def logit_equilibria(results: Results[Settings]) -> pandas.DataFrame:
    """Distinct logit equilibria of bidder 1 at every temperature, and which of them Q-learning ends at."""

    def by_temperature(points: np.ndarray) -> np.ndarray:
        """[replicate, ..., trajectory] to [temperature, replicate and start, ...]."""
        points = np.moveaxis(points.reshape(*points.shape[:-1], len(TEMPERATURES), -1), (-2, -1), (0, 2))
        return points.reshape(len(TEMPERATURES), -1, *points.shape[3:])

    gap, solved, ended = (
        by_temperature(quantity.last(results))
        for quantity in (recorded("equilibria", "gap"), policies("equilibria"), policies("q_learning"))
    )
    rows = []
    for temperature, residual, newton, flow in zip(TEMPERATURES, gap, solved, ended, strict=True):
        for point in _distinct(newton[residual < _SOLVED]):
            reached = (np.abs(flow - point).max(axis=(1, 2)) < _APART).mean()
            rows.append(
                {"temperature": temperature}
                | {f"P(bid {bid})": point[0, a] for a, bid in enumerate(_BIDS)}
                | {"other's P(bid 0)": point[1, 0], "reached": reached}
            )
    return pandas.DataFrame(rows)


def _distinct(points: np.ndarray) -> list[np.ndarray]:
    """Points [n, player, action] further apart than `_APART`, by bidder 1's P(bid 0)."""
    kept: list[np.ndarray] = []
    for point in points[np.argsort(points[:, 0, 0])]:
        if all(np.abs(point - other).max() > _APART for other in kept):
            kept.append(point)
    return kept


def _loss_of_stability(results: Results[Settings]) -> float | None:
    """Where the principal branch of the run's game first loses stability; None if it never does."""
    branch = trace_logit_branch(first_price_bids(results.settings.winner_fee), min(TEMPERATURES))
    return next((e.temperature for e in branch.events if e.unstable[1] > e.unstable[0]), None)


def _equilibria(solutions: pandas.DataFrame, loss: float | None) -> Table:
    chosen: Any = solutions[solutions["temperature"].round(6).isin([0.03, 0.05, 0.1, 0.2, 0.25])]
    caption = (
        "Logit equilibria found by Newton's method from random starts, with a residual below 1e-10, at some of the "
        "temperatures; `reached` is the share of random starts from which the Q-learning flow ends there."
    )
    if loss is not None:
        caption += f" Below T = {loss:.4f} the principal branch is unstable."
    return Table(name="logit_equilibria", frame=chosen.reset_index(drop=True), caption=caption, decimals=6)


def _sampled_learners(results: Results[Settings]) -> Table:
    rows = []
    for cell in ("cross", "adjusted"):
        learnt, flow = (bids_nothing(name).last(results).mean(axis=1) for name in (cell, f"{cell}_flow"))
        row = {"learners": results.cells[cell].label, "P(bid 0) at the end": mean_interval(learnt).text(4)}
        row |= {"of the flow": float(flow.mean())}
        row |= {"learners less flow, second half": mean_interval(learners_less_flow(cell)(results)).text(4)}
        rows.append(row | {"SD over replications": learnt.std(ddof=1)})
    caption = "Learners from sampled payoffs beside the flows they approach, from the same start; 95% intervals."
    return Table.of_rows("learners", caption, rows, decimals=4)


def _basins(results: Results[Settings]) -> Figure:
    path = policies("two_bids")(results)[0, :120, :, 0, :40]
    data = long_rows(
        {"start": range(path.shape[-1]), "time": range(len(path))}, dict(bidder_1=path[:, 0].T, bidder_2=path[:, 1].T)
    )
    caption = (
        "Replicator dynamics with two bids, winner's fee included: probabilities of bidding 0 of both bidders from "
        "40 random starts. Dashed: the edge of the basins, on which they add up to one. Discs: the equilibria "
        "(0, 0), upper right, and (1/2, 1/2), lower left."
    )
    draw = lambda sheet: _draw_basins(sheet, path)
    return Figure(name="basins", draw=draw, data=data.drop(columns="time"), caption=caption)


def _draw_basins(sheet: Any, path: np.ndarray) -> None:
    """Paths [t, bidder, start]."""
    axes = sheet.subplots()
    for x, y in path.transpose(2, 1, 0):
        colour = COLOURS[2] if x[-1] > 0.5 else COLOURS[1]
        axes.plot(x, y, color=colour, linewidth=0.7, linestyle="-")
        axes.plot(x[:1], y[:1], color=colour, marker=".", markersize=3)
    axes.plot([0, 1], [1, 0], color="#888888", linestyle="--", linewidth=0.8)
    axes.plot([0, 1], [0, 1], color="#000000", marker="o", markersize=4, linestyle="none")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal", xlabel="P(bid 0), bidder 1")
    axes.set_ylabel("P(bid 0), bidder 2")


def _branches(solutions: pandas.DataFrame, loss: float | None) -> Figure:
    caption = (
        "Logit equilibria of the three-bid game by temperature (Newton's method from random starts): filled where "
        "the Q-learning flow from random starts ends there, open where it never does. The line is where "
        "the principal branch loses stability."
    )
    draw = lambda sheet: _draw_branches(sheet, solutions, loss)
    return Figure(name="branches", draw=draw, data=solutions, caption=caption, size=TWO_COLUMNS)


def _draw_branches(sheet: Any, data: pandas.DataFrame, loss: float | None) -> None:
    for colour, axes, bid in zip(COLOURS[1:3], sheet.subplots(1, 2), ("0", "1/2"), strict=True):
        for reached, part in data.groupby(data["reached"] > 0):
            face, label = (colour, "Q-learning ends here") if reached else ("none", "not reached")
            style = {"color": colour, "marker": "o", "markersize": 3, "linestyle": "none", "markerfacecolor": face}
            axes.plot(part["temperature"], part[f"P(bid {bid})"], label=label, **style)
        if loss is not None:
            axes.axvline(loss, color="#888888", linewidth=0.6)
        axes.set(xlabel="temperature", ylabel=f"P(bid {bid}), bidder 1", ylim=(-0.03, 1.03))
        axes.legend(loc="upper right")


def _paths(results: Results[Settings]) -> Figure:
    panels = {}
    for cell in ("cross", "adjusted"):
        learnt, flow = (bids_nothing(name)(results)[:, :, 0] for name in (cell, f"{cell}_flow"))
        at, label = np.arange(1, learnt.shape[1] + 1) / learnt.shape[1], results.cells[cell].label
        low, high = np.quantile(learnt, [0.1, 0.9], axis=0)
        columns = {"time": at, "learners": learnt.mean(axis=0), "low": low, "high": high, "flow": flow[0]}
        panels[label] = pandas.DataFrame({"panel": label, **columns})
    caption = "Learners from sampled payoffs (mean; band: 10th to 90th percentile of replications) and their flows."
    draw = lambda sheet: _draw_paths(sheet, panels, results.scale.replications)
    data = pandas.concat(panels.values(), ignore_index=True)
    return Figure(name="learners", draw=draw, data=data, caption=caption, size=TWO_COLUMNS)


def _draw_paths(sheet: Any, panels: dict[str, pandas.DataFrame], replications: int) -> None:
    for axes, (label, part) in zip(sheet.subplots(1, len(panels), sharey=True), panels.items(), strict=True):
        axes.fill_between(part["time"], part["low"], part["high"], color=COLOURS[1], alpha=0.2, linewidth=0)
        axes.plot(part["time"], part["learners"], color=COLOURS[1], label="learners, mean")
        axes.plot(part["time"], part["flow"], color=COLOURS[0], linestyle="--", label="flow")
        axes.set_title(label, fontsize=8)
        axes.set(xlabel="share of the run", ylim=(0, 1))
        axes.legend(loc="best")
    sheet.axes[0].set_ylabel("P(bid 0), bidder 1")
    state_sample(sheet, replications, None)


experiment = Experiment(
    name="learning_dynamics.first_price", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="A first-price auction with three bids: equilibria, basins and learners",
    summary="Collusive and competitive equilibria of a tiny auction; which one replicators and Q-learners reach",
    sources=("Rawat2023", "BoergersSarin1997", "KaisersTuyls2010", "TaylorJonker1978"),
    scales={
        "quick": Scale(steps=REST, replications=10, block=10, chunk=4000),
        "paper": Scale(steps=REST, replications=50, block=25, chunk=4000),
    },
)  # fmt: skip
