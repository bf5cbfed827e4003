"""One double auction of your own: the rules, the tokens and the traders come from the settings.

catallax run double_auction.market --set buyers=zic --set sellers=kaplan --set institution=aurora
catallax run double_auction.market --set trader=my_trader.py          (it takes seat 1 on both sides)
catallax run double_auction.market --set schedule=my_schedule.csv
catallax run double_auction.market --set institution=continuous --set environment=SHRT
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct

from catallax.agents.deep import Reinforce
from catallax.core import AbstractAgent, Group, InputError, Interface, NaNCount, Play, Population
from catallax.core.checks import exact
from catallax.games import double_auction as auctions
from catallax.games.double_auction import schedules, standard_interface
from catallax.lab import Cell, Experiment, Report, Results, Scale, Table
from catallax.lab.quantity import Quantity
from catallax.lab.settings import load_class, make
from catallax.lab.statistics import mean_interval
from catallax.measures import double_auction as measures

from .drawing import quotes_figure, schedule_figure
from .replay import replay_figure
from .rounds import late_mean, rounds_played
from .rules import check_rule, rule

Institution = Literal["memoryless", "aurora", "continuous", "call", "posted_offer"]
Market = auctions.DoubleAuction | auctions.ContinuousDoubleAuction | auctions.CallMarket | auctions.PostedOffer
Count = Annotated[int, Meta(ge=1, le=100_000)]

_LEARNER = "reinforce"
MEASURES = (
    measures.Efficiency(), measures.Dispersion(), measures.Autocorrelation(), measures.Handover(), measures.Volume(),
    measures.Profit(), measures.CompetitiveBenchmark(), measures.SampleRound(every=10), NaNCount(),
)  # fmt: skip
_DISCLOSURES: dict[str, type[auctions.AbstractDisclosure]] = {
    "zero": auctions.ZeroDisclosure,
    "reduced": auctions.ReducedDisclosure,
    "full": auctions.FullDisclosure,
    "conditional": auctions.ConditionalDisclosure,
}
_PUBLISHED = {
    "smith": schedules.SMITH_1962_TEST_1,
    "cliff_a": schedules.CLIFF_A,
    "cliff_b": schedules.CLIFF_B,
    "cliff_c": schedules.CLIFF_C,
    "cliff_d": schedules.CLIFF_D,
    "gjerstad_dickhaut": schedules.GJERSTAD_DICKHAUT_SYMMETRIC,
    "santa_fe_sample": schedules.SANTA_FE_SAMPLE_ROUND,
}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """A market and its traders."""

    institution: Institution = "memoryless"
    environment: Literal["BASE", "BBBS", "BSSS", "EQL", "LAD", "PER", "SHRT", "SML", "RAN", "TOK"] = "BASE"
    """Tournament environment; for all institutions but memoryless."""
    buyers: str = "zic"
    """A scripted trader by name, or "reinforce"."""
    sellers: str = "zic"
    trader: Path | None = None
    """Your own trader, a Python file with one class; it takes the first seat of both sides."""
    schedule: Path | None = None
    """Your own values and costs, CSV or TOML."""
    published: (
        Literal["smith", "cliff_a", "cliff_b", "cliff_c", "cliff_d", "gjerstad_dickhaut", "santa_fe_sample"] | None
    ) = None
    """A published schedule."""
    disclosure: Literal["zero", "reduced", "full", "conditional"] | None = None
    """None: the institution's own (zero for the memoryless market, full for the others)."""
    steps: Count | None = None
    """Ticks a period; a call market counts its own."""
    periods: Count | None = None
    low: Annotated[float, Meta(ge=0)] | None = None
    high: Annotated[float, Meta(gt=0)] | None = None
    acceptance: Literal["profit", "crossing"] = "profit"
    """Memoryless and aurora: whether a holder accepts any profitable quote, or only where bid and ask cross."""
    clear_after_trade: bool = False
    """Continuous: whether a trade empties the book, as in Gode and Sunder (1993)."""
    rounds_per_phase: Annotated[int, Meta(ge=1, le=4096)] = 10
    """Rounds played side by side, between two updates of learners."""

    def __post_init__(self) -> None:
        for name in (self.buyers, self.sellers):
            check_rule(name, _LEARNER)


def market(settings: Settings) -> Market:
    """The game of the settings.

    Raises:
        InputError: two schedules, bounds in the wrong order, a setting that the institution does not have.
        BuildError: bounds off the price grid, a posted offer with one step.
        FileError: a schedule that cannot be read.
    """
    changes: dict[str, Any] = _rules(settings)
    for name in ("steps", "periods", "low", "high"):
        if getattr(settings, name) is not None:
            changes[name] = getattr(settings, name)
    if settings.disclosure is not None:
        changes["disclosure"] = _DISCLOSURES[settings.disclosure]()
    if settings.schedule is not None and settings.published is not None:
        raise InputError("schedule and published both name a schedule; give one")
    if settings.schedule is not None or settings.published is not None:
        own = auctions.read_schedule(settings.schedule) if settings.schedule else None
        changes |= _scheduled(own or _PUBLISHED[settings.published or ""], settings)
    low, high = changes.get("low"), changes.get("high")
    if low is not None and high is not None and low >= high:
        own = " (from the schedule: low is 0 and high one and a half times its highest price, unless they are set)"
        said = "" if settings.low is not None and settings.high is not None else own
        raise InputError(f"low must be below high, got {exact(low)} and {exact(high)}{said}")
    game = _institution(settings, changes)
    if float(game.low) >= float(game.high):
        raise InputError(f"low must be below high, got {exact(game.low)} and {exact(game.high)}")
    return game


