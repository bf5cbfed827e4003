"""How a table-based rule numbers what it sees."""

from jaxtyping import Array, Int

from catallax.core import Interface, Parametrized, count

from .pairwise import PairwiseKarma
from .views import KarmaView


class TableRow(Parametrized):
    """The view as the row of a table: urgency * (cap + 1) + karma."""

    cap: int = count()

    def __call__(self, obs: KarmaView) -> Int[Array, ""]:
        """The row."""
        return obs.urgency * (self.cap + 1) + obs.karma


def karma_interface(game: PairwiseKarma) -> Interface:
    """For table-based rules: the row number as observation, the bid as action."""
    return Interface(view=TableRow(game.cap))


def open_bids(game: PairwiseKarma) -> tuple[int, ...]:
    """For each row of the table, how many bids are open: karma + 1, from 0 to all one has."""
    return tuple(karma + 1 for _ in range(game.urgency.size) for karma in range(game.cap + 1))
