"""The line of players: its diagram, surfaces of equilibria, box plots, Lyapunov snapshots; from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.figure import COLOURS, Figure
from catallax.lab.report import Report
from catallax.lab.table import Table
from catallax.solvers.matrix.flow_analysis.snapshot import Snapshot

from .drawing import space, spread
from .network_claims import FIXED_T, LYAPUNOV_T, SIZES, divergence, least_bend, plane
from .reading import apart, final, heads
from .surfaces import GRID, TOLERANCE, sheet

_WHO = ("nobody", "agents 1-3", "all")


def report(results: Any) -> Report:
    """Surfaces, who converges, Lyapunov functions: tables and figures 3, 4, 5 and 9."""
    planes = {n: plane(results, n, 0) for n in SIZES}
    return Report(
        tables=(_surface(results), _selection(results), _lyapunov(results, planes)),
        figures=(_diagram(), _figure_4(results, planes[7]), _boxes(results), _figure_9(planes)),
    )


def _surface(results: Any) -> Table:
    gap = final(results, "surface", "gap")
    rows = []
    for player in (1, 2, 3):
        values = sheet(results, player)
        rows.append(
            {
                "agent": player,
                "P(H), least": np.nanmin(values),
                "largest": np.nanmax(values),
                "T_1 = T_2 = 1/30": values[0, 0, 0],
                "T_1 = T_2 = 2": values[0, -1, -1],
                "starts apart": f"{np.nanmax(apart(values)):.1e}",
                "found": int((gap <= TOLERANCE).sum()),
                "of": gap.size,
            }
        )
    caption = (
        f"Line of three, T_3 = {FIXED_T:g}: P(H) at the logit equilibrium over 60 x 60 temperatures of agents 1 and 2 "
        f"from 1/30 to 2, by Newton's method from {gap.shape[0]} random starts; how far apart the sheets of two starts "
        f"are; how many points were solved to {TOLERANCE:g} (others would be holes)."
    )
    return Table(name="surface", frame=pandas.DataFrame(rows), caption=caption, decimals=6)


def _selection(results: Any) -> Table:
    found = heads(results, "selection")[:, 1:-1]
    payoff = final(results, "selection", "payoff")[:, 1:-1]
    rows = [
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
        for b, who in enumerate(_WHO)
        for k in range(7)
    ]
    caption = (
        f"Line of seven at t = 200, T = 0.1 for those who explore, {found.shape[0]} random starts; the last column is "
        "the mean distance between the P(H) of two neighbouring replications."
    )
    return Table(name="selection", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _lyapunov(results: Any, planes: dict[int, Snapshot]) -> Table:
    rows = []
    for n in SIZES:
        path = results.dataset(f"lyapunov_{n}")["policy"].values[..., 0]
        along = divergence(path[:, -1:], path)
        picture = planes[n]
        i, j = np.unravel_index(picture.divergence.argmin(), picture.divergence.shape)
        rows.append(
            {
                "n": n,
                "D, t = 1": along[:, 0].mean(),
                "t = 5": along[:, 4].mean(),
                "t = 20": f"{along[:, 19].mean():.1e}",
                "starts apart": f"{apart(path[:, -1]).max():.1e}",
                "snapshot, least": picture.divergence[i, j],
                "at a": picture.a[i],
                "b": picture.b[j],
                "uniform play": picture.divergence[len(picture.a) // 2, len(picture.b) // 2],
                "least second difference": f"{least_bend(picture.divergence):.1e}",
            }
        )
    caption = (
        f"Lines of n at T = {LYAPUNOV_T:g}: mean divergence to the equilibrium along play (nats), how far apart two "
        "starts end; the snapshot of the first replication: its least value and where, its value at a = b = 0, and its "
        "least second difference (not below 0: convex in a and b)."
    )
    return Table(name="lyapunov", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _diagram() -> Figure:
    names = ["p$_0$", "p$_1$", "p$_2$", "...", "p$_k$", "...", "p$_n$", "p$_{n+1}$"]
    data = pandas.DataFrame(
        {
            "position": range(8),
            "player": ["0", "1", "2", "", "k", "", "n", "n+1"],
            "actions": ["H", *["H or T"] * 2, "", "H or T", "", "H or T", "T"],
        }
    )
    return Figure(
        name="figure_3",
        draw=lambda canvas: _draw_diagram(canvas, names),
        data=data,
        caption=(
            "The line network (n odd). Every agent earns 1 if it matches the next and -1 if not, and 1 if it "
            "mismatches the one before and -1 if not: each edge is zero-sum. Squares: dummy agents with one action, "
            "H at the left and T at the right."
        ),
        size=(7.2, 1.7),
    )


def _draw_diagram(canvas: Any, names: list[str]) -> None:
    axes = canvas.subplots()
    axes.set(xlim=(-0.6, 7.6), ylim=(-0.95, 0.95), aspect="equal")
    axes.axis("off")
    for i, name in enumerate(names):
        if name == "...":
            axes.text(i, 0, "$\\cdots$", ha="center", va="center", fontsize=12)
            continue
        dummy = i in (0, 7)
        axes.plot(
            [i],
            [0],
            marker="s" if dummy else "o",
            markersize=24,
            mfc="#dddddd" if dummy else "#deebf7",
            mec=COLOURS[0],
            mew=0.7,
            linestyle="none",
        )
        axes.text(i, 0, name, ha="center", va="center", fontsize=7 if i == 7 else 9)
        choice = ("H only" if i == 0 else "T only") if dummy else "H or T"
        axes.text(i, -0.42, choice, ha="center", va="top", fontsize=7)
    for i in range(7):
        arrow = {"arrowstyle": "-|>", "lw": 0.7, "mutation_scale": 7, "shrinkA": 0, "shrinkB": 0}
        right = arrow | {"color": COLOURS[1], "connectionstyle": "arc3,rad=-0.35"}
        left = arrow | {"color": COLOURS[2], "connectionstyle": "arc3,rad=-0.35", "linestyle": (0, (3, 1.5))}
        axes.annotate("", (i + 0.74, 0.13), (i + 0.26, 0.13), arrowprops=right)
        axes.annotate("", (i + 0.26, -0.13), (i + 0.74, -0.13), arrowprops=left)
    axes.text(3.5, 0.75, "matches the next: +1, else -1", ha="center", color=COLOURS[1], fontsize=8)
    axes.text(3.5, -0.85, "mismatches the one before: +1, else -1", ha="center", color=COLOURS[2], fontsize=8)


def _figure_4(results: Any, picture: Snapshot) -> Figure:
    sheets = {k: sheet(results, k)[0] for k in (1, 2, 3)}
    a, b = (x.ravel() for x in np.meshgrid(GRID, GRID, indexing="ij"))
    panels = [
        pandas.DataFrame({"panel": f"agent {k}", "x": a, "y": b, "z": values.ravel()}) for k, values in sheets.items()
    ]
    data = pandas.concat([*panels, _points(picture, "Lyapunov")], ignore_index=True)

    def draw(canvas: Any) -> None:
        for k, values in sheets.items():
            axes = space(canvas, 2, 2, k, ("T$_1$", "T$_2$", "P(H)"), f"agent {k} at the QRE, T$_3$ = {FIXED_T:g}")
            spread(axes, GRID, GRID, values)
            axes.set(zlim=(0, 1))
            axes.view_init(elev=24, azim=-128 if k != 2 else -55)
        axes = space(canvas, 2, 2, 4, ("a", "b", "KL, nats"), f"Lyapunov function, n = 7, T = {LYAPUNOV_T:g}")
        _bowl(axes, picture)

    return Figure(
        name="figure_4",
        draw=draw,
        data=data,
        caption=(
            "The match-mismatch line. Panels 1 to 3, n = 3: P(H) of each agent at the QRE over the temperatures of "
            f"agents 1 and 2 (60 x 60 points in (0, 2]), T_3 = {FIXED_T:g}; agent 2 seen from another side. Panel 4, "
            f"n = 7, T = {LYAPUNOV_T:g} for all: KL-divergence from the QRE to x = softmax(a U + b V), U and V "
            "log-ratios of two random profiles (algorithm 1); red: its least value on the grid. Which temperature is "
            "fixed, and at which value, is our choice: the source's text prints neither."
        ),
        size=(7.2, 6.0),
    )


def _points(picture: Snapshot, panel: str) -> pandas.DataFrame:
    a, b = (x.ravel() for x in np.meshgrid(picture.a, picture.b, indexing="ij"))
    return pandas.DataFrame({"panel": panel, "x": a, "y": b, "z": picture.divergence.ravel()})


def _bowl(axes: Any, picture: Snapshot) -> None:
    """A snapshot with its least point."""
    spread(axes, picture.a, picture.b, picture.divergence)
    i, j = np.unravel_index(picture.divergence.argmin(), picture.divergence.shape)
    axes.plot(
        [picture.a[i]],
        [picture.b[j]],
        [picture.divergence[i, j]],
        marker="o",
        color=COLOURS[2],
        markersize=3.5,
        linestyle="none",
        zorder=10,
    )
    axes.view_init(elev=28, azim=-60)


def _boxes(results: Any) -> Figure:
    found = heads(results, "selection")[:, 1:-1]
    payoff = final(results, "selection", "payoff")[:, 1:-1]
    frames = [
        pandas.DataFrame(
            {
                "explore": who,
                "agent": k + 1,
                "replication": range(found.shape[0]),
                "P(H)": found[:, k, b],
                "payoff": payoff[:, k, b],
            }
        )
        for b, who in enumerate(_WHO)
        for k in range(7)
    ]
    return Figure(
        name="figure_5",
        draw=lambda canvas: _draw_boxes(canvas, found, payoff),
        data=pandas.concat(frames, ignore_index=True),
        caption=(
            f"Line of seven at t = 200 from {found.shape[0]} random starts: P(H) (top) and payoff (bottom) of each "
            "agent if nobody, agents 1 to 3, or all explore. Boxes: quartiles and median; whiskers: furthest within "
            "1.5 interquartile ranges; rings: beyond. T = 0.1 for those who explore and the horizon are our choice: "
            "the source prints neither."
        ),
        size=(7.2, 3.8),
    )


def _draw_boxes(canvas: Any, found: np.ndarray, payoff: np.ndarray) -> None:
    panels = canvas.subplots(2, 3, sharex=True, sharey="row")
    for row, values in zip(panels, (found, payoff), strict=True):
        for b, axes in enumerate(row):
            drawn = axes.boxplot(
                values[:, :, b], patch_artist=True, widths=0.6, medianprops={"color": COLOURS[2]}, manage_ticks=False
            )
            for box in drawn["boxes"]:
                box.set(facecolor="#deebf7", linewidth=0.6)
            for part in (*drawn["whiskers"], *drawn["caps"]):
                part.set(linewidth=0.6)
            for part in drawn["fliers"]:
                part.set(markersize=2, markeredgewidth=0.4)
            axes.grid(visible=False, axis="x")
    for axes, title in zip(panels[0], ("nobody explores", "agents 1 to 3 explore", "all explore"), strict=True):
        axes.set_title(title, fontsize=8)
        axes.set_ylim(-0.04, 1.04)
    for axes in panels[1]:
        axes.set_xlabel("agent")
        axes.set_xticks(range(1, 8))
    panels[0, 0].set_ylabel("P(H)")
    panels[1, 0].set_ylabel("payoff")


def _figure_9(planes: dict[int, Snapshot]) -> Figure:
    def draw(canvas: Any) -> None:
        for i, (n, picture) in enumerate(planes.items(), 1):
            _bowl(space(canvas, 2, 2, i, ("a", "b", "KL, nats"), f"n = {n}"), picture)

    return Figure(
        name="figure_9",
        draw=draw,
        data=pandas.concat([_points(picture, f"n = {n}") for n, picture in planes.items()], ignore_index=True),
        caption=(
            f"Snapshots of the Lyapunov function in the match-mismatch line at T = {LYAPUNOV_T:g}: KL-divergence from "
            "the QRE to x = softmax(a U + b V), U and V log-ratios of two random profiles (algorithm 1), a = b = 0 "
            "uniform play; red: the least value on the grid of 61 x 61. Sizes and temperature are our choice: the "
            "source prints neither."
        ),
        size=(7.2, 6.0),
    )
