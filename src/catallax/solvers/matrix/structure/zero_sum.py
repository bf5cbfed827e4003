"""Weighted zero-sum games: recognising them, their weights, their pairwise form; interior Nash equilibria.

Functions of one concrete game, on the host, in double precision whatever the game's dtype.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, Edge, Polymatrix, to_arrays
from catallax.solvers.matrix.host.null_space import positive_solution
from catallax.solvers.matrix.host.payoff_blocks import scale_of, sizes, tolerance


class Weights(NamedTuple):
    """The weights w > 0 with sum_k w_k u_k(s) = 0 at every profile s."""

    weights: Float[np.ndarray, " n"]
    """The largest is 1."""
    unique: bool
    """Whether they are the only ones up to scale."""


def zero_sum_weights(game: AbstractMatrixGame, tol: float | None = None) -> Weights:
    """Recognises a weighted zero-sum game; in a polymatrix game in time polynomial in its edges.

    There, sum_k w_k u_k = 0 at all pure profiles holds if and only if, linear in w: on every edge the doubly centred
    w_k A_kl + w_l A_lk' vanishes; for every player and action the centred row means of w_k A_kl plus column means of
    w_l A_lk sum to 0 over its edges; and the grand means sum to 0. In other games every profile is a condition. A
    linear programme (HiGHS) finds a positive solution in the null space of the conditions.

    In a game of several components weights are not unique as a rule: each component has a scale of its own.

    Args:
        tol: how far a condition may be from zero, in units of each player's largest payoff; None for 1e-9 (64-bit
            payoffs) or 1e-5 (32-bit).

    Raises:
        InputError: the game is not weighted zero-sum; the message says how far off the nearest weights are.

    Source: Cai, Candogan, Daskalakis and Papadimitriou (2016); conditions by decomposing payoffs into means.
    """
    rows = _conditions(game) if isinstance(game, Polymatrix) else np.stack(to_arrays(game), axis=-1)
    size = sizes(game)
    found = positive_solution(rows.reshape(-1, game.players) / size, tolerance(game, tol))
    if found.vector is None:
        raise InputError(
            "this game is not weighted zero-sum: no positive weights make sum_k w_k u_k vanish at every profile "
            f"(smallest singular value of the conditions {found.gap:.3g}, payoffs of each player scaled to at most 1)"
        )
    weights = found.vector / size
    return Weights(weights / weights.max(), found.unique)


def _conditions(game: Polymatrix) -> Float[np.ndarray, "conditions n"]:
    """The matrix R with R w = 0 exactly for zero-sum weights."""
    n = game.players
    blocks, means = [], np.zeros((1, n))
    single = np.zeros((n, game.width, n))
    matrices = game.matrices()
    for (k, m), own in matrices.items():
        rows, columns, mean = own.mean(axis=1), own.mean(axis=0), own.mean()
        means[0, k] += mean
        single[k, : game.actions[k], k] += rows - mean
        single[m, : game.actions[m], k] += columns - mean
        if k < m:
            theirs = matrices[m, k].T
            block = np.zeros((*own.shape, n))
            block[..., k] = doubly_centred(own)
            block[..., m] = doubly_centred(theirs)
            blocks.append(block.reshape(-1, n))
    return np.concatenate([*blocks, single.reshape(-1, n), means])


def doubly_centred(a: Float[np.ndarray, "i j"]) -> Float[np.ndarray, "i j"]:
    """A matrix less its row means and its column means: what depends on both actions together."""
    return a - a.mean(axis=0) - a.mean(axis=1)[:, None] + a.mean()


def _network(who: str, game: AbstractMatrixGame) -> Polymatrix:
    """The game; raises `InputError` unless its payoffs are given edge by edge."""
    if not isinstance(game, Polymatrix):
        raise InputError(
            f"{who}: payoffs are needed edge by edge, so give a Polymatrix; of a normal form of two players "
            "from_bimatrix(*to_bimatrix(game)) makes one"
        )
    return game


def pairwise_constant_sum(game: AbstractMatrixGame) -> Polymatrix:
    """The payoff-equivalent game whose every edge is constant-sum, payoffs weighted: Bhat_kl + Bhat_lk' = c_kl.

    With B_kl = w_k A_kl, C_kl = B_kl + B_lk' and f_kl(a) = mean of row a of C_kl - mean of C_kl:
    Bhat_kl[a, b] = B_kl[a, b] - f_kl(a). Player k's payoff at every profile is w_k times that of `game`.

    Raises:
        InputError: the game is not weighted zero-sum, or a normal form.

    Source: Cai, Candogan, Daskalakis and Papadimitriou (2016), payoff equivalence.
    Differs: written with row means, not anchored at one row and column.
    """
    game = _network("pairwise_constant_sum", game)
    w = zero_sum_weights(game).weights
    edges, matrices = [], game.matrices()
    for k, m in matrices:
        if k < m:
            ours, theirs = w[k] * matrices[k, m], w[m] * matrices[m, k]
            together = ours + theirs.T
            edges.append(
                Edge(
                    k,
                    m,
                    ours - (together.mean(axis=1) - together.mean())[:, None],
                    theirs - (together.mean(axis=0) - together.mean())[:, None],
                )
            )
    return Polymatrix(edges)


def interior_equilibrium(game: AbstractMatrixGame, tol: float | None = None) -> Float[np.ndarray, "n A"]:
    """The Nash equilibrium at which every player mixes over all its actions, if there is exactly one.

    All actions of a player earn the same: r_k(x)(a) = v_k, sum_a x_k(a) = 1, a linear system.

    Raises:
        InputError: no interior point solves it, or more than one does; or a normal form.
    """
    game = _network("interior_equilibrium", game)
    tol = tolerance(game, tol)
    legal = game.legal
    n, width = legal.shape
    payoff = np.asarray(game.matrix(), float).reshape(n * width, n * width)
    whose = np.repeat(np.eye(n), width, axis=0)
    some = legal.reshape(-1)
    pay, whose = payoff[some][:, some] / scale_of(game), whose[some]  # beside ones: their unit must not matter
    system = np.block([[pay, -whose], [whose.T, np.zeros((n, n))]])
    target = np.concatenate([np.zeros(some.sum()), np.ones(n)])
    found, _, rank, _ = np.linalg.lstsq(system, target, rcond=None)
    x = found[: some.sum()]
    if np.abs(system @ found - target).max() > tol or (rank == len(found) and x.min() <= tol):
        raise InputError("this game has no interior Nash equilibrium: some player cannot be made indifferent")
    if rank < len(found) and np.abs(np.linalg.svd(system)[2][rank:, : some.sum()]).max() > 1e-6:
        raise InputError(
            "the players of this game are indifferent at more than one point; no interior point is singled out"
        )
    policy = np.zeros(n * width)
    policy[some] = x
    return policy.reshape(n, width)
