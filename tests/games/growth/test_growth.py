"""The growth economy: its closed forms against brute force, its shocks, what it refuses, a household at play."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import AbstractAgent, Group, InputError, Play, Population, rng
from catallax.games.growth import BrockMirman, GrowthView, GrowthWorld, log_deviations, saving_interface, saving_share

ALPHA, BETA = 0.36, 0.95
Z, LAW = np.array([0.9, 1.1]), np.array([[0.9, 0.1], [0.1, 0.9]])


class Saver(AbstractAgent):
    """Always says the same number."""

    said: float = 0.0

    def act(self, key, state, memory, obs):
        return jnp.float32(self.said), memory, ()


def household(game, rule, **size):
    return Play(game, Population((Group("household", None, rule, saving_interface()),)), **size)


def one_period(game, capital, state, share):
    """Reward and next capital from the game's own step, for arrays."""

    def one(capital, state, share):
        world, out = game.step(rng.key(0), GrowthWorld(capital, state), {"household": share[None]})
        return out.reward["household"][0], world.capital

    return jax.vmap(one)(capital, state, share)


def test_constants_of_the_closed_form():
    game = BrockMirman()
    assert float(game.best_share) == pytest.approx(0.342)
    capital = float(game.steady_capital)
    assert capital == pytest.approx((ALPHA * BETA) ** (1 / (1 - ALPHA)), rel=1e-6)
    assert 0.342 * capital**ALPHA == pytest.approx(capital, rel=1e-6)  # at rest
    assert float(game.steady_consumption) == pytest.approx(capital**ALPHA - capital, rel=1e-6)


def test_value_without_shocks_is_the_textbooks():
    game = BrockMirman(productivity=[1.0], transition=[[1.0]])
    best, capital = ALPHA * BETA, 0.3
    level = (np.log(1 - best) + best / (1 - best) * np.log(best)) / (1 - BETA)
    textbook = level + ALPHA / (1 - best) * np.log(capital)
    ours = float(game.best_value(GrowthWorld(jnp.float32(capital), jnp.int32(0))))
    assert ours + np.log(float(game.steady_consumption)) / (1 - BETA) == pytest.approx(textbook, rel=1e-5)


def test_bellman_equation_holds_and_its_maximum_is_the_best_share():
    game, shares = BrockMirman(), jnp.append(jnp.linspace(0.05, 0.95, 181), 0.342)
    law = jnp.asarray(LAW, jnp.float32)

    def both_sides(capital, state):
        many = jnp.full(shares.shape, capital), jnp.full(shares.shape, state), shares
        reward, after = one_period(game, *many)
        ahead = jax.vmap(lambda k: jax.vmap(lambda j: game.best_value(GrowthWorld(k, j)))(jnp.arange(2)))(after)
        return game.best_value(GrowthWorld(capital, state)), reward + BETA * ahead @ law[state]

    capital, state = jnp.asarray([0.02, 0.2, 0.5] * 2), jnp.repeat(jnp.arange(2), 3)
    left, right = jax.jit(jax.vmap(both_sides))(capital, state)
    np.testing.assert_allclose(left, right[:, -1], atol=2e-5)
    np.testing.assert_allclose(shares[right[:, :-1].argmax(axis=1)], 0.342, atol=0.0051)  # the grid's step is 0.005


def test_value_iteration_that_knows_no_closed_form_finds_the_same_policy():
    game = BrockMirman()
    logs = np.linspace(np.log(0.01), np.log(1.0), 60)
    shares = np.linspace(0.2, 0.5, 301)
    output = Z[:, None] * np.exp(ALPHA * logs)
    utility = np.log(output)[:, :, None] + np.log(1 - shares)
    ahead = np.log(output)[:, :, None] + np.log(shares)
    value = np.zeros((2, 60))

    def expected(value):
        by_next = np.stack([linear(ahead, logs, v) for v in value])  # [z', z, k, share]
        return np.einsum("ij,jiks->iks", LAW, by_next)

    for _ in range(400):
        value = (utility + BETA * expected(value)).max(axis=2)
    policy = shares[(utility + BETA * expected(value)).argmax(axis=2)]
    np.testing.assert_allclose(policy, float(game.best_share), atol=0.0011)
    closed = np.array([jax.vmap(lambda k, z=z: game.best_value(GrowthWorld(k, z)))(np.exp(logs[::20])) for z in (0, 1)])
    np.testing.assert_allclose(
        value[:, ::20] - np.log(float(game.steady_consumption)) / (1 - BETA), closed, rtol=0, atol=1e-3
    )


def linear(x, grid, values):
    """Linear interpolation, and extrapolation beyond the grid: exact here, for V is linear in ln k."""
    i = np.clip(np.searchsorted(grid, x) - 1, 0, len(grid) - 2)
    weight = (x - grid[i]) / (grid[i + 1] - grid[i])
    return (1 - weight) * values[i] + weight * values[i + 1]


SHARE = 1 / (1 + np.exp(0.4))
THREE, CHAIN = [0.8, 1.0, 1.2], np.array([[0.3, 0.7, 0.0], [0.25, 0.5, 0.25], [0.6, 0.4, 0.0]])


@pytest.fixture(scope="module")
def played():
    """A hundred periods of two hundred households that save a constant share, with three productivities."""
    play = household(BrockMirman(productivity=THREE, transition=CHAIN), Saver(-0.4), length=100, copies=200)
    _, record = jax.jit(lambda k: play.step(k, play.init(k), jnp.int32(0)))(rng.key(0))
    return jax.tree.map(np.asarray, record)


