"""What a tournament runs and what is read of it: rules, environments, line-ups, and what each rule was paid."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from msgspec import Meta, Struct

from catallax.agents.traders import AbstractTrader
from catallax.core import Group, InputError, Lineup, NaNCount, Play, Population
from catallax.games.double_auction import SingleRole, aurora, environment
from catallax.games.double_auction.environments import ENVIRONMENTS
from catallax.lab import Cell, Results
from catallax.lab.quantity import Quantity, defined_mean
from catallax.lab.settings import load_class, make
from catallax.measures import double_auction as measures

from .rules import RULES, check_rule, rule
from .seatings import LineUps, half, line_ups

OWN = "own"
"""Name of the user's trader."""
QUICK_TRADERS = ("zic", "truth", "skeleton", "kaplan")
QUICK_ENVIRONMENTS = ("SHRT",)
Seats = Annotated[int, Meta(ge=1, le=100)]

# What is run.


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


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each environment and scale: a quick tournament has fewer traders."""
    scales = ("paper", "quick")
    return tuple(_cell(settings, scale, place) for scale in scales for place in environments_of(settings, scale))


def _cell(settings: Settings, scale: str, place: str) -> Cell:
    alone = line_ups_of(settings, scale, place).alone
    by_rule = (measures.Efficiency(), measures.Dispersion(), measures.Autocorrelation(), measures.Volume())
    taken = (
        measures.Profit(),
        measures.SelectedCopies(measures.EquilibriumProfit(), (0,), "draw"),
        *(measures.SelectedCopies(measure, alone.tolist(), "rule") for measure in by_rule),
        NaNCount(),
    )
    build = partial(play, settings, scale, place)
    return Cell(name=place, label=place, build=build, measures=taken, scales=(scale,))


# What is read: shares of the own equilibrium surplus, by rule, by opponent and by environment.
#
# Profits are divided by what the seats that earned them would have earned had all traded at the competitive price
# (their own equilibrium surplus). Sums over all rounds of a replication come first, then one ratio (EFF TOTAL), so that
# rounds without a possible gain do no harm. A share is NaN where no round of a replication has a possible gain.


class Payoffs(NamedTuple):
    """All that was earned in an environment."""

    profit: Float[np.ndarray, "R seats markets"]
    """Profit of each seat in each line-up, summed over the rounds of a replication, price units."""
    due: Float[np.ndarray, "R seats"]
    """The equilibrium surplus of each seat, the same in all line-ups."""
    rounds: int
    ups: LineUps
    buyers: int
    sellers: int

    @property
    def total(self) -> Float[np.ndarray, " R"]:
        """The maximum surplus of all rounds; NaN where it is 0."""
        whole = self.due.sum(axis=1)
        return np.where(whole > 0, whole, np.nan)


def names(results: Results[Settings]) -> tuple[str, ...]:
    """The traders of a run, in the order of their numbers."""
    return traders_of(results.settings, results.scale_name)


def places(results: Results[Settings]) -> tuple[str, ...]:
    """The environments of a run."""
    return environments_of(results.settings, results.scale_name)


def payoffs(results: Results[Settings], place: str) -> Payoffs:
    """What was earned in an environment."""
    data, sides = results.dataset(place), ("buyer", "seller")
    profit = np.concatenate([data[f"{side}_profit"].values.astype(float).sum(axis=1) for side in sides], 2)
    due = np.concatenate([data[f"{side}_due"].values.astype(float).sum(axis=(1, 2)) for side in sides], 1)
    auction = market(results.settings, place).auction
    ups = line_ups_of(results.settings, results.scale_name, place)
    return Payoffs(profit.swapaxes(1, 2), due, data.sizes["phase"], ups, auction.buyers, auction.sellers)


def _in_field(p: Payoffs) -> Float[np.ndarray, "R N"]:
    """Profit of each rule over all its seats of the free-for-all, a line-up."""
    table, earned = p.ups.table[:, p.ups.field], p.profit[:, :, p.ups.field]
    sums = [np.where(table == i, earned, 0.0).sum(axis=(1, 2)) for i in range(len(p.ups.alone))]
    return np.stack(sums, axis=1) / len(p.ups.field)


def field_profit(p: Payoffs) -> Float[np.ndarray, "R N"]:
    """Mean profit of a seat in a round of the free-for-all, by rule, price units."""
    return _in_field(p) * len(p.ups.alone) / p.profit.shape[1] / p.rounds


def field_share(p: Payoffs) -> Float[np.ndarray, "R N"]:
    """Profit over own equilibrium surplus in the free-for-all, by rule. Every rule sat in every seat equally often, so
    the sum over rules is N times the efficiency of these markets."""
    return _in_field(p) * len(p.ups.alone) / p.total[:, None]


def pair_share(p: Payoffs) -> Float[np.ndarray, "R N N"]:
    """[i, j]: profit over own equilibrium surplus of rule i in markets half i, half j, both ways round; [i, i] is the
    efficiency of a market of i alone. [i, j] + [j, i] is twice the mean efficiency of the two markets."""
    halves = half(p.buyers, p.sellers)
    own = np.stack([p.profit[:, halves == h][..., p.ups.pairs[..., h]].sum(axis=1) for h in (0, 1)])
    return own.sum(axis=0) / p.total[:, None, None]


def intruder_share(p: Payoffs) -> Float[np.ndarray, "R N N"]:
    """[i, j]: profit over equilibrium surplus of one seat of i among others of j; [j, j] is a resident's own.

    The intruder sits in the first seat of either side, each weighing as many seats as its side has; the surplus is the
    mean over the side's seats, which all draw tokens alike.
    """
    buyer = p.buyers * p.profit[:, 0][:, p.ups.intruders[..., 0]]
    seller = p.sellers * p.profit[:, p.buyers][:, p.ups.intruders[..., 1]]
    return (buyer + seller) / p.total[:, None, None]


def advantage(p: Payoffs) -> Float[np.ndarray, "R N N"]:
    """[i, j]: what one intruder i among residents j earns more than a resident in the same seats with the same tokens,
    shares of the mean equilibrium surplus."""
    share = intruder_share(p)
    return share - np.diagonal(share, axis1=1, axis2=2)[:, None, :]


def everywhere(of: Callable[[Payoffs], np.ndarray]) -> Quantity:
    """The mean over environments, each weighing the same, as all paid the same sum in 1990; those in which a
    replication had nothing to gain are left out."""
    return Quantity(
        lambda results: defined_mean(np.stack([of(payoffs(results, place)) for place in places(results)]), axis=0)
    )


FIELD, PAIRS, ADVANTAGE = everywhere(field_share), everywhere(pair_share), everywhere(advantage)
"""Shares in the free-for-all, [R, N], in pairs, [R, N, N], and the advantages of intruders, [R, N, N]."""


def alone(trader: str, variable: str) -> Quantity:
    """A variable in the markets of one rule alone: [environments, R, rounds]."""

    def read(results: Results[Settings]) -> np.ndarray:
        number = names(results).index(trader)
        found = [results.dataset(place)[variable].values[:, :, number] for place in places(results)]
        return np.stack(found).astype(float)

    return Quantity(read)
