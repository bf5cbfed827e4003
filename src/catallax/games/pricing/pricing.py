"""Price competition with logit demand as a repeated game with a memory of one period (Calvano et al. 2020).

Two things live here. `LogitMarket` is the static market: demand, profits, and its two exact benchmarks, the
Bertrand-Nash and the joint-monopoly prices, solved in float64 on the host. `PricingGame` is the repeated game on a
grid of prices, whose state is what everybody charged last.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped
from scipy.optimize import brentq
from scipy.special import lambertw

from catallax.core import (
    AbstractGame,
    Discrete,
    InputError,
    NumericalError,
    Outcome,
    Role,
    check_count,
    check_number,
    rng,
)

TOLERANCE = 1e-9
"""Largest first-order residual of a solved price, in price units."""


@dataclass(frozen=True, kw_only=True)
class LogitMarket:
    """n single-product firms facing logit demand.

    The share of firm i at prices p is q_i = e_i / (sum_j e_j + e_0) with e_i = exp((a_i - p_i) / mu) and
    e_0 = exp(a_0 / mu); its profit is (p_i - c_i) q_i. All methods work in float64 on the host.

    Attributes:
        costs: Marginal costs c_i, price units, one a firm.
        qualities: a_i, price units, one a firm.
        outside: Quality a_0 of the outside good, price units.
        mu: Horizontal differentiation mu > 0, price units; mu -> 0 makes the goods perfect substitutes.

    Raises:
        InputError: no firm, lists of different lengths, a value that is not finite, mu <= 0.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), section II.A; the defaults are their baseline.
    """

    costs: tuple[float, ...] = (1.0, 1.0)
    qualities: tuple[float, ...] = (2.0, 2.0)
    outside: float = 0.0
    mu: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a market whose prices could not be solved."""
        object.__setattr__(self, "costs", tuple(float(c) for c in self.costs))
        object.__setattr__(self, "qualities", tuple(float(a) for a in self.qualities))
        if not self.costs or len(self.costs) != len(self.qualities):
            raise InputError(
                f"LogitMarket: {len(self.costs)} costs and {len(self.qualities)} qualities; give one of each a firm"
            )
        if not all(math.isfinite(x) for x in (*self.costs, *self.qualities, self.outside, self.mu)):
            raise InputError(f"LogitMarket: every parameter must be finite, got {self}")
        if self.mu <= 0:
            raise InputError(f"LogitMarket: mu must be positive, got {self.mu}; a small one makes near substitutes")

    @property
    def firms(self) -> int:
        """Number of firms n."""
        return len(self.costs)

    def shares(self, prices: np.ndarray) -> np.ndarray:
        """Market shares q_i at prices `[..., n]`; what is missing to 1 buys the outside good."""
        utility = (np.asarray(self.qualities) - np.asarray(prices, float)) / self.mu
        top = np.maximum(utility.max(axis=-1, keepdims=True), self.outside / self.mu)
        weight = np.exp(utility - top)
        return weight / (weight.sum(axis=-1, keepdims=True) + np.exp(self.outside / self.mu - top))

    def profits(self, prices: np.ndarray) -> np.ndarray:
        """Profits (p_i - c_i) q_i at prices `[..., n]`, price units a consumer."""
        return (np.asarray(prices, float) - np.asarray(self.costs)) * self.shares(prices)

    def nash(self) -> np.ndarray:
        """Bertrand-Nash prices `[n]`: the root of F_i(p) = p_i - c_i - mu / (1 - q_i(p)), which is unique.

        With margins p_i - c_i = mu m_i it reads ln(1 - 1 / m_i) + m_i = (a_i - c_i) / mu - y, y the logarithm of
        sum_j e_j + e_0: given y each m_i is the root of an increasing function, and y is where the shares 1 - 1 / m_i
        and that of the outside good add up to 1, a decreasing function. Two safe roots instead of n at once.

        Raises:
            NumericalError: rounding leaves a residual above `TOLERANCE`; mu is too small for these prices.
        """
        ease = (np.asarray(self.qualities) - np.asarray(self.costs)) / self.mu
        outside = self.outside / self.mu

        def excess(y: float) -> float:
            w = _over_one(ease - y)
            return (w / (1 + w)).sum() + math.exp(outside - y) - 1

        top = max(ease.max(), outside)
        largest = top + math.log(np.exp(ease - top).sum() + math.exp(outside - top))  # y where nobody has a margin
        y: Any = brentq(excess, outside - 1, largest + 1, xtol=1e-14)
        prices = np.asarray(self.costs) + self.mu * (1 + _over_one(ease - y))
        residual = np.abs(self._residual(prices)).max()
        if not residual <= TOLERANCE:
            raise NumericalError(
                f"LogitMarket: Nash prices are only known up to {residual:.3g}; a larger mu is needed: {self}"
            )
        return prices

    def _residual(self, prices: np.ndarray) -> np.ndarray:
        """Residual of the first-order conditions, price units."""
        utility = np.append((np.asarray(self.qualities) - prices) / self.mu, self.outside / self.mu)
        weight = np.exp(utility - utility.max())
        others = np.asarray([np.delete(weight, i).sum() for i in range(self.firms)])  # exact where a share is near 1
        return prices - np.asarray(self.costs) - self.mu * weight.sum() / others

    def monopoly(self) -> np.ndarray:
        """Prices `[n]` that maximise joint profit.

        All goods carry the same margin m = mu / q_0, q_0 the share of the outside good, which gives
        m = mu [1 + W(e^-1 sum_i exp((a_i - c_i - a_0) / mu))] with W Lambert's function.

        Differs: the naive iteration p = c + mu / (1 - sum_j q_j) cycles for n >= 4 or a small mu and is not used.
        """
        exponent = (np.asarray(self.qualities) - np.asarray(self.costs) - self.outside) / self.mu - 1
        top = exponent.max()
        logarithm = top + math.log(np.exp(exponent - top).sum())
        return np.asarray(self.costs) + self.mu * (1 + _lambert_of_exp(logarithm))


