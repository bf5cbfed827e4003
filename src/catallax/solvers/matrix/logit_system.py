"""The logit condition in coordinates without redundancy: what continuation follows."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from catallax.games.matrix import AbstractMatrixGame

from .choice import softmax
from .continuation import Point


class LogitSystem:
    """H(y, p) = y - p r / (ratio scale), y the scores of every player in an orthonormal basis of vectors that sum to 0.

    Its zeros are the logit equilibria at T_k = ratio_k scale / p; scale is the largest |payoff|, so that p has no unit.
    """

    def __init__(self, game: AbstractMatrixGame, ratios: Float[np.ndarray, " n"]):
        self.game, self.ratios = game, ratios
        self.basis = score_basis(game)
        self.heat = np.einsum("da,a->d", self.basis.T**2, np.repeat(ratios, game.width))  # ratio of each coordinate
        self.scale = max(float(np.abs(np.asarray(game.payoff)).max()), np.finfo(float).tiny)
        self.parts = _parts(game)

    def scores(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """From coordinates."""
        return (self.basis @ y).reshape(self.game.players, self.game.width)

    def coordinates(self, scores: Float[np.ndarray, "n A"]) -> Float[np.ndarray, " D"]:
        """Of centred scores."""
        return self.basis.T @ np.asarray(scores, float).reshape(-1)

    def policy(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """softmax of the scores."""
        return np.asarray(softmax(self.game, jnp.asarray(self.scores(y))))

    def __call__(self, y: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H, dH/dy and dH/dp."""
        rewards, push = self.parts(jnp.asarray(self.scores(y)))
        drift = self.basis.T @ np.asarray(rewards, float).reshape(-1) / (self.heat * self.scale)
        size = self.basis.shape[0]
        push = self.basis.T @ np.asarray(push, float).reshape(size, size) @ self.basis
        push = push / (self.heat[:, None] * self.scale)
        return y - p * drift, np.eye(len(y)) - p * push, -drift

    def spectrum(self, point: Point) -> np.ndarray:
        """Eigenvalues of the flow's linearisation, up to the positive factor p."""
        _, jacobian, _ = self(point.at[:-1], float(point.at[-1]))
        return np.linalg.eigvals(-self.heat[:, None] * jacobian)

    def critical(self, point: Point) -> float:
        """The eigenvalue nearest to zero."""
        values = self.spectrum(point)
        return float(np.real(values[np.argmin(np.abs(values))]))

    def unstable(self, point: Point) -> int:
        """How many of them have a positive real part."""
        return int((np.real(self.spectrum(point)) > 0).sum())


def score_basis(game: AbstractMatrixGame) -> Float[np.ndarray, "nA D"]:
    """An orthonormal basis of each player's score vectors with sum 0 (Helmert contrasts)."""
    columns = []
    for k, count in enumerate(game.actions):
        for i in range(1, count):
            vector = np.zeros((game.players, game.width))
            vector[k, :i], vector[k, i] = 1.0, -float(i)
            columns.append(vector.reshape(-1) / np.linalg.norm(vector))
    return np.stack(columns, axis=1) if columns else np.zeros((game.players * game.width, 0))


def _parts(game: AbstractMatrixGame) -> Callable[[Any], tuple[Any, Any]]:
    """Compiled: rewards at softmax(z), and their derivatives in z."""

    @jax.jit
    def parts(z: Any) -> tuple[Any, Any]:
        x = softmax(game, z)
        slopes = x[:, :, None] * (jnp.eye(x.shape[1], dtype=x.dtype) - x[:, None, :])
        return game.rewards(x), game.response(x, slopes)

    return parts
