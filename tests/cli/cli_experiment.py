"""A small experiment for the tests of the command line: a mean of noise, with claims of every kind."""

from typing import Annotated, Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pandas as pd
from jaxtyping import Array

from catallax.core import AbstractDynamics, AbstractMeasure, Variable, rng
from catallax.lab import Cell, Experiment, Scale
from catallax.lab.claims import Baseline, Direction, Margin, NotComparable, Value
from catallax.lab.figure import Figure, plot_with_interval, state_sample
from catallax.lab.report import Report
from catallax.lab.statistics import mean_interval
from catallax.lab.table import Table


class Noise(AbstractDynamics):
    """Normal draws around a mean, after some work that does not matter."""

    mean: Array = eqx.field(converter=jnp.asarray)
    work: int = eqx.field(static=True, default=1)
    nan_at: int = eqx.field(static=True, default=-1)

    def init(self, key: Any) -> Array:
        return jnp.zeros(())

    def step(self, key: Any, state: Array, t: Any) -> tuple[Array, Array]:
        busy = jax.lax.fori_loop(0, self.work, lambda _, x: jnp.tanh(x + 1.0), state)
        draw = self.mean + jax.random.normal(rng.fold(key, t)) + 0.0 * busy
        draw = jnp.where(t == self.nan_at, jnp.nan, draw)
        return draw, draw


class Draw(AbstractMeasure):
    """The draw of each step."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("draw", (), "token", "the draw of the step"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Any) -> dict[str, Array]:
        return {"draw": record}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    mean: Annotated[float, msgspec.Meta(ge=-100.0, le=100.0)] = 1.0
    traders: Annotated[int, msgspec.Meta(ge=1)] = 4
    rule: Literal["midpoint", "coin"] = "midpoint"
    strict: bool = False
    work: Annotated[int, msgspec.Meta(ge=1)] = 1
    nan_at: int = -1
    breaks: Literal["nothing", "claim", "report"] = "nothing"


def cells(settings: Settings) -> tuple[Cell, ...]:
    def treatment() -> Noise:
        return Noise(mean=settings.mean, work=settings.work, nan_at=settings.nan_at)

    def control() -> Noise:
        return Noise(mean=0.0)

    return (
        Cell(name="treatment", label="Treatment", build=treatment, measures=(Draw(),)),
        Cell(name="control", label="Control", build=control, measures=(Draw(),)),
    )


def mean_of(cell: str):
    return lambda results: results.dataset(cell)["draw"].mean("phase")


def fragile(results: Any) -> Any:
    if results.settings.breaks == "claim":
        raise KeyError("no such variable")
    return mean_of("treatment")(results)


def report(results: Any) -> Report:
    if results.settings.breaks == "report":
        raise RuntimeError("the report is broken")
    draws = {name: results.dataset(name)["draw"].values for name in ("treatment", "control")}
    rows = [[name, *mean_interval(values.mean(axis=1))[:3]] for name, values in draws.items()]
    frame = pd.DataFrame(rows, columns=["cell", "mean", "low", "high"])
    x = np.arange(draws["control"].shape[1])
    curves = {name: values.mean(axis=0) for name, values in draws.items()}

    def draw(sheet: Any) -> None:
        axes = sheet.subplots()
        for index, (name, curve) in enumerate(curves.items()):
            plot_with_interval(axes, x, curve, None, None, index=index, label=name)
        axes.legend()
        state_sample(sheet, draws["control"].shape[0], None)

    data = pd.DataFrame({"step": x, **curves})
    return Report(
        (Table(name="means", frame=frame, caption="Mean draw in tokens."),),
        (Figure(name="draws", draw=draw, data=data, caption="Draws by step."),),
    )


experiment = Experiment(
    name="test.noise",
    title="Noise around a mean",
    summary="A treatment and its control",
    sources=("Smith1962",),
    settings=Settings,
    cells=cells,
    scales={
        "quick": Scale(steps=40, replications=4, block=2, chunk=10),
        "paper": Scale(steps=40, replications=12, block=4, chunk=10),
    },
    report=report,
    claims=(
        Value(
            id="mean",
            source="Smith1962, chart 1",
            statement="the mean is 1",
            published=1.0,
            margin=Margin(0.2, "rounding", "2026-12-01"),
            unit="token",
            estimate=mean_of("treatment"),
            baseline=Baseline("control", 0.0, mean_of("control")),
        ),
        Direction(id="sign", source="Smith1962", statement="positive", sign=1, estimate=fragile),
        NotComparable(
            id="humans", source="Smith1962", statement="humans do better", published="better", missing="data"
        ),
    ),
)
