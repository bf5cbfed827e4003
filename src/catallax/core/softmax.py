"""Soft choices at any temperature."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def softmax_at_any_scale(scores: Float[Array, "*rows A"], centred: Float[Array, "*rows A"]) -> Float[Array, "*rows A"]:
    """softmax of scores along the last axis, also where a value times an inverse temperature has no finite number.

    Scores that are finite, or -inf for an action that is not open, are taken as they are. In a row where one is +inf or
    no number, or all of which are -inf, the centred ones are taken: their limit for high inverse temperatures is the
    uniform choice among the best actions.

    Args:
        scores: c Q, one row of actions each.
        centred: c (Q - max Q), at most 0; its largest entry in a row is 0.
    """
    largest = scores.max(axis=-1, keepdims=True)
    return jax.nn.softmax(jnp.where(jnp.isfinite(largest), scores, centred), axis=-1)
