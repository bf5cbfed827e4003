"""Rates at which grids, learners and nodes come near to the population equation, as claims on our runs.

The source gives the limit; the rates are those of theory: the central limit theorem in the number of learners, the
first correction in their step size, the order of a scheme in the width of its cells or steps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value

_LIMIT = "HuLeungLeung2019, the equation; the rate: theory"
NODES = (2, 3, 4, 6, 8, 12)
"""Nodes an axis in the study of quadrature."""
STEPS_A_UNIT = (4, 8, 16, 32, 64)
"""Runge-Kutta steps for each unit of time."""
GRIDS = (10, 20, 40, 80, 160)
"""Cells an axis; 160 at paper scale only."""
POPULATIONS = (50, 200, 800, 3200)
"""Numbers of learners."""
GAINS = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Step sizes of learners who meet one other in a play."""


def mean_policy(results: Any, cell: str, **lanes: float | int) -> np.ndarray:
    """Mean probability of the first action, [replicate, time, population]."""
    data = results.dataset(cell)["mean_policy"].sel(lanes)
    return data.isel(action=0).values


def exact(results: Any, smooth: int = 0) -> np.ndarray:
    """The same at t = 1 and 2 by the finest characteristics, [2]."""
    return mean_policy(results, "exact", smooth=smooth)[0, :, 0]


