"""Scripted bidders."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent
from catallax.games.karma import KarmaView


class UrgencyBid(AbstractAgent):
    """Bids a fixed amount at each urgency level, at most what it has."""

    bids: Int[Array, " levels"] = eqx.field(converter=lambda x: jnp.asarray(x, jnp.int32))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: tuple, memory: tuple, obs: KarmaView
    ) -> tuple[Int[Array, ""], tuple, tuple]:
        """No draw."""
        return jnp.minimum(self.bids[obs.urgency], obs.karma), memory, ()