def _over_one(k: np.ndarray) -> np.ndarray:
    """w > 0 with ln(w / (1 + w)) + 1 + w = k, by Newton's method on v = ln w, where the left side is convex."""
    v = np.where(k > 1, np.log(np.maximum(k, 0) + 1), k)  # right of the root: from there on the steps only go left
    for _ in range(60):
        w = np.exp(v)
        v = v - (v - np.log1p(w) + 1 + w - k) / (1 / (1 + w) + w)
    return np.exp(v)


def _lambert_of_exp(x: float) -> float:
    """W(exp(x)), the root of w + ln w = x; finite where exp(x) is not."""
    if x < 500:
        return float(lambertw(math.exp(x)).real)
    w = x - math.log(x)
    for _ in range(20):
        w -= (w + math.log(w) - x) / (1 + 1 / w)
    return w


class PricingEvent(NamedTuple):
    """What a period brought."""

    index: Int[Array, " firms"]
    """Grid points charged."""
    price: Float[Array, " firms"]
    """Prices charged, price units."""


class PricingGame(AbstractGame):
    """A repeated pricing game on a grid; every firm sees what all charged in the last period.

    With m grid points and n firms, the past of a period is seen by firm i as one integer in [0, m^n): its OWN point is
    the leading digit in base m, its rivals' follow in the order i + 1, i + 2, ... (modulo n). So firms that are alike
    see the world alike, and may share a rule. The world is these n integers; firm 1's is the number of the outcome. The
    first period's past is uniform. The game has no end: discount 1; a learner's discount factor is the firm's own.

    Build it with `pricing_game`.
    """

    prices: Float[Array, "firms points"]
    """Grid of each firm, ascending, price units."""
    profits: Float[Array, "outcomes firms"]
    """Profit of each firm for each outcome; the outcome of points (x_1, ..., x_n) is sum_i x_i m^(n - i)."""
    nash: Float[Array, " firms"]
    """Profits at the Bertrand-Nash prices."""
    monopoly: Float[Array, " firms"]
    """Profits at the joint-monopoly prices."""

    @property
    def firms(self) -> int:
        """Number of firms n."""
        return self.prices.shape[-2]

    @property
    def points(self) -> int:
        """Number of grid points m."""
        return self.prices.shape[-1]

    @property
    def observations(self) -> int:
        """How many pasts a firm can see: m^n."""
        return self.points**self.firms

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role of n seats."""
        return (Role("firm", self.firms, Discrete(self.points)),)

    def seen(self, points: Int[Array, " firms"]) -> Int[Array, " firms"]:
        """How each firm sees an outcome, own point first; the first entry is the outcome's number."""
        number = points
        for i in range(1, self.firms):
            number = number * self.points + jnp.roll(points, -i)
        return number

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Int[Array, " firms"]:
        """A uniformly drawn past. Consumes the key."""
        bits = rng.random_bits(key, 0, jnp.int32(0), jnp.arange(self.firms), jnp.int32(0))
        return self.seen(rng.to_integer(bits.first, self.points))

    def observe(self, world: Int[Array, " firms"]) -> dict[str, Int[Array, " firms"]]:
        """Each firm's number of the past, own point first."""
        return {"firm": world}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: Int[Array, " firms"], action: dict[str, Int[Array, " firms"]]
    ) -> tuple[Int[Array, " firms"], Outcome]:
        """Profits of one period. Nothing is random."""
        points = action["firm"]
        after = self.seen(points)
        profit = self.profits[after[0]]
        price = jnp.take_along_axis(self.prices, points[:, None], axis=1)[:, 0]
        return after, Outcome({"firm": profit}, {"firm": jnp.ones(self.firms)}, PricingEvent(points, price))

    def uniform_start(self, discount: float | Float[Array, ""]) -> Float[Array, "firms points"]:
        """For each firm and grid point: discounted profit for ever if rivals price uniformly at random,
        mean over their points of profit / (1 - discount). What Calvano et al. (2020) start their tables from.

        Raises:
            InputError: a discount factor outside [0, 1).
        """
        check_number("uniform_start", "discount", discount, "[0, 1)")
        grid = self.profits.reshape(*(self.points,) * self.firms, self.firms)
        rows = [grid[..., i].mean(axis=tuple(j for j in range(self.firms) if j != i)) for i in range(self.firms)]
        return jnp.stack(rows) / (1 - jnp.asarray(discount))


