"""Rules meet games: a rule plays, or says when it is built why it cannot.

Games have the same form if their seats see the same structure, dtypes and numbers of axes and have actions of the same
kind. A few games show every class of games and every form. Each learner is built in all of these, and played in the
first that it fits of each kind: markets are of one kind, whatever they disclose. The traders that fit a market are
played together, in one program. Under the lifts every rule is tried at home.
"""

import functools
import re
from collections.abc import Hashable

import jax
import numpy as np
import pytest

import zoo
from catallax.agents import traders
from catallax.agents.traders import ZIC, AbstractTrader
from catallax.core import (
    AbstractGame,
    CatallaxError,
    Discrete,
    Group,
    Independent,
    Joint,
    Lineup,
    NaNCount,
    Play,
    Population,
    Real,
    Shared,
    rng,
    run,
)
from catallax.games.double_auction.seats import ORDER

pytestmark = pytest.mark.compile_effort("least")  # much is compiled and little is run
TRADERS = [name for name in zoo.RULES if issubclass(getattr(traders, name, object), AbstractTrader)]
"""Rules that learn nothing and make orders."""
LEARNERS = [name for name in zoo.RULES if name not in TRADERS]
CHEAP = {zoo.class_of(name): seat for name, seat in zoo.AGENTS.items()}
"""Another seat of each class of rules, the last of its family's, where little is to be compiled."""


@functools.cache
def form(game: str) -> Hashable:
    """What a rule can tell of a game: what seats see and may do, without sizes."""
    world = zoo.GAMES[game]()
    seen = jax.eval_shape(lambda key: world.observe(world.init(key)), rng.key(0))
    kinds = {Discrete: "discrete", Real: "real"}
    action = lambda space: kinds.get(type(space)) or str(space)
    leaves = lambda role: tuple((x.dtype, x.ndim) for x in jax.tree.leaves(seen[role]))
    return frozenset((jax.tree.structure(seen[r.name]), leaves(r.name), action(r.action)) for r in world.roles)


@functools.cache
def cover() -> tuple[str, ...]:
    """Few games that show every class and every form."""
    left: dict[str, set[Hashable]] = {name: {zoo.class_of(name), form(name)} for name in zoo.GAMES}
    chosen: list[str] = []
    while any(left.values()):
        chosen.append(max(left, key=lambda name: len(left[name])))  # the first of those that show most
        shown = left[chosen[-1]]
        left = {name: what - shown for name, what in left.items()}
    return tuple(chosen)


def built(world: AbstractGame, rule: str, seat: zoo.Seat, lift: type, alone: bool = False) -> Play | None:
    """The rule, seeing and speaking as at home, two ticks a phase; None where it was refused by its name.

    It sits in all seats, or if it is `alone` in those of the first role, opposite traders of zero intelligence.
    """
    first, *rest = world.roles
    group = lambda role: Group(role.name, None, lift(seat.rule()), seat.interface())
    other = lambda role: Group(role.name, None, ZIC()) if alone and role.action == ORDER else group(role)
    try:
        return Play(world, Population([group(first), *map(other, rest)]), 2, copies=2)
    except CatallaxError as said:
        assert rule in str(said) and len(str(said)) > 40
        return None


def plays(play: Play | None) -> None:
    """Two phases without an action that is no number."""
    if play is not None:
        assert int(run(play, rng.key(0), 2, (NaNCount(),)).series["nan_actions"].sum()) == 0


@pytest.mark.parametrize("rule", LEARNERS)
def test_every_learner_plays_each_kind_of_game_or_says_why_not(rule):
    played = set()
    for game in cover():
        kind = "market" if game in zoo.auction.GAMES else form(game)
        play = built(zoo.GAMES[game](), rule, zoo.RULES[rule], Independent, alone=True)
        if play is not None and kind not in played:
            plays(play)
            played.add(kind)
    assert played, "a rule plays where it is at home, and that is of some kind"


@pytest.mark.parametrize("kind", sorted({zoo.class_of(name) for name in zoo.auction.GAMES}))
def test_all_traders_that_fit_a_market_play_it_together_and_others_say_why_not(kind):
    """In one program, each in two copies of every seat of one role, opposite traders of zero intelligence."""
    for number, game in enumerate(cover()):
        if zoo.class_of(game) != kind:
            continue
        world, fit = zoo.GAMES[game](), list(TRADERS)
        while True:
            play = together(world, fit, number)
            if isinstance(play, Play):
                break
            fit.remove(play)
        plays(play)


def together(world: AbstractGame, rules: list[str], number: int) -> Play | str:
    """The play of all rules in one role, which alternates with the number of the game; a rule that was refused."""
    assert rules, "every market lets some trader play"
    row = np.repeat(np.arange(len(rules)), 2)
    role = world.roles[number % len(world.roles)]
    lineup = Lineup([zoo.RULES[rule].rule() for rule in rules], np.tile(row, (role.seats, 1)))
    groups = [Group(r.name, None, lineup if r is role else ZIC()) for r in world.roles]
    try:
        return Play(world, Population(groups), 2, copies=len(row))
    except CatallaxError as said:
        assert len(str(said)) > 40
        return next(rule for rule in rules if re.search(rf"\b{rule}\b", str(said)))


def test_traders_say_why_they_do_not_play_what_is_no_market():
    for game in cover():
        if game not in zoo.auction.GAMES:
            for rule in TRADERS:
                assert built(zoo.GAMES[game](), rule, zoo.RULES[rule], Independent) is None


@pytest.mark.parametrize("lift", [Independent, Shared, Joint])
@pytest.mark.parametrize("rule", zoo.RULES)
def test_every_rule_fits_at_home_under_a_lift_or_says_why_not(rule, lift):
    seat = CHEAP[rule]
    play = built(seat.game(), rule, seat, lift, alone=True)
    assert play is not None or lift is not Independent
    if lift is not Independent and rule not in TRADERS:
        plays(play)


def test_few_games_show_every_class_and_every_form():
    for what in (zoo.class_of, form):
        assert {what(name) for name in cover()} == {what(name) for name in zoo.GAMES}
    assert len(cover()) < len(zoo.GAMES) / 2
