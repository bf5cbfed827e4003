"""Forgone payoffs: what a game shows to learners that learn from every action, not only from the one they took."""

from typing import NamedTuple

from jaxtyping import Array, Bool, Float, Int


class Forgone(NamedTuple):
    """What a seat sees where the payoff of each own action in the last tick is revealed, given what the others did."""

    payoff: Float[Array, "*seats A"]
    """What each own action would have earned in the last tick; 0 before anything was played."""
    played: Bool[Array, "*seats"]
    """Whether there was a last tick."""


class ForgoneInState(NamedTuple):
    """The same where a seat is also in one of finitely many states: the payoffs are those of the state before."""

    payoff: Float[Array, "*seats A"]
    """What each own action would have earned in the last tick; 0 before anything was played."""
    played: Bool[Array, "*seats"]
    """Whether there was a last tick."""
    state: Int[Array, "*seats"]
    """The number of the state in which the seat decides now."""
