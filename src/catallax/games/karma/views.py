"""What a player sees, and how a table-based rule numbers it."""

from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
from jaxtyping import Array, Int

from catallax.core import Interface

if TYPE_CHECKING:
    from .pairwise import PairwiseKarma


class KarmaView(NamedTuple):
    """A player's own situation; he sees nobody else's."""

    karma: Int[Array, "*seats"]
    """In 0..cap."""
    urgency: Int[Array, "*seats"]
    """Number of the urgency level."""


class TableRow(eqx.Module):
    """The view as the row of a table: urgency * (cap + 1) + karma."""

    cap: int = eqx.field(static=True)

    def __call__(self, obs: KarmaView) -> Int[Array, ""]:
        """The row."""
        return obs.urgency * (self.cap + 1) + obs.karma


def karma_interface(game: "PairwiseKarma") -> Interface:
    """For table-based rules: the row number as observation, the bid as action."""
    return Interface(view=TableRow(game.cap))


def open_bids(game: "PairwiseKarma") -> tuple[int, ...]:
    """For each row of the table, how many bids are open: karma + 1, from 0 to all one has."""
    return tuple(karma + 1 for _ in range(game.urgency.size) for karma in range(game.cap + 1))
