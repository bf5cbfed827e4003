"""Tables and figures of the social outcomes of karma, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, Figure
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .reading import at_rest, settled

_PRINTED = {
    "coin": (-1.49, -0.021, -0.0051),
    "dict": (-1.00, -0.0152, -0.0049),
    "learners": (-1.033, -0.0144, -0.0042),
}
_LABELS = {"coin": "COIN", "dict": "DICT", "learners": "learners, PBS, beta 5"}
_VARIABLES = ("efficiency", "reward_fairness", "access_fairness")


def report(results: Any) -> Report:
    """The printed table beside ours, the mean field by discount, and the road to it."""
    return Report(
        tables=(_outcomes(results), _fields(results), _guards(results)),
        figures=(_patience(results), _learning(results), _karma(results), _bids(results)),
    )


def _outcomes(results: Any) -> Table:
    rows = []
    for cell, printed in _PRINTED.items():
        row: dict[str, Any] = {"allocation": _LABELS[cell]}
        for variable, number in zip(_VARIABLES, printed, strict=True):
            ours = mean_interval(settled(results, cell, variable))
            name = variable.replace("_", " ")
            row |= {name: ours.mean, f"{name}, low": ours.low, f"{name}, high": ours.high, f"{name}, printed": number}
        row["steps"] = 1_000 if cell == "learners" else 10_000
        rows.append(row)
    field = float(at_rest(results, "field", "efficiency").mean())
    rows.append({"allocation": "mean field, PBS, beta 5 (logit)", "efficiency": field})
    caption = (
        "Mean reward a player and step, and minus the SD over players of mean reward and of the share of contests won; "
        "95% intervals over replications. Fairness shrinks with the number of steps it is taken over (last column); "
        f"printed values are over 10,000. Learners: last fifth of {_phases(results)} phases of 1,000 steps."
    )
    return Table(name="outcomes", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _phases(results: Any) -> int:
    return results.dataset("learners")["efficiency"].sizes["phase"]


def _by_discount(results: Any) -> pandas.DataFrame:
    data = {rule: results.dataset(f"rational_{rule}") for rule in ("pbp", "pbs")}
    gammas = [float(g) for g in data["pbp"]["gamma"].values]
    frame: dict[str, Any] = {"gamma": gammas}
    for rule in data:
        for variable in ("efficiency", "pool"):
            frame[f"{rule}_{variable}"] = [
                float(at_rest(results, f"rational_{rule}", variable, g).mean()) for g in gammas
            ]
    return pandas.DataFrame(frame)


def _fields(results: Any) -> Table:
    caption = (
        "Stationary equilibrium with infinitely many players, beta 1000, by discount: mean reward a player and step, "
        "and karma shared out a player and step, under pay-bid-to-peer and pay-bid-to-society."
    )
    return Table(name="mean_field", frame=_by_discount(results), caption=caption, decimals=4)


def _guards(results: Any) -> Table:
    rows = []
    for cell, label in {"fixed": "COIN and DICT", "learners": _LABELS["learners"]}.items():
        data = results.dataset(cell)
        rows.append(
            {
                "allocation": label,
                "largest drift of total karma": int(data["karma_drift"].max()),
                "karma outside 0..cap": int(data["karma_outside"].max()),
                "NaN": int(data["nan_actions"].sum()),
            }
        )
    return Table(name="guards", frame=pandas.DataFrame(rows), caption="All must be 0.", decimals=0)


def _patience(results: Any) -> Figure:
    data = _by_discount(results)
    bounds = {cell: float(settled(results, cell, "efficiency").mean()) for cell in ("coin", "dict")}

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for i, (rule, marker) in enumerate((("pbp", "o"), ("pbs", "s"))):
            axes.plot(data["gamma"], data[f"{rule}_efficiency"], marker=marker, color=COLOURS[i], label=rule.upper())
        for cell, style in (("coin", ":"), ("dict", "--")):
            axes.axhline(bounds[cell], color="black", linewidth=0.8, linestyle=style, label=cell.upper())
        axes.set(xlabel="discount", ylabel="mean reward a step")
        axes.legend()

    return Figure(
        name="efficiency_by_discount",
        draw=draw,
        data=data.assign(**bounds),
        caption="Mean-field efficiency by discount under both payments, between a coin and a dictator.",
    )


def _learning(results: Any) -> Figure:
    data = results.dataset("learners")["efficiency"].mean("copy")
    blocks = np.array_split(np.arange(data.sizes["phase"]), min(60, data.sizes["phase"]))
    values = np.stack([data.values[:, b].mean(axis=1) for b in blocks], axis=1)
    frame = pandas.DataFrame(
        {
            "steps": [1000 * (int(b[-1]) + 1) for b in blocks],
            "learners": values.mean(axis=0),
            "lowest": values.min(axis=0),
            "highest": values.max(axis=0),
            "mean_field": float(at_rest(results, "field", "efficiency").mean()),
        }
    )

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        axes.fill_between(frame["steps"], frame["lowest"], frame["highest"], color=COLOURS[0], alpha=0.25, linewidth=0)
        axes.plot(frame["steps"], frame["learners"], color=COLOURS[0], label="learners")
        axes.plot(frame["steps"], frame["mean_field"], color="black", linestyle="--", label="mean field")
        axes.set(xlabel="steps", ylabel="mean reward a step")
        axes.legend()

    return Figure(
        name="learning",
        draw=draw,
        data=frame,
        caption=(
            "Efficiency of learners under PBS (mean and range over "
            f"{values.shape[0]} replications) and of the logit mean field at the same temperature."
        ),
    )


def _karma(results: Any) -> Figure:
    learnt = settled(results, "learners", "karma_share").mean(axis=0)
    field = at_rest(results, "field", "karma_share").mean(axis=0)
    frame = pandas.DataFrame({"karma": np.arange(learnt.size), "learners": learnt, "mean_field": field})

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        axes.bar(frame["karma"], frame["learners"], color=COLOURS[6], label="learners")
        axes.step(frame["karma"], frame["mean_field"], where="mid", color="black", label="mean field")
        axes.set(xlabel="karma", ylabel="share of players")
        axes.legend()

    return Figure(
        name="karma_distribution",
        draw=draw,
        data=frame,
        caption="Karma of the learners at the end of the run, and in the logit mean field.",
    )


def _bids(results: Any) -> Figure:
    learnt = np.ma.masked_invalid(settled(results, "learners", "mean_bid")).mean(axis=0).filled(np.nan)
    field = at_rest(results, "field", "mean_bid").mean(axis=0)
    names = ("calm", "urgent")
    frame = pandas.DataFrame({"karma": np.arange(field.shape[1])})
    for u, name in enumerate(names):
        frame[f"{name}_learners"], frame[f"{name}_mean_field"] = learnt[u], field[u]

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for u, name in enumerate(names):
            style = {"color": COLOURS[u + 1], "markersize": 4}
            axes.plot(frame["karma"], frame[f"{name}_learners"], "o", label=f"learners, {name}", **style)
            axes.plot(frame["karma"], frame[f"{name}_mean_field"], "-", label=f"mean field, {name}", **style)
        axes.locator_params(axis="x", integer=True)
        axes.set(xlabel="karma", ylabel="mean bid")
        axes.legend()

    return Figure(
        name="bids",
        draw=draw,
        data=frame,
        caption=(
            "Mean bid by karma when losing costs 1 (calm) and 5 (urgent): learners at the end of the run, where "
            "anybody was, and the logit mean field at the same temperature."
        ),
    )
