"""What a player sees."""

from typing import NamedTuple

from jaxtyping import Array, Int


class KarmaView(NamedTuple):
    """A player's own situation; he sees nobody else's."""

    karma: Int[Array, "*seats"]
    """In 0..cap."""
    urgency: Int[Array, "*seats"]
    """Number of the urgency level."""
