"""A population of Q-learners as a density: the transport equation three ways, and how fast the three ways agree.

Characteristics, a finite-volume grid and finitely many learners follow the same populations: in the prisoners' dilemma
beside a reference table, in a coordination game from an asymmetric start, and in the first-price auction with three
bids. Then errors against the number of nodes, time steps, cells, learners, and against the learners' step size.

Every replication draws its own learners; nodes and grids draw nothing and are the same in all of them. The source gives
the limit; the rates are those of theory: the central limit theorem in the number of learners, the first correction in
their step size, the order of a scheme in the width of its cells or steps. What is run stands in `population_cells`.

Source: Hu, Leung and Leung (2019); Rawat (2023) for the auction.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from catallax.lab import AbstractClaim, Experiment, NotComparable, Report, Results, Scale, Statement, Table
from catallax.lab.charts import interval_columns
from catallax.lab.claims import direction, value
from catallax.lab.quantity import Quantity, recorded, stack

from .population_cells import GAINS, GRIDS, HIGHEST, NODES, POPULATIONS, STEPS_A_UNIT, Settings, cells
from .population_figures import GAMES, Study, densities, paths, rates
from .quantities import margin
from .reference_values import DILEMMA, DILEMMA_LIMIT

# What is read.


def mean_policy(cell: str, **lane: int) -> Quantity:
    """Mean probability of the first action, [replicate, time, population]."""
    return recorded(cell, "mean_policy", action=0, **lane)


def exact(smooth: int = 0) -> Quantity:
    """The same at t = 1 and 2 by the finest characteristics, [replicate, time]."""
    return mean_policy("exact", smooth=smooth)[:, :, 0]


def _columns(quantities: Iterable[Quantity]) -> Quantity:
    """Quantities [replicate] side by side, [replicate, quantity]."""
    return stack(quantities).then(lambda rows: np.stack(list(rows), axis=1))


def grids(results: Results[Any]) -> list[int]:
    """The grids that the scale runs."""
    return [g for g in GRIDS if f"grid_{g}" in results.cells]


def grid_errors(smooth: int, time: int) -> Quantity:
    """|mean policy - exact| at t = `time`, [replicate, grid]."""
    found = lambda results: _columns(mean_policy(f"grid_{g}", smooth=smooth)[:, time - 1, 0] for g in grids(results))
    return Quantity(lambda results: np.abs(found(results)(results) - exact(smooth)[:, [time - 1]](results)))


node_errors = (
    _columns(mean_policy("nodes_study", index=i)[:, 1, 0] for i in range(len(NODES))) - exact()[:, [1]]
).then(np.abs)
"""The same at t = 2, [replicate, number of nodes]."""
step_errors = (
    _columns(mean_policy("steps_study", per_unit=i)[:, s - 1, 0] for i, s in enumerate(STEPS_A_UNIT)) - exact()[:, [0]]
).then(np.abs)
"""The same at t = 1, [replicate, number of time steps]."""
squared_errors = _columns(
    (mean_policy(f"agents_{n}")[:, 0] - exact()[:, [1]]).then(lambda error: (error**2).mean(axis=1))
    for n in POPULATIONS
)
"""(mean policy - exact)^2 at t = 2, mean over populations, [replicate, number of learners]."""
biases = (
    _columns(mean_policy(f"gain_{round(1 / g)}")[:, 0].then(lambda policy: policy.mean(axis=1)) for g in GAINS)
    - exact()[:, [1]]
)
"""Mean policy - exact at t = 2, mean over populations, [replicate, step size]."""


def order(sizes: Sequence[float | int], errors: np.ndarray) -> float:
    """Slope of log error against log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def _orders(sizes: Sequence[float | int], errors: np.ndarray) -> np.ndarray:
    """The slope in each replication, of errors [replicate, size]."""
    return np.asarray([order(sizes, row) for row in errors])


def grid_order(smooth: int, time: int, coarsest: int = 0) -> Quantity:
    """Order of the grid in the width of its cells, without the `coarsest` grids."""
    errors = grid_errors(smooth, time)
    widths = lambda results: [HIGHEST / g for g in grids(results)][coarsest:]
    return Quantity(lambda results: _orders(widths(results), errors(results)[:, coarsest:]))


