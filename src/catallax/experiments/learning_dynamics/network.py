"""Q-learning on a line of players, each to match the next and to mismatch the one before: who must explore.

With three players: the logit equilibrium over two temperatures. With seven: where play ends if nobody, some or all
explore. With up to fifteen: the Lyapunov function along play and on random planes. Every replication starts at policies
drawn uniformly from the simplices, and looks at planes of its own. Temperatures and the sizes of the last games are not
printed in the source; ours are below.

Source: Leonardos, Piliouras and Spendlove (2021), figures 3, 4, 5 and 9, algorithm 1.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.core import rng
from catallax.games.matrix import match_mismatch_line
from catallax.lab import (
    AbstractClaim,
    Cell,
    Experiment,
    Figure,
    NotComparable,
    Report,
    Results,
    Scale,
    Statement,
    Table,
)
from catallax.lab.charts import long_rows
from catallax.lab.quantity import Quantity, largest, recorded, smallest
from catallax.measures.matrix import Payoffs, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.flow_analysis.snapshot import Snapshot, snapshot

from .drawing import diagram, draw_boxes, draw_snapshot, least_point, points, space, spread
from .quantities import (
    APART,
    READING,
    SOURCE,
    Settings,
    direction,
    heads,
    limit,
    neighbours_apart,
    policies,
    same_length,
)
from .surfaces import GRID, TOLERANCE, gap, sheet, surface, unique

NONE, SOME, ALL = 0, 1, 2
"""Trajectories of the cell `selection`: who explores."""
SELECTION_T = 0.1
"""Temperature of those who explore in figure 5."""
SELECTION = 200
"""Time in the box plots: with larger temperatures and longer times the even players settle too."""
FIXED_T = 0.25
"""Temperature of player 3 in figure 4, panels 1 to 3."""
LYAPUNOV_T = 0.5
"""Temperature of everybody in the Lyapunov snapshots."""
SETTLED = 60
"""Time of the Lyapunov flows: at T = 0.5 distances have then shrunk by exp(-30)."""
SIZES = (3, 7, 11, 15)
"""Players in figure 9; the second is panel 4 of figure 4."""

# What is run.


def _selection(substeps: int) -> Cell:
    """Figure 5: seven players on a line; nobody, players 1 to 3, or all explore (dummies' rates have no effect)."""
    explore = SELECTION_T * np.asarray([[0] * 7, [1, 1, 1, 0, 0, 0, 0], [1] * 7])
    rates = jnp.asarray(np.pad(explore, ((0, 0), (1, 1)), constant_values=1.0)).T
    build = lambda: QLearningFlow(match_mismatch_line(7), rates, integrator=RungeKutta(substeps))
    label, ends = "line of 7: none, players 1-3, all explore", (Policy(every=SELECTION), Payoffs(every=SELECTION))
    return same_length("selection", label, build, SELECTION, *ends)


def _lyapunov(n: int, substeps: int) -> Cell:
    """Figures 4 (panel 4) and 9: the flow, whose end is the equilibrium of the snapshots."""
    build = lambda: QLearningFlow(match_mismatch_line(n), LYAPUNOV_T, integrator=RungeKutta(substeps))
    return same_length(f"lyapunov_{n}", f"line of {n}, T = {LYAPUNOV_T:g}", build, SETTLED, Policy())


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The surface, who explores, and flows to the equilibria of the snapshots."""
    substeps = settings.substeps
    figure_4 = surface(f"line of 3, T_3 = {FIXED_T:g}", match_mismatch_line(3), (1, 2), FIXED_T)
    return (figure_4, _selection(substeps), *(_lyapunov(n, substeps) for n in SIZES))


# What is read: surfaces.


def largest_step(values: np.ndarray) -> np.ndarray:
    """Largest difference between neighbours on a grid [replicate, I, J], [replicate]."""
    return np.maximum(*(np.abs(np.diff(values, axis=axis)).max(axis=(1, 2)) for axis in (1, 2)))


def _jump(player: int) -> Quantity:
    """Largest step between neighbours if every other point is left out, over that on the whole grid.

    It doubles where the sheet is continuous, and stays where it jumps.
    """
    return sheet(player).then(lambda fine: largest_step(fine[:, ::2, ::2]) / largest_step(fine))


_from_limit = (sheet(2) - (FIXED_T / (GRID + FIXED_T))[:, None]).then(np.abs)
"""Distance of P_2(H) from its limit T_3 / (T_1 + T_3) as T_2 falls to 0, [replicate, T_1, T_2]."""

# What is read: Lyapunov functions.


def equilibrium(results: Results[Any], n: int, replicate: int = 0) -> np.ndarray:
    """The policies at which the flow of n players ended, [n + 2, 2]."""
    return policies(f"lyapunov_{n}").last(results)[replicate, :, :, 0]


def plane(results: Results[Any], n: int, replicate: int) -> Snapshot:
    """The Lyapunov function on the random plane of a replication, a and b from -3 to 3: algorithm 1."""
    key = rng.fold(rng.key(results.seed), n, replicate)
    p = equilibrium(results, n, replicate)
    return snapshot(match_mismatch_line(n), LYAPUNOV_T, key, weights=np.ones(n + 2), equilibrium=p)


def divergence(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """sum_k KL(p_k || x_k) of policies [..., n, 2]; the line is zero-sum with weights 1. Actions not played count 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / x), 0.0)
    return np.asarray(terms.sum(axis=(-2, -1)))


