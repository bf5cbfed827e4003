"""The pricing market and its repeated game: exact prices by other methods, profits outcome by outcome."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize

from catallax.core import InputError, NumericalError, rng
from catallax.games.pricing import LogitMarket, pricing_game


def symmetric(firms: int) -> LogitMarket:
    return LogitMarket(costs=(1.0,) * firms, qualities=(2.0,) * firms)


def slope(market: LogitMarket, prices: np.ndarray, i: int, own: float) -> float:
    """d profit_i / d p_i over q_i, written out: 1 - (p_i - c_i)(1 - q_i) / mu."""
    p = prices.copy()
    p[i] = own
    weight = np.exp((np.asarray(market.qualities) - p) / market.mu)
    share = weight[i] / (weight.sum() + np.exp(market.outside / market.mu))
    return 1 - (own - market.costs[i]) * (1 - share) / market.mu


def best_responses(market: LogitMarket) -> np.ndarray:
    """Nash prices by letting the firms answer one another in turn until nobody moves."""
    prices = np.asarray(market.costs) + market.mu
    for _ in range(500):
        before = prices.copy()
        for i in range(market.firms):
            high = max(market.qualities) + market.costs[i] + 20 * market.mu
            prices[i] = brentq(lambda p, i=i: slope(market, prices, i, p), market.costs[i], high, xtol=1e-14)
        if np.abs(prices - before).max() < 1e-13:
            return prices
    raise AssertionError("best responses do not settle")


@pytest.mark.parametrize(
    ("firms", "nash", "monopoly", "profit_nash", "profit_monopoly"),
    [
        (1, 1.80198501, 1.80198501, 0.55198501, 0.55198501),
        (2, 1.47292666, 1.92498092, 0.22292666, 0.33749046),
        (3, 1.37016273, 2.0, 0.12016273, 0.25),
        (4, 1.33146069, 2.05441118, 0.08146069, 0.20110280),
    ],
)
def test_benchmarks_of_the_literature(firms, nash, monopoly, profit_nash, profit_monopoly):
    market = symmetric(firms)
    np.testing.assert_allclose(market.nash(), nash, atol=6e-9, rtol=0)
    np.testing.assert_allclose(market.monopoly(), monopoly, atol=6e-9, rtol=0)
    np.testing.assert_allclose(market.profits(market.nash()), profit_nash, atol=6e-9, rtol=0)
    np.testing.assert_allclose(market.profits(market.monopoly()), profit_monopoly, atol=6e-9, rtol=0)


@pytest.mark.parametrize(
    ("cost", "nash", "monopoly"),
    [
        (0.75, [1.41419867, 1.32538806], [2.04051082, 1.79051082]),
        (0.5, [1.37232666, 1.20377235], [2.19840249, 1.69840249]),
    ],
)
def test_benchmarks_of_unlike_firms(cost, nash, monopoly):
    market = LogitMarket(costs=(1.0, cost))
    np.testing.assert_allclose(market.nash(), nash, atol=6e-9, rtol=0)
    np.testing.assert_allclose(market.monopoly(), monopoly, atol=6e-9, rtol=0)


MARKETS = [
    symmetric(2),
    symmetric(4),
    LogitMarket(costs=(1.0, 0.5, 1.2), qualities=(2.0, 1.5, 2.5), outside=0.3, mu=0.1),
    LogitMarket(costs=(0.0, 3.0), qualities=(5.0, 5.0), mu=0.02),  # one firm has nearly all customers
]


@pytest.mark.parametrize("market", MARKETS)
def test_nash_is_where_best_responses_end(market):
    np.testing.assert_allclose(market.nash(), best_responses(market), atol=1e-8, rtol=0)


@pytest.mark.parametrize("market", MARKETS[:3])
def test_monopoly_is_the_largest_joint_profit(market):
    found = minimize(lambda p: -market.profits(p).sum(), market.nash(), method="BFGS", options={"gtol": 1e-10})
    ours = market.monopoly()
    np.testing.assert_allclose(ours, found.x, atol=2e-6)
    step = 1e-3 * np.eye(market.firms)
    assert all(market.profits(ours + d).sum() < market.profits(ours).sum() for d in (*step, *-step))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5).flatmap(lambda n: st.tuples(*[st.lists(st.floats(0, 4), min_size=n, max_size=n)] * 2)),
    st.floats(-5, 6),
    st.floats(0.003, 5),
)
def test_no_firm_gains_by_another_price(sides, outside, mu):
    market = LogitMarket(costs=tuple(sides[0]), qualities=tuple(sides[1]), outside=outside, mu=mu)
    nash = market.nash()
    for i, shift in itertools.product(range(market.firms), (-1.0, -0.01, 0.01, 1.0)):
        other = nash.copy()
        other[i] += shift * mu
        assert market.profits(other)[i] <= market.profits(nash)[i] * (1 + 1e-9)
    assert (market.monopoly() >= nash - 1e-9).all()


def test_a_demand_too_steep_for_double_precision_is_an_error():
    with pytest.raises(NumericalError, match="a larger mu"):
        LogitMarket(costs=(1.0, 1.1, 0.3), qualities=(2.0, 2.0, 4.0), mu=1e-9).nash()


def test_a_margin_beyond_the_largest_exponent_is_found():
    market = LogitMarket(mu=1e-3)
    margin = market.monopoly() - 1.0
    np.testing.assert_allclose(margin, 1e-3 / market_outside(market, margin[0]), rtol=1e-6)


def market_outside(market: LogitMarket, margin: float) -> float:
    """Share of the outside good at one common margin; the monopoly margin is mu over it."""
    weight = np.exp((np.asarray(market.qualities) - np.asarray(market.costs) - margin - market.outside) / market.mu)
    return 1 / (1 + weight.sum())


@pytest.mark.parametrize("costs", [(1.0, 1.0), (1.0, 0.5), (1.0, 0.8, 0.9)])
def test_every_outcome_pays_what_the_market_pays(costs):
    market = LogitMarket(costs=costs, qualities=(2.0,) * len(costs))
    game = pricing_game(market, points=4)
    step = jax.jit(jax.vmap(lambda x: game.step(rng.key(0), jnp.zeros(len(costs), jnp.int32), {"firm": x})))
    points = np.asarray(list(itertools.product(range(4), repeat=len(costs))))
    world, outcome = step(jnp.asarray(points))
    nash, monopoly = market.nash(), market.monopoly()
    grid = nash + (np.arange(4)[:, None] / 3 * 1.2 - 0.1) * (monopoly - nash)
    prices = np.stack([grid[points[:, i], i] for i in range(len(costs))], axis=1)
    np.testing.assert_allclose(outcome.info.price, prices, rtol=1e-6)
    np.testing.assert_allclose(outcome.reward["firm"], market.profits(prices), rtol=2e-5)
    np.testing.assert_array_equal(outcome.info.index, points)
    digits = 4 ** np.arange(len(costs) - 1, -1, -1)
    for i in range(len(costs)):  # own point first, then the rivals that follow it in the circle
        np.testing.assert_array_equal(world[:, i], np.roll(points, -i, axis=1) @ digits)
    assert (np.asarray(outcome.discount["firm"]) == 1).all()


def test_the_grid_of_the_baseline_has_fifteen_even_points():
    game = pricing_game()
    market = LogitMarket()
    low, high = market.nash()[0], market.monopoly()[0]
    assert (game.firms, game.points, game.observations) == (2, 15, 225)
    np.testing.assert_allclose(
        game.prices[0, [0, -1]], [low - 0.1 * (high - low), high + 0.1 * (high - low)], rtol=1e-6
    )
    np.testing.assert_allclose(np.diff(game.prices), 1.2 * (high - low) / 14, rtol=1e-4)
    np.testing.assert_allclose(game.nash, 0.22292666, rtol=1e-6)
    np.testing.assert_allclose(game.monopoly, 0.33749046, rtol=1e-6)


def test_the_first_past_is_uniform_and_seen_alike():
    game = pricing_game(points=3)
    keys = jax.vmap(lambda i: rng.fold(rng.key(5), i))(jnp.arange(9000))
    worlds = np.asarray(jax.vmap(game.init)(keys))
    counts = np.bincount(worlds[:, 0], minlength=9)
    assert (np.abs(counts - 1000) < 5 * np.sqrt(1000)).all()
    np.testing.assert_array_equal(worlds[:, 1], worlds[:, 0] % 3 * 3 + worlds[:, 0] // 3)


def test_tables_start_from_profits_against_uniform_rivals():
    market = LogitMarket(costs=(1.0, 0.5))
    game = pricing_game(market, points=5)
    start, grid = np.asarray(game.uniform_start(0.95)), np.asarray(game.prices, float)
    for x in range(5):
        first = np.mean([market.profits(np.asarray([grid[0, x], y]))[0] for y in grid[1]]) / 0.05
        second = np.mean([market.profits(np.asarray([y, grid[1, x]]))[1] for y in grid[0]]) / 0.05
        np.testing.assert_allclose(start[:, x], [first, second], rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LogitMarket(costs=()), "0 costs and 2 qualities"),
        (lambda: LogitMarket(costs=(1.0,)), "1 costs and 2 qualities"),
        (lambda: LogitMarket(mu=0.0), "mu must be positive"),
        (lambda: LogitMarket(mu=-0.25), "mu must be positive"),
        (lambda: LogitMarket(costs=(1.0, float("nan"))), "must be finite"),
        (lambda: LogitMarket(outside=float("inf")), "must be finite"),
        (lambda: pricing_game(points=1), "points must be an integer of at least 2"),
        (lambda: pricing_game(margin=-0.1), r"margin must lie in \[0, inf\)"),
        (lambda: pricing_game(symmetric(1)), "give two firms or more"),
        (lambda: pricing_game(symmetric(4), points=80), "take fewer points"),
        (lambda: pricing_game(LogitMarket(outside=8.0)), "too near each other"),
        (lambda: pricing_game(points=3).uniform_start(1.0), r"discount must lie in \[0, 1\)"),
        (lambda: pricing_game(points=3).uniform_start(-0.1), r"discount must lie in \[0, 1\)"),
    ],
)
def test_what_is_no_market_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_profits_have_the_precision_of_the_session():
    single = pricing_game(points=3)
    with jax.enable_x64(True):
        double = pricing_game(points=3)
        assert double.profits.dtype == double.prices.dtype == double.nash.dtype == jnp.float64
    assert single.profits.dtype == jnp.float32
    np.testing.assert_array_equal(np.asarray(double.profits, np.float32), single.profits)
