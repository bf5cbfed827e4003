"""Every measure of auctions in markets with next to nothing in them, under every institution.

One trader a side, one or two units, two steps: periods of no, one and two trades, all values alike, nothing to gain.
Every axis whose length depends on the market is then as short as it can be.
"""

import inspect

import numpy as np
import pytest

import catallax.measures.double_auction as measures
from catallax.agents.traders import ZIC
from catallax.core import Group, Play, Population, rng, run
from catallax.games.double_auction import (
    CallMarket,
    ContinuousDoubleAuction,
    DoubleAuction,
    Fixed,
    PostedOffer,
)
from catallax.measures.double_auction import AbstractAuctionMeasure, ForcedDeviation, SelectedCopies

pytestmark = pytest.mark.compile_effort("least")

EACH = tuple(
    cls()
    for cls in vars(measures).values()
    if inspect.isclass(cls) and issubclass(cls, AbstractAuctionMeasure) and not inspect.isabstract(cls)
    if cls not in (SelectedCopies, ForcedDeviation)
)
ALL = (*EACH, SelectedCopies(measures.Efficiency(suffix="_chosen"), (1,), "chosen"))
INSTITUTIONS = {
    "memoryless": lambda **market: DoubleAuction(steps=2, persistence=False, improvement=False, **market),
    "aurora": lambda **market: DoubleAuction(steps=2, **market),
    "continuous": lambda **market: ContinuousDoubleAuction(steps=2, **market),
    "call": CallMarket,
    "posted offer": lambda **market: PostedOffer(steps=2, **market),
}
TOKENS = {
    "a gain": ([[90.0]], [[10.0]]),
    "no gain": ([[10.0]], [[90.0]]),
    "all alike": ([[50.0]], [[50.0]]),
    "two units": ([[90.0, 80.0]], [[10.0, 20.0]]),
    "two units, one gains": ([[90.0, 20.0]], [[10.0, 80.0]]),
}


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("institution", INSTITUTIONS)
def test_every_measure_of_a_small_market_is_a_number_or_may_be_undefined(institution, tokens):
    buyers, sellers = TOKENS[tokens]
    game = INSTITUTIONS[institution](
        tokens=Fixed(buyers, sellers), buyers=len(buyers), sellers=len(sellers), low=0.0, high=100.0, tick=0.0
    )
    play = Play(game, Population([Group(r.name, None, ZIC()) for r in game.roles]), length=game.length, copies=4)
    series = run(play, rng.key(1), 2, ALL).series
    may_be = {v.name: v.may_be_undefined for measure in ALL for v in measure.variables}
    assert set(series) == set(may_be)
    for name, values in series.items():
        assert may_be[name] or np.isfinite(np.asarray(values)).all(), name
    traded = np.asarray(series["trades"])
    assert traded.max() <= min(sum(map(len, buyers)), sum(map(len, sellers)))
    gains = np.asarray(series["maximum_surplus"])
    expected = {"a gain": 80, "no gain": 0, "all alike": 0, "two units": 140, "two units, one gains": 80}
    np.testing.assert_allclose(gains, expected[tokens])
    if expected[tokens] == 0:
        assert np.isnan(np.asarray(series["efficiency"])).all()
