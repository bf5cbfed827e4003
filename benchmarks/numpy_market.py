"""The learning market in NumPy, written with care: what a good programmer gets without a compiler.

8 traders x R replications have networks of their own (28-128-64-1, leaky ReLU, tanh). An update is 10 rounds of 16
ticks, all markets side by side, then one policy-gradient step on the 160 samples of each network: gradient clipped by
norm, Adam. Matrix products go to BLAS, batched over networks; parameters, gradients and Adam's moments lie in one array
each, and elementwise work is done in place. Single precision throughout.
"""

import itertools

import numpy as np

TICKS, SIDE, UNITS = 16, 4, 4
TRADERS = 2 * SIDE
WIDTHS = (28, 128, 64, 1)
RATE, GAMMA, CLIP, SIGMA, DECAY, LEAST = 3e-4, 0.99, 10.0, 0.7, 0.995, 0.05
LOW, HIGH = 35.0, 90.0
MISSING = 5.0
# (mean, SD) of the features, as in catallax.games.double_auction.views
STEP, PRICE, SALE, HOLDER = (7.5, 4.61), (63.48, 4.49), (0.979, 0.142), (0.25, 0.433)
BEST = ((69.8, 9.95), (56.6, 8.32))
REQUEST = ((0.959, 0.199), (0.924, 0.265))
QUOTES = ((59.9, 12.2), (62.8, 9.35))
PRIVATE = np.array([[2.06, 84.95, 81.31, 78.63, 75.58], [2.11, 45.00, 48.72, 51.63, 54.83]], np.float32)
PRIVATE_SD = np.array([[1.42, 3.86, 3.27, 3.16, 3.88], [1.35, 3.90, 3.17, 2.87, 3.03]], np.float32)


def draw_tokens(rng: np.random.Generator, markets: int) -> np.ndarray:
    """Limits [markets, 2 sides, 4 traders, 4 units], best unit first."""
    shape = (markets, 2, SIDE, UNITS)
    x = 5 * rng.standard_normal(shape, np.float32) + rng.standard_normal((markets, 1, 1, UNITS), np.float32)
    effect = rng.standard_normal((markets, 2, SIDE, 1), np.float32)
    effect[:, 0] *= np.float32(2**0.5)
    x += effect
    x[:, 0] += 80
    x[:, 1] += 50
    np.clip(x, 0, 100, out=x)
    x.sort(axis=-1)
    x[:, 0] = x[:, 0, :, ::-1].copy()
    return x


