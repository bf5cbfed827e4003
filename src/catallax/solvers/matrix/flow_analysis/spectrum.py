"""The linearised Q-learning flow: its Jacobian on the tangent space of the simplices, and its eigenvalues."""

from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Complex, Float
from scipy.linalg import block_diag

from catallax.core import InputError, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import policy_on_host, temperatures_on_host


class Spectrum(NamedTuple):
    """The linearised flow at a point."""

    eigenvalues: Complex[np.ndarray, " m"]
    """The m = sum_k (n_k - 1) eigenvalues, the one with the largest real part (the slowest decay) first."""
    matrix: Float[np.ndarray, "m m"]
    """The Jacobian in an orthonormal basis of each player's tangent space; see `spectrum`."""
    tol: float
    """Real parts count as zero if their absolute value is at most this."""

    @property
    def leading(self) -> float:
        """The largest real part; the point attracts if it is below 0. It is -inf if no player has a choice."""
        return float(np.real(self.eigenvalues).max(initial=-np.inf))

    @property
    def stable(self) -> int:
        """The number of directions that contract."""
        return int((np.real(self.eigenvalues) < -self.tol).sum())

    @property
    def unstable(self) -> int:
        """The number of directions that expand."""
        return int((np.real(self.eigenvalues) > self.tol).sum())

    @property
    def neutral(self) -> int:
        """The number of directions that do neither to first order, as at a centre or on a continuum of rest points."""
        return len(self.eigenvalues) - self.stable - self.unstable


def spectrum(
    game: AbstractMatrixGame,
    temperature: Any,
    policy: Any,
    *,
    time: Literal["payoff", "temperature"] = "payoff",
    tol: Any = 1e-8,
) -> Spectrum:
    """Linearises dx_ki/dt = x_ki (g_ki - <x_k, g_k>), g = r(x) - T ln x, at a profile p.

    With D = diag p and M = dr/dx the Jacobian in the coordinates y = D^(-1/2) x is

        diag(g - <p, g>) - T + D^(1/2) M D^(1/2),

    projected on the complement of sqrt p_k for each player. These coordinates are orthonormal in the metric of
    Shahshahani (1979) on the simplex; the eigenvalues do not depend on the coordinates. At a logit equilibrium of a
    weighted zero-sum game the matrix is, after scaling player k by sqrt w_k, a skew matrix minus diag T. So with equal
    T every real part is -T; otherwise all lie in [- max T, - min T]. The trace is - sum_k (n_k - 1) T_k.

    At points that are not at rest the eigenvalues are those of the equation in strategies x. A player with T_k = 0 may
    have actions with probability 0, which give the transversal eigenvalues r_ki - <p_k, r_k>.

    Args:
        temperature: T >= 0: one number or [n].
        policy: p, [n, A]; if all players have two actions, P(first action), [n], is enough.
        time: the clock, as in `QLearningFlow`; "temperature" divides the equation of player k by T_k > 0.
        tol: real parts up to tol times the largest of |payoff| and T count as zero; with time "temperature" this bound
            is divided by min T.

    Raises:
        InputError: the policy is no profile, or has probability 0 where T_k > 0; a temperature is negative, or is 0
            with time "temperature".

    Source: Hofbauer and Sigmund (1998) for the metric; the structure at logit equilibria is our derivation.
    """
    if time not in ("payoff", "temperature"):
        raise InputError(f"spectrum: time is 'payoff' or 'temperature', got {time!r}")
    check_number("spectrum", "tol", tol, "[0, inf)")
    temperatures = temperatures_on_host(game, temperature, positive=time == "temperature")
    p = policy_on_host(game, policy)
    concrete = concrete_game(game)
    if ((p <= 0) & concrete.legal & (temperatures[:, None] > 0)).any():
        raise InputError("spectrum: where a player explores (T > 0) every action needs a positive probability")
    logs = np.log(np.where(p > 0, p, 1.0))
    gain = concrete.rewards(p) - temperatures[:, None] * logs
    excess = gain - (p * gain).sum(axis=1, keepdims=True)
    q = np.sqrt(p)
    clock = 1 / temperatures if time == "temperature" else np.ones_like(temperatures)
    bases = [_complement(row[:count]) for row, count in zip(q, game.actions, strict=True)]
    basis = np.asarray(block_diag(*bases))
    legal = concrete.legal.reshape(-1)
    others = (q[:, :, None, None] * concrete.derivative(p) * q).reshape(legal.size, legal.size)[legal][:, legal]
    own = np.diag((excess - temperatures[:, None])[concrete.legal])
    speed = np.repeat(clock, game.actions)[:, None]
    matrix = basis.T @ (speed * (others + own)) @ basis
    values = np.linalg.eigvals(matrix).astype(complex)
    order = np.lexsort((-np.imag(values), -np.round(np.real(values), 12)))
    size = max(concrete.scale, temperatures.max()) * clock.max()
    return Spectrum(values[order], matrix, float(tol * size))


def _complement(q: Float[np.ndarray, " c"]) -> Float[np.ndarray, "c c-1"]:
    """An orthonormal basis of the complement of q."""
    return np.linalg.svd(q[None])[2][1:].T