def _along(n: int) -> Quantity:
    """Divergence of play from its end, [replicate, time]."""
    return policies(f"lyapunov_{n}")[..., 0].then(lambda path: divergence(path[:, -1:], path))


def _changes(along: np.ndarray) -> np.ndarray:
    """Change of ln D over a unit of time while D is above 1e-9."""
    return np.where(along[:, 1:] > 1e-9, np.diff(np.log(np.maximum(along, 1e-300)), axis=1), -np.inf)


def _sag(path: np.ndarray) -> np.ndarray:
    """Divergence half-way between the policies of two replications at t = 1, less the mean of the ends."""
    p, x = path[:, -1], path[:, 0]
    y = np.roll(x, -1, axis=0)
    return divergence(p, (x + y) / 2) - (divergence(p, x) + divergence(p, y)) / 2


def least_bend(values: np.ndarray) -> float:
    """Least second difference of values on a grid along rows, columns and both diagonals; below 0 where not convex."""
    v = values
    middle = v[1:-1, 1:-1]
    straight = ((v[:-2, 1:-1], v[2:, 1:-1]), (v[1:-1, :-2], v[1:-1, 2:]))
    sides = (*straight, (v[:-2, :-2], v[2:, 2:]), (v[:-2, 2:], v[2:, :-2]))
    return float(min((a + b - 2 * middle).min() for a, b in sides))


def _dents(results: Results[Any]) -> np.ndarray:
    """How far the snapshots of a replication are from convex: the largest negative second difference, or 0."""
    count = results.scale.replications
    return np.asarray([max(0.0, *(-least_bend(plane(results, n, r).divergence) for n in SIZES)) for r in range(count)])


# What is read: who settles.


def _spread(players: tuple[int, ...], who: int) -> Quantity:
    """Distance between neighbouring replications at the end in the line of 7, [replicate, player]."""
    return neighbours_apart(heads("selection"))[:, list(players), who]


# What is claimed, in the order of the source.

_SHEETS = "figure 4, panels 1 to 3"
_SURFACE = f"the temperatures of the figure are not printed; ours are 1/30 to 2 and T_3 = {FIXED_T:g}"
_BOWLS = "figure 4, panel 4, and figure 9"
_LYAPUNOV = f"temperatures and sizes are not printed; ours are T = {LYAPUNOV_T:g}, n = 3, 7, 11, 15"

