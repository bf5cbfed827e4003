"""Every rule in every game, and every rule under every lift at home: it plays, or says when built why it cannot."""

import functools

import jax
import numpy as np
import pytest

import zoo
from catallax.agents.traders import AbstractTrader
from catallax.core import (
    AbstractGame,
    CatallaxError,
    Group,
    Independent,
    Joint,
    Lineup,
    NaNCount,
    Play,
    Population,
    Shared,
    rng,
    run,
)
from catallax.games.double_auction.seats import ORDER

TRADERS = [rule for rule, seat in zoo.RULES.items() if isinstance(seat.rule(), AbstractTrader)]
"""Rules that learn nothing."""


@pytest.fixture(scope="module", autouse=True)
def compile_fast():
    """Much is compiled and little is run."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def built(world: AbstractGame, seat: zoo.Seat, lift: type) -> Play | None:
    """The rule in all seats, seeing and speaking as at home, two ticks a phase; None where refused with its name."""
    groups = [Group(role.name, None, lift(seat.rule()), seat.interface()) for role in world.roles]
    try:
        return Play(world, Population(groups), 2, copies=2)
    except CatallaxError as said:
        assert type(seat.rule()).__name__ in str(said) and len(str(said)) > 40
        return None


abroad = functools.cache(lambda game, rule: built(zoo.KINDS[game](), zoo.RULES[rule], Independent))


def plays(play: Play | None) -> None:
    """Two phases without an action that is no number."""
    if play is not None:
        assert int(run(play, rng.key(0), 2, (NaNCount(),)).series["nan_actions"].sum()) == 0


@pytest.mark.parametrize("rule", zoo.RULES)
@pytest.mark.parametrize("game", zoo.KINDS)
def test_every_rule_plays_every_game_or_says_why_not(game, rule):
    play = abroad(game, rule)
    if rule not in TRADERS:  # they play together, below
        plays(play)


@pytest.mark.parametrize("game", zoo.KINDS)
def test_all_traders_that_fit_a_game_play_it_together(game):
    """In one program, each in two copies of every seat."""
    fit = [zoo.RULES[rule] for rule in TRADERS if abroad(game, rule) is not None]
    world, rules = zoo.KINDS[game](), [seat.rule() for seat in fit]
    assert bool(fit) == any(role.action == ORDER for role in world.roles)
    if not fit:
        return
    row = np.repeat(np.arange(len(rules)), 2)
    groups = [Group(r.name, None, Lineup(rules, np.tile(row, (r.seats, 1))), fit[0].interface()) for r in world.roles]
    plays(Play(world, Population(groups), 2, copies=len(row)))


@pytest.mark.parametrize("lift", [Independent, Shared, Joint])
@pytest.mark.parametrize("rule", zoo.RULES)
def test_every_rule_fits_at_home_under_a_lift_or_says_why_not(rule, lift):
    play = built(zoo.RULES[rule].game(), zoo.RULES[rule], lift)
    assert play is not None or lift is not Independent
    if lift is not Independent and rule not in TRADERS:
        plays(play)
