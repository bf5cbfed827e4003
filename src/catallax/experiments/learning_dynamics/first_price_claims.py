"""What the slides on a tiny first-price auction say, as claims on our runs."""

from typing import Any

import numpy as np

from catallax.games.matrix import first_price_bids
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value
from catallax.solvers.matrix.nash import pure_nash

FEE, THETA = 0.25, 0.01
"""The printed fee, and the step size of cross learning."""
TEMPERATURES = tuple(float(t) for t in np.linspace(0.02, 0.3, 57))
"""At which logit equilibria are sought."""
PURE = np.stack([np.tile(np.eye(3)[a], (2, 1)) for a in (0, 1)])
"""Both bid 0; both bid 1/2: [equilibrium, player, action]."""


def policies(results: Any, cell: str) -> np.ndarray:
    """Policies over time, [replicate, time, player, action, trajectory]."""
    return results.dataset(cell)["policy"].values


def distances(ends: np.ndarray) -> np.ndarray:
    """Largest |x - p| to each of the two printed equilibria, [replicate, trajectory, equilibrium]."""
    padded = np.zeros((*ends.shape[:2], 3, ends.shape[3]))
    padded[:, :, : ends.shape[2]] = ends
    return np.stack([np.abs(padded - p[None, :, :, None]).max(axis=(1, 2)) for p in PURE], axis=-1)


def shares(results: Any, cell: str) -> np.ndarray:
    """Shares of the starts that end within 0.01 of (0, 0) and of (1/2, 1/2), [replicate, equilibrium]."""
    return (distances(policies(results, cell)[:, -1]) < 0.01).mean(axis=1)


def _elsewhere(results: Any) -> np.ndarray:
    return 1 - shares(results, "replicator").sum(axis=1)


def _share(which: int):
    return lambda results: shares(results, "replicator")[:, which]


def _pure(fee: float):
    """How many pure equilibria the matrix with this fee has; the same in every replication."""

    def count(results: Any) -> np.ndarray:
        found = pure_nash(first_price_bids(fee))
        return np.full(results.scale.replications, float(len(found.policies)))

    return count


def gap_to_flow(results: Any, cell: str) -> np.ndarray:
    """P(bid 0), learners less their flow, mean over both bidders and the second half of the path; one a replication."""
    learnt, flow = (policies(results, name)[:, :, :, 0, 0] for name in (cell, f"{cell}_flow"))
    half = learnt.shape[1] // 2
    return (learnt - flow)[:, half:].mean(axis=(1, 2))


_PNE = "pure Nash equilibria: both bid 0, both bid 1/2"

CLAIMS: tuple[AbstractClaim, ...] = (
    Value(
        id="equilibria.with_fee",
        source="Rawat2023, first-price auction",
        statement=f"{_PNE} (of the rule as written, with the winner's fee of 0.25)",
        published=2.0,
        error=0.0,
        error_reason="a count",
        unit="pure Nash equilibria",
        estimate=_pure(FEE),
    ),
    Value(
        id="equilibria.as_printed",
        source="Rawat2023, first-price auction",
        statement=f"{_PNE} (of the printed matrix, which omits the fee)",
        published=2.0,
        error=0.0,
        error_reason="a count",
        unit="pure Nash equilibria",
        estimate=_pure(0.0),
        note="without the fee (1, 1) is one too, and all but (1/2, 1/2) are weak",
    ),
    Value(
        id="replicator.ends",
        source="Rawat2023, replicator dynamics",
        statement="the replicator dynamics of the game lead to its pure equilibria",
        published=0.0,
        error=0.01,
        error_reason="an exact limit; starts near the basin's edge take long",
        unit="share of random starts that end elsewhere",
        estimate=_elsewhere,
        note="our reading: the slides draw the dynamics and print no number",
    ),
    *(
        Direction(
            id=f"replicator.{name}",
            source="Rawat2023, replicator dynamics",
            statement=f"both {what} is a possible outcome",
            sign=1,
            estimate=_share(which),
            note="share of random starts that end there",
        )
        for which, (name, what) in enumerate((("collusive", "bidding 0"), ("competitive", "bidding 1/2")))
    ),
    Value(
        id="cross_learning.limit",
        source="Rawat2023, replicator dynamics (Boergers and Sarin 1997)",
        statement="the replicator dynamics can be derived from cross learning",
        published=0.0,
        error=THETA,
        error_reason="the learners' paths leave their mean by a variance of order theta",
        unit="P(bid 0), learners less replicator",
        estimate=lambda results: gap_to_flow(results, "cross"),
        note="theta = 0.01 and rewards scaled into [0, 1]; at theta = 1, as written, a reward of 1 makes a policy pure",
    ),
    Value(
        id="frequency_adjusted.limit",
        source="Rawat2023, replicator dynamics of Q-learning (Kaisers and Tuyls 2010)",
        statement="Q-learning with updates divided by their frequency follows the selection-mutation equation",
        published=0.0,
        error=0.01,
        error_reason="the policy is nonlinear in noisy values: a bias of the order of the rate",
        unit="P(bid 0), learners less flow",
        estimate=lambda results: gap_to_flow(results, "adjusted"),
        note="softmax(Q / tau) with the factor pi_i; the slide divides outside the exponent and drops the index",
    ),
    NotComparable(
        id="cross_learning.equation",
        source="Rawat2023, replicator dynamics for evolutionary game theory",
        statement="the replicator equation",
        published=None,
        missing="the equation is absent from the text",
    ),
)
"""In the order of the slides."""
