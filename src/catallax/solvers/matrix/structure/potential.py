"""Potential games: recognising exact and weighted ones, and their potential."""

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn, idctn

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, Polymatrix, to_arrays
from catallax.solvers.matrix.host.null_space import positive_solution
from catallax.solvers.matrix.host.payoff_blocks import sizes, tolerance


class Term(NamedTuple):
    """A part of a potential that depends on the actions of some players."""

    players: tuple[int, ...]
    table: Float[np.ndarray, "*actions"]


class Potential(NamedTuple):
    """P with u_k(b, a_-k) - u_k(a) = w_k (P(b, a_-k) - P(a)) for every player, deviation and profile; mean 0."""

    weights: Float[np.ndarray, " n"]
    """w > 0; all 1 in an exact potential game, else the largest is 1."""
    terms: tuple[Term, ...]
    """P is their sum: one for each player and edge of a polymatrix game, else one over all players."""

    def at(self, profile: tuple[int, ...]) -> float:
        """P at one action for each player."""
        return float(sum(term.table[tuple(profile[k] for k in term.players)] for term in self.terms))

    def table(self) -> Float[np.ndarray, "*actions"]:
        """P at every profile; exponential in the players."""
        whole = np.zeros((1,) * len(self.weights))
        for term in self.terms:
            axes = [k for k in range(len(self.weights)) if k not in term.players]
            whole = whole + np.expand_dims(term.table, axes)
        return whole


def exact_potential(game: AbstractMatrixGame, tol: float | None = None) -> Potential:
    """The potential whose change is what a deviator gains: w = 1 for everybody.

    In a normal form it is the least-squares fit of P to the payoffs, each less its mean over the player's own actions;
    the game is a potential game when the fit is exact. A polymatrix game is one if and only if every edge is: the
    doubly centred A_kl and A_lk' are equal. Then P sums these over edges, and over players k and edges the centred row
    means of A_kl. That takes time linear in the edges.

    Args:
        tol: how far the fit may be off, in units of the largest payoff; None for 1e-9 (64-bit) or 1e-5 (32-bit).

    Raises:
        InputError: this is no exact potential game; the message says how far it is from one.

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
    """A potential up to one positive factor for each player; all 1 where that will do.

    With v = 1 / w, v_k u_k must have an exact potential. By the four-cycle condition that is linear in v: centred over
    both their actions, v_k u_k = v_l u_l for every pair of players (in polymatrix games, for every edge).

    Args:
        tol: how far the conditions may be off, in units of each player's largest payoff; None for 1e-9 (64-bit payoffs)
            or 1e-5 (32-bit).

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
    for axis in axes:
        table = table - table.mean(axis=axis, keepdims=True)
    return table


def _edges(game: Polymatrix) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """A_kl and A_lk' for each edge."""
    found = game.matrices()
    return {(k, m): (a, found[m, k].T) for (k, m), a in found.items() if k < m}


def _fit(game: AbstractMatrixGame, inverse: Float[np.ndarray, " n"]) -> tuple[Potential, float]:
    """The potential nearest to the payoffs times `inverse`, and by how much it misses their deviations."""
    if isinstance(game, Polymatrix):
        terms, gap = _fit_edges(game, inverse)
    else:
        terms, gap = _fit_table(game, inverse)
    return Potential(1.0 / inverse, terms), gap


def _fit_edges(game: Polymatrix, inverse: Float[np.ndarray, " n"]) -> tuple[tuple[Term, ...], float]:
    single = [np.zeros(count) for count in game.actions]
    terms, gap = [], 0.0
    for (k, m), (ours, theirs) in _edges(game).items():
        ours, theirs = inverse[k] * ours, inverse[m] * theirs
        single[k] += _centred(ours.mean(axis=1), 0)
        single[m] += _centred(theirs.mean(axis=0), 0)
        ours, theirs = _centred(ours, 0, 1), _centred(theirs, 0, 1)
        terms.append(Term((k, m), (ours + theirs) / 2))
        gap = max(gap, float(np.abs(ours - theirs).max()) / 2)
    return (*(Term((k,), s) for k, s in enumerate(single)), *terms), gap


def _fit_table(game: AbstractMatrixGame, inverse: Float[np.ndarray, " n"]) -> tuple[tuple[Term, ...], float]:
    """In a cosine basis centring over an action is dropping its constant, so the normal equations are diagonal."""
    own = [_centred(v * x, k) for k, (v, x) in enumerate(zip(inverse, to_arrays(game), strict=True))]
    moving = sum(np.indices(game.actions) > 0)
    waves: Any = dctn(sum(own), norm="ortho")
    potential: Any = idctn(waves / np.maximum(moving, 1), norm="ortho")
    gap = max(float(np.abs(x - _centred(potential, k)).max()) for k, x in enumerate(own))
    return (Term(tuple(range(game.players)), potential),), gap


def _cycles(game: AbstractMatrixGame) -> Float[np.ndarray, "conditions n"]:
    """Conditions on v: two rows for each pair, with the norms and angle of the two tables."""
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
