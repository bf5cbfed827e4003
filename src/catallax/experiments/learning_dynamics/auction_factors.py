"""What makes Q-learners collude in auctions: a fractional factorial experiment with ten factors at two levels.

A replication runs the whole design and gives one estimate of each effect, so intervals are over replications. Factors
that are numbers in the program are swept in it; those that change its shape make cells.

Source: the questions are those of Rawat (2023) and of the later study in the same repository; levels are ours.
"""

import msgspec

from catallax.core import NaNCount
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.sealed_bid import LastBids, Revenue

from .auction_factors_claims import CLAIMS
from .auction_factors_design import groups, play_of
from .auction_factors_reading import WINDOWS
from .auction_factors_report import report

ROUNDS = {"quick": 12_000, "paper": 100_000}
"""Auctions of a run."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing may be changed: a level changed by hand would leave the design as it is described."""


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each shape of program at each scale; its points of the design are a lane."""
    return tuple(
        Cell(
            name=name,
            label=name.replace("_", " "),
            build=play_of(scale, numbers, rounds),
            lanes={"point": tuple(range(len(numbers)))},
            measures=(Revenue(rounds // WINDOWS), LastBids(rounds), NaNCount(rounds)),
            steps={scale: rounds},
            scales=(scale,),
        )
        for scale, rounds in ROUNDS.items()
        for name, numbers in groups(scale).items()
    )


experiment = Experiment(
    name="learning_dynamics.auction_factors",
    title="What makes Q-learners collude in auctions: a factorial experiment",
    summary="Main effects and interactions of ten factors on price, time to settle and equal bids, with intervals",
    sources=("RawatAuctions2023", "RawatAuctions2026", "BanchioSkrzypacz2022", "BoxHunterHunter2005", "Holm1979"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=ROUNDS["quick"], replications=10, block=10, chunk=ROUNDS["quick"]),
        "paper": Scale(steps=ROUNDS["paper"], replications=20, block=20, chunk=ROUNDS["paper"]),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
