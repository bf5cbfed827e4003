"""The treatments: what each market is, tokens and learners in common, tables of effects, what is read and shown."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from doctored import verdicts_by_name
from invented import Invented, noisy

from catallax.core import InputError, rng, run
from catallax.experiments.double_auction.effects import (
    OUTCOMES,
    Comparison,
    adjusted_effects,
    arms_of,
    less,
    path,
    sample,
)
from catallax.experiments.double_auction.treatments import (
    CLAIMS,
    MEASURES,
    QUICK,
    TREATMENTS,
    Settings,
    cells,
    control,
    experiment,
    report,
)
from catallax.games.double_auction import (
    InelasticSupply,
    KeptDraw,
    NormalTokens,
    Order,
    TraderView,
    WithoutTape,
    ZeroDisclosure,
    competitive_equilibrium,
    linear_quote,
    linear_quote_or_none,
    memoryless_market,
)
from catallax.lab.claims import judge_all

pytestmark = pytest.mark.compile_effort("least")

KEYS = jax.random.split(rng.key(4), 300)


def drawn(tokens, buyers=4, sellers=4):
    return jax.vmap(lambda key: tokens.draw(key, buyers, sellers))(KEYS)


# Tokens.


def test_inelastic_supply_is_vertical_where_demand_has_more_units():
    """Eight units at 50 for sixteen buyers' units: the price lies between the ninth and the eighth highest value."""
    values, costs = drawn(InelasticSupply(NormalTokens(), 50.0, 2))
    np.testing.assert_array_equal(values, drawn(NormalTokens())[0])
    assert (costs[..., :2] == 50).all() and np.isinf(costs[..., 2:]).all()
    ce = jax.vmap(competitive_equilibrium)(values, costs)
    ranked = -np.sort(-np.asarray(values).reshape(len(KEYS), -1), axis=1)
    np.testing.assert_array_equal(ce.quantity, 8)
    np.testing.assert_allclose(ce.high, ranked[:, 7])
    np.testing.assert_allclose(ce.low, np.maximum(ranked[:, 8], 50.0))


def test_a_kept_draw_is_the_same_in_all_rounds_and_another_for_another_number():
    one, again, other = (drawn(KeptDraw(NormalTokens(), n))[0] for n in (1, 1, 2))
    assert (one == one[:1]).all() and (one == again).all() and not (one == other).any()
    for values in (np.asarray(one[0]), np.asarray(other[0])):
        assert (np.diff(values, axis=1) <= 0).all() and 60 < values.mean() < 100


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: InelasticSupply(NormalTokens(units=2), supplied=3), "supplied is 3, traders have at most 2 units"),
        (lambda: InelasticSupply(NormalTokens(), supplied=0), "supplied must be an integer of at least 1"),
        (lambda: InelasticSupply(NormalTokens(), cost=float("nan")), "cost must be finite"),
        (lambda: InelasticSupply(NormalTokens(), cost=[50.0, 60.0]), "cost must be finite, one number"),
        (lambda: KeptDraw(NormalTokens(), 1.5), "number must be an integer, got 1.5"),
        (lambda: KeptDraw(NormalTokens(), float("nan")), "number must be an integer, got nan"),
    ],
)
def test_tokens_that_cannot_be_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


# How learners speak and see.


@pytest.mark.parametrize(("role", "silent"), [("buyer", -1.01), ("seller", 1.01)])
def test_an_action_beyond_the_least_generous_price_says_nothing(role, silent):
    obs = jax.tree.map(lambda x: x[0], memoryless_market().observe(memoryless_market().init(rng.key(0)))[role])
    for action in (-1.0, -0.3, 1.0, -silent):
        assert linear_quote_or_none(obs, jnp.float32(action)) == linear_quote(obs, jnp.float32(action))
    order = linear_quote_or_none(obs, jnp.float32(silent))
    assert order.price == -jnp.inf and order.reserve == obs.limit


def test_without_the_tape_full_disclosure_looks_like_none():
    full, none = (t.market() for t in TREATMENTS if t.name in ("base", "none"))
    key, quotes = (
        rng.key(3),
        {r: Order(jnp.full(4, 60.0 * s), jnp.full(4, 60.0 * s)) for r, s in (("buyer", 1), ("seller", -1))},
    )
    views = []
    for game in (full, none):
        world, _ = game.step(key, game.init(key), quotes)
        views.append(jax.tree.map(lambda x: x[1], game.observe(world)["seller"]))
    assert isinstance(views[0], TraderView) and WithoutTape().features(views[0]).shape == (28,)
    np.testing.assert_array_equal(WithoutTape()(views[0]), WithoutTape()(views[1]))


# The list of treatments.


def test_every_treatment_of_the_source_is_there_and_has_a_control():
    labels = " ".join(t.label for t in TREATMENTS)
    assert all(f"B{i} " in labels for i in range(1, 14))
    names = {cell.name for cell in cells(Settings())}
    assert all((t.control or t.name) + ".zic" in names for t in TREATMENTS)
    at = lambda scale: {cell.name for cell in experiment.build_cells(Settings(), scale)}
    assert at("paper") == names and at("quick") == {n for n in names if n.removesuffix(".zic") in QUICK}


