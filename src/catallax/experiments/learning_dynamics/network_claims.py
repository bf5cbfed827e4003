"""What the source says of the match-mismatch line, as claims on our runs."""

from functools import partial
from typing import Any

import numpy as np

from catallax.core import rng
from catallax.games.matrix import match_mismatch_line
from catallax.lab.claims import AbstractClaim, Direction, NotComparable
from catallax.solvers.matrix.flow_analysis.snapshot import Snapshot, snapshot

from .reading import READING, SOURCE, apart, final, heads, limit
from .surfaces import GRID, sheet

NONE, SOME, ALL = 0, 1, 2
"""Trajectories of the cell `selection`: who explores."""
SELECTION_T = 0.1
"""Temperature of those who explore in figure 5; the horizon there is 200."""
FIXED_T = 0.25
"""Temperature of player 3 in figure 4, panels 1 to 3."""
LYAPUNOV_T = 0.5
"""Temperature of everybody in the Lyapunov snapshots."""
SIZES = (3, 7, 11, 15)
"""Players in figure 9; the second is panel 4 of figure 4."""
_SURFACE = f"the temperatures of the figure are not printed; ours are 1/30 to 2 and T_3 = {FIXED_T:g}"
_LYAPUNOV = f"temperatures and sizes are not printed; ours are T = {LYAPUNOV_T:g}, n = 3, 7, 11, 15"


def equilibrium(results: Any, n: int, replicate: int = 0) -> np.ndarray:
    """The policies at which the flow of n players ended, [n + 2, 2]."""
    return final(results, f"lyapunov_{n}", "policy")[replicate, :, :, 0]


def plane(results: Any, n: int, replicate: int) -> Snapshot:
    """The Lyapunov function on the random plane of a replication, a and b from -3 to 3: algorithm 1."""
    key = rng.fold(rng.key(results.seed), n, replicate)
    game = match_mismatch_line(n)
    p = equilibrium(results, n, replicate)
    return snapshot(game, LYAPUNOV_T, key, weights=np.ones(n + 2), equilibrium=p)


