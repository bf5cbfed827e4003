"""A report: tables, figures and verdicts that are made from stored results, and their files.

```
<run directory>/
  tables/<name>.txt .csv .md
  figures/<name>.svg .png .csv
  report.md       all of it on one page, verdicts first
  summary.json    verdicts and file names, for programs
```

All these files are derived from stored results and can be made again. They are rendered before the first one is
written, and each is written atomically, so that a report that fails leaves an earlier report unchanged.

`Results` makes reports, and claims read `Results`. This file is below both and therefore names neither type.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from catallax.core.errors import EnvironmentFailure, FileError, InputError
from catallax.lab.figure import Figure
from catallax.lab.files import make_directory, write_atomically
from catallax.lab.table import Table

SCHEMA = "catallax-summary-1"
"""The schema of summary.json."""

VERDICTS = ("reproduced", "direction only", "not reproduced", "undecided", "not comparable", "context")
"""All verdicts, explained in `lab/claims.py`. The last one is shown and never counted among claims."""

VerdictName = Literal["reproduced", "direction only", "not reproduced", "undecided", "not comparable", "context"]


class Verdict(msgspec.Struct, frozen=True):
    """The verdict of our runs on one published number; it is one object in summary.json.

    Attributes:
        id: Identifier of the claim within its experiment.
        source: BibTeX key and table, figure or page.
        published: The printed number in our reading of its unit, or the printed direction ("> 0", "< 0"); None for a
            statement with parts.
        ours: Mean over replications, same unit; None without an estimate.
        low: Lower end of our 95% interval; None below ten replications.
        high: Upper end of our 95% interval; None below ten replications.
        n: Number of replications behind `ours`.
        verdict: One of `VERDICTS`.
        note: The reason, in a sentence, with our reading of the printed number.
        margin: The largest difference that is called none, or the threshold of a direction, same unit.
        enough: Number of replications that decides: `n` if it has; None if none would, or it is not known.
        parts: The evidence for a statement that has several parts.
    """

    id: str
    source: str
    published: float | str | None
    ours: float | None
    low: float | None
    high: float | None
    n: int
    verdict: VerdictName
    note: str
    margin: float | None = None
    enough: int | None = None
    parts: tuple["Verdict", ...] = ()


class Judgement(NamedTuple):
    """All verdicts of an experiment, in the order of its claims.

    Attributes:
        verdicts: One a claim. A claim whose estimate failed is "not comparable", with the failure in its note.
        failed: Identifiers of the claims whose estimate could not be computed. Empty in a sound reproduction.
    """

    verdicts: tuple[Verdict, ...]
    failed: tuple[str, ...]


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


def judge_all(claims: Iterable[Any], results: Any) -> Judgement:
    """Judge every claim of an experiment. A claim whose estimate fails does not stop the others.

    Args:
        claims: The claims, each an `AbstractClaim`, with different identifiers.
        results: The `Results` of their experiment.

    Raises:
        InputError: two claims share an identifier.
        FileError: the results are not finished, or damaged.
    """
    claims = tuple(claims)
    names = [claim.id for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"claims of one experiment need different ids; twice: {', '.join(twice)}")
    verdicts, failed = [], []
    for claim in claims:
        try:
            verdicts.append(claim.judge(results))
        except (FileError, EnvironmentFailure):
            raise  # the results cannot be read, so that no claim can be judged
        except Exception as error:
            # The estimate is code of the experiment's author. An error in it concerns this claim only.
            failed.append(claim.id)
            published = getattr(claim, "published", None)
            note = f"no estimate: {type(error).__name__}: {error}"
            verdicts.append(Verdict(claim.id, claim.source, published, None, None, None, 0, "not comparable", note))
    return Judgement(tuple(verdicts), tuple(failed))


def verdict_table(verdicts: tuple[Verdict, ...], *, reasons: bool = True) -> Table:
    """The verdicts as a table: the published number, ours with its interval, and the verdict.

    Args:
        verdicts: One a claim, in the order of the rows. The parts of a statement follow it.
        reasons: Whether to add the columns note and source, which make the table wide.
    """
    import pandas

    columns = ("id", "published", "ours", "low", "high", "n", "margin", "verdict")
    if reasons:
        columns = (*columns, "note", "source")
    rows = [
        [f"{above}{verdict.id}", *(getattr(verdict, column) for column in columns[1:])]
        for whole in verdicts
        for above, verdict in (("", whole), *((f"{whole.id}: ", part) for part in whole.parts))
    ]
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
