"""What an experiment is: cells, lanes, replications, scales, and the settings a user may change.

An experiment is plain data: `catallax.lab.execute` runs it, and `catallax.lab.results` reads what it recorded.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

import msgspec

from catallax.core.dynamics import AbstractDynamics
from catallax.core.errors import InputError
from catallax.core.measure import AbstractMeasure, Variable
from catallax.lab.report import Report

S = TypeVar("S", bound=msgspec.Struct)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
RESERVED_DIMENSIONS = ("replicate", "phase")
"""Dimensions that every dataset has. Neither a lane nor a measure may use these names."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the known name most like `name`, or all of them if none is close."""
    known = list(known)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else "there is none"


def _check_name(kind: str, name: str) -> None:
    """Refuse a name that cannot be a file name."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{kind} {name!r}: a name is made of letters, digits, '_', '-' and '.', and starts with a letter or digit"
        )


def _check_count(where: str, name: str, value: object) -> None:
    """Refuse a value that is not an integer >= 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{where}: {name} must be an integer >= 1, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large a run is.

    Raises:
        InputError: a count is not an integer >= 1.
    """

    steps: int
    """Steps of the dynamics in each replication."""
    replications: int
    """Independent replications of each cell: the unit of inference."""
    block: int
    """Replications computed side by side (the vmap width). It is part of the specification of a run, because the last
    bits of results depend on it.
    """
    chunk: int
    """Steps between two saved states. It is not part of the specification, because no result depends on it."""

    def __post_init__(self) -> None:
        for name in ("steps", "replications", "block", "chunk"):
            _check_count("scale", name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One column of a table: one compiled program, run for every lane and every replication.

    Raises:
        InputError: a bad name, an empty or reserved lane, two measures of one variable, or a step count below one.
    """

    name: str
    label: str
    """The name of this cell in tables."""
    build: Callable[..., AbstractDynamics]
    """`build(**lane)` makes the dynamics; every lane value is a traced scalar there."""
    measures: tuple[AbstractMeasure, ...]
    lanes: Mapping[str, tuple[float | int, ...]] = field(default_factory=dict)
    """Axes that are array leaves of the dynamics: name to values. One program runs their product."""
    steps: Mapping[str, int] | None = None
    """Steps by scale name, where this cell differs from its scale."""
    scales: tuple[str, ...] | None = None
    """The scales at which this cell is run; None for all. A scale may so have fewer cells, or smaller cells of the same
    name."""

    def __post_init__(self) -> None:
        _check_name("cell", self.name)
        where = f"cell {self.name!r}"
        for axis, values in self.lanes.items():
            if not axis.isidentifier() or axis in RESERVED_DIMENSIONS:
                raise InputError(
                    f"{where}: {axis!r} cannot name a lane; take an identifier other than replicate and phase"
                )
            if len(values) == 0 or len(set(values)) != len(values):
                raise InputError(f"{where}: lane {axis!r} needs one or more distinct values, got {tuple(values)!r}")
            if not all(_finite(v) for v in values):
                raise InputError(f"{where}: lane {axis!r} needs finite values, got {tuple(values)!r}")
        for scale, steps in (self.steps or {}).items():
            _check_count(where, f"steps at scale {scale!r}", steps)
        self._check_measures(where)

    def _check_measures(self, where: str) -> None:
        """Refuse measures with an `every` below one, a variable twice, or a dimension whose name is taken."""
        seen: set[str] = set()
        for measure in self.measures:
            _check_count(where, f"`every` of {type(measure).__name__}", measure.every)
            for variable in measure.variables:
                if variable.name in seen:
                    raise InputError(f"{where}: two measures give the variable {variable.name!r}; take one out")
                seen.add(variable.name)
                taken = [d for d in variable.dims if d in RESERVED_DIMENSIONS or d in self.lanes]
                if taken:
                    raise InputError(f"{where}: {variable.name!r} cannot have the dimension {taken[0]!r}: it is taken")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables that the measures record."""
        return tuple(v for m in self.measures for v in m.variables)

    @property
    def every(self) -> dict[str, int]:
        """The number of steps between two records of each variable, by name."""
        return {v.name: m.every for m in self.measures for v in m.variables}

    @property
    def n_lanes(self) -> int:
        """The number of points of the product of the lanes; 1 without lanes."""
        n = 1
        for values in self.lanes.values():
            n *= len(values)
        return n

    def runs_at(self, scale_name: str) -> bool:
        """Whether this cell is run at a scale."""
        return self.scales is None or scale_name in self.scales

    def steps_at(self, scale_name: str, scale: Scale) -> int:
        """The number of steps of this cell at a scale: its own where `steps` names the scale, else the scale's."""
        return (self.steps or {}).get(scale_name, scale.steps)


