"""What no trader's rule may depend on: the unit of prices, their origin, which side it is on, the order of seats, and
what its `needs` does not name. A trader with a reason to see where 0 lies must be named in `IN_PERCENT`.

Each rule is taken through random stories of a dozen ticks with a turn of the period among them, twice: as they are,
and with all that it sees transformed. What it says must be transformed with it.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.agents import traders
from catallax.core import Group, Play, Population, rng, run
from catallax.games.double_auction import Fixed, Tape, TraderView, aurora
from catallax.measures.double_auction import Profit

REFLECTED = (
    traders.AA,
    traders.Gamer,
    traders.Kaplan,
    traders.KaplanPort,
    traders.Markup,
    traders.Staecker,
    traders.ZIP,
)
"""Rules whose percentages are of the actual price, as in their sources, unless they are told to reflect it: then a
market and its mirror image behave alike, and only then."""

VARIANTS = {name: [rule(reflected=True)] for name, rule in traders.by_name().items() if rule in REFLECTED}
VARIANTS |= {"price_taker": [traders.PriceTaker(x) for x in ("mean", "last")]}
TRADERS = [variant for name, rule in traders.by_name().items() for variant in VARIANTS.get(name) or [rule()]]
"""Every trader of the package by itself; one whose switches matter here, in the settings named above."""

IN_PERCENT = {
    traders.Markup: "its margin is a share of the limit",
    traders.Gamer: "its margin is a share of the limit",
    traders.ZIP: "margins, and the noise around a shout, are shares of prices",
    traders.Kaplan: "2% of profit, 10% of spread",
    traders.KaplanPort: "2% of profit, 10% of spread",
    traders.Staecker: "10% of spread",
    traders.AA: "a step of aggressiveness is a share of the ask, and volatility a share of the price",
}
"""Rules that think in percent of a price: they know where 0 lies, and a shift of all prices changes what they say."""

MAXIMISERS = (traders.GD, traders.MGD, traders.GDX)
"""Rules that look for the best price: of two prices a tick apart that are equally good, rounding elsewhere may take the
other. Once in a few thousand bids of these stories."""

STORIES, TICKS, LOW, HIGH = 2000, 12, 1.0, 101.0
PRICES = ("bid", "ask", "last_bid", "last_ask", "price", "bids", "asks")


def _tape(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Public events without much sense, [stories, ticks, ...]: some quotes absent, some crossed."""
    shape = (STORIES, TICKS)

    def prices(absent: float, *more: int) -> np.ndarray:
        drawn = random.integers(2, 100, (*shape, *more)).astype(np.float32)
        return np.where(random.random(drawn.shape) < 0.3, np.float32(absent), drawn)

    sale = random.random(shape) < 0.4
    flags = {name: random.random(shape) < 0.5 for name in ("buy", "sell")}
    seats = {name: random.integers(-1, 4, shape).astype(np.int32) for name in ("bidder", "asker")}
    quotes = {name: prices(-np.inf if "bid" in name else np.inf) for name in PRICES[:4]}
    sheets = dict(bids=prices(-np.inf, 4), asks=prices(np.inf, 4))
    price = np.where(sale, random.integers(2, 100, shape), 0).astype(np.float32)
    return quotes | sheets | flags | seats | dict(sale=sale, price=price)


@functools.cache
def stories() -> TraderView:
    """What a buyer sees, [stories, ticks, ...]."""
    random = np.random.default_rng(1)
    tape = _tape(random)
    steps = random.choice([14, 25], STORIES)[:, None].repeat(TICKS, 1)
    clock = random.integers(0, steps[:, :1]) + np.arange(TICKS)
    step, period = clock % steps, clock // steps
    traded = np.zeros((STORIES, TICKS), np.int32)
    for t in range(1, TICKS):
        mine = tape["sale"][:, t] & (random.random(STORIES) < 0.5)
        traded[:, t] = np.where(step[:, t] == 0, 0, np.minimum(traded[:, t - 1] + mine, 4))
    tokens = -np.sort(-random.integers(2, 100, (STORIES, 1, 4)), axis=-1).repeat(TICKS, 1).astype(np.float32)
    all_ = lambda x: np.full((STORIES, TICKS), x, np.float32)
    return TraderView(
        side=all_(1), limit=np.take_along_axis(tokens, np.minimum(traded, 3)[..., None], -1)[..., 0],
        left=4 - traded, traded=traded, tokens=tokens, low=all_(LOW), high=all_(HIGH), cap=all_(HIGH), tick=all_(1),
        step=step.astype(np.int32), steps=steps.astype(np.int32), period=period.astype(np.int32), tape=Tape(**tape),
        own_seats=all_(4), rival_seats=all_(4),
    )  # fmt: skip


