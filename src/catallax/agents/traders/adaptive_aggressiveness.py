"""AA: a target price between the own limit and the estimated equilibrium, set by an aggressiveness that learns."""

from collections.abc import Callable
from typing import Final, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import flag, number, rng
from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader

WINDOW: Final = 5
"""N, the trades that the equilibrium is estimated from."""
_WEIGHT: Final = 0.9
_PACE: Final = 3.0  # eta: a bid goes a third of the way from the standing one to the target
_LOWEST, _HIGHEST = -8.0, 2.0  # theta
_SMALL: Final = 1e-2


class AAMemory(NamedTuple):
    """What an AA trader is and knows; prices in own coordinates."""

    rates: Float[Array, "2"]
    """beta_1 and beta_2, of r and of theta."""
    step: Float[Array, ""]
    """lambda_r in [0.01, 0.02)."""
    r: Float[Array, ""]
    """Aggressiveness in [-1, 1]."""
    theta: Float[Array, ""]
    """Shape of the target as a function of r, in [-8, 2]."""
    prices: Float[Array, " window"]
    """Of the last trades, latest first."""
    trades: Int[Array, ""]
    """Trades since the round began."""
    calmest: Float[Array, ""]
    """Smallest and largest volatility so far; +inf and -inf before the first trade."""
    wildest: Float[Array, ""]
    limit: Float[Array, ""]
    """Of the unit it bid for at the last tick."""


class AA(AbstractTrader):
    """Adaptive aggressiveness. With p* the estimated equilibrium price, v the limit, l the lowest price, it aims at

        v > p*:   p* - (p* - l) h(-r, theta_) for r < 0,   p* + (v - p*) h(r, theta) for r >= 0,
        v <= p*:  v - (v - l) h(-r, theta) for r < 0,      v for r >= 0,

    h(r, theta) = (e^(r theta) - 1) / (e^theta - 1), theta_ such that both slopes at r = 0 are the same:
    (p* - l) k(theta_) = (v - p*) k(theta), k(x) = x / (e^x - 1). So r = -1 aims at the lowest price, 0 at p*, 1 at v.

    p* is the mean of the last 5 prices with weights 1, 0.9, 0.81, ... (latest first). After a trade at q, or else a
    refused best bid q, r moves by beta_1 (delta - r), delta = r_q +- (lambda_r |r_q| + lambda_a), where r_q aims at q:
    minus after a trade at or below its target, plus after one above it or a refused bid at or above it. After a trade
    also theta <- theta + beta_2 (theta* - theta), theta* = -8 + 10 (1 - a e^(2 (a - 1))), where a places alpha =
    sqrt(mean (p - p*)^2) / p* of the last 5 prices between the smallest and the largest alpha so far.

    It bids a third of the way from the standing bid (or l) to its target, at least a tick; the ask, if the target
    reaches it; it accepts asks up to the target. Before the first trade of a round it aims at min(v, (1 + lambda_r)
    ask).

    Drawn at the start of a round: beta_1, beta_2 ~ U[0.2, 0.6), lambda_r ~ U[0.01, 0.02). It begins with r = 0 and
    theta = -2.

    Args:
        absolute: lambda_a in [0, 1]; 0.01 in our sources.
        reflected: percentages are of prices reflected within the bounds for a seller (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the prices themselves.

    Raises:
        InputError: `absolute` outside its range.
        BuildError: a market that hides quotes or trades.

    Source: no primary source was read. Vytelingum, Cliff and Jennings (2008), "Strategic bidding in continuous double
        auctions", is known to us by its formulas in secondary sources and in the code of the Bristol Stock Exchange.
    Differs: open in those sources, and settled here: r_q and theta_ are found by the formulas above, not by rules of
        thumb; lambda_r moves r outwards whatever its sign; a is 1 where all alphas are equal; the best bid is heard as
        refused at every tick without a trade, and compared with the target as the market rounds it; a buyer's lowest
        target is the market's lowest price, not 0; the rule for the first period serves until the first trade. Several
        shouts being heard as one, it adapts slowly for its time: among itself in environment BASE it realises 0.64 of
        the surplus.
    """

    needs = ("bid", "ask", "last_bid", "sale", "price")

    absolute: Float[Array, ""] = number(0.01, "[0, 1]", dtype=jnp.float32)
    reflected: bool = flag(False)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> AAMemory:
        """Draws its rates; nothing was traded."""
        u = rng.to_uniform(rng.draws(key, 3).first)
        zero, inf = jnp.float32(0), jnp.float32(jnp.inf)
        return AAMemory(
            0.2 + 0.4 * u[:2], 0.01 + 0.01 * u[2], zero, jnp.float32(-2), jnp.zeros(WINDOW, jnp.float32), jnp.int32(0),
            inf, -inf, -inf,
        )  # fmt: skip

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: AAMemory, obs: TraderView) -> tuple[Order, AAMemory]:
        """Learns from the last tick, then shouts."""
        size = obs.level if self.reflected else obs.actual
        memory = learn(memory, obs, self.absolute, size)._replace(limit=obs.limit)
        ask, unit = obs.tape.ask, jnp.where(obs.tick > 0, obs.tick, 0.0)
        opening = ask + memory.step * jnp.where(ask < jnp.inf, size(jnp.minimum(ask, obs.high)), 0.0)
        aim = target(memory.r, memory.theta, estimate(memory), obs.limit, obs.low)
        aim = jnp.minimum(jnp.where(memory.trades > 0, aim, opening), obs.limit)
        base = jnp.maximum(obs.tape.bid, obs.low)
        least = jnp.where(obs.tape.bid > -jnp.inf, base + unit, base)
        price = jnp.maximum(base + (aim - base) / _PACE, least)
        price = jnp.where(ask <= aim, jnp.maximum(ask, least), price)
        price = jnp.where(
            (aim >= least) & (aim > obs.tape.bid) & jnp.isfinite(aim), jnp.minimum(price, obs.cap), -jnp.inf
        )
        return Order(price, aim), memory


