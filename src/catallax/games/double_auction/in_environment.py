"""Any institution in one of the tournament's environments."""

from collections.abc import Callable
from typing import Any, TypeVar

from catallax.core import BuildError

from .environments import Environment, environment

Market = TypeVar("Market")


def in_environment(institution: Callable[..., Market], place: Environment | str = "BASE", **changes: Any) -> Market:
    """The institution with the environment's tokens, seats, periods, price bounds and integer prices.

    in_environment(ContinuousDoubleAuction, "SHRT", clear_after_trade=True)

    Args:
        institution: `ContinuousDoubleAuction`, `CallMarket`, `PostedOffer`, or a class of your own with their fields.
        place: an environment or its name.
        changes: further fields of the institution, and replacements of the environment's. A period has the
            environment's steps unless the institution counts its own.

    Source: Rust, Miller and Palmer (1992), Table 3.1, for the environments; they were played under other rules.
    """
    place = environment(place) if isinstance(place, str) else place
    settings: dict[str, Any] = dict(
        tokens=place.tokens,
        low=float(place.low),
        high=float(place.high),
        buyers=place.buyers,
        sellers=place.sellers,
        periods=place.periods,
        tick=1.0,
    )
    fields = getattr(institution, "__dataclass_fields__", None)
    unknown = sorted(set(changes) - set(fields)) if fields else []
    if unknown:
        raise BuildError(f"{institution.__name__} has no field {unknown[0]!r}; it has {', '.join(fields or ())}")
    if "steps" in getattr(institution, "__dataclass_fields__", ("steps",)):
        settings["steps"] = place.steps
    return institution(**(settings | changes))
