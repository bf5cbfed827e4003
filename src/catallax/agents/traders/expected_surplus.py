"""The bid that is best under a belief: the largest expected surplus, found on every segment at once."""

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.games.double_auction.observation import TraderView

from .beliefs import Belief, PriceGrid, Segments

_STEP: Final = 2.0**-12


class BestBid(NamedTuple):
    """The bid with the highest expected surplus."""

    price: Float[Array, ""]
    """-inf where no legal bid is expected to gain."""
    surplus: Float[Array, ""]
    """q(b) (v - b) of it before rounding to the grid; 0 where there is none."""


def least_bid(obs: TraderView) -> Float[Array, ""]:
    """The lowest bid that may do anything: a tick above the standing one, or else the lowest price.

    Where prices are continuous the step is 2**-12 of their range.
    """
    step = jnp.where(obs.tick > 0, obs.tick, _STEP * (obs.high - obs.low))
    return jnp.maximum(obs.low, obs.tape.bid + step)


def best_bid(belief: Belief, value: Float[Array, ""], grid: PriceGrid, obs: TraderView) -> BestBid:
    """The maximiser of q(b) (value - b) over bids above the standing one, to the nearest tick and not above the limit.

    `grid` is the one whose levels the belief is about. Where the standing bid is beyond it, the least bid is sure.
    A first pass finds the segment (to 1e-4 of the surplus), a second the price on it.
    """
    # -inf (a trader without units) times a chance of 0 would be NaN; at the lowest price nothing is gained either
    worth, floor = jnp.maximum(value, obs.low) - grid.low, jnp.maximum(least_bid(obs) - grid.low, 0.0)
    pieces = belief.segments(grid.grain)
    t, first = _places(pieces, worth, floor, 2)
    gain = jnp.maximum(expected(pieces, t, worth), expected(pieces, first, worth))
    chosen = _knot(belief, jnp.where(_usable(pieces, floor), gain, 0.0)).segments(grid.grain)
    t, first = _places(chosen, worth, floor, 3)
    inner, edge = expected(chosen, t, worth), expected(chosen, first, worth)
    surplus = jnp.where(_usable(chosen, floor), jnp.maximum(jnp.maximum(inner, edge), 0.0), 0.0)
    price = grid.low + chosen.start + (chosen.end - chosen.start) * jnp.where(inner >= edge, t, first)
    beyond = floor > grid.grain * grid.top.astype(jnp.float32)
    surplus = jnp.where(beyond, jnp.maximum(worth - floor, 0.0), surplus)
    price = jnp.where(beyond, grid.low + floor, price)
    return BestBid(jnp.where(surplus > 0, _on_grid(price, obs), -jnp.inf), surplus)


def expected(pieces: Segments, t: Float[Array, "*slots"], worth: Float[Array, ""]) -> Float[Array, "*slots"]:
    """Expected surplus of the bids a share t into their segments, for a value given as an offset too."""
    chance = pieces.before + (pieces.after - pieces.before) * t * t * (3 - 2 * t)
    return chance * (worth - pieces.start - (pieces.end - pieces.start) * t)


def _usable(pieces: Segments, floor: Float[Array, ""]) -> Array:
    return (pieces.end > pieces.start) & (pieces.end >= floor)


def _places(
    pieces: Segments, worth: Float[Array, ""], floor: Float[Array, ""], steps: int
) -> tuple[Float[Array, "*slots"], Float[Array, "*slots"]]:
    """Where on each segment, as shares t of its width, the local maximum is, and where the bids begin that count.

    With beta = (worth - start) / width the derivative of the expected surplus vanishes where

        g(t) = 8 t^3 - (6 beta + 9) t^2 + 6 beta t - before / (after - before) = 0.

    g(1) < 0, and g is not positive at its inflection t = beta / 4 + 3/8: Halley's method from there, or from 1 or beta
    where these are smaller, falls to the largest root below 1, which is the local maximum if there is one. Three steps
    leave an error below 1e-6 wherever that maximum is above the segment's ends, two one below 3e-3.
    """
    width, rise = pieces.end - pieces.start, pieces.after - pieces.before
    shrink = 1.0 / jnp.where(width > 0, width, 1.0)
    beta = (worth - pieces.start) * shrink
    kappa = pieces.before / jnp.where(rise > 0, rise, 1.0)
    first = jnp.clip((floor - pieces.start) * shrink, 0.0, 1.0)
    t = jnp.minimum(jnp.minimum(0.25 * beta + 0.375, 1.0), beta)
    for _ in range(steps):
        g = ((8 * t - (6 * beta + 9)) * t + 6 * beta) * t - kappa
        slope = jnp.minimum((24 * t - (12 * beta + 18)) * t + 6 * beta, -1e-3)
        bend = 48 * t - (12 * beta + 18)
        t = jnp.clip(t - 2 * g * slope / jnp.maximum(2 * slope * slope - g * bend, 1e-6), 0.0, 1.0)
    return jnp.maximum(t, first), first


def _knot(belief: Belief, gain: Float[Array, " slots"]) -> Belief:
    """The knot with the largest gain, to 1e-5 of it.

    Numbers that are not negative are ordered as their bits are, and largest integers are found faster.
    """
    slots = gain.shape[0]
    slot = jnp.arange(slots, dtype=jnp.int32)
    bits = jax.lax.bitcast_convert_type(jnp.maximum(gain, 0.0), jnp.int32)
    here = slot == (((bits & ~(slots - 1)) | slot).max() & (slots - 1))
    take = lambda x: jnp.where(here, x, jnp.int16(0)).max()
    return belief._replace(
        seen=take(belief.seen),
        tally=take(belief.tally),
        below=take(belief.below),
        tally_below=take(belief.tally_below),
    )


def _on_grid(price: Float[Array, ""], obs: TraderView) -> Float[Array, ""]:
    """The nearest legal price that makes no loss."""
    grid = jnp.where(obs.tick > 0, obs.tick, 1.0)
    top = jnp.minimum(obs.limit, obs.cap)
    near = grid * jnp.minimum(jnp.floor(price / grid + 0.5), jnp.floor(top / grid + 1e-3))
    return jnp.where(obs.tick > 0, near, jnp.minimum(price, top))
