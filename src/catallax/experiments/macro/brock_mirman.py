"""A household that learns to save by proximal policy optimisation, against the closed-form policy.

The policy is judged, not the return: saving a tenth too much for ever costs 0.4 percent of consumption, less than the
noise of the mean reward of a phase.

Source: Brock and Mirman (1972); the algorithm is Schulman et al. (2017).
"""

from typing import Any

import msgspec
import numpy as np
import pandas
import xarray

from catallax.agents.learners.ppo import PPO
from catallax.core import Group, NaNCount, Play, Population
from catallax.games.macro import BrockMirman, saving_interface
from catallax.lab.claims import AbstractClaim, Direction, Value
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.lab.figure import TWO_COLUMNS, Figure, plot_with_interval
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table
from catallax.measures.macro import SavingPolicy, constant_share_loss

LENGTH, COPIES = 16, 64
LABELS = {"ppo": "stochastic productivity", "certain": "constant productivity", "untrained": "untrained control"}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    alpha: float = 0.36
    """Capital's share in output."""
    beta: float = 0.95
    """Discount factor."""
    rate: float = 3e-3
    """Adam's first rate; positive."""


def household(settings: Settings, rate: Any, *, certain: bool = False) -> Play:
    """One household; `certain`: productivity is 1 for ever."""
    chain = {"productivity": (1.0,), "transition": ((1.0,),)} if certain else {}
    game = BrockMirman(alpha=settings.alpha, beta=settings.beta, **chain)
    rule = PPO(
        rate=rate,
        rate_decay=0.99,
        gamma=1.0,  # the game discounts
        lambda_=0.8,
        sigma=0.3,
        widths=(16,),
    )
    return Play(game, Population((Group("household", None, rule, saving_interface()),)), length=LENGTH, copies=COPIES)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """With shocks, where a household that does not learn (rate 0) is the control, and without shocks."""
    measures = (SavingPolicy(every=10), NaNCount(every=10))
    return (
        Cell(
            name="ppo",
            label=LABELS["ppo"],
            build=lambda rate: household(settings, rate),
            measures=measures,
            lanes={"rate": (0.0, settings.rate)},
        ),
        Cell(
            name="certain",
            label=LABELS["certain"],
            build=lambda: household(settings, settings.rate, certain=True),
            measures=measures,
        ),
    )


def series(results: Any, household: str, variable: str) -> xarray.DataArray:
    """A variable of one of `LABELS` over time, dimensions replicate and phase."""
    data = results.dataset("certain" if household == "certain" else "ppo")[variable]
    return data if household == "certain" else data.isel(rate=0 if household == "untrained" else 1)


def last(results: Any, household: str, variable: str) -> np.ndarray:
    """A variable at the end of each replication."""
    return series(results, household, variable).values[:, -1].astype(float)


_SHARE = 0.36 * 0.95
CLAIMS: tuple[AbstractClaim, ...] = (
    *(
        Value(
            id=f"saving_share.{cell}",
            source="BrockMirman1972",
            statement="the best policy saves the share alpha beta of output",
            published=_SHARE,
            error=0.01 * _SHARE,
            error_reason="exact; one percent is allowed for a policy that still learns",
            unit="1",
            estimate=lambda results, cell=cell: last(results, cell, "share"),
            note=f"mean over states, {LABELS[cell]}; holds for the default alpha 0.36 and beta 0.95",
        )
        for cell in ("ppo", "certain")
    ),
    Value(
        id="share_slope.ppo",
        source="BrockMirman1972",
        statement="the share does not depend on capital",
        published=0.0,
        error=0.005,
        error_reason="exact; 0.005 a log point of capital moves the share by 4% over all starting capitals",
        unit="1",
        estimate=lambda results: last(results, "ppo", "share_slope"),
    ),
    Direction(
        id="learning_helps",
        source="BrockMirman1972",
        statement="the learnt policy is nearer to the best one than the untrained",
        sign=1,
        estimate=lambda results: last(results, "untrained", "policy_error") - last(results, "ppo", "policy_error"),
        note="largest relative error of the share over states, untrained less learnt",
    ),
)


def report(results: Any) -> Report:
    """Errors at the end, what a wrong constant share costs, and errors over time."""
    return Report(tables=(_errors(results), _flatness(results)), figures=(_curves(results),))


def _errors(results: Any) -> Table:
    rows = []
    for cell, label in LABELS.items():
        row: dict[str, Any] = {"household": label}
        for variable in ("share", "policy_error", "policy_error_mean", "share_slope", "euler_error", "reward"):
            estimate = mean_interval(last(results, cell, variable))
            row |= {variable: estimate.mean, f"{variable}_sd": estimate.sd}
        rows.append(row)
    best = results.settings.alpha * results.settings.beta
    caption = (
        f"At the end, means and SD over {results.scale.replications} replications. The best share is {best:g} in every "
        "state; policy_error is the largest relative error over states, euler_error a log10."
    )
    return Table(name="policy", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _flatness(results: Any) -> Table:
    game = BrockMirman(alpha=results.settings.alpha, beta=results.settings.beta)
    wrong = np.array([-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5])
    share = np.asarray(game.best_share) * (1 + wrong)
    loss = np.asarray(constant_share_loss(game, share))
    frame = pandas.DataFrame({"share_error": wrong, "share": share, "consumption_lost": loss})
    caption = "What saving a wrong constant share for ever costs, as a share of consumption: why returns cannot judge."
    return Table(name="flatness", frame=frame, caption=caption, decimals=5)


def _curves(results: Any) -> Figure:
    frames = []
    for cell in ("ppo", "certain"):
        data = series(results, cell, "policy_error_mean")
        estimates = [mean_interval(x) for x in data.values.T]
        columns = {name: [getattr(e, name) for e in estimates] for name in ("mean", "low", "high")}
        frames.append(pandas.DataFrame({"household": LABELS[cell], "phase": data["phase"].values + 1, **columns}))
    data = pandas.concat(frames, ignore_index=True)

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, (label, part) in enumerate(data.groupby("household", sort=False)):
            known = bool(part["low"].notna().all())
            low, high = (part["low"].astype(float), part["high"].astype(float)) if known else (None, None)
            plot_with_interval(axes, part["phase"], part["mean"], low, high, index=index, label=str(label))
        axes.set(xlabel="phase", ylabel="mean relative error of the saving share", yscale="log")
        axes.legend()

    return Figure(
        name="policy_error",
        draw=draw,
        data=data,
        caption=(
            "Mean over states of |s / s* - 1|; mean and 95% t interval over "
            f"{results.scale.replications} replications. A phase is {LENGTH} periods of {COPIES} households."
        ),
        size=TWO_COLUMNS,
    )


experiment = Experiment(
    name="macro.brock_mirman",
    title="A household learns to save: proximal policy optimisation in the Brock-Mirman economy",
    summary="The learnt saving share against the closed-form policy, state by state",
    sources=("BrockMirman1972", "Schulman2017", "Schulman2016", "KingmaBa2015", "optax"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=200, replications=10, block=10, chunk=20),
        "paper": Scale(steps=600, replications=40, block=20, chunk=20),
    },
    report=report,
    claims=CLAIMS,
)
