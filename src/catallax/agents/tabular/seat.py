"""What a learner asks of its seat: how many actions it has, and what each of them would have earned."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import Batch, BuildError, Discrete, Masked, Spec
from catallax.games.forgone import Forgone, ForgoneInState


def actions_of(who: str, spec: Spec) -> int:
    """How many actions the seat has, for a learner that always chooses among all of them.

    Raises:
        BuildError: a seat whose actions are not `Discrete`, or of which the view says that some are not legal.
    """
    if not isinstance(spec.action, Discrete):
        raise BuildError(f"{who} needs a Discrete action space, this seat has {spec.action}")
    if isinstance(spec.obs, Masked):
        raise BuildError(f"{who} cannot keep to legal actions, and its view is Masked; take QLearning, DQN or PPO")
    return spec.action.n


def actions_with_forgone_payoffs(who: str, spec: Spec) -> int:
    """How many actions the seat has, for a learner from forgone payoffs.

    Raises:
        BuildError: as `actions_of`, or a seat that does not see a forgone payoff for each action.
    """
    n = actions_of(who, spec)
    if not isinstance(spec.obs, Forgone | ForgoneInState) or spec.obs.payoff.shape != (n,):
        raise BuildError(
            f"{who} learns from what every action would have earned, and this seat does not see that; let the game "
            'show it: Repeated(stage, shows="forgone") or SealedBid(bids, feedback="full")'
        )
    return n


def lived(batch: Batch) -> tuple[Int[Array, "T B"], Float[Array, "T B A"]]:
    """Actions and forgone payoffs of each tick: the payoffs are seen after it."""
    seen: Any = batch.obs
    return batch.action.T, jnp.moveaxis(seen.payoff[:, 1:], 1, 0)
