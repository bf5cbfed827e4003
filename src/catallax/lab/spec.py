"""The identity of a run: everything that can change its numbers, and nothing else.

In: experiment, settings, the content of users' files, scale, cells, lanes, seed, block width, precision, and
the source that computes. Out: device count, chunk length, output path. Two runs with the same identity on
the same versions of Python, JAX and NumPy give the same bits; those versions are in the manifest, which says
where numbers were made.
"""

import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from catallax.core.errors import EnvironmentFailure, FileError, InputError
from catallax.lab import store
from catallax.lab.experiment import Cell, Experiment
from catallax.lab.layout import RunFiles
from catallax.lab.settings import as_builtins, file_fields, from_builtins
from catallax.version import __version__

FORMAT = 1
_PACKAGE = Path(__file__).resolve().parents[1]
# What computes: the rules and the two files that turn an experiment into a program.
_ROOMS = ("core", "games", "agents", "solvers", "measures")
_FILES = ("lab/execute.py", "lab/program.py")


def make_spec(
    experiment: Experiment, settings: Any, scale_name: str, seed: int, cells: tuple[Cell, ...]
) -> dict[str, Any]:
    """The identity of a run as JSON-able values.

    Raises:
        InputError: an unknown scale.
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
    return json.loads(json.dumps(spec))  # as it will be read back: lists for tuples


def spec_hash(spec: Mapping[str, Any]) -> str:
    """The sha256 of a spec, 64 hexadecimal digits."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def run_directory(parent: Path, spec: Mapping[str, Any]) -> Path:
    """Where a run of this identity belongs below `parent`: `<experiment>-<scale>-<hash8>`."""
    return parent / f"{spec['experiment']}-{spec['scale']['name']}-{spec_hash(spec)[:8]}"


def difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """In words, how the spec in a directory (`there`) differs from the one asked for (`here`); empty if it
    does not.
    """
    return "; ".join(_differences("", there, here))


def read_spec(files: RunFiles) -> dict[str, Any]:
    """The spec file of a run: `sha256`, `settings` (paths relative to the directory) and `spec`.

    Raises:
        FileError: missing, or altered (the hash inside does not match).
    """
    if not files.spec.exists():
        raise FileError(f"{files.directory}: not a run (it has no {files.spec.name})")
    stored = store.read_json(files.spec)
    spec, settings = stored.get("spec"), stored.get("settings")
    if not isinstance(spec, dict) or not isinstance(settings, dict) or stored.get("sha256") != spec_hash(spec):
        raise FileError(f"{files.spec}: altered (its hash does not match its content)")
    if spec.get("format") != FORMAT:
        raise FileError(f"{files.spec}: format {spec.get('format')!r}; this version of catallax reads {FORMAT}")
    return stored


class Request(NamedTuple):
    """What was asked for when a run began; with the experiment it is all that `execute` needs."""

    settings: Any
    scale_name: str
    seed: int


def read_request(experiment: Experiment, directory: str | PathLike[str]) -> Request:
    """The request behind a run directory. The user's files are those copied into it.

    Raises:
        FileError: not a run, or altered.
        InputError: a run of another experiment, or of settings this version no longer has.
    """
    files = RunFiles(Path(directory))
    stored = read_spec(files)
    spec = stored["spec"]
    if spec["experiment"] != experiment.name:
        raise InputError(f"{directory}: a run of {spec['experiment']}, not of {experiment.name}")
    settings = from_builtins(experiment.settings, stored["settings"])
    inputs = {field: files.directory.absolute() / path for field, path in file_fields(settings).items()}
    return Request(msgspec.structs.replace(settings, **inputs), spec["scale"]["name"], spec["seed"])


def as_begun(experiment: Experiment, directory: str | PathLike[str]) -> Experiment:
    """The experiment with the replications and the block width that the run in a directory was begun with.

    Raises:
        FileError: not a run, or altered.
        InputError: the experiment no longer has the scale of the run.
    """
    begun = read_spec(RunFiles(Path(directory)))["spec"]["scale"]
    scale = replace(experiment.scale(begun["name"]), replications=begun["replications"], block=begun["block"])
    return replace(experiment, scales={**experiment.scales, begun["name"]: scale})


def experiment_name(directory: str | PathLike[str]) -> str:
    """The name of the experiment whose run a directory holds. Raises FileError if it is not a run, or
    altered.
    """
    return str(read_spec(RunFiles(Path(directory)))["spec"]["experiment"])


def file_hash(path: Path) -> str:
    """The sha256 of a file's content. Raises FileError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


@functools.cache
def source_hash() -> str:
    """The sha256 over the names and contents of the package files that compute, 64 hexadecimal digits."""
    paths = [p for room in _ROOMS for p in (_PACKAGE / room).rglob("*") if p.is_file()]
    paths += [_PACKAGE / name for name in _FILES]
    kept = sorted(p for p in paths if "__pycache__" not in p.parts and not p.name.startswith("."))
    return _hash_files((p.relative_to(_PACKAGE).as_posix(), p) for p in kept)


def _hash_files(named: Iterable[tuple[str, Path]]) -> str:
    total = hashlib.sha256()
    for name, path in named:
        try:
            digest = file_hash(path)
        except FileError as error:
            raise EnvironmentFailure(f"catallax's own source: {error}") from None
        total.update(f"{name}\0{digest}\n".encode())
    return total.hexdigest()


def _cell(cell: Cell, steps: int) -> dict[str, Any]:
    return {
        "steps": steps,
        "lanes": [[name, [float(v) for v in values]] for name, values in cell.lanes.items()],
        "measures": [
            {"type": type(m).__qualname__, "every": m.every, "variables": [v.name for v in m.variables]}
            for m in cell.measures
        ],
    }


def _user_source(experiment: Experiment, cells: tuple[Cell, ...]) -> dict[str, str]:
    """The modules that define the experiment, its dynamics' builders or its measures, where they are not among the
    library's rooms of rules: name to sha256. What only reports or judges is not in: it cannot change a number.
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
        except TypeError:  # built in, or typed at a prompt: there is no file
            continue
        if path and path.is_file() and not any(path.is_relative_to(_PACKAGE / room) for room in _ROOMS):
            found[path.name] = file_hash(path)
    return found


def _differences(where: str, there: Any, here: Any) -> list[str]:
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
    text = json.dumps(value)
    return text if len(text) <= 48 else text[:45] + "..."
