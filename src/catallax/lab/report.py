"""A report: tables and figures that are made from stored results, and their files.

```
<run directory>/
  tables/<name>.txt .csv .md
  figures/<name>.svg .png .csv
  report.md       all of it on one page, verdicts first
  summary.json    verdicts and file names, for programs
```

All these files are derived from stored results and can be made again. They are rendered before the first one is
written, and each is written atomically, so that a report that fails leaves an earlier report unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from catallax.core.errors import InputError
from catallax.lab.figure import Figure
from catallax.lab.files import make_directory, write_atomically
from catallax.lab.table import Table
from catallax.lab.verdicts import Judgement, Verdict

SCHEMA = "catallax-summary-1"
"""The schema of summary.json."""


@dataclass(frozen=True)
class Report:
    """The tables and figures of an experiment.

    Attributes:
        tables: Tables, in reading order, with different names.
        figures: Figures, in reading order, with different names.
    """

    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()

    def __post_init__(self):
        """Refuse two tables or two figures of one name, which would be written to the same file."""
        for kind, parts in (("tables", self.tables), ("figures", self.figures)):
            names = [part.name for part in parts]
            if len(set(names)) < len(names):
                raise InputError(f"{kind} of one report need different names, got {', '.join(names)}")


def verdict_table(verdicts: tuple[Verdict, ...], *, reasons: bool = True) -> Table:
    """The verdicts as a table: the published number, ours with its interval, and the verdict.

    Args:
        verdicts: One a claim, in the order of the rows.
        reasons: Whether to add the columns note and source, which make the table wide.
    """
    import pandas

    columns = ("id", "published", "ours", "low", "high", "n", "verdict")
    if reasons:
        columns = (*columns, "note", "source")
    rows = [[getattr(verdict, column) for column in columns] for verdict in verdicts]
    frame = pandas.DataFrame(rows, columns=list(columns), dtype=object)
    caption = "Published numbers and ours: mean over n replications, 95% interval from low to high."
    return Table(name="claims", frame=frame, caption=caption)


def write_report(
    report: Report,
    directory: Path,
    *,
    judgement: Judgement = Judgement((), ()),  # noqa: B008  (immutable)
    about: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Render a report and write its files.

    Args:
        report: Tables and figures.
        directory: The run directory; it is made if it does not exist.
        judgement: Verdicts of the experiment's claims.
        about: Entries for the head of summary.json and report.md: experiment, title, scale, seed,
            replications.

    Returns:
        The files written, summary.json last.

    Raises:
        InputError: a table of the report is called "claims" although there are verdicts to write.
        EnvironmentFailure: a file cannot be written.
    """
    head = dict(about or {})
    tables = report.tables
    if judgement.verdicts:
        tables = Report((*tables, verdict_table(judgement.verdicts))).tables
    files: dict[str, bytes] = {}
    for table in tables:
        files[f"tables/{table.name}.txt"] = table.text().encode()
        files[f"tables/{table.name}.csv"] = table.csv().encode()
        files[f"tables/{table.name}.md"] = table.markdown().encode()
    for figure in report.figures:
        drawing = figure.render()
        files[f"figures/{figure.name}.svg"] = drawing.svg
        files[f"figures/{figure.name}.png"] = drawing.png
        files[f"figures/{figure.name}.csv"] = drawing.csv
    files["report.md"] = _page(head, tables, report.figures).encode()
    files["summary.json"] = _summary(head, judgement, sorted(files))
    written = []
    for name, data in files.items():
        path = directory / name
        make_directory(path.parent)
        write_atomically(path, data)
        written.append(path)
    return tuple(written)


def _page(head: Mapping[str, Any], tables: tuple[Table, ...], figures: tuple[Figure, ...]) -> str:
    """The report as one Markdown page."""
    title = head.get("title") or head.get("experiment") or "Report"
    facts = ", ".join(f"{key} {value}" for key, value in head.items() if key != "title")
    parts = [f"# {title}\n", f"{facts}\n"] if facts else [f"# {title}\n"]
    parts += [f"## {table.name}\n\n{table.markdown()}" for table in tables]
    parts += [
        f"## {figure.name}\n\n![{figure.caption}](figures/{figure.name}.png)\n\n{figure.caption}\n"
        for figure in figures
    ]
    return "\n".join(parts)


def _summary(head: Mapping[str, Any], judgement: Judgement, files: list[str]) -> bytes:
    """The content of summary.json: the verdicts and the names of the files."""
    summary = {
        "schema": SCHEMA,
        **head,
        "claims": judgement.verdicts,
        "failed": judgement.failed,
        "files": files,
    }
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"