def ramp(r: Float[Array, ""], theta: Float[Array, ""]) -> Float[Array, ""]:
    """h(r, theta) = (e^(r theta) - 1) / (e^theta - 1), which is r where theta is 0."""
    flat = jnp.abs(theta) < _SMALL
    x = jnp.where(flat, 1.0, theta)
    near = r * (1 + 0.5 * theta * (r - 1))
    return jnp.where(flat, near, jnp.expm1(r * x) / jnp.expm1(x))


def inverse_ramp(y: Float[Array, ""], theta: Float[Array, ""]) -> Float[Array, ""]:
    """The r in [0, 1] with h(r, theta) = y, for y in [0, 1]."""
    flat = jnp.abs(theta) < _SMALL
    x = jnp.where(flat, 1.0, theta)
    near = y * (1 + 0.5 * theta * (1 - y))
    return jnp.clip(jnp.where(flat, near, jnp.log1p(y * jnp.expm1(x)) / x), 0.0, 1.0)


def slope(theta: Float[Array, ""]) -> Float[Array, ""]:
    """k(theta) = theta / (e^theta - 1), the slope of h at r = 0; 1 where theta is 0."""
    flat = jnp.abs(theta) < _SMALL
    x = jnp.where(flat, 1.0, theta)
    return jnp.where(flat, 1 - theta / 2 + theta * theta / 12, x / jnp.expm1(x))


def inverse_slope(y: Float[Array, ""]) -> Float[Array, ""]:
    """The theta with k(theta) = y, for y in [1e-6, 1e6]: six steps of Newton's method on log k, which is concave."""
    y = jnp.clip(y, 1e-6, 1e6)
    aim = jnp.log(y)
    x = jnp.where(y > 1, -jnp.minimum(y, 2 * (y - 1)), -2 * aim)
    for _ in range(6):
        flat = jnp.abs(x) < 0.05
        safe = jnp.where(flat, 1.0, x)
        fall = jnp.where(flat, -0.5 - x / 12, 1 / safe + 1 / jnp.expm1(-safe))
        x = x - (jnp.log(slope(x)) - aim) / fall
    return x


