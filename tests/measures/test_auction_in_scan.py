"""All measures inside a real run: labelled shapes, and identities between them."""

import numpy as np
import pytest

from catallax.agents.traders.zero_intelligence import ZIC
from catallax.core import Group, Independent, InputError, Play, Population, rng, run
from catallax.games.double_auction.institutions import aurora, memoryless_market
from catallax.measures.double_auction import (
    Autocorrelation,
    CompetitiveBenchmark,
    DeviationByTrade,
    Dispersion,
    Efficiency,
    EquilibriumProfit,
    Handover,
    LossAudit,
    Profit,
    ProfitDispersion,
    SelectedCopies,
    TradingOrder,
    Volume,
)

pytestmark = pytest.mark.compile_effort("full")

PHASES, COPIES = 6, 8
MEASURES = tuple(
    cls()
    for cls in (
        Autocorrelation,
        DeviationByTrade,
        Dispersion,
        Efficiency,
        CompetitiveBenchmark,
        EquilibriumProfit,
        Handover,
        LossAudit,
        Profit,
        ProfitDispersion,
        TradingOrder,
        Volume,
    )
) + (Efficiency(2, by_period=True, suffix="_by_period"), SelectedCopies(Profit(suffix="_chosen"), (5, 0), "chosen"))


@pytest.fixture(scope="module", params=[memoryless_market(), aurora("SHRT")], ids=["seed", "SHRT"])
def play(request):
    people = tuple(Group(role, list(range(4)), Independent(ZIC())) for role in ("buyer", "seller"))
    return Play(request.param, Population(people), length=request.param.length, copies=COPIES)


def test_a_run_yields_the_labelled_series_and_they_fit_together(play):
    whole = run(play, rng.key(1), PHASES, MEASURES)
    ours = {name: np.asarray(x, float) for name, x in whole.series.items()}
    sizes = {"copy": COPIES, "period": play.game.periods, "buyer": 4, "seller": 4, "trade": 16, "chosen": 2}
    for measure in MEASURES:
        for v in measure.variables:
            assert ours[v.name].shape == (PHASES // measure.every, *[sizes[d] for d in v.dims])
            assert v.may_be_undefined or not np.isnan(ours[v.name]).any(), v.name
    lost = sum(ours[v.name] for v in LossAudit().variables)
    np.testing.assert_allclose(lost, ours["maximum_surplus"] - ours["surplus"], atol=1e-2)
    profits = ours["buyer_profit"].sum(axis=-1) + ours["seller_profit"].sum(axis=-1)
    np.testing.assert_allclose(profits, ours["surplus"], rtol=1e-5)
    assert np.nanmax(ours["efficiency"]) <= 1 + 1e-6 and np.nanmin(ours["efficiency"]) >= 0
    apart = ours["surplus_by_period"].sum(axis=-1)
    np.testing.assert_allclose(apart, ours["surplus"][1::2], rtol=1e-6)
    due = ours["buyer_due"].sum(axis=-1) + ours["seller_due"].sum(axis=-1)
    np.testing.assert_allclose(due, ours["maximum_surplus"], rtol=1e-5)
    np.testing.assert_array_equal(ours["buyer_profit_chosen"], ours["buyer_profit"][:, [5, 0]])
    np.testing.assert_array_equal(ours["seller_profit_chosen"], ours["seller_profit"][:, [5, 0]])


def test_among_nobody_is_refused():
    with pytest.raises(InputError, match="at least one copy"):
        SelectedCopies(Profit(), (), "chosen")


@pytest.mark.parametrize("copies", [(0, 2), (-1,)])
def test_among_copies_that_the_phase_does_not_have_is_refused(copies):
    game = memoryless_market()
    play = Play(game, Population([Group(r.name, None, ZIC()) for r in game.roles]), length=game.length, copies=2)
    with pytest.raises(InputError, match=r"the phase has the copies 0\.\.1"):
        run(play, rng.key(0), 1, (SelectedCopies(Profit(), copies, "chosen"),))
