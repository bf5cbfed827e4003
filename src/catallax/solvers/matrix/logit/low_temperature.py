"""Logit equilibria at low temperatures, where the rounding of scores as large as 1 / T ends continuation."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.solvers.matrix.host.game import ConcreteGame

from .given_support import polish

COLD = 1e-3
"""Temperatures up to this share of the largest |payoff| are low."""
_GONE = 1e-290
"""Actions less probable than that are left out of the equations: no reward feels them."""
_FAR = 0.1
"""A halved temperature that moves a probability by more has lost the branch."""


class ColdPoint(NamedTuple):
    """An equilibrium at a low temperature."""

    temperature: float
    policy: Float[np.ndarray, "n A"]
    scores: Float[np.ndarray, "n A"]
    """ln x of the actions in play, (r - max r) / T of those that are gone; centred."""
    unstable: int
    """Directions in which the Q-learning flow grows."""


def settle_cold(
    host: ConcreteGame, ratios: Float[np.ndarray, " n"], temperature: float, policy: Float[np.ndarray, "n A"]
) -> ColdPoint | None:
    """The equilibrium at T_k = temperature ratio_k near a policy; None if Newton's method finds none near.

    Only actions in play enter Newton's method, so that scores in the thousands of others cannot round theirs away.
    """
    heat = temperature * ratios
    live = host.legal & (policy > _GONE)
    found = polish(host, heat, policy, live)
    earned = host.rewards(found.policy)
    logs = np.log(np.where(live, np.maximum(found.policy, 1e-300), 1.0))
    # the soft maximum: what every action in play has in T ln x - r
    level = np.where(live, heat[:, None] * logs - earned, -np.inf).max(axis=1, keepdims=True)
    scores = np.where(live, logs, (earned + level) / heat[:, None])
    gone = host.legal & ~live
    lost = found.residual > 1e-12 * max(host.scale, heat.max()) or (scores[gone] > -600.0).any()
    if lost or np.abs(found.policy - policy).max() > _FAR:
        return None
    return ColdPoint(temperature, found.policy, host.centred(scores), host.unstable(heat, found.policy))


def cool(
    host: ConcreteGame,
    ratios: Float[np.ndarray, " n"],
    temperature: float,
    policy: Float[np.ndarray, "n A"],
    coldest: float,
) -> tuple[list[ColdPoint], bool]:
    """Equilibria at temperatures halved until `coldest`, and whether it was reached without a change of stability."""
    points: list[ColdPoint] = []
    while temperature > coldest:
        temperature = max(temperature / 2, coldest)
        after = settle_cold(host, ratios, temperature, policy)
        if after is None or (points and after.unstable != points[-1].unstable):
            return points, False
        points.append(after)
        policy = after.policy
    return points, True
