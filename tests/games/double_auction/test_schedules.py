"""The shipped schedules: the published equilibrium is what our solver finds."""

import jax
import numpy as np
import pytest

from catallax.games.double_auction.equilibrium import competitive_equilibrium
from catallax.games.double_auction.schedules import (
    CLIFF_A,
    CLIFF_B,
    CLIFF_C,
    CLIFF_D,
    GJERSTAD_DICKHAUT_SYMMETRIC,
    SANTA_FE_SAMPLE_ROUND,
    SCHEDULES,
    SMITH_1962_TEST_1,
)

PUBLISHED = [  # price, quantity as printed, and the surplus where it is printed
    (SMITH_1962_TEST_1, 2.0, 6, None),
    (CLIFF_A, 200.0, 6, None),
    (CLIFF_B, 200.0, 6, None),
    (CLIFF_C, 200.0, 6, None),
    (CLIFF_D, 200.0, 6, None),
    (GJERSTAD_DICKHAUT_SYMMETRIC, 235.0, 5, 480.0),
    (SANTA_FE_SAMPLE_ROUND, 691.0, 11, 663.0),
]


@pytest.mark.parametrize("schedule, price, quantity, surplus", PUBLISHED, ids=lambda x: getattr(x, "name", None))
def test_published_equilibrium(schedule, price, quantity, surplus):
    stated = schedule.equilibrium
    assert stated.price == (price, price)
    assert quantity in stated.quantity
    assert surplus is None or stated.surplus == surplus


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
def test_our_equilibrium_is_the_stated_one(schedule):
    tokens = schedule.tokens()
    values, costs = tokens.draw(jax.random.key(0), len(schedule.buyers), len(schedule.sellers))
    ce, stated = competitive_equilibrium(values, costs), schedule.equilibrium
    assert (float(ce.low), float(ce.high)) == stated.price
    assert float(ce.surplus) == stated.surplus
    d, s = np.sort(np.asarray(values).ravel())[::-1], np.sort(np.asarray(costs).ravel())
    n = min(len(d), len(s))
    assert (int(ce.quantity), int((d[:n] >= s[:n]).sum())) == stated.quantity


def test_all_are_listed_and_named_once():
    assert len({s.name for s in SCHEDULES}) == len(SCHEDULES) == len(PUBLISHED)
    assert all(s.source for s in SCHEDULES)


def test_cliff_a_is_smiths_test_in_cents():
    assert [100 * v for (v,) in SMITH_1962_TEST_1.buyers] == [v for (v,) in CLIFF_A.buyers]
    assert [100 * c for (c,) in SMITH_1962_TEST_1.sellers] == [c for (c,) in CLIFF_A.sellers]
