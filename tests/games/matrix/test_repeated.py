"""Polymatrix games played again and again: seats, views, payoffs, and the sampled Boltzmann learner."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular.boltzmann import BoltzmannQ
from catallax.core import (
    Batch,
    BuildError,
    Discrete,
    Group,
    Independent,
    InputError,
    Play,
    Population,
    Real,
    Spec,
    contract,
    rng,
    run,
)
from catallax.games.matrix import (
    Polymatrix,
    Repeated,
    asymmetric_matching_pennies,
    match_mismatch_line,
    prisoners_dilemma,
)
from catallax.measures.matrix import Distance, Payoffs, Policy, policies
from catallax.solvers.matrix.flow import QLearningFlow, RungeKutta


def mixed():
    """Two players with two actions, one with three, a dummy with one."""
    ones = lambda k, m: (np.ones((k, m)), np.ones((m, k)))
    return Polymatrix([(0, 1, *ones(2, 3)), (1, 2, *ones(3, 2)), (2, 3, *ones(2, 1))])


def test_seats_are_those_who_choose():
    line = Repeated(match_mismatch_line(3))
    assert [(r.name, r.seats, r.action.n) for r in line.roles] == [("player", 3, 2)]
    assert line.seats == {"player": (1, 2, 3)}
    roles = Repeated(mixed()).roles
    assert [(r.name, r.seats, r.action.n) for r in roles] == [("player_2", 2, 2), ("player_3", 1, 3)]
    with pytest.raises(InputError, match="more than one action"):
        Repeated(Polymatrix([(0, 1, [[1.0]], [[1.0]])]))
    with pytest.raises(InputError, match="memory"):
        Repeated(prisoners_dilemma(), memory=2)


def test_a_round_pays_the_stage_game():
    game = Repeated(match_mismatch_line(3))
    world = game.init(rng.key(0))
    world, outcome = game.step(rng.key(1), world, {"player": jnp.asarray([0, 1, 1])})
    assert world.tolist() == [0, 0, 1, 1, 0]
    # player 1 plays H beside the dummy H (mismatch wanted: -1) and T (match wanted: -1); and so on
    assert outcome.reward["player"].tolist() == [-2.0, 2.0, 0.0]
    assert outcome.info["payoff"].tolist() == [1.0, -2.0, 2.0, 0.0, -1.0]
    assert (outcome.discount["player"] == 1).all()


def test_memory_one_tells_all_joint_actions_apart():
    game = Repeated(mixed(), memory=1)
    assert game.states == 1 + 3 * 2 * 2
    fresh = game.init(rng.key(0))
    start = game.observe(fresh)
    assert start["player_2"].tolist() == [0, 0] and start["player_3"].tolist() == [0]
    seen = {0: set(), 1: set(), 2: set()}
    for a in range(2):
        for b in range(3):
            for c in range(2):
                moves = {"player_2": jnp.asarray([a, c]), "player_3": jnp.asarray([b])}
                world, _ = game.step(rng.key(0), fresh, moves)
                obs = game.observe(world)
                ends, middle = obs["player_2"].tolist(), obs["player_3"].tolist()
                assert ends[0] == 1 + 3 * a + b and ends[1] == 1 + 3 * c + b  # own action first, neighbour 1 next
                assert middle == [1 + 4 * b + 2 * a + c]
                for k, number in enumerate((ends[0], middle[0], ends[1])):
                    seen[k].add(number)
    assert [len(seen[k]) for k in range(3)] == [6, 12, 6]
    assert Repeated(mixed()).states == 1


STATE = Spec(jax.ShapeDtypeStruct((), jnp.int32), Discrete(3))


def test_the_learner_draws_from_its_policy():
    rule = BoltzmannQ(temperature=0.5)
    q = jnp.asarray([0.3, -0.2, 0.1])
    keys = jax.vmap(lambda i: rng.fold(rng.key(0), i))(jnp.arange(20_000))
    drawn = jax.vmap(lambda k: rule.act(k, q, (), jnp.int32(0))[0])(keys)
    share = np.bincount(np.asarray(drawn), minlength=3) / 20_000
    p = np.exp(np.asarray(q) / 0.5)
    np.testing.assert_allclose(share, p / p.sum(), atol=0.015)


def test_only_the_played_action_is_updated_and_copies_are_averaged():
    rule = BoltzmannQ(temperature=1.0, rate=0.5)
    q = jnp.asarray([0.0, 1.0, 2.0])
    action, reward = jnp.asarray([[0, 2], [1, 2]]), jnp.asarray([[4.0, 0.0], [3.0, 6.0]])
    batch = Batch(jnp.zeros((2, 3), int), action, reward, jnp.ones((2, 2)), ())
    after, log = rule.learn(rng.key(0), q, batch, jnp.int32(0))
    # tick 1: Q_0 += .5 * (4 - 0) / 2, Q_1 += .5 * (3 - 1) / 2; tick 2: Q_2 += .5 * (-2 + 4) / 2
    np.testing.assert_allclose(after, [1.0, 1.5, 2.5])
    assert log["reward"] == 3.25
    adjusted = BoltzmannQ(temperature=1.0, rate=0.5, floor=0.1, frequency_adjusted=True)
    p = np.exp(q) / np.exp(q).sum()
    moved, _ = adjusted.learn(rng.key(0), q, batch, jnp.int32(0))
    np.testing.assert_allclose(moved - q, (after - q) * np.minimum(0.1 / p, 1.0), rtol=1e-5)


def test_a_seat_without_discrete_actions_is_refused():
    with pytest.raises(BuildError, match="Discrete"):
        BoltzmannQ().init(rng.key(0), Spec(STATE.obs, Real()))


TEMPERATURES = np.asarray([1.0, 0.5])


@pytest.fixture(scope="module")
def play():
    """Frequency-adjusted learners in asymmetric matching pennies, 4,000 copies: nearly the expected motion."""
    rules = [
        BoltzmannQ(temperature=t, rate=0.1, floor=0.05, start=t * np.log([0.8, 0.2]), frequency_adjusted=True)
        for t in TEMPERATURES
    ]
    seats = Group("player", None, Independent.each(rules))
    return Play(Repeated(asymmetric_matching_pennies()), Population((seats,)), length=1, copies=4000, episodic=False)


def test_adjusted_learners_follow_the_flow_with_temperature_time(play):
    path = run(play, rng.key(5), 600, (Policy(every=200),)).series["policy"][:, :, 0, 0]
    flows = {
        time: QLearningFlow(
            play.game.stage, TEMPERATURES, jnp.asarray([0.8, 0.8]), integrator=RungeKutta(50), time=time
        )
        for time in ("temperature", "payoff")
    }
    ode = {
        time: run(flow, rng.key(0), 3, (Policy(),)).series["policy"][:, :, 0, 0]  # 200 ticks of 0.1 * 0.05: time 1
        for time, flow in flows.items()
    }
    assert np.abs(path - ode["temperature"]).max() < 0.02
    assert np.abs(path - ode["payoff"]).max() > 0.1  # the other clock is another flow


def test_measures_read_the_policies_of_learners(play):
    state = play.init(rng.key(0))
    seen = policies(play, state)
    np.testing.assert_allclose(seen[:, :, 0], [[0.8, 0.2], [0.8, 0.2]], rtol=1e-6)
    values = Distance(target=np.full((2, 2), 0.5), weights=np.asarray([1.0, 0.5])).of(play.game.stage, seen)
    kl = -np.log(0.8) / 2 - np.log(0.2) / 2 + np.log(0.5)
    np.testing.assert_allclose(values["divergence"], 1.5 * kl, rtol=1e-5)
    np.testing.assert_allclose(values["distance"], 0.3, rtol=1e-5)


def test_measures_keep_the_contract():
    play = Play(Repeated(prisoners_dilemma()), Population((Group("player", None, BoltzmannQ()),)), length=1)
    for make in (Payoffs, lambda: Distance(target=np.full((2, 2), 0.5), weights=np.ones(2))):
        contract.check_measure(make, play, steps=1)


def test_dummies_and_several_roles_have_policies():
    groups = (Group("player_2", None, BoltzmannQ()), Group("player_3", None, BoltzmannQ(start=[0.0, 0.0, 1.0])))
    play = Play(Repeated(mixed()), Population(groups), length=2, copies=2)
    seen = policies(play, play.init(rng.key(0)))[:, :, 0]
    e = np.e
    expected = [[0.5, 0.5, 0], [1 / (2 + e), 1 / (2 + e), e / (2 + e)], [0.5, 0.5, 0], [1, 0, 0]]
    np.testing.assert_allclose(seen, expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.0), ("rate", 0.0), ("rate", 1.5), ("floor", 0.0)])
def test_a_learner_without_warmth_or_with_a_wrong_rate_is_refused(name, value):
    for wrong in (value, float("nan")):
        with pytest.raises(InputError, match=f"BoltzmannQ: {name} must lie in"):
            BoltzmannQ(**{name: wrong})
