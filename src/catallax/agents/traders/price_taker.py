"""The price-taker: believes in one market price, and trades at it or not at all."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree, Shaped

from catallax.core import BuildError
from catallax.games.double_auction.observation import Order, TraderView

from .standing import up_to
from .trader import AbstractTrader


class PriceTakerMemory(NamedTuple):
    """Prices of the round so far, own coordinates."""

    count: Float[Array, ""]
    total: Float[Array, ""]
    """Their sum."""
    last: Float[Array, ""]
    """The last one; 0 before the first."""


class PriceTaker(AbstractTrader):
    """Quotes an estimate of the market price, or its limit if that is less, and accepts asks up to its quote.

    The estimate is kept over the periods of a round. Before the first trade it is the own limit, whatever `estimate`:
    the middle of the price bounds, the other obvious guess, lies far from all values in a market whose bounds are wide,
    and nobody would ever trade. After n trades at prices p_1, ..., p_n it is

        "mean": (limit + p_1 + ... + p_n) / (n + 1), the own limit being a first observation;
        "last": p_n.

    "last" can be stuck for good: where the first price is the highest value, no other buyer can trade at it, and the
    sellers, all takers of that price, do not offer less. Under "mean" takers differ in their estimates and prices move.

    On a price grid the quote is the next price up from the estimate (down for a seller): two takers who agree on a
    price between two ticks would else never trade.

    Args:
        estimate: "mean" or "last".

    Raises:
        BuildError: another estimate.

    Source: the "Pricetaker" of Rust, Miller and Palmer (1992), of which they print results and no rule; ours is the
        simplest that deserves the name.
    """

    needs = ("sale", "price")

    estimate: Literal["mean", "last"] = eqx.field(static=True, default="mean")

    def __check_init__(self) -> None:
        """One of the two."""
        if self.estimate not in ("mean", "last"):
            raise BuildError(f"PriceTaker: estimate must be 'mean' or 'last', got {self.estimate!r}")

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> PriceTakerMemory:
        zero = jnp.float32(0)
        return PriceTakerMemory(zero, zero, zero)

    def quote(
        self, key: Shaped[PRNGKeyArray, ""], memory: PriceTakerMemory, obs: TraderView
    ) -> tuple[Order, PriceTakerMemory]:
        """Hears the last trade, then quotes and accepts at the estimate."""
        sale, price = obs.tape.sale, obs.tape.price
        memory = PriceTakerMemory(
            memory.count + sale,
            memory.total + jnp.where(sale, price, 0.0),
            jnp.where(sale, price, memory.last),
        )
        mean = (obs.limit + memory.total) / (memory.count + 1)
        guess = mean if self.estimate == "mean" else jnp.where(memory.count > 0, memory.last, obs.limit)
        grid = jnp.where(obs.tick > 0, obs.tick, 1.0)
        guess = jnp.where(obs.tick > 0, grid * jnp.ceil(guess / grid - 1e-3), guess)
        bid = jnp.minimum(jnp.minimum(guess, obs.limit), obs.cap)
        return Order(bid, up_to(bid, obs)), memory
