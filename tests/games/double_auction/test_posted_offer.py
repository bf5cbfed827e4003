"""The posted offer and the posted bid against a plain-Python market; their invariances, draws and refusals."""

from functools import cache
from math import inf

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from institution_rounds import (
    HIGH,
    LOW,
    B,
    Blank,
    S,
    assert_agrees,
    assert_conserved,
    assert_mirrored,
    assert_moved,
    assert_permuted,
    distinct,
    limits,
    mirrored,
    moved,
    permuted,
    quotes,
    rounds,
    run_round,
    word_for,
)
from reference_institutions import Posted, Rules
from scipy import stats

from catallax.core import InputError, rng
from catallax.games.double_auction import Order, PostedOffer

pytestmark = pytest.mark.compile_effort("least")

STEPS = 6
MARKETS: dict[str, dict] = {
    "offers": dict(),
    "offers, two periods on a grid": dict(periods=2, tick=1.0, low=1.0),
    "bids, two periods": dict(poster="buyer", periods=2),
    "bids on a grid, unbounded": dict(poster="buyer", tick=0.5, bounded=False),
}


@cache
def market(name: str, buyers: int = B, sellers: int = S, scale: float = 1.0, shift: float = 0.0, units=2, **more):
    settings = dict(low=LOW, high=HIGH, steps=STEPS) | MARKETS[name] | more
    settings["low"], settings["high"] = (scale * settings[x] + shift for x in ("low", "high"))
    settings["tick"] = scale * settings.get("tick", 0.0)
    return PostedOffer(Blank(units), buyers=buyers, sellers=sellers, **settings)


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=50)
@given(data=st.data())
def test_every_tick_agrees_with_the_independent_market(name, data):
    game = market(name)
    drawn = data.draw(rounds(game))
    settings = dict(low=LOW, high=HIGH, steps=STEPS) | MARKETS[name]
    other = Posted(Rules(**settings), drawn[0].tolist(), drawn[1].tolist())
    for _, _, seen in assert_agrees(game, other, drawn):
        offers = other.in_market().values()
        bid, ask = (-inf, min(offers, default=inf)) if game.poster == "seller" else (max(offers, default=-inf), inf)
        assert (seen["buyer"].tape.bid == bid).all() and (seen["buyer"].tape.ask == ask).all()
        assert (seen["seller"].tape.bid == -ask).all() and (seen["seller"].tape.ask == -bid).all()


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_paid_is_received_and_no_poster_sells_at_a_loss(name, data):
    game = market(name)
    outcomes = run_round(game, data.draw(rounds(game)))[2]
    assert_conserved(outcomes)
    assert (outcomes.reward[game.poster] >= 0).all()
    posted = outcomes.info.asks if game.poster == "seller" else outcomes.info.bids
    assert not np.isfinite(posted[np.arange(game.length) % STEPS > 0]).any()
    assert not outcomes.info.traded[::STEPS].any()


@pytest.mark.parametrize("name", MARKETS)
@settings(max_examples=20)
@given(data=st.data())
def test_posted_bids_are_posted_offers_in_the_mirror(name, data):
    """Exact, with the same draws."""
    game = market(name)
    other = market(
        name, S, B, low=-float(game.high), high=-float(game.low),
        poster="buyer" if game.poster == "seller" else "seller",
    )  # fmt: skip
    drawn = data.draw(rounds(game))
    assert_mirrored(run_round(game, drawn), run_round(other, mirrored(drawn, drawn[-1])))


@pytest.mark.parametrize("scale, shift", [(4.0, 0.0), (1.0, 32.0), (0.5, -8.0)])
@settings(max_examples=15)
@given(data=st.data())
def test_only_differences_of_prices_count(scale, shift, data):
    name = "offers, two periods on a grid"
    game, other = market(name), market(name, scale=scale, shift=shift)
    drawn = data.draw(rounds(game))
    assert_moved(run_round(game, drawn), run_round(other, moved(drawn, scale, shift)), scale, shift)


