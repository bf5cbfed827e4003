"""Karma economies, their learner and their mean field."""

from collections.abc import Callable

from catallax.agents.tabular import Sarsa
from catallax.core import AbstractDynamics, AbstractGame, AbstractMeasure, Group, Play, Population
from catallax.games import karma as games
from catallax.games.karma import (
    CircleMatching,
    PairwiseKarma,
    PayBidToSociety,
    Urgency,
    karma_interface,
    open_bids,
)
from catallax.measures import karma as measures
from catallax.measures.karma import FieldOutcomes
from catallax.solvers import karma as solvers
from catallax.solvers.karma import KarmaEquilibrium

from .places import Home, Seat, Solver, Watch


def small() -> PairwiseKarma:
    """Six players who pay society, at most four karma each, two to start with."""
    return PairwiseKarma(players=6, payment=PayBidToSociety(), cap=4, endowment=2)


def learner() -> Sarsa:
    """A rule that fits `small`."""
    return Sarsa(open_bids(small()))


def learners() -> Play:
    """Six learners, each with a table of its own."""
    group = Group("player", None, learner(), karma_interface(small()))
    return Play(small(), Population((group,)), length=5, copies=2, episodic=False)


def field() -> KarmaEquilibrium:
    """The same game with infinitely many players."""
    return KarmaEquilibrium(small())


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "PairwiseKarma, to society": small,
    "PairwiseKarma, to peers, three urgencies": lambda: PairwiseKarma(players=8, urgency=Urgency.iid((0.0, 1.0, 5.0))),
    "PairwiseKarma, kept, circle": lambda: PairwiseKarma(players=4, excess="kept", matching=CircleMatching()),
}

AGENTS: dict[str, Seat] = {"Sarsa": Seat(learner, small, "player", lambda: karma_interface(small()))}

MEASURES: dict[str, Watch] = {
    "FieldOutcomes": Watch(FieldOutcomes, field, x64=True),
}

SOLVERS: dict[str, Solver] = {
    "KarmaEquilibrium": Solver(field, 1e-8, x64=True),
    "KarmaEquilibrium, entropy": Solver(lambda: KarmaEquilibrium(small(), regulariser="entropy"), 1e-8, x64=True),
}

HOMES = (
    Home(games, AbstractGame, lambda make: make),
    Home(measures, AbstractMeasure, lambda make: Watch(make, learners)),
    Home(solvers, AbstractDynamics, lambda make: Solver(make, 1e-8, x64=True), {"game": small}),
)
