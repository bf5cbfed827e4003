"""Equilibrium selection: the Nash equilibrium that logit equilibria approach as exploration vanishes."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import NumericalError
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game

from .branch import Branch, trace_logit_branch


class Selection(NamedTuple):
    """The end of the principal branch of logit equilibria."""

    policy: Float[np.ndarray, "n A"]
    regrets: Float[np.ndarray, " n"]
    """How much more each player's best reply would earn: how far the end is from a Nash equilibrium."""
    temperature: float
    """s at the end."""
    branch: Branch
    """The whole branch, with its folds and bifurcations."""

    @property
    def largest_regret(self) -> float:
        """The largest regret of any player, in payoff units."""
        return float(self.regrets.max())


def select_by_vanishing_exploration(
    game: AbstractMatrixGame, ratios: Any = 1.0, *, lowest: float = 1e-9, points: int = 5000
) -> Selection:
    """The logit equilibrium at T_k = s ratio_k at the end of the principal branch, as s falls to `lowest`.

    In weighted zero-sum games the equilibrium at every s is unique, so Q-learning whose temperatures fall slowly ends
    there too; which Nash equilibrium is selected may depend on the ratios. In other games the principal branch may fold
    or pass bifurcations, which are listed in `branch.events`; learners may leave the branch there.

    Args:
        ratios: r_k > 0: one number or [n].
        lowest: s at the end; regrets there are at most about s ln A.
        points: the largest number of points of the branch.

    Raises:
        InputError: a temperature or ratio is not positive.
        NumericalError: the branch could not be followed to `lowest`.

    Source: McKelvey and Palfrey (1995), theorem 3, the limiting logit equilibrium; Leonardos, Piliouras and Spendlove
        (2021), section C.5.
    """
    branch = trace_logit_branch(game, lowest, ratios=ratios, points=points).require()
    ends = branch.at(lowest)
    if not len(ends):
        raise NumericalError(f"the branch did not reach temperature {lowest:g}; it ended {branch.status}")
    policy = ends[-1]
    return Selection(policy, concrete_game(game).values_and_regrets(policy)[1], lowest, branch)
