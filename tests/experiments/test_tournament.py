"""The tournament: balanced line-ups, payoffs that add up, symmetry under renaming, and what is refused."""

import numpy as np
import pytest
import xarray
from invented import Invented

from catallax.agents.traders import ZIP, Skeleton
from catallax.core import FileError, Group, InputError, Lineup, Play, Population, rng, run
from catallax.experiments.double_auction import tournament_design as design
from catallax.experiments.double_auction.seatings import CIRCLES, half, line_ups
from catallax.experiments.double_auction.tournament import CLAIMS, experiment
from catallax.experiments.double_auction.tournament_design import (
    Payoffs,
    Settings,
    environments_of,
    line_ups_of,
    market,
    traders_of,
)
from catallax.games.double_auction.environments import ENVIRONMENTS
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.settings import decode_settings
from catallax.measures.double_auction import EquilibriumProfit, Profit

# Line-ups.

SIZES = [(2, 4, 4), (3, 6, 2), (5, 2, 2), (12, 4, 4), (16, 2, 6), (3, 3, 5)]


@pytest.mark.parametrize(("n", "buyers", "sellers"), SIZES)
def test_pairs_are_balanced(n, buyers, sellers):
    """Over the two markets of a pair each rule sits in every seat once; even sides are split in equal parts."""
    ups, halves = line_ups(n, buyers, sellers), half(buyers, sellers)
    for i in range(n):
        for j in range(n):
            for h in (0, 1):
                seats = ups.table[:, ups.pairs[i, j, h]]
                assert (seats[halves == h] == i).all() and (seats[halves != h] == j).all()
                for side in (seats[:buyers], seats[buyers:]):
                    assert i == j or abs((side == i).sum() - (side == j).sum()) == len(side) % 2
            np.testing.assert_array_equal(ups.pairs[i, j], ups.pairs[j, i, ::-1])
            if i != j:
                both = ups.table[:, ups.pairs[i, j]]
                assert ((both == i).sum(axis=1) == 1).all() and ((both == j).sum(axis=1) == 1).all()
        np.testing.assert_array_equal(ups.pairs[i, i], [ups.alone[i]] * 2)
        assert (ups.table[:, ups.alone[i]] == i).all()


