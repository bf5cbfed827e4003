"""Weighted zero-sum games: their weights and their pairwise form; interior Nash equilibria.

All functions take one concrete game and work in NumPy in double precision, whatever the dtype of its payoffs.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, Edge, Polymatrix, to_arrays
from catallax.solvers.matrix.host.payoff_blocks import scale_of, sizes, tolerance


class ZeroSumWeights(NamedTuple):
    """Weights w > 0 with sum_k w_k u_k(s) = c at every profile s."""

    weights: Float[np.ndarray, " n"]
    """The largest is 1."""
    unique: bool
    """Whether there are no other weights, up to scale."""
    constant: float = 0.0
    """c; 0 in a zero-sum game. No equilibrium and no learning flow depends on it."""


class PositiveSolution(NamedTuple):
    """A vector w > 0 with R w = 0, and whether it is the only one."""

    vector: Float[np.ndarray, " n"] | None
    """One solution, its largest entry 1; None if there is none."""
    unique: bool
    """Whether there is no other solution, up to scale."""
    gap: float
    """The smallest singular value of R."""


def zero_sum_weights(game: AbstractMatrixGame, tol: float | None = None) -> ZeroSumWeights:
    """Weights with which the game is zero-sum or constant-sum; of a polymatrix game in time polynomial in its edges.

    In a polymatrix game sum_k w_k u_k = 0 holds at all pure profiles if and only if three conditions hold, all linear
    in w: on every edge the doubly centred w_k A_kl + w_l A_lk' vanishes; for every player and action the centred row
    means of w_k A_kl and column means of w_l A_lk sum to 0 over the player's edges; and the grand means sum to 0. In
    other games every profile is a condition. If no weights make the sum vanish, those are looked for that make it the
    same everywhere: the last condition is then left out, and in other games each player's mean. A linear programme
    (HiGHS) finds a positive solution in their null space.

    In a game of several components the weights are usually not unique, because each component has its own scale.

    Args:
        tol: the largest error of a condition, in units of each player's largest payoff; None for 1e-9 (64-bit
            payoffs) or 1e-5 (32-bit).

    Raises:
        InputError: the game is neither weighted zero-sum nor constant-sum; the message gives the smallest singular
            value.

    Source: Cai, Candogan, Daskalakis and Papadimitriou (2016); conditions by decomposing payoffs into means.
    """
    rows = _conditions(game) if isinstance(game, Polymatrix) else np.stack(to_arrays(game), axis=-1)
    size, slack = sizes(game), tolerance(game, tol)
    rows = rows.reshape(-1, game.players)
    found, means = positive_solution(rows / size, slack), np.zeros(game.players)
    if found.vector is None:
        means = rows[-1] if isinstance(game, Polymatrix) else rows.mean(axis=0)
        rest = rows[:-1] if isinstance(game, Polymatrix) else rows - means
        found = positive_solution(rest / size, slack)
    if found.vector is None:
        raise InputError(
            "this game is not weighted zero-sum: no positive weights make sum_k w_k u_k the same at every profile "
            f"(smallest singular value of the conditions {found.gap:.3g}, payoffs of each player scaled to at most 1)"
        )
    weights = found.vector / size
    weights = weights / weights.max()
    return ZeroSumWeights(weights, found.unique, float(means @ weights))


def positive_solution(rows: Float[np.ndarray, "conditions n"], tol: float) -> PositiveSolution:
    """A positive vector w with R w = 0, if there is one.

    Args:
        rows: the conditions R, in units in which `tol` is small.
        tol: singular values up to tol sqrt(conditions n) count as zero, and |R w| up to n tol.
    """
    n = rows.shape[1]
    triangle = np.linalg.qr(np.concatenate([rows, np.zeros((n, n))]), mode="r")
    _, singular, right = np.linalg.svd(triangle)
    null = right[int((singular > tol * np.sqrt(rows.size)).sum()) :].T
    found = _positive(null)
    if found is not None and np.abs(rows @ found).max(initial=0.0) > tol * n:
        found = None
    return PositiveSolution(found, null.shape[1] == 1, float(singular[-1]))


def _positive(null: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"] | None:
    """A vector in the column space of `null` whose entries are all positive, the largest 1; None if there is none."""
    if null.shape[1] == 0:
        return None
    if null.shape[1] == 1:
        w = null[:, 0] * np.sign(null[:, 0].sum())
    else:
        found = linprog(null.sum(axis=0), A_ub=-null, b_ub=-np.ones(null.shape[0]), bounds=(None, None))
        if found.status != 0:
            return None
        w = null @ found.x
    return w / w.max() if w.min() > 1e-9 * np.abs(w).max() else None


def _conditions(game: Polymatrix) -> Float[np.ndarray, "conditions n"]:
    """The matrix R of a polymatrix game: R w = 0 if and only if w are zero-sum weights."""
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
    """A matrix less its row means and its column means: the part that depends on both actions together."""
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
    """The payoff-equivalent game in which every edge is constant-sum: Bhat_kl + Bhat_lk' = c_kl.

    With B_kl = w_k A_kl, C_kl = B_kl + B_lk' and f_kl(a) = mean of row a of C_kl - mean of C_kl, the matrices are
    Bhat_kl[a, b] = B_kl[a, b] - f_kl(a). The payoff of player k at every profile is w_k times its payoff in `game`.

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
    """The Nash equilibrium in which every player mixes over all its actions, if there is exactly one.

    It solves the linear system r_k(x)(a) = v_k for all actions a, sum_a x_k(a) = 1.

    Args:
        tol: the largest error of the system, in units of the largest payoff; None for 1e-9 (64-bit) or 1e-5 (32-bit).

    Raises:
        InputError: no interior point solves the system, or more than one does; or the game is a normal form.
    """
    game = _network("interior_equilibrium", game)
    tol = tolerance(game, tol)
    legal = game.legal
    n, width = legal.shape
    payoff = np.asarray(game.matrix(), float).reshape(n * width, n * width)
    whose = np.repeat(np.eye(n), width, axis=0)
    some = legal.reshape(-1)
    pay, whose = payoff[some][:, some] / scale_of(game), whose[some]  # scaled, as the system has entries 1 too
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