CLAIMS: tuple[AbstractClaim, ...] = (
    unique(
        "surface.unique", _SHEETS, "all exploration rates have a unique QRE", (1, 2, 3),
        note=f"largest distance between the sheets found from two random starts; {_SURFACE}"),
    limit(
        "surface.boundary", _SHEETS, "the QRE manifolds approach the boundary",
        1e-3, largest(sheet(1)[:, 0]), "P(H) of agent 1",
        note=f"largest over T_2 at the lowest T_1; {_SURFACE}", reason="a limit, at T_1 = 1/30"),
    direction(
        "surface.continuous", _SHEETS, "the QRE manifolds are approached continuously",
        1, smallest(*(_jump(k) for k in (1, 2, 3))) - 1.5,
        "the largest step between neighbours on half the grid over that on the grid, less 3/2, the least of "
        f"agents 1 to 3: doubling the grid halves the steps of a continuous sheet, a jump stays; {_SURFACE}"),
    direction(
        "surface.selects", _SHEETS,
        "a unique equilibrium is selected also in the limit of no exploration by agent 2",
        1, (_from_limit[:, :, 1] - _from_limit[:, :, 0]).then(lambda nearer: nearer.mean(axis=1)),
        "how much nearer P(H) of agent 2 is to our limit T_3 / (T_1 + T_3) at T_2 = 1/30 than at 1/15, mean over "
        f"T_1; {_SURFACE}"),
    direction(
        "lyapunov.decreasing", _BOWLS, "the KL-divergence to the QRE is decreasing along the dynamics",
        -1, largest(*(_along(n).then(_changes) for n in SIZES)),
        "largest change of its logarithm over a unit of time while above 1e-9 nats (theorem 4.1: at most -T); "
        f"{_LYAPUNOV}"),
    direction(
        "lyapunov.convex", _BOWLS, "the KL-divergence to the QRE is convex in the choice distributions",
        -1, largest(*(policies(f"lyapunov_{n}")[..., 0].then(_sag) for n in SIZES)),
        f"its value half-way between two random profiles less the mean of theirs, the largest; {_LYAPUNOV}"),
    limit(
        "lyapunov.convex_picture", _BOWLS, "the depicted surface is convex", 1e-9, Quantity(_dents), "nats",
        note="largest negative second difference of the snapshots in (a, b): with log-ratios as coordinates they are "
        f"convex too, as is the log of a sum of exponentials; {_LYAPUNOV}"),
    limit(
        "lyapunov.unique", _BOWLS, "the KL-divergence has a unique minimiser",
        1e-9, largest(*(neighbours_apart(heads(f"lyapunov_{n}")) for n in SIZES)),
        note=f"how far apart the dynamics of two random starts end, where it is 0; {_LYAPUNOV}"),
    limit(
        "selection.none.odd", "figure 5, left", "without exploration odd agents converge to pure T",
        0.01, largest(heads("selection")[:, [1, 3, 5, 7], NONE]),
        "probability of H, the largest of agents 1, 3, 5 and 7", reason="finite time"),
    direction(
        "selection.none.even", "figure 5, left",
        "without exploration even agents converge to a different mixed action every time",
        1, smallest(_spread((2, 4, 6), NONE)),
        f"distance between neighbouring replications (each is in two), the least of agents 2, 4, 6; {READING}",
        threshold=APART),
    limit(
        "selection.some.explorers", "figure 5, middle",
        "if agents 1 to 3 explore, their own dynamics converge to a unique outcome",
        0.01, largest(_spread((1, 2, 3), SOME))),
    Statement(
        id="selection.some.others", source=f"{SOURCE}, figure 5, middle",
        statement="if agents 1 to 3 explore, agents 4 and 6 fail to converge to a unique outcome",
        note="for agent 4 it hangs on T and t: the more agent 3 explores, and the longer, the nearer it comes to one",
        parts=tuple(
            direction(
                f"agent_{k}", "figure 5, middle", f"agent {k}", 1, largest(_spread((k,), SOME)),
                f"distance between neighbouring replications at T = 0.1, t = 200 (each is in two); {READING}",
                threshold=APART)
            for k in (4, 6)),
    ),
    limit(
        "selection.all", "figure 5, right", "if all agents explore, all converge to a unique QRE",
        1e-6, largest(_spread((1, 2, 3, 4, 5, 6, 7), ALL))),
    NotComparable(
        id="numbers", source=f"{SOURCE}, figures 4, 5 and 9", published=None,
        statement="heights of the surfaces, quartiles of policies and payoffs in the box plots",
        missing="exploration rates of all three figures, the horizon of figure 5, sizes and random directions of "
        "figure 9"),
)  # fmt: skip

