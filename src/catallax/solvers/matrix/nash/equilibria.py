"""The result type of all Nash solvers, how results are verified by their regrets, and pure equilibria."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import InputError, NumericalError
from catallax.games.matrix import AbstractMatrixGame, to_arrays
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import policy_on_host
from catallax.solvers.matrix.host.payoff_blocks import bounds, tolerance


class NashEquilibria(NamedTuple):
    """The m Nash equilibria that a solver found; m may be 0. NumPy arrays in double precision."""

    policies: Float[np.ndarray, "m n A"]
    """Probabilities; 0 for columns that are no actions of the player."""
    values: Float[np.ndarray, "m n"]
    """What each player earns."""
    regrets: Float[np.ndarray, "m n"]
    """How much more each player's best reply would earn. It is computed from the policies, not by the solver."""
    warning: str = ""
    """A text on equilibria that are known to be missing or doubtful; empty if there are none."""

    @property
    def policy(self) -> Float[np.ndarray, "n A"]:
        """The first equilibrium.

        Raises:
            NumericalError: the solver found no equilibrium.
        """
        if len(self.policies) == 0:
            raise NumericalError(f"no Nash equilibrium was found. {self.warning}".strip())
        return self.policies[0]


def largest_regret(game: AbstractMatrixGame, policy: Any) -> float:
    """The smallest e for which the policy is an e-Nash equilibrium: the largest regret of any player, payoff units.

    Args:
        policy: [n, A]; if all players have two actions, P(first action), [n], is enough.

    Raises:
        InputError: the policy is no profile of mixed strategies of this game.
    """
    return float(concrete_game(game).values_and_regrets(policy_on_host(game, policy))[1].max())


def nash_conv(game: AbstractMatrixGame, policy: Any) -> float:
    """NashConv: the sum of all players' regrets, in payoff units; it is 0 exactly at Nash equilibria.

    In two-player zero-sum games NashConv / 2 is called exploitability.

    Args and errors: as `largest_regret`.

    Source: Lanctot et al. (2017); OpenSpiel uses the same definition.
    """
    return float(concrete_game(game).values_and_regrets(policy_on_host(game, policy))[1].sum())


def pure_nash(game: AbstractMatrixGame, *, tol: float | None = None) -> NashEquilibria:
    """All Nash equilibria in pure strategies, in the order of profiles (the last player's action varies fastest).

    The function looks at every profile, so the size of the game is limited. There may be no pure equilibrium.

    Args:
        tol: gains up to tol times the spread of payoffs count as none; None for 1e-9 (64-bit payoffs) or 1e-5.

    Raises:
        InputError: the game has too many profiles, or is no game in matrix form.
    """
    if not isinstance(game, AbstractMatrixGame):
        raise InputError(
            f"pure_nash takes games in matrix form, not a {type(game).__name__}; for sealed-bid auctions use "
            "pure_equilibria of catallax.games.sealed_bid"
        )
    tables = to_arrays(game)
    slack = bounds(game, tol)
    stable = np.ones(game.actions, dtype=bool)
    for k, table in enumerate(tables):
        stable &= table >= table.max(axis=k, keepdims=True) - slack[k]
    profiles = np.argwhere(stable)
    policies = np.zeros((len(profiles), game.players, game.width))
    np.put_along_axis(policies, profiles[:, :, None], 1.0, axis=2)
    return verified(game, policies, 2 * tolerance(game, tol))


def verified(
    game: AbstractMatrixGame, candidates: Iterable[Any], tol: float | None = None, warning: str = ""
) -> NashEquilibria:
    """The candidates that are equilibria by their regrets, each listed once.

    Args:
        candidates: policies [n, A]; small negative probabilities are set to 0 and rows are scaled to sum to 1.
        tol: the largest regret allowed, in units of the spread of the player's payoffs; None for 1e-9 (64-bit payoffs)
            or 1e-5 (32-bit).
        warning: where the warning of the result begins; the number of dropped candidates is added to it.
    """
    allowed, concrete = bounds(game, tol), concrete_game(game)
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    dropped, worst = 0, 0.0
    for candidate in candidates:
        x = np.maximum(np.asarray(candidate, float), 0.0)
        x = x / x.sum(axis=1, keepdims=True)
        values, regrets = concrete.values_and_regrets(x)
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
