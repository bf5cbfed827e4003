"""What traders name: the distance of quotes from the competitive price, and whole rounds kept as samples."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, Variable, count
from catallax.games.double_auction.equilibrium import competitive_equilibrium


def mean_distance(quotes: Float[Array, "T n"], price: Float[Array, ""]) -> Float[Array, " n"]:
    """Mean over a round of |quote - price| for each trader, over the ticks in which it quoted; NaN if it never did."""
    quoted = jnp.isfinite(quotes)
    total = jnp.where(quoted, jnp.abs(quotes - price), 0.0).sum(axis=0)
    count = quoted.sum(axis=0)
    return jnp.where(count > 0, total / jnp.maximum(count, 1), jnp.nan)


class QuoteDistance(AbstractMeasure):
    """How far each trader's quotes lie from the competitive price p* of the round."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("buyer_quote_distance", ("copy", "buyer"), "price", "mean |bid - p*| of each buyer", True),
            Variable("seller_quote_distance", ("copy", "seller"), "price", "mean |ask - p*| of each seller", True),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Over all ticks of the phase."""
        price = jax.vmap(competitive_equilibrium)(record.first.values, record.first.costs).price
        return {
            "buyer_quote_distance": jax.vmap(mean_distance)(record.info.bids, price),
            "seller_quote_distance": jax.vmap(mean_distance)(record.info.asks, price),
        }


class QuoteFees(AbstractMeasure):
    """What the market takes for quotes in a round, and how often traders are silent.

    Revenue is not part of the surplus: what traders keep is surplus - revenue.
    """

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("revenue", ("copy",), "price", "fees paid in the round"),
            Variable("bids_named", ("copy",), "1", "legal bids over buyers and ticks, units left or not"),
            Variable("asks_named", ("copy",), "1", "legal asks over sellers and ticks, units left or not"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Over all ticks of the phase."""
        info = record.info
        return {
            "revenue": info.fees.sum(axis=1),
            "bids_named": jnp.isfinite(info.bids).mean(axis=(1, 2)),
            "asks_named": jnp.isfinite(info.asks).mean(axis=(1, 2)),
        }


class SampleRound(AbstractMeasure):
    """The first copy's round in full, tick by tick: for pictures and replays, not for statistics."""

    every: int = count(10)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Tokens, quotes, trades and prices of one round."""
        return (
            Variable("sample_values", ("buyer", "unit"), "price", "values; -inf for units a buyer does not have"),
            Variable("sample_costs", ("seller", "unit"), "price", "costs; +inf for units a seller does not have"),
            Variable("sample_bids", ("tick", "buyer"), "price", "bids; -inf where none"),
            Variable("sample_asks", ("tick", "seller"), "price", "asks; +inf where none"),
            Variable("sample_price", ("tick",), "price", "transaction price; 0 where there was none"),
            Variable("sample_traded", ("tick",), "1", "whether a unit changed hands"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        event = jax.tree.map(lambda x: x[0], record.info)
        return {
            "sample_values": record.first.values[0],
            "sample_costs": record.first.costs[0],
            "sample_bids": event.bids,
            "sample_asks": event.asks,
            "sample_price": event.price,
            "sample_traded": event.traded,
        }
