"""Every game, rule, measure and solver of the library, as factories: what the contract tests walk through.

The packages' exports are the registry. One file a family says where its pieces are tried: `HOMES` for all that a
package exports, and `GAMES`, `AGENTS`, `MEASURES`, `SOLVERS` for variants and for pieces that need a place or arguments
of their own. The name of an entry is its class, or its class, a comma and what is special. Nothing is built here.
"""

from collections.abc import Callable
from typing import Any

from catallax.core import AbstractAgent, AbstractDynamics, AbstractGame, AbstractMeasure

from . import auction, growth, karma, learner_density, matrix, mean_field, pricing, sealed_bid
from .places import Seat, Solver, Watch, class_of, derived

FAMILIES = (auction, growth, karma, learner_density, matrix, mean_field, pricing, sealed_bid)

GAMES: dict[str, Callable[[], AbstractGame]] = {}
AGENTS: dict[str, Seat] = {}
MEASURES: dict[str, Watch] = {}
SOLVERS: dict[str, Solver] = {}
TABLES: dict[type, tuple[str, dict[str, Any]]] = {
    AbstractGame: ("GAMES", GAMES),
    AbstractAgent: ("AGENTS", AGENTS),
    AbstractMeasure: ("MEASURES", MEASURES),
    AbstractDynamics: ("SOLVERS", SOLVERS),
}
for family in FAMILIES:
    for kind, table in TABLES.values():
        own = getattr(family, kind, {})
        if shared := own.keys() & table.keys():
            raise ValueError(f"two families have an entry of the same name: {shared}; say more after a comma")
        table |= own
for family in FAMILIES:
    for home in family.HOMES:
        _, table = TABLES[home.root]
        table |= derived(home, table)

RULES: dict[str, Seat] = {class_of(name): seat for name, seat in reversed(AGENTS.items())}
"""One seat of each class of rules, the first of its family's."""
