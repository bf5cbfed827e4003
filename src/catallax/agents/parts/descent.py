"""A step downhill: Adam on all parameters of an agent as one vector, its gradient cut to a length.

As one vector the step is a handful of operations to compile; leaf by leaf it is a handful for every leaf. Learners make
the vector by `jax.flatten_util.ravel_pytree`.
"""

from typing import Any

import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree


def begin(parameters: PyTree[Array]) -> Any:
    """Adam's state before the first step: moments [parameters], all 0."""
    return optax.scale_by_adam().init(ravel_pytree(parameters)[0])


def descend(
    flat: Float[Array, " parameters"],
    gradient: PyTree[Array],
    adam: Any,
    rate: float | Float[Array, ""],
    norm: float | Float[Array, ""] = jnp.inf,
) -> tuple[Float[Array, " parameters"], Any, Float[Array, ""]]:
    """Parameters less rate times Adam's direction, Adam's state, and the gradient's length.

    A gradient longer than `norm` is first scaled down to it. Moments decay by 0.9 and 0.999, epsilon is 1e-8.

    Args:
        flat: the parameters as `ravel_pytree` lays them out.
        gradient: by them, in the tree's form.

    Source: Kingma and Ba (2015), algorithm 1, by optax.
    """
    slope, _ = ravel_pytree(gradient)
    size = jnp.sqrt((slope**2).sum())
    slope = slope * jnp.where(size > norm, norm / size, 1.0)
    direction: Any
    direction, adam = optax.scale_by_adam().update(slope, adam)
    return flat - rate * direction, adam, size
