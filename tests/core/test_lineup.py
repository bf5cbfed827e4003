"""Many line-ups in one program: every rule says in its places what it would say anywhere, and worlds are replayed."""

import jax
import numpy as np
import pytest

from catallax.agents.deep import Reinforce
from catallax.agents.traders import ZIC, ZIP, Kaplan, Skeleton, TruthTeller
from catallax.core import AbstractMeasure, BuildError, Group, Lineup, Play, Population, Variable, replicate, rng, run
from catallax.games.double_auction import ReducedDisclosure, SingleRole, ZeroDisclosure, aurora, standard_interface

as_for_users = pytest.mark.compile_effort("full")

RULES = (ZIC(), Kaplan(), ZIP(), Skeleton())
SEATING = np.array([[1, 0, 0], [1, 1, 2], [1, 0, 2], [1, 3, 0], [1, 1, 0], [1, 3, 2], [1, 2, 2], [1, 2, 0]])
"""Eight seats, three line-ups: all alike, four rules, two rules."""


class Everything(AbstractMeasure):
    """The tokens and all events of a phase."""

    every: int = 1

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(Variable(name, ("copy",), "1", name) for name in ("values", "price", "bids", "asks", "seller"))

    def __call__(self, dynamics, state, record, t):
        info = record.info
        seen = dict(price=info.price, bids=info.bids, asks=info.asks, seller=info.seller)
        return {"values": record.first.values} | seen


def market(**changes):
    return SingleRole(aurora("SHRT", steps=12, periods=2, **changes))


def played(groups, copies=1, copies_per_draw=1, game=None):
    game = game or market()
    play = Play(game, Population(groups), length=game.length, copies=copies, copies_per_draw=copies_per_draw)
    return run(play, rng.key(7), 3, (Everything(),)).series


@pytest.fixture(scope="module")
def together():
    return played([Group("trader", None, Lineup(RULES, SEATING))], copies=3, copies_per_draw=3)


@pytest.mark.parametrize("column", [1, 2])
@as_for_users
def test_a_line_up_among_others_is_the_market_it_is_alone(together, column):
    """The oracle is the ordinary population, a group for each rule, in the only copy of an ordinary play."""
    numbers = SEATING[:, column]
    groups = [Group("trader", np.flatnonzero(numbers == k), RULES[k]) for k in np.unique(numbers)]
    for name, alone in played(groups).items():
        np.testing.assert_array_equal(together[name][:, column], alone[:, 0], err_msg=name)


@as_for_users
def test_replications_side_by_side_are_the_runs_one_by_one(together):
    """Under the batching of replications too the rules' own numbers (here ZIP's) are arguments."""
    game = market()
    seated = Group("trader", None, Lineup(RULES, SEATING))
    play = Play(game, Population([seated]), length=game.length, copies=3, copies_per_draw=3)
    side = replicate(play, jax.random.split(rng.key(7), 2).at[1].set(rng.key(7)), 3, (Everything(),)).series
    for name, alone in together.items():
        np.testing.assert_array_equal(side[name][1], alone, err_msg=name)


@as_for_users
def test_line_ups_differ_and_trade(together):
    traded = np.asarray(together["seller"]) >= 0
    assert (traded.any(axis=(0, 2))).all()
    assert not np.array_equal(together["price"][:, 0], together["price"][:, 1])


def test_replays_share_tokens_and_draws_and_only_those():
    """Two draws of the world, each replayed three times, are copies 0 and 1 of an ordinary play."""
    table = np.tile(SEATING, 2)
    twice = played([Group("trader", None, Lineup(RULES, table))], copies=6, copies_per_draw=3)
    values = np.asarray(twice["values"]).reshape(3, 2, 3, 4, 4)
    np.testing.assert_array_equal(values, np.broadcast_to(values[:, :, :1], values.shape))
    assert not np.array_equal(values[:, 0], values[:, 1])
    ordinary = played([Group("trader", None, Kaplan())], copies=2)
    for name, alone in ordinary.items():
        np.testing.assert_array_equal(np.asarray(twice[name])[:, ::3], alone, err_msg=name)


