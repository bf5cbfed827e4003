"""Sealed-bid auctions, the learner from forgone payoffs, what is kept of them."""

from collections.abc import Callable

from catallax.agents.tabular import QLearning, SynchronousQLearning, UniformValues
from catallax.core import AbstractGame, AbstractMeasure, Group, Play, Population
from catallax.games import sealed_bid as games
from catallax.games.sealed_bid import AffiliatedValues, SealedBid
from catallax.measures import sealed_bid as measures
from catallax.measures.sealed_bid import Revenue

from .places import Home, Seat, Watch

BIDS = (0.1, 0.4, 0.7, 0.9)


def auction() -> SealedBid:
    """Two bidders who are told nothing."""
    return SealedBid(BIDS)


def revealed() -> SealedBid:
    """Two bidders who are told what every bid would have earned."""
    return SealedBid(BIDS, feedback="full")


def signals() -> SealedBid:
    """The same with three signals each."""
    return SealedBid(BIDS, feedback="full", values=AffiliatedValues(3, 0.5))


def play() -> Play:
    """Two Q-learners, two copies, four auctions a phase."""
    rule = QLearning(1, 4, initial=UniformValues(0.0, 10.0))
    return Play(auction(), Population([Group("bidder", None, rule)]), length=4, copies=2, episodic=False)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "SealedBid": auction,
    "SealedBid, revealed": revealed,
    "SealedBid, signals": signals,
    "SealedBid, all rules": lambda: SealedBid(
        BIDS, 3, 1.5, reserve=0.2, bid_fee=0.01, winner_fee=0.1, abstain=True, feedback="rival bid"
    ),
}

AGENTS: dict[str, Seat] = {
    "SynchronousQLearning": Seat(lambda: SynchronousQLearning(4, initial=UniformValues(0.0, 10.0)), revealed, "bidder"),
    "SynchronousQLearning, states": Seat(lambda: SynchronousQLearning(4, 3), signals, "bidder"),
    "QLearning, drawn first values": Seat(lambda: QLearning(1, 4, initial=UniformValues(0.0, 10.0)), auction, "bidder"),
}

MEASURES: dict[str, Watch] = {"Revenue, sealed bids": Watch(Revenue, play)}

HOMES = (
    Home(games, AbstractGame, lambda make: make, {"bids": lambda: BIDS}),
    Home(measures, AbstractMeasure, lambda make: Watch(make, play)),
)
