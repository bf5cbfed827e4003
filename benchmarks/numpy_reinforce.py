"""A careful NumPy version of the all-learning market: what a good array program without a compiler costs.

Eight networks 28-128-64-1 in each of R replications, ten rounds of sixteen ticks between two Adam updates; forward and
backward passes are batched matrix products over (replication, trader). It follows the same rules as the library's
market with full disclosure; features are the same 28 numbers up to their order. It exists to be timed, and its mean
surplus is compared with the library's once.
"""

import numpy as np

SIDE, UNITS, TICKS, ROUNDS = 4, 4, 16, 10
SIZES = (28, 128, 64, 1)
LOW, HIGH = 35.0, 90.0


def _leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.float32(0.01) * x)


class NumpyMarket:
    """R replications of the market; `run(updates)` trains them."""

    def __init__(self, replications: int, seed: int = 0):
        self.generator = np.random.default_rng(seed)
        self.r = replications
        shape = (replications, 2 * SIDE)
        self.weights, self.biases = [], []
        for m, n in zip(SIZES[:-1], SIZES[1:], strict=True):
            bound = m**-0.5 if n > 1 else 0.01 * m**-0.5
            self.weights.append(self.generator.uniform(-bound, bound, (*shape, m, n)).astype(np.float32))
            self.biases.append(np.zeros((*shape, 1, n), np.float32))
        self.moments = [[np.zeros_like(p) for p in self._parameters()] for _ in range(2)]
        self.sigma, self.t = np.float32(0.7), 0

    def _parameters(self) -> list[np.ndarray]:
        return [p for pair in zip(self.weights, self.biases, strict=True) for p in pair]

    def _tokens(self) -> np.ndarray:
        g = self.generator
        shape = (self.r, ROUNDS, 2 * SIDE)
        base = 50 + 5 * g.standard_normal((*shape, UNITS), np.float32) + g.standard_normal((*shape, 1), np.float32)
        base += g.standard_normal((self.r, ROUNDS, 1, UNITS), np.float32)
        base[:, :, :SIDE] += 30 + g.standard_normal((self.r, ROUNDS, SIDE, 1), np.float32)
        base = np.sort(np.clip(base, 0, 100), axis=-1)
        base[:, :, :SIDE] = base[:, :, :SIDE, ::-1]
        return base.astype(np.float32)

    def _forward(self, x: np.ndarray) -> list[np.ndarray]:
        hidden = [x]
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = hidden[-1] @ w + b
            hidden.append(np.tanh(z) if i == len(self.weights) - 1 else _leaky(z))
        return hidden

    def run(self, updates: int) -> float:
        """Trains; returns the mean surplus a round."""
        return float(np.mean([self._update() for _ in range(updates)]))

    def _update(self) -> float:
        tokens = self._tokens()
        limits = np.concatenate([tokens, np.full((*tokens.shape[:3], 1), np.nan, np.float32)], axis=3)
        used = np.zeros(tokens.shape[:3], int)
        public = np.zeros((self.r, ROUNDS, 23), np.float32)
        seen, acted, rewards, surplus = [], [], [], 0.0
        for tick in range(TICKS):
            obs = self._observe(tick, used, tokens, public)
            x = np.ascontiguousarray(obs.transpose(0, 2, 1, 3))
            action = self._forward(x)[-1][..., 0]
            action = action + self.sigma * self.generator.standard_normal(action.shape, np.float32)
            reward, gain = self._trade(action.transpose(0, 2, 1), limits, used, public)
            seen.append(x), acted.append(action), rewards.append(reward.transpose(0, 2, 1))
            surplus += gain
        self._learn(np.concatenate(seen, axis=2), np.concatenate(acted, axis=2), rewards)
        return surplus / (self.r * ROUNDS)

    def _observe(self, tick: int, used: np.ndarray, tokens: np.ndarray, public: np.ndarray) -> np.ndarray:
        shared = np.broadcast_to(public[:, :, None], (self.r, ROUNDS, 2 * SIDE, 23))
        own = np.concatenate([(used[..., None] - 2) / 1.4, (tokens - 65) / 15], axis=3)
        obs = np.concatenate([shared, own], axis=3).astype(np.float32)
        obs[..., 0] = (tick - 7.5) / 4.61
        return obs

    def _trade(self, action: np.ndarray, limits: np.ndarray, used: np.ndarray, public: np.ndarray):
        quote = LOW + (HIGH - LOW) * (action + 1) / 2
        limit = np.take_along_axis(limits, used[..., None], axis=3)[..., 0]
        active = used < UNITS
        bids = np.where(active[..., :SIDE], quote[..., :SIDE], -np.inf)
        asks = np.where(active[..., SIDE:], quote[..., SIDE:], np.inf)
        i, j = bids.argmax(-1), asks.argmin(-1)
        at = lambda x, k: np.take_along_axis(x, k[..., None], axis=2)[..., 0]
        bid, ask = at(bids, i), at(asks, j)
        value, cost = at(limit[..., :SIDE], i), at(limit[..., SIDE:], j)
        both = np.isfinite(bid) & np.isfinite(ask)
        buy, sell = both & (value >= ask), both & (cost <= bid)
        traded = buy | sell
        with np.errstate(invalid="ignore"):
            price = np.where(buy & sell, (bid + ask) / 2, np.where(buy, ask, bid))
        price = np.where(traded, price, 0.0)
        reward = np.zeros(action.shape, np.float32)
        np.put_along_axis(reward, i[..., None], np.where(traded, value - price, 0)[..., None], axis=2)
        np.put_along_axis(reward, SIDE + j[..., None], np.where(traded, price - cost, 0)[..., None], axis=2)
        r, k = np.nonzero(traded)
        used[r, k, i[r, k]] += 1
        used[r, k, SIDE + j[r, k]] += 1
        scaled = lambda x, m, s, gone: np.where(np.isfinite(x), (x - m) / s, gone)
        public[..., 1], public[..., 2] = scaled(bid, 69.8, 9.95, -5), scaled(ask, 56.6, 8.32, 5)
        public[..., 3], public[..., 4] = (buy - 0.959) / 0.199, (sell - 0.924) / 0.265
        public[..., 5], public[..., 6] = np.where(traded, (price - 63.48) / 4.49, -5), (traded - 0.979) / 0.142
        public[..., 7:11] = ((i[..., None] == np.arange(SIDE)) - 0.25) / 0.433
        public[..., 11:15] = ((j[..., None] == np.arange(SIDE)) - 0.25) / 0.433
        public[..., 15:19], public[..., 19:23] = scaled(bids, 59.9, 12.2, -5), scaled(asks, 62.8, 9.35, 5)
        return reward, float(np.where(traded, value - cost, 0.0).sum())

    def _learn(self, x: np.ndarray, action: np.ndarray, rewards: list[np.ndarray]) -> None:
        going, returns = np.zeros_like(rewards[0]), []
        for reward in reversed(rewards):
            going = reward / 100 + np.float32(0.99) * going
            returns.append(going)
        weight = np.concatenate(returns[::-1], axis=2)
        hidden = self._forward(x)
        delta = -(weight * (action - hidden[-1][..., 0]))[..., None] / self.sigma**2 * (1 - hidden[-1] ** 2)
        gradients: list[np.ndarray] = []
        for layer in reversed(range(len(self.weights))):
            below = hidden[layer]
            gradients[:0] = [below.swapaxes(2, 3) @ delta, delta.sum(axis=2, keepdims=True)]
            if layer:
                delta = (delta @ self.weights[layer].swapaxes(2, 3)) * np.where(below > 0, 1, np.float32(0.01))
        self._adam(gradients)
        self.sigma = self.sigma * np.float32(0.995) if self.sigma > 0.05 else self.sigma

    def _adam(self, gradients: list[np.ndarray]) -> None:
        norm = np.sqrt(sum((g**2).sum(axis=(2, 3), keepdims=True) for g in gradients))
        shrink = np.minimum(1, 10 / np.maximum(norm, 1e-12))
        self.t += 1
        for p, g, m, v in zip(self._parameters(), gradients, *self.moments, strict=True):
            g = g * shrink
            m += np.float32(0.1) * (g - m)
            v += np.float32(0.001) * (g * g - v)
            p -= np.float32(3e-4) * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + np.float32(1e-8))
