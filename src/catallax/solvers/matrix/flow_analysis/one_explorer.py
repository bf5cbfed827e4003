"""2x2 games in which one player explores: the temperature above which the other player stops mixing."""

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
"""An equilibrium probability counts as 1/2 if it differs by at most this, because payoffs are rounded."""


class OneExplorer(NamedTuple):
    """A 2x2 game with an interior Nash equilibrium around which play cycles, one of whose players explores.

    Let x be P(first action) of the other player and y that of the explorer. At the explorer's temperature T,

        dx/dt = x (1 - x) alpha (y - y*),  dy/dt = y (1 - y) [beta (x - x*) - T logit y],  alpha beta < 0.
    """

    explorer: int
    alpha: float
    """a11 - a12 - a21 + a22 of the other player's payoffs, whose rows are its own actions."""
    beta: float
    """The same number of the explorer's payoffs."""
    other_nash: float
    """x*, which makes the explorer indifferent."""
    explorer_nash: float
    """y*, which makes the other player indifferent."""

    @property
    def abandoned(self) -> int | None:
        """The action that the other player gives up above the critical temperature; None if there is none."""
        if abs(self.explorer_nash - 0.5) <= _HALF:
            return None
        return int(self.explorer_nash < 0.5 if self.beta < 0 else self.explorer_nash > 0.5)

    @property
    def critical(self) -> float:
        """T_c: the rest point is interior below it and on the boundary above it; it is inf if y* = 1/2.

        At T_c, x = x* + (T / beta) logit y* reaches 1 or 0.
        """
        if self.abandoned is None:
            return inf
        return float((self.abandoned - self.other_nash) * self.beta / logit(self.explorer_nash))

    def kind(self, temperature: Any) -> RestKind:
        """INTERIOR below the critical temperature (at T = 0 the Nash equilibrium, a centre), else BOUNDARY.

        Raises:
            InputError: the temperature is negative or not finite.
        """
        check_number("OneExplorer", "temperature", temperature, "[0, inf)")
        return RestKind.INTERIOR if temperature < self.critical else RestKind.BOUNDARY

    def rest_point(self, temperature: Any) -> Float[np.ndarray, "2 2"]:
        """The rest point, [2, 2], which attracts every interior start if T > 0.

        Below T_c the explorer plays its own Nash mixture, y = y*, and the other player x = x* + (T / beta) logit y*.
        From T_c on, x is 1 or 0 and y = 1 / (1 + exp(-beta (x - x*) / T)), a logit response that tends to 1/2.

        Raises:
            InputError: the temperature is negative or not finite.
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
    """The analysis of a 2x2 game that cycles around an interior equilibrium, if only one player explores.

    Either player may be the explorer, and no signs of the payoffs are assumed.

    Args:
        explorer: the player who explores, 0 or 1.

    Raises:
        InputError: the game has not two players with two actions, there is no such player, or there is no interior Nash
            equilibrium; or the equilibrium is a saddle (both players want to match, or both to mismatch). Then play
            does not cycle, and exploration leads to one of several rest points (see `rest_point` and `basins`).

    Source: Leonardos, Piliouras and Spendlove (2021), proposition C.1.
    Differs: the source states it for one order of roles and actions; the critical temperature is our derivation.
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
    """a11 - a12 - a21 + a22 of an own-row matrix, and the rival's P(first action) that makes its owner indifferent."""
    slope = float(own[0, 0] - own[0, 1] - own[1, 0] + own[1, 1])
    return slope, float(own[1, 1] - own[0, 1]) / slope if slope else inf
