"""The commands report and reproduce: tables, figures and verdicts of a run, and of all runs of a family."""

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

from catallax.cli import environment
from catallax.cli.errors import CommandError
from catallax.cli.options import Common, PathOption, Setup
from catallax.cli.output import columns, emit, width
from catallax.cli.running import check_directory, execute_named, open_run
from catallax.experiments import catalogue

if TYPE_CHECKING:
    from catallax.lab import Results
    from catallax.lab.results import WrittenReport


def report(directory: PathOption, /, *, common: Common | None = None) -> int:
    """Rebuild the tables and figures of a run from its stored results, and print tables and verdicts.

    Args:
        directory: The run directory.
        common: Options of every command.
    """
    check_directory(directory)
    environment.use_cache()
    from catallax.lab.results import Results

    results = Results(*open_run(directory))
    return _print(results, results.write_report(), "catallax-report-1", common)


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
    results = execute_named(name, setup or Setup())
    return _print(results, results.write_report(), "catallax-reproduce-1", common)


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


def _print(results: "Results[Any]", written: "WrittenReport", schema: str, common: Common | None) -> int:
    """Print a report, and return the exit code: 1 if the estimate of a claim failed."""
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
    reasons = [f"{verdict.id}: {verdict.note}" for verdict in verdicts if verdict.verdict != "reproduced"]
    if reasons:
        parts.append("Not reproduced, or only in part:\n" + "\n".join(reasons) + "\n")
    if written.judgement.failed:
        parts.append(f"no estimate for: {', '.join(written.judgement.failed)}")
    parts.append(f"tables, figures and report.md are in {results.directory}")
    return "\n".join(parts)


def _count_verdicts(answers: list[dict[str, Any]]) -> str:
    """A line for each experiment: how many claims got which verdict."""
    from catallax.lab.claims import VERDICTS

    rows: list[tuple[str, ...]] = [("experiment", *VERDICTS)]
    for answer in answers:
        counts = Counter(verdict.verdict for verdict in answer["claims"])
        rows.append((answer["experiment"], *(str(counts[name]) for name in VERDICTS)))
    return f"===== verdicts\n\n{columns(rows)}"
