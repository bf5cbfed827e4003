"""Zero-intelligence traders in the other auction institutions, tournament environment BASE (4 + 4 traders of 4 units).

The reference of the continuous auction is the Bristol Stock Exchange (davecliff/BristolStockExchange, pure Python, 20
zero-intelligence traders, one polled at a time): its polls a second were measured once, on another machine of the kind,
and are not measured here. The row with 20 traders is the like-for-like one. The call market and the posted offer have
no reference but our own synchronized auction in the same environment, timed beside them.
"""

from functools import partial

from harness import Case, Row, compare  # first: pins the process before jax is imported

import jax  # isort: skip
from auction import Surplus, keys  # isort: skip

from catallax.agents.traders import ZIC
from catallax.core import AbstractGame, Group, Play, Population, replicate
from catallax.games.double_auction import (
    CallMarket,
    ContinuousDoubleAuction,
    GameType,
    PostedOffer,
    aurora,
    in_environment,
)

BRISTOL = 80e3
"""Trader polls a second of the reference with zero-intelligence traders."""
WIDTH, ROUNDS = 128, 20


def _case(game: AbstractGame, quick: bool) -> Case:
    """Rounds of all periods, one surplus kept a round."""
    groups = tuple(Group(role.name, None, ZIC()) for role in game.roles)
    play = Play(game, Population(groups), length=game.length)  # type: ignore[attr-defined]
    case_keys, rounds = keys(WIDTH), 5 if quick else ROUNDS
    call = lambda: jax.block_until_ready(replicate(play, case_keys, rounds, (Surplus(),)))
    return Case(call, WIDTH * rounds * play.length)


def continuous(traders: int, quick: bool) -> Row:
    """One arrival a market-step; with 20 traders one unit each, as in the reference."""
    few = traders == 8
    seats = {} if few else dict(buyers=traders // 2, sellers=traders // 2, tokens=GameType(units=1))
    game = in_environment(ContinuousDoubleAuction, "BASE", **seats)
    rounds = 3 if quick else 7
    beside = _case(aurora("BASE", **seats), quick)
    ours, _, ratio = compare(_case(game, quick), beside, rounds)
    theirs = 1 / BRISTOL
    note = f"{theirs / ours:.0f} times the reference's speed, {1e-6 / ours:.1f} million market-steps/s, "
    note += f"{ratio:.2f} times the synchronized auction's time; goal: 2 times"
    name = "institution_continuous" + ("" if few else f"_{traders}")
    return Row(name, ours * 1e9, theirs * 1e9, ours / theirs, "ns/market-step", note)


def beside_aurora(institution: type[AbstractGame], name: str, quick: bool) -> Row:
    """The institution and the synchronized auction in the same environment."""
    cases = _case(in_environment(institution, "BASE"), quick), _case(aurora("BASE"), quick)
    ours, theirs, ratio = compare(*cases, 3 if quick else 7)
    note = f"{1e-6 / ours:.1f} million market-steps/s; the reference is our synchronized auction"
    return Row(f"institution_{name}", ours * 1e9, theirs * 1e9, ratio, "ns/market-step", note)


ROWS = {
    "institution_continuous": partial(continuous, 8),
    "institution_continuous_20": partial(continuous, 20),
    "institution_call": partial(beside_aurora, CallMarket, "call"),
    "institution_posted_offer": partial(beside_aurora, PostedOffer, "posted_offer"),
}
