"""Q-learning in competitive games: convergence to the logit equilibrium, of flows and of sampled learners.

Every replication starts all trajectories of a cell at points drawn uniformly from the simplices. The payoffs of the
two-player game are not printed in the source; ours are in the zoo of games, temperatures in `reference_values`.

Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1. Its figures are experiments of their own.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas

from catallax.agents.tabular.boltzmann import BoltzmannQ
from catallax.core import Group, Independent, Play, Population
from catallax.games.matrix import Polymatrix, Repeated, asymmetric_matching_pennies, match_mismatch_line
from catallax.lab import AbstractClaim, Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import long_rows
from catallax.lab.figure import COLOURS, TWO_COLUMNS
from catallax.lab.quantity import largest, recorded, smallest
from catallax.measures.matrix import Distance, Policy
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta
from catallax.solvers.matrix.structure import interior_equilibrium, zero_sum_weights

from .quantities import Settings, beside, direction, heads, limit, policies, same_length
from .reference_values import AMPS, AMPS_START, AMPS_TRAJECTORIES, line_rows

HORIZON = 300
"""Time in the equilibrium cells: at T = 0.1 distances have then shrunk by exp(-30)."""
LEARNING = 2000
"""Plays of the stage game by sampled learners."""
LEARNERS_T = 1.0
LINES = (3, 5, 7)
"""Numbers of players on a line."""

# What is run.


def _two_actions(heads: Any) -> Any:
    """P(H) [n, ...] as policies [n, 2, ...]."""
    return jnp.stack([heads, 1 - heads], axis=1)


def _to_equilibrium(name: str, label: str, game: Polymatrix, rows: Any, substeps: int) -> Cell:
    """Flows from random starts, one for each (temperatures, P(H)) of the reference equilibria."""
    rates = jnp.asarray([temperatures for temperatures, _ in rows]).T
    equilibrium = jnp.asarray([p for _, p in rows]).T
    distance = Distance(target=_two_actions(equilibrium), weights=jnp.asarray(zero_sum_weights(game).weights))
    build = lambda: QLearningFlow(game, rates, integrator=RungeKutta(substeps))
    return same_length(name, label, build, HORIZON, distance, Policy(every=HORIZON))


def _line(n: int, substeps: int) -> Cell:
    """The line of n players. The dummies' only action is column 0; their temperature has no effect."""
    rows = [((1.0, *temperatures, 1.0), (1.0, *p, 1.0)) for temperatures, p in line_rows(n)]
    return _to_equilibrium(f"line_{n}", f"line of {n}", match_mismatch_line(n), rows, substeps)


def _amps_trajectories() -> Cell:
    """The same start for all temperatures, as in the reference table."""
    game = asymmetric_matching_pennies()
    nash, w = jnp.asarray(interior_equilibrium(game)), jnp.asarray(zero_sum_weights(game).weights)
    rates = jnp.asarray(list(AMPS_TRAJECTORIES)).T
    build = lambda: QLearningFlow(game, rates, jnp.asarray(AMPS_START), integrator=RungeKutta(2000))
    distance = Distance(target=nash, weights=w)
    return same_length("amps_trajectories", "AMPs from (0.8, 0.9)", build, 10, Policy(), distance)


def _learners() -> Cell:
    """Sampled Boltzmann learners in the repeated game, a hundred copies side by side."""
    game = asymmetric_matching_pennies()
    target = _two_actions(jnp.asarray(AMPS[LEARNERS_T, LEARNERS_T]))
    weights = jnp.asarray(zero_sum_weights(game).weights)
    seats = Group("player", None, Independent(BoltzmannQ(temperature=LEARNERS_T, rate=0.05)))
    build = lambda: Play(Repeated(game), Population((seats,)), length=1, copies=100, episodic=False)
    distance = Distance(target=target, weights=weights, every=20)
    return same_length("learners", "AMPs, sampled learners", build, LEARNING, Policy(every=20), distance)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """Equilibria of both games, trajectories, sampled learners."""
    substeps = settings.substeps
    return (
        _to_equilibrium("amps", "AMPs", asymmetric_matching_pennies(), list(AMPS.items()), substeps),
        *(_line(n, substeps) for n in LINES),
        _amps_trajectories(),
        _learners(),
    )


# What is claimed.

_decay_rate = recorded("amps", "divergence")[:, :2].then(np.log).then(lambda log: log[:, 0] - log[:, 1])
"""Rate of decay of the divergence to the equilibrium between t = 1 and 2, [replicate, temperatures]."""
_GAMES = {"amps": "asymmetric matching pennies"} | {f"line_{n}": f"the line of {n} players" for n in LINES}

CLAIMS: tuple[AbstractClaim, ...] = (
    *(
        limit(
            f"convergence.{cell}", "theorem 4.1", f"all interior trajectories converge to the unique QRE ({game})",
            1e-9, largest(recorded(cell, "distance").last), note="")
        for cell, game in _GAMES.items()
    ),
    direction(
        "convergence.rate", "theorem 4.1",
        "the weighted divergence to the QRE decays exponentially, at least at rate min T",
        1, smallest(_decay_rate - np.min(np.asarray(list(AMPS)), axis=1)),
        "rate between t = 1 and 2 less min T, the least over seven pairs of temperatures"),
)  # fmt: skip
"""In the order of the source."""

