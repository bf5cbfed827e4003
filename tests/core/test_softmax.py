"""Soft choices: the usual numbers to the last bit, and the limit at extreme temperatures, in every rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import Boltzmann, BoltzmannQ, ExperienceWeighted, FictitiousPlay
from catallax.agents.tabular.experience_weighted import Attractions
from catallax.agents.tabular.fictitious_play import Averages
from catallax.core.softmax import softmax_at_any_scale
from catallax.solvers.mean_field import Softmax

one = jnp.float32(1)
RULES = {
    "BoltzmannQ": lambda c, q: BoltzmannQ(1 / c).policy(q),
    "ExperienceWeighted": lambda c, q: ExperienceWeighted(beta=c).policy(Attractions(q, one)),
    "FictitiousPlay": lambda c, q: FictitiousPlay(temperature=1 / c).policy(Averages(q, one)),
    "Boltzmann": lambda c, q: Boltzmann(c).policy(q[None], jnp.int32(0))[0],
    "Softmax": lambda c, q: Softmax(c)(q[None], jnp.ones((1, q.size), bool))[0],
}


@pytest.mark.parametrize("rule", RULES)
def test_the_limit_is_the_best_action_and_among_equals_each(rule):
    for scale in (1e30, 1e25, 1e12):
        for values, policy in (
            ([1e9, 0.0, -1e9], [1, 0, 0]),
            ([-1e9, -2e9, -1e9], [0.5, 0, 0.5]),
            ([1e9, 1e9, 1e9], [1 / 3] * 3),
            ([0.0, -1e9, 0.0], [0.5, 0, 0.5]),
        ):
            np.testing.assert_allclose(RULES[rule](scale, jnp.asarray(values)), policy, rtol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_small_scales_are_nearly_uniform(rule):
    np.testing.assert_allclose(RULES[rule](1e-20, jnp.asarray([1.0, 0.0, -1.0])), 1 / 3, rtol=1e-6)


def test_where_nothing_overflows_it_is_softmax_to_the_last_bit():
    scores = jnp.asarray(np.random.default_rng(0).normal(size=(50, 4)) * 30).at[3, 1].set(-jnp.inf)
    found = softmax_at_any_scale(scores, scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(found, jax.nn.softmax(scores, axis=1))


def test_a_closed_action_stays_closed_where_others_overflow():
    q = jnp.asarray([[1e9, 5.0, 1e9]])
    np.testing.assert_array_equal(Softmax(1e30)(q, jnp.asarray([[True, True, False]])), [[1.0, 0.0, 0.0]])
