"""Profits of the seats."""

import jax.numpy as jnp
from jaxtyping import Array

from catallax.core import Variable

from . import formulas
from .rounds import AbstractAuctionMeasure, Round


def _profits(round: Round) -> tuple[Array, Array]:
    """Each buyer's and each seller's trading profit, price units."""
    b, s = round.values.shape[0], round.costs.shape[0]
    return (
        formulas.by_seat(round.traded, round.buyer, round.value - round.price, b),
        formulas.by_seat(round.traded, round.seller, round.price - round.cost, s),
    )


class Profit(AbstractAuctionMeasure):
    """Trading profit of each seat over the round: value - price and price - cost, summed over its trades.

    Fees are not deducted: this is what the seat took of the surplus, not its reward.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("buyer_profit", ("buyer",), "price", "trading profit of each buyer"),
            Variable("seller_profit", ("seller",), "price", "trading profit of each seller"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        buyers, sellers = _profits(round)
        return {"buyer_profit": buyers, "seller_profit": sellers}


class EquilibriumProfit(AbstractAuctionMeasure):
    """What each seat would earn over the round if all traded at p* in every period: its own equilibrium surplus.

    Periods times the sum of max(v - p*, 0), or of max(p* - c, 0). Over all seats it is the maximum surplus.

    Source: Rust, Miller and Palmer (1992), who divide a program's profit by it.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("buyer_due", ("buyer",), "price", "equilibrium profit of each buyer"),
            Variable("seller_due", ("seller",), "price", "equilibrium profit of each seller"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        buyers, sellers = formulas.equilibrium_profits(round.values, round.costs, round.ce)
        return {"buyer_due": round.periods * buyers, "seller_due": round.periods * sellers}


class ProfitDispersion(AbstractAuctionMeasure):
    """Root mean square over all traders of actual minus equilibrium profit, price units.

    The equilibrium profit is what the trader would earn if all traded at p* in every period.

    Source: Gode and Sunder (1993).
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (Variable("profit_dispersion", (), "price", "root mean square of actual - equilibrium profit"),)

    def of(self, round: Round) -> dict[str, Array]:
        due = formulas.equilibrium_profits(round.values, round.costs, round.ce)
        actual = jnp.concatenate(_profits(round))
        return {"profit_dispersion": formulas.profit_dispersion(actual, round.periods * jnp.concatenate(due))}
