"""The manifest of a run: what a reader needs to know years later to judge its numbers."""

import importlib.metadata
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import jax

from catallax.lab.experiment import Cell, Experiment, Scale
from catallax.version import __version__

FORMAT = 1
_VERSIONED = ("jax", "jaxlib", "numpy", "equinox")


def make_manifest(experiment: Experiment, spec: dict[str, Any], spec_sha256: str, scale: Scale) -> dict[str, Any]:
    """The manifest of a run that begins; `describe_cell` adds the cells, `begin_attempt` the machine."""
    return {
        "format": FORMAT,
        "experiment": experiment.name,
        "title": experiment.title,
        "summary": experiment.summary,
        "sources": list(experiment.sources),
        "spec_sha256": spec_sha256,
        "scale": spec["scale"]["name"],
        "replications": scale.replications,
        "block": scale.block,
        "seed": spec["seed"],
        "keys": "replicate r has the key fold(key(seed), r) in every cell and lane",
        "x64": experiment.x64,
        "status": "running",
        "started": now(),
        "finished": None,
        "cells": {},
        "attempts": [],
    }


def begin_attempt() -> dict[str, Any]:
    """What this process computes with. A run that is resumed has one entry for each process."""
    device = jax.local_devices()[0]
    return {
        "started": now(),
        "seconds": None,
        "status": "running",
        "versions": versions(),
        "git": git_state(),
        "platform": platform.platform(),
        "device": {
            "kind": device.device_kind,
            "platform": device.platform,
            "count": jax.local_device_count(),
        },
    }


def describe_cell(cell: Cell, steps: int, chunk: int, series: dict[str, jax.ShapeDtypeStruct]) -> dict[str, Any]:
    """A cell's entry: its size and its data dictionary."""
    return {
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
                "dims": ["replicate", *cell.lanes, phase_dimension(cell, v.name), *v.dims],
                "every": cell.every[v.name],
                "may_be_undefined": v.may_be_undefined,
            }
            for v in cell.variables
        ],
    }


def phase_dimension(cell: Cell, variable: str) -> str:
    """The name of a variable's time axis: "phase" at the cell's shortest `every`, "phase_every_k" at a
    longer one k.
    """
    every = cell.every[variable]
    return "phase" if every == min(cell.every.values()) else f"phase_every_{every}"


def versions() -> dict[str, str]:
    """Of everything that may move a bit."""
    found = {name: importlib.metadata.version(name) for name in _VERSIONED}
    return {"python": platform.python_version(), "catallax": __version__, **found}


def git_state() -> dict[str, Any] | None:
    """Commit of the checkout this package runs from and whether it has uncommitted changes; None if
    installed.
    """
    package = Path(__file__).resolve().parents[1]
    root = package.parent.parent
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "dirty": None if status is None else bool(status)}


def now() -> str:
    """The wall time with its zone, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
