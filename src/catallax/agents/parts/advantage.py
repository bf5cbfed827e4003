"""Advantages of what was done over what the value function expected."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def generalised_advantage(
    reward: Float[Array, "B T"],
    discount: Float[Array, "B T"],
    value: Float[Array, "B T+1"],
    lambda_: float | Float[Array, ""],
) -> Float[Array, "B T"]:
    """Generalised advantage estimates of B sequences.

    A_t = sum_{l >= 0} lambda^l (prod_{i < l} d_{t+i}) delta_{t+l}, with delta_t = r_t + d_t V_{t+1} - V_t and d the
    full discount of each tick (0 where an episode ended). The value after the last tick bootstraps a sequence that was
    only cut; lambda = 0 gives one-step errors, lambda = 1 Monte Carlo returns less V_t.

    Args:
        reward, discount: of each tick.
        value: at each observation, the one after the last tick included.

    Source: Schulman, Moritz, Levine, Jordan and Abbeel (2016), equation 16.
    """
    error = reward + discount * value[:, 1:] - value[:, :-1]

    def back(later: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        error, discount = now
        later = error + discount * lambda_ * later
        return later, later

    _, advantage = jax.lax.scan(back, jnp.zeros(reward.shape[0]), (error.T, discount.T), reverse=True)
    return advantage.T
