"""Checks of what users give to the analysis of one game; results are NumPy arrays in double precision."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from catallax.core import InputError
from catallax.core.checks import as_host_numbers
from catallax.games.matrix import AbstractMatrixGame, check_game, per_player


def temperatures_on_host(game: AbstractMatrixGame, value: Any, *, positive: bool = False) -> Float[np.ndarray, " n"]:
    """T >= 0 (T > 0 if `positive`), one for each player.

    Raises:
        InputError: as `per_player`.
    """
    temperatures = as_host_numbers("matrix game", "temperature", value)
    per_player(game, "temperature", temperatures, positive=positive)
    return np.array(np.broadcast_to(temperatures, (game.players,)))


def weights_on_host(game: AbstractMatrixGame, value: Any) -> Float[np.ndarray, " n"]:
    """w > 0, one for each player.

    Raises:
        InputError: the number of weights is not that of the players, or a weight is not positive and finite.
    """
    w = as_host_numbers("matrix game", "weights", value)
    if w.shape != (game.players,) or not (np.isfinite(w) & (w > 0)).all():
        raise InputError(f"weights must be {game.players} positive numbers, one for each player, got {w.tolist()}")
    return w


def interior_policy(game: AbstractMatrixGame, value: Any) -> Float[np.ndarray, "n A"]:
    """A profile in which every action has a positive probability; see `policy_on_host` for its forms.

    Raises:
        InputError: as `policy_on_host`, or an action has probability 0.
    """
    x = policy_on_host(game, value)
    if not (x[game.legal] > 0).all():
        raise InputError(
            "a policy is not an interior point: every action needs a positive probability. The faces of the simplex "
            "are invariant under every learning flow here: to start on one, take the action out of the game"
        )
    return x


def policy_on_host(game: AbstractMatrixGame, value: Any) -> Float[np.ndarray, "n A"]:
    """A profile of mixed strategies.

    Args:
        value: [n, A]; if all players have two actions, P(first action), [n], is enough.

    Raises:
        InputError: the shape is wrong; probabilities are negative or not finite, belong to no action of the player, or
            do not sum to one.
    """
    check_game(game)
    x = as_host_numbers("matrix game", "a policy", value)
    if x.ndim == 1 and set(game.actions) == {2}:
        x = np.stack([x, 1 - x], axis=1)
    shape = (game.players, game.width)
    if x.shape != shape:
        raise InputError(f"a policy has shape {x.shape}; this game needs {shape}")
    slack = 1e-8 if getattr(value, "dtype", None) != jnp.float32 else 1e-4
    outside = x[~game.legal]
    if not np.isfinite(x).all() or (x < 0).any() or (abs(x.sum(axis=1) - 1) > slack).any() or (outside != 0).any():
        raise InputError("a policy is no profile: each player's probabilities must be at least 0 and sum to 1")
    return x / x.sum(axis=1, keepdims=True)
