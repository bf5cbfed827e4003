"""What the source says of Q-learning in competitive games, as claims on our runs."""

from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value

_SOURCE = "LeonardosPiliourasSpendlove2021"
_READING = "payoffs and exploration rates of the figure are not printed; ours satisfy all that the text says of them"
NONE, SOME, ALL = 0, 1, 2
"""Trajectories of the cell `selection`: who explores."""


def final(results: Any, cell: str, variable: str) -> np.ndarray:
    """A variable at its last evaluation, [replicate, ...]."""
    data = results.dataset(cell)[variable]
    time = next(d for d in data.dims if d.startswith("phase"))
    return data.isel({time: -1}).values


def heads(results: Any, cell: str) -> np.ndarray:
    """P(first action) at the end, [replicate, player, trajectory]."""
    return final(results, cell, "policy")[:, :, 0]


def apart(values: np.ndarray) -> np.ndarray:
    """How far each replication is from the next (the last from the first), along the first axis."""
    return np.abs(values - np.roll(values, -1, axis=0))


def _distance(cell: str):
    return lambda results: final(results, cell, "distance").max(axis=1)


def _excess_rate(results: Any) -> np.ndarray:
    """Least over all temperatures: rate of decay of the divergence between t = 1 and 2, less the bound min T."""
    from .reference_values import AMPS

    log = np.log(results.dataset("amps")["divergence"].values[:, :2])
    return (log[:, 0] - log[:, 1] - np.min(np.asarray(list(AMPS)), axis=1)).min(axis=1)


def _drift(results: Any) -> np.ndarray:
    """Relative change of the divergence to Nash over the whole run without exploration."""
    path = results.dataset("one_explorer")["divergence"].values[:, :, 0]
    return np.ptp(path, axis=1) / path[:, 0]


def _cycle_size(results: Any) -> np.ndarray:
    """How much player 1's policy still moves in the last 20 units of time without exploration."""
    return np.ptp(results.dataset("one_explorer")["policy"].values[:, -80:, 0, 0, 0], axis=1)


def _last_movement(results: Any) -> np.ndarray:
    """The same with exploration by player 2 at T = 0.5 and 2, both players; the larger."""
    return np.ptp(results.dataset("one_explorer")["policy"].values[:, -80:, :, 0, 1:3], axis=1).max(axis=(1, 2))


def _spread(players: list[int], who: int, largest: bool = True):
    """Distance between neighbouring replications at the end in the line of 7."""

    def estimate(results: Any) -> np.ndarray:
        distance = apart(heads(results, "selection"))[:, players, who]
        return distance.max(axis=1) if largest else distance.min(axis=1)

    return estimate


def _zero(name: str, where: str, statement: str, error: float, estimate: Any, unit: str = "probability") -> Value:
    return Value(
        id=name,
        source=f"{_SOURCE}, {where}",
        statement=statement,
        published=0.0,
        error=error,
        error_reason="an exact limit; what is left is finite time and rounding",
        unit=unit,
        estimate=estimate,
        note="" if where.startswith("theorem") else _READING,
    )


def _convergence() -> tuple[AbstractClaim, ...]:
    games = {"amps": "asymmetric matching pennies"} | {f"line_{n}": f"the line of {n} players" for n in (3, 5, 7)}
    said = "all interior trajectories converge to the unique QRE"
    return tuple(
        _zero(f"convergence.{cell}", "theorem 4.1", f"{said} ({game})", 1e-9, _distance(cell))
        for cell, game in games.items()
    )


CLAIMS: tuple[AbstractClaim, ...] = (
    *_convergence(),
    Direction(
        id="convergence.rate",
        source=f"{_SOURCE}, theorem 4.1",
        statement="the weighted divergence to the QRE decays exponentially, at least at rate min T",
        sign=1,
        estimate=_excess_rate,
        note="rate between t = 1 and 2 less min T, the least over seven pairs of temperatures",
    ),
    _zero(
        "no_exploration.conserved",
        "figure 2, panel 1",
        "without exploration the dynamics cycle around the Nash equilibrium",
        1e-6,
        _drift,
        "relative change of the divergence to Nash",
    ),
    Direction(
        id="no_exploration.cycles",
        source=f"{_SOURCE}, figure 2, panel 1",
        statement="without exploration the dynamics cycle around the Nash equilibrium",
        sign=1,
        estimate=_cycle_size,
        note=f"range of P(H) of player 1 over the last 20 units of time; {_READING}",
    ),
    _zero(
        "one_explorer.converges",
        "figure 2, panels 2 and 3",
        "exploration by only one agent suffices for convergence",
        1e-4,
        _last_movement,
    ),
    Value(
        id="one_explorer.boundary",
        source=f"{_SOURCE}, figure 2, panel 4",
        statement="for high exploration by one agent the other's component lies at the boundary",
        published=1.0,
        error=1e-3,
        error_reason="an exact limit, approached slowly",
        unit="probability",
        estimate=lambda results: heads(results, "one_explorer")[:, 0, 3],
        note=_READING,
    ),
    Value(
        id="selection.none.odd",
        source=f"{_SOURCE}, figure 5, left",
        statement="without exploration odd agents converge to pure T",
        published=0.0,
        error=0.01,
        error_reason="finite time",
        unit="probability of H, the largest of agents 1, 3, 5 and 7",
        estimate=lambda results: heads(results, "selection")[:, [1, 3, 5, 7], NONE].max(axis=1),
        note=_READING,
    ),
    Direction(
        id="selection.none.even",
        source=f"{_SOURCE}, figure 5, left",
        statement="without exploration even agents converge to a different mixed action every time",
        sign=1,
        estimate=_spread([2, 4, 6], NONE, largest=False),
        note=f"distance between neighbouring replications (each is in two), the least of agents 2, 4, 6; {_READING}",
    ),
    _zero(
        "selection.some.explorers",
        "figure 5, middle",
        "if agents 1 to 3 explore, their own dynamics converge to a unique outcome",
        0.01,
        _spread([1, 2, 3], SOME),
    ),
    *(
        Direction(
            id=f"selection.some.agent_{k}",
            source=f"{_SOURCE}, figure 5, middle",
            statement=f"if agents 1 to 3 explore, agent {k} fails to converge to a unique outcome",
            sign=1,
            estimate=_spread([k], SOME),
            note=f"distance between neighbouring replications at T = 0.1, t = 200 (each is in two); {_READING}",
        )
        for k in (4, 6)
    ),
    _zero(
        "selection.all",
        "figure 5, right",
        "if all agents explore, all converge to a unique QRE",
        1e-6,
        _spread([1, 2, 3, 4, 5, 6, 7], ALL),
    ),
    NotComparable(
        id="exploration_policies",
        source=f"{_SOURCE}, figures 1 and 10",
        statement="explore-then-exploit and one-cycle policies select a Nash equilibrium",
        published=None,
        missing="exploration rates that change with time; and the payoffs and policies of the figures",
    ),
)
"""In the order of the source."""
