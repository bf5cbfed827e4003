"""Algorithmic pricing: two Q-learners set prices in a logit duopoly and end up charging more than Nash.

Sessions are replications. Each ends when neither firm's greedy policy has changed for 100,000 periods; since sessions
run side by side, all run on to the same length, and each is read at the first check (every 25,000 periods) after it
settled.

Source: Calvano, Calzolari, Denicolo and Pastorello (2020), sections II to IV.
"""

from functools import partial
from typing import Any

import msgspec

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning
from catallax.core import Group, NaNCount, Play, Population
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.pricing import Collusion, PriceCut

from .calvano_report import CLAIMS, report
from .sessions import game_of

CHECK = 25_000
"""Periods between two looks at a session."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    costs: tuple[float, float] = (1.0, 1.0)
    """Marginal costs of the two firms."""
    mu: float = 0.25
    """Horizontal differentiation."""
    points: int = 15
    """Prices on the grid."""
    discount: float = 0.95
    """The firms' discount factor."""
    patience: int = 100_000
    """Periods of unchanged greedy policies after which a session is settled."""


def duopoly(settings: Settings, alpha: float, beta: float, discount: Any) -> Play:
    """Two Q-learners with step size alpha and exploration exp(-beta t), starting from uniform rivals' profits."""
    game = game_of(settings)
    start = game.uniform_start(discount)
    groups = tuple(
        Group(
            "firm",
            seats,
            QLearning(
                states=game.observations,
                actions=game.points,
                explore=EpsilonGreedy(1.0, decay=beta, one_word=True),
                rate=ConstantRate(alpha),
                gamma=discount,
                initial=start[first],
                track_settling=True,
            ),
        )
        # firms that are alike are one group, which is one kernel instead of two
        for first, seats in ([(0, None)] if len(set(settings.costs)) == 1 else [(0, [0]), (1, [1])])
    )
    return Play(game, Population(groups), length=1, episodic=False)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """The baseline, two faster explorations, and firms that do not look ahead: the control."""
    measures = (Collusion(CHECK, settings.patience), NaNCount(CHECK))
    make = partial(Cell, measures=measures)
    build = partial(partial, duopoly, settings)
    ahead = settings.discount
    return (
        make(
            name="baseline",
            label="alpha 0.15, beta 4e-6",
            build=build(0.15, 4e-6, ahead),
            measures=(*measures, PriceCut(CHECK, ahead)),
            steps={"quick": 2_500_000, "paper": 4_000_000},
        ),
        make(
            name="midpoint",
            label="alpha 0.125, beta 1e-5",
            build=build(0.125, 1e-5, ahead),
            steps={"quick": 1_250_000, "paper": 2_000_000},
        ),
        make(
            name="fast",
            label="alpha 0.15, beta 2e-5, with and without look ahead",
            build=build(0.15, 2e-5),
            lanes={"discount": tuple(dict.fromkeys((ahead, 0.0)))},
        ),
    )


experiment = Experiment(
    name="pricing.calvano",
    title="Q-learners in a pricing duopoly: collusion without instruction",
    summary="Profit gain over Nash, time to settle, and what happens after one firm undercuts",
    sources=("CalvanoEtAl2020", "WatkinsDayan1992"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=750_000, replications=12, block=12, chunk=CHECK),
        "paper": Scale(steps=1_500_000, replications=100, block=100, chunk=CHECK),
    },
    report=report,
    claims=CLAIMS,
)
