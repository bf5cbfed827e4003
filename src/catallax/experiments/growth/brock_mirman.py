"""A household that learns to save by proximal policy optimisation, against the closed-form policy.

The policy is judged, not the return: saving a tenth too much for ever costs 0.4 percent of consumption, less than the
noise of the mean reward of a phase.

Source: Brock and Mirman (1972); the algorithm is Schulman et al. (2017).
"""

from typing import Any

import jax.numpy as jnp
import msgspec
import numpy as np
import pandas

from catallax.agents.deep import PPO
from catallax.core import Group, InputError, NaNCount, Play, Population
from catallax.games.growth import BrockMirman, saving_interface
from catallax.lab import AbstractClaim, Cell, Experiment, Figure, Report, Results, Scale, Table
from catallax.lab.charts import curve_points, draw_series
from catallax.lab.claims import Margin, direction, shorter_than, value
from catallax.lab.figure import TWO_COLUMNS, state_sample
from catallax.lab.quantity import Quantity, recorded
from catallax.lab.statistics import mean_interval
from catallax.measures.growth import SavingPolicy, consumption_loss

LENGTH, COPIES = 16, 64
HOUSEHOLDS = ("stochastic productivity", "constant productivity", "control: does not learn")
"""What the values 0, 1 and 2 of the lane `household` mean."""
STOCHASTIC, CONSTANT, CONTROL = HOUSEHOLDS
MEASURED = SavingPolicy(every=10)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    alpha: float = 0.36
    """Capital's share in output, between 0 and 1."""
    beta: float = 0.95
    """Discount factor, between 0 and 1."""
    spread: float = 0.1
    """Productivity is 1 - spread or 1 + spread and stays with probability 0.9; between 0 and 1."""
    rate: float = 3e-3
    """Adam's first rate; positive."""


def economy(settings: Settings, **changes: Any) -> BrockMirman:
    """The economy of the settings, with its default shocks unless changed."""
    parameters: dict[str, Any] = {"alpha": settings.alpha, "beta": settings.beta} | changes
    return BrockMirman(**parameters)


def play(settings: Settings, household: Any) -> Play:
    """One of `HOUSEHOLDS`, by its number, in a phase of `LENGTH` periods; its number may be traced."""
    spread = settings.spread * (jnp.asarray(household) != HOUSEHOLDS.index(CONSTANT))
    rate = settings.rate * (jnp.asarray(household) != HOUSEHOLDS.index(CONTROL))
    game = economy(settings, productivity=jnp.stack([1 - spread, 1 + spread]))
    rule = PPO(rate=rate, rate_decay=0.99, gamma=1.0, widths=(16,))  # gamma: the game itself discounts
    return Play(game, Population((Group("household", None, rule, saving_interface()),)), length=LENGTH, copies=COPIES)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """All households on the same draws, in one program.

    Raises:
        InputError: a setting outside its range.
    """
    if not 0 < settings.spread < 1:
        raise InputError(f"growth.brock_mirman: spread must lie strictly between 0 and 1, got {settings.spread}")
    if not settings.rate > 0:
        raise InputError(f"growth.brock_mirman: rate must be positive (0 is the control's), got {settings.rate}")
    play(settings, 0)  # what is wrong with the other settings says so here
    return (
        Cell(
            name="ppo", label="proximal policy optimisation", build=lambda household: play(settings, household),
            measures=(MEASURED, NaNCount(every=10)), lanes={"household": tuple(range(len(HOUSEHOLDS)))},
        ),
    )  # fmt: skip


# What is read.


def path(household: str, variable: str) -> Quantity:
    """A variable of one of `HOUSEHOLDS` over time, [replicate, evaluation, ...]."""
    return recorded("ppo", variable, household=HOUSEHOLDS.index(household))


def last(household: str, variable: str) -> Quantity:
    """A variable at the end of each replication, [replicate, ...]."""
    return path(household, variable).last.then(lambda values: values.astype(float))


def best_share(settings: Settings) -> float:
    """alpha beta."""
    return settings.alpha * settings.beta


def relative_share(household: str) -> Quantity:
    """The share that is saved at the end in units of the best one, [replicate]."""
    share = last(household, "share")
    return Quantity(lambda results: share(results) / best_share(results.settings))


# What is claimed.

SOURCE = "BrockMirman1972"
_SET = "2026-12-01"
_FINISHED = shorter_than("paper")