# What is shown.

_WHO = ("nobody", "agents 1-3", "all")


def report(results: Results[Settings]) -> Report:
    """Surfaces, who converges, Lyapunov functions: tables and figures 3, 4, 5 and 9."""
    planes = {n: plane(results, n, 0) for n in SIZES}
    return Report(
        tables=(_table_of_surface(results), _table_of_selection(results), _table_of_lyapunov(results, planes)),
        figures=(diagram("figure_3"), _figure_4(results, planes[7]), _figure_5(results), _figure_9(planes)),
    )


def _table_of_surface(results: Results[Settings]) -> Table:
    gaps = gap(results)
    rows = []
    for player in (1, 2, 3):
        values, distance = sheet(player)(results), neighbours_apart(sheet(player))(results)
        rows.append(
            {"agent": player, "P(H), least": np.nanmin(values), "largest": np.nanmax(values)}
            | {"T_1 = T_2 = 1/30": values[0, 0, 0], "T_1 = T_2 = 2": values[0, -1, -1]}
            | {"starts apart": f"{np.nanmax(distance):.1e}"}
            | {"found": int((gaps <= TOLERANCE).sum()), "of": gaps.size}
        )
    caption = (
        f"Line of three, T_3 = {FIXED_T:g}: P(H) at the logit equilibrium over 60 x 60 temperatures of agents 1 and 2 "
        f"from 1/30 to 2, by Newton's method from {len(gaps)} random starts; how far apart the sheets of two starts "
        f"are; how many points were solved to {TOLERANCE:g} (others would be holes)."
    )
    return Table.of_rows("surface", caption, rows, decimals=6)


def _ends(results: Results[Settings]) -> tuple[np.ndarray, np.ndarray]:
    """P(H) and payoffs at the end of the line of seven, [replicate, agent, who explores]."""
    return heads("selection")(results)[:, 1:-1], recorded("selection", "payoff").last(results)[:, 1:-1]


def _table_of_selection(results: Results[Settings]) -> Table:
    found, payoff = _ends(results)
    distance = neighbours_apart(heads("selection"))(results)[:, 1:-1]
    rows = [
        {"explore": who, "agent": k + 1, "P(H), mean": p.mean(), "P(H), SD": p.std(ddof=1), "P(H), min": p.min()}
        | {"P(H), max": p.max(), "payoff, mean": u.mean(), "payoff, SD": u.std(ddof=1)}
        | {"neighbours apart": distance[:, k, b].mean()}
        for b, who in enumerate(_WHO)
        for k, (p, u) in enumerate(zip(found[:, :, b].T, payoff[:, :, b].T, strict=True))
    ]
    caption = (
        f"Line of seven at t = 200, T = 0.1 for those who explore, {len(found)} random starts; the last column is "
        "the mean distance between the P(H) of two neighbouring replications."
    )
    return Table.of_rows("selection", caption, rows, decimals=4)


