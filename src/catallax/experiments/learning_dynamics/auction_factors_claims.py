"""What is said of the causes of collusion in auctions with Q-learners, as claims on the factorial experiment."""

from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value

from .auction_factors_design import design_of, groups
from .auction_factors_reading import effect_of, outcomes

_FIRST = "RawatAuctions2023, abstract of 2023"
_LATER = "RawatAuctions2023, abstract of the later version"
_THIRD = "RawatAuctions2026, as retold; the page is not known to us"
_MEANING = {"price": "the price", "settled": "the share of the run until the price has settled"}
_LEVELS = "ours is an effect over our ten factors and levels, which are not those of the source: its are not printed"


def _size(term: tuple[str, ...], against: tuple[str, ...]):
    """How much larger the one effect on the price is than the other, each with the sign of its mean taken off."""

    def estimate(results: Any) -> np.ndarray:
        one, other = (effect_of(t)(results) for t in (term, against))
        return one * np.sign(one.mean()) - other * np.sign(other.mean())

    return estimate


def _discount(results: Any) -> np.ndarray:
    """Value less price in first-price auctions, mean over the design."""
    first = design_of(results.scale_name).column(("format",)) < 0
    return 1.0 - outcomes(results)["price"][:, first].mean(axis=1)


def _below_static(results: Any) -> np.ndarray:
    """Relative price less 1 in first-price auctions, mean over the design."""
    first = design_of(results.scale_name).column(("format",)) < 0
    return outcomes(results)["relative_price"][:, first].mean(axis=1) - 1.0


def _effect(
    name: str, source: str, term: tuple[str, ...], sign: Any, statement: str, outcome: str = "price"
) -> Direction:
    return Direction(
        needs=tuple(groups("paper"))[-1:] if set(term) & {"information", "bids"} else (),
        id=name,
        source=source,
        statement=statement,
        sign=sign,
        estimate=effect_of(term, outcome),
        note=f"effect of {' x '.join(term)} on {_MEANING[outcome]}; {_LEVELS}",
    )


CLAIMS: tuple[AbstractClaim, ...] = (
    _effect("format.price", _LATER, ("format",), 1, "first-price auctions lead to lower seller revenues"),
    _effect("format.settled", _LATER, ("format",), -1, "first-price auctions converge more slowly", "settled"),
    _effect("bidders.price", _LATER, ("bidders",), 1, "tacit collusion is more possible with fewer bidders"),
    _effect("alpha.price", _LATER, ("alpha",), 1, "tacit collusion is more possible with lower learning rates"),
    _effect("gamma.price", _LATER, ("gamma",), -1, "tacit collusion is more possible with higher discount factors"),
    _effect("format.bidders", _FIRST, ("format", "bidders"), -1, "payment rules matter even more with few bidders"),
    _effect(
        "format.gamma", _FIRST, ("format", "gamma"), 1, "payment rules matter even more with high discount factors"
    ),
    _effect(
        "format.update", _FIRST, ("format", "update"), -1, "payment rules matter even more with asynchronous learning"
    ),
    _effect("format.bids", _FIRST, ("format", "bids"), -1, "payment rules matter even more with coarse bid spaces"),
    Value(
        id="first_price.discount",
        source=_FIRST,
        statement="in first-price auctions winning bids average roughly 20% below the true values",
        published=0.2,
        error=0.05,
        error_reason="'roughly 20%'",
        unit="share of the value",
        estimate=_discount,
        note=f"all points with first price; on so coarse grids static equilibria alone lie 5 to 20% below; {_LEVELS}",
    ),
    Direction(
        id="first_price.suppression",
        source=_FIRST,
        statement="the first-price auction is susceptible to coordinated bid suppression",
        sign=-1,
        estimate=_below_static,
        note=f"price over the lowest symmetric static equilibrium, less 1, all points with first price; {_LEVELS}",
    ),
    Direction(
        id="bidders.over_format",
        source=_THIRD,
        statement="the number of bidders matters most",
        sign=1,
        estimate=_size(("bidders",), ("format",)),
        note=f"size of the effect on the price less that of the auction format; {_LEVELS}",
    ),
    Direction(
        id="gamma.over_format",
        source=_THIRD,
        statement="the discount factor is the second most important factor",
        sign=1,
        estimate=_size(("gamma",), ("format",)),
        note=f"size of the effect on the price less that of the auction format; {_LEVELS}",
    ),
    Direction(
        id="update.over_format",
        source=_THIRD,
        statement="the mode of updating is the third most important factor",
        sign=1,
        estimate=_size(("update",), ("format",)),
        note=f"size of the effect on the price less that of the auction format; {_LEVELS}",
    ),
    Value(
        id="format.none",
        source=_THIRD,
        statement="no significant main effect of the auction format on end-state revenue with constant values",
        published=0.0,
        error=0.01,
        error_reason="one hundredth of the value, ours: what is small enough to be called none is not said",
        unit="price",
        estimate=effect_of(("format",)),
        note=f"it contradicts the two abstracts of the same author; {_LEVELS}",
    ),
    NotComparable(
        id="affiliated_values",
        source=_LATER,
        statement="first price lowers seller revenues under affiliated values and under optimal exploration too",
        published=None,
        missing="bandits (UCB, linear contextual) in auctions, and the levels of the design with affiliated values",
    ),
)
"""In the order of the sources."""
