"""Every game, rule, measure and solver of the library, as factories: what the contract tests walk through.

One file a family, with any of `GAMES`, `AGENTS`, `MEASURES` and `SOLVERS`. A newcomer adds one line there;
`test_contracts.py` fails until every public piece has one.
"""

from collections.abc import Callable

from catallax.core import AbstractGame

from . import auction, growth, karma, matrix, mean_field, population, pricing, sealed_bid
from .places import Seat, Solver, Watch

FAMILIES = (auction, growth, karma, matrix, mean_field, population, pricing, sealed_bid)

GAMES: dict[str, Callable[[], AbstractGame]] = {}
AGENTS: dict[str, Seat] = {}
MEASURES: dict[str, Watch] = {}
SOLVERS: dict[str, Solver] = {}
for family in FAMILIES:
    GAMES |= getattr(family, "GAMES", {})
    AGENTS |= getattr(family, "AGENTS", {})
    MEASURES |= getattr(family, "MEASURES", {})
    SOLVERS |= getattr(family, "SOLVERS", {})

KINDS: dict[str, Callable[[], AbstractGame]] = {type(make()).__name__: make for make in reversed(GAMES.values())}
"""One game of each class, for what is tried on every rule: the first of its family's."""

RULES: dict[str, Seat] = {type(seat.rule()).__name__: seat for seat in reversed(AGENTS.values())}
"""One seat of each class of rules, for what is tried in every game: the first of its family's."""
