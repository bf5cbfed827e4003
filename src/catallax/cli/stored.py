"""Opening a run directory that exists: which experiment it holds, at which size."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from catallax.cli.errors import CommandError
from catallax.cli.look import load_known


class Stored(NamedTuple):
    """A run directory and what it is of.

    Attributes:
        experiment: The experiment, with the replications and block width the run was begun with.
        request: Its settings, scale name and seed.
    """

    experiment: Any
    request: Any


def check_directory(directory: Path) -> None:
    """Refuse what is not a directory, before jax is loaded.

    Args:
        directory: What the user typed.

    Raises:
        CommandError: it does not exist or is not a directory.
    """
    if not directory.exists():
        raise CommandError(f"{directory}: no such run directory")
    if not directory.is_dir():
        raise CommandError(f"{directory}: not a run directory but a file")


def open_run(directory: Path) -> Stored:
    """The experiment and the request behind a run directory.

    Args:
        directory: The run directory.

    Raises:
        CommandError: the catalogue has no such experiment.
        FileError: not a run, or altered.
        InputError: the run has a scale or settings that its experiment no longer has.
    """
    from catallax.lab.layout import RunFiles
    from catallax.lab.spec import read_request, read_spec

    spec = read_spec(RunFiles(directory))["spec"]
    experiment = load_known(spec["experiment"])
    begun = spec["scale"]
    # --replications at the start, or a scale that has changed since, must not change what is read
    experiment = resized(experiment, begun["name"], replications=begun["replications"], block=begun["block"])
    return Stored(experiment, read_request(experiment, directory))


def resized(experiment: Any, scale_name: str, **changes: int) -> Any:
    """The experiment with another size of one of its scales.

    Args:
        experiment: The experiment.
        scale_name: Which of its scales.
        **changes: Fields of the scale and their new values.

    Raises:
        InputError: no such scale.
    """
    scale = dataclasses.replace(experiment.scale(scale_name), **changes)
    return dataclasses.replace(experiment, scales={**experiment.scales, scale_name: scale})
