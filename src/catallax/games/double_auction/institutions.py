"""The two published double auctions, as settings of the one game. Every switch may be overridden by keyword."""

from typing import Any

from .disclosure import FullDisclosure, ZeroDisclosure
from .double_auction import DoubleAuction
from .environments import Environment, environment
from .price import CoinToss, WeightedMidpoint
from .tokens import NormalTokens


def memoryless_market(**changes: Any) -> DoubleAuction:
    """The memoryless market of Rawat (2023): 4 buyers, 4 sellers, 4 units each, 16 ticks, quotes in [35, 90].

    No persistence, no improvement, the midpoint when both accept, weak acceptance of any profitable quote, and no check
    of the bounds. Zero disclosure unless told otherwise.

    Source: Rawat (2023) and the code behind its table.
    Differs: prices are continuous, where the author's zero-intelligence traders rounded theirs to 0.1.
    """
    settings: dict[str, Any] = dict(
        tokens=NormalTokens(),
        price_rule=WeightedMidpoint(),
        disclosure=ZeroDisclosure(),
        low=35.0,
        high=90.0,
        bounded=False,
    )
    return DoubleAuction(**(settings | changes))


def aurora(place: Environment | str = "BASE", **changes: Any) -> DoubleAuction:
    """The Santa Fe market (AURORA) in one of the ten tournament environments.

    Standing quotes, strict improvement, a fair coin between bid and ask when both accept, strict acceptance, integer
    prices within the environment's bounds, full disclosure.

    Source: Rust, Miller and Palmer (1992, 1994), Table 3.1.
    """
    place = environment(place) if isinstance(place, str) else place
    settings: dict[str, Any] = dict(
        tokens=place.tokens,
        price_rule=CoinToss(),
        disclosure=FullDisclosure(),
        low=float(place.low),
        high=float(place.high),
        buyers=place.buyers,
        sellers=place.sellers,
        steps=place.steps,
        periods=place.periods,
        tick=1.0,
        persistence=True,
        improvement=True,
        weak=False,
        open_requests=True,
    )
    return DoubleAuction(**(settings | changes))
