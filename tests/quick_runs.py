"""Runs of experiments at scale quick, made once and opened by every test that reads them.

`tools/reproduce_all.py` reproduces the whole catalogue in the folder that CATALLAX_QUICK_RUNS names. A run that is not
there is made on demand in another folder and kept. A directory is named by the hash of the run's specification, which
covers settings, scale, seed and source: a run of older code is never opened.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import jax

from catallax.core import CatallaxError
from catallax.core.errors import LockedError
from catallax.experiments.catalogue import load
from catallax.lab.execute import execute
from catallax.lab.results import Results
from catallax.lab.specification import directory_name, make_specification

SCALE, SEED = "quick", 0
VARIABLE = "CATALLAX_QUICK_RUNS"
KEPT_SECONDS = 7 * 24 * 3600
"""Age after which a run of another specification is deleted."""


def quick_run(name: str, folder: Path) -> Results[Any]:
    """The run of an experiment of the catalogue with its default settings at scale quick and seed 0.

    Args:
        name: a name of the catalogue.
        folder: where a run is kept that CATALLAX_QUICK_RUNS does not hold.
    """
    experiment = load(name)
    settings = experiment.settings()
    with jax.enable_x64(experiment.x64):
        cells = experiment.build_cells(settings, SCALE)
        directory = folder / directory_name(make_specification(experiment, settings, SCALE, SEED, cells))
    given = os.environ.get(VARIABLE)
    if given and is_complete(experiment, Path(given) / "runs" / directory.name):
        return Results(experiment, Path(given) / "runs" / directory.name)
    forget_old(directory)
    while not is_complete(experiment, directory):
        try:
            return execute(experiment, settings, SCALE, SEED, directory)
        except LockedError:  # another worker is making the run
            time.sleep(0.5)
    return Results(experiment, directory)


def is_complete(experiment: Any, directory: Path) -> bool:
    """Whether a directory holds a finished run of the experiment."""
    try:
        return directory.is_dir() and Results(experiment, directory).complete
    except (CatallaxError, OSError):  # another worker has only begun to write
        return False


def forget_old(directory: Path) -> None:
    """Deletes the runs beside a directory that are of the same experiment, of older code, and older than a week."""
    prefix = directory.name.rpartition("-")[0]
    for other in directory.parent.glob(f"{prefix}-*"):
        if other != directory and time.time() - other.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