def _faster_than_powers(errors: np.ndarray) -> np.ndarray:
    """Local order between the last two numbers of nodes less that between the first two."""
    local = np.diff(np.log(errors), axis=1) / np.diff(np.log(NODES))
    return local[:, 0] - local[:, -1]


def jackknife(statistic: Callable[[np.ndarray], float], samples: np.ndarray) -> np.ndarray:
    """Pseudo-values n s(all) - (n - 1) s(all but one), one a replication: a slope through means gets an interval.

    Args:
        statistic: of samples.
        samples: [replicate, ...].

    Source: Tukey (1958).
    """
    n = len(samples)
    if n < 2:
        return np.full(n, statistic(samples))
    rest = np.asarray([statistic(np.delete(samples, i, axis=0)) for i in range(n)])
    return n * statistic(samples) - (n - 1) * rest


agents_slope = squared_errors.then(lambda s: jackknife(lambda part: order(POPULATIONS, part.mean(axis=0)) / 2, s))
"""Pseudo-values of the slope of log root-mean-square error against log N."""
gain_slope = biases.then(lambda s: jackknife(lambda part: order(GAINS, np.abs(part.mean(axis=0))), s))
"""Pseudo-values of the slope of log |bias| against log step size."""

# What is claimed: learners first, then rates, then the limit in time.

_LIMIT = "HuLeungLeung2019, the equation; the rate: theory"
_HU = "HuLeungLeung2019; the rate: theory"
_VAN_LEER = "VanLeer1979; the rate: theory"
_AGENTS = "HuLeungLeung2019, the comparison with simulated agents"
_THEORY = "theory and not printed in the source"


CLAIMS: tuple[AbstractClaim, ...] = (
    Statement(
        id="agents", source=_AGENTS,
        statement="the equation describes the mean policy of a large population of Q-learners",
        note="our games and first laws; those of the printed figures are not in the text that we have",
        parts=tuple(
            value(
                game, _AGENTS, f"in the {game}", 0.0,
                margin(0.005, "a bias of the order of the step size, 0.02, times a small factor"),
                "mean probability of the first action at t = 5, learners less equation",
                mean_policy(f"{game}_agents_all")[:, 5, 0] - mean_policy(f"{game}_nodes")[:, 5, 0])
            for game in ("dilemma", "coordination", "auction")),
    ),
    value(
        "rate.agents", _LIMIT, "a finite population is off by a random part of order N^(-1/2)",
        -0.5, margin(0.03, "finite N, and the bias of a step size of 1/32"),
        "slope of log root-mean-square error against log N", agents_slope,
        "N = 50 to 3200, t = 2, jackknife over replications", context=_THEORY),
    value(
        "rate.pairs", _LIMIT, "with one opponent a play there is a bias of the order of the step size",
        1.0, margin(0.1, "terms of second order at step sizes of 1/4 to 1/32"),
        "slope of log bias against log step size", gain_slope,
        "the policy is not linear in values that fluctuate; t = 2, jackknife over replications", context=_THEORY),
    value(
        "rate.steps", _HU, "characteristics by the classical Runge-Kutta method err by the fourth power of the step",
        -4.0, margin(0.15, "terms of higher order at 8 to 64 steps a unit"),
        "slope of log error against log steps a unit of time",
        step_errors[:, 1:].then(lambda errors: _orders(STEPS_A_UNIT[1:], errors)),
        "mean policy at t = 1; nothing random", context=_THEORY),
    direction(
        "rate.nodes", _HU,
        "with Gauss nodes of a smooth law the error falls faster than any power of their number",
        1, node_errors.then(_faster_than_powers),
        f"local order from {NODES[-2]} to {NODES[-1]} nodes an axis less that from {NODES[0]} to {NODES[1]}",
        context=_THEORY),
    value(
        "rate.grid.smooth", _VAN_LEER, "limited slopes are of second order while the density is smooth",
        2.0, margin(0.25, "slopes are cut at the peak of the density"), "slope of log error against log cell width",
        grid_order(1, 1, coarsest=1),
        "mean policy at t = 1 from a smooth law, 20 cells an axis and more; nothing random", context=_THEORY),
    direction(
        "rate.grid.box", _VAN_LEER, "from a law with jumps means converge at least at first order",
        1, grid_order(0, 1, coarsest=1) - 1.0,
        "order at t = 1 from the uniform law, less 1; nothing random", context=_THEORY),
    value(
        "rest", "HuLeungLeung2019; the point: theory",
        "the population gathers in one point, whose policy is the symmetric logit equilibrium",
        0.0, margin(1e-10, "an exact limit; what is left at t = 200 is rounding"), "distance from the point, in payoff",
        recorded("rest", "value_distance").last[:, 0], context=_THEORY),
    NotComparable(
        id="figures", source="HuLeungLeung2019, figures", published=None,
        statement="densities and mean policies in typical symmetric bimatrix games",
        missing="payoffs, temperatures and first laws of the printed figures"),
)  # fmt: skip

