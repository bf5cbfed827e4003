"""Frozen learners: they act as they had learnt to, learn nothing, sit anywhere, and say where they do not fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aiming import Aim

from catallax.agents.deep import DQN, PPO, ActorCritic, Reinforce
from catallax.agents.parts import MLP
from catallax.agents.tabular import BoltzmannQ
from catallax.agents.traders import ZIC, Kaplan
from catallax.agents.wrappers import CentralLearner, Frozen, frozen_population, frozen_seat
from catallax.core import (
    BuildError,
    Group,
    Independent,
    InputError,
    Joint,
    Lineup,
    Play,
    Population,
    Shared,
    Spec,
    rng,
    run,
)
from catallax.games.double_auction import FullDisclosure, aurora, memoryless_market, standard_interface
from catallax.games.matrix import Repeated, matching_pennies

pytestmark = pytest.mark.compile_effort("least")

TINY = ActorCritic(widths=(4,), rate=0.05)


def aiming(*groups, seats=3):
    return Play(Aim(seats=seats), Population(groups), length=4, copies=8, episodic=False)


def each():
    """Three rules that differ in a number."""
    return Independent.each([ActorCritic(widths=(4,), rate=r) for r in (0.01, 0.05, 0.1)])


def team():
    """One learner that drives all three seats."""
    return Joint(CentralLearner(PPO(widths=(4,), minibatches=2), 3))


LIFTED = {
    "independent": lambda: [Group("aimer", None, TINY)],
    "each": lambda: [Group("aimer", None, each())],
    "shared": lambda: [Group("aimer", None, Shared(TINY))],
    "joint": lambda: [Group("aimer", None, team())],
    "two groups": lambda: [Group("aimer", [2, 0], TINY), Group("aimer", [1], Reinforce(network=MLP((4,))))],
}
"""Each way in which learners may drive three seats."""


@pytest.mark.parametrize("lift", LIFTED)
def test_a_frozen_population_does_what_the_learners_would_have_done_next_and_learns_nothing(lift):
    play, key = aiming(*LIFTED[lift]()), rng.key(1)
    state = run(play, key, 5).state
    frozen = eqx.tree_at(lambda p: p.population, play, frozen_population(play, state))
    now = jnp.int32(5)
    step = eqx.filter_jit(lambda play, state: play.step(key, state, now))
    held = frozen.init(key)._replace(worlds=state.worlds)
    assert jax.tree.leaves(held.agents) == []
    learners, (after, statues) = step(play, state), step(frozen, held)
    for theirs, ours in zip(learners[1].batches, statues.batches, strict=True):
        np.testing.assert_allclose(ours.action, theirs.action, rtol=1e-5, atol=1e-6)
    again = step(frozen, after._replace(worlds=state.worlds))[1]
    np.testing.assert_array_equal(again.batches[0].action, statues.batches[0].action)  # the same a phase later
    moved = step(play, learners[0]._replace(worlds=state.worlds))[1]
    assert not np.array_equal(moved.batches[0].action, learners[1].batches[0].action)  # but learners moved


def test_one_seat_may_be_given_to_all_and_its_noise_switched_off():
    play = aiming(Group("aimer", [2, 0], TINY), Group("aimer", [1], Reinforce(network=MLP((4,)))))
    state = run(play, rng.key(2), 5).state
    statue = frozen_seat(play, state, "aimer", 2, noise=False)
    assert isinstance(statue.rule, ActorCritic)
    np.testing.assert_array_equal(statue.state.nets.policy.log_sigma, state.agents[0].nets.policy.log_sigma[0])
    row = frozen_seat(play, state, "aimer", 0)
    np.testing.assert_array_equal(row.state.nets.policy.log_sigma, state.agents[0].nets.policy.log_sigma[1])
    assert isinstance(frozen_seat(play, state, "aimer", 1).rule, Reinforce)
    full = aiming(Group("aimer", None, statue))
    _, record = eqx.filter_jit(full.step)(rng.key(3), full.init(rng.key(3)), jnp.int32(0))
    (batch,) = record.batches
    best = jax.vmap(lambda o: statue.rule.best(statue.state, o))(batch.obs[:, :, :-1].reshape(-1, 1))
    np.testing.assert_allclose(batch.action.ravel(), best, rtol=1e-5, atol=1e-6)


def test_states_are_leaves_swapped_without_compiling_again():
    play, traces = aiming(Group("aimer", None, TINY)), 0

    @eqx.filter_jit
    def act(play):
        nonlocal traces
        traces += 1
        return play.step(rng.key(0), play.init(rng.key(0)), jnp.int32(0))[1].batches[0].action

    plays = [
        eqx.tree_at(lambda p: p.population, play, frozen_population(play, run(play, rng.key(s), 3).state))
        for s in (1, 2)
    ]
    assert not np.array_equal(act(plays[0]), act(plays[1])) and traces == 1


def test_scripted_traders_stay_as_they_are_and_a_population_moves_to_another_market():
    def market(game, groups):
        return Play(game, Population(groups), length=game.length)

    groups = (
        Group("buyer", [0], Reinforce(network=MLP((4,))), standard_interface()),
        Group("buyer", [1, 2, 3], Kaplan()),
        Group("seller", None, ZIC()),
    )
    home = market(memoryless_market(disclosure=FullDisclosure()), groups)
    population = frozen_population(home, run(home, rng.key(0), 2).state, noise=False)
    assert [type(g.control.agent).__name__ for g in population.groups] == ["Frozen", "Kaplan", "ZIC"]
    away = market(aurora("BASE", steps=3, periods=1), population.groups)  # as many seats, units and disclosures
    assert np.isfinite(run(away, rng.key(0), 1).state.worlds.clock).all()
    with pytest.raises(BuildError, match=r"Frozen: a Reinforce of this seat .* the interface, disclosure and rule"):
        market(memoryless_market(), population.groups)


def test_a_state_of_several_seats_is_refused():
    play = aiming(Group("aimer", None, TINY))
    states = play.init(rng.key(0)).agents[0]
    with pytest.raises(BuildError, match="the state of ONE seat"):
        aiming(Group("aimer", None, Frozen(TINY, states)))


def test_what_cannot_be_frozen_says_so():
    game = Repeated(matching_pennies())
    play = Play(game, Population([Group(r.name, None, BoltzmannQ()) for r in game.roles]), length=2)
    with pytest.raises(InputError, match="BoltzmannQ has no `best`"):
        frozen_population(play, play.init(rng.key(0)), noise=False)
    team = aiming(*LIFTED["joint"]())
    with pytest.raises(InputError, match="one agent for all its seats"):
        frozen_seat(team, team.init(rng.key(0)), "aimer", 0)
    line_ups = Group("buyer", None, Lineup((ZIC(), Kaplan()), np.array([[0], [1], [1], [1]])))
    play = Play(aurora("SHRT"), Population([line_ups, Group("seller", None, ZIC())]), length=1)
    with pytest.raises(InputError, match="another rule in every copy"):
        frozen_seat(play, play.init(rng.key(0)), "buyer", 1)
    with pytest.raises(InputError, match="no seat 7 in a role 'aimer'"):
        frozen_seat(team, team.init(rng.key(0)), "aimer", 7)


def test_best_is_the_policy_without_noise_for_every_rule_that_has_it():
    """With noise away, PPO and DQN say the same twice under two keys."""
    from catallax.core import Discrete, Real

    obs = jax.ShapeDtypeStruct((2,), jnp.float32)
    for rule, space in (
        (PPO(widths=(4,)), Real()),
        (DQN(widths=(4,), capacity=4, minibatch=2, warmup=2), Discrete(3)),
    ):
        statue = Frozen(rule, rule.init(rng.key(0), Spec(obs, space)), noise=False)
        said = [statue.act(rng.key(k), (), (), jnp.ones(2))[0] for k in (1, 2)]
        assert said[0] == said[1] == rule.best(statue.state, jnp.ones(2))
