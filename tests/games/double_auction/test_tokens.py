"""Random tokens: moments recomputed independently within 4 standard errors, order, form, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.core import InputError
from catallax.games.double_auction.environments import ENVIRONMENTS, environment
from catallax.games.double_auction.equilibrium import competitive_equilibrium
from catallax.games.double_auction.tokens import CommonShift, Fixed, GameType, NormalTokens, ascending

pytestmark = pytest.mark.compile_effort("least")

DRAWS = 40_000


def draw(tokens, buyers, sellers, n=DRAWS, seed=0):
    keys = jax.random.split(jax.random.key(seed), n)
    values, costs = jax.jit(jax.vmap(lambda key: tokens.draw(key, buyers, sellers)))(keys)
    return np.asarray(values), np.asarray(costs)


def solve(values, costs):
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(competitive_equilibrium))(values, costs))


def agrees(sample, mean, error=0.0, width=4.0):
    """The mean of the sample within `width` combined standard errors of the published mean."""
    ours = np.std(sample, ddof=1) / np.sqrt(len(sample))
    assert abs(np.mean(sample) - mean) < width * np.hypot(ours, error), (np.mean(sample), mean, ours, error)


@pytest.fixture(scope="module")
def seed():
    return draw(NormalTokens(), 4, 4)


def test_memoryless_tokens_have_the_moments_of_the_authors_code(seed):
    values, costs = seed
    agrees(values.mean(axis=(1, 2)), 80.0)
    agrees(costs.mean(axis=(1, 2)), 50.0)
    # a token's own variance: 25 + 1 + 1, and the gap's 1 for buyers; draws are independent, tokens within one
    # are not
    agrees(((values - 80) ** 2).mean(axis=(1, 2)), 28.0)
    agrees(((costs - 50) ** 2).mean(axis=(1, 2)), 27.0)


def test_memoryless_tokens_sorted_means_are_normal_order_statistics(seed):
    """Within a trader the tokens differ by base and slot, SD sqrt(26); the largest of four lies 1.02938 SD
    up.

    The 85.0 / 81.5 / 78.5 / 75.1 quoted beside the author's code are means of a run of 100 rounds; his log of
    500 rounds has 85.4 / 81.5 / 78.5 / 74.7, in agreement with the order statistics.
    """
    values, costs = seed
    for rank, score in enumerate((1.0293754, 0.2970114, -0.2970114, -1.0293754)):
        agrees(values[:, :, rank].mean(axis=1), 80 + score * np.sqrt(26))
        agrees(costs[:, :, rank].mean(axis=1), 50 - score * np.sqrt(26))


def test_memoryless_tokens_covary_as_agent_and_slot_effects_do(seed):
    """Var of a trader's mean: 25/4 + agent and gap + slot/4; the mean of all buyers shares only the slots."""
    values, costs = seed
    agrees((values.mean(axis=2) - 80) ** 2 @ np.ones(4) / 4, 25 / 4 + 2 + 1 / 4)
    agrees((costs.mean(axis=2) - 50) ** 2 @ np.ones(4) / 4, 25 / 4 + 1 + 1 / 4)
    agrees((values.mean(axis=(1, 2)) - 80) * (costs.mean(axis=(1, 2)) - 50), 1 / 4)


def test_memoryless_tokens_equilibrium(seed):
    """Published from 20,000 rounds: surplus 480.0 (31.5), buyers 240.8, sellers 239.2, width 11.7 (4.0),
    64.95 (2.09)."""
    ce = solve(*seed)
    root = np.sqrt(20_000)
    agrees(ce.surplus, 480.0, 31.5 / root)
    assert np.std(ce.surplus) == pytest.approx(31.5, abs=0.5)
    agrees(ce.buyer_surplus, 240.8, 0.3)
    agrees(ce.seller_surplus, 239.2, 0.3)
    agrees(ce.high - ce.low, 11.7, 0.05)
    assert np.std(ce.high - ce.low) == pytest.approx(4.0, abs=0.1)
    agrees(ce.price, 64.95, 2.09 / root)
    assert np.std(ce.price) == pytest.approx(2.09, abs=0.04)
    agrees(ce.quantity.astype(float), 15.99, 0.003)


def test_memoryless_tokens_are_clipped():
    values, costs = draw(NormalTokens(base_mean=99.0, ceiling=100.0), 4, 4, 200)
    assert values.max() == 100.0 and costs.max() == 100.0 and costs.min() > 0


def test_parameters_may_be_swept():
    keys = jax.random.split(jax.random.key(0), 3)

    def at(key, gap):
        return NormalTokens(gap_mean=gap).draw(key, 4, 4)[0].mean()

    means = jax.vmap(at)(keys, jnp.array([0.0, 30.0, 40.0]))
    assert np.all(np.diff(means) > 5)


