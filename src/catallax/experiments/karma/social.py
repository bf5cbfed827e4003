"""Social outcomes of karma: a coin, a dictator, learners who bid karma, and the exact mean field beside them.

Two hundred players meet in pairs at every step. COIN and DICT allocate without karma; their outcomes are known in
closed form. Learners own a table each and pay their bids to society. The mean field is the same game with infinitely
many players, solved in double precision: nearly rational (beta = 1000) for a range of discounts under both payments,
and as smooth as the learners (beta = 5), which is what the learners are judged by.

Source: Vaishampayan (2024), chapter 6, table 6.1 and figure 6.1; Elokda et al. (2023).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas

from catallax.lab import Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import interval_columns
from catallax.lab.claims import (
    AbstractClaim,
    Baseline,
    Direction,
    Margin,
    NotComparable,
    PrintedError,
    Value,
    shorter_than,
    value,
)
from catallax.lab.figure import COLOURS
from catallax.lab.quantity import Quantity, defined_mean, recorded
from catallax.lab.statement import Statement

from .economies import DISCOUNTS, EPOCH, HORIZON, SCRIPTED, Settings, cells

# What is read.

PRINTED = {
    "coin": (-1.49, -0.021, -0.0051),
    "dict": (-1.00, -0.0152, -0.0049),
    "learners": (-1.033, -0.0144, -0.0042),
}
"""The printed table: efficiency, reward fairness and access fairness of each allocation."""
VARIABLES = ("efficiency", "reward_fairness", "access_fairness")
"""What the printed columns are called in the results."""


def settled(allocation: str, variable: str) -> Quantity:
    """The mean over the last fifth of the phases of "coin", "dict" or "learners", [replicate, ...]."""
    lane = {"urgent_bid": SCRIPTED.index(allocation)} if allocation in SCRIPTED else {}
    path = recorded("fixed" if lane else allocation, variable, copy=0, **lane)
    return path.then(_last_fifth)


def field(variable: str) -> Quantity:
    """The mean field of the learners where it rests, [replicate, ...]."""
    return recorded("field", variable).last


def rational(rule: str, gamma: float, variable: str = "efficiency") -> Quantity:
    """The nearly rational mean field under "pbp" or "pbs" at one of `DISCOUNTS` where it rests, [replicate, ...]."""
    return recorded(f"rational_{rule}", variable, gamma=DISCOUNTS.index(gamma)).last


def _last_fifth(path: np.ndarray) -> np.ndarray:
    """The mean over the last fifth of a path [replicate, phase, ...], in the precision of the path."""
    phases = max(1, round(path.shape[1] * 0.2))
    return defined_mean(path[:, -phases:], axis=1).astype(path.dtype)


# What is claimed.

TABLE = "Vaishampayan2024, table 6.1"
FIGURE = "Vaishampayan2024, figure 6.1"
_REWARD = "reward per step"
_SET = "2026-12-01"
_FINISHED = shorter_than("paper")
_EFFICIENCY = Margin(0.01, "half of the smallest difference that the source interprets, -1.012 less -1.033", _SET)
_COIN = Baseline("COIN", PRINTED["coin"][0], settled("coin", "efficiency"))


def _efficiency(
    id: str, what: str, published: float, printed: PrintedError, ours: Quantity, note: str, **more: Any
) -> Value:
    statement, baseline = f"efficiency of {what}", None if id == "coin" else _COIN
    return value(
        f"efficiency.{id}", TABLE, statement, published, _EFFICIENCY, _REWARD, ours, note, printed, baseline=baseline,
        **more,
    )  # fmt: skip


def _fairness(cell: str, variable: str, digit: float) -> Value:
    number, unit = PRINTED[cell][VARIABLES.index(variable)], "1" if variable == "access_fairness" else _REWARD
    margin = Margin(abs(number) / 10, "a tenth of the printed number", _SET)
    statement = f"{variable.replace('_', ' ')} of {cell.upper()} over 10,000 steps"
    printed = PrintedError(digit, runs=1)
    return value(f"{variable}.{cell}", TABLE, statement, number, margin, unit, settled(cell, variable), printed=printed)


def _independent(rule: str, gamma: float, number: float) -> Value:
    source = "an independent NumPy solver of the same fixed point (beta 1000), unpublished"
    margin = Margin(0.0015, "equilibria within 0.001 of exploitability, and half a unit of the last digit", _SET)
    return value(
        f"independent.{rule}.{gamma:g}", source, f"mean-field efficiency under {rule.upper()}, gamma {gamma:g}",
        number, margin, _REWARD, rational(rule, gamma), context="unpublished",
    )  # fmt: skip


def _above(id: str, source: str, statement: str, one: Quantity, other: Quantity, **more: Any) -> Direction:
    return Direction(id=id, source=source, statement=statement, sign=1, estimate=one - other, **more)


_COINS, _DICTATOR, _LEARNERS = (settled(name, "efficiency") for name in PRINTED)
_MEAN_FIELD_NOTE = (
    "printed: 200 players with the mean-field policy; ours: infinitely many, beta 1000. SD a step of 1.3 from the "
    "printed reward fairness"
)
_LEARNERS_NOTE = (
    "printed: learnt tables played on, at a temperature that is not stated; ours: while learning, beta 5. Between "
    "beta 5 and 20 the same tables give between -1.061 and -1.026"
)

CLAIMS: tuple[AbstractClaim, ...] = (
    _efficiency("coin", "COIN", -1.49, PrintedError(0.01, runs=1), _COINS, "in closed form -1.5; digits look cut off"),
    _efficiency("dict", "DICT", -1.00, PrintedError(0.01, runs=1), _DICTATOR, "in closed form -1"),
    _efficiency("mean_field", "mean-field play, PBS, gamma 0.98", -1.012, PrintedError(0.001),
                rational("pbs", 0.98), _MEAN_FIELD_NOTE),
    _efficiency("learners", "learners, PBS, gamma 0.98", -1.033, PrintedError(0.001, runs=1), _LEARNERS,
                _LEARNERS_NOTE, unfinished=_FINISHED),
    _fairness("coin", "reward_fairness", 0.001),
    _fairness("dict", "reward_fairness", 0.0001),
    _fairness("coin", "access_fairness", 0.0001),
    _fairness("dict", "access_fairness", 0.0001),
    *(_independent(rule, gamma, published)
      for rule, row in {"pbp": (-1.5, -1.318, -1.175, -1.0477), "pbs": (-1.5, -1.269, -1.087, -1.0111)}.items()
      for gamma, published in zip(DISCOUNTS, row, strict=True)),
    value("learners_at_the_mean_field", "the logit mean field of the same game (cell 'field')",
          "200 learners come to rest where the mean field does: difference of efficiencies", 0.0,
          Margin(0.003, "200 players are finite, and a constant learning rate leaves noise in the tables", _SET),
          _REWARD, _LEARNERS - field("efficiency"), context="our reading: no such number is printed"),
    Statement(
        id="patience", source=FIGURE, statement="efficiency rises with the discount (0.98 less 0)",
        parts=tuple(_above(rule, FIGURE, f"under {rule.upper()}", rational(rule, 0.98), rational(rule, 0.0))
                    for rule in ("pbp", "pbs")),
    ),
    _above("society_above_peer", FIGURE, "PBS is more efficient than PBP at discount 0.98",
           rational("pbs", 0.98), rational("pbp", 0.98)),
    _above("learners_above_coin", TABLE, "learners are more efficient than a coin", _LEARNERS, _COINS,
           unfinished=_FINISHED),
    _above("dictator_above_learners", TABLE, "no learner does better than the dictator", _DICTATOR, _LEARNERS,
           unfinished=_FINISHED),
    NotComparable(
        id="fairness.learners", source=TABLE, published="-0.0144, -0.0042",
        statement="reward fairness -0.0144 and access fairness -0.0042 of learners over 10,000 steps",
        missing="a stage of 10,000 steps with the learnt tables frozen, and the temperature at which they were played",
    ),
    NotComparable(
        id="turn", source=TABLE, published="-1.50, -0.018, -0.0001",
        statement="TURN: fewer past accesses win; efficiency -1.50, reward fairness -0.018, access fairness -0.0001",
        missing="an allocation by past accesses; under independent urgency its reward fairness would be -0.0141",
    ),
)  # fmt: skip

# What is shown.

_LABELS = {"coin": "COIN", "dict": "DICT", "learners": "learners, PBS, beta 5"}


def report(results: Results[Settings]) -> Report:
    """The printed table beside ours, the mean field by discount, and the road to it."""
    tables = (_outcomes(results), _fields(results), _guards(results))
    return Report(tables, (_patience(results), _learning(results), _karma(results), _bids(results)))


def _outcomes(results: Results[Settings]) -> Table:
    rows = []
    for allocation, printed in PRINTED.items():
        row: dict[str, Any] = {"allocation": _LABELS[allocation]}
        for variable, number in zip(VARIABLES, printed, strict=True):
            name = variable.replace("_", " ")
            row |= interval_columns(settled(allocation, variable)(results), name, f"{name}, ")
            row[f"{name}, printed"] = number
        rows.append(row | {"steps": EPOCH if allocation == "learners" else HORIZON})
    rows.append({"allocation": "mean field, PBS, beta 5 (logit)", "efficiency": field("efficiency")(results).mean()})
    phases = results.dataset("learners").sizes["phase"]
    caption = (
        "Mean reward a player and step, and minus the SD over players of mean reward and of the share of contests won; "
        "95% intervals over replications. Fairness shrinks with the number of steps it is taken over (last column); "
        f"printed values are over 10,000. Learners: last fifth of {phases} phases of 1,000 steps."
    )
    return Table.of_rows("outcomes", caption, rows, decimals=4)


def _by_discount(results: Results[Settings]) -> pandas.DataFrame:
    columns = [(rule, variable) for rule in ("pbp", "pbs") for variable in ("efficiency", "pool")]
    value = lambda gamma, rule, variable: rational(rule, gamma, variable)(results).mean()
    rows = [{"gamma": gamma} | {"_".join(column): value(gamma, *column) for column in columns} for gamma in DISCOUNTS]
    return pandas.DataFrame(rows)


def _fields(results: Results[Settings]) -> Table:
    caption = (
        "Stationary equilibrium with infinitely many players, beta 1000, by discount: mean reward a player and step, "
        "and karma shared out a player and step, under pay-bid-to-peer and pay-bid-to-society."
    )
    return Table(name="mean_field", frame=_by_discount(results), caption=caption, decimals=4)


def _guards(results: Results[Settings]) -> Table:
    rows = []
    drift, outside = "largest drift of total karma", "karma outside 0..cap"
    for cell, label in {"fixed": "COIN and DICT", "learners": _LABELS["learners"]}.items():
        data = results.dataset(cell)
        row = {"allocation": label, drift: int(data["karma_drift"].max()), outside: int(data["karma_outside"].max())}
        rows.append(row | {"NaN": int(data["nan_actions"].sum())})
    return Table.of_rows("guards", "All must be 0.", rows, decimals=0)


def _figure(
    name: str, caption: str, data: pandas.DataFrame, labels: tuple[str, str], plot: Callable[[Any], None]
) -> Figure:
    """A figure of one panel; `plot` draws on its axes, and the labels are those of the abscissa and the ordinate."""

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        plot(axes)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.legend()

    return Figure(name=name, draw=draw, data=data, caption=caption)


def _patience(results: Results[Settings]) -> Figure:
    data = _by_discount(results)
    bounds = {name: float(settled(name, "efficiency")(results).mean()) for name in SCRIPTED}

    def plot(axes: Any) -> None:
        for i, (rule, marker) in enumerate((("pbp", "o"), ("pbs", "s"))):
            axes.plot(data["gamma"], data[f"{rule}_efficiency"], marker=marker, color=COLOURS[i], label=rule.upper())
        for cell, style in (("coin", ":"), ("dict", "--")):
            axes.axhline(bounds[cell], color="black", linewidth=0.8, linestyle=style, label=cell.upper())

    caption = "Mean-field efficiency by discount under both payments, between a coin and a dictator."
    labels = ("discount", "mean reward a step")
    return _figure("efficiency_by_discount", caption, data.assign(**bounds), labels, plot)


def _learning(results: Results[Settings]) -> Figure:
    path = recorded("learners", "efficiency", copy=0)(results)
    blocks = np.array_split(np.arange(path.shape[1]), min(60, path.shape[1]))
    values = np.stack([path[:, block].mean(axis=1) for block in blocks], axis=1)
    steps = [EPOCH * (int(block[-1]) + 1) for block in blocks]
    frame = pandas.DataFrame({"steps": steps, "learners": values.mean(axis=0)}).assign(
        lowest=values.min(axis=0), highest=values.max(axis=0), mean_field=float(field("efficiency")(results).mean())
    )

    def plot(axes: Any) -> None:
        axes.fill_between(steps, frame["lowest"], frame["highest"], color=COLOURS[0], alpha=0.25, linewidth=0)
        axes.plot(steps, frame["learners"], color=COLOURS[0], label="learners")
        axes.plot(steps, frame["mean_field"], color="black", linestyle="--", label="mean field")

    caption = (
        f"Efficiency of learners under PBS (mean and range over {values.shape[0]} replications) and of the logit mean "
        "field at the same temperature."
    )
    return _figure("learning", caption, frame, ("steps", "mean reward a step"), plot)


def _karma(results: Results[Settings]) -> Figure:
    learnt = settled("learners", "karma_share")(results).mean(axis=0)
    exact = field("karma_share")(results).mean(axis=0)
    frame = pandas.DataFrame({"karma": np.arange(learnt.size), "learners": learnt, "mean_field": exact})

    def plot(axes: Any) -> None:
        axes.bar(frame["karma"], frame["learners"], color=COLOURS[6], label="learners")
        axes.step(frame["karma"], frame["mean_field"], where="mid", color="black", label="mean field")

    caption = "Karma of the learners at the end of the run, and in the logit mean field."
    return _figure("karma_distribution", caption, frame, ("karma", "share of players"), plot)


def _bids(results: Results[Settings]) -> Figure:
    learnt = defined_mean(settled("learners", "mean_bid")(results), axis=0)
    exact = field("mean_bid")(results).mean(axis=0)
    names = ("calm", "urgent")
    frame = pandas.DataFrame({"karma": np.arange(exact.shape[1])})
    for u, name in enumerate(names):
        frame[f"{name}_learners"], frame[f"{name}_mean_field"] = learnt[u], exact[u]

    def plot(axes: Any) -> None:
        for u, name in enumerate(names):
            style = {"color": COLOURS[u + 1], "markersize": 4}
            axes.plot(frame["karma"], frame[f"{name}_learners"], "o", label=f"learners, {name}", **style)
            axes.plot(frame["karma"], frame[f"{name}_mean_field"], "-", label=f"mean field, {name}", **style)
        axes.locator_params(axis="x", integer=True)

    caption = (
        "Mean bid by karma when losing costs 1 (calm) and 5 (urgent): learners at the end of the run, where anybody "
        "was, and the logit mean field at the same temperature."
    )
    return _figure("bids", caption, frame, ("karma", "mean bid"), plot)


experiment = Experiment(
    name="karma.social", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Karma economies: efficiency and fairness of learners, beside the mean field, a coin and a dictator",
    summary="COIN, DICT, 200 learners under pay-bid-to-society, and exact mean fields under both payments",
    sources=("Vaishampayan2024", "ElokdaEtAl2023"),
    scales={
        "quick": Scale(steps=10, replications=10, block=1, chunk=100),
        "paper": Scale(steps=20_000, replications=10, block=1, chunk=500),
    },
)  # fmt: skip
