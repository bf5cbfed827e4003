"""The pricing oligopoly, its learners, and a learner from replay."""

from collections.abc import Callable
from typing import Any

import jax

from catallax.agents.deep import DQN, ActorCritic
from catallax.agents.tabular import EpsilonGreedy, QLearning
from catallax.core import AbstractGame, AbstractMeasure, Group, Interface, Play, Population
from catallax.games import pricing as games
from catallax.games.pricing import LogitMarket, PricingGame, pricing_game
from catallax.measures import pricing as measures
from catallax.measures.pricing import Collusion, PriceCut

from .places import Home, Seat, Watch


def duopoly() -> PricingGame:
    """Two firms that set one of four prices."""
    return pricing_game(points=4)


def last_outcome(obs: Any) -> Any:
    """A firm's past in `duopoly` as a vector with a single one, for rules that want features."""
    return jax.nn.one_hot(obs, 16)


def settling(gamma: float = 1.0) -> QLearning:
    """A firm as in Calvano et al. (2020): one word for the coin and the action, and a record of the last change."""
    return QLearning(16, 4, EpsilonGreedy(1.0, 4e-6, shared_draw=True), gamma=gamma, track_settling=True)


def session() -> Play:
    """Two Q-learners that set prices, period by period."""
    rule = settling(gamma=0.9)
    return Play(duopoly(), Population([Group("firm", None, rule)]), length=1, episodic=False)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "PricingGame": duopoly,
    "PricingGame, three unlike firms": lambda: pricing_game(
        LogitMarket(costs=(1.0, 0.9, 0.8), qualities=(2.0, 2.0, 2.0)), points=3
    ),
}

AGENTS: dict[str, Seat] = {
    "QLearning, settling": Seat(settling, duopoly, "firm"),
    "ActorCritic, finite": Seat(
        lambda: ActorCritic(widths=(4,)), duopoly, "firm", lambda: Interface(view=last_outcome)
    ),
    "DQN": Seat(
        lambda: DQN(widths=(4,), capacity=16, minibatch=2, warmup=2),
        duopoly,
        "firm",
        lambda: Interface(view=last_outcome),
    ),
}

MEASURES: dict[str, Watch] = {
    "Collusion": Watch(lambda: Collusion(every=2, patience=1), session),
    "PriceCut": Watch(lambda: PriceCut(every=2), session),
}

HOMES = (
    Home(games, AbstractGame, lambda make: make),
    Home(measures, AbstractMeasure, lambda make: Watch(make, session)),
)
