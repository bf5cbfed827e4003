"""Logit equilibria at low temperatures, at which scores grow like 1 / T and their rounding errors stop continuation."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.solvers.matrix.host.game import ConcreteGame, scores_on

from .given_support import solve_on_support

LOW = 1e-3
"""Temperatures up to this share of the largest |payoff| count as low."""
_NEGLIGIBLE = 1e-290
"""Actions with a lower probability are left out of the equations: they do not change any reward."""
_JUMP = 0.1
"""If halving the temperature changes a probability by more than this, the branch is lost."""


class LowTemperaturePoint(NamedTuple):
    """A logit equilibrium at a low temperature."""

    temperature: float
    """s, where T_k = s ratio_k."""
    policy: Float[np.ndarray, "n A"]
    scores: Float[np.ndarray, "n A"]
    """ln x of the actions that are played, (r - max r) / T of those with negligible probability; centred."""
    unstable: int
    """The number of unstable directions of the Q-learning flow."""


def solve_at_low_temperature(
    concrete: ConcreteGame, ratios: Float[np.ndarray, " n"], temperature: float, policy: Float[np.ndarray, "n A"]
) -> LowTemperaturePoint | None:
    """The equilibrium at T_k = temperature ratio_k near a policy; None if Newton's method finds none near it.

    Newton's method solves only for the actions whose probability is not negligible. The scores of the other actions may
    be in the thousands, and their rounding errors would make the solution less accurate.
    """
    temperatures = temperature * ratios
    played = concrete.legal & (policy > _NEGLIGIBLE)
    found = solve_on_support(concrete, temperatures, scores_on(played, policy), played)
    rewards = concrete.rewards(found.policy)
    logs = np.log(np.where(played, np.maximum(found.policy, 1e-300), 1.0))
    # T ln x - r is the same for all played actions of a player; it also gives the scores of the others
    level = np.where(played, temperatures[:, None] * logs - rewards, -np.inf).max(axis=1, keepdims=True)
    scores = np.where(played, logs, (rewards + level) / temperatures[:, None])
    others = concrete.legal & ~played
    failed = found.residual > 1e-12 * max(concrete.scale, temperatures.max()) or (scores[others] > -600.0).any()
    if failed or np.abs(found.policy - policy).max() > _JUMP:
        return None
    unstable = concrete.unstable(temperatures, found.policy)
    return LowTemperaturePoint(temperature, found.policy, concrete.centred(scores), unstable)


def halve_temperature(
    concrete: ConcreteGame,
    ratios: Float[np.ndarray, " n"],
    temperature: float,
    policy: Float[np.ndarray, "n A"],
    lowest: float,
) -> tuple[list[LowTemperaturePoint], bool]:
    """Equilibria at temperatures that are halved until `lowest`.

    The second result says whether `lowest` was reached without a change of stability on the way.
    """
    points: list[LowTemperaturePoint] = []
    while temperature > lowest:
        temperature = max(temperature / 2, lowest)
        after = solve_at_low_temperature(concrete, ratios, temperature, policy)
        if after is None or (points and after.unstable != points[-1].unstable):
            return points, False
        points.append(after)
        policy = after.policy
    return points, True