def _rules(settings: Settings) -> dict[str, Any]:
    """Settings of one institution only; refuses those that would say nothing."""
    kind, foreign = settings.institution, Settings()
    synchronized = kind in ("memoryless", "aurora")
    for name, applies in (
        ("acceptance", synchronized),
        ("clear_after_trade", kind == "continuous"),
        ("steps", kind != "call"),
        ("environment", kind != "memoryless"),
    ):
        if not applies and getattr(settings, name) != getattr(foreign, name):
            raise InputError(f"institution={kind} has no setting {name}; leave it out")
    if synchronized:
        return {"acceptance": settings.acceptance}
    return {"clear_after_trade": settings.clear_after_trade} if kind == "continuous" else {}


def _institution(settings: Settings, changes: dict[str, Any]) -> Market:
    kinds = {
        "continuous": auctions.ContinuousDoubleAuction,
        "call": auctions.CallMarket,
        "posted_offer": auctions.PostedOffer,
    }
    if settings.institution == "memoryless":
        return auctions.memoryless_market(**changes)
    if settings.institution == "aurora":
        return auctions.aurora(settings.environment, **changes)
    return auctions.in_environment(kinds[settings.institution], settings.environment, **changes)


def _scheduled(schedule: schedules.Schedule, settings: Settings) -> dict[str, Any]:
    """Tokens, seats and, unless they are set, price bounds from 0 to one and a half times the highest price."""
    tokens = schedule.tokens()
    top = max(price for row in (*schedule.buyers, *schedule.sellers) for price in row)
    changes: dict[str, Any] = dict(tokens=tokens, buyers=len(schedule.buyers), sellers=len(schedule.sellers))
    if settings.low is None:
        changes["low"] = 0.0
    whole = all(p == round(p) for row in (*schedule.buyers, *schedule.sellers) for p in row)
    if settings.institution != "memoryless" and not whole:
        changes["tick"] = 0.0
    if settings.high is None:
        on_grid = whole and settings.institution != "memoryless"
        changes["high"] = float(np.ceil(1.5 * top)) if on_grid else 1.5 * top
    return changes


def traders(settings: Settings) -> tuple[Group, ...]:
    """The population: the user's trader first, then the chosen rules."""
    game = market(settings)
    own = make(load_class(settings.trader, AbstractAgent), settings.trader) if settings.trader else None
    groups = []
    for role, kind in ((game.roles[0], settings.buyers), (game.roles[1], settings.sellers)):
        learns = kind == _LEARNER
        trader, interface = (Reinforce(), standard_interface()) if learns else (rule(kind), Interface())
        first = 0 if own is None else 1
        if own is not None:
            groups.append(Group(role.name, [0], own))
        if role.seats > first:
            groups.append(Group(role.name, range(first, role.seats), trader, interface))
    return tuple(groups)


def play(settings: Settings) -> Play:
    """Market and population as a dynamics."""
    game = market(settings)
    return Play(game, Population(traders(settings)), length=game.length, copies=settings.rounds_per_phase)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One cell."""
    return (Cell(name="market", label="market", build=lambda: play(settings), measures=MEASURES),)


def report(results: Results[Settings]) -> Report:
    """Market performance, profits by seat with the name of each trader, and three pictures."""
    game = market(results.settings)
    caption = "Bids (red), asks (blue), prices (black) of sampled rounds of replication 1; line: competitive price."
    return Report(
        tables=(_performance(results), _profits(results)),
        figures=(
            schedule_figure(results, "market"),
            replay_figure(results, "market", game.steps, game.length),
            quotes_figure(results, {"market": "market"}, caption),
        ),
    )


_SHOWN = {
    "efficiency": "1", "buyer_efficiency": "1", "seller_efficiency": "1", "trades": "count", "mean_price": "price",
    "equilibrium_price": "price", "mad": "price", "price_sd": "price", "smith_alpha": "%", "autocorrelation": "1",
    "autocorrelation_of_changes": "1", "bid_handover": "1", "ask_handover": "1", "second_half": "%",
}  # fmt: skip
"""Variables of the table of market performance, with their units."""


def _columns(quantity: Quantity, results: Results[Settings]) -> dict[str, Any]:
    e = mean_interval(quantity(results), allow_undefined=True)
    return {"mean": e.mean, "low": e.low, "high": e.high, "n": e.n}


def _performance(results: Results[Settings]) -> Table:
    every = rounds_played(results, "market")
    rows = [
        {"measure": name, "unit": unit} | _columns(late_mean("market", name, every), results)
        for name, unit in _SHOWN.items()
    ]
    caption = f"Means over {every} rounds, 95% intervals over replications; undefined rounds are left out."
    return Table.of_rows("performance", caption, rows)


def _profits(results: Results[Settings]) -> Table:
    rows, every = [], rounds_played(results, "market")
    for role in market(results.settings).roles:
        profit, names = late_mean("market", f"{role.name}_profit", every), {}
        for group in traders(results.settings):
            if group.role == role.name:
                names |= dict.fromkeys(map(int, group.positions(role)), type(group.control.agent).__name__)
        for seat, name in sorted(names.items()):
            rows.append({"seat": f"{role.name} {seat + 1}", "trader": name} | _columns(profit[:, seat], results))
    caption = "Profit a round by seat, in price units, with 95% intervals over replications."
    return Table.of_rows("profits", caption, rows)


experiment = Experiment(
    name="double_auction.market", settings=Settings, cells=cells, report=report, claims=(),
    title="A double auction of your own",
    summary="One double auction of your own: rules, tokens and traders from the settings",
    sources=("RustMillerPalmer1994", "GodeSunder1993", "Rawat2023"),
    scales={
        "quick": Scale(steps=20, replications=10, block=10, chunk=10),
        "paper": Scale(steps=500, replications=20, block=10, chunk=50),
    },
)  # fmt: skip
