"""The stochastic growth economy and its household, learning alone or centrally."""

from collections.abc import Callable
from typing import Any

from catallax.agents.deep import PPO
from catallax.agents.wrappers import CentralLearner
from catallax.core import AbstractGame, AbstractMeasure, Group, Interface, Play, Population
from catallax.games import growth as games
from catallax.games.growth import BrockMirman, log_deviations, saving_interface, saving_share
from catallax.measures import growth as measures
from catallax.measures.growth import SavingPolicy

from .places import Home, Seat, Watch


def team_of_one_view(obs: Any) -> Any:
    """A household's log deviations with a seat axis, as `Joint` shows them to a rule."""
    return log_deviations(obs)[None]


def team_of_one_move(obs: Any, action: Any) -> Any:
    """The one seat's saving share."""
    return saving_share(obs, action[0])


def small_ppo() -> PPO:
    """A PPO with little to compile."""
    return PPO(widths=(4,), passes=2, minibatches=2)


def growth() -> Play:
    """Three copies of a growing economy whose household learns."""
    household = Group("household", None, small_ppo(), saving_interface())
    return Play(BrockMirman(), Population((household,)), length=4, copies=3)


GAMES: dict[str, Callable[[], AbstractGame]] = {
    "BrockMirman": BrockMirman,
    "BrockMirman, constant productivity": lambda: BrockMirman(productivity=(1.0,), transition=((1.0,),)),
}

AGENTS: dict[str, Seat] = {
    "PPO": Seat(small_ppo, BrockMirman, "household", saving_interface),
    "CentralLearner": Seat(
        lambda: CentralLearner(small_ppo(), 1),
        BrockMirman,
        "household",
        lambda: Interface(view=team_of_one_view, move=team_of_one_move),
    ),
}

MEASURES: dict[str, Watch] = {"SavingPolicy": Watch(lambda: SavingPolicy(points=3), growth)}

HOMES = (
    Home(games, AbstractGame, lambda make: make),
    Home(measures, AbstractMeasure, lambda make: Watch(make, growth)),
)
