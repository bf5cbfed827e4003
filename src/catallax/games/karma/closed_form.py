"""Allocations without karma whose outcomes are known: a coin, and a dictator who knows every urgency.

For pairwise contests with urgency independent between players and over time, law p over levels u. `cost` is the mean
cost per player and step (minus the efficiency); variances are those of one player's reward in one step, so that over T
steps the population SD of mean rewards is sqrt(variance / T), and that of access shares 1 / (2 sqrt(T)).

Source: Vaishampayan (2024), section 6.3 (COIN and DICT); Elokda et al. (2023).
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .urgency import Urgency


def coin_cost(urgency: Urgency) -> Float[Array, ""]:
    """COIN, a fair coin in every contest: sum_u p(u) u / 2. Also what any rule blind to urgency brings."""
    return 0.5 * urgency.stationary() @ urgency.levels


def dictator_cost(urgency: Urgency) -> Float[Array, ""]:
    """DICT, the higher urgency wins, ties by a coin: sum_u sum_v p(u) p(v) min(u, v) / 2. No rule does better."""
    p, u = urgency.stationary(), urgency.levels
    return 0.5 * p @ jnp.minimum(u[:, None], u[None]) @ p


def coin_reward_variance(urgency: Urgency) -> Float[Array, ""]:
    """Under COIN: E[u^2] / 2 - E[u]^2 / 4."""
    p, u = urgency.stationary(), urgency.levels
    return 0.5 * p @ u**2 - 0.25 * (p @ u) ** 2


def dictator_reward_variance(urgency: Urgency) -> Float[Array, ""]:
    """Under DICT: sum_u p(u) (1 - w(u)) u^2 - cost^2, with w(u) = P(v < u) + P(v = u) / 2 the chance to win."""
    p, u = urgency.stationary(), urgency.levels
    win = (u[:, None] > u[None]) @ p + 0.5 * (u[:, None] == u[None]) @ p
    return p * (1 - win) @ u**2 - dictator_cost(urgency) ** 2
