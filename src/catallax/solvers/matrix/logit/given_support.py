"""Rest points of the Q-learning flow inside a given face of the simplices, by Newton's method on the host."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from catallax.solvers.matrix.host.game import ConcreteGame, centred_on, softmax_on

_SHARES = 2.0 ** -np.arange(12)
"""Shares of a Newton step that are tried, the whole one first, until the residual falls."""


class FacePoint(NamedTuple):
    """Where Newton's method came to rest on the face."""

    policy: Float[np.ndarray, "n A"]
    residual: float
    """max |T ln x - r(x)|, centred over each player's actions on the face; in units of payoff."""
    isolated: bool
    """Whether the linearised equations single the point out; if not it lies, to first order, on a continuum."""


def polish(
    host: ConcreteGame,
    heat: Float[np.ndarray, " n"],
    policy: Float[np.ndarray, "n A"],
    face: Bool[np.ndarray, "n A"],
    *,
    steps: int = 50,
) -> FacePoint:
    """Solves T_k ln x_k(a) - r_k(a) = constant over the actions a of player k on the face, starting near `policy`.

    Steps are of least norm in ln x, so that on a continuum of solutions the point stays where it was.

    Args:
        heat: T >= 0, [n].
        policy: positive on the face; what it has elsewhere is cut off.
        face: which actions are played, at least one for each player.
    """
    z = centred_on(face, np.log(np.where(face, np.maximum(policy, 1e-300), 1.0)))
    x = softmax_on(face, z)
    gap = _gap(host, heat, z, x, face)
    rest, isolated = float(np.abs(gap).max()), True
    floor = 4 * np.finfo(float).eps * max(host.scale, heat.max())
    some = face.reshape(-1)
    for _ in range(steps):
        jacobian = _jacobian(host, heat, x, face)
        move, _, rank, _ = np.linalg.lstsq(jacobian, gap.reshape(-1)[some], rcond=1e-10)
        isolated = int(rank) == int(some.sum()) - len(face)
        if rest <= floor:
            break
        step = np.zeros(some.size)
        step[some] = move
        for share in _SHARES:
            tried = centred_on(face, z - share * step.reshape(z.shape))
            x_tried = softmax_on(face, tried)
            after = _gap(host, heat, tried, x_tried, face)
            if np.abs(after).max() < rest:
                break
        else:
            break
        z, x, gap, rest = tried, x_tried, after, float(np.abs(after).max())
    return FacePoint(x, rest, isolated)


def _gap(
    host: ConcreteGame,
    heat: Float[np.ndarray, " n"],
    z: Float[np.ndarray, "n A"],
    x: Float[np.ndarray, "n A"],
    face: Bool[np.ndarray, "n A"],
) -> Float[np.ndarray, "n A"]:
    return centred_on(face, heat[:, None] * z - host.rewards(x))


def _jacobian(
    host: ConcreteGame, heat: Float[np.ndarray, " n"], x: Float[np.ndarray, "n A"], face: Bool[np.ndarray, "n A"]
) -> Float[np.ndarray, "f f"]:
    """d gap / dz on the face; its null space holds each player's common constant."""
    n, width = x.shape
    some = face.reshape(-1)
    push = host.response(x).reshape(n * width, n * width)
    whole = np.diag(np.repeat(heat, width)) - push
    whose = np.repeat(np.eye(n), width, axis=0)[some]
    projector = np.eye(int(some.sum())) - whose / face.sum(axis=1) @ whose.T
    return projector @ whole[some][:, some] @ projector
