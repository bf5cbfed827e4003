"""Logit choice: policies from scores and back, and the logit condition. All arrays have the axes [n, A, *batch]."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import InputError, rng
from catallax.core.checks import as_numbers
from catallax.games.matrix import AbstractMatrixGame, check_game


def masked(game: AbstractMatrixGame, values: Float[Array, "n A *batch"], fill: float) -> Float[Array, "n A *batch"]:
    """`values`, with entries of actions that a player does not have replaced by `fill`.

    There is no operation if all players have equally many actions.
    """
    if game.legal.all():
        return values
    return jnp.where(game.legal.reshape(game.legal.shape + (1,) * (values.ndim - 2)), values, fill)


def softmax(game: AbstractMatrixGame, scores: Float[Array, "n A *batch"]) -> Float[Array, "n A *batch"]:
    """exp(z_ki) / sum_j exp(z_kj) over the player's actions; 0 for columns that are no actions."""
    scores = masked(game, scores, -jnp.inf)
    weights = jnp.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def centred(game: AbstractMatrixGame, scores: Float[Array, "n A *batch"]) -> Float[Array, "n A *batch"]:
    """Scores less their mean over the player's actions, the unique scores of their policy; 0 for missing actions."""
    count = jnp.asarray(game.actions, scores.dtype).reshape((-1, 1) + (1,) * (scores.ndim - 2))
    scores = masked(game, scores, 0.0)
    return masked(game, scores - scores.sum(axis=1, keepdims=True) / count, 0.0)


def scores_of(game: AbstractMatrixGame, policy: Any) -> Float[Array, "n A *batch"]:
    """Centred log-probabilities of interior policies.

    Args:
        policy: [n, A] or [n, A, B]; if all players have two actions, P(first action), [n], is enough.

    Raises:
        InputError: the shape is wrong, or probabilities are not positive or do not sum to one. The faces of the simplex
            are invariant under every learning flow here: to start on one, take the action out of the game.
    """
    check_game(game)
    policy = as_numbers("game in matrix form", "a policy", policy, game.payoff.dtype)
    if policy.ndim == 1 and set(game.actions) == {2}:
        policy = jnp.stack([policy, 1 - policy], axis=1)
    if policy.ndim not in (2, 3) or policy.shape[:2] != (game.players, game.width):
        raise InputError(
            f"policies have shape {policy.shape}; this game needs {(game.players, game.width)}, trajectories last"
        )
    if not isinstance(policy, Tracer):
        values = np.asarray(masked(game, policy, 1.0))
        total = np.asarray(masked(game, policy, 0.0)).sum(axis=1)
        slack = 1e-4 if policy.dtype == jnp.float32 else 1e-8
        if not (values > 0).all() or not (abs(total - 1) < slack).all():
            raise InputError("a policy is not an interior point: every action needs a positive probability, sum 1")
    return centred(game, jnp.log(masked(game, policy, 1.0)))


def random_scores(
    game: AbstractMatrixGame, key: Shaped[PRNGKeyArray, ""], trajectories: int
) -> Float[Array, "n A trajectories"]:
    """Centred log-probabilities of policies drawn uniformly from the simplices; a call consumes the key."""
    shape = (game.players, game.width, trajectories)
    drawn = jax.random.exponential(rng.fold(key, 0), shape, game.payoff.dtype)
    return centred(game, jnp.log(jnp.maximum(drawn, jnp.finfo(drawn.dtype).tiny)))


def logit_gap(
    game: AbstractMatrixGame, temperature: Float[Array, "n *#batch"], scores: Float[Array, "n A *batch"]
) -> Float[Array, "n A *batch"]:
    """F(z) = T z - r(softmax z), centred, in units of payoff; it is zero exactly at logit equilibria.

    With T = 0 it is zero exactly at interior Nash equilibria.
    """
    wide = temperature.reshape(
        temperature.shape[0], 1, *temperature.shape[1:], *(1,) * (scores.ndim - 1 - temperature.ndim)
    )
    return centred(game, wide * scores - game.rewards(softmax(game, scores)))


def residual(
    game: AbstractMatrixGame, temperature: Float[Array, "n *#batch"], scores: Float[Array, "n A *batch"]
) -> Float[Array, ""]:
    """max |F(z)|, the largest entry of `logit_gap`: the residual of the dynamics of games in matrix form."""
    return jnp.abs(logit_gap(game, temperature, scores)).max()
