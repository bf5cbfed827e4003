"""What is said of Q-learners in auctions, as claims on our runs."""

from typing import Any

import numpy as np

from catallax.games.sealed_bid import lowest_symmetric_bid
from catallax.lab.claims import AbstractClaim, Direction, NotComparable, Value

from .auction_reading import last_bids, last_price
from .auction_settings import AFFILIATED, FAMILY

_ABSTRACT = "BanchioSkrzypacz2022, abstract"
_RETOLD = "BanchioSkrzypacz2022, as retold; the section is not known to us"
_RECALLED = (
    "19 bids, alpha, gamma, exploration and first values are recalled: the texts that we have do not print them; "
    "first values in [0, 100]"
)


def step_of(results: Any) -> float:
    """Distance of two bids."""
    return 1 / (results.settings.bids + 1)


def _against_nash(name: str):
    """Price less the lowest symmetric static equilibrium bid."""
    return lambda results: last_price(results, name) - lowest_symmetric_bid(2, step_of(results))


def _difference(one: str, other: str):
    return lambda results: last_price(results, one) - last_price(results, other)


def alike(results: Any, name: str) -> np.ndarray:
    """1 in each run whose two last bids are the same."""
    bids = last_bids(results, name)
    return (np.abs(bids[:, 0] - bids[:, 1]) < 1e-9).astype(float)


def _monotone(results: Any) -> np.ndarray:
    """Slope of the price in a over the family, of each run."""
    price = np.stack([last_price(results, name) for name in FAMILY])
    a = np.linspace(-0.5, 0.5, len(FAMILY))
    return a @ price / (a @ a)


def _inner_steps(results: Any) -> np.ndarray:
    """The step between neighbours of the family that is smallest on average, in each run."""
    price = np.stack([last_price(results, name) for name in FAMILY])
    steps = np.diff(price, axis=0)
    return steps[steps.mean(axis=1).argmin()]


def _affiliated(eta: float) -> Direction:
    return Direction(
        id=f"affiliated.eta_{eta:g}",
        source="RawatAuctions2023, abstract of the later version",
        statement="first-price auctions lead to lower seller revenues under affiliated values",
        sign=1,
        estimate=_difference(f"second_{eta:g}", f"first_{eta:g}"),
        note=f"price, second less first price, at eta = {eta:g}, two bidders; the levels of the source are not known",
        needs=("affiliated",),
    )


CLAIMS: tuple[AbstractClaim, ...] = (
    Direction(
        id="first_price.tacit_collusion",
        source=_ABSTRACT,
        statement="first-price auctions with no additional feedback lead to tacit-collusive outcomes",
        sign=-1,
        estimate=_against_nash("first"),
        note=f"price of the last 1000 auctions less the lowest static equilibrium bid, 0.90; {_RECALLED}",
    ),
    Direction(
        id="second_price.no_collusion",
        source=_ABSTRACT,
        statement="second-price auctions do not lead to tacit-collusive outcomes",
        sign=1,
        estimate=_difference("second", "first"),
        note=f"price, second less first price, same random numbers; {_RECALLED}",
    ),
    Value(
        id="second_price.static_nash",
        source=_RETOLD,
        statement="in second-price auctions bidders come to the static equilibrium, with high revenue",
        published=0.95,
        error=0.05,
        error_reason="one step of the grid; the bid in undominated strategies is its highest, 0.95",
        unit="price",
        estimate=lambda results: last_price(results, "second"),
        note=_RECALLED,
    ),
    Direction(
        id="feedback.more_competition",
        source=_ABSTRACT,
        statement="information about the lowest bid to win increases the competitiveness of first-price auctions",
        sign=1,
        estimate=_difference("first_revealed", "first"),
        note=f"all bids are updated by what they would have earned, expected over ties; {_RECALLED}",
    ),
    Value(
        id="feedback.static_nash",
        source=_RETOLD,
        statement="with the lowest bid to win revealed the first-price auction is competitive",
        published=0.925,
        error=0.025,
        error_reason="the symmetric static equilibria of the grid are 0.90 and 0.95",
        unit="price",
        estimate=lambda results: last_price(results, "first_revealed"),
        note=f"300,000 auctions; {_RECALLED}",
    ),
    Value(
        id="first_price.same_bid",
        source=_RETOLD,
        statement="both bidders end on the same bid",
        published=1.0,
        error=0.02,
        error_reason="a statement on all runs",
        unit="share of runs",
        estimate=lambda results: alike(results, "first"),
        note=_RECALLED,
    ),
    Direction(
        id="family.rising",
        source=_RETOLD,
        statement="between first and second price the price rises with the weight of the highest losing bid",
        sign=1,
        estimate=_monotone,
        note=f"slope of the price in a = 1, 1.25, ..., 2, in each run; {_RECALLED}",
    ),
    Direction(
        id="family.monotone",
        source=_RETOLD,
        statement="the price is monotone in the weight of the highest losing bid",
        sign=1,
        estimate=_inner_steps,
        note=f"the least of the four steps between neighbours; that it is monotone is our reading; {_RECALLED}",
    ),
    Direction(
        id="patience.needed",
        source="RawatAuctions2023, abstract of the later version",
        statement="tacit collusion is more possible with higher discount factors",
        sign=-1,
        estimate=_difference("first", "first_myopic"),
        note=f"price at gamma = 0.99 less that at gamma = 0; {_RECALLED}",
    ),
    *(_affiliated(eta) for eta in dict.fromkeys(s.affiliation for s in AFFILIATED) if eta is not None),
    NotComparable(
        id="distribution_of_bids",
        source="BanchioSkrzypacz2022, figures",
        statement="distributions of limit bids over about 1000 experiments",
        published=None,
        missing="the figures' numbers and the parameters, which the texts that we have do not print",
    ),
)
"""In the order of the source."""