def _shape(
    theta: Float[Array, ""], centre: Float[Array, ""], limit: Float[Array, ""], low: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """Where the target is at r = 0, how far it falls and rises from there, and the shape of its fall."""
    inner = limit > centre
    middle = jnp.where(inner, centre, limit)
    rise, fall = jnp.maximum(limit - middle, 0.0), jnp.maximum(middle - low, 0.0)
    steep = rise / jnp.where(fall > 0, fall, 1.0) * slope(theta)
    return middle, fall, rise, jnp.where(inner, inverse_slope(jnp.where(inner, steep, 1.0)), theta)


def target(
    r: Float[Array, ""],
    theta: Float[Array, ""],
    centre: Float[Array, ""],
    limit: Float[Array, ""],
    low: Float[Array, ""],
) -> Float[Array, ""]:
    """The price that an aggressiveness r aims at; `centre` is p*."""
    limit = jnp.where(jnp.isfinite(limit), limit, low)
    middle, fall, rise, under = _shape(theta, centre, limit, low)
    return jnp.where(r < 0, middle - fall * ramp(jnp.abs(r), under), middle + rise * ramp(jnp.abs(r), theta))


def aggressiveness(
    price: Float[Array, ""],
    theta: Float[Array, ""],
    centre: Float[Array, ""],
    limit: Float[Array, ""],
    low: Float[Array, ""],
) -> Float[Array, ""]:
    """The r whose target is the price; 1, -1 or 0 beyond what it may aim at."""
    limit = jnp.where(jnp.isfinite(limit), limit, low)
    middle, fall, rise, under = _shape(theta, centre, limit, low)
    share = lambda part, whole: jnp.clip(part / jnp.where(whole > 0, whole, 1.0), 0.0, 1.0) * (whole > 0)
    less = -inverse_ramp(share(middle - price, fall), under)
    return jnp.where(price < middle, less, inverse_ramp(share(price - middle, rise), theta))


def _weights(memory: AAMemory) -> Float[Array, " window"]:
    place = jnp.arange(WINDOW)
    weight = jnp.where(place < memory.trades, _WEIGHT**place, 0.0)
    return weight / jnp.maximum(weight.sum(), 1e-6)


def estimate(memory: AAMemory) -> Float[Array, ""]:
    """p*: the weighted mean of the last prices; 0 where there are none."""
    return (_weights(memory) * memory.prices).sum()


def learn(memory: AAMemory, obs: TraderView, absolute: Float[Array, ""], size: Callable[[Array], Array]) -> AAMemory:
    """Hears the last tick's trade, or its best bid as refused, and adapts r; after a trade p* and theta as well.

    `size` is what a percentage of a price is a percentage of.
    """
    tape, before = obs.tape, memory
    memory = _remember(memory, obs, size)
    centre = estimate(memory)
    aim = target(before.r, before.theta, centre, memory.limit, obs.low)
    heard = jnp.where(tape.sale, tape.price, tape.last_bid)
    grid = jnp.where(obs.tick > 0, obs.tick, 1.0)
    own = jnp.where(obs.tick > 0, grid * jnp.floor(aim / grid + 1e-3), aim)
    rises = jnp.where(tape.sale, heard > aim, heard >= own)
    moves = (memory.trades > 0) & jnp.isfinite(memory.limit) & (tape.sale | (jnp.isfinite(heard) & rises))
    shout = jnp.where(tape.sale, heard, jnp.maximum(heard, aim))
    same = aggressiveness(jnp.where(moves, shout, obs.low), before.theta, centre, memory.limit, obs.low)
    away = memory.step * jnp.abs(same) + absolute
    r = before.r + memory.rates[0] * (same + jnp.where(rises, away, -away) - before.r)
    return memory._replace(r=jnp.where(moves, jnp.clip(r, -1.0, 1.0), before.r))


def _remember(memory: AAMemory, obs: TraderView, size: Callable[[Array], Array]) -> AAMemory:
    """The last trade joins the prices, and the volatility they show moves theta."""
    sale: Bool[Array, ""] = obs.tape.sale
    prices = jnp.where(sale, jnp.concatenate([obs.tape.price[None], memory.prices[:-1]]), memory.prices)
    memory = memory._replace(prices=prices, trades=memory.trades + sale)
    known = jnp.arange(WINDOW) < memory.trades
    centre = estimate(memory)
    spread = jnp.where(known, (prices - centre) ** 2, 0.0).sum() / jnp.maximum(known.sum(), 1)
    alpha = jnp.sqrt(spread) / jnp.maximum(size(centre), 1e-6)
    calmest = jnp.where(sale, jnp.minimum(memory.calmest, alpha), memory.calmest)
    wildest = jnp.where(sale, jnp.maximum(memory.wildest, alpha), memory.wildest)
    range_ = jnp.where(sale, wildest - calmest, 0.0)
    place = jnp.where(range_ > 0, (alpha - calmest) / jnp.where(range_ > 0, range_, 1.0), 1.0)
    aim = _LOWEST + (_HIGHEST - _LOWEST) * (1 - place * jnp.exp(2 * (place - 1)))
    theta = jnp.where(sale, memory.theta + memory.rates[1] * (aim - memory.theta), memory.theta)
    return memory._replace(theta=theta, calmest=calmest, wildest=wildest)
