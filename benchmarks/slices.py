"""One small run of each family, for `compile.py`: what is built, and the call that compiles and runs it."""

from collections.abc import Callable
from typing import Any

import harness  # noqa: F401  (pins the process before jax is imported)

import jax  # isort: skip

from catallax.core import Group, Play, Population, rng, run, solve


def auction() -> Callable[[], Any]:
    """Eight zero-intelligence traders."""
    from catallax.experiments.double_auction.summary import zic_only

    play = zic_only()
    return lambda: run(play, rng.key(0), 10)


def reinforce() -> Callable[[], Any]:
    """Eight learning traders who see everything."""
    from catallax.agents.deep import Reinforce
    from catallax.experiments.double_auction.summary import all_learning
    from catallax.games.double_auction import FullDisclosure

    play = all_learning(Reinforce(), FullDisclosure())
    return lambda: run(play, rng.key(0), 2)


def mean_field() -> Callable[[], Any]:
    """The advertising auction's fixed point."""
    from catallax.games.mean_field import AdAuction
    from catallax.solvers.mean_field import FixedPoint, Softmax

    with jax.enable_x64(True):
        problem = FixedPoint(AdAuction(), Softmax(4.0))

    def go() -> Any:
        with jax.enable_x64(True):
            return solve(problem, rng.key(0), tol=1e-10)

    return go


def karma() -> Callable[[], Any]:
    """A hundred learners who bid karma."""
    from catallax.agents.tabular import Sarsa
    from catallax.games.karma import PairwiseKarma, karma_interface, open_bids

    game = PairwiseKarma()
    learners = Group("player", None, Sarsa(open_bids(game)), karma_interface(game))
    play = Play(game, Population((learners,)), length=1000, episodic=False)
    return lambda: run(play, rng.key(0), 2)


def flow() -> Callable[[], Any]:
    """A Q-learning flow in fixed steps."""
    from catallax.games.matrix import rock_paper_scissors
    from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta

    flow = QLearningFlow(rock_paper_scissors(), 0.1, trajectories=100, integrator=RungeKutta(20))
    return lambda: run(flow, rng.key(0), 10)


def pricing() -> Callable[[], Any]:
    """The pricing duopoly."""
    from catallax.agents.tabular import EpsilonGreedy, QLearning
    from catallax.games.pricing import pricing_game

    game = pricing_game()
    explore = EpsilonGreedy(1.0, 4e-6, shared_draw=True)
    firms = Group("firm", None, QLearning(game.observations, game.points, explore, track_settling=True))
    play = Play(game, Population((firms,)), length=1, episodic=False)
    return lambda: run(play, rng.key(0), 1000)


def growth() -> Callable[[], Any]:
    """A household that learns to save by PPO."""
    from catallax.agents.deep import PPO
    from catallax.games.growth import BrockMirman, saving_interface

    household = Group("household", None, PPO(), saving_interface())
    play = Play(BrockMirman(), Population((household,)), length=16, copies=64)
    return lambda: run(play, rng.key(0), 2)


SLICES = {f.__name__: f for f in (auction, reinforce, mean_field, karma, flow, pricing, growth)}
