"""Learners at home in the double auction: the standard interface fits them, and they come to beat zero intelligence."""

import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.deep import PPO, ActorCritic
from catallax.agents.traders import ZIC
from catallax.core import BuildError, Group, Interface, Play, Population, replicate, rng
from catallax.games.double_auction import ReducedDisclosure, memoryless_market, standard_interface
from catallax.measures.double_auction import Profit

pytestmark = pytest.mark.compile_effort("least")


def late_profit(rule, interface):
    """Buyer 1's profit in rounds 1,000 to 1,250, one a replication; the rest of the market is zero intelligence."""
    game = memoryless_market(disclosure=ReducedDisclosure())
    groups = (
        Group("buyer", [0], rule, interface),
        Group("buyer", [1, 2, 3], ZIC()),
        Group("seller", None, ZIC()),
    )
    play = Play(game, Population(groups), length=game.length, copies=10)
    keys = jnp.stack([rng.fold(rng.key(0), r) for r in range(4)])
    return np.asarray(replicate(play, keys, 125, (Profit(),)).series["buyer_profit"])[:, 100:, :, 0].mean(axis=(1, 2))


@pytest.fixture(scope="module")
def control():
    return late_profit(ZIC(), Interface())


@pytest.mark.parametrize(
    "rule",
    [PPO(rate=1e-3, reward_scale=0.01, widths=(32,)), ActorCritic(rate=5e-3, reward_scale=0.01, widths=(32,))],
    ids=["PPO", "ActorCritic"],
)
def test_a_learning_buyer_comes_to_earn_more_than_zero_intelligence(rule, control):
    gain = late_profit(rule, standard_interface()) - control  # the same tokens and the same draws of the others
    assert (gain > 0).all() and gain.mean() > 3.0


def test_without_an_interface_ppo_says_that_it_does_not_fit():
    game = memoryless_market()
    with pytest.raises(BuildError, match="PPO"):
        Play(game, Population([Group(r.name, None, PPO()) for r in game.roles]), length=game.length)
