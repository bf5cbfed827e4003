"""A small stochastic dynamics and an experiment of it, for the tests of the laboratory.

As a program, for the tests that kill it: `python toy_experiment.py DIRECTORY STEPS CHUNK WORK PAUSE` runs it and prints
a line at each event.
"""

import functools
import os
import signal
import sys
import time
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import msgspec
import numpy as np
from jaxtyping import Array, Float, Int

from catallax.core import AbstractDynamics, AbstractMeasure, Variable, rng
from catallax.core.errors import CatallaxError
from catallax.lab import Cell, Experiment, Scale
from catallax.lab.progress import SilentProgress


class WalkState(NamedTuple):
    place: Float[Array, " walkers"]
    visits: Int[Array, ""]
    key: Any


class Walk(AbstractDynamics):
    """Correlated walkers with noise; the state also holds a key of its own, an integer and no NaN."""

    drift: Array = eqx.field(converter=jnp.asarray)
    spread: Array = eqx.field(converter=jnp.asarray)
    walkers: int = eqx.field(static=True, default=3)
    work: int = eqx.field(static=True, default=1)
    nan_at: int = eqx.field(static=True, default=-1)

    def init(self, key: Any) -> WalkState:
        start = jax.random.normal(rng.fold(key, 7), (self.walkers,))
        return WalkState(start, jnp.int32(0), rng.fold(key, 8))

    def step(self, key: Any, state: WalkState, t: Any) -> tuple[WalkState, Array]:
        noise = self.spread * jax.random.normal(rng.fold(key, 9, t), (self.walkers,))
        place = jax.lax.fori_loop(0, self.work, lambda _, x: 0.9 * jnp.tanh(x + self.drift), state.place) + noise
        if self.nan_at >= 0:
            place = jnp.where((t == self.nan_at) & (noise[0] > 0), jnp.nan, place)
        return WalkState(place, state.visits + 1, rng.fold(state.key, t)), noise


class Place(AbstractMeasure):
    """Where the walkers are."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("place", ("walker",), "m", "where each walker is"),
            Variable("lowest", (), "m", "the lowest place; undefined if all are above zero", True),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Any) -> dict[str, Array]:
        low = state.place.min()
        return {"place": state.place, "lowest": jnp.where(low < 0, low, jnp.nan)}


class Noise(AbstractMeasure):
    """The noise of every third step."""

    every: int = eqx.field(static=True, default=3)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("noise", ("walker",), "m", "noise of the step"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Any) -> dict[str, Array]:
        return {"noise": record}


class WalkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    drift: float = 0.1
    walkers: int = 3
    work: int = 1
    nan_at: int = -1


@functools.cache  # so that tests can share the programs of cells
def cells(s: WalkSettings) -> tuple[Cell, ...]:
    def build(spread: Any = 1.0) -> Walk:
        return Walk(drift=s.drift, spread=spread, walkers=s.walkers, work=s.work, nan_at=s.nan_at)

    return (
        Cell(name="plain", label="Plain", build=build, measures=(Place(), Noise())),
        Cell(name="lanes", label="Lanes", build=build, measures=(Place(),), lanes={"spread": (0.5, 1.0, 2.0)}),
    )


def experiment(steps: int = 24, replications: int = 3, block: int = 2, chunk: int = 6, **other: Any) -> Experiment:
    scale = Scale(steps=steps, replications=replications, block=block, chunk=chunk)
    values = dict(
        name="test.walk",
        title="A walk",
        summary="Walkers with drift",
        sources=(),
        settings=WalkSettings,
        cells=cells,
        scales={"quick": scale, "paper": scale},
        report=lambda results: None,
        claims=(),
    )
    return Experiment(**{**values, **other})


def lanes_only(steps: int, chunk: int) -> Experiment:
    """The experiment of the program."""
    return experiment(steps=steps, chunk=chunk, cells=lambda s: cells(s)[1:])


def same_bits(a: Any, b: Any) -> bool:
    """Whether two trees of arrays have the same structure and the same bits."""

    def raw(x: Any) -> bytes:
        is_key = jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(x) if is_key else x).tobytes()

    leaves_a, leaves_b = jax.tree.leaves(a), jax.tree.leaves(b)
    same = jax.tree.structure(a) == jax.tree.structure(b)
    return same and all(raw(x) == raw(y) for x, y in zip(leaves_a, leaves_b, strict=True))


class Loud(SilentProgress):
    """Prints each event at once, so that a test can fire at it."""

    def stage(self, text: str) -> None:
        print("stage", text, flush=True)

    def plan(self, total: int, done: int) -> None:
        print("plan", total, done, flush=True)

    def advance(self, steps: int) -> None:
        print("advance", steps, flush=True)

    def note(self, text: str) -> None:
        print("note", text, flush=True)


GRACE = 0.5
"""The grace of the program, in seconds. It is short, because the computation goes on meanwhile."""


def main() -> None:
    from catallax.lab import interrupt
    from catallax.lab.execute import execute

    # A process in the background may have been told to ignore Ctrl-C; this one is to be stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt.GRACE = GRACE
    directory, steps, chunk, work, pause = sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5])
    if pause:  # a slow disk: the kill may also land between a write and its rename
        replace = os.replace
        os.replace = lambda a, b: (time.sleep(pause), replace(a, b))[1]
    try:
        execute(lanes_only(steps, chunk), WalkSettings(work=work), "quick", 5, directory, progress=Loud())
        print("done", flush=True)
        code = 0
    except CatallaxError as error:
        print("error", type(error).__name__, error, flush=True)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
