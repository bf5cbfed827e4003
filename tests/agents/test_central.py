"""Central learning: the team as one agent, through Play under Joint, where no seat alone could do as well."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aiming import Aim

from catallax.agents.deep import PPO
from catallax.agents.wrappers import CentralLearner
from catallax.core import (
    AbstractAgent,
    Batch,
    BuildError,
    Discrete,
    Group,
    InputError,
    Joint,
    Play,
    Population,
    Real,
    Shared,
    Spec,
    rng,
    run,
)

pytestmark = pytest.mark.compile_effort("least")

SMALL = PPO(widths=(), passes=1, minibatches=1)


class Notes(AbstractAgent):
    """Keeps what it is told in `learn`; acts by the sum of what it sees."""

    def init(self, key, spec):
        self_size = (spec.obs.shape[0], *spec.action.shape)
        return {"size": jnp.zeros(self_size), "reward": jnp.float32(0), "discount": jnp.float32(0)}

    def act(self, key, state, memory, obs):
        return jnp.arange(float(state["size"].shape[1])) + obs.sum(), memory, obs

    def learn(self, key, state, batch, t):
        seen = {"size": state["size"], "reward": batch.reward[0, 0], "discount": batch.discount[0, 0]}
        same = jnp.abs(batch.obs[:, :-1] - batch.extras).max()
        return seen, {"obs_error": same}


def team(rule, seats=3, **game):
    game = Aim(seats, **game)
    return Play(game, Population((Group("aimer", None, Joint(rule)),)), length=4, copies=2)


def test_the_rule_sees_all_seats_side_by_side_and_earns_their_mean():
    play = team(CentralLearner(Notes(), 3))
    state, record = jax.jit(lambda k: play.step(k, play.init(k), jnp.int32(0)))(rng.key(0))
    batch = record.batches[0]  # [seats, copies, ticks]
    learnt = state.agents[0]
    assert learnt["size"].shape == (3, 3)  # three features, three actions
    assert float(record.logs[0]["obs_error"]) == 0.0
    assert float(learnt["reward"]) == pytest.approx(float(batch.reward[:, 0, 0].mean()), rel=1e-5)
    together = np.asarray(batch.obs[:, :, :-1, 0]).sum(axis=0)
    np.testing.assert_allclose(batch.action, np.arange(3.0)[:, None, None] + together, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("over", "discount"), [(0, 0.5), (2, 0.5), (3, 0.0)])
def test_the_team_goes_on_while_any_seat_does(over, discount):
    play = team(CentralLearner(Notes(), 3), last=over)
    state, _ = jax.jit(lambda k: play.step(k, play.init(k), jnp.int32(0)))(rng.key(0))
    assert float(state.agents[0]["discount"]) == discount


def test_a_common_reward_needs_no_seat_axis():
    rule = CentralLearner(Notes(), 2)
    state = rule.init(rng.key(0), Spec(jax.ShapeDtypeStruct((1,), jnp.float32), Real()))
    obs, reward = jnp.ones((1, 3, 2, 1)), jnp.asarray([[2.0, 3.0]])
    batch = Batch(obs, jnp.zeros((1, 2, 2)), reward, jnp.full((1, 2), 0.5), jnp.ones((1, 2, 2)))
    learnt, _ = rule.learn(rng.key(0), state, batch, jnp.int32(0))
    assert float(learnt["reward"]) == 2.0 and float(learnt["discount"]) == 0.5


def test_a_central_learner_finds_what_no_seat_can_know_alone():
    rule = PPO(rate=3e-3, widths=(16,), gamma=0.0, rate_decay=0.99)
    shift = 0.5
    play = Play(
        Aim(2, shift), Population((Group("aimer", None, Joint(CentralLearner(rule, 2))),)), length=16, copies=16
    )
    state = run(play, rng.key(0), 150).state.agents[0]
    x = jax.random.uniform(rng.key(1), (500, 2), minval=-1.0, maxval=1.0)
    aims = jax.vmap(lambda x: rule.best(state, x))(x)
    loss = float(((aims - x - shift * x[:, ::-1]) ** 2).mean())
    alone = shift**2 / 3  # the least loss of seats that see their own number only
    assert loss < alone / 5


def test_what_does_not_fit_says_so_when_it_is_built():
    for control in (CentralLearner(SMALL, 3), Shared(CentralLearner(SMALL, 3))):
        with pytest.raises(BuildError, match="Joint"):
            Play(Aim(3), Population((Group("aimer", None, control),)), length=4)
    with pytest.raises(BuildError, match=r"made for 2 seats .* shape \(3, 1\)"):
        team(CentralLearner(SMALL, 2))
    spec = Spec(jax.ShapeDtypeStruct((2,), jnp.float32), Real())
    with pytest.raises(BuildError, match="real numbers"):
        CentralLearner(SMALL, 2).init(rng.key(0), spec._replace(action=Discrete(3)))
    with pytest.raises(BuildError, match="array of features"):
        CentralLearner(SMALL, 2).init(rng.key(0), spec._replace(obs={"price": spec.obs}))


def test_what_is_no_team_is_refused():
    for seats in (0, -1, True):
        with pytest.raises(InputError, match="seats must be an integer"):
            CentralLearner(SMALL, seats)
