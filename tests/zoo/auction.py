"""Double auctions and their traders."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from catallax.agents.deep import PPO, ActorCritic, Reinforce
from catallax.agents.parts import MLP
from catallax.agents.tabular import QLearning
from catallax.agents.traders import (
    AA,
    GD,
    GDX,
    MGD,
    ZIC,
    ZIP,
    ZIU,
    EasleyLedyard,
    Gamer,
    Kaplan,
    KaplanPort,
    Lin,
    Markup,
    Perry,
    PriceTaker,
    Ringuette,
    Skeleton,
    Staecker,
    TruthTeller,
)
from catallax.agents.wrappers import Frozen
from catallax.core import AbstractGame, Group, MeanReward, NaNCount, Play, Population, Real, Spec, rng
from catallax.games.double_auction import (
    CallMarket,
    ConditionalDisclosure,
    ContinuousDoubleAuction,
    DoubleAuction,
    FullDisclosure,
    NormalTokens,
    PostedOffer,
    ReducedDisclosure,
    SingleRole,
    WeightedMidpoint,
    ZeroDisclosure,
    aurora,
    discretized_interface,
    in_environment,
    memoryless_market,
    standard_interface,
)
from catallax.measures import double_auction
from catallax.measures.double_auction.quotes import QuoteDistance, SampleRound

from .places import Seat, Watch


def nyse_rule() -> DoubleAuction:
    """The memoryless market with standing quotes and strict improvement (Rawat (2023), B11), in two short periods."""
    return memoryless_market(
        persistence=True,
        improvement=True,
        periods=2,
        steps=2,
        price_rule=WeightedMidpoint(0.25),
        disclosure=ConditionalDisclosure(),
    )


def disclosed() -> DoubleAuction:
    """The memoryless market with everything public: continuous prices, and no quote stands."""
    return memoryless_market(disclosure=FullDisclosure())


def short_aurora(**changes: Any) -> DoubleAuction:
    """AURORA with periods short enough to turn within the few ticks that a contract test plays."""
    return aurora("SHRT", steps=3, **changes)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "DoubleAuction": memoryless_market,
    "DoubleAuction, full disclosure": disclosed,
    "DoubleAuction, nyse rule, conditional disclosure": nyse_rule,
    "DoubleAuction, aurora": short_aurora,
    "DoubleAuction, aurora, two against six, crossing, reduced disclosure": lambda: short_aurora(
        buyers=2, sellers=6, acceptance="crossing", disclosure=ReducedDisclosure()
    ),
    "ContinuousDoubleAuction": lambda: in_environment(ContinuousDoubleAuction, steps=4),
    "ContinuousDoubleAuction, all switches": lambda: ContinuousDoubleAuction(
        NormalTokens(),
        ConditionalDisclosure(),
        buyers=3,
        sellers=5,
        steps=2,
        periods=3,
        bounded=False,
        improvement=True,
        clear_after_trade=True,
        sold_out_closes=True,
        takes="reserve",
    ),
    "CallMarket": lambda: in_environment(CallMarket, "TOK", buyers=3),
    "CallMarket, open, one period": lambda: CallMarket(NormalTokens(units=2), 0.25, ReducedDisclosure(), sealed=False),
    "PostedOffer": lambda: in_environment(PostedOffer, "SHRT", steps=3),
    "PostedOffer, bids posted, no disclosure": lambda: PostedOffer(NormalTokens(), ZeroDisclosure(), poster="buyer", steps=6),
    "SingleRole, aurora": lambda: SingleRole(short_aurora(buyers=2, sellers=6)),
}

AGENTS: dict[str, Seat] = {
    "ZIC": Seat(ZIC, memoryless_market),
    "ZIC, seller on a grid": Seat(ZIC, short_aurora, "seller"),
    "ZIU": Seat(ZIU, memoryless_market),
    "TruthTeller": Seat(TruthTeller, short_aurora, "seller"),
    "Markup": Seat(Markup, memoryless_market, "seller"),
    "Skeleton": Seat(Skeleton, short_aurora, "seller"),
    "ZIP": Seat(ZIP, short_aurora),
    "ZIP, reflected, seller": Seat(lambda: ZIP(reflected=True), nyse_rule, "seller"),
    "Kaplan": Seat(Kaplan, short_aurora),
    "KaplanPort": Seat(KaplanPort, short_aurora),
    "Ringuette": Seat(Ringuette, disclosed),
    "EasleyLedyard": Seat(EasleyLedyard, short_aurora),
    "PriceTaker": Seat(PriceTaker, disclosed),
    "Perry": Seat(Perry, disclosed),
    "Lin": Seat(Lin, disclosed, "seller"),
    "Gamer": Seat(Gamer, nyse_rule, "seller"),
    "Staecker": Seat(Staecker, disclosed),
    "GD": Seat(GD, disclosed, "seller"),
    "MGD": Seat(MGD, short_aurora, "seller"),
    "GDX": Seat(GDX, short_aurora),
    "AA": Seat(AA, short_aurora, "seller"),
    "Reinforce": Seat(lambda: Reinforce(network=MLP((4,))), memoryless_market, "seller", standard_interface),
    "Reinforce, baseline": Seat(
        lambda: Reinforce(network=MLP((4,)), baseline=True),
        lambda: memoryless_market(disclosure=FullDisclosure()),
        "buyer",
        standard_interface,
    ),
}


def open_market() -> DoubleAuction:
    """The memoryless market in which best quotes and prices are public."""
    return memoryless_market(disclosure=ReducedDisclosure())


def statue() -> Frozen:
    """A fresh REINFORCE learner, held fixed."""
    rule = Reinforce(network=MLP((4,)))
    return Frozen(rule, rule.init(rng.key(0), Spec(jax.ShapeDtypeStruct((6,), jnp.float32), Real())), noise=False)


AGENTS |= {
    "Frozen": Seat(statue, memoryless_market, "seller", standard_interface),
    "ActorCritic": Seat(lambda: ActorCritic(widths=(4,)), memoryless_market, "buyer", standard_interface),
    "PPO, trader": Seat(lambda: PPO(widths=(4,), passes=2, minibatches=2), open_market, "seller", standard_interface),
    "QLearning, trader": Seat(lambda: QLearning(120, 8, gamma=0.99), open_market, "buyer", discretized_interface),
}


def zero_intelligence() -> Play:
    """Three copies of the memoryless market, all eight traders with zero intelligence."""
    game = memoryless_market()
    return Play(game, Population([Group(r.name, None, ZIC()) for r in game.roles]), length=game.length, copies=3)


def learners() -> Play:
    """Three copies of the memoryless market: learning buyers, sellers with zero intelligence."""
    game = memoryless_market()
    groups = (
        Group("buyer", None, Reinforce(network=MLP((4,))), standard_interface()),
        Group("seller", None, ZIC()),
    )
    return Play(game, Population(groups), length=game.length, copies=3)


MEASURES: dict[str, Watch] = {
    "NaNCount": Watch(NaNCount, zero_intelligence),
    "MeanReward": Watch(MeanReward, zero_intelligence),
    "SampleRound": Watch(lambda: SampleRound(every=1), zero_intelligence),
    "SampleRound, now and then": Watch(SampleRound, zero_intelligence),
    **{
        rule.__name__: Watch(rule, zero_intelligence)
        for rule in (
            QuoteDistance,
            double_auction.Autocorrelation,
            double_auction.DeviationByTrade,
            double_auction.Dispersion,
            double_auction.Efficiency,
            double_auction.CompetitiveBenchmark,
            double_auction.EquilibriumProfit,
            double_auction.Handover,
            double_auction.LossAudit,
            double_auction.Profit,
            double_auction.ProfitDispersion,
            double_auction.QuoteFees,
            double_auction.SurplusShift,
            double_auction.TradingOrder,
            double_auction.Volume,
        )
    },
    "SelectedCopies": Watch(
        lambda: double_auction.SelectedCopies(double_auction.Efficiency(2), (2, 0), "chosen"), zero_intelligence
    ),
    "ForcedDeviation": Watch(lambda: double_auction.ForcedDeviation(2), learners),
    "ForcedDeviation, a seller's whole round": Watch(
        lambda: double_auction.ForcedDeviation(1, "seller", 3, None, 15, suffix="_round", margin=2.0), zero_intelligence
    ),
    "Efficiency by period": Watch(
        lambda: double_auction.Efficiency(2, by_period=True, suffix="_by_period"), zero_intelligence
    ),
}