def test_swapping_two_names_of_one_rule_changes_nothing():
    pair = np.array([[0, 1], [1, 0]] * 4)
    seen = played([Group("trader", None, Lineup((ZIP(), ZIP()), pair))], copies=2, copies_per_draw=2)
    for name, values in seen.items():
        np.testing.assert_array_equal(values[:, 0], values[:, 1], err_msg=name)


def test_pooling_the_sides_leaves_the_market_as_it_is():
    """Truth-tellers draw nothing, so what is left of chance is the market's."""
    game = aurora("SHRT", steps=12, periods=2, buyers=3, sellers=5)
    apart = played([Group(role, None, TruthTeller()) for role in ("buyer", "seller")], game=game)
    pooled = played([Group("trader", None, TruthTeller())], game=SingleRole(game))
    for name, values in apart.items():
        np.testing.assert_array_equal(values, pooled[name], err_msg=name)


def test_pooling_does_not_change_how_many_sit_on_a_side():
    """Lists of quotes are filled up to the longer side's; the numbers of seats are the market's."""
    game = aurora("SHRT", buyers=3, sellers=5)
    world = game.init(rng.key(0))
    apart, pooled = game.observe(world), SingleRole(game).observe(world)["trader"]
    for name in ("own_seats", "rival_seats"):
        sides = np.concatenate([getattr(apart[side], name) for side in ("buyer", "seller")])
        np.testing.assert_array_equal(getattr(pooled, name), sides)
    assert pooled.own_seats.tolist() == [3] * 3 + [5] * 5 and pooled.rival_seats.tolist() == [5] * 3 + [3] * 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lineup((), SEATING), "at least one rule"),
        (lambda: Lineup(RULES, SEATING[0]), r"\[seats, copies\]"),
        (lambda: Lineup(RULES, SEATING + 0.5), "table of integers"),
        (lambda: Lineup(RULES, SEATING + 1), "names the rules 1..4; there are 0..3"),
        (lambda: Lineup(RULES, SEATING - 1), "names the rules -1..2"),
        (lambda: played([Group("trader", None, Lineup(RULES, SEATING))], copies=2), "8 seats in 3 copies"),
        (lambda: played([Group("trader", None, Lineup(RULES, SEATING[:6]))], copies=3), "6 rules were given for 8"),
        (
            lambda: played([Group("trader", None, Kaplan())], copies=3, copies_per_draw=2),
            "no multiple of copies_per_draw = 2",
        ),
        (
            lambda: played([Group("trader", None, Kaplan())], copies_per_draw=0),
            "copies_per_draw must be an integer of at least 1",
        ),
        (
            lambda: played([Group("trader", None, Lineup((Reinforce(),), 0 * SEATING), standard_interface())], 3),
            "Reinforce keeps a state",
        ),
        (
            lambda: played(
                [Group("trader", None, Lineup(RULES, SEATING))], 3, game=market(disclosure=ZeroDisclosure())
            ),
            "Kaplan needs bid",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_words(make, message):
    with pytest.raises(BuildError, match=message):
        make()


def test_a_rule_that_sits_nowhere_costs_nothing_and_is_still_asked_whether_it_fits():
    table = np.zeros((8, 2), int)
    seen = played([Group("trader", None, Lineup(RULES, table))], copies=2, copies_per_draw=2)
    alone = played([Group("trader", None, ZIC())])
    np.testing.assert_array_equal(seen["price"][:, :1], alone["price"])
    with pytest.raises(BuildError, match="ZIP needs"):
        played([Group("trader", None, Lineup(RULES, table))], 2, game=market(disclosure=ReducedDisclosure()))


def test_a_seating_is_part_of_the_program_and_not_an_argument():
    control = Lineup(RULES, SEATING)
    assert hash(control.places) and not [x for x in jax.tree.leaves(control) if x.ndim > 0]