CLAIMS: tuple[AbstractClaim, ...] = (
    *(value(f"saving_share.{name}", SOURCE, "the best policy saves the share alpha beta of output",
            1.0, Margin(0.01, "one percent is allowed for a policy that is still learning", _SET), "alpha beta",
            relative_share(who), f"mean over visited states, {who}, without the policy's noise",
            unfinished=_FINISHED)
      for name, who in (("stochastic", STOCHASTIC), ("constant", CONSTANT))),
    value("policy_error.stochastic", SOURCE, "the share is alpha beta in every state",
          0.0, Margin(0.03, "a policy learnt from noisy returns is taken as found within three percent", _SET), "1",
          last(STOCHASTIC, "policy_error"),
          "mean |s / (alpha beta) - 1| over visited states: an absolute error, which noise alone keeps above 0",
          unfinished=_FINISHED),
    value("share_slope.stochastic", SOURCE, "the share does not depend on capital", 0.0,
          Margin(0.005, "it moves the share by 4% from the lowest to the highest start", _SET), "1",
          last(STOCHASTIC, "share_slope"), unfinished=_FINISHED),
    direction("learning_helps", SOURCE,
              "the learnt policy is nearer to the best one than the policy of who does not learn",
              1, last(CONTROL, "policy_error") - last(STOCHASTIC, "policy_error"),
              "mean relative error of the share over visited states, control less learner, same draws",
              unfinished=_FINISHED),
)  # fmt: skip

# What is shown.


def report(results: Results[Settings]) -> Report:
    """Errors at the end, what a wrong constant share costs, and errors over time."""
    return Report(tables=(_policies(results), _flatness(results)), figures=(_figure(results),))


def _policies(results: Results[Settings]) -> Table:
    rows = []
    for who in HOUSEHOLDS:
        row: dict[str, Any] = {"household": who}
        for variable in ("share", "policy_error", "policy_error_grid", "share_slope", "consumption_lost", "reward"):
            estimate = mean_interval(last(who, variable)(results))
            row |= {variable: estimate.mean, f"{variable}_sd": estimate.sd}
        rows.append(row)
    caption = (
        f"At the end, means and SD over {results.scale.replications} replications. The best share is "
        f"{best_share(results.settings):g} in every state. share, policy_error and consumption_lost are means over "
        "the states visited in the last phase; policy_error_grid is the largest relative error for capital between "
        "0.1 and 2 steady states; reward is ln c - ln c_ss as played, with the policy's noise."
    )
    return Table.of_rows("policy", caption, rows, decimals=4)


def _flatness(results: Results[Settings]) -> Table:
    game = economy(results.settings)
    wrong = np.array([-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5])
    share = best_share(results.settings) * (1 + wrong)
    wrong, share = wrong[share < 1], share[share < 1]
    loss = np.asarray(consumption_loss(game, jnp.asarray(share, jnp.float32)), float).round(6) + 0.0  # no -0
    frame = pandas.DataFrame({"share_error": wrong, "share": share, "consumption_lost": loss})
    caption = "What saving a wrong constant share for ever costs, as a share of consumption: why returns cannot judge."
    return Table(name="flatness", frame=frame, caption=caption, decimals=5)


def _figure(results: Results[Settings]) -> Figure:
    parts, phases = [], results.dataset("ppo")["phase"].values + 1
    for who in HOUSEHOLDS:
        errors, shares = path(who, "policy_error")(results), last(who, "share_by_capital")(results)
        parts.append(curve_points(errors, "x", phases, panel="learning", household=who))
        parts.append(curve_points(shares, "x", MEASURED.grid(), panel="policy", household=who))
    data, best, n = pandas.concat(parts, ignore_index=True), best_share(results.settings), results.scale.replications

    def draw(sheet: Any) -> None:
        left, right = sheet.subplots(1, 2)
        panels = zip((left, right), data.groupby("panel", sort=False), strict=True)
        banded = [draw_series(axes, part, "household", "x") for axes, (_, part) in panels]
        left.set(xlabel="phase", ylabel="mean relative error of the saving share", yscale="log")
        right.axhline(best, color="#888888", linewidth=0.9, linestyle="--", zorder=0)
        right.annotate("alpha beta", (2.0, best), xytext=(0, -9), textcoords="offset points", fontsize=7, ha="right")
        right.set(xlabel="capital / steady state", ylabel="share of output saved", xscale="log")
        right.legend()
        state_sample(sheet, n, "95% t interval" if all(banded) else None)

    caption = (
        f"Left: mean over visited states of |s / (alpha beta) - 1|, over phases of {LENGTH} periods in {COPIES} "
        "copies. Right: the share at the end against capital, without the policy's noise; dashed: the best share. "
        f"Means and 95% t intervals over {n} replications."
    )
    return Figure(name="policy", draw=draw, data=data, caption=caption, size=TWO_COLUMNS)


experiment = Experiment(
    name="growth.brock_mirman", settings=Settings, cells=cells, report=report, claims=CLAIMS,
    title="A household learns to save: proximal policy optimisation in the Brock-Mirman economy",
    summary="The learnt saving share against the closed-form policy, state by state",
    sources=("BrockMirman1972", "Schulman2017", "Schulman2016", "KakadeLangford2002", "KingmaBa2015", "optax"),
    scales={
        "quick": Scale(steps=120, replications=10, block=10, chunk=20),
        "paper": Scale(steps=600, replications=20, block=20, chunk=20),
    },
)  # fmt: skip