class Market:
    """M markets side by side. Side 0 buys, side 1 sells; quotes are compared after a change of sign for sellers."""

    def __init__(self, rng: np.random.Generator, markets: int) -> None:
        self.rng, self.m = rng, np.arange(markets)
        self.limits = draw_tokens(rng, markets)
        self.used = np.zeros((markets, 2, SIDE), np.int64)
        self.sign = np.array([1, -1], np.float32)[:, None]
        self.quotes = np.full((markets, 2, SIDE), np.nan, np.float32)  # nan where none
        self.best = np.full((markets, 2), np.nan, np.float32)
        self.request = np.zeros((markets, 2), np.float32)
        self.holder = np.zeros((markets, 2, SIDE), np.float32)
        self.sale = np.zeros(markets, bool)
        self.price = np.zeros(markets, np.float32)

    def observe(self, tick: int) -> np.ndarray:
        """Features [markets, 2, 4, 28]; what all of a side see alike is worked out once."""
        out = np.empty((self.m.size, 2, SIDE, WIDTHS[0]), np.float32)
        price = np.where(self.sale, (self.price - PRICE[0]) / PRICE[1], -MISSING)
        sale = (self.sale - SALE[0]) / SALE[1] if tick else np.full(self.m.size, -MISSING)
        best, request, holder, quotes = [], [], (self.holder - HOLDER[0]) / HOLDER[1], []
        for side, missing in ((0, -MISSING), (1, MISSING)):
            for seen, raw, scale in ((best, self.best, BEST), (quotes, self.quotes, QUOTES)):
                x = raw[:, side]
                seen.append(np.where(np.isnan(x), missing, (x - scale[side][0]) / scale[side][1]))
            request.append((self.request[:, side] - REQUEST[side][0]) / REQUEST[side][1])
        out[..., 0] = (tick - STEP[0]) / STEP[1]
        for own, other in ((0, 1), (1, 0)):
            scalars = [best[own], best[other], price, sale, request[own], request[other]]
            out[:, own, :, 1:7] = np.stack(scalars, -1)[:, None]
            blocks = [holder[:, own], holder[:, other], quotes[own], quotes[other]]
            out[:, own, :, 7:23] = np.concatenate(blocks, -1)[:, None]
        out[..., 23] = (self.used - PRIVATE[:, None, 0]) / PRIVATE_SD[:, None, 0]
        out[..., 24:] = (self.limits - PRIVATE[:, None, 1:]) / PRIVATE_SD[:, None, 1:]
        return out

    def step(self, prices: np.ndarray) -> np.ndarray:
        """One tick: quotes [markets, 2, 4] in, profits [markets, 2, 4] out."""
        active = self.used < UNITS
        at = np.minimum(self.used, UNITS - 1)[..., None]
        limit = np.take_along_axis(self.limits, at, -1)[..., 0]
        signed = np.where(active, prices * self.sign, -np.inf)
        top = signed.max(-1)
        tie = (signed == top[..., None]) * self.rng.random(signed.shape, np.float32)
        leader = tie.argmax(-1)
        here = np.isfinite(top)
        self.best = np.where(here, top * self.sign[:, 0], np.nan)
        self.quotes = np.where(active, prices, np.nan)
        own = np.take_along_axis(limit, leader[..., None], -1)[..., 0]
        both = here.all(1)
        buy = both & (own[:, 0] >= self.best[:, 1])
        sell = both & (own[:, 1] <= self.best[:, 0])
        self.sale = buy | sell
        price = np.where(buy & sell, self.best.mean(1), np.where(buy, self.best[:, 1], self.best[:, 0]))
        self.price = np.where(self.sale, price, 0.0)
        self.request = np.stack([buy, sell], 1).astype(np.float32)
        one_hot = (leader[..., None] == np.arange(SIDE)) & here[..., None]
        self.holder = one_hot.astype(np.float32)
        trades = one_hot & self.sale[:, None, None]
        self.used += trades
        return np.where(trades, (limit - self.price[:, None, None]) * self.sign, 0.0).astype(np.float32)


