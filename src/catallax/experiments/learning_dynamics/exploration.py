"""Exploration that rises and falls, and the equilibrium it selects: explore-then-exploit, one cycle, linear.

In matching pennies all pairs of two policies walk over the surface of logit equilibria down to the Nash equilibrium. In
a line of three players, who have infinitely many Nash equilibria, exploration splits the stake of players 1 and 3
fairly; without it any split may be reached. Every replication starts at policies drawn uniformly from the simplices.
Peaks, lengths and the linear rates are not printed in the source; ours are below.

Source: Leonardos, Piliouras and Spendlove (2021), figures 1, 6 and 10.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.core import check_count, rng
from catallax.games.matrix import asymmetric_matching_pennies, match_mismatch_line
from catallax.lab import AbstractClaim, Cell, Experiment, Figure, NotComparable, Report, Results, Scale, Table
from catallax.lab.charts import long_rows
from catallax.lab.quantity import Quantity, largest, recorded
from catallax.measures.matrix import Payoffs, Policy
from catallax.solvers.matrix import flow

from .drawing import PathOnSurface, SplitOverTime, draw_paths, draw_split
from .quantities import (
    APART,
    SOURCE,
    Settings,
    beside,
    direction,
    heads,
    limit,
    neighbours_apart,
    policies,
    same_length,
)
from .reference_values import AMPS
from .surfaces import GRID, TOLERANCE, gap, sheet, surface, unique

PEAK, LENGTH, SLOW = 2.0, 200.0, 1600.0
"""Highest temperature, and the time in which exploration ends in matching pennies; eight times as long if slow."""
LINE = 400.0
"""The same in the line of three. With 200 the matched runs end up to 0.013 from an even split, their mean at 1.003."""
PAIRS = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Policies of both players, 0 explore-then-exploit and 1 one cycle; the first two are figure 1, the others figure 6."""
FIRST = (1.0, 2.0, 0.5)
"""Temperatures of players 1, 2, 3 of the line at time 0 if they fall linearly."""
RUNS = 50
"""Runs that are averaged; as in the source."""
NASH = 1 / 3
"""P(H) of both players of matching pennies at the Nash equilibrium."""

# What is run.


def schedules(length: float) -> tuple[flow.AbstractTemperatureSchedule, flow.AbstractTemperatureSchedule]:
    """Explore-then-exploit and one cycle: number 0 and 1 of every matching."""
    return flow.ExploreThenExploit(PEAK, length), flow.OneCycle(PEAK, length)


def matching() -> np.ndarray:
    """Which policy each of three players follows in each run, [3, runs]: drawn once, the same for all replications."""
    return np.asarray(rng.draws(rng.key(10), 3 * RUNS).first.reshape(3, RUNS) >> 31, int)


def _paths(name: str, label: str, length: float, interval: float, substeps: int) -> Cell:
    """Figures 1 and 6: all pairs of policies, one a trajectory."""
    game, which = asymmetric_matching_pennies(), np.asarray(PAIRS).T
    steps = round(length / interval)
    integrator = flow.RungeKutta(max(1, round(substeps * interval)))
    build = lambda: flow.QLearningFlow(
        game, flow.Matched(which, schedules(length)), interval=interval, integrator=integrator
    )
    return same_length(name, label, build, steps, Policy())


def _line(name: str, label: str, schedule: flow.AbstractTemperatureSchedule | float, runs: int, substeps: int) -> Cell:
    """Figure 10: three players between two dummies, whose rates have no effect."""
    game, integrator = match_mismatch_line(3), flow.RungeKutta(round(LINE / 100) * substeps)
    build = lambda: flow.QLearningFlow(game, schedule, interval=LINE / 100, integrator=integrator, trajectories=runs)
    return same_length(name, label, build, 100, Policy(), Payoffs())


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The surface, paths over it in two speeds, and the line of three with three kinds of exploration."""
    check_count("exploration", "substeps", settings.substeps)
    substeps = settings.substeps
    which = np.pad(matching(), ((1, 1), (0, 0)))
    first = jnp.asarray([1.0, *FIRST, 1.0])
    return (
        surface("AMPs", asymmetric_matching_pennies()),
        _paths("paths", f"AMPs, L = {LENGTH:g}", LENGTH, 0.25, substeps),
        _paths("slow_paths", f"AMPs, L = {SLOW:g}", SLOW, SLOW / 8, substeps),
        _line("linear", "line of 3, linear", flow.LinearTemperature(first, 0.0, LINE), 1, substeps),
        _line("matched", "line of 3, matched at random", flow.Matched(which, schedules(LINE)), RUNS, substeps),
        _line("none", "line of 3, nobody explores", 0.0, 1, substeps),
    )


# What is read.

_KINDS = {"none": "nobody explores", "linear": "linear", "matched": "ETE or CLR-1 at random"}
"""Cells of the line of three -> how agents explore there."""


def rates(which: Any, time: np.ndarray, length: float) -> np.ndarray:
    """T(t) of policy 0 or 1, [which..., time]."""
    share = time / length
    ete, cycle = PEAK * np.maximum(1 - share, 0), PEAK * np.maximum(1 - np.abs(2 * share - 1), 0)
    return np.where(np.asarray(which)[..., None] == 0, ete, cycle)


def _off_surface(results: Results[Any]) -> np.ndarray:
    from scipy.interpolate import RegularGridInterpolator

    path = policies("paths")(results)[:, :, :, 0]
    time = 0.25 * np.arange(1, path.shape[1] + 1)
    away = np.empty_like(path)
    for player in (0, 1):
        table = RegularGridInterpolator((GRID, GRID), sheet(player)(results)[0], bounds_error=False)
        for b, pair in enumerate(PAIRS):
            away[:, :, player, b] = np.abs(path[:, :, player, b] - table(rates(pair, time, LENGTH).T))
    return away


off_surface = Quantity(_off_surface)
"""Distance of P(H) from the logit equilibrium at the temperatures of the moment, [replicate, time, player, pair].

