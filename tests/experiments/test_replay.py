"""The replay of a market: what happened is what is drawn."""

import numpy as np
import pytest
import xarray
from invented import Invented

from catallax.experiments.double_auction.market import experiment
from catallax.experiments.double_auction.replay import replay, replay_figure

INF = np.inf


@pytest.fixture
def results():
    """Two sampled rounds of four ticks (two periods), two buyers, one seller."""
    bids = np.full((1, 2, 4, 2), -INF)
    asks = np.full((1, 2, 4, 1), INF)
    bids[0, 1, 0], asks[0, 1, 0] = [3.0, 5.0], 6.0
    bids[0, 1, 3, 1] = 7.0
    traded = np.zeros((1, 2, 4), bool)
    traded[0, 1, 0] = traded[0, 1, 3] = True
    price = np.where(traded, 5.5, 0.0)
    data = xarray.Dataset(
        {
            "sample_values": (("replicate", "phase", "buyer", "unit"), np.broadcast_to([[9.0], [8.0]], (1, 2, 2, 1))),
            "sample_costs": (("replicate", "phase", "seller", "unit"), np.full((1, 2, 1, 1), 4.0)),
            "sample_bids": (("replicate", "phase", "tick", "buyer"), bids),
            "sample_asks": (("replicate", "phase", "tick", "seller"), asks),
            "sample_price": (("replicate", "phase", "tick"), price),
            "sample_traded": (("replicate", "phase", "tick"), traded),
        }
    )
    return Invented(experiment, "quick", {"market": data})


def test_every_quote_and_trade_of_the_round_is_there_once(results):
    frame = replay(results, "market", steps=2)
    rows = [tuple(row) for row in frame[["tick", "period", "kind", "seat", "price"]].itertuples(index=False)]
    assert sorted(rows) == [
        (0, 1, "ask", 1, 6.0),
        (0, 1, "bid", 1, 3.0),
        (0, 1, "bid", 2, 5.0),
        (0, 1, "trade", 0, 5.5),
        (3, 2, "bid", 2, 7.0),
        (3, 2, "trade", 0, 5.5),
    ]
    assert (frame["competitive_low"] == 8.0).all() and (frame["competitive_high"] == 9.0).all()  # one unit on offer


def test_a_round_in_which_nothing_happened_is_drawn_too(results):
    assert len(replay(results, "market", steps=2, which=0)) == 0
    figure = replay_figure(results, "market", 2, 4)
    assert len(figure.render().svg) > 1000
    quiet = Invented(experiment, "quick", {"market": results.dataset("market").isel(phase=slice(0, 1))})
    assert len(replay_figure(quiet, "market", 2, 4).render().png) > 1000
