"""First values of a learner's table, given or drawn."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from catallax.core import BuildError, InputError, Parametrized, numbers, rng
from catallax.core.checks import as_numbers, known


class UniformValues(Parametrized):
    """Independent values, uniform in [low, high), for every state and action; each seat of each run draws its own.

    With high = low the values are that number. In double precision a draw has 53 random bits, else 24: two equal values
    in a row of a table, which a learner would rank by their order, have next to no chance.

    Args:
        low, high: numbers, one for each action [A], or tables [S, A].

    Raises:
        InputError: ends that are not finite, or low above high.
    """

    low: Float[Array, "..."] = numbers(0.0)
    high: Float[Array, "..."] = numbers(1.0)

    def __check_init__(self) -> None:
        low, high = known(self.low), known(self.high)
        if low is None or high is None:
            return
        if not (jnp.isfinite(low).all() and jnp.isfinite(high).all() and (low <= high).all()):
            raise InputError(f"UniformValues: low and high must be finite and low at most high, got {low} and {high}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The common shape of the two ends."""
        return jnp.broadcast_shapes(self.low.shape, self.high.shape)

    def draw(self, key: Shaped[PRNGKeyArray, ""], shape: tuple[int, int]) -> Float[Array, "S A"]:
        """A table. Consumes the key."""
        count = shape[0] * shape[1]
        bits = rng.random_bits(key, 0, jnp.int32(0), jnp.arange(count), jnp.int32(0))
        share = rng.to_uniform(bits.first).astype(self.low.dtype)
        if share.dtype == jnp.float64:  # 29 more bits below the 24
            share = share + (bits.second >> 3).astype(jnp.float64) * 2.0**-53
        return self.low + (self.high - self.low) * share.reshape(shape)


def first_values(given: Any) -> Any:
    """Converter of a learner's first values: `UniformValues` as it is, all else as numbers of JAX's own float type."""
    return given if isinstance(given, UniformValues) else as_numbers("a learner", "first values", given)


def first_table(given: Any, key: Shaped[PRNGKeyArray, ""], shape: tuple[int, int]) -> Float[Array, "S A"]:
    """The table that first values give. Consumes the key only if they are drawn."""
    return given.draw(key, shape) if isinstance(given, UniformValues) else jnp.broadcast_to(given, shape)


def first_row(who: str, start: Float[Array, "*A"], actions: int) -> Float[Array, " A"]:
    """First values of the actions, from one number or one for each.

    Raises:
        BuildError: another number of values than actions.
    """
    if start.shape not in ((), (actions,)):
        raise BuildError(
            f"{who}: start has shape {start.shape}, and this seat {actions} actions; give one number or each"
        )
    return jnp.broadcast_to(start, (actions,))


def check_initial(who: str, initial: Any, shape: tuple[int, int]) -> None:
    """Raises `InputError` unless first values have a shape that spreads over the table [S, A]."""
    try:
        fits = jnp.broadcast_shapes(initial.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"{who}: initial values have shape {initial.shape}; give a number, [{shape[1]}] or [{shape[0]}, {shape[1]}]"
        )
