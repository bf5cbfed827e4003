"""Correlated and coarse correlated equilibria: distributions over profiles that nobody gains by leaving."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from catallax.core import InputError, NumericalError
from catallax.core.checks import as_host_numbers
from catallax.games.matrix import AbstractMatrixGame, to_arrays


class CorrelatedEquilibrium(NamedTuple):
    """A distribution over the profiles of a game; NumPy arrays in double precision."""

    distribution: Float[np.ndarray, "*actions"]
    """Probability of each profile, player 0's action first."""
    values: Float[np.ndarray, " n"]
    """What each player earns."""
    regret: float
    """The most that a player gains by leaving, in units of the spread of the player's payoffs."""


def correlated_equilibrium(
    game: AbstractMatrixGame, weights: Any = None, *, coarse: bool = False
) -> CorrelatedEquilibrium:
    """A correlated equilibrium with the largest weighted sum of payoffs, by a linear programme (HiGHS).

    A mediator draws a profile s from the distribution p and tells each player its own part. Nobody gains by playing b
    where a was told:

        sum over s with s_k = a of p(s) [u_k(b, s_-k) - u_k(s)] <= 0   for all players k and actions a, b.

    In a coarse correlated equilibrium a player decides before anything is told: the condition is the sum over a. The
    empirical play of regret matchers ends among these.

    Args:
        game: any game in matrix form that can be written out.
        weights: weight of each player's payoff [n], any signs; None for the sum of all payoffs, each in units of the
            player's spread.
        coarse: whether a player cannot react to what it is told.

    Raises:
        InputError: the game has too many profiles, or weights that are not one finite number for each player.
        NumericalError: the linear programme found no solution, although there always is one.

    Source: Aumann (1974, 1987); coarse: Moulin and Vial (1978).
    """
    tables = _centred(game)
    chosen = np.ones(game.players) if weights is None else as_host_numbers("correlated_equilibrium", "weights", weights)
    if chosen.shape != (game.players,) or not np.isfinite(chosen).all():
        raise InputError(f"weights must be {game.players} finite numbers, one for each player, got {chosen.tolist()}")
    if weights is not None:
        chosen = chosen * _spreads(game)
        chosen = chosen / max(np.abs(chosen).max(), np.finfo(float).tiny)
    gains = np.concatenate([_gains(table, k, coarse) for k, table in enumerate(tables)])
    profiles = int(np.prod(game.actions))
    objective = -np.tensordot(chosen, np.stack(tables), axes=1).ravel()
    found = linprog(
        objective, A_ub=gains, b_ub=np.zeros(len(gains)), A_eq=np.ones((1, profiles)), b_eq=[1.0], bounds=(0, None)
    )
    if found.status != 0:
        raise NumericalError(f"correlated_equilibrium: the linear programme ended without a solution: {found.message}")
    p = np.maximum(found.x, 0.0)
    p = (p / p.sum()).reshape(game.actions)
    values = np.asarray([(p * table).sum() for table in to_arrays(game)])
    return CorrelatedEquilibrium(p, values, correlated_regret(game, p, coarse=coarse))


def correlated_regret(game: AbstractMatrixGame, distribution: Any, *, coarse: bool = False) -> float:
    """The most that a player gains by another action than the one it is told, in units of its spread of payoffs.

    It is 0 exactly at correlated equilibria, or with `coarse` at coarse correlated ones.

    Args:
        distribution: probability of each profile, shape `game.actions`: a joint distribution, or relative frequencies.
        coarse: whether a player decides before it is told anything.

    Raises:
        InputError: the game has too many profiles, or it is no distribution over them.
    """
    p = as_host_numbers("correlated_regret", "distribution", distribution)
    if p.shape != tuple(game.actions):
        raise InputError(f"distribution has shape {p.shape}; the profiles of this game have {tuple(game.actions)}")
    if not np.isfinite(p).all() or (p < 0).any() or abs(p.sum() - 1) > 1e-6:
        raise InputError("distribution must be probabilities of all profiles, at least 0, that sum to 1")
    gains = [_gains(table, k, coarse) @ p.ravel() for k, table in enumerate(_centred(game))]
    return float(max(0.0, *(gain.max(initial=0.0) for gain in gains)))


def _spreads(game: AbstractMatrixGame) -> np.ndarray:
    """Largest less smallest payoff of each player; 1 where all are the same."""
    spreads = np.asarray([np.ptp(table) for table in to_arrays(game)])
    return np.where(spreads > 0, spreads, 1.0)


def _centred(game: AbstractMatrixGame) -> list[np.ndarray]:
    """Payoffs of each player from 0 to 1: the equilibria do not change with their zero and their unit."""
    return [(table - table.min()) / spread for table, spread in zip(to_arrays(game), _spreads(game), strict=True)]


def _gains(table: np.ndarray, player: int, coarse: bool) -> Float[np.ndarray, "deviations profiles"]:
    """Gain of each deviation at each profile; a deviation is a pair (told, played), or `coarse` only what is played."""
    own = np.moveaxis(table, player, 0)
    n = len(own)
    rows = []
    for played in range(n):
        gain = own[played][None] - own  # at each profile, whatever is told
        if coarse:
            rows.append(np.moveaxis(gain, 0, player).ravel())
            continue
        for told in range(n):
            if told != played:
                only = np.zeros_like(own)
                only[told] = gain[told]
                rows.append(np.moveaxis(only, 0, player).ravel())
    return np.asarray(rows).reshape(-1, table.size)
