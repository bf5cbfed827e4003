"""The command report, and what reproduce shares with it: tables, figures, verdicts from stored results."""

from pathlib import Path
from typing import Any, NamedTuple

from catallax.cli import cache, stored
from catallax.cli.options import Common, PathOption
from catallax.cli.output import emit, width


class Made(NamedTuple):
    """A report that has been written.

    Attributes:
        report: Tables and figures.
        judgement: Verdicts, and the claims whose estimate failed.
        files: What was written.
    """

    report: Any
    judgement: Any
    files: tuple[Path, ...]


def report(directory: PathOption, /, *, common: Common | None = None) -> int:
    """Rebuild the tables and figures of a run from its stored results, and print tables and verdicts.

    Args:
        directory: The run directory.
        common: Options of every command.
    """
    stored.check_directory(directory)
    cache.switch_on()
    from catallax.lab.results import Results

    results = Results(stored.open_run(directory).experiment, directory)
    made = make(results)
    emit(
        answer(made, results, schema="catallax-report-1"),
        text(made, results),
        as_json=common is not None and common.json,
    )
    return 1 if made.judgement.failed else 0


def make(results: Any) -> Made:
    """Build and write the report of stored results into their run directory.

    Args:
        results: Results of an experiment.
    """
    from catallax.lab.claims import judge_all
    from catallax.lab.report import write_report

    experiment = results.experiment
    built = experiment.report(results)
    judgement = judge_all(experiment.claims, results)
    scale = results.scale
    about = {
        "experiment": experiment.name,
        "title": experiment.title,
        "scale": results.scale_name,
        "replications": scale.replications,
        "seed": results.seed,
    }
    files = write_report(built, results.directory, judgement=judgement, about=about)
    return Made(built, judgement, files)


def answer(made: Made, results: Any, *, schema: str) -> dict[str, Any]:
    """The JSON object of report and reproduce.

    Args:
        made: The report.
        results: What it was made from.
        schema: Name of the object's form.
    """
    failed = made.judgement.failed
    return {
        "schema": schema,
        "status": "failed" if failed else "done",
        "exit_code": 1 if failed else 0,
        "experiment": results.experiment.name,
        "run_dir": str(results.directory),
        "claims": made.judgement.verdicts,
        "failed": failed,
        "files": [str(path) for path in made.files],
    }


def text(made: Made, results: Any) -> str:
    """Tables and verdicts for people.

    Args:
        made: The report.
        results: What it was made from.
    """
    from catallax.lab.report import verdict_table

    verdicts = made.judgement.verdicts
    tables = list(made.report.tables)
    if verdicts:
        tables.append(verdict_table(verdicts, reasons=False))
    parts = [table.text(width()) for table in tables]
    reasons = [f"{verdict.id}: {verdict.note}" for verdict in verdicts if verdict.verdict != "reproduced"]
    if reasons:
        parts.append("Not reproduced, or only in part:\n" + "\n".join(reasons) + "\n")
    if made.judgement.failed:
        parts.append(f"no estimate for: {', '.join(made.judgement.failed)}")
    parts.append(f"tables, figures and report.md are in {results.directory}")
    return "\n".join(parts)
