"""A tournament of trading rules in the ten environments of 1990: who earns most, against whom, and who can invade whom.

catallax run double_auction.tournament --scale paper
catallax run double_auction.tournament --set 'traders=["zip", "kaplan", "zic"]' --set 'environments=["BASE", "SHRT"]'
catallax run double_auction.tournament --set trader=my_trader.py        (it plays against the others, named "own")

One program an environment plays all line-ups of a round side by side, with the same tokens and random numbers: every
pair of rules half and half (both ways round), each rule alone, every rule as one intruder among others of one kind, and
a free-for-all. Each rule is evaluated only in the seats where it sits.

Source: Rust, Miller and Palmer (1992), "Behavior of trading automata in a computerized double auction market"; (1994).
Differs: other programs than the thirty of 1990; each pair is also played by itself, where the tournament of 1990 drew
    opponents at random; tokens are drawn anew every round.
"""

from catallax.core import NaNCount
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.double_auction import (
    Autocorrelation,
    Dispersion,
    Efficiency,
    EquilibriumProfit,
    Profit,
    SelectedCopies,
    Volume,
)

from .tournament_claims import CLAIMS
from .tournament_design import Settings, environments_of, line_ups_of, play
from .tournament_report import report


def _cell(settings: Settings, scale: str, place: str) -> Cell:
    alone = line_ups_of(settings, scale, place).alone
    controls = (Efficiency(), Dispersion(), Autocorrelation(), Volume())
    measures = (
        Profit(),
        SelectedCopies(EquilibriumProfit(), (0,), "draw"),
        *(SelectedCopies(measure, alone.tolist(), "rule") for measure in controls),
        NaNCount(),
    )
    build = lambda: play(settings, scale, place)
    return Cell(name=place, label=place, build=build, measures=measures, scales=(scale,))


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each environment and scale: a quick tournament has fewer traders."""
    scales = ("paper", "quick")
    return tuple(_cell(settings, scale, place) for scale in scales for place in environments_of(settings, scale))


SCALES = {
    "quick": Scale(steps=2, replications=10, block=10, chunk=2),
    "paper": Scale(steps=5, replications=20, block=4, chunk=5),
}
"""A step is a round of tokens, which a pair of traders plays twice: 200 rounds for each pair at scale paper."""

experiment = Experiment(
    name="double_auction.tournament",
    title="A tournament of trading rules in the ten environments of 1990",
    summary="Every pair, free-for-alls and intruders on equal tokens: ranking, pairwise tables, invasion, replicators",
    sources=("RustMillerPalmer1993", "RustMillerPalmer1994", "TaylorJonker1978", "GodeSunder1993", "Cliff1997"),
    settings=Settings,
    cells=cells,
    scales=SCALES,
    report=report,
    claims=CLAIMS,
)