def test_controls_that_are_shared_belong_to_markets_that_zero_intelligence_cannot_tell_apart():
    """What differs is the tape or the learner's discount: the rules of the game are the same."""
    markets = {t.name: t for t in TREATMENTS}
    plain = lambda game: jax.tree.leaves(replace(game, disclosure=ZeroDisclosure()))
    for t in TREATMENTS:
        if t.control is not None:
            lane = {name: values[0] for name, values in t.lanes.items()}
            assert plain(t.market(**lane)) == plain(markets[t.control].market())


# Effects.


def test_effects_are_paired_and_adjusted_over_the_whole_table():
    random = np.random.default_rng(0)
    shared = random.normal(size=12)
    first = Comparison("a", {o.name: shared + 1 + 0.01 * random.normal(size=12) for o in OUTCOMES})
    second = Comparison("b", {o.name: shared for o in OUTCOMES})
    lines = adjusted_effects([first, second, less("a - b", first, second)])
    assert len(lines) == 3 * len(OUTCOMES)
    net = [line for line in lines if line.label == "a - b"]
    assert all(abs(line.effect.estimate.mean - 1) < 0.02 and line.adjusted < 1e-6 for line in net)
    assert all(line.adjusted >= line.effect.p for line in lines)
    smallest = min(lines, key=lambda line: line.effect.p)
    assert smallest.adjusted == pytest.approx(15 * smallest.effect.p)


# What is played, read and shown.


def test_zero_intelligence_pays_a_fee_and_trades_as_without():
    """One phase of ten rounds: the same market but for the fee, which every legal quote pays."""
    treatments = {t.name: t for t in TREATMENTS}
    played = lambda name, **lane: run(control(treatments[name], **lane), rng.key(0), 2, MEASURES).series
    free, charged, base = played("fee", fee=0.0), played("fee", fee=0.5), played("base")
    for variable in ("surplus", "buyer_profit", "mad", "bids_named"):
        np.testing.assert_array_equal(free[variable], charged[variable])
    np.testing.assert_array_equal(free["buyer_profit"], base["buyer_profit"])
    named = charged["bids_named"] + charged["asks_named"]
    np.testing.assert_allclose(charged["revenue"], 0.5 * 4 * 16 * named, rtol=1e-5)
    assert (named > 0).any() and not free["revenue"].any()


@pytest.fixture(scope="module")
def results():
    """Invented results of scale quick."""
    lengths = {"copy": 10, "buyer": 4, "seller": 4, "trade": 5, "group": 2}
    return noisy(experiment, "quick", lambda cell: lengths, {"efficiency": 1.0})


def test_lanes_are_read_at_their_own_values(results):
    arms = arms_of(results, "fee", "fee")
    assert [arm.label for arm in arms] == ["fee 0", "fee 0.5"] and arms[1].name == "fee, fee = 0.5"
    assert [arm.label for arm in arms_of(results, "fee", "charge")] == ["charge, fee 0", "charge, fee 0.5"]
    profit = results.dataset("fee")["buyer_profit"].sum("buyer")
    for place, arm in enumerate(arms):
        mine = profit.isel(fee=place)
        np.testing.assert_allclose(path(results, arm, "buyer_profit"), mine.values.reshape(10, -1), rtol=1e-6)
        last = mine.isel(phase=slice(-10, None)).mean(("phase", "copy"))
        np.testing.assert_allclose(sample(results, arm, "buyer_profit"), last, rtol=1e-9)
    assert (sample(results, arms[0], "buyer_profit") != sample(results, arms[1], "buyer_profit")).all()


def test_the_report_of_a_scale_without_all_treatments(results):
    made = report(results)
    tables = {t.name: t.frame for t in made.tables}
    assert (
        len(tables["learners"]) == 6
        and len(tables["disclosure"]) == 3
        and len(tables["rules"]) == len(tables["rules_net"]) == 2
    )
    numbers = tables["disclosure_numbers"]
    assert len(numbers) == 3 * len(OUTCOMES) and (numbers["p_holm"] >= numbers["p"]).all()
    for figure in made.figures:
        assert len(figure.render().svg) > 1000


def test_claims_are_read_from_the_cells_that_they_name(results):
    """Without disclosure prices are made to lie nearer to the competitive one: one verdict changes with it."""
    part = "disclosure/full.deviation"
    before = verdicts_by_name(judge_all(CLAIMS, results))
    assert before[part].verdict != "reproduced"
    nearer = dict(results._datasets)
    nearer["none"] = nearer["none"].assign(mad=nearer["none"]["mad"] - 1.0)
    judged = judge_all(CLAIMS, Invented(experiment, "quick", nearer))
    after = verdicts_by_name(judged)
    assert not judged.failed and after[part].ours == pytest.approx(1.0, abs=0.01)
    assert after[part].note.startswith("The source trains for 5,000 rounds")
    assert "the interval lies on the stated side" in after[part].note
    changed = {id for id in after if after[id].ours != before[id].ours}
    assert changed == {part, "disclosure/reduced.deviation"}
