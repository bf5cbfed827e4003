"""All logit equilibria that Newton's method finds from many starts, for games that have several."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from catallax.core import check_count, check_number, rng
from catallax.games.matrix import AbstractMatrixGame, per_player
from catallax.solvers.matrix.host.game import concrete_game

from .choice import centred, softmax
from .equilibrium import LogitEquilibrium, logit_equilibrium

_LEAST = 1e-6
"""The least probability of an action in a start."""


class LogitEquilibria(NamedTuple):
    """The m distinct equilibria that were found, the one found most often first."""

    policy: Float[np.ndarray, "m n A"]
    share: Float[np.ndarray, " m"]
    """The share of the converged starts that led to this equilibrium."""
    converged: float
    """The share of all starts that converged."""
    stable: Bool[np.ndarray, " m"]
    """Whether the equilibrium is a stable rest point of the Q-learning flow at these temperatures."""


def logit_equilibria(
    game: AbstractMatrixGame,
    temperature: Any,
    key: Shaped[PRNGKeyArray, ""] | None = None,
    *,
    starts: int = 256,
    apart: float = 1e-6,
) -> LogitEquilibria:
    """Solves for logit equilibria by Newton's method from uniform play and from random starts.

    Random starts lie near corners of the simplices as well as inside. There is no guarantee that all equilibria are
    found; more starts find more. Weighted zero-sum games have exactly one.

    Args:
        temperature: T > 0: one number or [n].
        key: of the random starts; None for a fixed one. A call consumes the key.
        starts: the number of starts.
        apart: two results are the same equilibrium if their largest difference is below this.

    Raises:
        InputError: a temperature is not positive, or there is not even one start.
    """
    check_count("logit_equilibria", "starts", starts)
    check_number("logit_equilibria", "apart", apart, "[0, inf)")
    temperatures = per_player(game, "temperature", temperature, positive=True)
    shape = (2, starts, game.players, game.width)
    drawn = jax.random.normal(rng.key(0) if key is None else key, shape, temperatures.dtype)
    spread = jnp.exp(2 * drawn[1, :, :1, :1])  # small spreads give starts in the middle, large ones near corners
    scores = (drawn[0] * spread).at[0].set(0.0)
    policies = jax.vmap(lambda z: softmax(game, centred(game, z)))(scores)
    found = _solve_from(game, temperatures, _inside(game, policies))
    converged = np.asarray(found.converged)
    ends = np.asarray(found.policy)[converged]
    distinct, counts = _distinct(ends, apart)
    order = np.argsort(-counts, kind="stable")
    policy = distinct[order]
    concrete, on_host = concrete_game(game), np.asarray(temperatures, float)
    stable = np.asarray([concrete.unstable(on_host, np.asarray(p, float)) == 0 for p in policy], bool)
    return LogitEquilibria(policy, counts[order] / max(len(ends), 1), float(converged.mean()), stable)


@eqx.filter_jit
def _solve_from(
    game: AbstractMatrixGame, temperatures: Float[Array, " n"], starts: Float[Array, "S n A"]
) -> LogitEquilibrium:
    return jax.vmap(lambda start: logit_equilibrium(game, temperatures, start))(starts)


def _inside(game: AbstractMatrixGame, policy: Float[Array, "S n A"]) -> Float[Array, "S n A"]:
    """The policies with every probability at least about `_LEAST`; missing actions keep probability 0."""
    policy = jnp.where(jnp.asarray(game.legal), jnp.maximum(policy, _LEAST), 0.0)
    return policy / policy.sum(axis=-1, keepdims=True)


def _distinct(ends: Float[np.ndarray, "S n A"], apart: float) -> tuple[np.ndarray, np.ndarray]:
    """The distinct policies among `ends`, and how often each occurs."""
    distinct: list[np.ndarray] = []
    counts: list[int] = []
    for end in ends:
        near = [i for i, other in enumerate(distinct) if np.abs(end - other).max() < apart]
        if near:
            counts[near[0]] += 1
        else:
            distinct.append(end)
            counts.append(1)
    shape = ends.shape[1:]
    return (np.stack(distinct) if distinct else np.zeros((0, *shape))), np.asarray(counts, int)