class Networks:
    """N separate networks with Adam; parameters [N, P] with a view for each layer."""

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        size = sum(a * b + b for a, b in itertools.pairwise(WIDTHS))
        self.parameters, self.gradient, self.first, self.second = (np.zeros((n, size), np.float32) for _ in range(4))
        self.spare, self.t, self.sigma = np.empty((n, size), np.float32), 0, SIGMA
        self.layers, self.slopes = self._views(self.parameters), self._views(self.gradient)
        for weight, bias in self.layers[:-1]:
            bound = weight.shape[1] ** -0.5
            weight[:] = rng.uniform(-bound, bound, weight.shape)
            bias[:] = rng.uniform(-bound, bound, bias.shape)
        last = self.layers[-1][0]
        last[:] = rng.standard_normal(last.shape)
        last *= 0.01 / np.linalg.norm(last, axis=1, keepdims=True)

    def _views(self, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        views, at = [], 0
        for a, b in itertools.pairwise(WIDTHS):
            weight = flat[:, at : at + a * b].reshape(-1, a, b)
            bias = flat[:, at + a * b : at + a * b + b].reshape(-1, 1, b)
            views.append((weight, bias))
            at += a * b + b
        return views

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """Inputs of each layer and the output: x is [N, samples, 28]."""
        seen = [x]
        for i, (weight, bias) in enumerate(self.layers):
            x = np.matmul(x, weight)
            x += bias
            x = np.maximum(x, 0.01 * x, out=x) if i < 2 else np.tanh(x, out=x)
            seen.append(x)
        return seen

    def learn(self, x: np.ndarray, action: np.ndarray, weight: np.ndarray) -> None:
        """One clipped Adam step on - sum of weight * log-likelihood of the actions [N, samples]."""
        seen = self.forward(x)
        mean = seen[-1][..., 0]
        slope = (weight * (mean - action) / self.sigma**2 * (1 - mean**2))[..., None]
        for i in (2, 1, 0):
            np.matmul(seen[i].transpose(0, 2, 1), slope, out=self.slopes[i][0])
            slope.sum(1, keepdims=True, out=self.slopes[i][1])
            if i:
                slope = np.matmul(slope, self.layers[i][0].transpose(0, 2, 1))
                slope *= np.where(seen[i] > 0, np.float32(1), np.float32(0.01))
        self._adam()
        self.sigma = self.sigma * DECAY if self.sigma > LEAST else self.sigma

    def _adam(self) -> None:
        g, spare = self.gradient, self.spare
        norm = np.sqrt(np.einsum("np,np->n", g, g))
        g *= np.minimum(1, CLIP / np.maximum(norm, 1e-12))[:, None]
        self.t += 1
        self.first *= 0.9
        self.first += np.multiply(g, np.float32(0.1), out=spare)
        np.multiply(g, g, out=spare)
        spare *= 0.001
        self.second *= 0.999
        self.second += spare
        np.divide(self.second, 1 - 0.999**self.t, out=spare)
        np.sqrt(spare, out=spare)
        spare += 1e-8
        np.divide(self.first, spare, out=spare)
        spare *= RATE / (1 - 0.9**self.t)
        self.parameters -= spare


class Reference:
    """R replications of the market with `rounds` rounds between updates."""

    def __init__(self, replications: int, rounds: int, seed: int) -> None:
        self.rng = np.random.Generator(np.random.SFC64(seed))
        self.r, self.rounds = replications, rounds
        self.nets = Networks(self.rng, replications * TRADERS)

    def _by_net(self, x: np.ndarray) -> np.ndarray:
        """[replications * rounds, 2, 4, ...] as [networks, rounds, ...]."""
        x = x.reshape(self.r, self.rounds, TRADERS, *x.shape[3:])
        return np.ascontiguousarray(x.swapaxes(1, 2)).reshape(self.r * TRADERS, self.rounds, *x.shape[3:])

    def update(self) -> np.ndarray:
        """Plays `rounds` rounds in each replication and learns from them; the surplus of each round."""
        n = self.r * TRADERS
        market = Market(self.rng, self.r * self.rounds)
        seen = np.empty((n, self.rounds, TICKS, WIDTHS[0]), np.float32)
        actions, rewards = (np.empty((n, self.rounds, TICKS), np.float32) for _ in range(2))
        for t in range(TICKS):
            x = self._by_net(market.observe(t))
            noise = self.rng.standard_normal((n, self.rounds), np.float32)
            action = self.nets.forward(x)[-1][..., 0] + np.float32(self.nets.sigma) * noise
            said = action.reshape(self.r, TRADERS, self.rounds).swapaxes(1, 2).reshape(-1, 2, SIDE)
            reward = self._by_net(market.step(LOW + (HIGH - LOW) * (said + 1) / 2))
            seen[:, :, t], actions[:, :, t], rewards[:, :, t] = x, action, reward
        weight = rewards / 100
        for t in range(TICKS - 2, -1, -1):
            weight[..., t] += GAMMA * weight[..., t + 1]
        flat = lambda z: z.reshape(n, self.rounds * TICKS, *z.shape[3:])
        self.nets.learn(flat(seen), flat(actions), flat(weight))
        return rewards.sum(-1).reshape(self.r, TRADERS, self.rounds).sum(1).ravel()
