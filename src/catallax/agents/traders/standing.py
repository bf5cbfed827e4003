"""The quotes a trader reacts to, and the reserve that takes a quote of a given price."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.games.double_auction.observation import TraderView

STANDING = ("bid", "ask", "last_bid", "last_ask", "sale")
"""What `standing_quotes` reads of the tape."""


def standing_quotes(obs: TraderView) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The standing bid and ask; -inf and +inf where there is none.

    In a market where quotes do not stand, the best of the last tick are taken for standing unless they led to a trade
    or the period is new. Where quotes stand, that changes nothing.
    """
    gone = obs.tape.sale | (obs.step == 0)
    bid = jnp.maximum(obs.tape.bid, jnp.where(gone, -jnp.inf, obs.tape.last_bid))
    ask = jnp.minimum(obs.tape.ask, jnp.where(gone, jnp.inf, obs.tape.last_ask))
    return bid, ask


def worst_limit(obs: TraderView) -> Float[Array, ""]:
    """The limit of the trader's last unit; +inf if it never has one."""
    return jnp.where(jnp.isfinite(obs.tokens), obs.tokens, jnp.inf).min()


def up_to(price: Float[Array, ""], obs: TraderView) -> Float[Array, ""]:
    """The reserve that takes asks up to and including `price`, but none at a loss, under weak and strict acceptance.

    On a grid, half a tick above the highest legal price that is not above `price`; else the next number of the format.
    """
    grid = jnp.where(obs.tick > 0, obs.tick, 1.0)
    above = jnp.where(obs.tick > 0, grid * (jnp.floor(price / grid + 1e-3) + 0.5), jnp.nextafter(price, jnp.inf))
    return jnp.minimum(jnp.where(jnp.isfinite(price), above, price), obs.limit)
