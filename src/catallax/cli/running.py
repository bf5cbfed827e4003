"""The commands run, resume, report and reproduce: from a name or a run directory to tables, figures and verdicts."""

import dataclasses
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.cli import environment
from catallax.cli.errors import CommandError
from catallax.cli.options import Common, CoresOption, PathOption, Quiet, Setup
from catallax.cli.output import columns, emit, width
from catallax.experiments import catalogue
from catallax.lab.progress import SilentProgress, choose_progress

if TYPE_CHECKING:
    from catallax.lab import Experiment, Results
    from catallax.lab.results import WrittenReport
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


def report(directory: PathOption, /, *, common: Common | None = None) -> int:
    """Rebuild the tables and figures of a run from its stored results, and print tables and verdicts.

    Args:
        directory: The run directory.
        common: Options of every command.
    """
    check_directory(directory)
    environment.use_cache()
    from catallax.lab.results import Results

    return _show_report(Results(*open_run(directory)), "catallax-report-1", common)


def reproduce(name: str, /, *, setup: Setup | None = None, common: Common | None = None) -> int:
    """Run an experiment and judge every published number: tables, figures and verdicts.

    The name of a family (double_auction) reproduces all its experiments that judge a publication, one after the other.
    A run directory of the same specification is used again: what is finished in it is not computed twice.

    Args:
        name: Name of the experiment, or of a family.
        setup: What to run.
        common: Options of every command.
    """
    members = catalogue.family(name)
    if members:
        return _reproduce_family(name, members, setup or Setup(), common)
    return _show_report(execute_named(name, setup or Setup()), "catallax-reproduce-1", common)


def _reproduce_family(family: str, members: tuple[str, ...], setup: Setup, common: Common | None) -> int:
    """Reproduce all experiments of a family that judge a publication, then print how many claims got which verdict.

    An error ends the command. The next command does not compute again what is finished.

    Args:
        family: Name of the family.
        members: Names of its experiments.
        setup: What to run; `out` is the folder of the run directories.
        common: Options of every command.

    Raises:
        CommandError: settings are given, which belong to one experiment.
    """
    if setup.set or setup.config is not None:
        raise CommandError(
            f"{family} is a family of experiments: --set and --config are for one of {', '.join(members)}"
        )
    as_json = common is not None and common.json
    answers: list[dict[str, Any]] = []
    for name in members:
        if not catalogue.CATALOGUE[name].judged:
            continue
        results = execute_named(name, dataclasses.replace(setup, out=setup.out / name if setup.out else None))
        written = results.write_report()
        answers.append(_answer(results, written, "catallax-reproduce-1"))
        if not as_json:
            print(f"===== {name}\n\n{_text(results, written)}", flush=True)
    failed = any(answer["failed"] for answer in answers)
    answer = {
        "schema": "catallax-reproduce-family-1",
        "status": "failed" if failed else "done",
        "exit_code": int(failed),
        "family": family,
        "experiments": answers,
    }
    emit(answer, _count_verdicts(answers), as_json=as_json)
    return int(failed)


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


def _show_report(results: "Results[Any]", schema: str, common: Common | None) -> int:
    """Write the report of a run and print it; returns the exit code, 1 if the estimate of a claim failed."""
    written = results.write_report()
    emit(_answer(results, written, schema), _text(results, written), as_json=common is not None and common.json)
    return 1 if written.judgement.failed else 0


def _answer(results: "Results[Any]", written: "WrittenReport", schema: str) -> dict[str, Any]:
    """The JSON object of a report; `schema` is the name of its form."""
    failed = written.judgement.failed
    return {
        "schema": schema,
        "status": "failed" if failed else "done",
        "exit_code": 1 if failed else 0,
        "experiment": results.experiment.name,
        "run_dir": str(results.directory),
        "claims": written.judgement.verdicts,
        "failed": failed,
        "files": [str(path) for path in written.files],
    }


def _text(results: "Results[Any]", written: "WrittenReport") -> str:
    """The tables and verdicts of a report as text."""
    from catallax.lab.report import verdict_table

    verdicts = written.judgement.verdicts
    tables = list(written.report.tables)
    if verdicts:
        tables.append(verdict_table(verdicts, reasons=False))
    parts = [table.text(width()) for table in tables]
    reasons = [
        f"{above}{verdict.id}: {verdict.note}"
        for whole in verdicts
        for above, verdict in (("", whole), *((f"{whole.id}: ", part) for part in whole.parts))
        if verdict.verdict != "reproduced"
    ]
    if reasons:
        parts.append("All that is not reproduced, and why:\n" + "\n".join(reasons) + "\n")
    if written.judgement.failed:
        parts.append(f"no estimate for: {', '.join(written.judgement.failed)}")
    parts.append(f"tables, figures and report.md are in {results.directory}")
    return "\n".join(parts)


def _count_verdicts(answers: list[dict[str, Any]]) -> str:
    """A line for each experiment: how many claims got which verdict."""
    from catallax.lab.report import VERDICTS

    rows: list[tuple[str, ...]] = [("experiment", *VERDICTS)]
    for answer in answers:
        counts = Counter(verdict.verdict for verdict in answer["claims"])
        rows.append((answer["experiment"], *(str(counts[name]) for name in VERDICTS)))
    return f"===== verdicts\n\n{columns(rows)}"