@settings(max_examples=20)
@given(data=st.data(), buyers=st.permutations(range(B)), sellers=st.permutations(range(S)))
def test_seats_have_no_privileges(data, buyers, sellers):
    """Buyers' units do not run out, so that a word can be found for any of them; no two sellers post alike."""
    game = market("offers", units=STEPS)
    full = arrays(np.int64, (B, STEPS), elements=st.integers(0, 14)).map(lambda n: -np.sort(-n / 2, axis=1))
    values = data.draw(full).astype(np.float32)
    drawn = (
        values, data.draw(limits(S, 1.0, STEPS)), data.draw(quotes(STEPS, B)), data.draw(distinct(STEPS, S)),
        data.draw(quotes(STEPS, B)), data.draw(quotes(STEPS, S)), None,
    )  # fmt: skip
    places = data.draw(st.lists(st.integers(0, B - 1), min_size=STEPS, max_size=STEPS))
    words, there = (
        np.asarray([[word_for(p, B), 0] for p in order], np.uint32)
        for order in (places, [list(buyers).index(p) for p in places])
    )
    one = run_round(game, (*drawn[:-1], words))
    assert_permuted(one, run_round(game, permuted(drawn, buyers, sellers, there)), buyers, sellers)


def test_shoppers_and_equal_offers_are_drawn_alike_and_independently():
    game = PostedOffer(Blank(1), low=0.0, high=10.0, buyers=4, sellers=3, steps=3)
    costs = jnp.asarray([[1.0], [2.0], [9.0]])
    world = game.init(rng.key(0))._replace(values=jnp.full((4, 1), 9.0), costs=costs, clock=jnp.int32(1))
    world = world._replace(posted=jnp.asarray([-3.0, -3.0, -3.0]))  # the third seller's next unit costs more
    order = {"buyer": Order(jnp.full(4, -jnp.inf), jnp.full(4, 3.0)), "seller": Order(jnp.zeros(3), jnp.zeros(3))}
    keys = jax.random.split(rng.key(3), 20_000)
    event = jax.jit(jax.vmap(lambda key: game.step(key, world, order)[1].info))(keys)
    table = np.zeros((4, 3))
    np.add.at(table, (np.asarray(event.buyer), np.asarray(event.seller)), 1)
    assert table[:, 2].sum() == 0 and table.sum() == 20_000
    assert stats.chisquare(table[:, :2].ravel()).pvalue > 1e-3  # the seed is fixed


def test_an_offer_is_withdrawn_when_it_does_not_cover_the_next_unit():
    game = PostedOffer(Blank(3), low=0.0, high=10.0, buyers=1, sellers=1, steps=4, periods=2)
    values, costs = np.asarray([[9, 9, 9]], np.float32), np.asarray([[1, 2, 6]], np.float32)
    asks = np.asarray([[5], [9], [9], [9], [6], [0], [0], [0]], np.float32)
    bids = np.full((8, 1), 9, np.float32)
    _, seen, outcomes = run_round(game, (values, costs, bids, asks, bids, 0 * asks, np.zeros((8, 2), np.uint32)))
    np.testing.assert_array_equal(outcomes.info.traded, [False, True, True, False, False, True, True, True])
    np.testing.assert_array_equal(outcomes.info.price[outcomes.info.traded], [5, 5, 6, 6, 6])
    np.testing.assert_array_equal(seen["buyer"].tape.ask[:, 0], [5, 5, inf, inf, 6, 6, 6, inf])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (dict(steps=1), "steps must be an integer of at least 2, got 1"),
        (dict(periods=0), "periods must be an integer of at least 1, got 0"),
        (dict(low=9.0, high=1.0), "low must be below high"),
        (dict(low=0.5, tick=1.0), "low must be a multiple of the tick 1"),
    ],
)
def test_impossible_markets_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        PostedOffer(Blank(), **changes)
