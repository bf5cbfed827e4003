"""What the slides on the advertising auction print and say, as claims with our reading."""

from typing import Any

import numpy as np

from catallax.core.errors import InputError
from catallax.lab.claims import AbstractClaim, Baseline, Direction, NotComparable, Value, printed_error

TEMPERATURE = 4.0
"""c, inverse temperature of the published runs (as reported; the slides do not state it)."""
OUTER = 20
"""Outer iterations behind the printed Q-tables."""
DELTA_Q = {1000: 0.21263, 3000: 0.1294, 5000: 0.10258, 10000: 0.0989}
"""Printed distances of the Q-tables by T_k."""
INNER = tuple(DELTA_Q)
SOURCE = "GuoHuXuZhang2019"
_TABLE = f"{SOURCE}, slides, table of Delta-Q"
_UNSTATED = (
    "the slides do not say how (s, a) are visited, whether Q and visit counts outlive an outer step, nor the rate; "
    "ours: uniform draws, both kept, rate (1 + n)^-0.87; relative l2 distance over all cells after 20 outer iterations "
    "from the same first law"
)


def delta_q(results: Any, inner: int, *, weighted: bool = False) -> np.ndarray:
    """||Q_V - Q_Q||_2 / ||Q_V||_2 for each replication; `weighted`: cells weighted by the law of GMF-V."""
    exact, law = (_first(results.dataset("gmf_v")[name].sel(c=TEMPERATURE)) for name in ("q", "law"))
    learnt = _first(results.dataset("gmf_q")["q"].sel(inner=inner))
    weight = np.sqrt(law) if weighted else 1.0
    size = lambda x: np.sqrt((np.square(x * weight)).sum(axis=(1, 2)))
    return size(exact - learnt) / size(exact)


def _first(tables: Any) -> np.ndarray:
    """The tables after 20 outer iterations, the first that are kept, `[replicate, state, action]`."""
    time = next(d for d in tables.dims if str(d).startswith("phase"))
    kept = tables.isel({time: 0})
    if int(kept[time]) != OUTER - 1:
        raise InputError(f"the first tables kept are those of iteration {int(kept[time]) + 1}, not {OUTER}")
    return kept.transpose("replicate", "state", "action").values


def movement(results: Any, cell: str, n: int = 10, **lane: float) -> np.ndarray:
    """Mean l1 step of the law over the first 50 iterations' last n, for each replication."""
    steps = results.dataset(cell)["law_step"]
    steps = steps.sel(lane) if lane else steps
    last = min(50, steps.sizes["phase"])
    return steps.isel(phase=slice(last - n, last)).mean("phase").values.astype(float)


def _distances() -> list[Value]:
    claims = []
    for i, inner in enumerate(INNER):
        error, reason = printed_error(last_digit=1e-4 if inner in (3000, 10000) else 1e-5)
        before = INNER[i - 1] if i else None
        claims.append(
            Value(
                id=f"delta_q.{inner}",
                source=_TABLE,
                statement=f"Delta-Q with T_k = {inner}",
                published=DELTA_Q[inner],
                error=error,
                error_reason=f"{reason}; one run, no spread printed",
                unit="1",
                estimate=lambda results, inner=inner: delta_q(results, inner),
                note=_UNSTATED,
                baseline=None
                if before is None
                else Baseline(f"T_k = {before}", DELTA_Q[before], lambda r, before=before: delta_q(r, before)),
            )
        )
    return claims


def _statements() -> list[AbstractClaim]:
    return [
        Direction(
            id="delta_q.falls",
            source=_TABLE,
            statement="Delta-Q falls with the inner iterations, T_k = 1000 to 10000",
            sign=-1,
            estimate=lambda results: delta_q(results, INNER[-1]) - delta_q(results, INNER[0]),
        ),
        Direction(
            id="naive.fluctuates",
            source=f"{SOURCE}, slides, failure of the naive algorithm",
            statement="the naive algorithm with argmax-e fluctuates; softmax makes it stable",
            sign=1,
            estimate=lambda results: movement(results, "naive") - movement(results, "gmf_v", c=TEMPERATURE),
            note="l1 step of the law at iterations 41 to 50, argmax-e less softmax; both with exact values: argmax-e "
            "cycles without any sampling noise, so the cause is the map, not approximation errors alone",
        ),
        NotComparable(
            id="naive.amplitude",
            source=f"{SOURCE}, slides, figure of the failure",
            statement="fluctuations in l1 and l-infinity over 30 sample paths",
            published=None,
            missing="numbers: a figure without a table",
        ),
        NotComparable(
            id="accuracy",
            source=f"{SOURCE}, slides, learning accuracy C(pi)",
            statement="GMF-Q below IL and MF-Q for |S| = |A| in {10, 20} and N in {20, 40}",
            published=None,
            missing="numbers (figures only), and C(pi) itself: a maximum over policies of joint states, summed over "
            "|S|^N of them, is out of reach; the estimator used is not stated",
        ),
    ]


CLAIMS: tuple[AbstractClaim, ...] = (*_distances(), *_statements())
