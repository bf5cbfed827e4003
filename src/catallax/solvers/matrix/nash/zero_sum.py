"""Nash equilibria of zero-sum games with any number of players, by one linear programme."""

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from catallax.core import NumericalError
from catallax.games.matrix import AbstractMatrixGame, Polymatrix, as_polymatrix, check_game
from catallax.solvers.matrix.host.inputs import weights_on_host
from catallax.solvers.matrix.host.payoff_blocks import scale_of
from catallax.solvers.matrix.structure.zero_sum import zero_sum_weights

from .equilibria import NashEquilibria, verified


def zero_sum_nash(game: AbstractMatrixGame, *, weights: Any = None, tol: float | None = None) -> NashEquilibria:
    """A Nash equilibrium of a weighted zero-sum polymatrix game, or of a two-player zero-sum game in any form.

    Constant-sum games are solved too: a constant moves no equilibrium.

    The programme is min sum_k w_k v_k subject to v_k >= r_k(x)(a) for all players k and actions a, with x_k in the
    simplex (HiGHS, dual simplex). As sum_k w_k u_k = 0, its value is at least 0, and 0 exactly at Nash equilibria. The
    time is polynomial in the edges.

    If there are several equilibria the result is some vertex of their convex set, so compare policies by
    `largest_regret`. The limit of logit equilibria at vanishing temperature is usually another point of this set. The
    values of the game are unique for two players; with more players they may differ between equilibria.

    Args:
        weights: w, [n], if they are known; None to find them with `zero_sum_weights`.
        tol: the largest regret allowed, in units of the spread of payoffs; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game is not weighted zero-sum or constant-sum; or it is a normal form of more than two players,
            whose rewards are not linear in the policies.
        NumericalError: the programme was not solved to the tolerance.

    Source: Cai, Candogan, Daskalakis and Papadimitriou (2016); Daskalakis and Papadimitriou (2009).
    """
    check_game(game)
    network = as_polymatrix(game)
    w = zero_sum_weights(network, tol).weights if weights is None else weights_on_host(game, weights)
    found = verified(game, [_programme(network, w)], tol)
    if len(found.policies) == 0:
        raise NumericalError(
            f"zero_sum_nash: the linear programme gave no equilibrium. {found.warning} Weights with which the game is "
            "not zero-sum do that too"
        )
    return found


def _programme(game: Polymatrix, weights: np.ndarray) -> np.ndarray:
    """The policy that solves the programme. Variables are all probabilities, then all v; payoffs are scaled to 1."""
    counts = np.asarray(game.actions)
    start = np.concatenate([[0], np.cumsum(counts)])
    size, n, scale = int(start[-1]), game.players, scale_of(game)
    owner = np.repeat(np.arange(n), counts)
    rows, columns, entries = [np.arange(size)], [size + owner], [-np.ones(size)]
    for (k, m), table in game.matrices().items():
        block = table / scale
        i, j = np.indices(block.shape)
        rows.append(start[k] + i.reshape(-1))
        columns.append(start[m] + j.reshape(-1))
        entries.append(block.reshape(-1))
    place = (np.concatenate(rows), np.concatenate(columns))
    found = linprog(
        np.concatenate([np.zeros(size), weights / weights.max()]),
        A_ub=coo_array((np.concatenate(entries), place), shape=(size, size + n)).tocsr(),
        b_ub=np.zeros(size),
        A_eq=coo_array((np.ones(size), (owner, np.arange(size))), shape=(n, size + n)).tocsr(),
        b_eq=np.ones(n),
        bounds=[(0, None)] * size + [(None, None)] * n,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status != 0:
        raise NumericalError(f"zero_sum_nash: the linear programme was not solved ({found.message})")
    policy = np.zeros((n, game.width))
    policy[owner, np.concatenate([np.arange(c) for c in counts])] = found.x[:size]
    return policy
