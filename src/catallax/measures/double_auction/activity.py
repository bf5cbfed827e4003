"""Activity: how many trades and when, who holds the best quotes, in which order units change hands."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from catallax.core import Variable

from . import formulas
from .rounds import AbstractAuctionMeasure, Round


class Volume(AbstractAuctionMeasure):
    """How many trades, and which share of them late in the period (PCT2ND).

    Source: Rust, Miller and Palmer (1992).
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("trades", (), "count", "trades in the round"),
            Variable("second_half", (), "%", "PCT2ND: trades in the second half of their period", True),
        )

    def of(self, round: Round) -> dict[str, Array]:
        return {
            "trades": round.traded.sum(dtype=jnp.int32),
            "second_half": formulas.second_half(round.traded),
        }


class Handover(AbstractAuctionMeasure):
    """How often the current bid (ask) changes hands from a step to the next of the same period.

    bid_handover is Rawat's: handovers over ALL steps, so that its maximum is 15/16 with 16 steps; per pair
    of steps (over 15) is bid_handover_of_pairs. A bid held by one of four at random gives 0.75 x 15/16 =
    0.703, which is what zero-intelligence traders show: read others against that.

    Source: Rawat (2023) and its code.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("bid_handover", (), "1", "handovers of the current bid over steps"),
            Variable("ask_handover", (), "1", "handovers of the current ask over steps"),
            Variable("bid_handover_of_pairs", (), "1", "handovers of the current bid over pairs of steps", True),
            Variable("ask_handover_of_pairs", (), "1", "handovers of the current ask over pairs of steps", True),
        )

    def of(self, round: Round) -> dict[str, Array]:
        bids, asks = formulas.handovers(round.bidder), formulas.handovers(round.asker)
        steps, pairs = round.traded.size, round.periods * (round.steps - 1)
        return {
            "bid_handover": formulas.share(bids, steps),
            "ask_handover": formulas.share(asks, steps),
            "bid_handover_of_pairs": formulas.share(bids, pairs),
            "ask_handover_of_pairs": formulas.share(asks, pairs),
        }


class TradingOrder(AbstractAuctionMeasure):
    """Do the units with most to gain trade first? Spearman's correlation with the efficient order.

    value_order: between the order of trading and descending values; cost_order: ascending costs; trading_order: the
    mean of both. Means over the round's periods; undefined with fewer than two trades or equal limits.

    Source: Gode and Sunder (1993), rank correlation with the efficient order.
    Differs: their exact statistic is not known to us; theirs may rank pairs instead of units.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("value_order", (), "1", "rank correlation of trading with descending values", True),
            Variable("cost_order", (), "1", "rank correlation of trading with ascending costs", True),
            Variable("trading_order", (), "1", "mean of value_order and cost_order", True),
        )

    def of(self, round: Round) -> dict[str, Array]:
        # ranks compare all with all: of the trades, a few, not of the steps, hundreds
        each = jax.vmap(formulas.order_correlation)
        in_order = lambda x: formulas.by_trade(round.traded, x, round.most_trades)
        values = formulas.mean_defined(each(*in_order(-round.value)))
        costs = formulas.mean_defined(each(*in_order(round.cost)))
        return {"value_order": values, "cost_order": costs, "trading_order": (values + costs) / 2}
