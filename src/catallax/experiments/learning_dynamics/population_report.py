"""Tables and figures of a population of Q-learners, from stored results only."""

from typing import Any

import numpy as np
import pandas

from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table

from .population_claims import (
    GAINS,
    NODES,
    POPULATIONS,
    STEPS_A_UNIT,
    agents_slope,
    biases,
    gain_slope,
    grid_errors,
    grids,
    node_errors,
    order,
    squared_errors,
    step_errors,
)
from .population_drawing import densities, paths, rates
from .population_reference import DILEMMA, DILEMMA_LIMIT

_GAMES = {"dilemma": "prisoners' dilemma", "coordination": "coordination", "auction": "first-price auction"}


def report(results: Any) -> Report:
    """The reference table, three games three ways, errors and their orders; curves, rates, densities."""
    return Report(
        tables=(_reference(results), _games(results), _kept(results), _errors(results), _orders(results)),
        figures=(densities(results), paths(results, _GAMES), rates(results)),
    )


def _series(results: Any, cell: str, variable: str) -> np.ndarray:
    """Mean over populations, [replicate, time, action]."""
    return results.dataset(cell)[variable].values.mean(axis=-1)


def _at(values: np.ndarray, time: int, action: int) -> float | None:
    """Mean over replications; None where the run ended before."""
    return float(values[:, time, action].mean()) if time < values.shape[1] else None


def _reference(results: Any) -> Table:
    """The dilemma beside its reference."""
    found = {
        c: _series(results, f"dilemma_{c}", "mean_policy") for c in ("nodes", "grid", "agents_all", "agents_pairs")
    }
    values = _series(results, "dilemma_nodes", "mean_value")
    rows = []
    for t, reference in DILEMMA.items():
        ours = (found["nodes"][0, t, 0], *values[0, t])
        rows.append(
            {
                "t": str(t),
                "m_1, reference": reference[0],
                "m_1, nodes": ours[0],
                "mean Q_1": ours[1],
                "mean Q_2": ours[2],
                "deviation": f"{np.abs(np.asarray(ours) - np.asarray(reference)).max():.1e}",
                **{f"m_1, {name}": _at(found[cell], t, 0) for name, cell in _COLUMNS.items()},
            }
        )
    rows.append({"t": "rest", "m_1, reference": DILEMMA_LIMIT[0], "m_1, nodes": None, "deviation": "-"})
    caption = (
        "Prisoners' dilemma, tau = alpha = 1, values uniform on [0, 2]^2: mean policy m_1 and mean values along "
        "characteristics (16 x 16 nodes), their largest deviation from the reference (nine digits for m_1, eight for "
        f"values), and m_1 by the grid and by learners who meet all others or one other in a play (means over "
        f"{found['nodes'].shape[0]} replications). {_labels(results, 'dilemma')}"
    )
    return Table(name="reference", frame=pandas.DataFrame(rows), caption=caption, decimals=9)


_COLUMNS = {"grid": "grid", "all met": "agents_all", "pairs": "agents_pairs"}


def _columns(results: Any, game: str) -> dict[str, str]:
    """Those of `_COLUMNS` that the game has."""
    return {name: cell for name, cell in _COLUMNS.items() if f"{game}_{cell}" in results.cells}


def _labels(results: Any, game: str) -> str:
    """What the cells of a game are at this scale."""
    return "; ".join(results.dataset(f"{game}_{c}").attrs["label"] for c in _columns(results, game).values()) + "."


def _games(results: Any) -> Table:
    """Mean policies of the first action in all games."""
    rows = []
    for game, label in _GAMES.items():
        columns = _columns(results, game)
        found = {c: _series(results, f"{game}_{c}", "mean_policy") for c in ("nodes", *columns.values())}
        for t in (0, 1, 2, 5, 10, 20):
            for a in range(found["nodes"].shape[2]):
                spread = found["agents_all"][:, t, a]
                rows.append(
                    {
                        "game": label,
                        "t": t,
                        "action": a + 1,
                        "nodes": _at(found["nodes"], t, a),
                        **{name: _at(found[c], t, a) if (c := columns.get(name)) else None for name in _COLUMNS},
                        "SD, all met": float(spread.std(ddof=1)) if len(spread) > 1 else None,
                    }
                )
    caption = (
        "Mean policy of the population by four methods; SD: of the learners who meet all others, over replications. "
        + " ".join(_labels(results, game) for game in _GAMES)
    )
    return Table(name="games", frame=pandas.DataFrame(rows), caption=caption, decimals=5)