def pricing_game(market: LogitMarket | None = None, *, points: int = 15, margin: float = 0.1) -> PricingGame:
    """The repeated game of a market on an even grid of prices.

    Firm i's grid runs from p_i^N - margin (p_i^M - p_i^N) to p_i^M + margin (p_i^M - p_i^N), N Bertrand-Nash and M
    joint monopoly.

    Args:
        market: the static market; None for the baseline of Calvano et al. (2020).
        points: grid points m, at least 2.
        margin: how far the grid reaches beyond the two benchmarks, as a share of their distance.

    Raises:
        InputError: fewer than 2 points, a negative margin, one firm (its two benchmarks coincide), firms that hardly
            compete (the same), or more outcomes than a table can hold (2^24).
        NumericalError: Nash prices that rounding does not let be found.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), sections II.A and II.D: 15 points, margin 0.1.
    """
    market = LogitMarket() if market is None else market
    check_count("pricing_game", "points", points, 2)
    check_number("pricing_game", "margin", margin, "[0, inf)")
    if market.firms < 2:
        raise InputError("pricing_game: one firm has no Nash price below its monopoly price; give two firms or more")
    if points**market.firms > 2**24:
        raise InputError(
            f"pricing_game: {points} points and {market.firms} firms make {points**market.firms} outcomes, "
            f"more than {2**24}; take fewer points"
        )
    nash, monopoly = market.nash(), market.monopoly()
    reach = margin * (monopoly - nash)
    grid = np.linspace(nash - reach, monopoly + reach, points, axis=-1)
    if (np.diff(grid.astype(jnp.result_type(float)), axis=-1) <= 0).any():
        raise InputError(
            f"pricing_game: Nash prices {nash} and monopoly prices {monopoly} are too near each other for {points} "
            "points in this precision; take a market in which the firms compete for their customers"
        )
    index = np.indices((points,) * market.firms).reshape(market.firms, -1)
    profits = market.profits(grid[np.arange(market.firms)[:, None], index].T)
    real = lambda x: jnp.asarray(x, jnp.result_type(float))
    return PricingGame(  # pyright: ignore  (takes the inherited property `roles` for a field)
        prices=real(grid),
        profits=real(profits),
        nash=real(market.profits(nash)),
        monopoly=real(market.profits(monopoly)),
    )
