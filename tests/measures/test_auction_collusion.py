"""Tacit collusion: shares by hand and by conservation, and deviations answered as they must be."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents.deep import Reinforce
from catallax.agents.parts import MLP
from catallax.agents.traders import ZIC, AbstractTrader, TruthTeller
from catallax.core import Group, InputError, NaNCount, Play, Population, rng, run
from catallax.games.double_auction import Fixed, FullDisclosure, Order, memoryless_market, standard_interface
from catallax.measures.double_auction import Efficiency, ForcedDeviation, Profit, SurplusShift

pytestmark = pytest.mark.compile_effort("least")


def market(bids, asks, copies=4, **changes):
    game = memoryless_market(**({"disclosure": FullDisclosure()} | changes))
    groups = [bids if isinstance(bids, Group) else Group("buyer", None, bids), Group("seller", None, asks)]
    return Play(game, Population(groups), length=game.length, copies=copies)


def test_what_moves_and_what_is_lost_add_up():
    series = run(market(ZIC(), ZIC()), rng.key(1), 5, (SurplusShift(), Efficiency())).series
    to_buyers, to_sellers = (np.asarray(series[f"surplus_to_{side}"]) for side in ("buyers", "sellers"))
    np.testing.assert_allclose(to_buyers + to_sellers, series["efficiency"] - 1, atol=1e-5)
    due = np.asarray(series["buyer_efficiency"])
    assert (np.sign(to_buyers) == np.sign(due - 1)).all() and (np.abs(to_buyers) > 1e-3).any()
    excess = np.asarray(series["buyers_excess"]) + np.asarray(series["sellers_excess"])
    np.testing.assert_allclose(excess, series["surplus"] - series["maximum_surplus"], atol=1e-2)
    np.testing.assert_allclose(to_buyers * series["maximum_surplus"], series["buyers_excess"], rtol=1e-4, atol=1e-3)


class AtPrice(AbstractTrader):
    """Quotes one true price as long as that does not lose money."""

    price: jax.Array = eqx.field(converter=jnp.asarray)

    def quote(self, key, memory, obs):
        price = obs.side * self.price
        return Order(jnp.where(price <= obs.limit, price, -jnp.inf), obs.limit), memory


@pytest.mark.parametrize(("price", "moved"), [(50.0, 0.0), (30.0, 0.25), (60.0, -0.125)])
def test_trade_at_one_price_moves_the_share_that_it_should(price, moved):
    """Two units of value 90, two of cost 10: 160 to share, competitive price 50; at p the buyers gain 2(50 - p)."""
    tokens = Fixed(values=[[90.0], [90.0]], costs=[[10.0], [10.0]])
    play = market(AtPrice(price), AtPrice(price), tokens=tokens, buyers=2, sellers=2, low=0.0, high=100.0)
    series = run(play, rng.key(0), 1, (SurplusShift(),)).series
    np.testing.assert_allclose(series["surplus_to_buyers"], 2 * (50 - price) / 160, atol=1e-5)
    np.testing.assert_allclose(series["surplus_to_sellers"], -2 * (50 - price) / 160, atol=1e-5)
    assert moved == pytest.approx(2 * (50 - price) / 160)


def test_who_quotes_the_limit_already_does_not_deviate():
    measures = (ForcedDeviation(1, tick=3), ForcedDeviation(1, "seller", 2, None, suffix="_seller"))
    series = run(market(TruthTeller(), TruthTeller()), rng.key(2), 3, measures).series
    for name, values in series.items():
        defined = np.asarray(values)[~np.isnan(values)]
        assert defined.size and (defined == 0).all(), name


class Copycat(AbstractTrader):
    """Bids a low price of its own, and whatever was the best bid last time if that was higher; never buys."""

    def quote(self, key, memory, obs):
        price = jnp.maximum(obs.low + 1.0, obs.tape.last_bid)
        return Order(jnp.minimum(price, obs.limit - 1.0), -jnp.inf), memory


class Silent(AbstractTrader):
    """Never says a word, never accepts."""

    def quote(self, key, memory, obs):
        return Order(-jnp.inf, -jnp.inf), memory


def test_an_answer_in_kind_by_hand():
    """Nobody trades. Buyer 1 bids its limit of 80 in tick 4; from tick 5 on the others bid as much, up to their own
    limits less 1."""
    tokens = Fixed(values=[[80.0], [60.0], [90.0]], costs=[[85.0]])
    play = market(Copycat(), Silent(), tokens=tokens, buyers=3, sellers=1, low=0.0, high=100.0)
    found = run(play, rng.key(0), 1, (ForcedDeviation(1, tick=4, lags=3),)).series
    # without: all bid 1. After: bids 59 and 80 at lag 1; the best bid of 80 is kept up by buyer 3 from then on
    expected = [0.0, (58.0 + 79.0) / 2, (58.0 + 79.0) / 2, (58.0 + 79.0) / 2]
    np.testing.assert_allclose(found["rivals_answer"][0], expected, rtol=1e-6)
    assert np.isnan(found["others_answer"]).all()
    assert float(found["deviation_gain"][0]) == 0.0
    short = run(play, rng.key(0), 1, (ForcedDeviation(1, tick=4, lags=3, margin=30.0),)).series
    np.testing.assert_allclose(short["rivals_answer"][0], [0.0, 49.0, 49.0, 49.0], rtol=1e-6)


def test_the_gain_is_that_of_playing_the_other_way():
    """A round of forced limits is a round of a truth-teller in that seat; zero-intelligence traders answer nothing."""
    measure = ForcedDeviation(1, seat=1, tick=None, lags=15)
    play = market(ZIC(), ZIC(), copies=64)
    state, record = eqx.filter_jit(play.step)(rng.key(5), play.init(rng.key(5)), jnp.int32(0))
    found = eqx.filter_jit(measure)(play, state, record, jnp.int32(0))
    groups = [Group("buyer", [1], TruthTeller()), Group("buyer", [0, 2, 3], ZIC()), Group("seller", None, ZIC())]
    truthful = Play(play.game, Population(groups), length=play.length, copies=64)
    profit = lambda p: np.asarray(run(p, rng.key(6), 40, (Profit(),)).series["buyer_profit"])[..., 1].mean()
    many = [float(eqx.filter_jit(measure)(play, state, record, jnp.int32(t))["deviation_gain"]) for t in range(40)]
    error = np.std(many) / 40**0.5
    assert abs(np.mean(many) - (profit(truthful) - profit(play))) < 4 * error + 0.3
    assert np.mean(many) < -5 * error  # bidding one's limit does not pay
    assert float(found["deviation_gain"]) == many[0]
    np.testing.assert_allclose(found["rivals_answer"][0], 0.0, atol=1e-6)


def test_it_disturbs_nothing_and_asks_other_replications_about_other_rounds():
    learner = Group("buyer", None, Reinforce(network=MLP((4,))), standard_interface())
    play = market(learner, ZIC())
    plain = run(play, rng.key(7), 2, (NaNCount(),)).state
    asked = run(play, rng.key(7), 2, (ForcedDeviation(1),))
    for x, y in zip(jax.tree.leaves(plain), jax.tree.leaves(asked.state), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    other = run(play, rng.key(8), 2, (ForcedDeviation(1),)).series["deviation_gain"]
    gains = [*asked.series["deviation_gain"], *other]
    assert len({float(x) for x in gains}) == 4


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (dict(seat=-1), "seat must be an integer of at least 0"),
        (dict(margin=-1.0), "margin must lie in"),
        (dict(seat=4), "no seat 4 in a role 'buyer'"),
        (dict(role="bidder"), "no seat 0 in a role 'bidder'"),
        (dict(tick=14, lags=2), "does not fit a phase of 16 ticks"),
    ],
)
def test_deviations_that_cannot_be_are_refused(wrong, says):
    with pytest.raises(InputError, match=f"ForcedDeviation: .*{says}"):
        run(market(ZIC(), ZIC()), rng.key(0), 1, (ForcedDeviation(1, **wrong),))
