"""Who sits where in a tournament: line-ups of rules, balanced so that all of them get the same tokens.

All line-ups are played with the same tokens and random numbers (`Play.copies_per_draw`), so what matters is that over
the line-ups of a comparison every rule sits in the same seats equally often. Seats are numbered buyers first.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from catallax.core import InputError

CIRCLES = 6
"""Random circles of rules in the free-for-all."""
_SEED = 1990  # of the circles: part of the design, not of a run


class LineUps(NamedTuple):
    """The markets of a tournament of N rules. All but `table` hold numbers of columns of `table`."""

    table: Int[np.ndarray, "seats markets"]
    """The number of the rule in each seat."""
    alone: Int[np.ndarray, " N"]
    """All seats hold rule i: the control."""
    pairs: Int[np.ndarray, "N N 2"]
    """[i, j, h]: on each side rule i holds the seats 2k + h, rule j the others; i = j is `alone`."""
    intruders: Int[np.ndarray, "N N 2"]
    """[i, j, side]: rule i holds the first seat of the side, rule j all others; i = j is `alone`."""
    field: Int[np.ndarray, " F"]
    """Free-for-all: over these every rule sits in every seat `CIRCLES` times."""


def half(buyers: int, sellers: int) -> Int[np.ndarray, " seats"]:
    """The half (0 or 1) that each seat belongs to when two rules share a market: alternating on each side."""
    return np.concatenate([np.arange(buyers), np.arange(sellers)]) % 2


def line_ups(rules: int, buyers: int, sellers: int, *, intruders: bool = True) -> LineUps:
    """All line-ups of a tournament.

    Pairs: two rules share a market half and half, and every market is replayed with the two exchanged. Intruders: one
    seat among others of one kind, once on each side. Free-for-all, the design of 1990: the rules stand in a circle in
    random order, seat k takes the k-th of them, and the market is replayed with the circle turned by one until each
    rule has sat in each seat; so for several circles. With fewer rules than seats a rule sits several times at once.

    Args:
        rules: N, at least 2.
        buyers, sellers: seats of each side, at least 2.
        intruders: whether they are played; they are more than half of all markets. `LineUps.intruders` then names the
            markets without any.

    Raises:
        InputError: too few rules or seats.

    Source: Rust, Miller and Palmer (1992, 1994) replayed each draw of tokens with every program in every seat.
    """
    if rules < 2:
        raise InputError(f"a tournament needs at least 2 traders, got {rules}")
    for side, n in (("buyers", buyers), ("sellers", sellers)):
        if n < 2:
            raise InputError(
                f"a tournament needs at least 2 {side}, so that two traders can share a side; the market has {n}"
            )
    seats, columns = buyers + sellers, []

    def add(column: np.ndarray) -> int:
        columns.append(column)
        return len(columns) - 1

    alone = np.array([add(np.full(seats, i)) for i in range(rules)])
    pairs, lonely = (np.tile(alone[:, None, None], (1, rules, 2)) for _ in range(2))
    halves, first = half(buyers, sellers), (0, buyers)
    for i in range(rules):
        for j in range(rules):
            if i < j:
                for h in (0, 1):
                    pairs[i, j, h] = pairs[j, i, 1 - h] = add(np.where(halves == h, i, j))
            if i != j and intruders:
                for side in (0, 1):
                    lonely[i, j, side] = add(np.where(np.arange(seats) == first[side], i, j))
    circles = np.random.default_rng(_SEED)
    field = []
    for _ in range(CIRCLES):
        circle = circles.permutation(rules)
        field += [add(circle[(np.arange(seats) + turn) % rules]) for turn in range(rules)]
    return LineUps(np.stack(columns, axis=1), alone, pairs, lonely, np.array(field))
