"""Auctions with Q-learners: first price, second price and between, with and without feedback on the bids not made.

Two bidders to whom one unit is worth 1 meet in a million auctions; each keeps one value for each bid. Replications are
runs. What an auction pays them, its static equilibria and the independent program's figures stand beside.

Source: Banchio and Skrzypacz (2022), of which we have the abstract and what others say of it.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import msgspec

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning, SynchronousQLearning, UniformValues
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.sealed_bid import AffiliatedValues, ConstantValue, SealedBid, even_grid
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.measures.sealed_bid import LastBids, Revenue

from .auction_reading import WINDOW
from .auction_settings import GROUPS, SIGNALS, Setting
from .auctions_claims import CLAIMS
from .auctions_report import report

LONG, SHORT = 1_000_000, 300_000
"""Auctions of a run; where all bids are updated fewer are enough."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line. Recalled, not read: the texts that we have do not print them."""

    bids: int = 19
    """Bids on the grid, at equal distances inside (0, 1)."""
    alpha: float = 0.05
    """Step size."""
    gamma: float = 0.99
    """Discount factor."""
    epsilon: float = 0.025
    """First chance of exploring."""
    decay: float = 2e-4
    """Its rate of decay a round."""


def auction(settings: Settings, rows: tuple[Setting, ...], feedback: str, with_value: bool) -> Callable[..., Play]:
    """From the place of a setting to two learners at play; the value among the bids has parameters of its own."""
    alpha, gamma = (0.1, 0.95) if with_value else (settings.alpha, settings.gamma)
    column = lambda name: jnp.asarray([float(getattr(row, name)) for row in rows])
    eta = None if rows[0].affiliation is None else column("affiliation")

    def build(setting: Any) -> Play:
        step = 1 / (settings.bids + 1)
        grid = even_grid(0.0, 1.0, 11) if with_value else even_grid(step, 1 - step, settings.bids)
        law = ConstantValue() if eta is None else AffiliatedValues(SIGNALS, eta[setting])
        game = SealedBid(  # pyright: ignore  (takes the inherited property `roles` for a field)
            bids=grid, rule=column("rule")[setting], values=law, feedback=feedback
        )
        first = UniformValues(column("low")[setting], column("high")[setting])
        discount = gamma * column("patient")[setting]
        explore = EpsilonGreedy(settings.epsilon, decay=settings.decay)
        if feedback == "full":
            rule: Any = SynchronousQLearning(game.actions, explore=explore, alpha=alpha, gamma=discount, initial=first)
        else:
            rule = QLearning(
                game.states, game.actions, explore=explore, rate=ConstantRate(alpha), gamma=discount, initial=first
            )
        return Play(game, Population((Group("bidder", None, rule),)), length=1, episodic=False)

    return build


def cells(settings: Settings) -> tuple[Cell, ...]:
    """One for each kind of bidders and grid; its settings are a lane. Affiliated values: only at scale "paper"."""
    made = []
    for name, rows in GROUPS.items():
        feedback = "full" if name in ("synchronous", "value_revealed") else "none"
        paper = SHORT if feedback == "full" else LONG
        scales = ("paper",) if name == "affiliated" else None
        quick = LONG if name == "asynchronous" else paper // 3
        made.append(
            Cell(
                name=name,
                label=name.replace("_", " "),
                build=auction(settings, rows, feedback, name.startswith("value")),
                lanes={"setting": tuple(range(len(rows)))},
                measures=(Revenue(WINDOW), LastBids(100_000), NaNCount(100_000)),
                steps={"quick": quick // 100_000 * 100_000, "paper": paper},
                scales=scales,
            )
        )
    return tuple(made)


experiment = Experiment(
    name="learning_dynamics.auctions",
    title="Q-learners in sealed-bid auctions",
    summary="First price, second price and between; what bidders learn with and without feedback, beside static Nash",
    sources=("BanchioSkrzypacz2022", "RawatAuctions2023", "WatkinsDayan1992"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=LONG, replications=10, block=10, chunk=100_000),
        "paper": Scale(steps=LONG, replications=200, block=200, chunk=100_000),
    },
    report=report,
    claims=CLAIMS,
    x64=True,
)
