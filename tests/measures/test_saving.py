"""Saving measures: formulas against brute force, and the policy of rules whose policy is known."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.agents.traders import ZIC
from catallax.core import AbstractAgent, BuildError, Group, Interface, Play, Population, Shared, Variable, rng, run
from catallax.games.double_auction import memoryless_market
from catallax.games.growth import BrockMirman, saving_share
from catallax.measures.growth import SavingPolicy, consumption_loss, euler_error

pytestmark = pytest.mark.compile_effort("least")

ALPHA, BETA, BEST = 0.36, 0.95, 0.342
Z, LAW = np.array([0.9, 1.1]), np.array([[0.9, 0.1], [0.4, 0.6]])


class Known(AbstractAgent):
    """Saves level + slope ln(k / k_ss), said as a logit, and played with noise that its best action has not."""

    level: jax.Array
    slope: jax.Array

    def best(self, state, obs):
        share = self.level + self.slope * jnp.log(obs.capital / obs.steady)
        return jnp.log(share / (1 - share))

    def act(self, key, state, memory, obs):
        return self.best(state, obs) + 0.5 * rng.normal(key), memory, ()


def known(level, slope=0.0):
    return Known(jnp.float32(level), jnp.float32(slope))


def household(control):
    interface = Interface(move=saving_share)
    return Play(BrockMirman(), Population((Group("household", None, control, interface),)), length=3, copies=400)


def measured(level, slope=0.0):
    return {
        name: np.asarray(x[-1])
        for name, x in run(household(known(level, slope)), rng.key(0), 2, (Both(),)).series.items()
    }


class Both(SavingPolicy):
    """And, on its own, the mean of ln(k / k_ss) over visited states."""

    @property
    def variables(self):
        return (*super().variables, Variable("visited", (), "1", "mean of ln(k / k_ss)"))

    def __call__(self, dynamics, state, record, t):
        visited = jnp.log(record.info.capital / dynamics.game.steady_capital).mean()
        return super().__call__(dynamics, state, record, t) | {"visited": visited}


def discounted(policy, capital, periods=600):
    """Sum of beta^t ln c without shocks, in double precision."""
    total = 0.0
    for t in range(periods):
        share = policy(capital)
        total += BETA**t * np.log((1 - share) * capital**ALPHA)
        capital = share * capital**ALPHA
    return total


@given(st.floats(0.05, 0.9), st.floats(0.01, 2.0))
def test_loss_of_a_constant_share_is_what_a_simulated_household_would_give_up(share, capital):
    lost = discounted(lambda k: BEST, capital) - discounted(lambda k: share, capital)
    assert float(consumption_loss(BrockMirman(), share)) == pytest.approx(1 - np.exp(-(1 - BETA) * lost), abs=2e-6)


def test_loss_of_any_policy_is_the_discounted_mean_of_its_advantages():
    policy = lambda k: 0.3 + 0.1 * np.sin(5 * np.log(k))
    lost = discounted(lambda k: BEST, 0.05) - discounted(policy, 0.05)
    capital, advantage = 0.05, 0.0
    for t in range(600):
        loss = float(consumption_loss(BrockMirman(), policy(capital)))
        advantage += (1 - BETA) * BETA**t * np.log1p(-loss)
        capital = policy(capital) * capital**ALPHA
    assert (1 - BETA) * lost == pytest.approx(-advantage, rel=1e-4)


def test_loss_is_nothing_at_the_best_share_and_flat_around_it():
    assert float(consumption_loss(BrockMirman(), BEST)) == pytest.approx(0.0, abs=1e-7)
    assert 0.003 < float(consumption_loss(BrockMirman(), 1.1 * BEST)) < 0.005


def test_euler_error_is_its_definition_in_goods():
    random = np.random.default_rng(0)
    capital, share, ahead = (
        random.uniform(0.1, 1, 5),
        random.uniform(0.2, 0.5, (2, 5)),
        random.uniform(0.2, 0.5, (2, 5, 2)),
    )
    by_hand = np.zeros((2, 5))
    for i in range(2):
        for k in range(5):
            output = Z[i] * capital[k] ** ALPHA
            after, worth = share[i, k] * output, 0.0
            for j in range(2):
                eaten = (1 - ahead[i, k, j]) * Z[j] * after**ALPHA
                worth += LAW[i, j] * BETA * ALPHA * Z[j] * after ** (ALPHA - 1) / eaten
            by_hand[i, k] = abs(1 / worth / ((1 - share[i, k]) * output) - 1)
    ours = euler_error(BrockMirman(transition=LAW), jnp.asarray(share, jnp.float32), jnp.asarray(ahead, jnp.float32))
    np.testing.assert_allclose(ours, by_hand, rtol=1e-4, atol=1e-6)


def test_the_best_policy_has_no_error():
    found = measured(BEST)
    assert found["share"] == pytest.approx(BEST, rel=1e-6)
    for name in ("policy_error", "policy_error_grid", "share_slope", "consumption_lost"):
        assert found[name] == pytest.approx(0.0, abs=2e-6), name
    assert found["euler_error"] < -6


def test_a_wrong_constant_share_has_the_errors_of_its_closed_form():
    found = measured(1.1 * BEST)
    assert found["policy_error"] == pytest.approx(0.1, rel=1e-4) == found["policy_error_grid"]
    assert found["consumption_lost"] == pytest.approx(float(consumption_loss(BrockMirman(), 1.1 * BEST)), rel=1e-3)
    assert found["euler_error"] == pytest.approx(-1.0, abs=1e-4)  # s / s* - 1, whatever the state
    np.testing.assert_allclose(found["share_by_capital"], 1.1 * BEST, rtol=1e-5)


def test_slope_and_worst_error_are_those_of_a_sloping_share():
    found = measured(BEST, 0.02)
    assert found["share_slope"] == pytest.approx(0.02, rel=1e-4)
    assert found["policy_error_grid"] == pytest.approx(0.02 * np.log(10) / BEST, rel=1e-4)
    np.testing.assert_allclose(found["share_by_capital"], BEST + 0.02 * np.log(SavingPolicy().grid()), rtol=1e-4)


def test_visited_states_are_those_of_the_phase_and_noise_is_left_out():
    found = measured(BEST, 0.02)
    assert found["visited"] < -0.1  # low starts count
    assert found["share"] == pytest.approx(BEST + 0.02 * float(found["visited"]), rel=1e-5)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(BuildError, match="BrockMirman, got DoubleAuction"):
        SavingPolicy()(SimpleNamespace(game=memoryless_market()), None, None, jnp.int32(0))
    with pytest.raises(BuildError, match="BrockMirman, got SimpleNamespace"):
        SavingPolicy()(SimpleNamespace(), None, None, jnp.int32(0))
    for control in (Shared(known(0.3)), ZIC()):
        group = Group("household", None, control)
        play = SimpleNamespace(game=BrockMirman(), population=Population((group,)))
        with pytest.raises(BuildError, match="best"):
            SavingPolicy()(play, None, None, jnp.int32(0))
