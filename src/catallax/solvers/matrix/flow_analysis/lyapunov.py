"""The Lyapunov function of Q-learning in weighted zero-sum games, its derivative, its balance along a trajectory."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import rel_entr
from jaxtyping import Array, Float

from catallax.core import check_count, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import interior_policy, policy_on_host, temperatures_on_host, weights_on_host
from catallax.solvers.matrix.host.trajectory import integrate_on_host


def divergences(p: Float[Array, "n A *#batch"], x: Float[Array, "n A *#batch"]) -> Float[Array, "n *batch"]:
    """KL(p_k || x_k) = sum_a p ln(p / x) of each player, in nats, with 0 ln 0 = 0.

    It is infinite if x gives probability 0 to an action that p plays.
    """
    return rel_entr(p, x).sum(axis=1)


def weighted_divergence(
    weights: Float[Array | np.ndarray, " n"], p: Float[Array, "n A *#batch"], x: Float[Array, "n A *#batch"]
) -> Float[Array, "*batch"]:
    """D_w(p || x) = sum_k w_k KL(p_k || x_k), in nats.

    If p is the logit equilibrium and w are the zero-sum weights, it falls along every interior trajectory of the
    Q-learning flow. At T = 0, with p an interior Nash equilibrium, it is conserved.

    Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1.
    """
    return jnp.tensordot(jnp.asarray(weights), divergences(p, x), axes=1)


def divergence_rate(
    weights: Float[Array | np.ndarray, " n"],
    temperature: Float[Array | np.ndarray, " n"],
    p: Float[Array, "n A *#batch"],
    x: Float[Array, "n A *#batch"],
) -> Float[Array, "*batch"]:
    """dD_w/dt along the flow in a weighted zero-sum game: - sum_k w_k T_k [KL(p_k || x_k) + KL(x_k || p_k)].

    It is exact if p is the logit equilibrium at T or, at T = 0, an interior Nash equilibrium. It is at most
    - min(T) D_w.

    Source: Leonardos, Piliouras and Spendlove (2021), equation 14.
    """
    return -jnp.tensordot(
        jnp.asarray(weights) * jnp.asarray(temperature), divergences(p, x) + divergences(x, p), axes=1
    )


def player_divergence_rates(
    game: AbstractMatrixGame, temperature: Any, p: Float[Array, "n A"], x: Float[Array, "n A"]
) -> Float[Array, " n"]:
    """d/dt KL(p_k || x_k) along the flow, for each player, in any game with logit equilibrium p at T:

        <x_k - p_k, r_k(x) - r_k(p)> - T_k [KL(p_k || x_k) + KL(x_k || p_k)].

    Source: Leonardos, Piliouras and Spendlove (2021), lemma 4.2.
    """
    from_rewards = ((x - p) * (game.rewards(x) - game.rewards(p))).sum(axis=1)
    return from_rewards - jnp.asarray(temperature) * (divergences(p, x) + divergences(x, p))


class LyapunovBalance(NamedTuple):
    """Both sides of D_w(x(t)) - D_w(x(0)) = - integral_0^t sum_k w_k T_k [KL(p_k || x_k) + KL(x_k || p_k)] ds."""

    times: Float[np.ndarray, " T"]
    divergence: Float[np.ndarray, " T"]
    """D_w(p || x(t)), nats."""
    integral: Float[np.ndarray, " T"]
    """The integral of the rate up to t, nats."""

    @property
    def imbalance(self) -> float:
        """The largest difference of the two sides; where the identity holds it is rounding and integration error."""
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

    In a weighted zero-sum game, with its weights w and its logit equilibrium p (at T = 0 an interior Nash equilibrium),
    the two sides agree. With other weights, or in another game, they differ.

    Args:
        temperature: T >= 0: one number or [n].
        start: interior policy, [n, A]; if all players have two actions, P(first action), [n], is enough.
        duration: how long the flow is followed, in units of time of the payoffs.
        target: p, [n, A].
        weights: w > 0, [n].
        points: the number of equidistant times, the first 0.

    Raises:
        InputError: the start is no interior point, or the duration or a weight is not positive.
        NumericalError: the integration failed.

    Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1 and equation 14.
    """
    check_number("lyapunov_balance", "duration", duration, "(0, inf)")
    check_count("lyapunov_balance", "points", points, least=2)
    temperatures, concrete = temperatures_on_host(game, temperature), concrete_game(game)
    p, w = policy_on_host(game, target), weights_on_host(game, weights)
    shape, log_p = p.shape, np.log(np.where(p > 0, p, 1.0))

    def log_policy(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = np.where(concrete.legal, flat.reshape(shape), -np.inf)
        z = z - z.max(axis=1, keepdims=True)
        log = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return np.exp(log), np.where(concrete.legal, log, 0.0)

    def field(_: float, state: np.ndarray) -> np.ndarray:
        x, log_x = log_policy(state[:-1])
        drift = concrete.centred(concrete.rewards(x) - temperatures[:, None] * log_x)
        both = ((p - x) * (log_p - log_x)).sum(axis=1)  # KL(p || x) + KL(x || p)
        return np.append(drift.reshape(-1), -(w * temperatures) @ both)

    x0 = interior_policy(game, start)
    times = np.linspace(0.0, duration, points)
    begin = np.append(concrete.scores(x0).reshape(-1), 0.0)
    path = integrate_on_host("lyapunov_balance", field, begin, (0.0, float(duration)), tol=1e-12, times=times)
    divergence = [w @ (p * (log_p - log_policy(state[:-1])[1])).sum(axis=1) for state in path.y.T]
    return LyapunovBalance(times, np.asarray(divergence), path.y[-1])