Linear interpolation between points of the grid; NaN below its lowest temperature.
"""
_late_off_surface = off_surface[:, 480:720]
"""The same from t = 120 to 180."""


def _nash_distance(cell: str) -> Quantity:
    """Largest |P(H) - 1/3| at the end of exploration, over pairs and players."""
    return largest((heads(cell) - NASH).then(np.abs))


def ratio(cell: str) -> Quantity:
    """u_1 / u_3 over time: mean payoffs over the runs of a replication, [replicate, time]."""
    mean = recorded(cell, "payoff").then(lambda payoff: payoff.mean(axis=-1))
    return mean[:, :, 1] / mean[:, :, 3]


def _sum(results: Results[Any]) -> np.ndarray:
    """Payoffs of players 1 and 3 together, the run furthest from 2 over all kinds of exploration."""
    ends = [recorded(cell, "payoff").last(results) for cell in _KINDS]
    away = np.concatenate([(end[:, 1] + end[:, 3] - 2).reshape(end.shape[0], -1) for end in ends], axis=1)
    return 2 + away[np.arange(len(away)), np.abs(away).argmax(axis=1)]


# What is claimed, in the order of the source.

_PATHS = (
    f"the policies' constants and the payoffs are not printed; ours: peak {PEAK:g}, length {LENGTH:g}, Nash (1/3, 1/3)"
)
_LINE = f"the policies' constants are not printed; ours: peak {PEAK:g}, linear from {FIRST}, length {LINE:g}"
_READ_OFF = "the source shows a plot, from which no more than a hundredth can be read"

CLAIMS: tuple[AbstractClaim, ...] = (
    unique(
        "surface.unique", "figure 1", "for each pair of exploration rates there is a unique QRE", (0, 1),
        note="largest distance between the surfaces found from two random starts, 60 x 60 pairs in (0, 2]"),
    limit(
        "paths.follow", "figure 1 and figure 6",
        "the exploration paths lie on the QRE surface: for each pair of rates the dynamics converge to its QRE",
        0.02, largest(_late_off_surface), note=f"largest distance from t = 120 to 180; {_PATHS}",
        reason="the paths move at finite speed and lag behind"),
    limit(
        "paths.nash", "figure 1 and figure 6",
        "as exploration decays to zero the dynamics select the unique Nash equilibrium",
        2e-3, _nash_distance("slow_paths"),
        note=f"largest |P(H) - 1/3| over all four pairs of policies, L = {SLOW:g}; {_PATHS}",
        reason="a limit of slow cooling"),
    direction(
        "paths.slower", "section 4, equilibrium selection",
        "bringing exploration to zero slowly approximates a Nash equilibrium",
        1, _nash_distance("paths") - _nash_distance("slow_paths"),
        f"how much further from Nash play ends with L = {LENGTH:g} than with {SLOW:g}; {_PATHS}"),
    limit(
        "split.linear", "figure 10, first row, last panel",
        "with linearly changing exploration the ratio of utilities of agents 1 and 3 goes to 1",
        0.01, ratio("linear").last, "u_1 / u_3", published=1.0, note=_LINE, reason=_READ_OFF),
    limit(
        "split.matched", "figure 10, second row, last panel",
        "with randomly matched policies, averaged over 50 runs, the ratio of utilities goes to 1",
        0.01, ratio("matched").last, "u_1 / u_3", published=1.0,
        note=f"a replication is one average over 50 runs; {_LINE}", reason=_READ_OFF),
    limit(
        "split.uniform", "figure 10", "exploration leads the even agent to a strategy close to the uniform one",
        0.01, largest((heads("matched")[:, 2] - 0.5).then(np.abs)), "|P_2(H) - 1/2|",
        note=f"the run furthest from it of the 50 of each replication, with L = {LINE:g}; with L = 200 it was 0.013 "
        f"away, which this tolerance would not cover; {_LINE}", reason=_READ_OFF),
    direction(
        "split.none", "appendix C.5", "without exploration arbitrary splits are reached",
        1, neighbours_apart(heads("none")[:, 2, 0]),
        "distance between P_2(H) of neighbouring replications (each is in two)", threshold=APART),
    limit(
        "split.odd", "appendix C.5", "in every equilibrium the odd agents play T",
        1e-3, largest(*(heads(cell)[:, [1, 3]] for cell in _KINDS)),
        "P(H), the larger of agents 1 and 3 over all runs", note=_LINE),
    limit(
        "split.sum", "appendix C.5", "the payoffs of agents 1 and 3 sum up to 2",
        1e-3, Quantity(_sum), "payoff", published=2.0,
        note=f"the sum itself is not in the text that we have, 2 is ours by derivation; {_LINE}"),
    NotComparable(
        id="curves", source=f"{SOURCE}, figures 1, 6 and 10", published=None,
        statement="heights of the surfaces, paths, utilities and ratios before the end, point by point",
        missing="payoffs of matching pennies, peaks and lengths of the policies, the linear rates, starts"),
)  # fmt: skip

# What is shown.

_NAMES = ("ETE", "CLR-1")


def report(results: Results[Settings]) -> Report:
    """Surface points and ends of paths, how stakes are split: tables and figures 1, 6 and 10."""
    return Report(
        tables=(_surface(results), _ends(results), _split(results)),
        figures=(
            _figure_paths(results, (0, 1), "figure_1", "both players follow the same policy"),
            _figure_paths(results, (2, 3), "figure_6", "the players follow different policies"),
            _figure_10(results),
        ),
    )


def _surface(results: Results[Settings]) -> Table:
    sheets, gaps = np.stack([sheet(k)(results) for k in (0, 1)], axis=1), gap(results)
    rows = []
    for (a, b), reference in AMPS.items():
        i, j = (int(np.abs(GRID - t).argmin()) for t in (a, b))
        if abs(GRID[i] - a) < 1e-9 and abs(GRID[j] - b) < 1e-9:
            rows.append({"T_1": a, "T_2": b} | beside(sheets[:, :, i, j], reference))
    caption = (
        "Asymmetric matching pennies: P(H) at the logit equilibrium by Newton's method from "
        f"{len(gaps)} random starts at those points of the 60 x 60 surface that have reference values, and the "
        f"largest deviation. {int((gaps <= TOLERANCE).sum())} of {gaps.size} points were solved to {TOLERANCE:g}; "
        "others would be holes."
    )
    return Table.of_rows("surface", caption, rows, decimals=12)


def _ends(results: Results[Settings]) -> Table:
    away = _late_off_surface(results).max(axis=1)
    rows = []
    for b, pair in enumerate(PAIRS):
        row: dict[str, Any] = {"player 1": _NAMES[pair[0]], "player 2": _NAMES[pair[1]]}
        row["off surface"] = away[:, :, b].max()
        for cell, length in (("paths", LENGTH), ("slow_paths", SLOW)):
            end = heads(cell)(results)[:, :, b]
            row[f"P1(H), L = {length:g}"], row[f"P2(H), L = {length:g}"] = end.mean(axis=0)
            row[f"from Nash, L = {length:g}"] = np.abs(end - NASH).max()
        rows.append(row)
    caption = (
        f"Asymmetric matching pennies with peak {PEAK:g}, {len(away)} random starts: largest distance from the "
        f"surface of equilibria from t = 120 to 180 (L = {LENGTH:g}); mean P(H) when exploration has ended and the "
        "largest distance from the Nash equilibrium (1/3, 1/3), in runs of two lengths."
    )
    return Table.of_rows("paths", caption, rows, decimals=6)


def _split(results: Results[Settings]) -> Table:
    rows = []
    for cell, label in _KINDS.items():
        even, payoff = heads(cell)(results)[:, 2], recorded(cell, "payoff").last(results)
        share = ratio(cell).last(results)
        rows.append(
            {"exploration": label, "runs": even.size}
            | {"P2(H), mean": even.mean(), "P2(H), min": even.min(), "P2(H), max": even.max()}
            | {"u_1, mean": payoff[:, 1].mean(), "u_3, mean": payoff[:, 3].mean()}
            | {"u_1 / u_3, min": share.min(), "u_1 / u_3, max": share.max()}
        )
    caption = (
        f"Line of three at t = {LINE:g} from random starts: P(H) of the middle agent and payoffs; the ratio is that "
        f"of mean payoffs of one replication ({RUNS} runs for the matched policies, else one)."
    )
    return Table.of_rows("split", caption, rows, decimals=6)


def _figure_paths(results: Results[Settings], pairs: tuple[int, int], name: str, what: str) -> Figure:
    path = policies("paths")(results)[0, :, :, 0]
    time = 0.25 * np.arange(1, path.shape[0] + 1)
    sheets = [sheet(k)(results)[0] for k in (0, 1)]
    frames = [long_rows({"kind": ["surface"], "T_1": GRID, "T_2": GRID}, {"P1": sheets[0], "P2": sheets[1]})]
    panels = []
    for p in pairs:
        both, t = ", ".join(_NAMES[which] for which in PAIRS[p]), rates(PAIRS[p], time, LENGTH)
        columns = {"T_1": t[0], "T_2": t[1], "P1": path[:, 0, p], "P2": path[:, 1, p]}
        frames.append(pandas.DataFrame({"kind": f"path {both}", **columns}))
        for k, azimuth in enumerate((-125, -35)):
            title = f"player {k + 1}; policies {both}"
            panels.append(PathOnSurface(title, sheets[k], t, path[:, k, p], azimuth))
    caption = (
        "Asymmetric matching pennies: P(H) of a player at the QRE over the exploration rates of both (light blue, "
        f"60 x 60 points in (0, 2]), and P(H) along play (red) if {what}: explore-then-exploit (ETE) or one cycle "
        f"(CLR-1), peak {PEAK:g}, length {LENGTH:g}, one random start. Ring: start; square: end; star: Nash "
        "equilibrium. A one-cycle policy begins without exploration, so play first cycles off the surface. Payoffs "
        "and the policies' constants are our choice: the source prints none."
    )
    draw = lambda canvas: draw_paths(canvas, panels, NASH)
    return Figure(name=name, draw=draw, data=pandas.concat(frames, ignore_index=True), caption=caption, size=(7.2, 6.0))


def _figure_10(results: Results[Settings]) -> Figure:
    time = LINE / 100 * np.arange(1, 101)
    rows, linear = [], np.asarray(FIRST)[:, None] * (1 - time / LINE)
    for cell, rate in (("linear", linear), ("matched", rates(matching(), time, LINE).mean(axis=1))):
        policy, payoff = (recorded(cell, name)(results)[0, :, 1:4] for name in ("policy", "payoff"))
        rows.append(SplitOverTime(cell, rate.T, policy[:, :, 0], payoff))
    frames = [
        pandas.DataFrame(
            {"row": row.name, "time": time, "agent": k + 1, "exploration": row.rates[:, k]}
            | {"P(H)": row.heads[:, k].mean(axis=-1), "utility": row.payoff[:, k].mean(axis=-1)}
            | {"ratio u_1 / u_3": row.ratio}
        )
        for row in rows
        for k in range(3)
    ]
    caption = (
        "Line of three agents while exploration ends. Top: rates fall linearly from "
        f"{', '.join(f'{x:g}' for x in FIRST)}; one random start. Bottom: averages of {RUNS} runs from random "
        "starts in which each agent follows ETE or CLR-1, drawn with equal probability (one draw for all "
        f"replications), peak {PEAK:g}, length {LINE:g}; bands: tenth to ninetieth percentile of the "
        "runs. Left to right: rates, P(H), utilities, ratio of the (mean) utilities of agents 1 "
        "and 3, which ends at 1: a fair split. The constants are our choice: the source prints none."
    )
    draw = lambda canvas: draw_split(canvas, rows, ("linear", "matched at random"), time)
    data = pandas.concat(frames, ignore_index=True)
    return Figure(name="figure_10", draw=draw, data=data, caption=caption, size=(7.2, 3.6))


experiment = Experiment(
    name="learning_dynamics.exploration", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Exploration policies and the equilibria they select",
    summary="Explore-then-exploit and one-cycle policies: paths over the QRE surface, and a fair split on a network",
    sources=("LeonardosPiliourasSpendlove2021", "SmithTopin2017"),
    scales={
        "quick": Scale(steps=100, replications=10, block=10, chunk=100),
        "paper": Scale(steps=100, replications=50, block=25, chunk=100),
    },
)  # fmt: skip
