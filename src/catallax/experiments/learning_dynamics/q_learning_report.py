"""Tables of Q-learning in competitive games and how fast it converges, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, TWO_COLUMNS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table

from .reading import heads
from .reference_values import AMPS, AMPS_TRAJECTORIES, line_rows


def report(results: Any) -> Report:
    """Equilibria and trajectories beside their references, learners."""
    return Report(
        tables=(
            _amps(results),
            _line(results),
            _trajectories(results),
            _learners(results),
        ),
        figures=(_decay(results),),
    )


def _decay(results: Any) -> Figure:
    """The Lyapunov function over time at every pair of temperatures, with the bound of the theorem."""
    path = results.dataset("amps")["divergence"].values[:, :30]
    frames = [
        pandas.DataFrame(
            {
                "temperatures": f"{t[0]:g}, {t[1]:g}",
                "slowest": min(t),
                "time": np.arange(1, path.shape[1] + 1),
                "divergence": np.median(path[:, :, b], axis=0),
            }
        )
        for b, t in enumerate(AMPS)
    ]
    data = pandas.concat(frames, ignore_index=True)
    return Figure(
        name="lyapunov",
        draw=lambda sheet: _draw_decay(sheet, data),
        data=data,
        caption=(
            "Asymmetric matching pennies: weighted divergence of play from the logit equilibrium over time, median of "
            f"{path.shape[0]} random starts, at the temperatures named; drawn down to 1e-12. Dotted: the "
            "bound of theorem 4.1 from the first point on, decay at rate min T."
        ),
        size=TWO_COLUMNS,
    )


def _draw_decay(sheet: Any, data: pandas.DataFrame) -> None:
    axes = sheet.subplots()
    for index, (name, part) in enumerate(data.groupby("temperatures", sort=False)):
        time, value = (np.asarray(part[k], float) for k in ("time", "divergence"))
        bound = value[0] * np.exp(-np.asarray(part["slowest"], float) * (time - time[0]))
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(time, np.where(bound > 1e-12, bound, np.nan), color=colour, linestyle=":", linewidth=0.8)
        shown = np.where(value > 1e-12, value, np.nan)
        axes.plot(time, shown, color=colour, linestyle="-", marker=".", label=f"T = {name}")
    axes.set(xlabel="time", ylabel="divergence, nats", yscale="log")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


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
