"""All logit equilibria that Newton's method finds from many starts: where there may be several."""

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


class Found(NamedTuple):
    """Distinct equilibria, the one met most often first."""

    policy: Float[np.ndarray, "m n A"]
    share: Float[np.ndarray, " m"]
    """Of the starts that converged, how many led there."""
    converged: float
    """Share of the starts that converged at all."""
    stable: Bool[np.ndarray, " m"]
    """Whether the Q-learning flow at these temperatures returns to it after small pushes."""


def logit_equilibria(
    game: AbstractMatrixGame,
    temperature: Any,
    key: Shaped[PRNGKeyArray, ""] | None = None,
    *,
    starts: int = 256,
    apart: float = 1e-6,
) -> Found:
    """Newton's method from uniform play and from random starts, near corners as well as inside; ends put together.

    There is no guarantee that none is missed: more starts find more. Weighted zero-sum games have exactly one.

    Args:
        temperature: T > 0: one number or [n].
        starts: how many.
        apart: ends whose largest difference is below this are one equilibrium.

    Raises:
        InputError: a temperature that is not positive, fewer than one start.
    """
    check_count("logit_equilibria", "starts", starts)
    check_number("logit_equilibria", "apart", apart, "[0, inf)")
    rates = per_player(game, "temperature", temperature, positive=True)
    drawn = jax.random.normal(rng.key(0) if key is None else key, (2, starts, game.players, game.width), rates.dtype)
    spread = jnp.exp(2 * drawn[1, :, :1, :1])  # from the middle of the simplices to their corners
    scores = (drawn[0] * spread).at[0].set(0.0)
    policies = jax.vmap(lambda z: softmax(game, centred(game, z)))(scores)
    found = _from(game, rates, _inside(game, policies))
    good = np.asarray(found.converged)
    ends = np.asarray(found.policy)[good]
    distinct, counts = _together(ends, apart)
    order = np.argsort(-counts, kind="stable")
    kept = distinct[order]
    host, heat = concrete_game(game), np.asarray(rates, float)
    stable = np.asarray([host.unstable(heat, np.asarray(p, float)) == 0 for p in kept], bool)
    return Found(kept, counts[order] / max(len(ends), 1), float(good.mean()), stable)


@eqx.filter_jit
def _from(game: AbstractMatrixGame, rates: Float[Array, " n"], starts: Float[Array, "S n A"]) -> LogitEquilibrium:
    return jax.vmap(lambda start: logit_equilibrium(game, rates, start))(starts)


def _inside(game: AbstractMatrixGame, policy: Float[Array, "S n A"]) -> Float[Array, "S n A"]:
    """Away from the boundary by more than rounding; actions that do not exist stay at 0."""
    least = 1e-6
    legal = jnp.asarray(game.legal)
    policy = jnp.where(legal, jnp.maximum(policy, least), 0.0)
    return policy / policy.sum(axis=-1, keepdims=True)


def _together(ends: Float[np.ndarray, "S n A"], apart: float) -> tuple[np.ndarray, np.ndarray]:
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