# What is shown.

_METHODS = {"grid": "grid", "all met": "agents_all", "pairs": "agents_pairs"}
"""Columns of tables -> ends of names of cells."""


def report(results: Results[Settings]) -> Report:
    """The reference table, three games three ways, errors and their orders; curves, rates, densities."""
    studies = _studies(results)
    return Report(
        tables=(_reference(results), _games(results), _kept(results), _errors(studies), _fitted(results)),
        figures=(densities(results), paths(results), rates(studies)),
    )


def _over_populations(cell: str, variable: str) -> Quantity:
    """Mean over populations, [replicate, time, action]."""
    return recorded(cell, variable).then(lambda values: values.mean(axis=-1))


def _at(results: Results[Settings], cell: str, time: int, action: int) -> float | None:
    """Mean policy over replications; None where there is no such cell, or its run ended before."""
    if cell not in results.cells:
        return None
    values = _over_populations(cell, "mean_policy")(results)
    return float(values[:, time, action].mean()) if time < values.shape[1] else None


def _labels(results: Results[Settings], game: str) -> str:
    """What the cells of a game are at this scale."""
    names = [f"{game}_{method}" for method in _METHODS.values()]
    return "; ".join(results.cells[name].label for name in names if name in results.cells) + "."


def _reference(results: Results[Settings]) -> Table:
    """The dilemma beside its reference."""
    policy, values = (_over_populations("dilemma_nodes", name)(results) for name in ("mean_policy", "mean_value"))
    rows: list[dict[str, Any]] = []
    for t, reference in DILEMMA.items():
        ours = (policy[0, t, 0], *values[0, t])
        rows.append(
            {"t": str(t), "m_1, reference": reference[0]}
            | dict(zip(("m_1, nodes", "mean Q_1", "mean Q_2"), ours, strict=True))
            | {"deviation": f"{np.abs(np.asarray(ours) - np.asarray(reference)).max():.1e}"}
            | {f"m_1, {name}": _at(results, f"dilemma_{method}", t, 0) for name, method in _METHODS.items()}
        )
    rows.append({"t": "rest", "m_1, reference": DILEMMA_LIMIT[0], "m_1, nodes": None, "deviation": "-"})
    caption = (
        "Prisoners' dilemma, tau = alpha = 1, values uniform on [0, 2]^2: mean policy m_1 and mean values along "
        "characteristics (16 x 16 nodes), their largest deviation from the reference (nine digits for m_1, eight for "
        f"values), and m_1 by the grid and by learners who meet all others or one other in a play (means over "
        f"{len(policy)} replications). {_labels(results, 'dilemma')}"
    )
    return Table.of_rows("reference", caption, rows, decimals=9)


def _games(results: Results[Settings]) -> Table:
    """Mean policies in all games."""
    rows = []
    for game, label in GAMES.items():
        learners = _over_populations(f"{game}_agents_all", "mean_policy")(results)
        for t in (0, 1, 2, 5, 10, 20):
            for a in range(learners.shape[2]):
                sample = learners[:, t, a]
                rows.append(
                    {"game": label, "t": t, "action": a + 1, "nodes": _at(results, f"{game}_nodes", t, a)}
                    | {name: _at(results, f"{game}_{method}", t, a) for name, method in _METHODS.items()}
                    | {"SD, all met": float(sample.std(ddof=1)) if len(sample) > 1 else None}
                )
    caption = (
        "Mean policy of the population by four methods; SD: of the learners who meet all others, over replications. "
        + " ".join(_labels(results, game) for game in GAMES)
    )
    return Table.of_rows("games", caption, rows, decimals=5)


