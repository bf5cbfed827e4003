"""The ZIC column of Rawat's table, to every printed digit, from the log of the code that made it.

The log's last 100 rounds are turned into the events of our own game and go through the measures as they run
inside a scan. The table was computed with prices read off a grid and rounded surpluses
(`rounded_grid_equilibrium`); the exact definitions, which the library uses by default, move the third or
fourth digit and are shown beside it.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.games.double_auction.equilibrium import competitive_equilibrium, rounded_grid_equilibrium
from catallax.games.double_auction.event import AuctionEvent
from catallax.measures.double_auction import (
    Autocorrelation,
    Dispersion,
    Efficiency,
    Handover,
    LossAudit,
    Profit,
    Volume,
)

DATA = Path(__file__).parents[1] / "data" / "zic_log"
ROUNDS, STEPS = 100, 16


class Tokens(NamedTuple):
    """As much of the auction's world as the measures read."""

    values: jax.Array
    costs: jax.Array


class Game(NamedTuple):
    steps: int = STEPS


class Dynamics(NamedTuple):
    game: Game = Game()


class Record(NamedTuple):
    """As much of a phase's record as the measures read: 100 rounds as 100 copies."""

    first: Tokens
    info: AuctionEvent


def table(name):
    with (DATA / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


@pytest.fixture(scope="module")
def rounds():
    return table("rounds.csv")


@pytest.fixture(scope="module")
def steps():
    return {key: column.reshape(ROUNDS, STEPS) for key, column in table("steps.csv").items()}


def limits(rounds, kind):
    columns = [rounds[f"{kind}_{i}_{j}"].astype(float) for i in range(4) for j in range(4)]
    return np.stack(columns, axis=1).reshape(ROUNDS, 4, 4)


@pytest.fixture(scope="module")
def record(rounds, steps):
    """The log as our events. Limits come from the tokens, in each trader's order of use, not from the logged
    profits."""
    values, costs = limits(rounds, "value"), limits(rounds, "cost")
    traded = steps["price"] != ""
    price = np.where(traded, np.where(traded, steps["price"], "0").astype(float), 0.0)
    bidder, asker = steps["currentBidIdx"].astype(int), steps["currentAskIdx"].astype(int)
    value, cost = np.zeros((ROUNDS, STEPS)), np.zeros((ROUNDS, STEPS))
    for r in range(ROUNDS):
        bought, sold = [0] * 4, [0] * 4
        for t in np.flatnonzero(traded[r]):
            b, s = bidder[r, t], asker[r, t]
            value[r, t], cost[r, t] = values[r, b, bought[b]], costs[r, s, sold[s]]
            bought[b] += 1
            sold[s] += 1
    np.testing.assert_allclose(np.where(traded, value - price, 0), steps["bprofit"].astype(float), atol=1e-6)
    np.testing.assert_allclose(np.where(traded, price - cost, 0), steps["sprofit"].astype(float), atol=1e-6)

    def real(x):
        return jnp.asarray(x, jnp.float32)

    def whole(x):
        return jnp.asarray(x, jnp.int32)

    none = jnp.zeros((ROUNDS, STEPS, 4), jnp.float32)
    event = AuctionEvent(
        traded=jnp.asarray(traded),
        price=real(price),
        buyer=whole(np.where(traded, bidder, -1)),
        seller=whole(np.where(traded, asker, -1)),
        value=real(value),
        cost=real(cost),
        bid=real(steps["currentBid"].astype(float)),
        ask=real(steps["currentAsk"].astype(float)),
        bidder=whole(bidder),
        asker=whole(asker),
        buy=jnp.asarray(steps["buy"] == "True"),
        sell=jnp.asarray(steps["sell"] == "True"),
        bids=none,
        asks=none,
    )
    return Record(Tokens(real(values), real(costs)), event)


def measured(record, *measures):
    """As inside a scan: compiled, all measures of one phase together."""

    @jax.jit
    def phase(record):
        return [m(Dynamics(), None, record, jnp.int32(0)) for m in measures]

    return {name: np.asarray(x, float) for values in phase(record) for name, x in values.items()}


PUBLISHED = {  # mean (SD) over the last 100 rounds, as printed: digits are part of the test
    "efficiency": ("0.9878", "0.0170"),
    "buyer_efficiency": ("1.0296", "0.169"),
    "seller_efficiency": ("0.9826", "0.163"),
    "mad": ("4.636", "0.965"),
    "price_sd": ("5.417", "0.989"),
    "autocorrelation": ("-0.040", None),
    "bid_handover": ("0.724", None),
    "ask_handover": ("0.721", None),
}
EXACT = PUBLISHED | {
    "efficiency": ("0.9877", "0.0171"),
    "buyer_efficiency": ("1.0291", "0.169"),
    "seller_efficiency": ("0.9828", "0.163"),
    "mad": ("4.633", "0.970"),
}


def printed(x, like):
    return f"{x:.{len(like.split('.')[1])}f}"


@pytest.mark.parametrize("solver, column", [(rounded_grid_equilibrium, PUBLISHED), (competitive_equilibrium, EXACT)])
def test_zic_column_to_every_printed_digit(record, solver, column):
    ours = measured(
        record,
        Efficiency(solver=solver),
        Dispersion(solver=solver),
        Autocorrelation(solver=solver),
        Handover(solver=solver),
    )
    for name, (mean, sd) in column.items():
        assert printed(ours[name].mean(), mean) == mean, name
        if sd is not None:
            assert printed(ours[name].std(ddof=1), sd) == sd, name


def test_printed_spread_of_the_autocorrelation_is_the_population_sd(record):
    """The other SDs of the column are sample SDs; this one, .244, only comes out with the divisor n (.245
    with n - 1)."""
    found = measured(record, Autocorrelation())["autocorrelation"]
    assert printed(found.std(), "0.244") == "0.244"
    assert printed(found.std(ddof=1), "0.245") == "0.245"


def test_authors_equilibrium_is_rebuilt_in_every_round(rounds):
    values, costs = limits(rounds, "value"), limits(rounds, "cost")
    ce = jax.jit(jax.vmap(rounded_grid_equilibrium))(jnp.float32(values), jnp.float32(costs))
    np.testing.assert_allclose(ce.price, rounds["peq"].astype(float), atol=1e-4)
    np.testing.assert_allclose(ce.buyer_surplus, rounds["buyerSurplus"].astype(float), atol=1e-3)
    np.testing.assert_allclose(ce.seller_surplus, rounds["sellerSurplus"].astype(float), atol=1e-3)
    np.testing.assert_array_equal(ce.surplus, rounds["totalSurplus"].astype(float))


def test_rounding_lets_single_rounds_exceed_one_and_exactness_does_not(record):
    rounded = measured(record, Efficiency(solver=rounded_grid_equilibrium))["efficiency"]
    exact = measured(record, Efficiency())["efficiency"]
    assert rounded.max() > 1.0001
    assert exact.max() <= 1.0 + 1e-6


def test_losses_profits_and_volume_of_the_log_add_up(record):
    ours = measured(record, Efficiency(), LossAudit(), Profit(), Volume())
    lost = sum(ours[k] for k in ("missed_intramarginal", "extramarginal", "buyer_displacement", "seller_displacement"))
    np.testing.assert_allclose(lost, ours["maximum_surplus"] - ours["surplus"], atol=2e-3)
    profits = ours["buyer_profit"].sum(axis=1) + ours["seller_profit"].sum(axis=1)
    np.testing.assert_allclose(profits, ours["surplus"], rtol=1e-6)
    np.testing.assert_array_equal(ours["trades"], record.info.traded.sum(axis=1))
    # spec: one minus efficiency is the steps without a trade, hardly ever the wrong unit
    assert ours["missed_intramarginal"].sum() > 0.7 * lost.sum()
