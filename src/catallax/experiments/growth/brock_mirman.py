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
import xarray

from catallax.agents.deep import PPO
from catallax.core import Group, InputError, NaNCount, Play, Population
from catallax.games.growth import BrockMirman, saving_interface
from catallax.lab.claims import AbstractClaim, Direction, Value
from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.lab.figure import TWO_COLUMNS, Figure, plot_with_interval, state_sample
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table
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
    cell = Cell(
        name="ppo",
        label="proximal policy optimisation",
        build=lambda household: play(settings, household),
        measures=(MEASURED, NaNCount(every=10)),
        lanes={"household": tuple(range(len(HOUSEHOLDS)))},
    )
    return (cell,)


def series(results: Any, household: str, variable: str) -> xarray.DataArray:
    """A variable of one of `HOUSEHOLDS` over time, dimensions replicate, phase and its own."""
    return results.dataset("ppo")[variable].isel(household=HOUSEHOLDS.index(household))


def last(results: Any, household: str, variable: str) -> np.ndarray:
    """A variable at the end of each replication."""
    return series(results, household, variable).isel(phase=-1).values.astype(float)


def best_share(settings: Settings) -> float:
    """alpha beta."""
    return settings.alpha * settings.beta


CLAIMS: tuple[AbstractClaim, ...] = (
    *(
        Value(
            id=f"saving_share.{name}",
            source="BrockMirman1972",
            statement="the best policy saves the share alpha beta of output",
            published=1.0,
            error=0.01,
            error_reason="exact; one percent is allowed for a policy that is still learning",
            unit="alpha beta",
            estimate=lambda results, who=who: last(results, who, "share") / best_share(results.settings),
            note=f"mean over visited states, {who}, without the policy's noise",
        )
        for name, who in (("stochastic", STOCHASTIC), ("constant", CONSTANT))
    ),
    Value(
        id="policy_error.stochastic",
        source="BrockMirman1972",
        statement="the share is alpha beta in every state",
        published=0.0,
        error=0.03,
        error_reason="exact; a policy learnt from noisy returns is taken as found within three percent",
        unit="1",
        estimate=lambda results: last(results, STOCHASTIC, "policy_error"),
        note="mean |s / (alpha beta) - 1| over visited states: an absolute error, which noise alone keeps above 0",
    ),
    Value(
        id="share_slope.stochastic",
        source="BrockMirman1972",
        statement="the share does not depend on capital",
        published=0.0,
        error=0.005,
        error_reason="exact; 0.005 a log point of capital moves the share by 4% from the lowest to the highest start",
        unit="1",
        estimate=lambda results: last(results, STOCHASTIC, "share_slope"),
    ),
    Direction(
        id="learning_helps",
        source="BrockMirman1972",
        statement="the learnt policy is nearer to the best one than the policy of who does not learn",
        sign=1,
        estimate=lambda results: last(results, CONTROL, "policy_error") - last(results, STOCHASTIC, "policy_error"),
        note="mean relative error of the share over visited states, control less learner, same draws",
    ),
)


def report(results: Any) -> Report:
    """Errors at the end, what a wrong constant share costs, and errors over time."""
    return Report(tables=(_policies(results), _flatness(results)), figures=(_figure(results),))


def _policies(results: Any) -> Table:
    rows = []
    for who in HOUSEHOLDS:
        row: dict[str, Any] = {"household": who}
        for variable in ("share", "policy_error", "policy_error_grid", "share_slope", "consumption_lost", "reward"):
            estimate = mean_interval(last(results, who, variable))
            row |= {variable: estimate.mean, f"{variable}_sd": estimate.sd}
        rows.append(row)
    caption = (
        f"At the end, means and SD over {results.scale.replications} replications. The best share is "
        f"{best_share(results.settings):g} in every state. share, policy_error and consumption_lost are means over "
        "the states visited in the last phase; policy_error_grid is the largest relative error for capital between "
        "0.1 and 2 steady states; reward is ln c - ln c_ss as played, with the policy's noise."
    )
    return Table(name="policy", frame=pandas.DataFrame(rows), caption=caption, decimals=4)


def _flatness(results: Any) -> Table:
    game = economy(results.settings)
    wrong = np.array([-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5])
    share = best_share(results.settings) * (1 + wrong)
    wrong, share = wrong[share < 1], share[share < 1]
    loss = np.asarray(consumption_loss(game, jnp.asarray(share, jnp.float32)), float).round(6) + 0.0  # no -0
    frame = pandas.DataFrame({"share_error": wrong, "share": share, "consumption_lost": loss})
    caption = "What saving a wrong constant share for ever costs, as a share of consumption: why returns cannot judge."
    return Table(name="flatness", frame=frame, caption=caption, decimals=5)


def _curve(values: np.ndarray, at: np.ndarray, panel: str, who: str) -> pandas.DataFrame:
    """Means and intervals of `values` [replicate, x] at the abscissae `at`."""
    estimates = [mean_interval(x) for x in values.T]
    columns = {name: [getattr(e, name) for e in estimates] for name in ("mean", "low", "high")}
    return pandas.DataFrame({"panel": panel, "household": who, "x": at, **columns})


def _figure(results: Any) -> Figure:
    frames = []
    for who in HOUSEHOLDS:
        errors = series(results, who, "policy_error")
        frames.append(_curve(errors.values, errors["phase"].values + 1, "learning", who))
        frames.append(_curve(last(results, who, "share_by_capital"), MEASURED.grid(), "policy", who))
    data, best, n = pandas.concat(frames, ignore_index=True), best_share(results.settings), results.scale.replications

    def draw(sheet: Any) -> None:
        left, right = sheet.subplots(1, 2)
        known = bool(data["low"].notna().all())
        for axes, panel in ((left, "learning"), (right, "policy")):
            for index, (who, part) in enumerate(data[data["panel"] == panel].groupby("household", sort=False)):
                x, mean, low, high = (np.asarray(part[name], float) for name in ("x", "mean", "low", "high"))
                band = (low, high) if known else (None, None)
                plot_with_interval(axes, x, mean, *band, index=index, label=str(who))
        left.set(xlabel="phase", ylabel="mean relative error of the saving share", yscale="log")
        right.axhline(best, color="#888888", linewidth=0.9, linestyle="--", zorder=0)
        right.annotate("alpha beta", (2.0, best), xytext=(0, -9), textcoords="offset points", fontsize=7, ha="right")
        right.set(xlabel="capital / steady state", ylabel="share of output saved", xscale="log")
        right.legend()
        state_sample(sheet, n, "95% t interval" if known else None)

    caption = (
        f"Left: mean over visited states of |s / (alpha beta) - 1|, over phases of {LENGTH} periods in {COPIES} "
        "copies. Right: the share at the end against capital, without the policy's noise; dashed: the best share. "
        f"Means and 95% t intervals over {n} replications."
    )
    return Figure(name="policy", draw=draw, data=data, caption=caption, size=TWO_COLUMNS)


experiment = Experiment(
    name="growth.brock_mirman",
    title="A household learns to save: proximal policy optimisation in the Brock-Mirman economy",
    summary="The learnt saving share against the closed-form policy, state by state",
    sources=("BrockMirman1972", "Schulman2017", "Schulman2016", "KakadeLangford2002", "KingmaBa2015", "optax"),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=120, replications=10, block=10, chunk=20),
        "paper": Scale(steps=600, replications=20, block=20, chunk=20),
    },
    report=report,
    claims=CLAIMS,
)