# What is shown.


def report(results: Results[Settings]) -> Report:
    """Equilibria and trajectories beside their references, learners."""
    tables = (_equilibria_of_amps(results), _equilibria_of_lines(results), _trajectories(results), _sampled(results))
    return Report(tables=tables, figures=(_decay(results),))


def _equilibria_of_amps(results: Results[Settings]) -> Table:
    found = heads("amps")(results)
    rows = [
        {"T_1": t1, "T_2": t2} | beside(found[:, :, b], reference)
        for b, ((t1, t2), reference) in enumerate(AMPS.items())
    ]
    caption = (
        f"Asymmetric matching pennies at t = 300 from {len(found)} random starts: mean P(H), references, and the "
        "largest deviation from them over all starts."
    )
    return Table.of_rows("amps_equilibria", caption, rows, decimals=12)


def _equilibria_of_lines(results: Results[Settings]) -> Table:
    rows = []
    for n in LINES:
        found = heads(f"line_{n}")(results)[:, 1:-1]
        for b, (temperatures, reference) in enumerate(line_rows(n)):
            shown = temperatures[:1] if len(set(temperatures)) == 1 else temperatures
            rows.append(
                {"n": n, "T": " ".join(f"{t:g}" for t in shown)}
                | {f"P{k + 1}(H)": float(found[:, k, b].mean()) if k < n else None for k in range(max(LINES))}
                | {"worst": f"{np.abs(found[:, :, b] - np.asarray(reference)).max():.1e}"}
            )
    caption = (
        "Match-mismatch line at t = 300 from random starts: mean P(H) of players 1 to n, and the largest deviation "
        "from the reference values (given to 10 digits) over all players and starts."
    )
    return Table.of_rows("line_equilibria", caption, rows, decimals=10)


def _trajectories(results: Results[Settings]) -> Table:
    path = policies("amps_trajectories")(results)[0, :, :, 0]
    divergence = recorded("amps_trajectories", "divergence")(results)[0]
    rows = []
    for b, ((t1, t2), points) in enumerate(AMPS_TRAJECTORIES.items()):
        for t, reference in points.items():
            ours = path[t - 1, :, b]
            deviation = f"{np.abs(ours - np.asarray(reference)).max():.1e}"
            rows.append(
                {"T_1": t1, "T_2": t2, "t": t, "P1(H)": ours[0], "P2(H)": ours[1], "deviation": deviation}
                | {"D to Nash": divergence[t - 1, b]}
            )
    caption = (
        "Asymmetric matching pennies from P(H) = (0.8, 0.9): our flow, its largest deviation from the reference (given "
        "to nine digits), and the weighted divergence to the Nash equilibrium, which T = 0 conserves."
    )
    return Table.of_rows("amps_trajectories", caption, rows, decimals=9)


def _sampled(results: Results[Settings]) -> Table:
    path = policies("learners")(results)[:, :, :, 0, 0]
    half = path[:, path.shape[1] // 2 :]
    rows = [
        {
            "player": k + 1,
            "P(H), mean": half[:, :, k].mean(),
            "SD over time": half[:, :, k].std(axis=1).mean(),
            "SD over replications": half[:, :, k].mean(axis=1).std(ddof=1),
            "logit equilibrium": AMPS[LEARNERS_T, LEARNERS_T][k],
        }
        for k in (0, 1)
    ]
    caption = (
        "Sampled Boltzmann Q-learners (rate 0.05, T = 1, 100 copies) in repeated asymmetric matching pennies: policies "
        f"over the second half of {path.shape[1] * 20} plays, {path.shape[0]} replications."
    )
    return Table.of_rows("learners", caption, rows, decimals=4)


def _decay(results: Results[Settings]) -> Figure:
    """The Lyapunov function over time at every pair of temperatures, with the bound of the theorem."""
    path = recorded("amps", "divergence")(results)[:, :30]
    axes = {"temperatures": [f"{t[0]:g}, {t[1]:g}" for t in AMPS], "time": range(1, path.shape[1] + 1)}
    data = long_rows(axes, {"divergence": np.median(path, axis=0).T})
    data.insert(1, "slowest", np.repeat([min(t) for t in AMPS], path.shape[1]))
    caption = (
        "Asymmetric matching pennies: weighted divergence of play from the logit equilibrium over time, median of "
        f"{path.shape[0]} random starts, at the temperatures named; drawn down to 1e-12. Dotted: the "
        "bound of theorem 4.1 from the first point on, decay at rate min T."
    )
    return Figure(
        name="lyapunov", draw=lambda sheet: _draw_decay(sheet, data), data=data, caption=caption, size=TWO_COLUMNS
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


experiment = Experiment(
    name="learning_dynamics.q_learning_flow", settings=Settings, cells=cells, report=report, claims=CLAIMS, x64=True,
    title="Q-learning in weighted zero-sum polymatrix games",
    summary="Flows and sampled learners against logit equilibria",
    sources=("LeonardosPiliourasSpendlove2021", "CaiEtAl2016", "McKelveyPalfrey1995"),
    scales={
        "quick": Scale(steps=HORIZON, replications=10, block=10, chunk=HORIZON),
        "paper": Scale(steps=HORIZON, replications=100, block=50, chunk=HORIZON),
    },
)  # fmt: skip