def order(sizes: Sequence[float | int], errors: np.ndarray) -> float:
    """Slope of log error against log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def jackknife(statistic: Callable[[np.ndarray], float], samples: np.ndarray) -> np.ndarray:
    """Pseudo-values n s(all) - (n - 1) s(all but one), one a replication: a slope through means gets an interval.

    Args:
        samples: [replicate, ...].

    Source: Tukey (1958).
    """
    n = len(samples)
    if n < 2:
        return np.full(n, statistic(samples))
    rest = np.asarray([statistic(np.delete(samples, i, axis=0)) for i in range(n)])
    return n * statistic(samples) - (n - 1) * rest


def grids(results: Any) -> list[int]:
    """The grids that the scale runs."""
    return [g for g in GRIDS if f"grid_{g}" in results.cells]


def grid_errors(results: Any, smooth: int, time: int) -> np.ndarray:
    """|mean policy - exact| at t = `time` for each grid."""
    found = [mean_policy(results, f"grid_{g}", smooth=smooth)[0, time - 1, 0] for g in grids(results)]
    return np.abs(np.asarray(found) - exact(results, smooth)[time - 1])


def node_errors(results: Any) -> np.ndarray:
    """The same at t = 2 for each number of nodes."""
    found = [mean_policy(results, "nodes_study", index=i)[0, 1, 0] for i in range(len(NODES))]
    return np.abs(np.asarray(found) - exact(results)[1])


def step_errors(results: Any) -> np.ndarray:
    """The same at t = 1 for each number of time steps."""
    found = [mean_policy(results, "steps_study", per_unit=s)[0, s - 1, 0] for s in STEPS_A_UNIT]
    return np.abs(np.asarray(found) - exact(results)[0])


def squared_errors(results: Any) -> np.ndarray:
    """(mean policy - exact)^2 at t = 2, mean over populations, [replicate, number of learners]."""
    each = [(mean_policy(results, f"agents_{n}")[:, 0] - exact(results)[1]) ** 2 for n in POPULATIONS]
    return np.stack([e.mean(axis=1) for e in each], axis=1)


def biases(results: Any) -> np.ndarray:
    """Mean policy - exact at t = 2, mean over populations, [replicate, step size]."""
    each = [mean_policy(results, f"gain_{round(1 / g)}")[:, 0].mean(axis=1) for g in GAINS]
    return np.stack(each, axis=1) - exact(results)[1]


def agents_slope(results: Any) -> np.ndarray:
    """Pseudo-values of the slope of log root-mean-square error against log N."""
    return jackknife(lambda s: order(POPULATIONS, s.mean(axis=0)) / 2, squared_errors(results))


def gain_slope(results: Any) -> np.ndarray:
    """Pseudo-values of the slope of log |bias| against log step size."""
    return jackknife(lambda s: order(GAINS, np.abs(s.mean(axis=0))), biases(results))


def _everywhere(results: Any, value: float) -> np.ndarray:
    """A number that no replication moves."""
    return np.full(results.scale.replications, value)


def _grid_order(smooth: int) -> Callable[[Any], np.ndarray]:
    def estimate(results: Any) -> np.ndarray:
        widths = [5 / g for g in grids(results)]
        return _everywhere(results, order(widths[1:], grid_errors(results, smooth, 1)[1:]))

    return estimate


def _faster_than_powers(results: Any) -> np.ndarray:
    """Local order between the last two numbers of nodes less that between the first two."""
    errors = np.log(node_errors(results))
    local = np.diff(errors) / np.diff(np.log(NODES))
    return _everywhere(results, local[0] - local[-1])


def _agents_at(game: str, time: int) -> Callable[[Any], np.ndarray]:
    def estimate(results: Any) -> np.ndarray:
        nodes = results.dataset(f"{game}_nodes")["mean_policy"].values[:, time, 0, 0]
        return results.dataset(f"{game}_agents_all")["mean_policy"].values[:, time, 0, 0] - nodes

    return estimate


CLAIMS: tuple[AbstractClaim, ...] = (
    *(
        Value(
            id=f"agents.{game}",
            source="HuLeungLeung2019, the comparison with simulated agents",
            statement="the equation describes the mean policy of a large population of Q-learners",
            published=0.0,
            error=0.005,
            error_reason="a bias of the order of the step size, 0.02, times a small factor",
            unit="mean probability of the first action at t = 5, learners less equation",
            estimate=_agents_at(game, 5),
            note="our games and first laws; those of the printed figures are not in the text that we have",
        )
        for game in ("dilemma", "coordination", "auction")
    ),
    Value(
        id="rate.agents",
        source=_LIMIT,
        statement="a finite population is off by a random part of order N^(-1/2)",
        published=-0.5,
        error=0.03,
        error_reason="finite N, and the bias of a step size of 1/32",
        unit="slope of log root-mean-square error against log N",
        estimate=agents_slope,
        note="theory (central limit theorem); N = 50 to 3200, t = 2, jackknife over replications",
    ),
    Value(
        id="rate.pairs",
        source=_LIMIT,
        statement="with one opponent a play there is a bias of the order of the step size",
        published=1.0,
        error=0.1,
        error_reason="terms of second order at step sizes of 1/4 to 1/32",
        unit="slope of log bias against log step size",
        estimate=gain_slope,
        note="theory (the policy is not linear in values that fluctuate); t = 2, jackknife over replications",
    ),
    Value(
        id="rate.steps",
        source="HuLeungLeung2019; the rate: theory",
        statement="characteristics by the classical Runge-Kutta method err by the fourth power of the step",
        published=-4.0,
        error=0.15,
        error_reason="terms of higher order at 8 to 64 steps a unit",
        unit="slope of log error against log steps a unit of time",
        estimate=lambda results: _everywhere(results, order(STEPS_A_UNIT[1:], step_errors(results)[1:])),
        note="mean policy at t = 1; nothing random",
    ),
    Direction(
        id="rate.nodes",
        source="HuLeungLeung2019; the rate: theory",
        statement="with Gauss nodes of a smooth law the error falls faster than any power of their number",
        sign=1,
        estimate=_faster_than_powers,
        note=f"local order from {NODES[-2]} to {NODES[-1]} nodes an axis less that from {NODES[0]} to {NODES[1]}",
    ),
    Value(
        id="rate.grid.smooth",
        source="VanLeer1979; the rate: theory",
        statement="limited slopes are of second order while the density is smooth",
        published=2.0,
        error=0.25,
        error_reason="slopes are cut at the peak of the density",
        unit="slope of log error against log cell width",
        estimate=_grid_order(1),
        note="mean policy at t = 1 from a smooth law, 20 cells an axis and more; nothing random",
    ),
    Direction(
        id="rate.grid.box",
        source="VanLeer1979; the rate: theory",
        statement="from a law with jumps means converge at least at first order",
        sign=1,
        estimate=lambda results: _grid_order(0)(results) - 1,
        note="order at t = 1 from the uniform law, less 1; nothing random",
    ),
    Value(
        id="rest",
        source="HuLeungLeung2019; the point: theory",
        statement="the population gathers in one point, whose policy is the symmetric logit equilibrium",
        published=0.0,
        error=1e-10,
        error_reason="an exact limit; what is left at t = 200 is rounding",
        unit="distance from the point, in payoff",
        estimate=lambda results: results.dataset("rest")["value_distance"].values[:, -1, 0],
    ),
    NotComparable(
        id="figures",
        source="HuLeungLeung2019, figures",
        statement="densities and mean policies in typical symmetric bimatrix games",
        published=None,
        missing="payoffs, temperatures and first laws of the printed figures",
    ),
)
"""Learners first, then rates, then the limit in time."""
