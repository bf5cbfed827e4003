"""Coarse seeing and speaking: rows and quotes by a plain loop, mirror images, what is hidden, a table that learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.tabular import EpsilonGreedy, QLearning, Sarsa
from catallax.agents.tabular.q_learning import PolynomialRate
from catallax.agents.traders import ZIC
from catallax.core import BuildError, Group, InputError, Interface, Play, Population, rng, run
from catallax.games.double_auction import (
    DiscretizedFeatures,
    ReducedDisclosure,
    Tape,
    TraderView,
    aurora,
    discretized_interface,
    memoryless_market,
)
from catallax.games.double_auction.discretized import MARGINS, QuoteMenu
from catallax.measures.double_auction import Profit


def view(step=0, steps=16, left=2, limit=70.0, price=None, side=1.0, low=35.0, high=90.0):
    """A trader's view, for a seller in its mirror coordinates."""
    number = lambda x: jnp.float32(x)
    tape = Tape(price=number(side * (price or 0.0)), sale=jnp.asarray(price is not None))
    bounds = (low, high) if side > 0 else (-high, -low)
    return TraderView(
        side=number(side),
        limit=number(side * limit),
        left=jnp.int32(left),
        traded=jnp.int32(0),
        tokens=jnp.asarray([side * limit]),
        low=number(bounds[0]),
        high=number(bounds[1]),
        cap=number(jnp.inf),
        tick=number(0.0),
        step=jnp.int32(step),
        steps=jnp.int32(steps),
        period=jnp.int32(0),
        tape=tape,
    )


def row_by_hand(step, left, limit, price):
    """For a buyer among prices from 35 to 90, default bins: 4 of time, 4 of units, 5 of prices up to 0.4."""
    time = 0
    while (time + 1) * 4 <= step:
        time += 1
    if price is None:
        place = 0
    elif limit < price:
        place = 1
    else:
        place = 2 + min(int((limit - price) / 55 / 0.1), 3)
    return (time * 5 + min(left, 4)) * 6 + place


def test_rows_are_those_of_a_plain_reading():
    look, seen = DiscretizedFeatures(), set()
    assert look.states == 120
    for step in (0, 3, 4, 9, 15):
        for left in (0, 1, 4, 7):
            for price in (None, 30.0, 69.0, 71.0, 62.0, 55.0, 50.0, 20.0):
                row = int(look(view(step=step, left=left, price=price)))
                assert row == row_by_hand(step, left, 70.0, price) and row < look.states
                seen.add(row)
    assert len(seen) > 60


def test_every_row_can_be_seen_and_none_lies_outside():
    look = DiscretizedFeatures(steps=2, units=1, prices=2)
    rows = {int(look(view(step=s, left=n, price=p))) for s in (0, 15) for n in (0, 1, 3) for p in (None, 100.0, 40.0)}
    assert rows == set(range(look.states)) == set(range(12))
    assert int(look(view(step=16, left=9, price=1.0))) < look.states  # a clock that ran out


def test_a_seller_is_a_buyer_in_the_mirror():
    look, speak = DiscretizedFeatures(), discretized_interface().move
    for price in (None, 60.0, 75.0, 88.0):
        buyer = view(limit=70.0, price=price)
        seller = view(limit=125.0 - 70.0, price=None if price is None else 125.0 - price, side=-1.0)
        assert int(look(buyer)) == int(look(seller))
        for k in range(8):
            bid, ask = float(speak(buyer, jnp.int32(k)).price), -float(speak(seller, jnp.int32(k)).price)
            assert bid == pytest.approx(125.0 - ask, rel=1e-5) or (bid, ask) == (-np.inf, np.inf)


def test_the_menu_by_hand():
    menu = QuoteMenu((0.0, 0.1, 0.9))
    bids = [float(menu(view(limit=70.0), jnp.int32(k)).price) for k in range(4)]
    np.testing.assert_allclose(bids, [70.0, 64.5, 35.0, -np.inf])
    assert float(menu(view(limit=20.0), jnp.int32(2)).price) == 20.0  # never above the limit, even for the bound's sake
    out = view(limit=float("-inf"))
    assert [float(menu(out, jnp.int32(k)).price) for k in range(4)] == [-np.inf] * 4
    assert not np.isnan(np.asarray([look for look in DiscretizedFeatures()(out)[None]])).any()
    assert int(DiscretizedFeatures()(view(limit=float("-inf"), price=60.0))) % 6 == 1


def market(disclosure=None, interface=None, rule=None):
    game = memoryless_market() if disclosure is None else memoryless_market(disclosure=disclosure)
    groups = [
        Group("buyer", [0], rule or QLearning(120, 8), interface or discretized_interface()),
        Group("buyer", [1, 2, 3], ZIC()),
        Group("seller", None, ZIC()),
    ]
    return Play(game, Population(groups), length=game.length, copies=10)


def test_what_is_hidden_is_refused_when_the_market_is_built():
    with pytest.raises(BuildError, match=r"disclosure hides; take ReducedDisclosure\(\) or more"):
        market()
    market(interface=discretized_interface(DiscretizedFeatures(prices=0)), rule=QLearning(20, 8))
    market(ReducedDisclosure())


def test_tables_of_another_size_are_refused():
    with pytest.raises(BuildError, match="has 5 actions; its seat accepts"):
        market(ReducedDisclosure(), rule=QLearning(120, 5))
    with pytest.raises(BuildError, match="9 actions are open"):
        market(ReducedDisclosure(), rule=Sarsa((9,) * 120))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (dict(steps=0), "steps must be an integer of at least 1"),
        (dict(prices=1), "at least 2"),
        (dict(reach=0.0), r"reach must lie in \(0, 1\]"),
    ],
)
def test_features_out_of_range_are_refused(wrong, says):
    with pytest.raises(InputError, match=f"DiscretizedFeatures: .*{says}"):
        DiscretizedFeatures(**wrong)


@pytest.mark.parametrize(("wrong", "says"), [((), "list of numbers"), ((0.1, 1.5), r"margins\[1\] must lie in")])
def test_margins_out_of_range_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        discretized_interface(margins=wrong)


def test_other_rules_with_tables_play_too():
    game = aurora("SHRT", steps=4)
    rule = Sarsa((8,) * 120)
    groups = [Group("buyer", None, rule, discretized_interface()), Group("seller", None, ZIC())]
    state = run(Play(game, Population(groups), length=game.length), rng.key(0), 2).state
    assert not any(bool(jnp.isnan(x).any()) for x in jax.tree.leaves(state))


def test_a_table_learns_to_shade_its_bids_and_beats_zero_intelligence():
    """Its first policy bids the limit; after 1,000 rounds it earns more than its seat did with zero intelligence."""
    rule = QLearning(120, 8, rate=PolynomialRate(0.7), explore=EpsilonGreedy(1.0, decay=1e-3))
    learner = run(market(ReducedDisclosure(), rule=rule), rng.key(3), 100, (Profit(),))
    control = run(market(ReducedDisclosure(), Interface(), ZIC()), rng.key(3), 100, (Profit(),))
    late = lambda run: float(run.series["buyer_profit"][-30:, :, 0].mean())
    assert late(learner) > late(control) + 3.0
    at_first = int(learner.state.agents[0].greedy[0, 4 * 6])  # first tick, all four units left, no price yet
    assert 0.0 < MARGINS[at_first]
