"""What is printed of the social outcomes of karma, and what independent solutions give, as claims."""

from collections.abc import Callable
from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Baseline, Direction, NotComparable, Value, printed_error

from .reading import at_rest, settled

TABLE = "Vaishampayan2024, table 6.1"
FIGURE = "Vaishampayan2024, figure 6.1"
_OBSERVATIONS = 200 * 10_000
"""Player-steps behind a printed efficiency."""
_SPREAD = 0.05
"""Relative standard error of a standard deviation over 200 players: 1 / sqrt(2 x 200)."""

Estimate = Callable[[Any], np.ndarray]


def _settled(cell: str, variable: str) -> Estimate:
    return lambda results: settled(results, cell, variable)


def _rational(rule: str, gamma: float) -> Estimate:
    return lambda results: at_rest(results, f"rational_{rule}", "efficiency", gamma)


def _less(one: Estimate, other: Estimate) -> Estimate:
    return lambda results: one(results) - other(results)


_COIN = Baseline("COIN", -1.49, _settled("coin", "efficiency"))


def _efficiency(id: str, what: str, published: float, digit: float, sd: float, estimate: Estimate, note: str) -> Value:
    error, reason = printed_error(last_digit=digit, sd=sd, observations=_OBSERVATIONS)
    return Value(
        id=f"efficiency.{id}",
        source=TABLE,
        statement=f"efficiency of {what}",
        published=published,
        error=error,
        error_reason=reason,
        unit="reward per step",
        estimate=estimate,
        note=note,
        baseline=None if id == "coin" else _COIN,
    )


def _fairness(cell: str, variable: str, published: float, digit: float) -> Value:
    error = 2 * _SPREAD * abs(published) + digit / 2
    return Value(
        id=f"{variable}.{cell}",
        source=TABLE,
        statement=f"{variable.replace('_', ' ')} of {cell.upper()} over 10,000 steps",
        published=published,
        error=error,
        error_reason="2 standard errors of an SD over 200 players (5% each) and half a unit of the last digit",
        unit="1" if variable == "access_fairness" else "reward per step",
        estimate=_settled(cell, variable),
    )


PRINTED = (
    _efficiency(
        "coin", "COIN", -1.49, 0.01, 2.06, _settled("coin", "efficiency"), "in closed form -1.5; digits look cut off"
    ),
    _efficiency("dict", "DICT", -1.00, 0.01, 1.58, _settled("dict", "efficiency"), "in closed form -1"),
    _efficiency(
        "mean_field",
        "mean-field play, PBS, gamma 0.98",
        -1.012,
        0.001,
        1.3,
        _rational("pbs", 0.98),
        "printed: 200 players with the mean-field policy; ours: infinitely many, beta 1000. SD a step of 1.3 from the "
        "printed reward fairness",
    ),
    _efficiency(
        "learners",
        "learners, PBS, gamma 0.98",
        -1.033,
        0.001,
        1.44,
        _settled("learners", "efficiency"),
        "printed: learnt tables played on, at a temperature that is not stated; ours: while learning, beta 5. Between "
        "beta 5 and 20 the same tables give between -1.061 and -1.026",
    ),
    _fairness("coin", "reward_fairness", -0.021, 0.001),
    _fairness("dict", "reward_fairness", -0.0152, 0.0001),
    _fairness("coin", "access_fairness", -0.0051, 0.0001),
    _fairness("dict", "access_fairness", -0.0049, 0.0001),
)
"""The printed table."""


def _independent(rule: str, gamma: float, value: float) -> Value:
    return Value(
        id=f"independent.{rule}.{gamma:g}",
        source="an independent NumPy solver of the same fixed point (beta 1000), unpublished",
        statement=f"mean-field efficiency under {rule.upper()}, gamma {gamma:g}",
        published=value,
        error=0.0015,
        error_reason="half a unit of the last digit, and 0.001 for equilibria within 0.001 of exploitability",
        unit="reward per step",
        estimate=_rational(rule, gamma),
    )


INDEPENDENT = tuple(
    _independent(rule, gamma, value)
    for rule, row in {
        "pbp": {0.0: -1.5, 0.5: -1.318, 0.8: -1.175, 0.98: -1.0477},
        "pbs": {0.0: -1.5, 0.5: -1.269, 0.8: -1.087, 0.98: -1.0111},
    }.items()
    for gamma, value in row.items()
)
"""Mean-field values from a second implementation."""


def _direction(id: str, source: str, statement: str, estimate: Estimate) -> Direction:
    return Direction(id=id, source=source, statement=statement, sign=1, estimate=estimate)


OTHERS: tuple[AbstractClaim, ...] = (
    Value(
        id="learners_at_the_mean_field",
        source="the logit mean field of the same game (cell 'field')",
        statement="200 learners come to rest where the mean field does: difference of efficiencies",
        published=0.0,
        error=0.003,
        error_reason="200 players are not infinitely many, and a constant learning rate leaves noise in the tables",
        unit="reward per step",
        estimate=_less(_settled("learners", "efficiency"), lambda results: at_rest(results, "field", "efficiency")),
    ),
    _direction(
        "patience.pbp",
        FIGURE,
        "efficiency rises with the discount under PBP (0.98 less 0)",
        _less(_rational("pbp", 0.98), _rational("pbp", 0.0)),
    ),
    _direction(
        "patience.pbs",
        FIGURE,
        "efficiency rises with the discount under PBS (0.98 less 0)",
        _less(_rational("pbs", 0.98), _rational("pbs", 0.0)),
    ),
    _direction(
        "society_above_peer",
        FIGURE,
        "PBS is more efficient than PBP at discount 0.98",
        _less(_rational("pbs", 0.98), _rational("pbp", 0.98)),
    ),
    _direction(
        "learners_above_coin",
        TABLE,
        "learners are more efficient than a coin",
        _less(_settled("learners", "efficiency"), _settled("coin", "efficiency")),
    ),
    _direction(
        "dictator_above_learners",
        TABLE,
        "no learner does better than the dictator",
        _less(_settled("dict", "efficiency"), _settled("learners", "efficiency")),
    ),
    NotComparable(
        id="fairness.learners",
        source=TABLE,
        statement="reward fairness -0.0144 and access fairness -0.0042 of learners over 10,000 steps",
        published="-0.0144, -0.0042",
        missing="a stage of 10,000 steps with the learnt tables frozen, and the temperature at which they were played",
    ),
    NotComparable(
        id="turn",
        source=TABLE,
        statement="TURN: fewer past accesses win; efficiency -1.50, reward fairness -0.018, access fairness -0.0001",
        published="-1.50, -0.018, -0.0001",
        missing="an allocation by past accesses; under independent urgency its reward fairness would be -0.0141",
    ),
)
"""Learners against the mean field, and what the figure says."""

CLAIMS: tuple[AbstractClaim, ...] = (*PRINTED, *INDEPENDENT, *OTHERS)
