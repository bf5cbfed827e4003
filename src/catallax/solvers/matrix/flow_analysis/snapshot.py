"""The Lyapunov function on a random plane in the space of scores, by which it can be drawn in games of any size."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, PRNGKeyArray, Shaped
from scipy.special import logsumexp, xlogy

from catallax.core import InputError, rng
from catallax.core.checks import as_host_numbers
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import ConcreteGame, centred_on, concrete_game, scores_on
from catallax.solvers.matrix.host.inputs import policy_on_host, temperatures_on_host, weights_on_host
from catallax.solvers.matrix.logit.equilibrium import logit_equilibrium
from catallax.solvers.matrix.logit.given_support import solve_on_support
from catallax.solvers.matrix.structure.zero_sum import zero_sum_weights


class Snapshot(NamedTuple):
    """D_w(p || softmax(a U + b V)) on a grid of a and b."""

    a: Float[np.ndarray, " I"]
    b: Float[np.ndarray, " J"]
    divergence: Float[np.ndarray, "I J"]
    """In nats; at (0, 0) all players play uniformly."""
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

    Two profiles are drawn uniformly; U and V are their centred log-probabilities (with two actions, logit u with u
    uniform in (0, 1), up to a factor). With z = a U + b V the divergence is
    sum_k w_k (sum_i p_ki ln p_ki - p_k . z_k + ln sum_i exp z_ki). This form does not overflow; it is convex in z and
    hence in (a, b), and its least value is 0 only if ln p lies on the plane.

    Args:
        temperature: T > 0: one number or [n].
        key: of the two directions; a call consumes it.
        a, b: the grid; None for 61 points from -3 to 3.
        weights: w, [n]; None for the zero-sum weights of the game.
        equilibrium: p, [n, A]; None to solve for it.

    Raises:
        InputError: a temperature is not positive, a grid is no list of finite numbers, the game has no zero-sum weights
            and none are given, or a weight is not positive.
        NumericalError: the equilibrium was not found.

    Source: Leonardos, Piliouras and Spendlove (2021), algorithm 1, after Li, Xu, Taylor, Studer and Goldstein (2018).
    Differs: the source has two actions; with more, log-probability vectors take the place of logits.
    """
    rng.check_key("snapshot", key)
    temperatures = temperatures_on_host(game, temperature, positive=True)
    concrete = concrete_game(game)
    rows, columns = _axis("a", a), _axis("b", b)
    w = zero_sum_weights(game).weights if weights is None else weights_on_host(game, weights)
    if equilibrium is None:
        p = _equilibrium(game, concrete, temperature, temperatures)
    else:
        p = policy_on_host(game, equilibrium)
    u, v = directions(game, key)
    z = rows[:, None, None, None] * u + columns[:, None, None] * v
    log_sums = np.asarray(logsumexp(np.where(concrete.legal, z, -np.inf), axis=-1))
    value = (xlogy(p, p).sum(axis=1) - (p * z).sum(axis=-1) + log_sums) @ w
    return Snapshot(rows, columns, value, p, np.stack([u, v]))


def directions(game: AbstractMatrixGame, key: Shaped[PRNGKeyArray, ""]) -> tuple[np.ndarray, np.ndarray]:
    """Centred log-probabilities [n, A] of two profiles drawn uniformly; they do not depend on the precision of JAX."""
    shape = (2, game.players, game.width)
    bits = np.asarray(rng.draws(key, int(np.prod(shape))).first, np.uint32)
    units = ((bits >> 8) + 0.5) / 2.0**24  # inside (0, 1)
    logs = np.log(-np.log(units)).reshape(shape)  # shares of exponential variates are uniform on the simplex
    return centred_on(game.legal, logs[0]), centred_on(game.legal, logs[1])


def _equilibrium(
    game: AbstractMatrixGame, concrete: ConcreteGame, temperature: Any, temperatures: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n A"]:
    """The logit equilibrium, solved in the game's precision and then refined in double precision."""
    near = np.asarray(logit_equilibrium(game, temperature, stages=4).require(), float)
    return solve_on_support(concrete, temperatures, scores_on(concrete.legal, near), concrete.legal).policy


def _axis(name: str, values: Any) -> Float[np.ndarray, " I"]:
    """The checked values of one axis of the grid."""
    axis = np.linspace(-3, 3, 61) if values is None else as_host_numbers("snapshot", name, values)
    if axis.ndim != 1 or not len(axis) or not np.isfinite(axis).all():
        raise InputError(f"snapshot: {name} must be a list of finite numbers, got shape {axis.shape}")
    return axis
