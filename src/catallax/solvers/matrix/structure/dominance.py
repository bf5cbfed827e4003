"""Actions dominated by pure or mixed strategies, and their iterated elimination."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linprog

from catallax.core import InputError, NumericalError
from catallax.games.matrix import AbstractMatrixGame, check_game, restricted
from catallax.solvers.matrix.host.payoff_blocks import blocks, bounds


class Reduction(NamedTuple):
    """The result of iterated elimination: what is left of the game, and which actions were eliminated when."""

    game: AbstractMatrixGame
    kept: tuple[tuple[int, ...], ...]
    """The surviving actions of each player k: action i of the reduced game is action kept[k][i] of the original."""
    rounds: tuple[tuple[tuple[int, int], ...], ...]
    """The actions eliminated in each round, as (player, action of the original game)."""

    def lift(self, policy: Float[np.ndarray, "n a"], width: int) -> Float[np.ndarray, "n A"]:
        """A policy of the reduced game as a policy of the original, whose largest number of actions is `width`."""
        whole = np.zeros((len(self.kept), width))
        for k, names in enumerate(self.kept):
            whole[k, list(names)] = np.asarray(policy)[k, : len(names)]
        return whole


def dominated_actions(
    game: AbstractMatrixGame, *, strict: bool = True, mixed: bool = True, tol: float | None = None
) -> Bool[np.ndarray, "n A"]:
    """Which actions are dominated by another strategy of the same player, strictly or weakly.

    A strategy dominates an action strictly if it earns more at every profile of the others; weakly if it never earns
    less, and more at one profile. In polymatrix games the time is polynomial in the edges, because the worst case is
    found on each edge separately.

    Args:
        strict: True for strict dominance, False for weak dominance.
        mixed: whether mixed strategies may dominate too; each action then needs a linear programme (HiGHS).
        tol: differences up to tol times the spread of payoffs count as none; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: `tol` is negative.
        NumericalError: a linear programme was not solved.
    """
    slacks = bounds(game, tol)
    found = np.zeros((game.players, game.width), dtype=bool)
    for k, own in enumerate(blocks(game)):
        tables, slack = [part.table.reshape(game.actions[k], -1) for part in own], float(slacks[k])
        for a in range(game.actions[k]):
            found[k, a] = _by_pure(tables, a, strict, slack) or (mixed and _by_mixed(tables, a, strict, slack))
    return found


def eliminate_dominated(
    game: AbstractMatrixGame, *, strict: bool = True, mixed: bool = True, tol: float | None = None
) -> Reduction:
    """Iterated elimination: in each round the dominated actions of all players are removed at the same time.

    Strict elimination keeps every Nash equilibrium, and its result does not depend on the order of elimination. Weak
    elimination may lose equilibria, and its result depends on the order.

    Args:
        strict, mixed, tol: as in `dominated_actions`.

    Raises:
        InputError: `tol` is negative, or so small that rounding makes all actions of a player look dominated.
        NumericalError: a linear programme was not solved.
    """
    check_game(game)
    kept = tuple(tuple(range(count)) for count in game.actions)
    rounds, left = [], game
    while True:
        gone = dominated_actions(left, strict=strict, mixed=mixed, tol=tol)
        if not gone.any():
            return Reduction(left, kept, tuple(rounds))
        rounds.append(tuple((k, kept[k][a]) for k, a in np.argwhere(gone).tolist()))
        stay = [[a for a in range(count) if not gone[k, a]] for k, count in enumerate(left.actions)]
        if not all(stay):
            raise InputError(f"eliminate_dominated: tol {tol:g} is below the rounding of these payoffs; raise it")
        left = restricted(left, stay)
        kept = tuple(tuple(names[a] for a in rest) for names, rest in zip(kept, stay, strict=True))


def _by_pure(tables: list[np.ndarray], a: int, strict: bool, slack: float) -> bool:
    """Whether another action dominates action a; least and largest gains of the whole are sums over the blocks."""
    least = np.sum([(x - x[a]).min(axis=1) for x in tables], axis=0)
    if strict:
        return bool((least > slack).any())
    most = np.sum([(x - x[a]).max(axis=1) for x in tables], axis=0)
    return bool(((least >= -slack) & (most > slack)).any())


def _by_mixed(tables: list[np.ndarray], a: int, strict: bool, slack: float) -> bool:
    """Whether a mixture s of the other actions dominates action a.

    t_i is the least gain of s in block i. The programme maximises sum_i t_i (strict), or the mean gain subject to
    sum_i t_i >= 0 (weak).
    """
    count, parts = tables[0].shape[0], len(tables)
    if count < 3:  # a mixture of one other action is a pure strategy
        return False
    scale = max(float(np.ptp(x)) for x in tables) or 1.0
    gains = [np.delete(x - x[a], a, axis=0) / scale for x in tables]
    # variables: s (count - 1), t (parts); rows: t_i <= sum_b s_b gain_i[b, c]
    upper = np.concatenate([np.hstack([-g.T, np.tile(np.eye(parts)[i], (g.shape[1], 1))]) for i, g in enumerate(gains)])
    limit = np.zeros(len(upper))
    together = np.concatenate([np.zeros(count - 1), np.ones(parts)])
    if strict:
        aim = together
    else:
        aim = np.concatenate([np.sum([g.mean(axis=1) for g in gains], axis=0), np.zeros(parts)])
        upper, limit = np.vstack([upper, -together]), np.append(limit, 0.0)
    found = linprog(
        -aim,
        A_ub=upper,
        b_ub=limit,
        A_eq=np.concatenate([np.ones(count - 1), np.zeros(parts)])[None],
        b_eq=[1.0],
        bounds=[(0, None)] * (count - 1) + [(None, None)] * parts,
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status == 2 and not strict:  # infeasible: every mixture earns less at some profile
        return False
    if found.status != 0:
        raise NumericalError(f"dominance: the linear programme of an action was not solved ({found.message})")
    return bool(-found.fun * scale > slack)
