"""The manifest of a run and its log, from which a reader can tell in later years how the numbers were made."""

import functools
import importlib.metadata
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

from catallax.core.errors import EnvironmentFailure, Interrupted
from catallax.lab import files
from catallax.lab.experiment import Cell, Experiment
from catallax.lab.run_directory import RunDirectory
from catallax.lab.specification import difference
from catallax.version import __version__

FORMAT = 1
_VERSIONED = ("jax", "jaxlib", "numpy", "equinox")


class Manifest:
    """The manifest of a run that this process computes.

    Args:
        directory: The run directory. If it has a manifest, that manifest is continued.
        experiment: The experiment of the run.
        scale_name: The name of the scale.

    Raises:
        FileError: the manifest in the directory cannot be read.
    """

    def __init__(self, directory: RunDirectory, experiment: Experiment, scale_name: str) -> None:
        self._directory = directory
        if directory.manifest.exists():
            self.values = files.read_json(directory.manifest)
        else:
            self.values = _first_values(directory, experiment, scale_name)

    def describes(self, cell_name: str) -> bool:
        """Whether the manifest has an entry for a cell."""
        return cell_name in self.values["cells"]

    def describe(self, cell: Cell, steps: int, chunk: int, series: dict[str, jax.ShapeDtypeStruct]) -> None:
        """Add the entry of a cell: its size and its data dictionary."""
        self.values["cells"][cell.name] = {
            "label": cell.label,
            "steps": steps,
            "chunk": chunk,
            "lanes": {name: [float(v) for v in values] for name, values in cell.lanes.items()},
            "variables": [
                {
                    "name": v.name,
                    "unit": v.unit,
                    "meaning": v.meaning,
                    "dtype": str(series[v.name].dtype),
                    "dims": ["replicate", *cell.lanes, _time_dimension(cell, v.name), *v.dims],
                    "every": cell.every[v.name],
                    "may_be_undefined": v.may_be_undefined,
                }
                for v in cell.variables
            ],
        }

    @contextmanager
    def attempt(self, machine: dict[str, Any], note: Callable[[str], None]) -> Iterator[None]:
        """Record one process that works on the run: how it began, and how it ended.

        Args:
            machine: What the process computes with; see `describe_machine`.
            note: Called with a sentence if the run began with other versions or another device.
        """
        attempts = self.values["attempts"]
        if attempts:
            self._note_changes(attempts[0], machine, note)
        for before in attempts:
            if before["status"] == "running":  # that process could not record its end
                before["status"] = "killed"
        began, status = time.monotonic(), "failed"
        attempt = {"started": _now(), "seconds": None, "status": "running", **machine}
        attempts.append(attempt)
        self.values["status"] = "running"
        files.write_json(self._directory.manifest, self.values)
        self.log("begin", versions=machine["versions"], device=machine["device"])
        try:
            yield
            status = "complete"
        except (Interrupted, KeyboardInterrupt):
            status = "interrupted"
            raise
        finally:
            attempt.update(status=status, seconds=round(time.monotonic() - began, 3))
            self.values.update(status=status, finished=_now() if status == "complete" else None)
            self._write_last(status)

    def log(self, event: str, **values: Any) -> None:
        """Append an event to the log of the run."""
        files.append_line(self._directory.log, {"time": _now(), "event": event, **values})

    def _write_last(self, status: str) -> None:
        """Write the last entries. A failure must not hide why the run failed, and is raised only if it did not."""
        try:
            files.write_json(self._directory.manifest, self.values)
            self.log(status)
        except EnvironmentFailure:
            if status == "complete":
                raise

    def _note_changes(self, first: dict[str, Any], machine: dict[str, Any], note: Callable[[str], None]) -> None:
        """Tell the user if the run goes on with other versions or another device than it began with."""
        for what in ("versions", "device"):
            changes = difference(first[what], machine[what])
            if changes:
                note(f"this run began with other {what} ({changes}): bits may differ from here")


def describe_machine() -> dict[str, Any]:
    """The versions, the commit, the platform and the device with which this process computes."""
    device = jax.local_devices()[0]
    found = {name: importlib.metadata.version(name) for name in _VERSIONED}
    return {
        "versions": {"python": platform.python_version(), "catallax": __version__, **found},
        "git": _git_state(),
        "platform": platform.platform(),
        "device": {
            "kind": device.device_kind,
            "platform": device.platform,
            "count": jax.local_device_count(),
        },
    }


def _first_values(directory: RunDirectory, experiment: Experiment, scale_name: str) -> dict[str, Any]:
    """The manifest of a run that begins."""
    scale, stored = experiment.scale(scale_name), directory.stored()
    return {
        "format": FORMAT,
        "experiment": experiment.name,
        "title": experiment.title,
        "summary": experiment.summary,
        "sources": list(experiment.sources),
        "spec_sha256": stored.sha256,
        "scale": scale_name,
        "replications": scale.replications,
        "block": scale.block,
        "seed": stored.spec["seed"],
        "keys": "replicate r has the key fold(key(seed), r) in every cell and lane",
        "x64": experiment.x64,
        "status": "running",
        "started": _now(),
        "finished": None,
        "cells": {},
        "attempts": [],
    }


def _time_dimension(cell: Cell, variable: str) -> str:
    """The name of a variable's time axis: "phase" for the shortest `every` of the cell, otherwise "phase_every_k"."""
    every = cell.every[variable]
    return "phase" if every == min(cell.every.values()) else f"phase_every_{every}"


@functools.cache  # the code that this process has loaded does not change any more
def _git_state() -> dict[str, Any] | None:
    """The commit of the checkout that this package runs from; None if the package is installed."""
    package = Path(__file__).resolve().parents[1]
    root = package.parent.parent
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "dirty": None if status is None else bool(status)}


def _git(root: Path, *words: str) -> str | None:
    """The output of a git command; None if it fails."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _now() -> str:
    """The wall time with its zone, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