def test_game_type_moments():
    """6453: mean 538, SD 223.2; the same law for buyers and sellers, and the spread of each effect."""
    values, costs = draw(GameType(), 4, 4)
    for tokens in (values, costs):
        agrees(tokens.mean(axis=(1, 2)), 538.0)
        variance = sum((n**2 - 1) / 12 for n in (729, 81, 243, 27))
        assert np.sqrt(variance) == pytest.approx(223.2, abs=0.05)
        agrees(((tokens - 538) ** 2).mean(axis=(1, 2)), variance)
        assert np.array_equal(tokens, np.round(tokens)) and tokens.min() >= 0 and tokens.max() <= 1076
    gap = values.mean(axis=(1, 2)) - costs.mean(axis=(1, 2))
    agrees(gap**2, 2 * ((81**2 - 1) / 12 + (243**2 - 1) / 12 / 4 + (27**2 - 1) / 12 / 16))


def test_game_type_effects_reach_both_ends_of_their_range():
    values, costs = draw(GameType(digits="0001"), 2, 2, 2000)
    assert set(np.unique(np.concatenate([values, costs]))) == {0.0, 1.0, 2.0}
    values, costs = draw(GameType(digits="1000"), 2, 2, 2000)
    assert set(np.unique(values)) == {0.0, 1.0, 2.0}
    assert np.array_equal(values, costs) and (np.ptp(values, axis=(1, 2)) == 0).all()
    values, costs = draw(GameType(digits="0100"), 2, 2, 2000)
    assert (np.ptp(values, axis=(1, 2)) == 0).all() and (np.ptp(costs, axis=(1, 2)) == 0).all()
    assert (values[:, 0, 0] != costs[:, 0, 0]).mean() == pytest.approx(2 / 3, abs=0.05)
    values, costs = draw(GameType(digits="0010"), 2, 2, 2000)
    assert np.array_equal(values[:, 0], values[:, 1]) and np.array_equal(costs[:, 0], costs[:, 1])
    assert np.ptp(values, axis=(1, 2)).max() == 2.0


@pytest.mark.parametrize(
    "name, surplus, error, none",
    [
        ("BASE", 890.1, 2.6, 0.0146),
        ("BBBS", 644.4, 1.9, None),
        ("BSSS", 647.4, 1.8, None),
        ("SML", 444.2, 1.3, None),
        ("RAN", 8459.0, 10.0, 0.0),
        ("TOK", 172.7, 1.2, 0.442),
    ],
)
def test_surplus_of_the_tournament_environments(name, surplus, error, none):
    place = environment(name)
    ce = solve(*draw(place.tokens, place.buyers, place.sellers))
    agrees(ce.surplus, surplus, error)
    if none is not None:
        agrees((ce.surplus == 0).astype(float), none, np.sqrt(none * (1 - none) / DRAWS) + 1e-6)
    if name == "BASE":
        agrees(ce.quantity.astype(float), 7.97, 0.01)


def test_eql_has_one_price_and_four_units_of_quantity():
    place = environment("EQL")
    values, costs = draw(place.tokens, 4, 4, 500)
    ce = solve(values, costs)
    assert (ce.low == ce.high).all() and (ce.quantity == 8).all() and (ce.surplus == 888).all()
    weak = (np.sort(values.reshape(500, 16))[:, ::-1] >= np.sort(costs.reshape(500, 16))).sum(axis=1)
    assert (weak == 12).all()
    agrees(ce.price, 538.0)
    assert values.min() >= 1 and costs.max() <= 2000


def test_lad_hides_the_usual_type():
    assert environment("LAD").announced == "0"
    assert environment("LAD").tokens == environment("BASE").tokens


def test_environments_are_the_published_table():
    rows = {e: environment(e) for e in ENVIRONMENTS}
    assert len(rows) == 10
    assert [e.high for e in rows.values()].count(3000) == 1 and rows["RAN"].high == 3000
    assert {e.low for e in rows.values()} == {1}
    assert (rows["PER"].rounds, rows["PER"].periods, rows["PER"].steps) == (6, 1, 75)
    assert (rows["TOK"].units, rows["TOK"].tokens.units, rows["TOK"].steps) == (1, 1, 25)
    assert (rows["BBBS"].buyers, rows["BBBS"].sellers) == (6, 2)
    assert rows["RAN"].tokens.digits == "0007"
    for place in rows.values():
        assert place.tokens.units == place.units


def test_unknown_environment_offers_the_nearest():
    with pytest.raises(InputError, match="did you mean SHRT"):
        environment("short")
    assert environment("base").name == "BASE"


