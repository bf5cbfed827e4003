"""Limit orders of one side of a market, one a trader: who says what, who is first, and how an order goes.

Prices are in the side's own coordinates (see `observation`): a higher one is always the more generous, so that the same
functions serve bids and, negated, asks. Nothing is sorted: a maximum over traders is faster.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

_NEVER = 2**31 - 1


class Orders(NamedTuple):
    """The live orders of one side: at most one of one unit for each trader."""

    price: Float[Array, " n"]
    """-inf for traders without an order."""
    time: Int[Array, " n"]
    """When the order arrived; means nothing where there is none."""


class Book(NamedTuple):
    """Both sides, each in its own coordinates: the price of an ask is minus what the seller wants."""

    bids: Orders
    asks: Orders


class Best(NamedTuple):
    """The order that is first in line."""

    price: Float[Array, ""]
    """-inf where there is no order."""
    holder: Bool[Array, " n"]
    """One-hot; nobody where there is no order."""


def no_orders(n: int) -> Orders:
    """A side of n traders without orders."""
    return Orders(jnp.full(n, -jnp.inf, jnp.float32), jnp.zeros(n, jnp.int32))


def best(orders: Orders) -> Best:
    """The best price and, of the orders at it, the one that arrived first: price-time priority."""
    price = orders.price.max()
    first = (orders.price == price) & (price > -jnp.inf)
    earliest = jnp.where(first, orders.time, _NEVER).min()
    return Best(price, first & (orders.time == earliest))


def entered(orders: Orders, who: Bool[Array, " n"], price: Float[Array, " n"], time: Int[Array, ""]) -> Orders:
    """New orders of `who`. Each takes the place of the trader's old one, if any, and queues from now."""
    return Orders(jnp.where(who, price, orders.price), jnp.where(who, time, orders.time))


def withdrawn(orders: Orders, who: Bool[Array, "*#n"]) -> Orders:
    """The orders of `who` cancelled, executed or expired; a scalar is for all traders."""
    return orders._replace(price=jnp.where(who, -jnp.inf, orders.price))
