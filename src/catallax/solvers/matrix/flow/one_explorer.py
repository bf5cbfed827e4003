"""Two players with two actions, one of whom explores: the threshold at which the other goes to the boundary."""

from math import inf
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit

from catallax.core import InputError, check_number
from catallax.games.matrix import AbstractMatrixGame, check_game
from catallax.solvers.matrix.host.game import concrete_game

from .rest_points import RestKind

_HALF = 1e-12
"""So near to 1/2 an equilibrium of rounded payoffs counts as there."""


class OneExplorer(NamedTuple):
    """A 2x2 game with an interior Nash equilibrium around which play cycles, and who explores.

    With x the other player's P(first action) and y the explorer's, at the explorer's temperature T,

        dx/dt = x (1 - x) alpha (y - y*),  dy/dt = y (1 - y) [beta (x - x*) - T logit y],  alpha beta < 0.
    """

    explorer: int
    alpha: float
    """a11 - a12 - a21 + a22 of the other player's payoffs, its own action the row."""
    beta: float
    """The same of the explorer's payoffs."""
    other_nash: float
    """x*, which leaves the explorer indifferent."""
    explorer_nash: float
    """y*, which leaves the other indifferent."""

    @property
    def abandoned(self) -> int | None:
        """The action that the other player gives up above the threshold; None if there is no threshold."""
        if abs(self.explorer_nash - 0.5) <= _HALF:
            return None
        return int(self.explorer_nash < 0.5 if self.beta < 0 else self.explorer_nash > 0.5)

    @property
    def critical(self) -> float:
        """T_c: below it the rest point is interior, above it on the boundary; inf where y* = 1/2.

        x = x* + (T / beta) logit y* reaches 1 or 0 there.
        """
        if self.abandoned is None:
            return inf
        return float((self.abandoned - self.other_nash) * self.beta / logit(self.explorer_nash))

    def kind(self, temperature: Any) -> RestKind:
        """INTERIOR below the threshold (at T = 0 the Nash equilibrium, a centre), BOUNDARY from it on.

        Raises:
            InputError: a temperature that is negative or not finite.
        """
        check_number("OneExplorer", "temperature", temperature, "[0, inf)")
        return RestKind.INTERIOR if temperature < self.critical else RestKind.BOUNDARY

    def rest_point(self, temperature: Any) -> Float[np.ndarray, "2 2"]:
        """The rest point, which attracts every interior start if T > 0.

        Below the threshold the explorer is at its own Nash mixture and the other has moved: y = y*,
        x = x* + (T / beta) logit y*. From it on x is 1 or 0 and y = 1 / (1 + exp(-beta (x - x*) / T)), a logit
        response that tends to 1/2.

        Raises:
            InputError: a temperature that is negative or not finite.
        """
        if self.kind(temperature) == RestKind.INTERIOR:
            y = self.explorer_nash
            x = self.other_nash + temperature / self.beta * float(logit(y))
        else:
            x = float(self.abandoned or 0)
            y = float(expit(self.beta * (x - self.other_nash) / temperature))
        first = np.array([x, y] if self.explorer == 1 else [y, x])
        return np.stack([first, 1 - first], axis=1)


def one_explorer(game: AbstractMatrixGame, explorer: Any) -> OneExplorer:
    """What happens when only one of two players explores, in any 2x2 game that cycles around an interior equilibrium.

    Either player may be the explorer, and actions may be named in either order: no signs are assumed.

    Raises:
        InputError: not two players with two actions, no such player, no interior Nash equilibrium, or one that is a
            saddle (both players want to match, or both to mismatch): then play does not cycle, and exploration leads to
            one of several rest points (see `rest_point` and `basins`).

    Source: Leonardos, Piliouras and Spendlove (2021), proposition C.1.
    Differs: stated there for one order of roles and actions; the temperature by our derivation.
    """
    check_game(game)
    if tuple(game.actions) != (2, 2):
        raise InputError(f"one_explorer: two players with two actions are needed, this game has actions {game.actions}")
    if isinstance(explorer, bool) or not isinstance(explorer, int | np.integer) or explorer not in (0, 1):
        raise InputError(f"one_explorer: explorer is player 0 or 1, got {explorer!r}")
    slope = concrete_game(game).derivative(np.full((2, 2), 0.5))
    alpha, y = _indifferent(slope[1 - explorer, :, explorer])
    beta, x = _indifferent(slope[explorer, :, 1 - explorer])
    if not (0 < x < 1 and 0 < y < 1):
        raise InputError("one_explorer: this game has no interior Nash equilibrium")
    if alpha * beta > 0:
        raise InputError(
            "one_explorer: the interior equilibrium of this game is a saddle (both match or both mismatch), play does "
            "not cycle; use rest_point or basins"
        )
    return OneExplorer(int(explorer), alpha, beta, x, y)


def _indifferent(own: Any) -> tuple[float, float]:
    """a11 - a12 - a21 + a22 of an own-row matrix, and where the rival must play for its owner to be indifferent."""
    slope = float(own[0, 0] - own[0, 1] - own[1, 0] + own[1, 1])
    return slope, float(own[1, 1] - own[0, 1]) / slope if slope else inf