def divergence(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """sum_k KL(p_k || x_k) of policies [..., n, 2]; the line is zero-sum with weights 1. Actions not played count 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / x), 0.0)
    return np.asarray(terms.sum(axis=(-2, -1)))


def _largest_rise(results: Any) -> np.ndarray:
    """Largest change of ln D over a unit of time while D is above 1e-9, over all sizes."""
    worst = []
    for n in SIZES:
        path = results.dataset(f"lyapunov_{n}")["policy"].values[..., 0]
        d = divergence(path[:, -1:], path)
        worst.append(np.where(d[:, 1:] > 1e-9, np.diff(np.log(np.maximum(d, 1e-300)), axis=1), -np.inf).max(axis=1))
    return np.max(worst, axis=0)


def _sag(results: Any) -> np.ndarray:
    """Divergence half-way between the policies of two replications at t = 1, less the mean of the ends; the largest."""
    worst = []
    for n in SIZES:
        path = results.dataset(f"lyapunov_{n}")["policy"].values[..., 0]
        p, x = path[:, -1], path[:, 0]
        y = np.roll(x, -1, axis=0)
        worst.append(divergence(p, (x + y) / 2) - (divergence(p, x) + divergence(p, y)) / 2)
    return np.max(worst, axis=0)


def least_bend(values: np.ndarray) -> float:
    """Least second difference of values on a grid along rows, columns and both diagonals; below 0 where not convex."""
    v = values
    middle = v[1:-1, 1:-1]
    straight = ((v[:-2, 1:-1], v[2:, 1:-1]), (v[1:-1, :-2], v[1:-1, 2:]))
    sides = (*straight, (v[:-2, :-2], v[2:, 2:]), (v[:-2, 2:], v[2:, :-2]))
    return float(min((a + b - 2 * middle).min() for a, b in sides))


def _dents(results: Any) -> np.ndarray:
    """How far the snapshots of a replication are from convex: the largest negative second difference, or 0."""
    count = results.scale.replications
    return np.asarray([max(0.0, *(-least_bend(plane(results, n, r).divergence) for n in SIZES)) for r in range(count)])


def _scatter(results: Any) -> np.ndarray:
    """How far apart the ends of neighbouring replications lie, the largest over sizes and players."""
    return np.max([apart(heads(results, f"lyapunov_{n}")).max(axis=(1, 2)) for n in SIZES], axis=0)


def steps_of(values: np.ndarray) -> np.ndarray:
    """Largest difference between neighbours on a grid [replicate, I, J]."""
    return np.maximum(*(np.abs(np.diff(values, axis=axis)).max(axis=(1, 2)) for axis in (1, 2)))


def _continuity(results: Any) -> np.ndarray:
    """Largest step between neighbours if every other point is left out, over that on the whole grid, less 3/2.

    It doubles where the sheet is continuous, and stays where it jumps. The least over players.
    """
    ratios = []
    for player in (1, 2, 3):
        fine = sheet(results, player)
        ratios.append(steps_of(fine[:, ::2, ::2]) / steps_of(fine))
    return np.min(ratios, axis=0) - 1.5


def _limit_gap(results: Any) -> np.ndarray:
    """How much nearer P_2(H) is to its limit T_3 / (T_1 + T_3) at the lowest T_2 than at the second lowest."""
    away = np.abs(sheet(results, 2) - (FIXED_T / (GRID + FIXED_T))[:, None])
    return (away[:, :, 1] - away[:, :, 0]).mean(axis=1)


def _spread(results: Any, players: list[int], who: int, largest: bool = True) -> np.ndarray:
    """Distance between neighbouring replications at the end in the line of 7."""
    distance = apart(heads(results, "selection"))[:, players, who]
    return distance.max(axis=1) if largest else distance.min(axis=1)


_SURFACES: tuple[AbstractClaim, ...] = (
    limit(
        "surface.unique",
        "figure 4, panels 1 to 3",
        "all exploration rates have a unique QRE",
        1e-9,
        lambda results: np.max([apart(sheet(results, k)).max(axis=(1, 2)) for k in (1, 2, 3)], axis=0),
        note=f"largest distance between the sheets found from two random starts; {_SURFACE}",
    ),
    limit(
        "surface.boundary",
        "figure 4, panels 1 to 3",
        "the QRE manifolds approach the boundary",
        1e-3,
        lambda results: sheet(results, 1)[:, 0].max(axis=1),
        "P(H) of agent 1",
        note=f"largest over T_2 at the lowest T_1; {_SURFACE}",
        reason="a limit, at T_1 = 1/30",
    ),
    Direction(
        id="surface.continuous",
        source=f"{SOURCE}, figure 4, panels 1 to 3",
        statement="the QRE manifolds are approached continuously",
        sign=1,
        estimate=_continuity,
        note="the largest step between neighbours on half the grid over that on the grid, less 3/2, the least of "
        f"agents 1 to 3: doubling the grid halves the steps of a continuous sheet, a jump stays; {_SURFACE}",
    ),
    Direction(
        id="surface.selects",
        source=f"{SOURCE}, figure 4, panels 1 to 3",
        statement="a unique equilibrium is selected also in the limit of no exploration by agent 2",
        sign=1,
        estimate=_limit_gap,
        note="how much nearer P(H) of agent 2 is to our limit T_3 / (T_1 + T_3) at T_2 = 1/30 than at 1/15, mean over "
        f"T_1; {_SURFACE}",
    ),
)
_LYAPUNOVS: tuple[AbstractClaim, ...] = (
    Direction(
        id="lyapunov.decreasing",
        source=f"{SOURCE}, figure 4, panel 4, and figure 9",
        statement="the KL-divergence to the QRE is decreasing along the dynamics",
        sign=-1,
        estimate=_largest_rise,
        note="largest change of its logarithm over a unit of time while above 1e-9 nats (theorem 4.1: at most -T); "
        f"{_LYAPUNOV}",
    ),
    Direction(
        id="lyapunov.convex",
        source=f"{SOURCE}, figure 4, panel 4, and figure 9",
        statement="the KL-divergence to the QRE is convex in the choice distributions",
        sign=-1,
        estimate=_sag,
        note=f"its value half-way between two random profiles less the mean of theirs, the largest; {_LYAPUNOV}",
    ),
    limit(
        "lyapunov.convex_picture",
        "figure 4, panel 4, and figure 9",
        "the depicted surface is convex",
        1e-9,
        _dents,
        "nats",
        note="largest negative second difference of the snapshots in (a, b): with log-ratios as coordinates they are "
        f"convex too, as is the log of a sum of exponentials; {_LYAPUNOV}",
    ),
    limit(
        "lyapunov.unique",
        "figure 4, panel 4, and figure 9",
        "the KL-divergence has a unique minimiser",
        1e-9,
        _scatter,
        note=f"how far apart the dynamics of two random starts end, where it is 0; {_LYAPUNOV}",
    ),
)
_SELECTION: tuple[AbstractClaim, ...] = (
    limit(
        "selection.none.odd",
        "figure 5, left",
        "without exploration odd agents converge to pure T",
        0.01,
        lambda results: heads(results, "selection")[:, [1, 3, 5, 7], NONE].max(axis=1),
        "probability of H, the largest of agents 1, 3, 5 and 7",
        reason="finite time",
    ),
    Direction(
        id="selection.none.even",
        source=f"{SOURCE}, figure 5, left",
        statement="without exploration even agents converge to a different mixed action every time",
        sign=1,
        estimate=partial(_spread, players=[2, 4, 6], who=NONE, largest=False),
        note=f"distance between neighbouring replications (each is in two), the least of agents 2, 4, 6; {READING}",
    ),
    limit(
        "selection.some.explorers",
        "figure 5, middle",
        "if agents 1 to 3 explore, their own dynamics converge to a unique outcome",
        0.01,
        partial(_spread, players=[1, 2, 3], who=SOME),
    ),
    *(
        Direction(
            id=f"selection.some.agent_{k}",
            source=f"{SOURCE}, figure 5, middle",
            statement=f"if agents 1 to 3 explore, agent {k} fails to converge to a unique outcome",
            sign=1,
            estimate=partial(_spread, players=[k], who=SOME),
            note=f"distance between neighbouring replications at T = 0.1, t = 200 (each is in two); {READING}",
        )
        for k in (4, 6)
    ),
    limit(
        "selection.all",
        "figure 5, right",
        "if all agents explore, all converge to a unique QRE",
        1e-6,
        partial(_spread, players=[1, 2, 3, 4, 5, 6, 7], who=ALL),
    ),
)
_NUMBERS = NotComparable(
    id="numbers",
    source=f"{SOURCE}, figures 4, 5 and 9",
    statement="heights of the surfaces, quartiles of policies and payoffs in the box plots",
    published=None,
    missing="exploration rates of all three figures, the horizon of figure 5, sizes and random directions of figure 9",
)
CLAIMS = (*_SURFACES, *_LYAPUNOVS, *_SELECTION, _NUMBERS)
"""In the order of the source."""