def test_capital_output_and_rewards_follow_the_shocks_as_by_hand(played):
    z, capital = played.info.productivity.astype(float), played.first.capital.astype(float)
    reward = played.batches[0].reward[0]
    for t in range(100):
        np.testing.assert_allclose(played.info.capital[:, t], capital, rtol=1e-4)
        output = z[:, t] * capital**ALPHA
        np.testing.assert_allclose(played.info.output[:, t], output, rtol=1e-4)
        np.testing.assert_allclose(played.info.consumption[:, t], (1 - SHARE) * output, rtol=1e-4)
        eaten = np.log((1 - SHARE) * output) - np.log(float(BrockMirman().steady_consumption))
        np.testing.assert_allclose(reward[:, t], eaten, atol=1e-4)
        capital = SHARE * output
    np.testing.assert_allclose(played.last.capital, capital, rtol=1e-4)
    np.testing.assert_allclose(played.batches[0].discount, BETA)


def test_shocks_follow_their_chain_and_never_enter_a_state_of_probability_zero(played):
    seen = np.abs(played.info.productivity[..., None] - np.array(THREE)).argmin(axis=-1)
    counts = np.zeros((3, 3))
    np.add.at(counts, (seen[:, :-1].ravel(), seen[:, 1:].ravel()), 1)
    assert counts[CHAIN == 0].sum() == 0
    rows = counts.sum(axis=1, keepdims=True)
    error = np.abs(counts / rows - CHAIN) / np.sqrt(np.maximum(CHAIN * (1 - CHAIN), 1e-9) / rows)
    assert error[CHAIN > 0].max() < 4  # standard errors
    start = np.bincount(seen[:, 0], minlength=3) / 200
    np.testing.assert_allclose(start, 1 / 3, atol=0.12)


def test_episodes_start_between_a_tenth_of_and_twice_the_steady_state(played):
    ratio = np.log(played.first.capital / float(BrockMirman().steady_capital))
    assert ratio.min() > np.log(0.1) - 1e-5 and ratio.max() < np.log(2.0) + 1e-5
    width = np.log(20.0)
    assert ratio.mean() == pytest.approx(np.log(0.2) / 2, abs=4 * width / 12**0.5 / 200**0.5)
    assert ratio.std() == pytest.approx(width / 12**0.5, abs=0.15)


def test_all_or_nothing_is_moved_to_the_floor_and_stays_finite():
    game = BrockMirman()
    reward, after = one_period(game, jnp.ones(2), jnp.zeros(2, int), jnp.asarray([0.0, 1.0]))
    assert np.isfinite(reward).all()
    np.testing.assert_allclose(after, [0.9e-4, 0.9 * (1 - 1e-4)], rtol=1e-4)


def test_the_interface_sees_log_deviations_and_speaks_shares():
    seen = GrowthView(jnp.float32(0.4), jnp.float32(1.1), jnp.float32(0.2))
    np.testing.assert_allclose(log_deviations(seen), [np.log(2), np.log(1.1)], rtol=1e-6)
    assert float(saving_share(seen, jnp.float32(0.0))) == 0.5
    assert float(saving_share(seen, jnp.log(jnp.float32(0.342 / 0.658)))) == pytest.approx(0.342, rel=1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alpha": 0.0}, r"alpha must lie in \(0, 1\)"),
        ({"alpha": float("nan")}, "alpha must lie in"),
        ({"beta": 1.0}, r"beta must lie in \(0, 1\)"),
        ({"beta": (0.9, 0.95)}, "beta must be one number"),
        ({"productivity": (0.9, -1.1)}, "positive and finite"),
        ({"productivity": (0.9, float("inf"))}, "positive and finite"),
        ({"productivity": 1.0}, "a list of numbers"),
        ({"productivity": (0.9, 1.0, 1.1)}, "transition must be 3 x 3"),
        ({"transition": ((0.9, 0.2), (0.1, 0.9))}, "sum to 1"),
        ({"transition": ((1.1, -0.1), (0.1, 0.9))}, "sum to 1"),
        ({"transition": ((float("nan"), 0.1), (0.1, 0.9))}, "sum to 1"),
        ({"floor": 0.0}, "floor must lie"),
    ],
)
def test_what_is_no_economy_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        BrockMirman(**wrong)


def test_parameters_may_be_swept():
    shares = jax.jit(jax.vmap(lambda b: BrockMirman(beta=b).best_share))(jnp.asarray([0.9, 0.95]))
    np.testing.assert_allclose(shares, [0.324, 0.342], rtol=1e-6)


def test_infeasible_shares_are_counted():
    """One household names three shares in turn; two lie outside the bounds."""
    game, world = BrockMirman(), GrowthWorld(jnp.float32(0.2), jnp.int32(0))
    step = jax.jit(lambda share: game.step(rng.key(0), world, {"household": share[None]})[1].info.infeasible)
    told = [bool(step(jnp.float32(share))["household"][0]) for share in (0.0, 0.3, 1.2, float("nan"))]
    assert told == [True, False, True, True]


def test_the_economy_has_the_precision_of_the_session():
    for x64, dtype in ((False, jnp.float32), (True, jnp.float64)):
        with jax.enable_x64(x64):
            game = BrockMirman()
            world, outcome = jax.eval_shape(
                lambda key, game=game: game.step(key, game.init(key), {"household": jnp.full(1, 0.3)}), rng.key(0)
            )
            assert world.capital.dtype == outcome.reward["household"].dtype == outcome.info.output.dtype == dtype
            assert game.roles[0].action.struct().dtype == dtype
