"""Scripted traders, eight of a kind, in the synchronized auction of the Santa Fe tournament (environment BASE).

The reference is the engine of Rawat (2025), pure Python; its market-steps a second were measured once, on another
machine of the kind, and are not measured here.
"""

from functools import partial

from harness import Case, Row, compare, cpu_seconds  # first: pins the process before jax is imported

import jax  # isort: skip
from auction import Surplus, keys  # isort: skip

from catallax.agents.traders import (
    AA,
    GD,
    GDX,
    MGD,
    ZIC,
    ZIP,
    AbstractTrader,
    EasleyLedyard,
    Gamer,
    Kaplan,
    KaplanPort,
    Lin,
    Perry,
    PriceTaker,
    Ringuette,
    Skeleton,
    Staecker,
    TruthTeller,
)
from catallax.core import Group, Play, Population, replicate
from catallax.games.double_auction import aurora

ENGINE = {
    "zic": 12.5e3,
    "truth": 13.6e3,
    "kaplan": 10.9e3,
    "skeleton": 12.6e3,
    "zip": 4.7e3,
    "gd": 1.1e3,
    "kaplan_port": 10.9e3,
    "ringuette": 10.7e3,
    "easley_ledyard": 9.1e3,
}
"""Market-steps a second of the reference, for those traders that were measured there. Its Kaplan is our KaplanPort."""
STANDS_IN = {"mgd": "gd", "gdx": "gd", "aa": "gd"}
"""Whose speed stands in for a trader that was not measured there; the others stand beside its truth-teller."""
GOAL = {"gd": 100}
"""How many times the engine's speed; 200 where nothing else is said."""
TRADERS: dict[str, type[AbstractTrader]] = {
    "zic": ZIC,
    "truth": TruthTeller,
    "kaplan": Kaplan,
    "skeleton": Skeleton,
    "zip": ZIP,
    "kaplan_port": KaplanPort,
    "ringuette": Ringuette,
    "easley_ledyard": EasleyLedyard,
    "price_taker": PriceTaker,
    "perry": Perry,
    "lin": Lin,
    "gamer": Gamer,
    "staecker": Staecker,
    "gd": GD,
    "mgd": MGD,
    "gdx": GDX,
    "aa": AA,
}
WIDTH, ROUNDS = 128, 20


def alone(name: str, quick: bool) -> Row:
    """Rounds of three periods of 75 ticks, one surplus kept a round."""
    game = aurora("BASE")
    groups = tuple(Group(role.name, None, TRADERS[name]()) for role in game.roles)
    play = Play(game, Population(groups), length=game.length)
    case_keys, rounds = keys(WIDTH), 5 if quick else ROUNDS
    call = lambda: jax.block_until_ready(replicate(play, case_keys, rounds, (Surplus(),)))
    case = Case(call, WIDTH * rounds * game.length)
    ours, _, _ = compare(case, Case(cpu_seconds, 1.0), 3 if quick else 7)
    measured = name if name in ENGINE else STANDS_IN.get(name, "truth")
    theirs = 1 / ENGINE[measured]
    whose = "engine's speed" if name in ENGINE else f"speed of the engine's {measured}"
    note = f"{theirs / ours:.0f} times the {whose}, {1e-6 / ours:.1f} million market-steps/s"
    if name in ENGINE:
        note += f"; goal: {GOAL.get(name, 200)} times"
    return Row(f"auction_{name}", ours * 1e9, theirs * 1e9, ours / theirs, "ns/market-step", note)


ROWS = {f"auction_{name}": partial(alone, name) for name in TRADERS}
