"""Every game, rule and measure of the library, as factories: what the contract tests walk through.

A newcomer adds one line here; `test_contracts.py` fails until every public piece has one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from catallax.agents.learners import Reinforce
from catallax.agents.parts import MLP
from catallax.agents.traders import ZIC, ZIU, Kaplan, TruthTeller
from catallax.core import AbstractAgent, AbstractGame, AbstractMeasure, Interface, NaNCount
from catallax.games.auction import (
    ConditionalDisclosure,
    DoubleAuction,
    FullDisclosure,
    ReducedDisclosure,
    WeightedMidpoint,
    ZeroDisclosure,
    aurora,
    seed_interface,
    seed_market,
)
from catallax.measures import auction
from catallax.measures.auction.quotes import QuoteDistance, SampleRound


class Seat(NamedTuple):
    """A rule with a seat that it fits: the market, the role, and how it sees and speaks there."""

    rule: Callable[[], AbstractAgent]
    game: Callable[[], DoubleAuction]
    role: str = "buyer"
    interface: Callable[[], Interface] = Interface


def nyse_rule() -> DoubleAuction:
    """The seed's market with standing quotes and strict improvement, in two short periods (seed 000, B11)."""
    return seed_market(persistence=True, improvement=True, periods=2, steps=2, price_rule=WeightedMidpoint(0.25))


def _short(**changes: Any) -> DoubleAuction:
    """AURORA with every switch on: periods turn within the few ticks that a contract test plays."""
    return aurora("SHRT", steps=3, **changes)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "seed, zero disclosure": seed_market,
    "seed, reduced disclosure": lambda: seed_market(disclosure=ReducedDisclosure()),
    "seed, conditional disclosure": lambda: seed_market(disclosure=ConditionalDisclosure()),
    "seed, full disclosure": lambda: seed_market(disclosure=FullDisclosure()),
    "seed, nyse rule": nyse_rule,
    "aurora": _short,
    "aurora, two against six, crossing, in the dark": lambda: _short(
        buyers=2, sellers=6, acceptance="crossing", disclosure=ZeroDisclosure()
    ),
}

AGENTS: dict[str, Seat] = {
    "ZIC": Seat(ZIC, seed_market),
    "ZIC, seller on a grid": Seat(ZIC, _short, "seller"),
    "ZIU": Seat(ZIU, seed_market),
    "TruthTeller": Seat(TruthTeller, _short, "seller"),
    "Kaplan": Seat(Kaplan, _short),
    "Kaplan, seller": Seat(Kaplan, _short, "seller"),
    "Reinforce": Seat(lambda: Reinforce(network=MLP((8, 4))), seed_market, "seller", seed_interface),
    "Reinforce, baseline": Seat(
        lambda: Reinforce(network=MLP((8, 4)), baseline=True), GAMES["seed, full disclosure"], "buyer", seed_interface
    ),
}

MEASURES: dict[str, Callable[[], AbstractMeasure]] = {
    "NaNCount": NaNCount,
    "QuoteDistance": QuoteDistance,
    "SampleRound": lambda: SampleRound(every=1),
    "SampleRound, now and then": SampleRound,
    **{
        rule.__name__: rule
        for rule in (
            auction.Autocorrelation,
            auction.DeviationByTrade,
            auction.Dispersion,
            auction.Efficiency,
            auction.Equilibrium,
            auction.Handover,
            auction.LossAudit,
            auction.Profit,
            auction.ProfitDispersion,
            auction.TradingOrder,
            auction.Volume,
        )
    },
    "Efficiency by period": lambda: auction.Efficiency(2, by_period=True, suffix="_by_period"),
}
