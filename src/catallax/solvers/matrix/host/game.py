"""A concrete game on the host in double precision, whatever its own dtype: rewards, derivatives, the flow."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from catallax.games.matrix import AbstractMatrixGame, NormalForm, Polymatrix, as_normal_form, check_game

from .payoff_blocks import scale_of

Rewards = Callable[[np.ndarray], np.ndarray]


class ConcreteGame(NamedTuple):
    """What the analysis of one game needs, as NumPy functions of policies [n, A]."""

    legal: Bool[np.ndarray, "n A"]
    """Which columns are actions of the player."""
    rewards: Rewards
    """r(x), [n, A]; 0 beyond a player's actions."""
    derivative: Rewards
    """dr_ki / dx_lj, [n, A, n, A]; constant in polymatrix games."""
    scale: float
    """The largest |payoff|; 1 if all are 0."""

    def policy(self, scores: np.ndarray) -> np.ndarray:
        """softmax over the player's actions, [n, A]."""
        return softmax_on(self.legal, scores)

    def scores(self, policy: np.ndarray) -> np.ndarray:
        """Centred log-probabilities of an interior policy, [n, A]; 0 beyond the player's actions."""
        return self.centred(np.log(np.where(self.legal, policy, 1.0)))

    def drift(self, temperature: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """dz/dt of the Q-learning flow, r(softmax z) - T z, centred, [n, A]."""
        return self.centred(self.rewards(self.policy(scores)) - temperature[:, None] * scores)

    def response(self, policy: np.ndarray) -> np.ndarray:
        """dr_ki / dz_lj, [n, A, n, A]: how rewards move with the others' scores."""
        slopes = policy[:, :, None] * (np.eye(policy.shape[1]) - policy[:, None, :])
        return np.einsum("kilb,lbj->kilj", self.derivative(policy), slopes)

    def unstable(self, temperature: np.ndarray, policy: np.ndarray) -> int:
        """Eigenvalues of the flow's linearisation in scores, P dr/dz - T, with a positive real part.

        Those beyond the tangent space (a player's constant, actions that do not exist) are -T.
        """
        n, width = policy.shape
        push = self.response(policy).reshape(n, width, n * width)
        push = np.stack([self.centred(column) for column in np.moveaxis(push, -1, 0)], axis=-1)
        matrix = push.reshape(n * width, -1) - np.diag(np.repeat(temperature, width))
        return int((np.real(np.linalg.eigvals(matrix)) > 0).sum())

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Values [n, A] less their mean over the player's actions; 0 beyond them."""
        return centred_on(self.legal, values)


def centred_on(some: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values [n, A] less each player's mean over the columns where `some` holds; 0 elsewhere."""
    mean = np.where(some, values, 0.0).sum(axis=1, keepdims=True) / some.sum(axis=1, keepdims=True)
    return np.where(some, values - mean, 0.0)


def softmax_on(some: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """softmax of scores [n, A] over each player's columns where `some` holds; 0 elsewhere."""
    z = np.where(some, scores, -np.inf)
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def concrete_game(game: AbstractMatrixGame) -> ConcreteGame:
    """The game as NumPy functions: matrix products for a polymatrix game, tensor contractions for any other."""
    check_game(game)
    if isinstance(game, Polymatrix):
        payoff = np.asarray(game.matrix(), float)
        flat = payoff.reshape(game.players * game.width, -1)
        rewards: Rewards = lambda x: (flat @ x.reshape(-1)).reshape(x.shape)
        derivative: Rewards = lambda x: payoff
    else:
        tables = as_normal_form(game)
        payoff = np.asarray(tables.payoff, float)
        rewards, derivative = _contractions(payoff, tables)
    return ConcreteGame(game.legal, rewards, derivative, scale_of(game))


def _contractions(payoff: Float[np.ndarray, "n *actions"], game: NormalForm) -> tuple[Rewards, Rewards]:
    """Expected payoffs over everybody's actions but some."""
    n, width, counts = game.players, game.width, game.actions

    def over_others(x: np.ndarray, k: int, kept: list[int]) -> np.ndarray:
        operands: list[Any] = [payoff[k], list(range(n))]
        for m in range(n):
            if m not in kept:
                operands += [x[m, : counts[m]], [m]]
        return np.einsum(*operands, kept, optimize=True)

    def rewards(x: np.ndarray) -> np.ndarray:
        r = np.zeros((n, width))
        for k in range(n):
            r[k, : counts[k]] = over_others(x, k, [k])
        return r

    def derivative(x: np.ndarray) -> np.ndarray:
        d = np.zeros((n, width, n, width))
        for k in range(n):
            for m in range(n):
                if m != k:
                    d[k, : counts[k], m, : counts[m]] = over_others(x, k, [k, m])
        return d

    return rewards, derivative
