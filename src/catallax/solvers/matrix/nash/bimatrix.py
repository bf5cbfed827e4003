"""Nash equilibria of two-player games; every result is verified by its regrets.

Two of the methods use Nashpy, which is imported only when they are called, because it imports networkx.
"""

from itertools import combinations, islice, product
from typing import Any

import numpy as np

from catallax.core import EnvironmentFailure, InputError, NumericalError
from catallax.games.matrix import AbstractMatrixGame, check_game, to_bimatrix
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.payoff_blocks import bounds

from .equilibria import NashEquilibria, pure_nash, verified

_MOST_PIVOTS = 10_000
"""The largest number of steps along one Lemke-Howson path; rounding can make a path run in a circle."""
_BATCH = 20_000
"""The number of pairs of supports that are solved at the same time."""
_DEGENERATE = "The game is degenerate:"


def lemke_howson(game: AbstractMatrixGame, *, every_label: bool = False, tol: float | None = None) -> NashEquilibria:
    """Equilibria at the ends of Lemke-Howson paths, which start by dropping a label (an action of either player).

    In floating point a path may overflow or end at a point that is no equilibrium, even in nondegenerate games; this is
    more frequent with more actions. So labels are tried in turn until the end of a path is an equilibrium by its
    regrets. If a player has a single action, the result is all pure equilibria.

    Args:
        every_label: whether all labels are tried and all different ends are returned. Some equilibria are no such end.
        tol: the largest regret allowed, in units of the spread of payoffs; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game has not two players.
        NumericalError: no label led to an equilibrium.
        EnvironmentFailure: Nashpy is not installed.

    Source: Lemke and Howson (1964), lexicographic rule; Nashpy: Knight and Campbell (2018).
    """
    first, second = _rescaled(game, "lemke_howson")
    if min(game.actions) == 1:
        return _with_degeneracy(game, pure_nash(game, tol=tol), tol)
    ends, failed = [], []
    for label in range(sum(game.actions)):
        end = _path(first, second, label)
        found = verified(game, [] if end is None else [_policy(game, *end)], tol)
        if len(found.policies) == 0:
            failed.append(label)
        else:
            ends.append(found.policy)
            if not every_label:
                break
    if not ends:
        raise NumericalError(
            f"lemke_howson: none of the {len(failed)} paths led to an equilibrium in floating point; try "
            "support_enumeration or vertex_enumeration if the game is small, or fewer actions (eliminate_dominated)"
        )
    warning = f"Labels {failed} led to no equilibrium in floating point." if failed else ""
    return _with_degeneracy(game, verified(game, ends, tol, warning), tol)


def support_enumeration(game: AbstractMatrixGame, *, most: int = 20, tol: float | None = None) -> NashEquilibria:
    """All equilibria of a nondegenerate game: it solves the indifference conditions of all pairs of equal supports.

    In degenerate games it misses equilibria; use `vertex_enumeration` there. The warning says so if an even number of
    equilibria was found, or if an equilibrium shows that the game is degenerate. Not every degenerate game is noticed.

    Args:
        most: the largest total number of actions of both players; ten actions each make 184,755 pairs of supports.
        tol: the largest regret allowed, in units of the spread of payoffs; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game has not two players, or too many actions.

    Source: Dickhaut and Kaplan (1993).
    Differs: Nashpy's function of this name is not used. It rejects zeros that rounding has made negative, and so misses
        equilibria of most random games with five actions.
    """
    first, second = _rescaled(game, "support_enumeration", most)
    rows, columns = first.shape
    candidates: list[np.ndarray] = []
    for size in range(1, min(rows, columns) + 1):
        pairs = product(combinations(range(rows), size), combinations(range(columns), size))
        while batch := list(islice(pairs, _BATCH)):
            candidates += _indifferent(first, second, np.asarray(batch, dtype=int), game.width)
    found = verified(game, candidates, tol)._replace(warning="")  # most candidates are no equilibria, as they should be
    if len(found.policies) % 2 == 0:
        even = f"{_DEGENERATE} an even number of equilibria was found, so some are missing; use vertex_enumeration."
        return found._replace(warning=even)
    return _with_degeneracy(game, found, tol)


def _indifferent(first: np.ndarray, second: np.ndarray, supports: np.ndarray, width: int) -> list[np.ndarray]:
    """The policies at which both players are indifferent over their supports, for pairs that have exactly one.

    Args:
        supports: actions of both players, [pairs, 2, size].
    """
    i, j = supports[:, 0], supports[:, 1]
    parts, alive = [], np.ones(len(supports), dtype=bool)
    for block in (first[i[:, :, None], j[:, None]], second[i[:, None], j[:, :, None]]):
        count, size = block.shape[:2]
        system = np.zeros((count, size + 1, size + 1))
        system[:, :size, :size], system[:, :size, size], system[:, size, :size] = block, -1.0, 1.0
        alive &= np.linalg.slogdet(system).sign != 0
        system[~alive] = np.eye(size + 1)
        solved = np.linalg.solve(system, np.append(np.zeros(size), 1.0)[None, :, None])[:, :size, 0]
        parts.append(solved)
    y, x = parts
    alive &= (x > 0).all(axis=1) & (y > 0).all(axis=1)
    policies = np.zeros((int(alive.sum()), 2, width))
    np.put_along_axis(policies[:, 0], i[alive], x[alive], axis=1)
    np.put_along_axis(policies[:, 1], j[alive], y[alive], axis=1)
    return list(policies)


