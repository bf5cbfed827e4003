"""Nash equilibria as all solvers here return them, each verified by its regrets; exploitability."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import NumericalError
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.inputs import policy_on_host
from catallax.solvers.matrix.host.payoff_blocks import bounds, values_and_regrets


class NashEquilibria(NamedTuple):
    """Nash equilibria that were found, m of them; m may be 0. NumPy arrays, double precision."""

    policies: Float[np.ndarray, "m n A"]
    """Probabilities; 0 beyond a player's actions."""
    values: Float[np.ndarray, "m n"]
    """What each player earns."""
    regrets: Float[np.ndarray, "m n"]
    """What the best reply would add: evaluated afterwards, not taken from the method."""
    warning: str = ""
    """What is known to be missing or doubtful, in words; empty if nothing is."""

    @property
    def policy(self) -> Float[np.ndarray, "n A"]:
        """The first of them.

        Raises:
            NumericalError: none was found.
        """
        if len(self.policies) == 0:
            raise NumericalError(f"no Nash equilibrium was found. {self.warning}".strip())
        return self.policies[0]


def exploitability(game: AbstractMatrixGame, policy: Any) -> float:
    """The largest regret of any player: the smallest e for which the policy is an e-Nash equilibrium, payoff units.

    Args:
        policy: [n, A].

    Differs: where "exploitability" means the sum of regrets or its mean, see `nash_conv`.
    """
    return float(values_and_regrets(game, policy_on_host(game, policy))[1].max())


def nash_conv(game: AbstractMatrixGame, policy: Any) -> float:
    """The sum of all players' regrets, as in OpenSpiel; 0 exactly at a Nash equilibrium, payoff units."""
    return float(values_and_regrets(game, policy_on_host(game, policy))[1].sum())


def verified(
    game: AbstractMatrixGame, candidates: Iterable[Any], tol: float | None = None, warning: str = ""
) -> NashEquilibria:
    """The candidates that are equilibria, each once; what is dropped for its regret is said in the warning.

    Args:
        candidates: policies [n, A]; small negative probabilities are put to 0, sums to 1.
        tol: the largest regret allowed, in units of the spread of the player's payoffs; None for 1e-9 (64-bit payoffs)
            or 1e-5 (32-bit).
    """
    allowed = bounds(game, tol)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    dropped, worst = 0, 0.0
    for candidate in candidates:
        x = np.maximum(np.asarray(candidate, float), 0.0)
        x = x / x.sum(axis=1, keepdims=True)
        values, regrets = values_and_regrets(game, x)
        if not (regrets <= allowed).all():
            dropped, worst = dropped + 1, max(worst, float(regrets.max()))
        elif not any(np.abs(x - other).max() < 1e-7 for other, _, _ in kept):
            kept.append((x, values, regrets))
    if dropped:
        why = f"{dropped} candidates were dropped: regrets up to {worst:.2g}, allowed {allowed.max():.2g}."
        warning = f"{warning} {why}".strip()
    shape = (game.players, game.width)
    listed = [np.asarray([row[i] for row in kept]).reshape(-1, *shape[: 2 if i == 0 else 1]) for i in range(3)]
    return NashEquilibria(listed[0], listed[1], listed[2], warning)
