"""Reading the factorial experiment on auctions out of results: outcomes at every point of the design, and effects."""

from typing import Any

import numpy as np

from catallax.lab.factorial import replicate_effects

from .auction_factors_design import design_of, groups, points_of, static_prices

WINDOWS = 50
"""Windows of a run over each of which the price is averaged."""
ORDER = 3
"""Interactions of up to so many factors are estimated."""
NEAR = 0.02
"""How near, in money, the price of a window must be to that of the last to count as settled."""


def windows(results: Any) -> np.ndarray:
    """Mean price of each window at each point, [replicate, point, window]; each cell is read once."""
    scale = results.scale_name
    parts: dict[int, np.ndarray] = {}
    for name, numbers in groups(scale).items():
        total = results.dataset(name)["revenue"]
        sums = total.isel(copy=0).transpose("replicate", "point", ...).values
        mean = np.diff(sums, axis=2, prepend=0.0) / total.attrs["every"]
        parts |= {number: mean[:, i] for i, number in enumerate(numbers)}
    return np.stack([parts[number] for number in range(len(points_of(scale)))], axis=1)


def same_bids(results: Any) -> np.ndarray:
    """1 where all bidders made the same bid in the last auction, [replicate, point]."""
    scale = results.scale_name
    parts: dict[int, np.ndarray] = {}
    for name, numbers in groups(scale).items():
        bid = results.dataset(name)["bid"].isel(copy=0)
        time = next(d for d in bid.dims if str(d).startswith("phase"))
        last = bid.isel({time: -1}).transpose("replicate", "point", "bidder").values
        alike = (np.ptp(last, axis=2) < 1e-9).astype(float)
        parts |= {number: alike[:, i] for i, number in enumerate(numbers)}
    return np.stack([parts[number] for number in range(len(points_of(scale)))], axis=1)


def outcomes(results: Any) -> dict[str, np.ndarray]:
    """Outcome -> values [replicate, point]."""
    path = windows(results)
    price = path[:, :, -1]
    apart = np.abs(path - price[:, :, None]) > NEAR
    last = np.where(apart.any(axis=2), path.shape[2] - apart[:, :, ::-1].argmax(axis=2), 0)
    return {
        "relative_price": price / static_prices(results.scale_name),
        "price": price,
        "settled": last / path.shape[2],
        "same_bid": same_bids(results),
    }


OUTCOMES = {
    "relative_price": "price over that of the lowest symmetric static equilibrium, last window",
    "price": "price, last window",
    "settled": f"share of the run until the price of a window stays within {NEAR} of the last",
    "same_bid": "share of runs in which all last bids are equal",
}
"""What each outcome is."""


def effect_of(term: tuple[str, ...], outcome: str = "price"):
    """The effect of a term in each replication."""

    def estimate(results: Any) -> np.ndarray:
        design = design_of(results.scale_name)
        kept = design.terms(ORDER)
        wanted = tuple(sorted(term, key=design.factors.index))
        return replicate_effects(design, outcomes(results)[outcome], kept)[:, kept.index(wanted)]

    return estimate