@pytest.mark.parametrize("digits", ["645", "64530", "6459", "64a3", "", "-453"])
def test_bad_digits_are_refused(digits):
    with pytest.raises(InputError, match="four characters"):
        GameType(digits=digits)


@pytest.mark.parametrize("units", [0, -1, True])
def test_bad_units_are_refused(units):
    for tokens in (GameType, NormalTokens):
        with pytest.raises(InputError, match="at least 1"):
            tokens(units=units)


def test_fixed_pads_traders_with_fewer_units():
    tokens = Fixed([[9.0, 7.0], [8.0]], [[1.0], [2.0], [3.0, 3.0]])
    values, costs = tokens.draw(jax.random.key(0), 2, 3)
    assert tokens.units == 2
    np.testing.assert_array_equal(values, [[9, 7], [8, -np.inf]])
    np.testing.assert_array_equal(costs, [[1, np.inf], [2, np.inf], [3, 3]])
    again = Fixed(values, costs)
    np.testing.assert_array_equal(again.values, values)


def test_fixed_keeps_a_random_draw():
    values, costs = NormalTokens().draw(jax.random.key(3), 4, 4)
    kept = Fixed(values, costs).draw(jax.random.key(4), 4, 4)
    np.testing.assert_array_equal(kept[0], values)
    np.testing.assert_array_equal(kept[1], costs)


@pytest.mark.parametrize(
    "values, costs, message",
    [
        ([[1.0, 2.0]], [[1.0]], "must descend"),
        ([[2.0, 1.0]], [[2.0, 1.0]], "must ascend"),
        ([], [[1.0]], "no buyers"),
        ([[1.0]], [], "no sellers"),
        ([[]], [[1.0]], "no units"),
        ([[float("nan")]], [[1.0]], "finite"),
        ([[float("inf")]], [[1.0]], "finite"),
        (np.array([["x"]]), [[1.0]], "expected a list of prices"),
        (np.array([1.0, 2.0]), [[1.0]], "expected a list of prices"),
        ([[-float("inf"), 2.0]], [[1.0]], "must descend"),
    ],
)
def test_bad_schedules_are_refused(values, costs, message):
    with pytest.raises(InputError, match=message):
        Fixed(values, costs)


def test_fixed_schedule_needs_its_own_number_of_traders():
    with pytest.raises(InputError, match="1 buyers and 1 sellers, the market 2 and 1"):
        Fixed([[1.0]], [[0.0]]).draw(jax.random.key(0), 2, 1)


@pytest.mark.parametrize(
    "tokens", [NormalTokens(), GameType(), CommonShift(), NormalTokens(units=9), GameType(units=2)]
)
def test_contract_of_tokens(tokens):
    """Shape, type, order, purity; two keys differ; buyers and sellers may differ in number."""
    values, costs = draw(tokens, 3, 5, 50)
    assert values.shape == (50, 3, tokens.units) and costs.shape == (50, 5, tokens.units)
    assert values.dtype == costs.dtype == np.float32
    assert (np.diff(values) <= 0).all() and (np.diff(costs) >= 0).all()
    again = draw(tokens, 3, 5, 50)
    assert np.array_equal(values, again[0]) and np.array_equal(costs, again[1])
    assert len(np.unique(values[:, 0, 0])) > 10


def test_large_markets_draw_the_same_law_by_the_other_path():
    values, costs = draw(NormalTokens(), 150, 150, 200)
    assert values[0].size + costs[0].size > 1024
    agrees(values.mean(axis=(1, 2)), 80.0)
    agrees(((values - 80) ** 2).mean(axis=(1, 2)), 28.0)


def test_both_paths_draw_the_same_numbers(monkeypatch):
    few = NormalTokens().draw(jax.random.key(1), 4, 4)
    monkeypatch.setattr("catallax.games.double_auction.tokens._DENSE_UP_TO", 0)
    for a, b in zip(few, NormalTokens().draw(jax.random.key(1), 4, 4), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_commonshift_refuses_a_range_beyond_the_generator():
    with pytest.raises(InputError, match="least <= most"):
        CommonShift(least=0, most=70_000)
    with pytest.raises(InputError, match="as many values as costs"):
        CommonShift((1.0,), (1.0, 2.0))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 3, 4, 5, 6, 7, 16, 17]))
def test_ascending_is_sort(data, k):
    row = data.draw(st.lists(st.integers(-3, 3), min_size=k, max_size=k))
    x = jnp.asarray([row], jnp.float32)
    x = jnp.where(x == 3, jnp.inf, jnp.where(x == -3, -jnp.inf, x))
    np.testing.assert_array_equal(ascending(x), np.sort(np.asarray(x)))