def moved(obs: TraderView, how) -> TraderView:
    """With `how` applied to every price; where nobody traded there is none."""
    tape = obs.tape._replace(**{name: how(getattr(obs.tape, name)) for name in PRICES})
    tape = tape._replace(price=np.where(tape.sale, tape.price, np.float32(0)))
    own = {name: how(getattr(obs, name)) for name in ("limit", "tokens", "low", "high", "cap")}
    return obs._replace(**own, tape=tape)


@functools.partial(jax.jit, static_argnums=0)
def _tell(treedef, leaves, obs, keys):
    rule = jax.tree.unflatten(treedef, leaves)

    def one(key, story):
        memory = rule.reset(rng.fold(key, 0), ())

        def tick(memory, at):
            t, seen = at
            order, memory = rule.quote(rng.fold(key, 1, t), memory, seen)
            return memory, order

        return jax.lax.scan(tick, memory, (jnp.arange(TICKS), story))[1]

    return jax.vmap(one)(keys, obs)


def told(rule, obs):
    """Quotes and reserves, [stories, ticks] each."""
    leaves, treedef = jax.tree.flatten(rule)
    return [np.asarray(x) for x in _tell(treedef, leaves, obs, jax.random.split(rng.key(3), STORIES))]


def name(rule):
    return type(rule).__name__ + (f" {rule.estimate}" if isinstance(rule, traders.PriceTaker) else "")


every = pytest.mark.parametrize("rule", TRADERS, ids=name)


@every
def test_it_is_never_lost_for_a_number_and_says_different_things(rule):
    """Else the tests below would compare silence with silence."""
    price, reserve = told(rule, stories())
    assert not np.isnan(price).any() and not np.isnan(reserve).any()
    assert len(np.unique(price[np.isfinite(price)])) > 10


@every
def test_prices_of_twice_the_unit_are_answered_with_twice_the_price(rule):
    """Exactly: doubling loses nothing in floating point."""
    double = moved(stories(), lambda x: 2 * x)._replace(tick=2 * stories().tick)
    for plain, doubled in zip(told(rule, stories()), told(rule, double), strict=True):
        np.testing.assert_array_equal(doubled, 2 * plain)


@every
def test_prices_counted_from_elsewhere_are_answered_from_there(rule):
    shifted = moved(stories(), lambda x: x + np.float32(300))
    pairs = list(zip(told(rule, stories()), told(rule, shifted), strict=True))
    if type(rule) in IN_PERCENT:
        alike = all(np.allclose(y, x + 300, atol=1e-2) for x, y in pairs)
        assert not alike, f"{name(rule)} is no exception, though {IN_PERCENT[type(rule)]}"
        return
    for plain, other in pairs:
        if isinstance(rule, MAXIMISERS):
            far = ~np.isclose(other, plain + 300, atol=2e-3, rtol=0)
            assert far.mean() < 1e-3 and (np.abs(other[far] - plain[far] - 300) <= 1.0).all()
            continue
        np.testing.assert_allclose(other, plain + 300, atol=2e-3, rtol=0)


@every
def test_a_seller_says_what_the_buyer_in_the_mirror_says(rule):
    """p becomes low + high - p; in own coordinates all prices are low + high less."""
    mirror = moved(stories(), lambda x: x - np.float32(LOW + HIGH))._replace(side=-stories().side)
    for buyer, seller in zip(told(rule, stories()), told(rule, mirror), strict=True):
        np.testing.assert_allclose(seller, buyer - (LOW + HIGH), atol=1e-3)


