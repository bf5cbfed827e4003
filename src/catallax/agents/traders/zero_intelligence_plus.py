"""Zero intelligence plus: a margin that learns from every shout it hears."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree, Shaped

from catallax.core import flag, number, rng
from catallax.games.double_auction.observation import Order, TraderView

from .trader import AbstractTrader


class ZIPMemory(NamedTuple):
    """What a ZIP trader is and knows: drawn at the start of a round, kept over its periods."""

    margin: Float[Array, ""]
    """m >= 0: it shouts limit - m |limit|. (Cliff's mu is -m for a buyer and m for a seller.)"""
    momentum: Float[Array, ""]
    """Gamma, the moving mean of its corrections, units of price."""
    rate: Float[Array, ""]
    """beta in [0.1, 0.5)."""
    inertia: Float[Array, ""]
    """gamma in [0, 0.1)."""
    limit: Float[Array, ""]
    """Of the unit it shouted for at the last tick; -inf if it has not shouted yet."""
    active: Bool[Array, ""]
    """Whether it had units left then."""


class ZIP(AbstractTrader):
    """Adapts its profit margin by the Widrow-Hoff rule with momentum.

    In buyer's form, with own shout p and the shout q that was heard: a trade at q <= p raises the margin (p falls); a
    trade at q >= p that took an ask lowers it (p rises), and so does a bid q >= p that was refused. A trader without
    units left only raises. The rule moves p by

        Gamma <- gamma Gamma + (1 - gamma) beta (tau - p),   tau = q -+ (R |q| + A),

    R uniform on [0, 0.05), A on [0, `absolute` of the price range); minus where p is to fall. The margin never makes a
    loss, nor a buyer's price negative. It quotes p and accepts asks up to p.

    At a tick it hears the trade of the last one, or else its best bid, as refused. (The other side hears the best ask.)
    A trade took the ask if the own side alone asked for it or its price is the ask's, the bid if it is the bid's; at a
    price between, a fair coin says. Shouts are compared as the market rounds them: a bid rounded down would else never
    be heard as refused. Where p lies outside the price bounds the market takes no quote.

    Args:
        absolute: largest A as a share of the market's price range, in [0, 1); 0.0025 is 5 where prices are 1 to 2000.
        reflected: percentages are of the price reflected within the bounds for a seller (`TraderView.level`), so that a
            market and its mirror image behave alike, and not of the price itself.

    Raises:
        InputError: `absolute` outside its range.
        BuildError: a market that hides its best quotes, its requests or its trades.

    Source: Cliff (1997), "Minimal-intelligence agents for bargaining behaviors in market-based environments".
    Differs: synchronous ticks, so that several shouts are heard as one; each trader tosses its own coin; Cliff's
        largest A is 0.05 dollars at prices of about 2 dollars; percentages are of at least one tick.
    """

    needs = ("last_bid", "last_ask", "buy", "sell", "sale", "price")

    absolute: Float[Array, ""] = number(0.0025, "[0, 1)", dtype=jnp.float32)
    reflected: bool = flag(False)

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> ZIPMemory:
        """beta ~ U[0.1, 0.5), gamma ~ U[0, 0.1), m ~ U[0.05, 0.35), Gamma = 0."""
        margin, rate, inertia = rng.to_uniform(rng.draws(key, 3).first)
        silent, idle = jnp.float32(-jnp.inf), jnp.asarray(False)
        return ZIPMemory(0.05 + 0.3 * margin, jnp.float32(0), 0.1 + 0.4 * rate, 0.1 * inertia, silent, idle)

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: ZIPMemory, obs: TraderView) -> tuple[Order, ZIPMemory]:
        memory = self._adapt(rng.key_bits(key), memory, obs)._replace(limit=obs.limit, active=obs.left > 0)
        price = self._shout(memory, obs)
        return Order(jnp.minimum(price, obs.cap), price), memory

    def _size(self, obs: TraderView, price: Float[Array, ""]) -> Float[Array, ""]:
        """What percentages of a price are taken of."""
        return jnp.maximum(obs.level(price) if self.reflected else jnp.abs(price), obs.unit)

    def _shout(self, memory: ZIPMemory, obs: TraderView) -> Float[Array, ""]:
        size = self._size(obs, memory.limit)
        return jnp.where(jnp.isfinite(size), memory.limit - memory.margin * size, -jnp.inf)

    def _adapt(self, bits: rng.Bits, memory: ZIPMemory, obs: TraderView) -> ZIPMemory:
        price, size = self._shout(memory, obs), self._size(obs, memory.limit)
        falls, rises, shout = self._heard(bits, memory, obs, price)
        away = 0.05 * rng.to_uniform(bits.first) * self._size(obs, shout)
        away = away + rng.to_uniform(bits.second) * self.absolute * (obs.high - obs.low)
        target = shout + jnp.where(rises, away, -away)
        momentum = memory.inertia * memory.momentum + (1 - memory.inertia) * memory.rate * (target - price)
        most = jnp.where((obs.side > 0) | self.reflected, 1.0, jnp.inf)
        margin = jnp.clip((memory.limit - price - momentum) / size, 0.0, most)
        moved = memory._replace(margin=margin, momentum=momentum)
        moves = (falls | rises) & jnp.isfinite(memory.limit)
        return ZIPMemory(*(jnp.where(moves, new, old) for new, old in zip(moved, memory, strict=True)))

    def _heard(
        self, bits: rng.Bits, memory: ZIPMemory, obs: TraderView, price: Float[Array, ""]
    ) -> tuple[Bool[Array, ""], Bool[Array, ""], Float[Array, ""]]:
        """Whether p is to fall or to rise, and the shout that was heard (0 if none was)."""
        tape, coin = obs.tape, (bits.first & 1) == 1  # uniforms take the 24 highest bits only
        shout = jnp.where(tape.sale, tape.price, tape.last_bid)
        grid = jnp.where(obs.tick > 0, obs.tick, 1.0)
        own = jnp.where(obs.tick > 0, grid * jnp.floor(price / grid + 1e-3), price)
        at_ask, at_bid = tape.price == tape.last_ask, tape.price == tape.last_bid
        both = jnp.where(at_ask == at_bid, coin, at_ask)
        took_ask = tape.sale & jnp.where(tape.buy & tape.sell, both, tape.buy)
        refused = ~tape.sale & jnp.isfinite(shout)
        falls = tape.sale & (own >= shout)
        rises = memory.active & (own <= shout) & (took_ask | refused) & ~falls
        return falls, rises, jnp.where(jnp.isfinite(shout), shout, 0.0)
