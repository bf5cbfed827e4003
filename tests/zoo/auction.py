"""Double auctions and their traders."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from catallax.agents import deep, traders
from catallax.agents.deep import PPO, ActorCritic, Reinforce
from catallax.agents.parts import MLP
from catallax.agents.tabular import QLearning
from catallax.agents.traders import GDX, ZIC, ZIP, Gamer, Kaplan, PriceTaker
from catallax.agents.wrappers import Frozen
from catallax.core import (
    AbstractAgent,
    AbstractGame,
    AbstractMeasure,
    Group,
    MeanReward,
    NaNCount,
    Play,
    Population,
    Real,
    Spec,
    rng,
)
from catallax.games import double_auction as auctions
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

from .places import Home, Seat, Watch


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
    "PostedOffer, bids, no disclosure": lambda: PostedOffer(NormalTokens(), ZeroDisclosure(), poster="buyer", steps=6),
    "SingleRole, aurora": lambda: SingleRole(short_aurora(buyers=2, sellers=6)),
}

AGENTS: dict[str, Seat] = {
    "ZIC": Seat(ZIC, memoryless_market),
    "ZIC, seller on a grid": Seat(ZIC, short_aurora, "seller"),
    "ZIP": Seat(ZIP, short_aurora),
    "ZIP, reflected, seller": Seat(lambda: ZIP(reflected=True), nyse_rule, "seller"),
    "Kaplan": Seat(Kaplan, short_aurora),
    "Gamer": Seat(Gamer, nyse_rule, "seller"),
    "GDX": Seat(GDX, short_aurora),
    "PriceTaker": Seat(PriceTaker, disclosed),
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
    "SampleRound": Watch(lambda: double_auction.SampleRound(every=1), zero_intelligence),
    "SampleRound, now and then": Watch(double_auction.SampleRound, zero_intelligence),
    "Efficiency": Watch(double_auction.Efficiency, zero_intelligence),
    "SelectedCopies": Watch(
        lambda: double_auction.SelectedCopies(double_auction.Efficiency(2), (2, 0), "chosen"), zero_intelligence
    ),
    "ForcedDeviation": Watch(lambda: double_auction.ForcedDeviation(2), learners),
    "ForcedDeviation, a seller's whole round": Watch(
        lambda: double_auction.ForcedDeviation(1, "seller", 3, None, 15, suffix="_round", margin=2.0), zero_intelligence
    ),
    "Efficiency, by period": Watch(
        lambda: double_auction.Efficiency(2, by_period=True, suffix="_by_period"), zero_intelligence
    ),
}

HOMES = (
    Home(auctions, AbstractGame, lambda make: make, {"tokens": lambda: NormalTokens(units=2), "auction": short_aurora}),
    Home(traders, AbstractAgent, lambda make: Seat(make, short_aurora, "seller")),
    Home(deep, AbstractAgent, lambda make: Seat(make, memoryless_market, "seller", standard_interface)),
    Home(double_auction, AbstractMeasure, lambda make: Watch(make, zero_intelligence)),
)