@pytest.mark.parametrize(("n", "buyers", "sellers"), SIZES)
def test_in_the_free_for_all_every_rule_sits_in_every_seat_equally_often(n, buyers, sellers):
    ups = line_ups(n, buyers, sellers)
    field = ups.table[:, ups.field]
    for i in range(n):
        assert ((field == i).sum(axis=1) == CIRCLES).all()
    largest = max(np.bincount(column, minlength=n).max() for column in field.T)
    assert largest == -(-(buyers + sellers) // n)  # as few doubles in a market as can be


@pytest.mark.parametrize(("n", "buyers", "sellers"), SIZES)
def test_an_intruder_sits_alone_once_on_each_side(n, buyers, sellers):
    ups = line_ups(n, buyers, sellers)
    for i in range(n):
        for j in set(range(n)) - {i}:
            for side, seat in enumerate((0, buyers)):
                seats = ups.table[:, ups.intruders[i, j, side]]
                assert seats[seat] == i and (np.delete(seats, seat) == j).all()
    # every market has one number, and none is played for nothing
    named = np.concatenate([ups.alone, ups.pairs.ravel(), ups.intruders.ravel(), ups.field])
    assert set(named.tolist()) == set(range(ups.table.shape[1]))
    assert ups.table.shape[1] == n + n * (n - 1) + 2 * n * (n - 1) + CIRCLES * n


def test_intruders_may_be_left_out():
    full, less = line_ups(4, 4, 4), line_ups(4, 4, 4, intruders=False)
    assert less.table.shape[1] == full.table.shape[1] - 2 * 4 * 3
    np.testing.assert_array_equal(less.table[:, less.pairs], full.table[:, full.pairs])
    np.testing.assert_array_equal(less.table[:, less.field], full.table[:, full.field])
    np.testing.assert_array_equal(less.intruders[..., 0], np.tile(less.alone[:, None], 4))


def test_too_few_seats_or_rules_are_refused():
    for sides in ((1, 4), (4, 1)):
        with pytest.raises(InputError, match=r"at least 2 (buyers|sellers).*the market has 1"):
            line_ups(3, *sides)
    with pytest.raises(InputError, match="at least 2 traders, got 1"):
        line_ups(1, 4, 4)


# Payoffs.


SWAP = np.array([2, 1, 0])


@pytest.fixture(scope="module")
def namings():
    """Payoffs of one rule under two names (0 and 1) beside another (2), and of the same with the names 0 and 2
    exchanged: one replication in SHRT, both in one program, without the laboratory."""
    rules, draws = (ZIP(), ZIP(), Skeleton()), 3
    game, ups = market(Settings(), "SHRT"), line_ups(3, 4, 4)
    table = np.concatenate([ups.table, SWAP[ups.table]], axis=1)
    copies = table.shape[1]
    population = Population([Group("trader", None, Lineup(rules, table))])
    play = Play(game, population, length=game.length, copies=copies, copies_per_draw=copies)
    series = run(play, rng.key(3), draws, (Profit(), EquilibriumProfit())).series
    sides = [np.asarray(series[f"{side}_profit"], float).sum(axis=0) for side in ("buyer", "seller")]
    due = [np.asarray(series[f"{side}_due"], float)[:, 0].sum(axis=0) for side in ("buyer", "seller")]
    profit = np.concatenate(sides, axis=1).T[None]
    return [Payoffs(part, np.concatenate(due)[None], draws, ups, 4, 4) for part in np.split(profit, 2, axis=2)]


def test_one_rule_under_two_names_earns_the_same(namings):
    share, gain = design.pair_share(namings[0]), design.advantage(namings[0])
    np.testing.assert_allclose(share[:, 0, 1], share[:, 1, 0], rtol=1e-12)
    np.testing.assert_allclose(share[:, 0, 1], share[:, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(share[:, 0, 2], share[:, 1, 2], rtol=1e-12)
    assert gain[0, 0, 1] == gain[0, 1, 0] == 0.0 and gain[0, 2, 0] == gain[0, 2, 1] != 0.0


def test_renaming_the_rules_renames_their_payoffs(namings):
    """Numbers 0 and 2 exchanged: pairs and intruders follow their names."""
    for quantity in (design.pair_share, design.intruder_share, design.advantage):
        first, second = map(quantity, namings)
        np.testing.assert_allclose(second, first[:, SWAP][:, :, SWAP], rtol=1e-12)


# The experiment.


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The run at scale quick: four traders in SHRT."""
    return execute(experiment, Settings(), "quick", 0, tmp_path_factory.mktemp("tournament") / "run")


@pytest.fixture(scope="module")
def results():
    """Invented payoffs of three traders in two environments, of which SML has fewer traders. Markets of one rule alone
    realise what their traders earn."""
    settings = Settings(traders=("zic", "kaplan", "skeleton"), environments=("SHRT", "sml"))
    random, data = np.random.default_rng(0), {}
    for place in ("SHRT", "SML"):
        ups, auction = line_ups_of(settings, "quick", place), market(settings, place).auction
        seats = {"buyer": auction.buyers, "seller": auction.sellers}
        made, head = {}, ("replicate", "phase")
        for side, n in seats.items():
            made[f"{side}_profit"] = ((*head, "copy", side), random.uniform(size=(10, 2, ups.table.shape[1], n)))
            made[f"{side}_due"] = ((*head, "draw", side), random.uniform(1.0, 2.0, size=(10, 2, 1, n)))
        earned = sum(made[f"{side}_profit"][1].sum(axis=3) for side in seats)
        made["surplus"] = ((*head, "rule"), earned[:, :, ups.alone])
        most = sum(made[f"{side}_due"][1].sum(axis=3) for side in seats)
        made["maximum_surplus"] = ((*head, "rule"), most.repeat(3, axis=2))
        data[place] = xarray.Dataset(made)
    return Invented(experiment, "quick", data, settings)


@pytest.mark.parametrize(("run_of", "place"), [("quick", "SHRT"), ("results", "SHRT"), ("results", "SML")])
def test_shares_add_up_to_efficiency(run_of, place, request):
    """Conservation: what rules earned, in pairs and in the free-for-all, is the surplus that was realised."""
    results = request.getfixturevalue(run_of)
    p = design.payoffs(results, place)
    market_share = p.profit.sum(axis=1) / p.total[:, None]
    field = market_share[:, p.ups.field].mean(axis=1)
    np.testing.assert_allclose(design.field_share(p).mean(axis=1), field, rtol=1e-6)
    pairs = design.pair_share(p)
    both = market_share[:, p.ups.pairs].sum(axis=3)
    np.testing.assert_allclose(pairs + pairs.swapaxes(1, 2), both, rtol=1e-6)
    data = results.dataset(place)
    own = data["surplus"].values.sum(axis=1) / data["maximum_surplus"].values.sum(axis=1)
    np.testing.assert_allclose(np.diagonal(pairs, axis1=1, axis2=2), own, rtol=1e-4)
    assert (market_share <= 1 + 1e-6).all() and p.due.shape == (10, p.buyers + p.sellers)
    seats = p.profit.shape[1]
    np.testing.assert_allclose(
        design.field_profit(p).mean(axis=1) * seats * p.rounds, p.profit[:, :, p.ups.field].sum(axis=1).mean(axis=1)
    )


def test_a_share_of_a_pair_is_what_its_first_rule_earned(results):
    p = design.payoffs(results, "SML")
    for i, j in ((2, 0), (0, 2)):
        mine = [p.profit[:, p.ups.table[:, market] == i, market] for market in p.ups.pairs[i, j]]
        earned = np.concatenate(mine, axis=1).sum(axis=1)
        np.testing.assert_allclose(design.pair_share(p)[:, i, j], earned / p.total)


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    tables = {table.name: table.frame for table in report.tables}
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    ranking = tables["ranking"]
    assert list(ranking["share"]) == sorted(ranking["share"], reverse=True) and ranking["first_in"].sum() == 2
    assert set(ranking["trader"]) == {"zic", "kaplan", "skeleton"}
    assert ranking["dollars"].sum() == pytest.approx(1e4 * tables["markets"]["free_for_all"].mean())
    assert len(tables["environments"]) == 6 and len(tables["pairs"]) == 3 * 9 and len(tables["intruders"]) == 3 * 6
    assert set(tables["intruders"]["verdict"]) <= {"invades", "repelled", "undecided"}
    assert tables["replicator"]["end"].sum() == pytest.approx(1.0)
    for figure in report.figures:
        assert figure.render().png[:4] == b"\x89PNG"


def test_every_claim_is_judged_also_where_traders_and_environments_are_missing(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len({v.id for v in judged.verdicts}) == len(CLAIMS)
    verdicts = {v.id: v for v in judged.verdicts}
    assert verdicts["kaplan_first"].n == 10 and verdicts["ringuette_above_market"].n == 0
    assert verdicts["zi.eff_total"].verdict == "not comparable"  # two environments of ten


def test_defaults_by_scale():
    assert environments_of(Settings(), "paper") == ENVIRONMENTS
    quick, paper = (experiment.build_cells(Settings(), scale) for scale in ("quick", "paper"))
    assert len(paper) == 10 and len(quick) < 4
    assert "ziu" not in traders_of(Settings(), "paper")  # it pays all others, and hides how they do
    assert len(traders_of(Settings(), "paper")) > len(traders_of(Settings(), "quick")) >= 3
    scale = experiment.scales["paper"]
    assert 2 * scale.steps * scale.replications >= 200 and scale.replications >= 10


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"traders": '["zic", "kaplen"]'}, "no trader 'kaplen'; did you mean 'kaplan'"),
        ({"traders": '["zic"]'}, "at least 2 traders, got 1"),
        ({"traders": "[]"}, "at least 2 traders, got 0"),
        ({"traders": '["zic", "zip", "zic"]'}, "trader 'zic' is named twice"),
        ({"environments": '["BASE", "SHIRT"]'}, "did you mean SHRT"),
        ({"environments": '["BASE", "base"]'}, "environment 'BASE' is named twice"),
        ({"environments": "[]"}, "at least one environment"),
        ({"buyers": "0"}, "buyers must be an integer >= 1"),
    ],
)
def test_bad_settings_are_refused_in_a_line(pairs, message):
    with pytest.raises(InputError, match=message):
        decode_settings(experiment, pairs)


def test_a_market_with_one_seat_on_a_side_is_refused_before_anything_is_written(tmp_path):
    for side in ("buyers", "sellers"):
        with pytest.raises(InputError, match=f"at least 2 {side}.*the market has 1"):
            execute(experiment, decode_settings(experiment, {side: "1"}), "quick", 0, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_users_trader_joins_under_the_name_own(tmp_path):
    text = """from catallax.agents.traders import AbstractTrader
from catallax.games.double_auction import Order
class Mine(AbstractTrader):
    def quote(self, key, memory, obs):
        return Order(obs.limit - 5.0, obs.limit), memory
"""
    (tmp_path / "mine.py").write_text(text)
    settings = decode_settings(experiment, {"trader": str(tmp_path / "mine.py"), "traders": '["zic"]'})
    assert traders_of(settings, "paper") == ("zic", "own")
    assert experiment.build_cells(settings, "paper")[0].build().population.groups[0].control.rules[1].needs == ()
    (tmp_path / "mine.py").write_text("def (:\n")
    with pytest.raises(FileError, match="not valid Python"):
        execute(experiment, settings, "quick", 0, tmp_path / "run")
