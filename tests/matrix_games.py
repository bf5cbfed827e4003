"""Random polymatrix games with known structure, for property tests. Plain NumPy; nothing of the library decides."""

import numpy as np

from catallax.games.matrix import Edge, Polymatrix


def weighted_zero_sum(seed: int) -> tuple[Polymatrix, np.ndarray]:
    """A connected game of 2 to 4 players with 2 or 3 actions each, A_lk = -(w_k / w_l) A_kl', and its weights."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 5))
    counts, weights = draw.integers(2, 4, n), draw.uniform(0.3, 2.0, n)
    pairs = [(k, k + 1) for k in range(n - 1)]
    pairs += [(k, m) for k in range(n) for m in range(k + 2, n) if draw.random() < 0.5]
    edges = []
    for k, m in pairs:
        table = draw.normal(size=(counts[k], counts[m]))
        edges.append(Edge(k, m, table / weights[k], -table.T / weights[m]))
    return Polymatrix(edges), weights / weights.max()


def profile(game, seed: int) -> np.ndarray:
    """An interior profile, [n, A]."""
    draw = np.random.default_rng(seed)
    x = np.zeros((game.players, game.width))
    for k, count in enumerate(game.actions):
        x[k, :count] = draw.dirichlet(np.full(count, 2.0))
    return x


def cycling_2x2(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Own-row matrices of a 2x2 game with an interior equilibrium around which play cycles; any signs."""
    sign = draw.choice([-1.0, 1.0])

    def table(slope: float, indifferent: float) -> np.ndarray:
        """r_1 - r_2 = slope (y - indifferent), plus what does not depend on one's own action."""
        common = draw.normal(size=2)
        return np.array([[slope * (1 - indifferent), -slope * indifferent], [0.0, 0.0]]) + common

    first = table(sign * draw.uniform(1.0, 4.0), draw.uniform(0.2, 0.8))
    return first, table(-sign * draw.uniform(1.0, 4.0), draw.uniform(0.2, 0.8))
