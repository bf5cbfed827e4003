"""Sealed-bid auctions against a plain Python auctioneer, their static equilibria against closed forms."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from catallax.core import InputError, rng
from catallax.games.forgone import Forgone, ForgoneInState
from catallax.games.matrix import first_price_bids
from catallax.games.sealed_bid import (
    AffiliatedValues,
    ConstantValue,
    SealedBid,
    affiliated_revenue,
    even_grid,
    lowest_symmetric_bid,
    pure_equilibria,
    signal_weight,
    stage_game,
    symmetric_equilibria,
)
from catallax.solvers.matrix.logit import logit_equilibrium

GRID = (0.0, 0.3, 0.5, 0.9)
CASES = {
    "first price": {},
    "second price": {"rule": 2.0},
    "between, fees, reserve, three": {
        "rule": 1.3,
        "bidders": 3,
        "reserve": 0.4,
        "bid_fee": 0.05,
        "winner_fee": 0.2,
        "abstain": True,
        "values": [1.0, 0.8, 0.6],
    },
    "second price, reserve, three": {"rule": 2.0, "bidders": 3, "reserve": 0.5, "abstain": True},
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def auction(case):
    """Built when asked for, in the precision of the test."""
    given = dict(CASES[case])
    return SealedBid(GRID, values=ConstantValue(given.pop("values", 1.0)), **given)


def clerk(game, moves):
    """The auction as a person would hold it: for each seat that may win, the payments and rewards of all."""
    n, grid = game.bidders, [float(b) for b in game.bids]
    v = np.broadcast_to(np.asarray(game.values.value), (n,))
    bids = [grid[m] if m < len(grid) else None for m in moves]
    fees = [float(game.bid_fee) if b is not None else 0.0 for b in bids]
    able = [i for i in range(n) if bids[i] is not None and bids[i] >= float(game.reserve)]
    if not able:
        return {-1: (0.0, [-f for f in fees], sum(fees))}
    top = max(bids[i] for i in able)
    out = {}
    for w in [i for i in able if bids[i] == top]:
        losing = [bids[i] for i in range(n) if i != w and bids[i] is not None]
        second = max([float(game.reserve), *losing])
        a = float(game.rule)
        price = (2 - a) * top + (a - 1) * second
        rewards = [-f for f in fees]
        rewards[w] += v[w] - price - float(game.winner_fee)
        out[w] = (price, rewards, price + float(game.winner_fee) + sum(fees))
    return out


def profiles(game):
    return np.array(list(itertools.product(range(game.actions), repeat=game.bidders)), np.int32)


def hold(game, moves, seeds):
    """The outcomes of one profile under many keys."""
    world = game.init(rng.key(0))
    keys = jax.vmap(lambda s: rng.fold(rng.key(1), s))(jnp.arange(seeds))
    return jax.vmap(lambda k: game.step(k, world, {"bidder": moves})[1])(keys)


@pytest.mark.parametrize("case", CASES)
def test_every_profile_as_a_clerk_would_settle_it(case):
    game = auction(case)
    every = profiles(game)
    outcomes = jax.jit(jax.vmap(lambda m: hold(game, m, 40)))(jnp.asarray(every))
    rewards, event = np.asarray(outcomes.reward["bidder"]), jax.tree.map(np.asarray, outcomes.info)
    counterfactual = jax.jit(jax.vmap(lambda m: game.forgone(m, jnp.zeros(game.bidders, jnp.int32))))(every)
    for p, moves in enumerate(every):
        said = clerk(game, moves)
        assert set(event.winner[p]) == set(said)  # every tied bidder wins sometimes, and nobody else
        price, reward, revenue = (np.asarray(x) for x in zip(*(said[w] for w in event.winner[p]), strict=True))
        np.testing.assert_allclose(rewards[p], reward, atol=1e-12)
        np.testing.assert_allclose([event.price[p], event.revenue[p]], [price, revenue], atol=1e-12)
        mean = np.mean([r for _, r, _ in said.values()], axis=0)  # ties are fair
        own = np.asarray(counterfactual)[p, np.arange(game.bidders), moves]
        np.testing.assert_allclose(own, mean, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_forgone_payoffs_are_those_of_the_profile_with_one_move_changed(case):
    game = auction(case)
    signal = jnp.zeros(game.bidders, jnp.int32)
    table = np.asarray(jax.jit(jax.vmap(lambda m: game.forgone(m, signal)))(profiles(game)))
    shape = (game.actions,) * game.bidders
    table = table.reshape(*shape, game.bidders, game.actions)
    for moves in itertools.product(range(game.actions), repeat=game.bidders):
        for i in range(game.bidders):
            for b in range(game.actions):
                other = tuple(b if j == i else m for j, m in enumerate(moves))
                mean = np.mean([r[i] for _, r, _ in clerk(game, other).values()])
                assert table[*moves, i, b] == pytest.approx(mean, abs=1e-12)


def test_what_is_paid_is_what_is_taken_in_and_the_surplus_is_split():
    game = auction("between, fees, reserve, three")
    for moves in ([0, 4, 4], [2, 2, 1], [3, 3, 3], [4, 4, 4], [1, 2, 3]):
        outcome = hold(game, jnp.asarray(moves), 20)
        won = np.asarray(outcome.info.winner)
        value = np.where(won >= 0, np.asarray(outcome.info.value)[np.arange(20), won], 0.0)
        np.testing.assert_allclose(outcome.reward["bidder"].sum(axis=1) + outcome.info.revenue, value, atol=1e-12)


@pytest.mark.parametrize(("tied", "n"), [(2, 2), (3, 3), (2, 3)])
def test_ties_are_fair(tied, n):
    moves = jnp.asarray([2] * tied + [1] * (n - tied))
    won = np.bincount(np.asarray(hold(SealedBid(GRID, bidders=n), moves, 6000).info.winner), minlength=n) / 6000
    np.testing.assert_allclose(won[:tied], 1 / tied, atol=4 * np.sqrt(0.25 / 6000))
    assert won[tied:].sum() == 0


@pytest.mark.parametrize("rule", [1.0, 1.4, 2.0])
def test_the_family_of_price_rules(rule):
    outcome = hold(SealedBid(GRID, bidders=3, rule=rule), jnp.asarray([3, 2, 1]), 1)
    assert float(outcome.info.price[0]) == pytest.approx((2 - rule) * 0.9 + (rule - 1) * 0.5, abs=1e-15)


def test_seats_are_alike():
    game = SealedBid(GRID, bidders=3, rule=1.5, reserve=0.3)
    signal = jnp.zeros(3, jnp.int32)
    for moves in itertools.product(range(4), repeat=3):
        first = np.asarray(game.forgone(jnp.asarray(moves), signal))
        turned = np.asarray(game.forgone(jnp.asarray(moves[1:] + moves[:1]), signal))
        np.testing.assert_array_equal(np.roll(first, -1, axis=0), turned)


@pytest.mark.parametrize("fee", [0.25, 0.0])
def test_the_three_bids_of_the_zoo(fee):
    ours, zoo = stage_game(SealedBid((0.0, 0.5, 1.0), winner_fee=fee)), first_price_bids(fee)
    for pair in ((0, 1), (1, 0)):
        np.testing.assert_allclose(ours.edge(*pair), zoo.edge(*pair), atol=1e-15)
    found = pure_equilibria(SealedBid((0.0, 0.5, 1.0), winner_fee=fee)).tolist()
    assert found == ([[0, 0], [1, 1]] if fee else [[0, 0], [1, 1], [2, 2]])


def test_logit_equilibria_beside_the_auction():
    """The three bids with a fee: 0 and 1/2 are equally likely on the symmetric branch."""
    game = stage_game(SealedBid((0.0, 0.5, 1.0), winner_fee=0.25))
    found = logit_equilibrium(game, 0.2).require()
    np.testing.assert_allclose(found[0], [0.471073376825, 0.471073376825, 0.05785324635], atol=1e-10)


def test_the_bimatrix_is_in_own_row_form():
    game = SealedBid(GRID, values=ConstantValue([1.0, 0.7]))
    stage = stage_game(game)
    for a, b in itertools.product(range(4), repeat=2):
        mean = np.mean([r for _, r, _ in clerk(game, (a, b)).values()], axis=0)
        np.testing.assert_allclose(stage.play(jnp.asarray([a, b])), mean, atol=1e-12)


@pytest.mark.parametrize(("n", "count"), [(2, 19), (3, 19), (5, 19), (2, 9)])
def test_symmetric_equilibria_of_a_first_price_auction_on_a_grid(n, count):
    step = 1 / (count + 1)
    game = SealedBid(even_grid(step, 1 - step, count), bidders=n)
    found = np.asarray(game.bids)[symmetric_equilibria(game)]
    expected = [b for b in np.asarray(game.bids) if b >= lowest_symmetric_bid(n, step) - 1e-9]
    np.testing.assert_allclose(found, expected)
    if (n, count) == (2, 19):
        np.testing.assert_allclose(found, [0.9, 0.95])


def test_symmetric_equilibria_are_among_all_equilibria_and_second_price_has_the_truth():
    game = SealedBid(even_grid(0.1, 0.9, 9), rule=2.0, values=ConstantValue(0.5))
    every = pure_equilibria(game)
    diagonal = {int(a) for a, b in every if a == b}
    assert diagonal == set(symmetric_equilibria(game).tolist()) and 4 in diagonal
    assert [8, 0] in every.tolist()  # the other's threat: winning below cost would not pay


def test_who_stays_out_pays_nothing_and_a_reserve_keeps_the_unit():
    game = SealedBid(GRID, bid_fee=0.1, abstain=True, reserve=0.5)
    out = game.actions - 1
    nobody = hold(game, jnp.asarray([out, out]), 1)
    assert int(nobody.info.winner[0]) == -1 and not nobody.reward["bidder"].any() and nobody.info.revenue[0] == 0
    low = hold(game, jnp.asarray([0, out]), 1)
    np.testing.assert_allclose(low.reward["bidder"][0], [-0.1, 0.0])
    assert int(low.info.winner[0]) == -1 and float(low.info.revenue[0]) == pytest.approx(0.1)
    alone = hold(SealedBid(GRID, rule=2.0, abstain=True, reserve=0.5), jnp.asarray([3, out]), 1)
    assert float(alone.info.price[0]) == 0.5


def step(game, world, moves, seed=3):
    return game.step(rng.fold(rng.key(9), seed), world, {"bidder": jnp.asarray(moves)})[0]


def test_what_bidders_recall():
    make = lambda feedback: SealedBid(GRID, bidders=3, abstain=True, feedback=feedback)
    for feedback, expected in (("none", [0, 0, 0]), ("winning bid", [3, 3, 3]), ("rival bid", [3, 2, 3])):
        game = make(feedback)
        world = game.init(rng.key(0))
        assert not np.asarray(game.observe(world)["bidder"]).any()
        after = game.observe(step(game, world, [1, 2, 4]))["bidder"]
        np.testing.assert_array_equal(after, expected)
        assert game.states == (1 if feedback == "none" else 5)
        silent = game.observe(step(game, world, [4, 4, 4]))["bidder"]
        assert not np.asarray(silent).any()


def test_full_feedback_shows_the_last_auction():
    game = SealedBid(GRID, feedback="full")
    world = game.init(rng.key(0))
    seen = game.observe(world)["bidder"]
    assert isinstance(seen, Forgone) and not np.asarray(seen.played).any() and not np.asarray(seen.payoff).any()
    seen = game.observe(step(game, world, [1, 2]))["bidder"]
    np.testing.assert_allclose(seen.payoff, [[0, 0, 0.25, 0.1], [0, 0.35, 0.5, 0.1]], atol=1e-15)
    assert np.asarray(seen.played).all()
    both = SealedBid(GRID, feedback="full and winning bid")
    more = both.observe(step(both, world, [1, 2]))["bidder"]
    np.testing.assert_array_equal(more.payoff, seen.payoff)
    assert isinstance(more, ForgoneInState) and more.state.tolist() == [3, 3] and both.states == 5


def test_affiliated_values_and_their_signals():
    law = AffiliatedValues(4, 0.6)
    np.testing.assert_allclose(law.of(jnp.asarray([0, 3, 1])), [0.275, 0.6875, 0.4125])
    draws = np.asarray(jax.vmap(lambda i: law.draw(rng.fold(rng.key(0), i), 3))(jnp.arange(4000)))
    np.testing.assert_allclose(np.bincount(draws.ravel(), minlength=4) / 12000, 0.25, atol=0.02)
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.06
    game = SealedBid(GRID, values=law, feedback="full", bidders=3)
    world = game.init(rng.key(5))
    seen = game.observe(world)["bidder"]
    assert isinstance(seen, ForgoneInState) and game.states == 4
    np.testing.assert_array_equal(seen.state, world.signal)
    after = step(game, world, [1, 2, 2])
    np.testing.assert_array_equal(after.before, world.signal)
    expected = game.forgone(jnp.asarray([1, 2, 2]), world.signal)
    np.testing.assert_allclose(game.observe(after)["bidder"].payoff, expected)


def test_memory_and_signal_share_one_number():
    game = SealedBid(GRID, values=AffiliatedValues(5), feedback="winning bid")
    after = step(game, game.init(rng.key(2)), [3, 1])
    np.testing.assert_array_equal(game.observe(after)["bidder"], 4 * 5 + np.asarray(after.signal))
    assert game.states == 25


@pytest.mark.parametrize(("eta", "n", "printed"), [(0.0, 2, 0.333), (0.0, 6, 0.714), (1.0, 2, 0.333), (1.0, 6, 0.571)])
def test_revenue_with_affiliated_values(eta, n, printed):
    assert affiliated_revenue(n, eta) == pytest.approx(printed, abs=5e-4)
    # second price: the second highest signal of n, times phi, by quadrature
    density = lambda x: n * (n - 1) * x ** (n - 2) * (1 - x)
    mean = integrate.quad(lambda x: signal_weight(n, eta) * x * density(x), 0, 1)[0]
    assert affiliated_revenue(n, eta) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize(("eta", "n"), [(0.0, 3), (0.5, 2), (1.0, 2), (1.0, 6)])
@pytest.mark.parametrize("rule", [1, 2])
def test_the_bids_behind_the_revenue_are_an_equilibrium(rule, eta, n):
    """A bidder of signal s who bids as if it were z: the best z is s. Values of the others by quadrature."""
    phi = signal_weight(n, eta)
    shade = (n - 1) / n if rule == 1 else 1.0

    def profit(z, s):
        def at(m):  # the highest of the others' signals is m
            value = (1 - eta / 2) * s + eta / 2 * (m + (n - 2) * m / 2) / (n - 1)
            price = shade * phi * (z if rule == 1 else m)
            return (value - price) * (n - 1) * m ** (n - 2)

        return integrate.quad(at, 0, z)[0]

    for s in (0.3, 0.8):
        grid = np.linspace(0, 1, 41)
        best = grid[np.argmax([profit(z, s) for z in grid])]
        assert abs(best - s) <= 0.0251
        assert profit(s, s) >= max(profit(s + d, s) for d in (-0.05, -0.01, 0.01, 0.05))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SealedBid([0.5, 0.1]), "bids must ascend"),
        (lambda: SealedBid([-0.5, 0.1]), "bids must ascend"),
        (lambda: SealedBid([0.1, np.nan]), "bids must ascend"),
        (lambda: SealedBid([0.1]), "a list with a choice"),
        (lambda: SealedBid(GRID, bidders=1), "bidders must be an integer of at least 2"),
        (lambda: SealedBid(GRID, rule=2.5), r"rule must lie in \[1, 2\]"),
        (lambda: SealedBid(GRID, reserve=-1), "reserve must lie in"),
        (lambda: SealedBid(GRID, winner_fee=np.inf), "winner_fee must lie in"),
        (lambda: SealedBid(GRID, bid_fee=0.1), "abstain=True"),
        (lambda: SealedBid(GRID, feedback="all"), "feedback is one of"),
        (lambda: SealedBid(GRID, values=ConstantValue([1.0, 2.0, 3.0])), "3 values for 2 bidders"),
        (lambda: ConstantValue(np.nan), "one finite number"),
        (lambda: ConstantValue("much"), "ConstantValue: value must be numbers"),
        (lambda: SealedBid(GRID, abstain=1), "abstain must be True or False"),
        (lambda: SealedBid(GRID, values=1.0), "values must be of the class AbstractValues"),
        (lambda: SealedBid(GRID, feedback=None), "feedback is one of"),
        (lambda: even_grid("low", 1, 3), "low must be a number"),
        (lambda: AffiliatedValues(0), "points must be an integer"),
        (lambda: AffiliatedValues(3, 1.5), r"affiliation must lie in \[0, 1\]"),
        (lambda: even_grid(0.5, 0.5, 3), "0 <= low < high"),
        (lambda: stage_game(SealedBid(GRID, bidders=3)), "has 3 bidders"),
        (lambda: stage_game(SealedBid(GRID, values=AffiliatedValues(3))), "constant values only"),
        (lambda: pure_equilibria(SealedBid(even_grid(0.1, 0.9, 9), bidders=7)), "more than 1000000"),
        (lambda: lowest_symmetric_bid(1, 0.05), "bidders must be an integer"),
        (lambda: signal_weight(2, -0.1), "affiliation must lie in"),
    ],
)
@pytest.mark.usefixtures("as_users_have_it")
def test_bad_input_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
