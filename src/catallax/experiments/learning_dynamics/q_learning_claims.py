"""What the source says of Q-learning in competitive games, as claims on our runs."""

from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Direction

from .reading import SOURCE, final, limit


def _distance(cell: str):
    return lambda results: final(results, cell, "distance").max(axis=1)


def _excess_rate(results: Any) -> np.ndarray:
    """Least over all temperatures: rate of decay of the divergence between t = 1 and 2, less the bound min T."""
    from .reference_values import AMPS

    log = np.log(results.dataset("amps")["divergence"].values[:, :2])
    return (log[:, 0] - log[:, 1] - np.min(np.asarray(list(AMPS)), axis=1)).min(axis=1)


def _convergence() -> tuple[AbstractClaim, ...]:
    games = {"amps": "asymmetric matching pennies"} | {f"line_{n}": f"the line of {n} players" for n in (3, 5, 7)}
    said = "all interior trajectories converge to the unique QRE"
    return tuple(
        limit(f"convergence.{cell}", "theorem 4.1", f"{said} ({game})", 1e-9, _distance(cell), note="")
        for cell, game in games.items()
    )


CLAIMS: tuple[AbstractClaim, ...] = (
    *_convergence(),
    Direction(
        id="convergence.rate",
        source=f"{SOURCE}, theorem 4.1",
        statement="the weighted divergence to the QRE decays exponentially, at least at rate min T",
        sign=1,
        estimate=_excess_rate,
        note="rate between t = 1 and 2 less min T, the least over seven pairs of temperatures",
    ),
)
"""In the order of the source."""
