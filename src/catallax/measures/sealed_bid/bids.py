"""What is kept of sealed-bid auctions held again and again."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, Variable, count
from catallax.games.sealed_bid import SealedBid


class Revenue(AbstractMeasure):
    """Payments since the start, a running sum that the game keeps.

    The mean over the auctions between two evaluations is the difference of two values divided by their number, so that
    no auction is left out although few are looked at.
    """

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("revenue", ("copy",), "money", "all payments since the start, fees included"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the worlds after the phase."""
        return {"revenue": state.worlds.revenue}


class LastBids(AbstractMeasure):
    """What everybody bid in the last auction."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One bid for each copy and bidder."""
        return (Variable("bid", ("copy", "bidder"), "money", "the last bids; 0 of those who stayed out"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the worlds after the phase."""
        game: SealedBid = dynamics.game
        padded = jnp.append(game.bids, jnp.zeros(1, game.bids.dtype))
        return {"bid": padded[state.worlds.action]}