def _table_of_lyapunov(results: Results[Settings], planes: dict[int, Snapshot]) -> Table:
    rows = []
    for n, picture in planes.items():
        along, (a, b, least) = _along(n)(results), least_point(picture)
        distance = neighbours_apart(policies(f"lyapunov_{n}").last)(results)
        rows.append(
            {
                "n": n,
                "D, t = 1": along[:, 0].mean(),
                "t = 5": along[:, 4].mean(),
                "t = 20": f"{along[:, 19].mean():.1e}",
            }
            | {"starts apart": f"{distance.max():.1e}", "snapshot, least": least, "at a": a, "b": b}
            | {"uniform play": picture.divergence[len(picture.a) // 2, len(picture.b) // 2]}
            | {"least second difference": f"{least_bend(picture.divergence):.1e}"}
        )
    caption = (
        f"Lines of n at T = {LYAPUNOV_T:g}: mean divergence to the equilibrium along play (nats), how far apart two "
        "starts end; the snapshot of the first replication: its least value and where, its value at a = b = 0, and its "
        "least second difference (not below 0: convex in a and b)."
    )
    return Table.of_rows("lyapunov", caption, rows, decimals=4)


def _figure_4(results: Results[Settings], picture: Snapshot) -> Figure:
    sheets = {k: sheet(k)(results)[0] for k in (1, 2, 3)}
    panels = [points(f"agent {k}", GRID, GRID, values) for k, values in sheets.items()]
    panels.append(points("Lyapunov", picture.a, picture.b, picture.divergence))

    def draw(canvas: Any) -> None:
        for k, values in sheets.items():
            axes = space(canvas, 2, 2, k, ("T$_1$", "T$_2$", "P(H)"), f"agent {k} at the QRE, T$_3$ = {FIXED_T:g}")
            spread(axes, GRID, GRID, values)
            axes.set(zlim=(0, 1))
            axes.view_init(elev=24, azim=-128 if k != 2 else -55)
        title = f"Lyapunov function, n = 7, T = {LYAPUNOV_T:g}"
        draw_snapshot(space(canvas, 2, 2, 4, ("a", "b", "KL, nats"), title), picture)

    caption = (
        "The match-mismatch line. Panels 1 to 3, n = 3: P(H) of each agent at the QRE over the temperatures of "
        f"agents 1 and 2 (60 x 60 points in (0, 2]), T_3 = {FIXED_T:g}; agent 2 seen from another side. Panel 4, "
        f"n = 7, T = {LYAPUNOV_T:g} for all: KL-divergence from the QRE to x = softmax(a U + b V), U and V "
        "log-ratios of two random profiles (algorithm 1); red: its least value on the grid. Which temperature is "
        "fixed, and at which value, is our choice: the source's text prints neither."
    )
    data = pandas.concat(panels, ignore_index=True)
    return Figure(name="figure_4", draw=draw, data=data, caption=caption, size=(7.2, 6.0))


def _figure_5(results: Results[Settings]) -> Figure:
    found, payoff = _ends(results)
    axes = {"explore": _WHO, "agent": range(1, 8), "replication": range(len(found))}
    caption = (
        f"Line of seven at t = 200 from {len(found)} random starts: P(H) (top) and payoff (bottom) of each "
        "agent if nobody, agents 1 to 3, or all explore. Boxes: quartiles and median; whiskers: furthest within "
        "1.5 interquartile ranges; rings: beyond. T = 0.1 for those who explore and the horizon are our choice: "
        "the source prints neither."
    )
    draw = lambda canvas: draw_boxes(canvas, found, payoff)
    data = long_rows(axes, {"P(H)": found.T, "payoff": payoff.T})
    return Figure(name="figure_5", draw=draw, data=data, caption=caption, size=(7.2, 3.8))


def _figure_9(planes: dict[int, Snapshot]) -> Figure:
    def draw(canvas: Any) -> None:
        for i, (n, picture) in enumerate(planes.items(), 1):
            draw_snapshot(space(canvas, 2, 2, i, ("a", "b", "KL, nats"), f"n = {n}"), picture)

    frames = [points(f"n = {n}", p.a, p.b, p.divergence) for n, p in planes.items()]
    caption = (
        f"Snapshots of the Lyapunov function in the match-mismatch line at T = {LYAPUNOV_T:g}: KL-divergence from "
        "the QRE to x = softmax(a U + b V), U and V log-ratios of two random profiles (algorithm 1), a = b = 0 "
        "uniform play; red: the least value on the grid of 61 x 61. Sizes and temperature are our choice: the "
        "source prints neither."
    )
    data = pandas.concat(frames, ignore_index=True)
    return Figure(name="figure_9", draw=draw, data=data, caption=caption, size=(7.2, 6.0))


experiment = Experiment(
    name="learning_dynamics.network", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Who must explore on a network: equilibrium selection in the match-mismatch line",
    summary="A line of players who match and mismatch: surfaces of equilibria, who must explore, Lyapunov snapshots",
    sources=("LeonardosPiliourasSpendlove2021", "LiEtAl2018"),
    scales={
        "quick": Scale(steps=SELECTION, replications=10, block=10, chunk=SELECTION),
        "paper": Scale(steps=SELECTION, replications=100, block=50, chunk=SELECTION),
    },
)  # fmt: skip
