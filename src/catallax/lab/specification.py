"""The specification of a run: everything that can change its numbers, and nothing else.

The specification holds the experiment, its settings, the content of the user's files, the scale, cells, lanes, seed,
block width and precision, and a hash of the source code that computes. It does not hold the number of devices, the
chunk length or the output path. Two runs of one specification on the same versions of Python, JAX and NumPy give the
same bits; the manifest of a run records those versions.
"""

import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catallax.core.errors import EnvironmentFailure, FileError
from catallax.lab.experiment import Cell, Experiment, S
from catallax.lab.files import file_hash
from catallax.lab.settings import as_builtins, file_fields
from catallax.version import __version__

FORMAT = 1
_PACKAGE = Path(__file__).resolve().parents[1]
# Packages and files whose source enters the hash of a run.
_ROOMS = ("core", "games", "agents", "solvers", "measures")
_FILES = ("lab/execute.py", "lab/program.py")


def make_specification(
    experiment: Experiment[S], settings: S, scale_name: str, seed: int, cells: tuple[Cell, ...]
) -> dict[str, Any]:
    """The specification of a run, as values that JSON can hold.

    Raises:
        InputError: the experiment has no scale of this name.
        FileError: a user's file cannot be read.
    """
    scale = experiment.scale(scale_name)
    values = as_builtins(settings)
    for field, path in file_fields(settings).items():
        values[field] = {"suffix": path.suffix, "sha256": file_hash(path)}
    spec = {
        "format": FORMAT,
        "experiment": experiment.name,
        "settings": values,
        "scale": {"name": scale_name, "replications": scale.replications, "block": scale.block},
        "cells": {c.name: _cell(c, c.steps_at(scale_name, scale)) for c in cells},
        "seed": seed,
        "x64": experiment.x64,
        "catallax": __version__,
        "source": source_hash(),
        "user_source": _user_source(experiment, cells),
    }
    return json.loads(json.dumps(spec))  # tuples become lists, as they do when it is read from a file


def specification_hash(spec: Mapping[str, Any]) -> str:
    """The sha256 of a specification, 64 hexadecimal digits."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def directory_name(spec: Mapping[str, Any]) -> str:
    """The usual name of the directory of a run: `<experiment>-<scale>-<first 8 digits of the hash>`."""
    return f"{spec['experiment']}-{spec['scale']['name']}-{specification_hash(spec)[:8]}"


def difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """A text that lists how the specification of a directory differs from the requested one; empty if they are equal.

    Args:
        there: The specification of the directory.
        here: The requested specification.
    """
    return "; ".join(_differences("", there, here))


@functools.cache
def source_hash() -> str:
    """The sha256 over names and contents of the files in `_ROOMS` and `_FILES`, 64 hexadecimal digits."""
    paths = [p for room in _ROOMS for p in (_PACKAGE / room).rglob("*") if p.is_file()]
    paths += [_PACKAGE / name for name in _FILES]
    kept = sorted(p for p in paths if "__pycache__" not in p.parts and not p.name.startswith("."))
    return _hash_files((p.relative_to(_PACKAGE).as_posix(), p) for p in kept)


def _hash_files(named: Iterable[tuple[str, Path]]) -> str:
    """One sha256 over the names and contents of files."""
    total = hashlib.sha256()
    for name, path in named:
        try:
            digest = file_hash(path)
        except FileError as error:
            raise EnvironmentFailure(f"catallax's own source: {error}") from None
        total.update(f"{name}\0{digest}\n".encode())
    return total.hexdigest()


def _cell(cell: Cell, steps: int) -> dict[str, Any]:
    """The part of the specification that describes a cell."""
    return {
        "steps": steps,
        "lanes": [[name, [float(v) for v in values]] for name, values in cell.lanes.items()],
        "measures": [
            {"type": type(m).__qualname__, "every": m.every, "variables": [v.name for v in m.variables]}
            for m in cell.measures
        ],
    }


def _user_source(experiment: Experiment, cells: tuple[Cell, ...]) -> dict[str, str]:
    """The modules outside `_ROOMS` that define the experiment's cells, settings, builders and measures: name to sha256.

    Modules that only report or judge are left out, because they cannot change a number that a run records.
    """
    found: dict[str, str] = {}
    parts = [experiment.cells, experiment.settings]
    parts += [c.build for c in cells] + [type(m) for c in cells for m in c.measures]
    for part in parts:
        while isinstance(part, functools.partial):
            part = part.func
        module = sys.modules.get(getattr(part, "__module__", None) or "")
        try:
            path = Path(inspect.getsourcefile(module) or "").resolve() if module else None
        except TypeError:  # built in, or typed at a prompt, so that there is no file
            continue
        if path and path.is_file() and not any(path.is_relative_to(_PACKAGE / room) for room in _ROOMS):
            found[path.name] = file_hash(path)
    return found


def _differences(where: str, there: Any, here: Any) -> list[str]:
    """The differences below one entry, each in words."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        keys = list(there) + [k for k in here if k not in there]
        found = []
        for key in keys:
            name = f"{where}.{key}" if where else str(key)
            if key not in here:
                found.append(f"{name}: only in the directory")
            elif key not in there:
                found.append(f"{name}: not in the directory")
            else:
                found += _differences(name, there[key], here[key])
        return found
    if there == here:
        return []
    if where == "source" or where.startswith("user_source"):
        return [f"{where}: the code that computes has changed since"]
    return [f"{where}: {_short(there)} in the directory, {_short(here)} asked for"]


def _short(value: Any) -> str:
    """A value as JSON text of at most 48 characters."""
    text = json.dumps(value)
    return text if len(text) <= 48 else text[:45] + "..."
