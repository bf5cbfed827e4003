"""The settings of the auctions with Q-learners, and what an independent program found in them.

The program is a scalar loop in C of ours, with other random numbers. Its figures are derived, not published: they are
set beside the library's in a table and are no claims.
"""

from typing import NamedTuple


class Found(NamedTuple):
    """The price, averaged over the last 1000 auctions, over independent runs."""

    mean: float
    error: float | None = None
    """Standard error of the mean."""


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    label: str
    rule: float
    """a: the winner pays (2 - a) own bid + (a - 1) highest losing bid."""
    low: float
    high: float
    """First values are uniform between the two."""
    patient: bool = True
    """Whether the discount is the experiment's, else 0."""
    found: Found | None = None
    affiliation: float | None = None
    """eta of `AffiliatedValues`; None for a unit worth 1 to both."""


ASYNCHRONOUS = (
    Setting("first", "first price, Q0 in [0, 100]", 1.0, 0, 100, True, Found(0.221, 0.006)),
    Setting("first_high", "first price, Q0 in [50, 100]", 1.0, 50, 100, True, Found(0.226, 0.006)),
    Setting("first_same", "first price, Q0 = 100", 1.0, 100, 100, True, Found(0.224, 0.005)),
    Setting("second", "second price, Q0 in [0, 100]", 2.0, 0, 100, True, Found(0.950, 0.0)),
    Setting("second_high", "second price, Q0 in [50, 100]", 2.0, 50, 100, True, Found(0.944, 0.004)),
    Setting("first_myopic", "first price, gamma = 0", 1.0, 0, 100, False, Found(0.947, 0.004)),
    Setting("first_zero", "first price, Q0 = 0", 1.0, 0, 0, True, Found(0.111, 0.021)),
    Setting("between_25", "a = 1.25", 1.25, 0, 100),
    Setting("between_50", "a = 1.5", 1.5, 0, 100),
    Setting("between_75", "a = 1.75", 1.75, 0, 100),
)
"""Bidders learn from the bid they made. 19 bids 0.05, ..., 0.95 of a unit worth 1."""

SYNCHRONOUS = (
    Setting("first_revealed", "first price, all bids updated", 1.0, 0, 100, True, Found(0.912, 0.002)),
    Setting("second_revealed", "second price, all bids updated", 2.0, 0, 100, True, Found(0.950, 0.0)),
)
"""Bidders learn from all bids."""

VALUE_IN_GRID = (
    Setting("first_value", "first price, the value among the bids", 1.0, 0, 20, True, Found(0.303, 0.014)),
    Setting("second_value", "second price, the value among the bids", 2.0, 0, 20, True, Found(0.500, 0.0)),
)
"""11 bids 0, 0.1, ..., 1 of a unit worth 1, alpha = 0.1, gamma = 0.95; first values in [0, 1 / (1 - gamma)]: ours."""

VALUE_REVEALED = (Setting("first_value_revealed", "the same, all bids updated", 1.0, 0, 20, True, Found(0.821)),)
"""The same with all bids updated."""

SIGNALS = 11
"""Signals that a bidder tells apart where values are affiliated."""

AFFILIATED = tuple(
    Setting(f"{name}_{eta:g}", f"{name} price, eta = {eta:g}", rule, 0, 100, True, None, eta)
    for eta in (0.0, 0.5, 1.0)
    for name, rule in (("first", 1.0), ("second", 2.0))
)
"""Bidders see a signal of their own in every auction, and keep values for each signal."""

GROUPS: dict[str, tuple[Setting, ...]] = {
    "asynchronous": ASYNCHRONOUS,
    "synchronous": SYNCHRONOUS,
    "value_in_grid": VALUE_IN_GRID,
    "value_revealed": VALUE_REVEALED,
    "affiliated": AFFILIATED,
}
"""The cells of the experiment: what each runs side by side."""

FAMILY = ("first", "between_25", "between_50", "between_75", "second")
"""From first to second price."""
