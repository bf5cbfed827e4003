"""The learners' experiment: its nine markets are what they are said to be, and are read where they are."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from invented import noisy

from catallax.agents.deep import ActorCritic
from catallax.agents.traders import ZIC, TruthTeller
from catallax.agents.wrappers import Frozen
from catallax.core import Group, Independent, Play, PlayState, Population, rng
from catallax.experiments.double_auction import learners
from catallax.experiments.double_auction.learners import (
    CLAIMS,
    OTHERS,
    Settings,
    entrant_rounds,
    experiment,
    gain,
    profit,
)
from catallax.experiments.double_auction.trials import MARKETS, MIXED, NAMES, trials
from catallax.games.double_auction import FullDisclosure, memoryless_market, standard_interface
from catallax.lab.claims import judge_all
from catallax.lab.experiment import Scale

pytestmark = pytest.mark.compile_effort("least")

RULE = ActorCritic(widths=(4,), rate=0.02, reward_scale=0.01)
GAME = memoryless_market(disclosure=FullDisclosure())
KINDS = tuple(learners.LEARNERS)


@pytest.fixture(scope="module")
def lived():
    """States before phases 0, ..., 6 of a small trial, and what happened in them."""
    dynamics, key = trials(GAME, RULE, standard_interface()), rng.key(3)
    step = eqx.filter_jit(lambda state, t: dynamics.step(key, state, t))
    states, records = [dynamics.init(key)], []
    for t in range(7):
        state, record = step(states[-1], jnp.int32(t))
        states.append(state)
        records.append(record)
    return key, states, records


def played(*groups):
    return Play(GAME, Population(groups), length=GAME.length, copies=10)


def events(record, market):
    """What happened in one market, as plain arrays."""
    return jax.tree.map(lambda x: np.asarray(x[NAMES.index(market)]), record.info)


def same(ours, theirs):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-3), ours, theirs)


def step_of(play, key, t, agents=None):
    state = play.init(key)
    state = state if agents is None else PlayState(state.worlds, state.memories, agents)
    return eqx.filter_jit(play.step)(key, state, jnp.int32(t))


@pytest.mark.parametrize(("market", "rule"), [("zero", ZIC()), ("truthful", TruthTeller())])
def test_scripted_markets_are_those_of_plain_play(lived, market, rule):
    key, _, records = lived
    plain = played(Group("buyer", None, rule), Group("seller", None, rule))
    same(events(records[2], market), step_of(plain, key, 2)[1].info)


def test_where_all_learn_they_learn_as_in_plain_play(lived):
    key, states, records = lived
    plain = played(*(Group(r.name, None, RULE, standard_interface()) for r in GAME.roles))
    after, record = step_of(plain, key, 3, states[3].every)
    same(events(records[3], "all"), record.info)
    same(states[4].every, after.agents)


def test_one_learner_a_side_learns_as_in_plain_play(lived):
    key, states, records = lived
    groups = []
    for r in GAME.roles:
        groups += [Group(r.name, [0], RULE, standard_interface()), Group(r.name, [1, 2, 3], ZIC())]
    first = lambda tree: jax.tree.map(lambda x: x[None], tree)
    after, record = step_of(played(*groups), key, 5, (first(states[5].one[0]), (), first(states[5].one[1]), ()))
    same(events(records[5], "one"), record.info)
    same(first(states[6].one[0]), after.agents[0])
    same(first(states[6].one[1]), after.agents[2])


def test_frozen_learners_play_elsewhere_what_they_had_learnt(lived):
    key, states, records = lived
    buyer, seller = (Frozen(RULE, state) for state in states[5].one)
    mixed = []
    for role, statue in (("buyer", buyer), ("seller", seller)):
        mixed += [Group(role, [0], statue, standard_interface()), Group(role, [1, 2, 3], TruthTeller())]
    same(events(records[5], "among_truthful"), step_of(played(*mixed), key, 5)[1].info)
    kind = played(
        Group("buyer", None, buyer, standard_interface()), Group("seller", None, seller, standard_interface())
    )
    same(events(records[5], "own_kind"), step_of(kind, key, 5)[1].info)


def test_populations_are_frozen_at_powers_of_two_and_a_fresh_learner_comes(lived):
    _, states, _ = lived
    weights = lambda tree: np.asarray(tree.nets.policy.layers[0].weight)
    for t, since in ((1, 0), (2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (7, 4)):
        same(states[t].frozen, states[since].every)
    count = [int(s.entrant.optimiser.count) for s in states]
    assert count == [0, 1, 1, 1, 2, 1, 2, 3]  # learns in every phase, begins anew in phases 0, 1, 2 and 4
    begun, born = weights(states[5].entrant), weights(states[0].every[1])[0]  # it comes with seller 1's first weights
    assert 0 < np.abs(begun - born).max() < 0.03  # one step of Adam later
    assert all(np.abs(born - x).max() > 0.1 for x in weights(states[0].every[0]))


def test_the_entrant_meets_the_frozen_and_only_it_learns(lived):
    key, states, records = lived
    buyers, sellers = states[7].frozen
    row = lambda tree, i: jax.tree.map(lambda x: x[i], tree)
    statues = lambda tree, *seats: Independent.each([Frozen(RULE, row(tree, i)) for i in seats])
    groups = [Group("buyer", [0], RULE, standard_interface())]
    groups.append(Group("buyer", [1, 2, 3], statues(buyers, 1, 2, 3), standard_interface()))
    groups.append(Group("seller", None, statues(sellers, 0, 1, 2, 3), standard_interface()))
    entrant = jax.tree.map(lambda x: x[None], states[6].entrant)
    after, record = step_of(played(*groups), key, 6, (entrant, (), ()))
    same(events(records[6], "entrant"), record.info)
    same(after.agents[0], jax.tree.map(lambda x: x[None], states[7].entrant))


def test_the_deviant_bids_its_value_and_is_answered_after_the_first_tick(lived):
    _, _, records = lived
    all_, deviant = events(records[4], "all"), events(records[4], "deviant")
    np.testing.assert_array_equal(deviant.bids[:, 0, 1:], all_.bids[:, 0, 1:])
    np.testing.assert_array_equal(deviant.asks[:, 0], all_.asks[:, 0])
    values = np.asarray(records[4].first.values[NAMES.index("deviant"), :, 0, 0])
    np.testing.assert_array_equal(deviant.bids[:, 0, 0], values)
    assert not np.array_equal(deviant.bids[:, 1:, 1:], all_.bids[:, 1:, 1:])


def test_the_mixed_population_shares_tokens_with_the_control(lived):
    key, _, records = lived
    kept = {"baseline": learners.LEARNERS["baseline"]._replace(rule=lambda: RULE)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "LEARNERS", kept)
        patch.setattr(learners, "MIXED", ("baseline",) * 4)
        play = learners.mixed(Settings())
    first = step_of(play, key, 2)[1].first
    for name in ("values", "costs"):
        zero = getattr(records[2].first, name)[NAMES.index("zero")]
        np.testing.assert_array_equal(np.asarray(getattr(first, name)), np.asarray(zero))


@pytest.fixture(scope="module")
def results():
    """Invented profits of eight phases and two replications, at scale paper: with the mixed population."""
    small = Scale(steps=8, replications=2, block=2, chunk=8)
    tiny = replace(experiment, scales={"quick": small, "paper": small})
    sizes = {"market": len(MARKETS), "copy": 10, "buyer": 4, "seller": 4, "tick": 16, "group": 2}
    return noisy(tiny, "paper", lambda cell: sizes, {})


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    names = [t.name for t in report.tables]
    assert names == ["profits", "markets", "frozen_elsewhere", "exploitability", "deviations", "speeds"]
    seatless = report.tables[0].frame["mixed population"] == "no seat"  # two sides of each kind
    assert list(seatless) == [name not in MIXED for name in KINDS for _ in range(2)]
    assert "lower bound on exploitability" in report.tables[3].caption.lower()
    for figure in report.figures:
        drawing = figure.render()
        assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) > 10


def test_gains_are_paired_differences_of_the_last_rounds(results):
    assert entrant_rounds(results) == (40, 10)
    profits = results.dataset("baseline")["buyer_profit"].values  # replicate, phase, market, copy, buyer
    by_hand = profits[:, -1, NAMES.index("entrant"), :, 0] - profits[:, -1, NAMES.index("frozen"), :, 0]
    table = next(t for t in experiment.report(results).tables if t.name == "exploitability").frame
    row = list(table["frozen population"]).index("REINFORCE, baseline")
    assert table["gain"][row] == pytest.approx(by_hand.mean(), rel=1e-5)
    one, zero = (profits[:, :, NAMES.index(name), :, 1:].mean(axis=(1, 2, 3)) for name in ("one", "zero"))
    np.testing.assert_allclose(gain("baseline", "one", "buyer", OTHERS)(results), one - zero, rtol=1e-6)
    mixed = results.dataset("mixed")["seller_profit"].values[..., 2].mean(axis=(1, 2))
    np.testing.assert_allclose(profit("mixed", None, "seller", slice(2, 3))(results), mixed, rtol=1e-9)


def test_the_run_at_scale_quick_is_judged_and_its_markets_share_tokens(quick_run):
    results = quick_run("double_auction.learners")
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    surplus = results.dataset("baseline")["maximum_surplus"].values  # replicate, phase, market, copy
    np.testing.assert_allclose(surplus, np.broadcast_to(surplus[:, :, :1], surplus.shape), rtol=1e-6)
    np.testing.assert_allclose(surplus, results.dataset("table")["maximum_surplus"].values, rtol=1e-6)


def test_every_cell_can_be_built():
    for cell in experiment.build_cells(Settings()):
        cell.build()
