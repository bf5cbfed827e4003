"""Scripted bidders."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent
from catallax.games.karma import KarmaView


def _integers(x: Sequence[int] | Array) -> Array:
    return jnp.asarray(x, jnp.int32)


class UrgencyBid(AbstractAgent):
    """Bids a fixed amount at each urgency level, at most what it has."""

    bids: Int[Array, " levels"] = eqx.field(converter=_integers)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: tuple, memory: tuple, obs: KarmaView
    ) -> tuple[Int[Array, ""], tuple, tuple]:
        """No draw."""
        return jnp.minimum(self.bids[obs.urgency], obs.karma), memory, ()
