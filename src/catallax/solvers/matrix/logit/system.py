"""The logit condition in as many coordinates as there are degrees of freedom, as continuation needs it."""

import numpy as np
from jaxtyping import Float

from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game

from .continuation import Point


class LogitSystem:
    """The system H(y, p) = y - p r / (ratio scale) = 0 of logit equilibria at T_k = ratio_k scale / p.

    y are the scores in an orthonormal basis of each player's vectors with sum 0. The scale is the largest |payoff|, so
    that p has no unit.
    """

    def __init__(self, game: AbstractMatrixGame, ratios: Float[np.ndarray, " n"]):
        self.game, self.ratios = game, ratios
        self.basis = score_basis(game)
        self.coordinate_ratios = np.einsum("da,a->d", self.basis.T**2, np.repeat(ratios, game.width))
        self.concrete = concrete_game(game)
        self.scale = self.concrete.scale

    def scores(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """The centred scores with coordinates y."""
        return (self.basis @ y).reshape(self.game.players, self.game.width)

    def coordinates(self, scores: Float[np.ndarray, "n A"]) -> Float[np.ndarray, " D"]:
        """The coordinates y of centred scores."""
        return self.basis.T @ np.asarray(scores, float).reshape(-1)

    def policy(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """softmax of the scores with coordinates y."""
        return self.concrete.policy(self.scores(y))

    def __call__(self, y: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H, dH/dy and dH/dp."""
        x = self.policy(y)
        drift = self.basis.T @ self.concrete.rewards(x).reshape(-1) / (self.coordinate_ratios * self.scale)
        response = self.concrete.response(x).reshape(x.size, x.size)
        response = self.basis.T @ response @ self.basis / (self.coordinate_ratios[:, None] * self.scale)
        return y - p * drift, np.eye(len(y)) - p * response, -drift

    def spectrum(self, point: Point) -> np.ndarray:
        """The eigenvalues of the linearised Q-learning flow, up to the positive factor p."""
        _, jacobian, _ = self(point.at[:-1], float(point.at[-1]))
        return np.linalg.eigvals(-self.coordinate_ratios[:, None] * jacobian)

    def critical(self, point: Point) -> float:
        """The real part of the eigenvalue nearest to zero."""
        values = self.spectrum(point)
        return float(np.real(values[np.argmin(np.abs(values))]))

    def unstable(self, point: Point) -> int:
        """The number of eigenvalues with a positive real part."""
        return int((np.real(self.spectrum(point)) > 0).sum())


def score_basis(game: AbstractMatrixGame) -> Float[np.ndarray, "nA D"]:
    """An orthonormal basis of the score vectors whose sum is 0 for each player (Helmert contrasts)."""
    columns = []
    for k, count in enumerate(game.actions):
        for i in range(1, count):
            vector = np.zeros((game.players, game.width))
            vector[k, :i], vector[k, i] = 1.0, -float(i)
            columns.append(vector.reshape(-1) / np.linalg.norm(vector))
    return np.stack(columns, axis=1) if columns else np.zeros((game.players * game.width, 0))
