"""The Q-learning flow linearised: its Jacobian on the tangent space of the simplices, and its eigenvalues."""

from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Complex, Float
from scipy.linalg import block_diag

from catallax.core import InputError, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import policy_on_host, temperatures


class Spectrum(NamedTuple):
    """The linearised flow at a point."""

    eigenvalues: Complex[np.ndarray, " m"]
    """m = sum_k (n_k - 1) of them, the largest real part (the slowest decay) first."""
    matrix: Float[np.ndarray, "m m"]
    """The Jacobian in an orthonormal basis of each player's tangent space; see `spectrum`."""
    tol: float
    """Real parts of at most this size count as zero."""

    @property
    def leading(self) -> float:
        """The largest real part: below 0 the point attracts; -inf where nobody has a choice."""
        return float(np.real(self.eigenvalues).max(initial=-np.inf))

    @property
    def stable(self) -> int:
        """How many directions contract."""
        return int((np.real(self.eigenvalues) < -self.tol).sum())

    @property
    def unstable(self) -> int:
        """How many directions expand."""
        return int((np.real(self.eigenvalues) > self.tol).sum())

    @property
    def neutral(self) -> int:
        """How many directions do neither to first order: rotations of a centre, continua of rest points."""
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
    Shahshahani (1979), the natural one of the simplex; eigenvalues do not depend on them. At a logit equilibrium of a
    weighted zero-sum game the matrix is, after scaling player k by sqrt w_k, skew minus diag T: with one T every real
    part is -T, else all lie in [- max T, - min T]; the trace is - sum_k (n_k - 1) T_k.

    At another point the eigenvalues are those of the equation in strategies x. A player with T_k = 0 may have
    actions of probability 0: they give the transversal eigenvalues r_ki - <p_k, r_k>.

    Args:
        temperature: T >= 0: one number or [n].
        policy: p, [n, A]; P(first action), [n], if everybody has two.
        time: the clock of `QLearningFlow`; "temperature" divides player k's equation by T_k > 0.
        tol: real parts up to tol times the largest of |payoff| and T (by min T with the other clock) count as zero.

    Raises:
        InputError: no profile, a negative temperature, probability 0 where T_k > 0, a zero temperature as clock.

    Source: Hofbauer and Sigmund (1998) for the metric; the structure at logit equilibria by our derivation.
    """
    if time not in ("payoff", "temperature"):
        raise InputError(f"spectrum: time is 'payoff' or 'temperature', got {time!r}")
    check_number("spectrum", "tol", tol, "[0, inf)")
    heat = temperatures(game, temperature, positive=time == "temperature")
    p = policy_on_host(game, policy)
    host = concrete_game(game)
    if ((p <= 0) & host.legal & (heat[:, None] > 0)).any():
        raise InputError("spectrum: where a player explores (T > 0) every action needs a positive probability")
    logs = np.log(np.where(p > 0, p, 1.0))
    gain = host.rewards(p) - heat[:, None] * logs
    excess = gain - (p * gain).sum(axis=1, keepdims=True)
    q = np.sqrt(p)
    clock = 1 / heat if time == "temperature" else np.ones_like(heat)
    bases = [_complement(row[:count]) for row, count in zip(q, game.actions, strict=True)]
    basis = np.asarray(block_diag(*bases))
    some = host.legal.reshape(-1)
    push = (q[:, :, None, None] * host.derivative(p) * q).reshape(some.size, some.size)[some][:, some]
    own = np.diag((excess - heat[:, None])[host.legal])
    speed = np.repeat(clock, game.actions)[:, None]
    matrix = basis.T @ (speed * (push + own)) @ basis
    values = np.linalg.eigvals(matrix).astype(complex)
    order = np.lexsort((-np.imag(values), -np.round(np.real(values), 12)))
    size = max(host.scale, heat.max()) * clock.max()
    return Spectrum(values[order], matrix, float(tol * size))


def _complement(q: Float[np.ndarray, " c"]) -> Float[np.ndarray, "c c-1"]:
    """An orthonormal basis of what is orthogonal to q."""
    return np.linalg.svd(q[None])[2][1:].T
