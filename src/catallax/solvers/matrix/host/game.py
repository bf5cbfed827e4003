"""One concrete game in NumPy in double precision: rewards, their derivative, regrets, the Q-learning flow."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import coo_array

from catallax.games.matrix import AbstractMatrixGame, NormalForm, Polymatrix, as_normal_form, check_game

from .payoff_blocks import scale_of

Rewards = Callable[[np.ndarray], np.ndarray]

_DENSE = 4096
"""A polymatrix game with more rows (players times actions) keeps its payoffs in a sparse matrix."""


class ConcreteGame(NamedTuple):
    """A game as NumPy functions of policies [n, A]; see `concrete_game`."""

    legal: Bool[np.ndarray, "n A"]
    """Which columns are actions of the player."""
    rewards: Rewards
    """r(x), [n, A]; 0 for columns that are no actions of the player."""
    derivative: Rewards
    """dr_ki / dx_lj, [n, A, n, A]; it is constant in polymatrix games."""
    scale: float
    """The largest |payoff|; 1 if all payoffs are 0."""

    def policy(self, scores: np.ndarray) -> np.ndarray:
        """softmax of the scores over each player's actions, [n, A]."""
        return softmax_on(self.legal, scores)

    def scores(self, policy: np.ndarray) -> np.ndarray:
        """Centred log-probabilities of an interior policy, [n, A]."""
        return self.centred(np.log(np.where(self.legal, policy, 1.0)))

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Values [n, A] less their mean over the player's actions; 0 for columns that are no actions."""
        return centred_on(self.legal, values)

    def values_and_regrets(self, policy: np.ndarray) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The payoff of each player at a policy [n, A], and its regret: how much more its best reply would earn."""
        rewards = self.rewards(policy)
        values = (policy * rewards).sum(axis=1)
        return values, np.where(self.legal, rewards, -np.inf).max(axis=1) - values

    def drift(self, temperatures: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """dz/dt of the Q-learning flow, r(softmax z) - T z, centred, [n, A]."""
        return self.centred(self.rewards(self.policy(scores)) - temperatures[:, None] * scores)

    def response(self, policy: np.ndarray) -> np.ndarray:
        """dr_ki / dz_lj, [n, A, n, A]: the derivative of the rewards with respect to the scores."""
        slopes = policy[:, :, None] * (np.eye(policy.shape[1]) - policy[:, None, :])
        return np.einsum("kilb,lbj->kilj", self.derivative(policy), slopes)

    def unstable(self, temperatures: np.ndarray, policy: np.ndarray) -> int:
        """The number of unstable directions of the Q-learning flow at a policy.

        These are the eigenvalues of its linearisation in scores, P dr/dz - T with P the centring, that have a positive
        real part. Directions outside the tangent space (constants, missing actions) have the eigenvalue -T.
        """
        n, width = policy.shape
        response = self.response(policy).reshape(n, width, n * width)
        response = np.stack([self.centred(column) for column in np.moveaxis(response, -1, 0)], axis=-1)
        matrix = response.reshape(n * width, -1) - np.diag(np.repeat(temperatures, width))
        return int((np.real(np.linalg.eigvals(matrix)) > 0).sum())


def centred_on(support: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values [n, A] less each player's mean over the actions in the support; 0 elsewhere."""
    mean = np.where(support, values, 0.0).sum(axis=1, keepdims=True) / support.sum(axis=1, keepdims=True)
    return np.where(support, values - mean, 0.0)


def scores_on(support: np.ndarray, policy: np.ndarray) -> np.ndarray:
    """Log-probabilities [n, A] (those of zeros are -691), centred over the actions in the support; 0 elsewhere."""
    return centred_on(support, np.log(np.where(support, np.maximum(policy, 1e-300), 1.0)))


def softmax_on(support: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """softmax of scores [n, A] over each player's actions in the support; 0 elsewhere."""
    z = np.where(support, scores, -np.inf)
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def concrete_game(game: AbstractMatrixGame) -> ConcreteGame:
    """The game as NumPy functions, in double precision whatever the dtype of its payoffs.

    Rewards are matrix products in a polymatrix game, and tensor contractions in any other.
    """
    check_game(game)
    if isinstance(game, Polymatrix):
        matrix = payoff_matrix(game)
        rewards: Rewards = lambda x: (matrix @ x.reshape(-1)).reshape(x.shape)
        derivative: Rewards = lambda x: _dense(matrix).reshape(*x.shape, *x.shape)
    else:
        tables = as_normal_form(game)
        rewards, derivative = _contractions(np.asarray(tables.payoff, float), tables)
    return ConcreteGame(game.legal, rewards, derivative, scale_of(game))


def payoff_matrix(game: Polymatrix) -> Any:
    """The matrix M with r(x) = M x, players and actions flattened, [nA, nA]; sparse for large networks."""
    size = game.players * game.width
    if size <= _DENSE:
        return np.asarray(game.matrix(), float).reshape(size, size)
    rows, columns, entries = [], [], []
    for (k, m), table in game.matrices().items():
        i, j = np.indices(table.shape)
        rows.append(k * game.width + i.reshape(-1))
        columns.append(m * game.width + j.reshape(-1))
        entries.append(table.reshape(-1))
    places = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(entries), places), shape=(size, size)).tocsr()


def _dense(matrix: Any) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def _contractions(payoff: Float[np.ndarray, "n *actions"], game: NormalForm) -> tuple[Rewards, Rewards]:
    """Rewards and their derivative in a normal form, by summing over the actions of the other players."""
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
