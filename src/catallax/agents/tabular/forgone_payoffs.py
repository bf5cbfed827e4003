"""What learners from forgone payoffs share: the check of their seat, and one tick's payoffs out of a batch."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import Batch, BuildError, Discrete, Spec
from catallax.games.forgone import Forgone, ForgoneInState


def actions_of(who: str, spec: Spec) -> int:
    """How many actions the seat has.

    Raises:
        BuildError: a seat whose actions are not `Discrete`, or that does not see a forgone payoff for each of them.
    """
    if not isinstance(spec.action, Discrete):
        raise BuildError(f"{who} needs a Discrete action space, this seat has {spec.action}")
    if not isinstance(spec.obs, Forgone | ForgoneInState) or spec.obs.payoff.shape != (spec.action.n,):
        raise BuildError(
            f"{who} learns from what every action would have earned, and this seat does not see that; let the game "
            'show it: Repeated(stage, shows="forgone") or SealedBid(bids, feedback="full")'
        )
    return spec.action.n


def lived(batch: Batch) -> tuple[Int[Array, "T B"], Float[Array, "T B A"]]:
    """Actions and forgone payoffs of each tick: the payoffs are seen after it."""
    seen: Any = batch.obs
    return batch.action.T, jnp.moveaxis(seen.payoff[:, 1:], 1, 0)
