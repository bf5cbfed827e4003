"""The laboratory markets that the field began with, and what was printed of them: Smith (1962), Gode and Sunder (1993),
Cliff (1997), Gjerstad and Dickhaut (1998).

Cliff's four markets are played by ZIP, by zero intelligence and by GD in a continuous double auction; A is Smith's test
1, and A and B stand in for the five markets of Gode and Sunder, which they print as figures only: where a unit of
theirs is two cents, prices and the range of quotes (1 to 200) agree. Gjerstad and Dickhaut's symmetric market is played
by GD and zero intelligence in the synchronized market of Santa Fe and in the continuous one.

Source: the four papers. Of Cliff's rules the choice of trader, the bounds and the day are read from his program.
Differs: in the continuous market one trader is drawn at a tick and the book, which a trade clears, keeps quotes until
    then; Cliff's shouts do not last, and all traders of the other side answer each. A day has a fixed number of ticks,
    and nobody speaks once a side has sold out; Cliff's ends after 100 shouts in vain or a number of trades that is not
    known to us. Lengths of the periods of the others, and how many there are, are ours.
"""

import msgspec

from catallax.core import AbstractMeasure, NaNCount
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures import double_auction

from .classics_claims import CLAIMS
from .classics_markets import LANED, MARKETS, SESSIONS, ZERO, play
from .classics_report import report


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None: the markets are as published."""


MEASURES = (
    double_auction.Efficiency(by_period=True),
    double_auction.Dispersion(by_period=True),
    double_auction.DeviationByTrade(),
    NaNCount(),
)
GODE_SUNDER = ("cliff", "symmetric")
"""Where what Gode and Sunder report is measured."""


def _zero_intelligence(name: str) -> tuple[AbstractMeasure, ...]:
    """Dispersion of profits and order of trade, of zero intelligence only: orders cost as much as all the rest."""
    copies = [SESSIONS[name].traders.index(trader) for trader in ZERO]
    measures = (double_auction.ProfitDispersion(by_period=True), double_auction.TradingOrder(by_period=True))
    return tuple(double_auction.SelectedCopies(measure, copies, "zero") for measure in measures)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One a session and scale: at scale paper more days, and two programs more."""
    made = []
    for name, session in SESSIONS.items():
        for scale in session.periods:
            build = lambda name=name, scale=scale, market=0: play(name, scale, market)
            measures = MEASURES + (_zero_intelligence(name) if name in GODE_SUNDER else ())
            lanes = {"market": tuple(range(len(MARKETS)))} if name in LANED else {}
            made.append(
                Cell(name=name, label=session.label, build=build, measures=measures, lanes=lanes, scales=(scale,))
            )
    return tuple(made)


experiment = Experiment(
    name="double_auction.classics",
    title="The first laboratory markets, replayed",
    summary="ZIP, GD and zero intelligence in the markets of Smith, Cliff, and Gjerstad and Dickhaut, beside print",
    sources=("Smith1962", "GodeSunder1993", "Cliff1997", "GjerstadDickhaut1998"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=1, replications=10, block=10, chunk=1),
        "paper": Scale(steps=2, replications=20, block=10, chunk=2),
    },
    report=report,
    claims=CLAIMS,
)
"""A step is a round: all days of a market with fresh traders. Replications average the rounds they played."""
