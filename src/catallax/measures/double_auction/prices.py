"""Prices: how far from the competitive price, how scattered, and how they follow each other."""

import jax.numpy as jnp
from jaxtyping import Array

from catallax.core import Variable

from . import formulas
from .rounds import AbstractAuctionMeasure, Round


class Dispersion(AbstractAuctionMeasure):
    """Prices around the competitive price p* and around their own mean; all undefined without trades.

    mad = mean |p - p*|; price_sd = sample SD within the round, Rawat's "volatility"; smith_alpha = 100
    sqrt(mean (p - p*)^2) / p*; coefficient_of_variation = 100 SD / mean (COEFVAR).

    Source: Rawat (2023) and its code; Smith (1962); Rust, Miller and Palmer (1992).
    Differs: the printed table of Rawat (2023) has MAD and volatility swapped in its column without disclosure.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("mean_price", (), "price", "mean price of the trades", True),
            Variable("mad", (), "price", "mean absolute deviation of prices from p*", True),
            Variable("price_sd", (), "price", "sample standard deviation of prices", True),
            Variable("smith_alpha", (), "%", "root mean square deviation from p* over p*", True),
            Variable("coefficient_of_variation", (), "%", "COEFVAR: standard deviation over mean price", True),
        )

    def of(self, round: Round) -> dict[str, Array]:
        traded, price, centre = round.traded, round.price, round.ce.price
        return {
            "mean_price": formulas.mean(traded, price),
            "mad": formulas.mean_absolute_deviation(traded, price, centre),
            "price_sd": formulas.standard_deviation(traded, price),
            "smith_alpha": formulas.smith_alpha(traded, price, centre),
            "coefficient_of_variation": formulas.coefficient_of_variation(traded, price),
        }


class Autocorrelation(AbstractAuctionMeasure):
    """Do prices correct themselves? Of levels, of changes between consecutive steps, and from trade to trade.

    autocorrelation is Rawat's: levels over consecutive steps that both traded. The tournament's CORRCHG
    (change_correlation) and the -0.25 to -0.5 of the literature are correlations of CHANGES, which are
    negative even for independent prices (-0.5); Rawat compares the two.

    Source: Rawat (2023) and its code; Rust, Miller and Palmer (1992).
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("autocorrelation", (), "1", "of price levels in consecutive steps that traded", True),
            Variable("autocorrelation_of_changes", (), "1", "of price changes over consecutive steps", True),
            Variable("change_correlation", (), "1", "CORRCHG: of price changes from trade to trade", True),
        )

    def of(self, round: Round) -> dict[str, Array]:
        traded, price = round.traded, round.price
        return {
            "autocorrelation": formulas.autocorrelation(traded, price),
            "autocorrelation_of_changes": formulas.autocorrelation_of_changes(traded, price),
            "change_correlation": formulas.change_correlation(traded, price, round.most_trades),
        }


class DeviationByTrade(AbstractAuctionMeasure):
    """Convergence within a period: |p - p*| of the first, second, ... trade, averaged over the round's
    periods."""

    @property
    def quantities(self) -> tuple[Variable, ...]:
        """One number for each trade a period can have."""
        return (Variable("deviation_by_trade", ("trade",), "price", "|p - p*| of the n-th trade of a period", True),)

    def of(self, round: Round) -> dict[str, Array]:
        return {
            "deviation_by_trade": formulas.deviation_by_trade(
                round.traded, round.price, round.ce.price, round.most_trades
            )
        }


class CompetitiveBenchmark(AbstractAuctionMeasure):
    """What theory says of the round: competitive quantity and prices of a period."""

    @property
    def quantities(self) -> tuple[Variable, ...]:
        """Q, the interval and its midpoint."""
        return (
            Variable("equilibrium_quantity", (), "units", "competitive quantity of a period"),
            Variable("equilibrium_low", (), "price", "lowest competitive price"),
            Variable("equilibrium_high", (), "price", "highest competitive price"),
            Variable("equilibrium_price", (), "price", "p*, the midpoint of the competitive interval"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        ce = round.ce
        return {
            "equilibrium_quantity": ce.quantity.astype(jnp.int32),
            "equilibrium_low": ce.low,
            "equilibrium_high": ce.high,
            "equilibrium_price": ce.price,
        }
