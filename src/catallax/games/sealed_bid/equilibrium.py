"""Static benchmarks of sealed-bid auctions: pure equilibria on the grid, and what theory says without one."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from catallax.core import InputError, check_count, check_number
from catallax.games.matrix import Edge, Polymatrix

from .sealed_bid import SealedBid
from .values import ConstantValue

MOST_PROFILES = 10**6
"""Profiles of bids that `pure_equilibria` looks at."""


def _payoffs(game: SealedBid, profiles: np.ndarray) -> np.ndarray:
    """What each action of each bidder earns against the others' moves in each profile, [P, n, A]."""
    if not isinstance(game.values, ConstantValue):
        raise InputError("sealed bids: equilibria on the grid are found for constant values only, not with signals")
    signal = jnp.zeros(game.bidders, jnp.int32)
    return np.asarray(jax.jit(jax.vmap(lambda moves: game.forgone(moves, signal)))(jnp.asarray(profiles, jnp.int32)))


def pure_equilibria(game: SealedBid, tolerance: float = 1e-9) -> np.ndarray:
    """All Nash equilibria of one auction in pure strategies, by looking at every profile of moves, [E, n] moves.

    Args:
        game: an auction with constant values.
        tolerance: how much a deviation may gain: rounding. In single precision give about 1e-6.

    Raises:
        InputError: signals, or more than a million profiles.
    """
    if game.actions**game.bidders > MOST_PROFILES:
        raise InputError(
            f"pure_equilibria: {game.actions} moves of {game.bidders} bidders make {game.actions**game.bidders} "
            f"profiles, more than {MOST_PROFILES}; take fewer bids, or symmetric_equilibria"
        )
    profiles = np.array(list(itertools.product(range(game.actions), repeat=game.bidders)), np.int32)
    return profiles[_no_gain(_payoffs(game, profiles), profiles, tolerance)]


def symmetric_equilibria(game: SealedBid, tolerance: float = 1e-9) -> np.ndarray:
    """The moves that are a Nash equilibrium of one auction if all make them, [E].

    Args:
        game: an auction with constant values.
        tolerance: how much a deviation may gain: rounding. In single precision give about 1e-6.

    Raises:
        InputError: signals.
    """
    profiles = np.repeat(np.arange(game.actions, dtype=np.int32)[:, None], game.bidders, axis=1)
    return np.flatnonzero(_no_gain(_payoffs(game, profiles), profiles, tolerance))


def _no_gain(payoffs: np.ndarray, profiles: np.ndarray, tolerance: float) -> np.ndarray:
    own = np.take_along_axis(payoffs, profiles[:, :, None], axis=2)
    return np.asarray((payoffs <= own + tolerance).all(axis=(1, 2)))


def lowest_symmetric_bid(bidders: int, step: float, value: float = 1.0) -> float:
    """The lowest bid of a symmetric pure equilibrium of a first-price auction whose grid has the distance `step`.

    A bid b is one where undercutting by all others, winning b + step for sure, does not pay:
    v - b - step <= (v - b) / n, so b >= v - step n / (n - 1) = (n (v - step) - v) / (n - 1). Bids below the value and
    on the grid; of interest for step < v (n - 1) / n.

    Raises:
        InputError: fewer than two bidders, or a step or value that is not positive.
    """
    check_count("lowest_symmetric_bid", "bidders", bidders, 2)
    check_number("lowest_symmetric_bid", "step", step, "(0, inf)")
    check_number("lowest_symmetric_bid", "value", value, "(0, inf)")
    return (bidders * (value - step) - value) / (bidders - 1)


def stage_game(game: SealedBid) -> Polymatrix:
    """One auction of two bidders as a bimatrix game, expected over ties: for logit equilibria and flows.

    Raises:
        InputError: another number of bidders, or signals.
    """
    if game.bidders != 2:
        raise InputError(f"stage_game: a bimatrix game has 2 players, this auction has {game.bidders} bidders")
    diagonal = np.repeat(np.arange(game.actions, dtype=np.int32)[:, None], 2, axis=1)
    table: Any = _payoffs(game, diagonal).astype(float)  # [the other's move, bidder, own move]
    return Polymatrix([Edge(0, 1, table[:, 0].T, table[:, 1].T)])


def signal_weight(bidders: int, affiliation: float) -> float:
    """phi = 1 - eta/2 + n eta / (4 (n - 1)): the value of a bidder of signal s whose strongest rival also has s is
    phi s.

    Signals are independent and uniform on [0, 1], values as in `AffiliatedValues`. The symmetric equilibrium bids are
    phi s in the second-price and (n - 1) / n phi s in the first-price auction.

    Raises:
        InputError: fewer than two bidders, or eta outside [0, 1].

    Source: by the standard argument (Milgrom and Weber 1982): the others' signals have mean
        (s + (n - 2) s / 2) / (n - 1) given that the highest of them is s.
    """
    check_count("signal_weight", "bidders", bidders, 2)
    check_number("signal_weight", "affiliation", affiliation, "[0, 1]")
    return 1 - affiliation / 2 + bidders * affiliation / (4 * (bidders - 1))


def affiliated_revenue(bidders: int, affiliation: float) -> float:
    """(n - 1) / (n + 1) phi: expected revenue in the symmetric equilibrium, the same under both price rules.

    Raises:
        InputError: as `signal_weight`.
    """
    return (bidders - 1) / (bidders + 1) * signal_weight(bidders, affiliation)