@pytest.mark.parametrize("rule", REFLECTED, ids=lambda rule: rule.__name__)
def test_by_default_a_share_is_one_of_the_actual_price(rule):
    """A buyer says the same in either setting. A seller in the mirror does not, unless it reflects prices."""
    mirror = moved(stories(), lambda x: x - np.float32(LOW + HIGH))._replace(side=-stories().side)
    for buyer, same in zip(told(rule(), stories()), told(rule(reflected=True), stories()), strict=True):
        np.testing.assert_array_equal(buyer, same)
    assert not np.allclose(told(rule(), mirror)[0], told(rule(reflected=True), mirror)[0], atol=1e-3)


@every
def test_the_order_of_seats_does_not_matter(rule):
    order = np.array([2, 0, 3, 1])
    tape, seat = stories().tape, np.append(np.argsort(order), -1).astype(np.int32)
    shuffled = tape._replace(
        bids=tape.bids[..., order], asks=tape.asks[..., order], bidder=seat[tape.bidder], asker=seat[tape.asker]
    )
    for plain, other in zip(told(rule, stories()), told(rule, stories()._replace(tape=shuffled)), strict=True):
        np.testing.assert_allclose(other, plain, atol=1e-3)


@every
def test_what_it_does_not_need_may_be_hidden(rule):
    hidden = {name: None for name in Tape._fields if name not in rule.needs}
    blind = stories()._replace(tape=stories().tape._replace(**hidden))
    for plain, other in zip(told(rule, stories()), told(rule, blind), strict=True):
        np.testing.assert_array_equal(other, plain)


@every
@pytest.mark.parametrize("tick", [0.0, 1.0])
def test_without_units_it_has_nothing_to_say(rule, tick):
    obs = stories()
    none = np.full_like(obs.limit, -np.inf)
    idle = obs._replace(limit=none, tokens=np.full_like(obs.tokens, -np.inf), left=0 * obs.left, traded=0 * obs.traded)
    price, reserve = told(rule, idle._replace(tick=np.full_like(obs.tick, tick)))
    if not isinstance(rule, traders.ZIU):  # which does not look at its limit
        assert not np.isfinite(price).any() and (reserve == -np.inf).all()


# Seats of a market.

VALUES = np.array([[754, 722, 692, 681], [760, 708, 705, 678], [761, 717, 690, 689], [751, 719, 702, 691]], np.float32)
COSTS = np.array([[651, 662, 681, 779], [667, 675, 684, 776], [646, 659, 680, 788], [663, 665, 693, 774]], np.float32)
ORDER = np.array([1, 3, 0, 2])


def profits(rule, values, costs, copies):
    """[copies, buyers and sellers], of two periods."""
    game = aurora("SHRT", tokens=Fixed(values, costs), periods=2)
    play = Play(game, Population([Group(r.name, None, rule) for r in game.roles]), length=game.length, copies=copies)
    series = run(play, rng.key(4), 1, (Profit(),)).series
    return np.stack([np.asarray(series[f"{side}_profit"])[0] for side in ("buyer", "seller")], axis=1)


@pytest.mark.parametrize("rule", [traders.TruthTeller(), traders.Markup(), traders.Gamer()], ids=name)
def test_where_none_quote_alike_seats_that_change_places_change_profits(rule):
    plain = profits(rule, VALUES, COSTS, 4)
    assert plain.any()
    np.testing.assert_array_equal(profits(rule, VALUES[ORDER], COSTS[ORDER], 4), plain[..., ORDER])


@pytest.mark.parametrize(
    "rule",
    [traders.Kaplan(), traders.KaplanPort(), traders.EasleyLedyard(), traders.Staecker(), traders.PriceTaker()],
    ids=name,
)
def test_where_they_quote_alike_and_a_draw_decides_they_change_mean_profits(rule):
    plain, other = profits(rule, VALUES, COSTS, 400), profits(rule, VALUES[ORDER], COSTS[ORDER], 400)
    plain, n = plain[..., ORDER], len(plain)
    error = np.sqrt((plain.var(axis=0) + other.var(axis=0)) / n)
    assert plain.any() and (np.abs(plain.mean(axis=0) - other.mean(axis=0)) <= 4.5 * error + 1e-3).all()
