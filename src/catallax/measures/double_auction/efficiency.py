"""Allocative efficiency: how much of the possible surplus was realised, and by whom."""

import jax.numpy as jnp
from jaxtyping import Array

from catallax.core import Variable

from .formulas import loss_audit, ratio
from .rounds import AbstractAuctionMeasure, Round


class Efficiency(AbstractAuctionMeasure):
    """Realised over possible surplus, for the market and for each side.

    efficiency = (buyers' + sellers' profit) / maximum surplus; buyer_efficiency = buyers' profit / sum of
    max(v - p*, 0), sellers likewise. Ratios of the round; their mean over rounds (EFF AV, a mean of ratios)
    is what Rawat's table prints, the ratio of the sums of `surplus` and `maximum_surplus` is the
    tournament's EFF TOTAL. Undefined where there is nothing to gain. Fees and the like are not part of the
    surplus.

    Source: Rawat (2023) and its code; Rust, Miller and Palmer (1992).
    Differs: Rawat's code rounds the maximum to an integer, so that single rounds exceed 1.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        """Three ratios and the two sums of the first."""
        return (
            Variable("efficiency", (), "1", "realised over maximum surplus", True),
            Variable("buyer_efficiency", (), "1", "buyers' profit over their surplus at p*", True),
            Variable("seller_efficiency", (), "1", "sellers' profit over their surplus at p*", True),
            Variable("surplus", (), "price", "realised surplus, the numerator of EFF TOTAL"),
            Variable("maximum_surplus", (), "price", "maximum surplus, the denominator of EFF TOTAL"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        buyers = jnp.where(round.traded, round.value - round.price, 0.0).sum()
        sellers = jnp.where(round.traded, round.price - round.cost, 0.0).sum()
        surplus = jnp.where(round.traded, round.value - round.cost, 0.0).sum()
        maximum = round.periods * round.ce.surplus
        return {
            "efficiency": ratio(surplus, maximum),
            "buyer_efficiency": ratio(buyers, round.periods * round.ce.buyer_surplus),
            "seller_efficiency": ratio(sellers, round.periods * round.ce.seller_surplus),
            "surplus": surplus,
            "maximum_surplus": maximum,
        }


class LossAudit(AbstractAuctionMeasure):
    """Where the missing surplus went: the tournament's four kinds of loss. They add up to maximum - realised
    surplus.

    Source: Rust, Miller and Palmer (1992). Differs: see `formulas.loss_audit`.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("missed_intramarginal", (), "price", "IM: lost for want of intra-marginal trades (q < Q)"),
            Variable("extramarginal", (), "price", "EM: lost by extra-marginal trades (q > Q)"),
            Variable("buyer_displacement", (), "price", "BS: lost as extra-marginal buyers displaced others"),
            Variable("seller_displacement", (), "price", "SS: lost as extra-marginal sellers displaced others"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        losses = loss_audit(round.values, round.costs, round.traded, round.value, round.cost, round.ce)
        return dict(zip([v.name for v in self.quantities], losses, strict=True))
