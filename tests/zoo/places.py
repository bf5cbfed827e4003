"""Where a piece can be tried: a rule with a seat that it fits, a measure with a dynamics that it can be taken of."""

from collections.abc import Callable
from typing import NamedTuple

from catallax.core import AbstractAgent, AbstractDynamics, AbstractGame, AbstractMeasure, Interface


class Seat(NamedTuple):
    """A rule with a seat that it fits: the game, the role, and how it sees and speaks there."""

    rule: Callable[[], AbstractAgent]
    game: Callable[[], AbstractGame]
    role: str = "buyer"
    interface: Callable[[], Interface] = Interface


class Watch(NamedTuple):
    """A measure with a dynamics that it can be taken of. These are shared, so name the function that makes them."""

    measure: Callable[[], AbstractMeasure]
    dynamics: Callable[[], AbstractDynamics]
    x64: bool = False


class Solver(NamedTuple):
    """A dynamics that `solve` brings to rest, with the tolerance that it meets."""

    dynamics: Callable[[], AbstractDynamics]
    tol: float
    x64: bool = False
