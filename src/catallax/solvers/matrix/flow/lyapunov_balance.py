"""The Lyapunov identity along a whole trajectory: the change of the divergence beside the integral of its rate."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

from catallax.core import NumericalError, check_count, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import interior_policy, policy_on_host, temperatures, weights_on_host


class LyapunovBalance(NamedTuple):
    """Both sides of D_w(x(t)) - D_w(x(0)) = - integral_0^t sum_k w_k T_k [KL(p_k || x_k) + KL(x_k || p_k)] ds."""

    times: Float[np.ndarray, " T"]
    divergence: Float[np.ndarray, " T"]
    """D_w(p || x(t)), nats."""
    integral: Float[np.ndarray, " T"]
    """The integral of the rate up to t, nats."""

    @property
    def imbalance(self) -> float:
        """The largest difference of the two sides: rounding and integration error where the identity holds."""
        return float(np.abs(self.divergence - self.divergence[0] - self.integral).max())


def lyapunov_balance(
    game: AbstractMatrixGame,
    temperature: Any,
    start: Any,
    duration: Any,
    *,
    target: Any,
    weights: Any,
    points: int = 33,
) -> LyapunovBalance:
    """Integrates the Q-learning flow together with the rate of its Lyapunov function (DOP853, tolerance 1e-12).

    In a weighted zero-sum game, with w its weights and p the logit equilibrium (at T = 0 an interior Nash equilibrium),
    the two sides agree; with other weights, or in another game, they do not.

    Args:
        temperature: T >= 0: one number or [n].
        start: interior policy, [n, A]; P(first action), [n], if everybody has two.
        duration: time to follow the flow.
        target: p, [n, A].
        weights: w > 0, [n].
        points: equidistant times, the first 0.

    Raises:
        InputError: a start that is no interior point, a duration or weight that is not positive.
        NumericalError: the integration failed.

    Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1 and equation 14.
    """
    check_number("lyapunov_balance", "duration", duration, "(0, inf)")
    check_count("lyapunov_balance", "points", points, least=2)
    heat, host = temperatures(game, temperature), concrete_game(game)
    p, w = policy_on_host(game, target), weights_on_host(game, weights)
    shape, log_p = p.shape, np.log(np.where(p > 0, p, 1.0))

    def log_policy(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = np.where(host.legal, flat.reshape(shape), -np.inf)
        z = z - z.max(axis=1, keepdims=True)
        log = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return np.exp(log), np.where(host.legal, log, 0.0)

    def field(_: float, state: np.ndarray) -> np.ndarray:
        x, log_x = log_policy(state[:-1])
        move = host.centred(host.rewards(x) - heat[:, None] * log_x)
        both = ((p - x) * (log_p - log_x)).sum(axis=1)  # KL(p || x) + KL(x || p)
        return np.append(move.reshape(-1), -(w * heat) @ both)

    x0 = interior_policy(game, start)
    times = np.linspace(0.0, duration, points)
    begin = np.append(host.scores(x0).reshape(-1), 0.0)
    path = solve_ivp(field, (0.0, duration), begin, "DOP853", times, rtol=1e-12, atol=1e-12)
    if not path.success:
        raise NumericalError(f"lyapunov_balance: the integration failed at time {path.t[-1]:g}: {path.message}")
    divergence = [w @ (p * (log_p - log_policy(state[:-1])[1])).sum(axis=1) for state in path.y.T]
    return LyapunovBalance(times, np.asarray(divergence), path.y[-1])
