"""Tables and the phase portraits of Q-learning in competitive games, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table

from .q_learning_claims import apart, final, heads
from .reference_values import AMPS, AMPS_TRAJECTORIES, line_rows

_PANELS = ("nobody explores", "T = 0.5", "T = 2", "T = 6.5")
_PATHS = 3  # starts drawn in each phase portrait


def report(results: Any) -> Report:
    """Equilibria and trajectories beside their references, who converges, learners; phase portraits."""
    return Report(
        tables=(
            _amps(results),
            _line(results),
            _trajectories(results),
            _selection(results),
            _learners(results),
        ),
        figures=(_portraits(results),),
    )


def _amps(results: Any) -> Table:
    found = heads(results, "amps")
    rows = []
    for b, (temperatures, reference) in enumerate(AMPS.items()):
        line: dict[str, Any] = {"T_1": temperatures[0], "T_2": temperatures[1]}
        for k in (0, 1):
            line[f"P{k + 1}(H)"] = found[:, k, b].mean()
            line[f"reference {k + 1}"] = reference[k]
        line["worst"] = f"{np.abs(found[:, :, b] - np.asarray(reference)).max():.1e}"
        rows.append(line)
    caption = (
        f"Asymmetric matching pennies at t = 300 from {found.shape[0]} random starts: mean P(H), references, and the "
        "largest deviation from them over all starts."
    )
    return Table(name="amps_equilibria", frame=pandas.DataFrame(rows), caption=caption, decimals=12)


def _line(results: Any) -> Table:
    rows = []
    for n in (3, 5, 7):
        found = heads(results, f"line_{n}")[:, 1:-1]
        for b, (temperatures, reference) in enumerate(line_rows(n)):
            same = len(set(temperatures)) == 1
            line: dict[str, Any] = {
                "n": n,
                "T": f"{temperatures[0]:g}" if same else " ".join(f"{t:g}" for t in temperatures),
            }
            line |= {f"P{k + 1}(H)": float(found[:, k, b].mean()) if k < n else None for k in range(7)}
            line["worst"] = f"{np.abs(found[:, :, b] - np.asarray(reference)).max():.1e}"
            rows.append(line)
    caption = (
        "Match-mismatch line at t = 300 from random starts: mean P(H) of players 1 to n, and the largest deviation "
        "from the reference values (given to 10 digits) over all players and starts."
    )
    return Table(name="line_equilibria", frame=pandas.DataFrame(rows), caption=caption, decimals=10)


def _trajectories(results: Any) -> Table:
    path = results.dataset("amps_trajectories")["policy"].values[0, :, :, 0]
    divergence = results.dataset("amps_trajectories")["divergence"].values[0]
    rows = []
    for b, (temperatures, points) in enumerate(AMPS_TRAJECTORIES.items()):
        for t, reference in points.items():
            ours = path[t - 1, :, b]
            rows.append(
                {
                    "T_1": temperatures[0],
                    "T_2": temperatures[1],
                    "t": t,
                    "P1(H)": ours[0],
                    "P2(H)": ours[1],
                    "deviation": f"{np.abs(ours - np.asarray(reference)).max():.1e}",
                    "D to Nash": divergence[t - 1, b],
                }
            )
    caption = (
        "Asymmetric matching pennies from P(H) = (0.8, 0.9): our flow, its largest deviation from the reference (given "
        "to nine digits), and the weighted divergence to the Nash equilibrium, which T = 0 conserves."
    )
    return Table(name="amps_trajectories", frame=pandas.DataFrame(rows), caption=caption, decimals=9)


def _selection(results: Any) -> Table:
    found = heads(results, "selection")[:, 1:-1]
    payoff = final(results, "selection", "payoff")[:, 1:-1]
    rows = []
    for b, who in enumerate(("nobody", "agents 1-3", "all")):
        for k in range(7):
            rows.append(
                {
                    "explore": who,
                    "agent": k + 1,
                    "P(H), mean": found[:, k, b].mean(),
                    "P(H), SD": found[:, k, b].std(ddof=1),
                    "P(H), min": found[:, k, b].min(),
                    "P(H), max": found[:, k, b].max(),
                    "payoff, mean": payoff[:, k, b].mean(),
                    "payoff, SD": payoff[:, k, b].std(ddof=1),
                    "neighbours apart": apart(found[:, k, b]).mean(),
                }
            )
    caption = (
        f"Line of seven at t = 200, T = 0.1 for those who explore, {found.shape[0]} random starts; the last column is "
        "the mean distance between the P(H) of two neighbouring replications."
    )
    return Table(name="selection", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _learners(results: Any) -> Table:
    data = results.dataset("learners")
    path = data["policy"].values[:, :, :, 0, 0]
    half = path[:, path.shape[1] // 2 :]
    reference = AMPS[1.0, 1.0]
    rows = [
        {
            "player": k + 1,
            "P(H), mean": half[:, :, k].mean(),
            "SD over time": half[:, :, k].std(axis=1).mean(),
            "SD over replications": half[:, :, k].mean(axis=1).std(ddof=1),
            "logit equilibrium": reference[k],
        }
        for k in (0, 1)
    ]
    caption = (
        "Sampled Boltzmann Q-learners (rate 0.05, T = 1, 100 copies) in repeated asymmetric matching pennies: policies "
        f"over the second half of {path.shape[1] * 20} plays, {path.shape[0]} replications."
    )
    return Table(name="learners", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _portraits(results: Any) -> Figure:
    path = results.dataset("one_explorer")["policy"].values[:_PATHS, :, :, 0]
    frames = [
        pandas.DataFrame(
            {
                "panel": panel,
                "start": s + 1,
                "time": 0.25 * np.arange(1, path.shape[1] + 1),
                "player_1": path[s, :, 0, b],
                "player_2": path[s, :, 1, b],
            }
        )
        for b, panel in enumerate(_PANELS)
        for s in range(path.shape[0])
    ]
    data = pandas.concat(frames, ignore_index=True)
    return Figure(
        name="one_explorer",
        draw=lambda sheet: _draw(sheet, data),
        data=data,
        caption=(
            "Asymmetric matching pennies when only player 2 explores, at the temperature above each panel: P(H) of "
            f"both from {path.shape[0]} random starts, t = 0.25 to {0.25 * path.shape[1]:g}. Disc: Nash equilibrium. "
            "Above T = 4 / ln 2 = 5.77 player 1 ends at the boundary."
        ),
        size=(TWO_COLUMNS[0], 2.2),
    )


def _draw(sheet: Any, data: pandas.DataFrame) -> None:
    """One panel a temperature; a line a start, a square where it ends."""
    for axes, panel in zip(sheet.subplots(1, len(_PANELS), sharey=True), _PANELS, strict=True):
        part = data[data["panel"] == panel]
        for s, line in part.groupby("start"):
            colour = COLOURS[int(np.asarray(s)) % len(COLOURS)]
            x, y = np.asarray(line["player_1"], float), np.asarray(line["player_2"], float)
            axes.plot(x, y, color=colour, linewidth=0.7, linestyle="-")
            axes.plot(x[-1:], y[-1:], color=colour, marker="s", markersize=3)
        axes.plot([1 / 3], [1 / 3], color=COLOURS[0], marker="o", markersize=3.5, linestyle="none")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="P(H), player 1", aspect="equal")
        axes.set_title(panel, fontsize=8)
    sheet.axes[0].set_ylabel("P(H), player 2")
