"""Collusion: cycles, gains and deviations against plain loops over dictionaries."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError
from catallax.games.pricing import LogitMarket, pricing_game
from catallax.measures.pricing import Collusion, deviation, limit_cycle, present_value, profit_gain

pytestmark = pytest.mark.compile_effort("full")  # XLA takes minutes over a period of the duopoly otherwise

DISCOUNT = 0.9


@pytest.fixture(scope="module", params=[2, 3], ids=["duopoly", "three firms"])
def world(request):
    """A game on a small grid, random policies, and every past."""
    n = request.param
    game = pricing_game(LogitMarket(costs=(1.0, 0.9, 0.8)[:n], qualities=(2.0,) * n), points=4)
    policy = np.random.default_rng(n).integers(0, 4, (6, n, game.observations)).astype(np.int32)
    return game, policy


def see(game, points, i):
    """The past as firm i sees it."""
    own = [points[(i + k) % game.firms] for k in range(game.firms)]
    number = 0
    for x in own:
        number = number * game.points + x
    return number


def follow(game, policy, points):
    return tuple(int(policy[i, see(game, points, i)]) for i in range(game.firms))


def profit(game, points):
    return np.asarray(game.profits, float)[see(game, points, 0)]


def walk_to_cycle(game, policy, points):
    path = [points]
    while (points := follow(game, policy, points)) not in path:
        path.append(points)
    return path[path.index(points) :]


def start_of(game, number):
    return tuple(int(x) for x in np.unravel_index(number, (game.points,) * game.firms))


def as_world(game, points):
    return jnp.asarray([see(game, points, i) for i in range(game.firms)], jnp.int32)


def test_the_cycle_is_where_play_ends(world):
    game, policies = world
    find = jax.jit(lambda p, w: limit_cycle(game, p, w))
    lengths = set()
    for policy in policies:
        for number in (0, 5, game.observations - 1):
            points = start_of(game, number)
            cycle = walk_to_cycle(game, policy, points)
            found = find(jnp.asarray(policy), as_world(game, points))
            assert int(found.length) == len(cycle)
            np.testing.assert_allclose(found.profit, np.mean([profit(game, x) for x in cycle], axis=0), rtol=1e-5)
            prices = [[float(game.prices[i, x[i]]) for i in range(game.firms)] for x in cycle]
            np.testing.assert_allclose(found.price, np.mean(prices, axis=0), rtol=1e-5)
            assert set(np.flatnonzero(found.on)) == {see(game, x, 0) for x in cycle}
            assert bool(found.on[found.world[0]])
            lengths.add(len(cycle))
    assert len(lengths) > 1


def test_present_values_are_discounted_sums(world):
    game, policies = world
    policy = policies[0]
    worth = jax.jit(lambda discount, firm: present_value(game, jnp.asarray(policy), discount, firm), static_argnums=1)
    for firm in range(game.firms):
        value = worth(DISCOUNT, firm)
        for number in (0, 7, game.observations - 1):
            points, expected = start_of(game, number), 0.0
            for t in range(300):
                points = follow(game, policy, points)
                expected += DISCOUNT**t * profit(game, points)[firm]
            assert float(value[number]) == pytest.approx(expected, rel=1e-5)
    next_profit = [profit(game, follow(game, policy, start_of(game, i)))[0] for i in range(game.observations)]
    np.testing.assert_allclose(worth(0.0, 0), next_profit, rtol=1e-6)


def test_a_deviation_by_hand(world):
    game, policies = world
    answer = jax.jit(lambda p, w, firm: deviation(game, p, w, DISCOUNT, firm=firm, periods=8), static_argnums=2)
    for policy, firm in zip(policies, (0, 1, 0, 1, 0, 1), strict=True):
        points = start_of(game, 3)
        found = answer(jnp.asarray(policy), as_world(game, points), firm)
        cycle = walk_to_cycle(game, policy, points)
        grid = np.asarray(game.prices)
        charged = [[grid[i, x[i]] for i in range(game.firms)] for x in cycle]
        start = cycle[next(k for k, row in enumerate(charged) if np.allclose(row, found.price[0]))]
        loyal = follow(game, policy, start)
        options = [loyal[:firm] + (a,) + loyal[firm + 1 :] for a in range(game.points)]
        now = options[int(np.argmax([profit(game, x)[firm] for x in options]))]
        sums = []
        for at in (now, loyal):
            total, path = 0.0, []
            for t in range(300):
                total += DISCOUNT**t * profit(game, at)[firm]
                path.append(at)
                at = follow(game, policy, at)
            sums.append((total, path))
        (deviant, path), (kept, _) = sums
        assert float(found.gain) == pytest.approx(deviant / kept - 1, abs=2e-5)
        np.testing.assert_allclose(found.price[1:], [[grid[i, x[i]] for i in range(game.firms)] for x in path[:8]])
        np.testing.assert_array_equal(found.back, [True] + [x in cycle for x in path[:8]])


def test_who_already_plays_the_best_response_does_not_deviate():
    game = pricing_game(points=5)
    points = (2, 2)
    for _ in range(20):  # the one-shot equilibrium on the grid
        replies = [
            int(np.argmax([profit(game, (x, points[1]) if i == 0 else (points[0], x))[i] for x in range(5)]))
            for i in (0, 1)
        ]
        points = tuple(replies)
    always = jnp.broadcast_to(jnp.asarray(points, jnp.int32)[:, None], (2, 25))
    found = jax.jit(lambda policy: deviation(game, policy, as_world(game, (4, 4)), 0.95))(always)
    assert float(found.gain) == 0.0 and bool(found.back.all())


def test_the_gain_is_zero_at_nash_and_one_at_monopoly():
    game = pricing_game(LogitMarket(costs=(1.0, 0.5)))
    assert float(profit_gain(game, game.nash)) == 0.0
    assert float(profit_gain(game, game.monopoly)) == 1.0
    half = (game.nash + game.monopoly) / 2
    assert float(profit_gain(game, half)) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "stable", "settled"),
    [((900, 900), 100, 1), ((900, 901), 99, 0), ((901, 900), 99, 0), ((0, 0), 1000, 1), ((0, 1000), 0, 0)],
)
@pytest.mark.parametrize("grouped", [True, False])
def test_a_session_is_settled_when_both_firms_stand_still(changed, stable, settled, grouped):
    """1,000 periods were played; counted in periods, not once for each firm."""
    game = pricing_game(points=3)
    greedy = jnp.full((2, 9), 2, jnp.int32)
    whole = SimpleNamespace(greedy=greedy, updates=jnp.full(2, 1000), changed=jnp.asarray(changed))
    apart = [
        SimpleNamespace(greedy=greedy[i : i + 1], updates=jnp.full(1, 1000), changed=jnp.asarray(changed[i : i + 1]))
        for i in (0, 1)
    ]
    agents = (whole,) if grouped else tuple(apart)
    gather = lambda game, parts: {"firm": jnp.concatenate(parts)}
    dynamics = SimpleNamespace(game=game, population=SimpleNamespace(gather=gather))
    state = SimpleNamespace(agents=agents, worlds=jnp.zeros((1, 2), jnp.int32))
    found = Collusion(patience=100)(dynamics, state, None, jnp.int32(999))
    assert (int(found["stable"]), int(found["settled"])) == (stable, settled)
    assert int(found["cycle_length"]) == 1
    np.testing.assert_allclose(found["cycle_price"], game.prices[:, 2], rtol=1e-6)
    expected = (game.profits[8].sum() - game.nash.sum()) / (game.monopoly - game.nash).sum()
    assert float(found["profit_gain"]) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("patience", [0, -1])
def test_a_patience_below_one_is_refused(patience):
    with pytest.raises(InputError, match="patience must be an integer of at least 1"):
        Collusion(patience=patience)
