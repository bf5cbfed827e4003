"""Zero intelligence in the continuous auction with a book cleared after each trade: what Gode and Sunder (1993) found.

Their schedules are printed as figures only, so the schedules here are others; the oracles are closed forms and a
market of a few lines that shares nothing with the library.
"""

from functools import cache
from math import hypot, sqrt
from random import Random

import numpy as np
import pytest

from catallax.agents.traders import ZIC, ZIU, TruthTeller
from catallax.core import Group, Play, Population, rng, run
from catallax.games.double_auction import CallMarket, ContinuousDoubleAuction, PostedOffer, in_environment, schedules
from catallax.measures.double_auction import Dispersion, Efficiency, Volume

pytestmark = pytest.mark.compile_effort("least")

SCHEDULES = {
    "smith": (schedules.SMITH_1962_TEST_1, 4.0),
    "gjerstad_dickhaut": (schedules.GJERSTAD_DICKHAUT_SYMMETRIC, 400.0),
}


@cache
def played(name: str, rule: type, steps: int, number: int, **changes):
    """One round in each of that many markets: variable -> one value a round."""
    schedule, high = SCHEDULES[name]
    game = ContinuousDoubleAuction(
        schedule.tokens(), high=high, buyers=len(schedule.buyers), sellers=len(schedule.sellers), steps=steps, **changes
    )
    return observed(game, rule, number)


def observed(game, rule, number):
    play = Play(game, Population([Group(r.name, None, rule()) for r in game.roles]), length=game.length, copies=number)
    series = run(play, rng.key(2), 1, (Efficiency(), Volume(), Dispersion())).series
    return {name: np.asarray(values[0], float) for name, values in series.items()}


def mean(x):
    return x.mean(), x.std(ddof=1) / sqrt(len(x))


@pytest.mark.parametrize("cleared", [True, False])
@pytest.mark.parametrize("name", SCHEDULES)
def test_without_a_budget_trade_goes_on_until_a_side_is_exhausted(name, cleared):
    """Both sides have as many units, so all trade; the surplus is all values less all costs, 0 in Smith's market."""
    schedule, _ = SCHEDULES[name]
    found = played(name, ZIU, 800, 100, clear_after_trade=cleared)
    units = sum(map(len, schedule.buyers))
    assert schedule.equilibrium is not None and units == sum(map(len, schedule.sellers))
    assert (found["trades"] == units).all()
    surplus = sum(map(sum, schedule.buyers)) - sum(map(sum, schedule.sellers))
    np.testing.assert_allclose(found["efficiency"], surplus / schedule.equilibrium.surplus, atol=1e-5)


def independent_efficiency(name: str, ticks: int, seed: int) -> tuple[float, float]:
    """One round: someone with units left is drawn and quotes; quotes that cross trade at the earlier one's price."""
    schedule, high = SCHEDULES[name]
    random = Random(seed)
    units = {("b", i): list(row) for i, row in enumerate(schedule.buyers)}
    units |= {("s", j): list(row) for j, row in enumerate(schedule.sellers)}
    quotes: dict[tuple[str, int], float] = {}
    surplus, prices = 0.0, []
    for _ in range(ticks):
        who = random.choice([x for x, left in units.items() if left])
        buys = who[0] == "b"
        price = quotes[who] = random.uniform(0, units[who][0]) if buys else random.uniform(units[who][0], high)
        others = {x: p for x, p in quotes.items() if x[0] != who[0]}
        if not others:
            continue
        rival = min(others, key=lambda x: others[x] if buys else -others[x])
        if (price - others[rival]) * (1 if buys else -1) >= 0:
            gain = units[who].pop(0) - units[rival].pop(0)
            surplus += gain if buys else -gain
            prices.append(others[rival])
            quotes = {}
    assert schedule.equilibrium is not None
    centre = sum(schedule.equilibrium.price) / 2
    return surplus / schedule.equilibrium.surplus, sum(abs(p - centre) for p in prices) / max(len(prices), 1)


@pytest.mark.parametrize("name", SCHEDULES)
def test_with_a_budget_efficiency_is_high_and_that_of_an_independent_market(name):
    """0.984 in Gjerstad and Dickhaut's market; 0.96 in Smith's, where the extra-marginal units are many."""
    ticks, number = 600, 400
    found = played(name, ZIC, ticks, number, clear_after_trade=True)
    others = np.asarray([independent_efficiency(name, ticks, seed) for seed in range(number)])
    for ours, theirs in ((found["efficiency"], others[:, 0]), (found["mad"], others[:, 1])):
        (a, error), (b, other) = mean(ours[~np.isnan(ours)]), mean(theirs)
        assert abs(a - b) <= 4 * hypot(error, other), (a, b, error, other)
    efficiency = found["efficiency"].mean()
    assert 0.97 <= efficiency <= 0.99 if name == "gjerstad_dickhaut" else 0.93 <= efficiency <= 0.98


@pytest.mark.parametrize("institution, least", [(ContinuousDoubleAuction, 0.9), (CallMarket, 1.0), (PostedOffer, 0.5)])
def test_truth_tellers_trade_in_every_institution(institution, least):
    """The call market, alone, realises all there is. A seller who posts its first unit's cost sells that one only."""
    found = observed(in_environment(institution, "SML"), TruthTeller, 200)
    assert (found["surplus"] <= found["maximum_surplus"]).all()
    efficiency = found["efficiency"][found["maximum_surplus"] > 0]
    assert efficiency.mean() >= least
    assert (efficiency.min() == 1.0) == (institution is CallMarket)
