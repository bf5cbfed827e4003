"""The treatments: what each market is, tokens and learners in common, tables of effects, and a tiny run end to end."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError, rng
from catallax.experiments.double_auction.effects import (
    OUTCOMES,
    Arm,
    Comparison,
    Outcome,
    arms_of,
    effect_lines,
    less,
    sample,
)
from catallax.experiments.double_auction.treatments import QUICK, TREATMENTS, Settings, cells, experiment
from catallax.experiments.double_auction.treatments_report import report
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
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale

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
    lines = effect_lines([first, second, less("a - b", first, second)])
    assert len(lines) == 3 * len(OUTCOMES)
    net = [line for line in lines if line.label == "a - b"]
    assert all(abs(line.effect.estimate.mean - 1) < 0.02 and line.adjusted < 1e-6 for line in net)
    assert all(line.adjusted >= line.effect.p for line in lines)
    smallest = min(lines, key=lambda line: line.effect.p)
    assert smallest.adjusted == pytest.approx(15 * smallest.effect.p)


# A tiny run.


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    tiny = replace(
        experiment, scales={**experiment.scales, "quick": Scale(steps=2, replications=10, block=10, chunk=2)}
    )
    return execute(tiny, Settings(), "quick", 0, tmp_path_factory.mktemp("treatments") / "run")


def test_zero_intelligence_pays_a_fee_and_trades_as_without(results):
    free, charged = (Arm("fee.zic", "", {"fee": x}) for x in (0.0, 0.5))
    for variable in ("surplus", "buyer_profit", "mad", "bids_named"):
        np.testing.assert_array_equal(sample(results, free, variable), sample(results, charged, variable))
    np.testing.assert_array_equal(
        sample(results, free, "buyer_profit"), sample(results, Arm("base.zic", ""), "buyer_profit")
    )
    revenue = sample(results, charged, "revenue")
    named = sample(results, charged, "bids_named") + sample(results, charged, "asks_named")
    np.testing.assert_allclose(revenue, 0.5 * 4 * 16 * named, rtol=1e-5)
    assert not sample(results, free, "revenue").any()


def test_lanes_are_read_at_their_own_values(results):
    arms = arms_of(results, "fee", "fee")
    assert [arm.label for arm in arms] == ["fee 0", "fee 0.5"] and arms[1].name == "fee, fee = 0.5"
    assert [arm.label for arm in arms_of(results, "fee", "charge")] == ["charge, fee 0", "charge, fee 0.5"]
    profit = results.dataset("fee")["buyer_profit"]
    last = profit.isel(phase=slice(-10, None)).mean(("phase", "copy")).sum("buyer").sel(fee=0.5)
    np.testing.assert_allclose(sample(results, arms[1], "buyer_profit"), last, rtol=1e-4)


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
    assert isinstance(OUTCOMES[0], Outcome)
    for figure in made.figures:
        assert len(figure.render().svg) > 1000
