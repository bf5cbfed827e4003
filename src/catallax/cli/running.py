"""The commands run and resume, and the execution that reproduce shares with them."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.cli import environment
from catallax.cli.errors import CommandError
from catallax.cli.options import Common, CoresOption, PathOption, Quiet, Setup
from catallax.cli.output import emit
from catallax.experiments import catalogue
from catallax.lab.progress import SilentProgress, choose_progress

if TYPE_CHECKING:
    from catallax.lab import Experiment, Results
    from catallax.lab.run_directory import RunDirectory


def run(name: str, /, *, setup: Setup | None = None, common: Common | None = None) -> int:
    """Run an experiment; a run that was interrupted goes on where it stopped.

    Args:
        name: Name of the experiment.
        setup: What to run.
        common: Options of every command.
    """
    return _tell_where(execute_named(name, setup or Setup()), common)


def resume(
    directory: PathOption,
    /,
    *,
    cores: CoresOption | None = None,
    progress: Quiet | None = None,
    common: Common | None = None,
) -> int:
    """Continue an interrupted run, with the same bits as if it had not stopped.

    Args:
        directory: The run directory.
        cores: Cores to use; as many as the run began with if left out, which keeps its bits.
        progress: Whether progress is shown.
        common: Options of every command.
    """
    check_directory(directory)
    quiet = progress is not None and progress.quiet
    with watch(f"resume {directory.name}", cores or environment.cores_of_run(directory), quiet=quiet) as shown:
        from catallax.lab import execute as execution

        experiment, place = open_run(directory)
        results = execution.resume(experiment, place, progress=shown)
    return _tell_where(results, common)


def execute_named(name: str, setup: Setup) -> "Results[Any]":
    """Run an experiment of the catalogue, or continue its run.

    Args:
        name: Name of the experiment.
        setup: What to run.

    Raises:
        CommandError: an unknown experiment, or an option that cannot be read.
        CatallaxError: whatever stops the run, with its exit code.
    """
    if name not in catalogue.CATALOGUE:
        raise CommandError(catalogue.unknown(name))
    pairs = setup.pairs()
    with watch(name, setup.cores, quiet=setup.quiet) as shown:
        experiment = catalogue.load(name)
        from catallax.lab import execute as execution
        from catallax.lab.settings import decode_settings

        return execution.execute(
            experiment,
            decode_settings(experiment, pairs, setup.config),
            setup.scale,
            setup.seed,
            setup.out,
            replications=setup.replications,
            progress=shown,
        )


def watch(title: str, cores: int, *, quiet: bool) -> "AbstractContextManager[SilentProgress]":
    """Prepare the environment of a computation and show its progress, before jax is imported.

    Until `execute` has begun, Ctrl-C ends the command at once, because there is nothing to save.

    Args:
        title: What is computed.
        cores: The number of cores to use.
        quiet: Whether nothing is shown.
    """
    environment.use_cache()
    environment.use_cores(cores)
    shown = choose_progress(title, quiet)
    shown.stage("loading jax")
    return shown


def check_directory(directory: Path) -> None:
    """Refuse what is not a directory, before jax is imported.

    Args:
        directory: What the user typed.

    Raises:
        CommandError: it does not exist or is not a directory.
    """
    if not directory.exists():
        raise CommandError(f"{directory}: no such run directory")
    if not directory.is_dir():
        raise CommandError(f"{directory}: not a run directory but a file")


def open_run(directory: Path) -> "tuple[Experiment[Any], RunDirectory]":
    """The experiment of a run directory, and the directory with its specification read.

    Args:
        directory: The run directory.

    Raises:
        CommandError: the catalogue has no such experiment.
        FileError: the directory holds no run, or was altered.
    """
    from catallax.lab.run_directory import RunDirectory

    place = RunDirectory(directory)
    name = str(place.stored().spec["experiment"])
    if name not in catalogue.CATALOGUE:
        raise CommandError(catalogue.unknown(name))
    return catalogue.load(name), place


def _tell_where(results: "Results[Any]", common: Common | None) -> int:
    """Print where a finished run lies."""
    name, directory = results.experiment.name, results.directory
    answer = {"schema": "catallax-run-1", "status": "done", "experiment": name, "run_dir": str(directory)}
    text = f"{directory}\nits tables, figures and verdicts: catallax report {directory}"
    emit(answer, text, as_json=common is not None and common.json)
    return 0
