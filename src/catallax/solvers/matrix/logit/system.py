"""The logit condition in coordinates without redundancy: what continuation follows."""

import numpy as np
from jaxtyping import Float

from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import concrete_game

from .continuation import Point


class LogitSystem:
    """H(y, p) = y - p r / (ratio scale), y the scores of every player in an orthonormal basis of vectors that sum to 0.

    Its zeros are the logit equilibria at T_k = ratio_k scale / p; scale is the largest |payoff|, so that p has no unit.
    """

    def __init__(self, game: AbstractMatrixGame, ratios: Float[np.ndarray, " n"]):
        self.game, self.ratios = game, ratios
        self.basis = score_basis(game)
        self.heat = np.einsum("da,a->d", self.basis.T**2, np.repeat(ratios, game.width))  # ratio of each coordinate
        self.host = concrete_game(game)
        self.scale = self.host.scale

    def scores(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """From coordinates."""
        return (self.basis @ y).reshape(self.game.players, self.game.width)

    def coordinates(self, scores: Float[np.ndarray, "n A"]) -> Float[np.ndarray, " D"]:
        """Of centred scores."""
        return self.basis.T @ np.asarray(scores, float).reshape(-1)

    def policy(self, y: Float[np.ndarray, " D"]) -> Float[np.ndarray, "n A"]:
        """softmax of the scores."""
        return self.host.policy(self.scores(y))

    def __call__(self, y: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H, dH/dy and dH/dp."""
        x = self.policy(y)
        drift = self.basis.T @ self.host.rewards(x).reshape(-1) / (self.heat * self.scale)
        push = self.host.response(x).reshape(x.size, x.size)
        push = self.basis.T @ push @ self.basis / (self.heat[:, None] * self.scale)
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