def vertex_enumeration(game: AbstractMatrixGame, *, most: int = 20, tol: float | None = None) -> NashEquilibria:
    """All extreme equilibria, from pairs of vertices of the two best-response polytopes.

    A nondegenerate game has no other equilibria. In a degenerate game some mixtures of extreme equilibria are
    equilibria too, and the warning says so. If a player has a single action, the result is all pure equilibria.

    Args:
        most: the largest total number of actions of both players, at most 62; the time grows exponentially with it.
        tol: the largest regret allowed, in units of the spread of payoffs; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game has not two players, or too many actions.
        NumericalError: the polytopes are too flat for floating point.
        EnvironmentFailure: Nashpy is not installed.

    Source: Mangasarian (1964); Nashpy: Knight and Campbell (2018).
    """
    first, second = _rescaled(game, "vertex_enumeration", most)
    if min(game.actions) == 1:
        return _with_degeneracy(game, pure_nash(game, tol=tol), tol)
    _nashpy()
    from nashpy.polytope import build_halfspaces, non_trivial_vertices
    from scipy.spatial import QhullError  # imported here, because it is slow to import

    try:  # payoffs lie between 1 and 3, so that the polytopes are bounded
        ours = list(non_trivial_vertices(build_halfspaces(second.T + 1)))
        theirs = list(non_trivial_vertices(build_halfspaces(first + 1)))
    except QhullError as why:
        reason = str(why).splitlines()[0]
        raise NumericalError(f"vertex_enumeration: the polytopes could not be enumerated ({reason})") from None
    rows, total = first.shape[0], sum(first.shape)
    mine = np.asarray([sum(1 << (int(label) + rows) % total for label in labels) for _, labels in ours])
    other = np.asarray([sum(1 << int(label) for label in labels) for _, labels in theirs])
    pairs = [(i, j) for i, labels in enumerate(mine) for j in np.flatnonzero(labels | other == (1 << total) - 1)]
    candidates = [_policy(game, ours[i][0] / ours[i][0].sum(), theirs[j][0] / theirs[j][0].sum()) for i, j in pairs]
    return _with_degeneracy(game, verified(game, candidates, tol), tol)


def _nashpy() -> Any:
    """The package, or an error that says how to install it."""
    try:
        import nashpy
    except ImportError:
        raise EnvironmentFailure("this needs the package nashpy: pip install nashpy") from None
    return nashpy


def _rescaled(game: AbstractMatrixGame, who: str, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Both matrices with player 0's actions as rows, shifted so that the least entry is 0 and scaled to below 2.

    The scale is a power of two, so that integers stay exact. Neither shift nor scale changes the equilibria.
    """
    check_game(game)
    if game.players != 2:
        raise InputError(
            f"{who}: this algorithm is for two players, the game has {game.players}; use zero_sum_nash if it is "
            "weighted zero-sum, pure_nash, or logit_equilibrium at a low temperature"
        )
    if most is not None and sum(game.actions) > most:
        raise InputError(
            f"{who}: {sum(game.actions)} actions together are more than {most}, and time grows exponentially; use "
            f"lemke_howson for one equilibrium, eliminate_dominated first, or give most={sum(game.actions)}"
        )
    shifted = [x - x.min() for x in to_bimatrix(game)]
    first, second = (np.ldexp(x, 1 - np.frexp(x.max())[1]) for x in shifted)
    return first, second


def _path(first: np.ndarray, second: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The end of one Lemke-Howson path on Nashpy's lexicographic tableaus; None if rounding errors break the path.

    `nashpy.Game.lemke_howson` does the same, but it does not stop where rounding makes the path run in a circle.
    """
    _nashpy()
    from nashpy.linalg import create_col_tableau, create_row_tableau

    column, row = create_col_tableau(first, True), create_row_tableau(second, True)
    labels = column.labels
    turn = [row, column] if label in row.non_basic_variables else [column, row]
    try:
        with np.errstate(over="raise", divide="ignore", invalid="ignore", under="ignore"):
            entering = label
            for step in range(_MOST_PIVOTS):
                entering = turn[step % 2].pivot_and_drop_label(entering)
                if column.non_basic_variables | row.non_basic_variables == labels:
                    x = row.to_strategy(column.non_basic_variables)
                    y = column.to_strategy(row.non_basic_variables)
                    fits = x.shape == first.shape[:1] and y.shape == first.shape[1:]
                    return (x, y) if fits and np.isfinite(x).all() and np.isfinite(y).all() else None
    except (FloatingPointError, KeyError, ValueError):
        return None  # an overflow, or inconsistent labels after rounding
    return None


def _policy(game: AbstractMatrixGame, x: Any, y: Any) -> np.ndarray:
    """The two mixed strategies as one policy, [2, A]."""
    policy = np.zeros((2, game.width))
    policy[0, : len(x)], policy[1, : len(y)] = x, y
    return policy


def _with_degeneracy(game: AbstractMatrixGame, found: NashEquilibria, tol: float | None) -> NashEquilibria:
    """Adds a warning if a player has more best replies than the other has actions in its support.

    This happens in degenerate games only.
    """
    slack, concrete = bounds(game, tol)[:, None], concrete_game(game)
    for policy in found.policies:
        rewards = np.where(game.legal, concrete.rewards(policy), -np.inf)
        best = (rewards >= rewards.max(axis=1, keepdims=True) - slack).sum(axis=1)
        support = (policy > 1e-9).sum(axis=1)
        if best[0] > support[1] or best[1] > support[0]:
            more = f"{_DEGENERATE} there may be more equilibria, in particular between those found."
            return found._replace(warning=f"{found.warning} {more}".strip())
    return found
