"""Exact and weighted potential games: tests whether a game is one, and its potential."""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn, idctn

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, Polymatrix, to_arrays
from catallax.solvers.matrix.host.payoff_blocks import sizes, tolerance

from .zero_sum import positive_solution


class PotentialTerm(NamedTuple):
    """A part of a potential: it depends on the actions of some players only."""

    players: tuple[int, ...]
    table: Float[np.ndarray, "*actions"]


class Potential(NamedTuple):
    """A function P, of mean 0, with u_k(b, a_-k) - u_k(a) = w_k (P(b, a_-k) - P(a)) for every player k."""

    weights: Float[np.ndarray, " n"]
    """w > 0; all are 1 in an exact potential game, else the largest is 1."""
    terms: tuple[PotentialTerm, ...]
    """P is the sum of these: one for each player and each edge of a polymatrix game, else one over all players."""

    def at(self, profile: tuple[int, ...]) -> float:
        """P at a profile, which is one action for each player."""
        return float(sum(term.table[tuple(profile[k] for k in term.players)] for term in self.terms))

    def table(self) -> Float[np.ndarray, "*actions"]:
        """P at every profile; its size is exponential in the number of players."""
        whole = np.zeros((1,) * len(self.weights))
        for term in self.terms:
            axes = [k for k in range(len(self.weights)) if k not in term.players]
            whole = whole + np.expand_dims(term.table, axes)
        return whole


def exact_potential(game: AbstractMatrixGame, tol: float | None = None) -> Potential:
    """The exact potential P, whose change is what a deviating player gains (all w_k = 1).

    Normal form: P is fitted by least squares to the payoffs, each centred over the player's own actions; the game is an
    exact potential game if the fit is exact. Polymatrix game: the game is an exact potential game if and only if the
    doubly centred A_kl and A_lk' are equal on every edge. P is then the sum of these matrices over the edges, and
    of the centred row means of A_kl over players k and their edges. The time is linear in the edges.

    Args:
        tol: the largest error of the fit, in units of the largest payoff; None for 1e-9 (64-bit) or 1e-5 (32-bit).

    Raises:
        InputError: the game is no exact potential game; the message says how far it is from one.

    Source: Monderer and Shapley (1996); the fit is that of Candogan, Menache, Ozdaglar and Parrilo (2011) with each
        player's deviations weighted equally.
    """
    relative = tolerance(game, tol)
    weights = np.ones(game.players)
    found, gap = _fit(game, weights)
    if gap > relative * sizes(game).max():
        raise InputError(
            f"this is no exact potential game: the nearest potential misses gains from deviating by up to {gap:.3g}; "
            "weighted_potential may still find one"
        )
    return found


def weighted_potential(game: AbstractMatrixGame, tol: float | None = None) -> Potential:
    """A weighted potential, with one weight w_k > 0 for each player; all are 1 if the game has an exact potential.

    With v = 1 / w, the payoffs v_k u_k must have an exact potential. By the four-cycle condition this is linear in v:
    for every pair of players (every edge of a polymatrix game), v_k u_k and v_l u_l are equal after both are centred
    over the actions of k and of l.

    Args:
        tol: the largest error of the conditions, in units of each player's largest payoff; None for 1e-9 (64-bit
            payoffs) or 1e-5 (32-bit).

    Raises:
        InputError: there are no such weights.

    Source: Monderer and Shapley (1996).
    """
    relative, size = tolerance(game, tol), sizes(game)
    found, gap = _fit(game, np.ones(game.players))
    if gap <= relative * size.min():
        return found
    scaled = positive_solution(_cycles(game) / size, relative).vector
    if scaled is not None:
        v = scaled / size
        found, gap = _fit(game, v / v.min())
        if gap <= relative * game.players / v.min():
            return found
    raise InputError(
        "this is no weighted potential game: no positive factors give all players' deviations one potential"
    )


def _centred(table: np.ndarray, *axes: int) -> np.ndarray:
    """The table less its means over each of the axes in turn."""
    for axis in axes:
        table = table - table.mean(axis=axis, keepdims=True)
    return table


def _edges(game: Polymatrix) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """The pair (A_kl, A_lk') for each edge (k, l), k < l."""
    found = game.matrices()
    return {(k, m): (a, found[m, k].T) for (k, m), a in found.items() if k < m}


def _fit(game: AbstractMatrixGame, inverse: Float[np.ndarray, " n"]) -> tuple[Potential, float]:
    """The potential nearest to the payoffs times `inverse` = 1 / w, and the largest error of a deviator's gain."""
    if isinstance(game, Polymatrix):
        terms, gap = _fit_edges(game, inverse)
    else:
        terms, gap = _fit_table(game, inverse)
    return Potential(1.0 / inverse, terms), gap


def _fit_edges(game: Polymatrix, inverse: Float[np.ndarray, " n"]) -> tuple[tuple[PotentialTerm, ...], float]:
    """`_fit` of a polymatrix game, edge by edge."""
    single = [np.zeros(count) for count in game.actions]
    terms, gap = [], 0.0
    for (k, m), (ours, theirs) in _edges(game).items():
        ours, theirs = inverse[k] * ours, inverse[m] * theirs
        single[k] += _centred(ours.mean(axis=1), 0)
        single[m] += _centred(theirs.mean(axis=0), 0)
        ours, theirs = _centred(ours, 0, 1), _centred(theirs, 0, 1)
        terms.append(PotentialTerm((k, m), (ours + theirs) / 2))
        gap = max(gap, float(np.abs(ours - theirs).max()) / 2)
    return (*(PotentialTerm((k,), s) for k, s in enumerate(single)), *terms), gap


def _fit_table(game: AbstractMatrixGame, inverse: Float[np.ndarray, " n"]) -> tuple[tuple[PotentialTerm, ...], float]:
    """`_fit` of a normal form.

    In a cosine basis, centring over an action drops the constant component, so the normal equations are diagonal.
    """
    own = [_centred(v * x, k) for k, (v, x) in enumerate(zip(inverse, to_arrays(game), strict=True))]
    moving = sum(np.indices(game.actions) > 0)
    waves: Any = dctn(sum(own), norm="ortho")
    potential: Any = idctn(waves / np.maximum(moving, 1), norm="ortho")
    gap = max(float(np.abs(x - _centred(potential, k)).max()) for k, x in enumerate(own))
    return (PotentialTerm(tuple(range(game.players)), potential),), gap


def _cycles(game: AbstractMatrixGame) -> Float[np.ndarray, "conditions n"]:
    """The linear conditions on v = 1 / w: two rows for each pair, the triangular factor of the two centred tables."""
    rows = []
    if isinstance(game, Polymatrix):
        tables = {pair: (*both, (0, 1)) for pair, both in _edges(game).items()}
    else:
        whole = to_arrays(game)
        tables = {(k, m): (whole[k], whole[m], (k, m)) for k, m in combinations(range(game.players), 2)}
    for (k, m), (ours, theirs, axes) in tables.items():
        both = np.stack([_centred(ours, *axes).reshape(-1), -_centred(theirs, *axes).reshape(-1)], axis=1)
        row = np.zeros((2, game.players))
        row[:, [k, m]] = np.linalg.qr(np.concatenate([both, np.zeros((2, 2))]), mode="r")
        rows.append(row)
    return np.concatenate(rows)
