"""Who plays a tournament, in which environments and line-ups, and the dynamics that plays them all."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from catallax.agents.traders import AbstractTrader
from catallax.core import Group, InputError, Lineup, Play, Population
from catallax.games.double_auction import SingleRole, aurora, environment
from catallax.games.double_auction.environments import ENVIRONMENTS
from catallax.lab.user_code import load_class, make

from .rules import RULES, check_rule, rule
from .seatings import LineUps, line_ups

OWN = "own"
"""Name of the user's trader."""
QUICK_TRADERS = ("zic", "truth", "skeleton", "kaplan")
QUICK_ENVIRONMENTS = ("SHRT",)
Seats = Annotated[int, Meta(ge=1, le=100)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who plays, and where."""

    traders: tuple[str, ...] | None = None
    """Names of scripted traders; None: all but ZIU, which trades at a loss and so pays all others (at scale quick: four
    of them)."""
    environments: tuple[str, ...] | None = None
    """Names of tournament environments; None: all ten (at scale quick: one)."""
    trader: Path | None = None
    """Your own trader, a Python file with one class; it joins the others under the name "own"."""
    intruders: bool = True
    """Whether single rules among others of one kind are played too: more than half of all markets."""
    buyers: Seats | None = None
    """Buyers in a market; None: as many as the environment says."""
    sellers: Seats | None = None

    def __post_init__(self) -> None:
        """Names must exist and differ, and there must be rules enough."""
        for name in self.traders or ():
            check_rule(name)
        places = None if self.environments is None else tuple(environment(name).name for name in self.environments)
        if places == ():
            raise InputError("a tournament needs at least one environment, got none")
        for kind, names in (("trader", self.traders or ()), ("environment", places or ())):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(f"{kind} {twice[0]!r} is named twice; name each once")
        if self.traders is not None and len(self.traders) + (self.trader is not None) < 2:
            raise InputError(f"a tournament needs at least 2 traders, got {len(self.traders)}")


def traders_of(settings: Settings, scale: str) -> tuple[str, ...]:
    """Names of the rules in the order of their numbers, at a scale."""
    names = settings.traders
    if names is None:
        names = QUICK_TRADERS if scale == "quick" else tuple(name for name in RULES if name != "ziu")
    return (*names, OWN) if settings.trader is not None else names


def environments_of(settings: Settings, scale: str) -> tuple[str, ...]:
    """Names of the environments at a scale."""
    if settings.environments is not None:
        return tuple(name.upper() for name in settings.environments)
    return QUICK_ENVIRONMENTS if scale == "quick" else ENVIRONMENTS


def market(settings: Settings, place: str) -> SingleRole:
    """The market of an environment, both sides at one table."""
    changes = {side: n for side in ("buyers", "sellers") if (n := getattr(settings, side)) is not None}
    return SingleRole(aurora(place, **changes))


def line_ups_of(settings: Settings, scale: str, place: str) -> LineUps:
    """All line-ups of an environment."""
    auction = market(settings, place).auction
    return line_ups(len(traders_of(settings, scale)), auction.buyers, auction.sellers, intruders=settings.intruders)


def play(settings: Settings, scale: str, place: str) -> Play:
    """All line-ups of an environment, replays of one round, as a dynamics; a phase is a round."""
    game, table = market(settings, place), line_ups_of(settings, scale, place).table
    seated = Lineup([_rule(settings, name) for name in traders_of(settings, scale)], table)
    copies = table.shape[1]
    population = Population([Group("trader", None, seated)])
    return Play(game, population, length=game.length, copies=copies, copies_per_draw=copies)


def _rule(settings: Settings, name: str) -> AbstractTrader:
    if name != OWN or settings.trader is None:
        return rule(name)
    return make(load_class(settings.trader, AbstractTrader), settings.trader)
