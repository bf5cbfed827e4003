"""Equilibrium selection: the Nash equilibrium to which logit equilibria lead as exploration vanishes."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import NumericalError
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.payoff_blocks import values_and_regrets

from .branch import Branch, trace_logit_branch


class Selection(NamedTuple):
    """The end of the principal branch."""

    policy: Float[np.ndarray, "n A"]
    regrets: Float[np.ndarray, " n"]
    """What each player's best reply would add; how far from a Nash equilibrium the end is."""
    temperature: float
    """s at the end."""
    branch: Branch
    """The way there, with the folds and bifurcations passed."""

    @property
    def exploitability(self) -> float:
        """The largest regret."""
        return float(self.regrets.max())


def select_by_vanishing_exploration(
    game: AbstractMatrixGame, ratios: Any = 1.0, *, coldest: float = 1e-9, points: int = 5000
) -> Selection:
    """The limit of the logit equilibria at T_k = s ratio_k on the principal branch as s falls to `coldest`.

    In weighted zero-sum games the equilibrium at every s is the only one, so this is also where Q-learning ends that
    cools slowly; which Nash equilibrium it selects may depend on the ratios. In other games the principal branch may
    fold or pass bifurcations: they stand in `branch.events`, and learners who cool may leave it there.

    Args:
        coldest: regrets at the end are at most about s ln A.

    Raises:
        InputError: a temperature or ratio that is not positive.
        NumericalError: the branch could not be followed so far.

    Source: McKelvey and Palfrey (1995), theorem 3, the limiting logit equilibrium; Leonardos, Piliouras and Spendlove
        (2021), section C.5.
    """
    branch = trace_logit_branch(game, coldest, ratios=ratios, points=points).require()
    ends = branch.at(coldest)
    if not len(ends):
        raise NumericalError(f"the branch did not reach temperature {coldest:g}; it ended {branch.status}")
    policy = ends[-1]
    return Selection(policy, values_and_regrets(game, policy)[1], coldest, branch)
