"""Drawing an action from a policy, with one random word."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import rng


def drawn(key: Shaped[PRNGKeyArray, ""], policy: Float[Array, " A"]) -> Int[Array, ""]:
    """Action a with probability policy[a], by inversion. Consumes the key."""
    below = jnp.cumsum(policy)[:-1]
    return (rng.uniform(key) >= below).sum(dtype=jnp.int32)
