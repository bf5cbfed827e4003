"""A concrete game on the host in double precision, whatever its own dtype: rewards, their derivative, its inputs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from catallax.core import InputError
from catallax.games.matrix import AbstractMatrixGame, NormalForm, Polymatrix, as_normal_form, per_player

Rewards = Callable[[np.ndarray], np.ndarray]


class HostGame(NamedTuple):
    """What the analysis of one game needs, as NumPy functions of policies [n, A]."""

    legal: Bool[np.ndarray, "n A"]
    """Which columns are actions of the player."""
    rewards: Rewards
    """r(x), [n, A]; 0 beyond a player's actions."""
    derivative: Rewards
    """dr_ki / dx_lj, [n, A, n, A]; constant in polymatrix games."""
    scale: float
    """The largest |payoff|; 1 if all are 0."""

    def policy(self, scores: np.ndarray) -> np.ndarray:
        """softmax over the player's actions, [n, A]."""
        z = np.where(self.legal, scores, -np.inf)
        weights = np.exp(z - z.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Values [n, A] less their mean over the player's actions; 0 beyond them."""
        return centred_on(self.legal, values)


def centred_on(some: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values [n, A] less each player's mean over the columns where `some` holds; 0 elsewhere."""
    mean = np.where(some, values, 0.0).sum(axis=1, keepdims=True) / some.sum(axis=1, keepdims=True)
    return np.where(some, values - mean, 0.0)


def on_host(game: AbstractMatrixGame) -> HostGame:
    """The game as NumPy functions: matrix products for a polymatrix game, tensor contractions for any other."""
    if isinstance(game, Polymatrix):
        payoff = np.asarray(game.matrix(), float)
        flat = payoff.reshape(game.players * game.width, -1)
        rewards: Rewards = lambda x: (flat @ x.reshape(-1)).reshape(x.shape)
        derivative: Rewards = lambda x: payoff
    else:
        tables = as_normal_form(game)
        payoff = np.asarray(tables.payoff, float)
        rewards, derivative = _contractions(payoff, tables)
    return HostGame(game.legal, rewards, derivative, float(np.abs(payoff).max()) or 1.0)


def _contractions(payoff: Float[np.ndarray, "n *actions"], game: NormalForm) -> tuple[Rewards, Rewards]:
    """Expected payoffs over everybody's actions but some."""
    n, width, counts = game.players, game.width, game.actions

    def over_others(x: np.ndarray, k: int, kept: list[int]) -> np.ndarray:
        operands: list[Any] = [payoff[k], list(range(n))]
        for m in range(n):
            if m not in kept:
                operands += [x[m, : counts[m]], [m]]
        return np.einsum(*operands, kept, optimize=True)

    def rewards(x: np.ndarray) -> np.ndarray:
        r = np.zeros((n, width))
        for k in range(n):
            r[k, : counts[k]] = over_others(x, k, [k])
        return r

    def derivative(x: np.ndarray) -> np.ndarray:
        d = np.zeros((n, width, n, width))
        for k in range(n):
            for m in range(n):
                if m != k:
                    d[k, : counts[k], m, : counts[m]] = over_others(x, k, [k, m])
        return d

    return rewards, derivative


def two_player_form(game: AbstractMatrixGame) -> Polymatrix:
    """The game as a polymatrix game: itself, or a two-player normal form in the own-row convention.

    Raises:
        InputError: a normal form with more than two players.
    """
    if isinstance(game, Polymatrix):
        return game
    if game.players != 2:
        raise InputError(
            f"zero-sum weights are found edge by edge: give a Polymatrix game (this is a normal form of {game.players} "
            "players), or name the weights"
        )
    tables = as_normal_form(game).payoff
    return Polymatrix.from_bimatrix(tables[0], tables[1])


def temperatures(game: AbstractMatrixGame, value: Any, *, positive: bool = False) -> Float[np.ndarray, " n"]:
    """T >= 0 (or > 0), one for each player, in double precision.

    Raises:
        InputError: as `per_player`.
    """
    heat = _numbers("temperature", value)
    per_player(game, "temperature", heat, positive=positive)
    return np.array(np.broadcast_to(heat, (game.players,)))


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        return np.array(value, float)
    except (TypeError, ValueError) as e:
        raise InputError(f"{name} must be numbers, got {value!r}") from e


def interior_policy(game: AbstractMatrixGame, value: Any) -> Float[np.ndarray, "n A"]:
    """A profile with every action positive, in double precision; P(first action), [n], will do if all have two.

    Raises:
        InputError: as `policy_on_host`, or an action with probability 0.
    """
    x = policy_on_host(game, value)
    if not (x[game.legal] > 0).all():
        raise InputError(
            "a policy is not an interior point: every action needs a positive probability. The faces of the simplex "
            "are invariant under every learning flow here: to start on one, take the action out of the game"
        )
    return x


def policy_on_host(game: AbstractMatrixGame, value: Any) -> Float[np.ndarray, "n A"]:
    """A profile of mixed strategies, in double precision; P(first action), [n], will do if all have two.

    Raises:
        InputError: a wrong shape, probabilities that are negative, not finite, beyond a player's actions, or do not
            sum to one.
    """
    x = _numbers("a policy", value)
    if x.ndim == 1 and set(game.actions) == {2}:
        x = np.stack([x, 1 - x], axis=1)
    shape = (game.players, game.width)
    if x.shape != shape:
        raise InputError(f"a policy has shape {x.shape}; this game needs {shape}")
    slack = 1e-8 if getattr(value, "dtype", None) != jnp.float32 else 1e-4
    outside = x[~game.legal]
    if not np.isfinite(x).all() or (x < 0).any() or (abs(x.sum(axis=1) - 1) > slack).any() or (outside != 0).any():
        raise InputError("a policy is no profile of mixed strategies: probabilities at least 0, each player's sum 1")
    return x / x.sum(axis=1, keepdims=True)
