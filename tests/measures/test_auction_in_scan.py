"""All measures inside a real run: labelled shapes, and identities between them."""

import numpy as np
import pytest

from catallax.agents.traders.zero_intelligence import ZIC
from catallax.core import Group, Independent, Play, Population, rng, run
from catallax.games.auction.institutions import aurora, memoryless_market
from catallax.measures.auction import (
    Autocorrelation,
    DeviationByTrade,
    Dispersion,
    Efficiency,
    Equilibrium,
    Handover,
    LossAudit,
    Profit,
    ProfitDispersion,
    TradingOrder,
    Volume,
)

PHASES, COPIES = 6, 8
MEASURES = tuple(
    cls()
    for cls in (
        Autocorrelation,
        DeviationByTrade,
        Dispersion,
        Efficiency,
        Equilibrium,
        Handover,
        LossAudit,
        Profit,
        ProfitDispersion,
        TradingOrder,
        Volume,
    )
) + (Efficiency(2, by_period=True, suffix="_by_period"),)


@pytest.fixture(scope="module", params=[memoryless_market(), aurora("SHRT")], ids=["seed", "SHRT"])
def play(request):
    people = tuple(Group(role, list(range(4)), Independent(ZIC())) for role in ("buyer", "seller"))
    return Play(request.param, Population(people), length=request.param.length, copies=COPIES)


def test_a_run_yields_the_labelled_series_and_they_fit_together(play):
    whole = run(play, rng.key(1), PHASES, MEASURES)
    ours = {name: np.asarray(x, float) for name, x in whole.series.items()}
    sizes = {"copy": COPIES, "period": play.game.periods, "buyer": 4, "seller": 4, "trade": 16}
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
