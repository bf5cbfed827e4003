"""Portraits, time series and simplices of play with one explorer, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table

from .drawing import simplex, ternary, timed
from .phase_portraits_claims import MODIFIED_NASH, MODIFIED_T, ONE_EXPLORER, RPS_T, amps_rest, modified_rest
from .reading import final, heads

_PATHS = 4
"""Starts drawn in each portrait."""
_SHOWN = 400
"""Points of the time series, 0.1 apart."""
_NAMES = ("R", "P", "S")


def report(results: Any) -> Report:
    """Where play comes to rest, beside closed forms; portraits of matching pennies, simplices of the other games."""
    return Report(
        tables=(_amps(results), _rps(results)),
        figures=(
            _portraits(results),
            _simplices(results, "rps", 0, RPS_T, "figure_7"),
            _simplices(results, "rps", 1, RPS_T, "figure_8"),
            _modified(results),
        ),
    )


def _amps(results: Any) -> Table:
    found = heads(results, "one_explorer_rest")
    rows = []
    for b, temperature in enumerate(ONE_EXPLORER[1:], 1):
        closed = amps_rest(temperature)[:, 0]
        row: dict[str, Any] = {"T_2": temperature}
        for k in (0, 1):
            row[f"P{k + 1}(H)"] = found[:, k, b].mean()
            row[f"closed form {k + 1}"] = closed[k]
        row["worst"] = f"{np.abs(found[:, :, b] - closed).max():.1e}"
        rows.append(row)
    caption = (
        f"Asymmetric matching pennies at t = 300 if only player 2 explores, {found.shape[0]} random starts: mean P(H), "
        "the rest point in closed form (on the boundary above T_2 = 4 / ln 2 = 5.77), largest distance from it over "
        "all starts."
    )
    return Table(name="one_explorer", frame=pandas.DataFrame(rows), caption=caption, decimals=6)


def _rps(results: Any) -> Table:
    rows = []
    for name, cell, temperatures in (
        ("rock-paper-scissors", "rps_rest", RPS_T),
        ("modified", "modified_rest", MODIFIED_T),
    ):
        data = results.dataset(cell)
        for b, temperature in enumerate(temperatures):
            divergence, distance = (np.maximum(data[v].values[:, :, b], 0) for v in ("divergence", "distance"))
            rows.append(
                {
                    "game": name,
                    "T_2": temperature,
                    "divergence, t = 10": divergence[:, 0].mean(),
                    "t = 40": divergence[:, 3].mean(),
                    "t = 300": f"{divergence[:, -1].mean():.3g}",
                    "distance, t = 300": f"{distance[:, -1].max():.1e}",
                }
            )
    n = final(results, "rps_rest", "distance").shape[0]
    caption = (
        "Only player 2 explores: mean divergence from the rest point (nats; conserved at T = 0, where it is the one to "
        f"Nash), and the largest distance of any probability from it at t = 300, over {n} random starts. The modified "
        "game has stakes 1, 1 and 2 and the Nash equilibrium (1/4, 1/2, 1/4)."
    )
    return Table(name="rock_paper_scissors", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _portraits(results: Any) -> Figure:
    path = results.dataset("one_explorer")["policy"].values[:_PATHS, :, :, 0]
    time = 0.1 * np.arange(1, path.shape[1] + 1)
    frames = [
        pandas.DataFrame(
            {"T_2": t, "start": s + 1, "time": time, "player_1": path[s, :, 0, b], "player_2": path[s, :, 1, b]}
        )
        for b, t in enumerate(ONE_EXPLORER)
        for s in range(path.shape[0])
    ]
    return Figure(
        name="figure_2",
        draw=lambda sheet: _draw_portraits(sheet, path, time),
        data=pandas.concat(frames, ignore_index=True),
        caption=(
            "Asymmetric matching pennies when only player 2 explores, at the temperature above each column. Top: P(H) "
            f"of both from {path.shape[0]} random starts up to t = {time[-1]:g}; squares: ends; disc: Nash; "
            "ring: rest point in closed form. Bottom: P(H) over time from the first of these starts. Above "
            "T = 4 / ln 2 = 5.77 player 1 ends at the boundary. Payoffs, temperatures and starts are our choice: the "
            "source prints none."
        ),
        size=(7.2, 4.0),
    )


def _draw_portraits(sheet: Any, path: np.ndarray, time: np.ndarray) -> None:
    top, bottom = sheet.subplots(2, len(ONE_EXPLORER), height_ratios=(1.35, 1.0))
    for b, temperature in enumerate(ONE_EXPLORER):
        axes = top[b]
        for s in range(path.shape[0]):
            x, y = path[s, :, 0, b], path[s, :, 1, b]
            colour = COLOURS[1 + s]
            axes.plot(x, y, color=colour, linewidth=0.6, linestyle="-")
            if temperature:
                axes.plot(x[-1:], y[-1:], color=colour, marker="s", markersize=3, zorder=3)
        axes.plot([1 / 3], [1 / 3], color=COLOURS[0], marker="o", markersize=3, linestyle="none", zorder=4)
        if temperature:
            rest = amps_rest(temperature)[:, 0]
            axes.plot(*rest[:, None], marker="o", markersize=7, linestyle="none", mfc="none", mec=COLOURS[0], mew=0.7)
        axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal", xlabel="P(H), player 1")
        axes.set_title("nobody explores" if not temperature else f"T$_2$ = {temperature:g}", fontsize=8)
        for k, (colour, dash) in enumerate(((COLOURS[2], "-"), (COLOURS[1], (0, (4, 1))))):
            bottom[b].plot(
                time[:_SHOWN],
                path[0, :_SHOWN, k, b],
                color=colour,
                linestyle=dash,
                linewidth=0.9,
                label=f"player {k + 1}",
            )
        bottom[b].set(ylim=(-0.04, 1.04), xlabel="time")
    for row in (top, bottom):
        for axes in row[1:]:
            axes.tick_params(labelleft=False)
    top[0].set_ylabel("P(H), player 2")
    bottom[0].set_ylabel("P(H)")
    bottom[-1].legend(loc="center right")


def _frames(results: Any, cell: str, temperatures: tuple[float, ...], players: tuple[int, ...]) -> pandas.DataFrame:
    """The paths of the first replication."""
    path = results.dataset(cell)["policy"].values[0]
    time = 0.1 * np.arange(1, path.shape[0] + 1)
    frames = [
        pandas.DataFrame(
            {"player": k + 1, "T_2": t, "time": time}
            | {f"P({name})": path[:, k, a, b] for a, name in enumerate(_NAMES)}
        )
        for k in players
        for b, t in enumerate(temperatures)
    ]
    return pandas.concat(frames, ignore_index=True)


def _simplices(results: Any, cell: str, player: int, temperatures: tuple[float, ...], name: str) -> Figure:
    path = results.dataset(cell)["policy"].values[0, :, player]
    who = ("player 1, who does not explore", "player 2, the only one who explores")[player]
    panels = [(f"T$_2$ = {t:g}", path[:, :, b], np.full(3, 1 / 3)) for b, t in enumerate(temperatures)]
    return Figure(
        name=name,
        draw=lambda sheet: _draw_simplices(sheet, panels, (2, 3)),
        data=_frames(results, cell, temperatures, (player,)),
        caption=(
            f"Rock-paper-scissors: mixed strategy of {who}, from t = 0.1 to {0.1 * len(path):g} (colour) at the "
            "temperature above each panel; each panel has a random start of its own (ring). Blue disc: the QRE, "
            "uniform play. Fixed-step Runge-Kutta, h = 0.01. Temperatures, horizon, starts are our choice: the source "
            "prints none."
        ),
        size=(7.2, 4.6),
    )


def _modified(results: Any) -> Figure:
    path = results.dataset("modified")["policy"].values[0]
    panels = [
        (
            f"player {k + 1}, T$_2$ = {t:g}",
            path[:, k, :, b],
            modified_rest(t)[k] if t else MODIFIED_NASH,
        )
        for k in (0, 1)
        for b, t in enumerate(MODIFIED_T)
    ]
    return Figure(
        name="modified",
        draw=lambda sheet: _draw_simplices(sheet, panels, (2, 3)),
        data=_frames(results, "modified", MODIFIED_T, (0, 1)),
        caption=(
            "Rock-paper-scissors with stakes 1, 1 and 2 and the asymmetric Nash equilibrium (1/4, 1/2, 1/4) when only "
            f"player 2 explores: mixed strategies of both from t = 0.1 to {0.1 * len(path):g} (colour), random starts "
            "(rings). Blue disc: rest point in closed form (Nash at T = 0). The source mentions such a game and prints "
            "no payoffs."
        ),
        size=(7.2, 4.6),
    )


def _draw_simplices(sheet: Any, panels: list[Any], shape: tuple[int, int]) -> None:
    """A triangle a panel and one bar for time."""
    line, every = None, sheet.subplots(*shape)
    for axes, (title, path, rest) in zip(every.ravel(), panels, strict=True):
        simplex(axes, _NAMES)
        points = ternary(path)
        until = 0.1 * len(path)
        line = timed(axes, points, 0.1 * np.arange(1, len(path) + 1), until)
        axes.plot(*points[0][:, None], marker="o", markersize=4, mfc="white", mec=COLOURS[0], linestyle="none")
        axes.plot(*ternary(rest)[:, None], marker="o", markersize=4, color=COLOURS[1], linestyle="none", zorder=5)
        axes.set_title(title, fontsize=8, y=1.0)
    bar = sheet.colorbar(line, ax=every, shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("time", fontsize=7)
    bar.outline.set_linewidth(0.4)