def _kept(results: Any) -> Table:
    """What must be kept: mass, sign, the Courant bound; and how far each game is from rest."""
    rows = []
    for game, label in _GAMES.items():
        grid = results.dataset(f"{game}_grid")
        nodes = results.dataset(f"{game}_nodes")
        rows.append(
            {
                "game": label,
                "grid, lost mass": f"{np.abs(grid['lost_mass'].values).max():.1e}",
                "grid, least share": f"{grid['least_share'].values.min():.1e}",
                "grid, Courant number": f"{grid['courant'].values.max():.3f}",
                "nodes, |mass - 1|": f"{np.abs(nodes['mass'].values - 1).max():.1e}",
                "distance from rest, t = 0": float(nodes["value_distance"].values[0, 0, 0]),
                "t = 20": float(nodes["value_distance"].values[0, 20, 0]),
                "SD of Q_1, t = 0": float(np.sqrt(nodes["value_variance"].values[0, 0, 0, 0])),
                "SD, t = 20": float(np.sqrt(nodes["value_variance"].values[0, 20, 0, 0])),
            }
        )
    caption = (
        "Conserved quantities (worst over time and replications), and how the population gathers: mean distance of "
        "values from the point at rest, and the standard deviation of Q_1 over learners, along characteristics, in "
        "units of payoff."
    )
    return Table(name="kept", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _errors(results: Any) -> Table:
    """Every error of the convergence studies."""
    squared, bias = squared_errors(results), biases(results)
    columns = {
        "nodes an axis, t = 2": (NODES, node_errors(results)),
        "time steps a unit, t = 1": (STEPS_A_UNIT, step_errors(results)),
        "cells an axis, uniform law, t = 1": (grids(results), grid_errors(results, 0, 1)),
        "cells an axis, uniform law, t = 2": (grids(results), grid_errors(results, 0, 2)),
        "cells an axis, smooth law, t = 1": (grids(results), grid_errors(results, 1, 1)),
        "learners, all others met, t = 2 (root mean square)": (POPULATIONS, np.sqrt(squared.mean(axis=0))),
        "step size, one other met, t = 2 (bias)": (GAINS, bias.mean(axis=0)),
    }
    rows = [
        {"study": study, "size": f"{size:g}", "error of m_1": f"{error:.3e}"}
        for study, (sizes, errors) in columns.items()
        for size, error in zip(sizes, errors, strict=True)
    ]
    caption = "Errors of the mean policy of the prisoners' dilemma against the finest characteristics."
    return Table(name="errors", frame=pandas.DataFrame(rows), caption=caption)


def _orders(results: Any) -> Table:
    """Fitted orders beside those of theory."""
    widths = [5 / g for g in grids(results)]
    fixed = [
        ("time step", order(STEPS_A_UNIT, step_errors(results)) * -1, "4"),
        ("cell width, uniform law, t = 1", order(widths, grid_errors(results, 0, 1)), "1 to 2"),
        ("cell width, uniform law, t = 2", order(widths, grid_errors(results, 0, 2)), "1 to 2"),
        ("cell width, smooth law, t = 1", order(widths, grid_errors(results, 1, 1)), "2"),
    ]
    rows: list[dict[str, Any]] = [{"error against": what, "order": o, "theory": theory} for what, o, theory in fixed]
    for what, values, theory in (
        ("number of learners", agents_slope(results), "-1/2"),
        ("step size, pairs", gain_slope(results), "1"),
    ):
        e = mean_interval(values)
        rows.append({"error against": what, "order": e.mean, "low": e.low, "high": e.high, "theory": theory})
    caption = (
        "Slopes of log error against log size over all sizes; 95% intervals by the jackknife over replications where "
        "anything is random."
    )
    return Table(name="orders", frame=pandas.DataFrame(rows), caption=caption)
