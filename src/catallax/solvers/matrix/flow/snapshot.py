"""The Lyapunov function on a random plane through the space of scores: a picture of it in games of any size."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, PRNGKeyArray, Shaped
from scipy.special import logsumexp, xlogy

from catallax.core import InputError, rng
from catallax.core.checks import as_host_numbers
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import ConcreteGame, centred_on, concrete_game
from catallax.solvers.matrix.host.inputs import policy_on_host, temperatures, weights_on_host
from catallax.solvers.matrix.logit.equilibrium import logit_equilibrium
from catallax.solvers.matrix.logit.given_support import polish
from catallax.solvers.matrix.structure.zero_sum import zero_sum_weights


class Snapshot(NamedTuple):
    """D_w(p || softmax(a U + b V)) on a grid of a and b."""

    a: Float[np.ndarray, " I"]
    b: Float[np.ndarray, " J"]
    divergence: Float[np.ndarray, "I J"]
    """In nats; at (0, 0) everybody plays uniformly."""
    equilibrium: Float[np.ndarray, "n A"]
    """p."""
    directions: Float[np.ndarray, "2 n A"]
    """U and V: centred log-probabilities of two profiles drawn uniformly from the simplices."""


def snapshot(
    game: AbstractMatrixGame,
    temperature: Any,
    key: Shaped[PRNGKeyArray, ""],
    *,
    a: Any = None,
    b: Any = None,
    weights: Any = None,
    equilibrium: Any = None,
) -> Snapshot:
    """The weighted divergence D_w(p || x) from the logit equilibrium p on the plane x = softmax(a U + b V).

    Two profiles are drawn uniformly; U and V are their log-ratios (with two actions, logit u with u uniform in (0, 1)).
    The divergence is sum_k w_k (sum_i p_ki ln p_ki - p_k . z_k + ln sum_i exp z_ki) with z = a U + b V: it never
    overflows, and it is convex in z, hence in (a, b), with its least value 0 only if ln p lies on the plane.

    Args:
        temperature: T > 0: one number or [n].
        key: of the two directions; a call consumes it.
        a, b: the grid; None for 61 points from -3 to 3.
        weights: w, [n]; None for the zero-sum weights of the game.
        equilibrium: p, [n, A]; None to solve for it.

    Raises:
        InputError: a temperature that is not positive, a grid that is no list of finite numbers, a game without
            zero-sum weights for which none are given, weights that are not positive.
        NumericalError: the equilibrium was not found.

    Source: Leonardos, Piliouras and Spendlove (2021), algorithm 1, after Li, Xu, Taylor, Studer and Goldstein (2018).
    Differs: more than two actions by log-ratio vectors.
    """
    rng.check_key("snapshot", key)
    temperatures(game, temperature, positive=True)
    host = concrete_game(game)
    rows, columns = _axis("a", a), _axis("b", b)
    w = zero_sum_weights(game).weights if weights is None else weights_on_host(game, weights)
    if equilibrium is None:
        p = _equilibrium(game, host, temperature)
    else:
        p = policy_on_host(game, equilibrium)
    u, v = directions(game, key)
    z = rows[:, None, None, None] * u + columns[:, None, None] * v
    lse = np.asarray(logsumexp(np.where(host.legal, z, -np.inf), axis=-1))
    value = (xlogy(p, p).sum(axis=1) - (p * z).sum(axis=-1) + lse) @ w
    return Snapshot(rows, columns, value, p, np.stack([u, v]))


def directions(game: AbstractMatrixGame, key: Shaped[PRNGKeyArray, ""]) -> tuple[np.ndarray, np.ndarray]:
    """Centred log-probabilities [n, A] of two profiles drawn uniformly, the same whatever the precision of JAX."""
    shape = (2, game.players, game.width)
    words = np.asarray(rng.draws(key, int(np.prod(shape))).first, np.uint32)
    units = ((words >> 8) + 0.5) / 2.0**24  # inside (0, 1)
    logs = np.log(-np.log(units)).reshape(shape)  # exponentials: their shares are uniform on the simplex
    return centred_on(game.legal, logs[0]), centred_on(game.legal, logs[1])


def _equilibrium(game: AbstractMatrixGame, host: ConcreteGame, temperature: Any) -> Float[np.ndarray, "n A"]:
    """The logit equilibrium in the game's precision, then in double."""
    near = np.asarray(logit_equilibrium(game, temperature, stages=4).require(), float)
    return polish(host, temperatures(game, temperature), near, host.legal).policy


def _axis(name: str, values: Any) -> Float[np.ndarray, " I"]:
    axis = np.linspace(-3, 3, 61) if values is None else as_host_numbers("snapshot", name, values)
    if axis.ndim != 1 or not len(axis) or not np.isfinite(axis).all():
        raise InputError(f"snapshot: {name} must be a list of finite numbers, got shape {axis.shape}")
    return axis
