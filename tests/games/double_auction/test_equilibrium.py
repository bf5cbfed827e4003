"""The competitive equilibrium against exhaustive enumeration, its properties, and its edge cases."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.games.double_auction.equilibrium import competitive_equilibrium, rounded_grid_equilibrium

solve = jax.jit(competitive_equilibrium)
PRICES = st.integers(0, 12)


def by_enumeration(values, costs):
    """Textbook definitions over sorted lists, in plain Python; surplus by trying every number of trades."""
    d, s = sorted(values, reverse=True), sorted(costs)
    quantity = sum(a > b for a, b in zip(d, s, strict=False))
    inf = float("inf")

    def at(x, i, out):
        return x[i - 1] if 1 <= i <= len(x) else out

    low = max(at(s, quantity, -inf), at(d, quantity + 1, -inf))
    high = min(at(d, quantity, inf), at(s, quantity + 1, inf))
    best = 0
    for n in range(min(len(d), len(s)) + 1):
        for bought in itertools.combinations(values, n):
            best = max(best, sum(bought) - sum(s[:n]))
    return quantity, low, high, best


def clears(price, values, costs):
    """Whether demand can meet supply: somebody indifferent may be served or not."""
    demand = sum(v > price for v in values), sum(v >= price for v in values)
    supply = sum(c < price for c in costs), sum(c <= price for c in costs)
    return demand[0] <= supply[1] and supply[0] <= demand[1]


@settings(max_examples=150, deadline=None)
@given(st.lists(PRICES, min_size=4, max_size=4), st.lists(PRICES, min_size=6, max_size=6))
def test_equals_enumeration_and_is_the_whole_set_of_clearing_prices(values, costs):
    ce = solve(jnp.asarray(values, jnp.float32).reshape(2, 2), jnp.asarray(costs, jnp.float32).reshape(2, 3))
    quantity, low, high, best = by_enumeration(values, costs)
    assert (int(ce.quantity), float(ce.low), float(ce.high)) == (quantity, low, high)
    assert float(ce.surplus) == best
    assert float(ce.buyer_surplus) + float(ce.seller_surplus) == best
    assert float(ce.price) == (low + high) / 2
    for price in np.arange(0, 12.5, 0.5):
        assert clears(price, values, costs) == (low <= price <= high)


@settings(max_examples=60, deadline=None)
@given(st.lists(PRICES, min_size=4, max_size=4), st.lists(PRICES, min_size=4, max_size=4), st.randoms())
def test_order_padding_shift_and_reflection(values, costs, random):
    v, c = jnp.asarray(values, jnp.float32).reshape(2, 2), jnp.asarray(costs, jnp.float32).reshape(2, 2)
    ce = solve(v, c)
    mixed = values[:]
    random.shuffle(mixed)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, ce, solve(jnp.asarray(mixed, jnp.float32).reshape(2, 2), c)))
    padded = solve(
        jnp.concatenate([v, jnp.full((2, 1), -jnp.inf)], axis=1),
        jnp.concatenate([c, jnp.full((2, 1), jnp.inf)], axis=1),
    )
    assert jax.tree.all(jax.tree.map(jnp.array_equal, ce, padded))
    shifted = solve(v + 100, c + 100)
    assert shifted.price == ce.price + 100 and shifted.surplus == ce.surplus and shifted.quantity == ce.quantity
    mirror = solve(20 - c, 20 - v)
    assert mirror.price == 20 - ce.price and mirror.buyer_surplus == ce.seller_surplus


def test_no_gains():
    ce = solve(jnp.array([[3.0, 1.0]]), jnp.array([[5.0, 9.0]]))
    assert (int(ce.quantity), float(ce.low), float(ce.high), float(ce.surplus)) == (0, 3.0, 5.0, 0.0)


def test_marginal_pair_without_gain_is_not_counted_but_fixes_the_price():
    ce = solve(jnp.array([[9.0, 5.0]]), jnp.array([[1.0, 5.0]]))
    assert (int(ce.quantity), float(ce.low), float(ce.high), float(ce.surplus)) == (1, 5.0, 5.0, 8.0)


@pytest.mark.parametrize("missing", ["buyers", "sellers", "both"])
def test_a_side_without_units_has_zero_surplus_and_quantity(missing):
    v = jnp.full((1, 2), -jnp.inf) if missing != "sellers" else jnp.array([[3.0, 1.0]])
    c = jnp.full((1, 2), jnp.inf) if missing != "buyers" else jnp.array([[0.0, 2.0]])
    ce = solve(v, c)
    assert int(ce.quantity) == 0 and float(ce.surplus) == 0.0 and not np.isfinite(float(ce.price))


def test_many_units_take_the_sorting_path_and_agree():
    values, costs = jax.random.uniform(jax.random.key(0), (2, 50, 4)) * 100
    assert values.size + costs.size > 96
    ce = solve(values, costs)
    d, s = np.sort(np.asarray(values).ravel())[::-1], np.sort(np.asarray(costs).ravel())
    q = int((d > s).sum())
    assert int(ce.quantity) == q
    assert float(ce.low) == max(s[q - 1], d[q]) and float(ce.high) == min(d[q - 1], s[q])
    np.testing.assert_allclose(float(ce.surplus), (d - s)[:q].sum(), rtol=1e-5)


def test_vmap_is_the_same():
    values, costs = jnp.round(jax.random.uniform(jax.random.key(1), (2, 32, 4, 4)) * 20)
    each = jax.tree.map(lambda *x: jnp.stack(x), *[solve(v, c) for v, c in zip(values, costs, strict=True)])
    assert jax.tree.all(jax.tree.map(jnp.array_equal, each, jax.jit(jax.vmap(solve))(values, costs)))


def test_grid_of_the_seed_is_near_the_exact_price():
    values, costs = jax.random.uniform(jax.random.key(2), (2, 4, 4)) * 10
    exact, grid = solve(values + 75, costs + 45), rounded_grid_equilibrium(values + 75, costs + 45)
    assert abs(float(exact.price) - float(grid.price)) < 0.35
    assert float(grid.surplus) == round(float(grid.surplus))
    assert int(grid.quantity) == int(exact.quantity) == 16


def test_grid_without_an_exact_meeting_takes_the_first_nearest_price():
    # D = 2 up to 50 and 0 above, S = 1 from 40 on: the gap is 1 everywhere between 40 and beyond
    grid = rounded_grid_equilibrium(jnp.array([[50.0, 50.0]]), jnp.array([[40.0]]))
    points = np.linspace(0, 100, 200)
    gap = [abs(2 * (p < 50) - (p > 40)) for p in points]
    assert float(grid.price) == pytest.approx(round(points[int(np.argmin(gap))], 1), abs=1e-4)
