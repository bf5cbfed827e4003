"""Rest points of the Q-learning flow with a given support, by a damped Newton method on the host."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from catallax.solvers.matrix.host.game import ConcreteGame, centred_on, softmax_on

_SHARES = 2.0 ** -np.arange(12)
"""The shares of a Newton step that are tried, the whole step first, until the residual falls."""


class SupportPoint(NamedTuple):
    """The point at which Newton's method ended."""

    policy: Float[np.ndarray, "n A"]
    """Its actions outside the support have probability 0."""
    residual: float
    """max |T ln x - r(x)|, centred over each player's actions in the support; in units of payoff."""
    isolated: bool
    """Whether the linearised equations have no other solution. If not, the point lies on a continuum to first order."""


def solve_on_support(
    concrete: ConcreteGame,
    temperatures: Float[np.ndarray, " n"],
    scores: Float[np.ndarray, "n A"],
    support: Bool[np.ndarray, "n A"],
    *,
    steps: int = 50,
) -> SupportPoint:
    """Solves T_k ln x_k(a) - r_k(a) = constant over the actions a of player k in the support.

    Steps have the least norm in ln x, so that on a continuum of solutions the point stays near where it started.

    Args:
        temperatures: T >= 0, [n].
        scores: where Newton's method starts, ln x up to a constant for each player; see `scores_on`.
        support: which actions are played, at least one for each player.
        steps: the largest number of Newton steps.
    """
    z = centred_on(support, scores)
    x = softmax_on(support, z)
    gap = _gap(concrete, temperatures, z, x, support)
    residual, isolated = float(np.abs(gap).max()), True
    rounding = 4 * np.finfo(float).eps * max(concrete.scale, temperatures.max())
    played = support.reshape(-1)
    for _ in range(steps):
        jacobian = _jacobian(concrete, temperatures, x, support)
        move, _, rank, _ = np.linalg.lstsq(jacobian, gap.reshape(-1)[played], rcond=1e-10)
        isolated = int(rank) == int(played.sum()) - len(support)
        if residual <= rounding:
            break
        step = np.zeros(played.size)
        step[played] = move
        for share in _SHARES:
            tried = centred_on(support, z - share * step.reshape(z.shape))
            x_tried = softmax_on(support, tried)
            after = _gap(concrete, temperatures, tried, x_tried, support)
            if np.abs(after).max() < residual:
                break
        else:
            break
        z, x, gap, residual = tried, x_tried, after, float(np.abs(after).max())
    return SupportPoint(x, residual, isolated)


def _gap(
    concrete: ConcreteGame,
    temperatures: Float[np.ndarray, " n"],
    z: Float[np.ndarray, "n A"],
    x: Float[np.ndarray, "n A"],
    support: Bool[np.ndarray, "n A"],
) -> Float[np.ndarray, "n A"]:
    """T z - r(x), centred over the support: 0 at a solution."""
    return centred_on(support, temperatures[:, None] * z - concrete.rewards(x))


def _jacobian(
    concrete: ConcreteGame,
    temperatures: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "n A"],
    support: Bool[np.ndarray, "n A"],
) -> Float[np.ndarray, "s s"]:
    """d gap / dz over the s actions in the support; its null space contains each player's common constant."""
    n, width = x.shape
    played = support.reshape(-1)
    response = concrete.response(x).reshape(n * width, n * width)
    whole = np.diag(np.repeat(temperatures, width)) - response
    owner = np.repeat(np.eye(n), width, axis=0)[played]
    projector = np.eye(int(played.sum())) - owner / support.sum(axis=1) @ owner.T
    return projector @ whole[played][:, played] @ projector