def _kept(results: Results[Settings]) -> Table:
    """What must be kept: mass, sign, the Courant bound; and how far each game is from rest."""
    rows = []
    for game, label in GAMES.items():
        lost, least, courant = (recorded(f"{game}_grid", v)(results) for v in ("lost_mass", "least_share", "courant"))
        mass, distance, variance = (
            recorded(f"{game}_nodes", v)(results) for v in ("mass", "value_distance", "value_variance")
        )
        sd = np.sqrt(variance[0, :, 0, 0])
        rows.append(
            {"game": label, "grid, lost mass": f"{np.abs(lost).max():.1e}", "grid, least share": f"{least.min():.1e}"}
            | {"grid, Courant number": f"{courant.max():.3f}", "nodes, |mass - 1|": f"{np.abs(mass - 1).max():.1e}"}
            | {"distance from rest, t = 0": distance[0, 0, 0], "t = 20": distance[0, 20, 0]}
            | {"SD of Q_1, t = 0": sd[0], "SD, t = 20": sd[20]}
        )
    caption = (
        "Conserved quantities (worst over time and replications), and how the population gathers: mean distance of "
        "values from the point at rest, and the standard deviation of Q_1 over learners, along characteristics, in "
        "units of payoff."
    )
    return Table.of_rows("kept", caption, rows, decimals=4)


def _studies(results: Results[Settings]) -> dict[str, Study]:
    """Every error of the convergence studies; means over replications where anything is random."""
    grid = lambda smooth, time: (grids(results), grid_errors(smooth, time)(results)[0])
    root_mean_square = np.sqrt(squared_errors(results).mean(axis=0))
    return {
        "nodes an axis, t = 2": (NODES, node_errors(results)[0]),
        "time steps a unit, t = 1": (STEPS_A_UNIT, step_errors(results)[0]),
        "cells an axis, uniform law, t = 1": grid(0, 1),
        "cells an axis, uniform law, t = 2": grid(0, 2),
        "cells an axis, smooth law, t = 1": grid(1, 1),
        "learners, all others met, t = 2 (root mean square)": (POPULATIONS, root_mean_square),
        "step size, one other met, t = 2 (bias)": (GAINS, biases(results).mean(axis=0)),
    }


def _errors(studies: dict[str, Study]) -> Table:
    rows = [
        {"study": study, "size": f"{size:g}", "error of m_1": f"{error:.3e}"}
        for study, (sizes, errors) in studies.items()
        for size, error in zip(sizes, errors, strict=True)
    ]
    caption = "Errors of the mean policy of the prisoners' dilemma against the finest characteristics."
    return Table.of_rows("errors", caption, rows)


def _fitted(results: Results[Settings]) -> Table:
    """Fitted orders beside those of theory."""
    fixed = (
        ("time step", step_errors.then(lambda errors: _orders(STEPS_A_UNIT, errors)) * -1.0, "4"),
        ("cell width, uniform law, t = 1", grid_order(0, 1), "1 to 2"),
        ("cell width, uniform law, t = 2", grid_order(0, 2), "1 to 2"),
        ("cell width, smooth law, t = 1", grid_order(1, 1), "2"),
    )
    rows: list[dict[str, Any]] = [
        {"error against": what, "order": quantity(results)[0], "theory": theory} for what, quantity, theory in fixed
    ]
    drawn = (("number of learners", agents_slope, "-1/2"), ("step size, pairs", gain_slope, "1"))
    for what, quantity, theory in drawn:
        rows.append({"error against": what, **interval_columns(quantity(results), "order"), "theory": theory})
    caption = (
        "Slopes of log error against log size over all sizes; 95% intervals by the jackknife over replications where "
        "anything is random."
    )
    return Table.of_rows("orders", caption, rows)


experiment = Experiment(
    name="learning_dynamics.population", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="A population of Q-learners: transport equation, grid, learners",
    summary="The density of Q-learners' values along characteristics, on a grid and by finite populations, with rates",
    sources=("HuLeungLeung2019", "HuEtAl2022", "Rawat2023", "VanLeer1979"),
    scales={
        "quick": Scale(steps=21, replications=10, block=10, chunk=32),
        "paper": Scale(steps=21, replications=20, block=10, chunk=32),
    },
)  # fmt: skip