@dataclass(frozen=True, kw_only=True)
class Experiment(Generic[S]):
    """One published table or figure: what is run, at which scales, what is shown, and what was claimed.

    Replicate r of every cell and lane has the key fold(key(seed), r), so that treatments share their random numbers.

    Raises:
        InputError: a bad name, no scale, or settings that cannot be made without arguments.
    """

    name: str
    title: str
    summary: str
    sources: tuple[str, ...]
    """BibTeX keys."""
    settings: type[S]
    """A frozen `msgspec.Struct` with a default for every field. A field of type `pathlib.Path` names a user's file."""
    cells: Callable[[S], tuple[Cell, ...]]
    scales: Mapping[str, Scale]
    report: Callable[[Any], Report]
    """Makes tables and figures from the `Results[S]` of a run, and reads stored results only. (`Results` and the claims
    import this file, hence the types `Any`.)"""
    claims: tuple[Any, ...]
    """Published statements, each an `AbstractClaim`; they are judged on the same results."""
    x64: bool = False
    """Whether the dynamics run in double precision."""

    def __post_init__(self) -> None:
        _check_name("experiment", self.name)
        if not self.scales:
            raise InputError(f"experiment {self.name!r} has no scale; give at least one, by custom 'quick' and 'paper'")
        for name in self.scales:
            _check_name("scale", name)
        if not self.settings.__struct_config__.frozen:
            raise InputError(f"experiment {self.name!r}: declare the settings with frozen=True")
        needed = [f.name for f in msgspec.structs.fields(self.settings) if f.required]
        if needed:
            raise InputError(f"experiment {self.name!r}: the setting {needed[0]!r} needs a default")

    def scale(self, name: str) -> Scale:
        """The scale of this name.

        Raises:
            InputError: there is no such scale.
        """
        if name not in self.scales:
            raise InputError(f"{self.name} has no scale {name!r}; {nearest(name, self.scales)}")
        return self.scales[name]

    def resized(self, scale_name: str, **changes: int) -> "Experiment[S]":
        """The experiment with other numbers in one of its scales.

        Args:
            scale_name: The name of the scale.
            **changes: Fields of the scale and their new values.

        Raises:
            InputError: there is no such scale, or a value is not an integer >= 1.
        """
        scale = replace(self.scale(scale_name), **changes)
        return replace(self, scales={**self.scales, scale_name: scale})

    def build_cells(self, settings: S, scale_name: str | None = None) -> tuple[Cell, ...]:
        """The cells under these settings at a scale.

        Args:
            settings: The settings.
            scale_name: The name of the scale; None for the cells of all scales, one of each name.

        Raises:
            InputError: there is no such scale, there is no cell, or two cells of a scale share a name.
        """
        if scale_name is not None:
            self.scale(scale_name)
        cells = tuple(self.cells(settings))
        for cell in cells:
            unknown = [s for s in (cell.steps or {}) if s not in self.scales]
            if unknown:
                raise InputError(f"cell {cell.name!r}: steps for {unknown[0]!r}; {nearest(unknown[0], self.scales)}")
            unknown = [s for s in (cell.scales or ()) if s not in self.scales]
            if unknown:
                raise InputError(f"cell {cell.name!r}: no scale {unknown[0]!r}; {nearest(unknown[0], self.scales)}")
        for scale in self.scales:
            names = [c.name for c in cells if c.runs_at(scale)]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise InputError(f"{self.name} has two cells named {twice[0]!r}; names must differ")
        chosen = {c.name: c for c in cells if scale_name is None or c.runs_at(scale_name)}
        if not chosen:
            raise InputError(f"{self.name} has no cells under these settings")
        return tuple(chosen.values())


def _finite(value: object) -> bool:
    """Whether a value is an integer or a finite number."""
    return not isinstance(value, float) or value - value == 0.0
