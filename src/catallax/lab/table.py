"""A table of a report: one pandas frame, shown as aligned text, CSV (every digit) and Markdown."""

import math
import numbers
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catallax.core.errors import InputError

if TYPE_CHECKING:  # pandas and rich are imported when a table is shown, so that the library loads faster
    import pandas

UNBOUNDED = 10_000
"""The largest width of a table in a file, in columns of text."""

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_file_name(kind: str, name: str) -> None:
    """Refuse a name that cannot be a file name on every system.

    Args:
        kind: What has the name, for the message: "table", "figure".
        name: 1 to 64 lower-case letters, digits, "_" and "-"; the first is a letter or digit.

    Raises:
        InputError: the name is not of that form.
    """
    if not _FILE_NAME.fullmatch(name):
        raise InputError(
            f'{kind} name "{name}" must be 1 to 64 lower-case letters, digits, "_" or "-", '
            "starting with a letter or digit"
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """A named table.

    Attributes:
        name: File name without ending: lower-case letters, digits, "_" and "-".
        frame: The numbers. Missing values are shown as a dash, and left empty in CSV.
        caption: One sentence: what the rows and columns are, in which units, how many replications.
        decimals: Digits after the point in text and Markdown; CSV keeps every digit.
    """

    name: str
    frame: "pandas.DataFrame"
    caption: str
    decimals: int = 3

    def __post_init__(self):
        """Refuse a name that cannot be a file name on every system."""
        check_file_name("table", self.name)

    @classmethod
    def of_rows(cls, name: str, caption: str, rows: Iterable[Mapping[str, Any]], decimals: int = 3) -> "Table":
        """A table of one dictionary a row; the columns stand in the order in which they first appear."""
        import pandas

        return cls(name=name, caption=caption, frame=pandas.DataFrame(list(rows)), decimals=decimals)

    def text(self, width: int | None = None) -> str:
        """The table as aligned text.

        Args:
            width: The number of columns available; longer cells are wrapped. None for as many as the table needs.
        """
        from io import StringIO

        from rich import box
        from rich.console import Console
        from rich.table import Table as Grid
        from rich.text import Text

        header, rows, numeric = self._cells()
        grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, caption=None, show_edge=False)
        for name, right in zip(header, numeric, strict=True):
            grid.add_column(Text(name), justify="right" if right else "left", overflow="fold")
        for row in rows:
            grid.add_row(*(Text(cell) for cell in row))
        stream = StringIO()
        console = Console(file=stream, width=width or UNBOUNDED, color_system=None, legacy_windows=False)
        console.print(grid)
        console.print()
        console.print(Text(self.caption), width=min(width or 110, 110))
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"

    def csv(self) -> str:
        """The table as CSV: full precision, empty where a value is missing, lines ended by a line feed."""
        frame = _flat(self.frame)
        return str(frame.to_csv(index=False, lineterminator="\n"))

    def markdown(self) -> str:
        """The table as a Markdown pipe table, with its caption below."""
        header, rows, numeric = self._cells()
        rule = ["---:" if right else "---" for right in numeric]
        lines = [header, rule, *rows]
        body = "\n".join("| " + " | ".join(_escape(cell) for cell in line) + " |" for line in lines)
        return f"{body}\n\n{self.caption}\n"

    def _cells(self) -> tuple[list[str], list[list[str]], list[bool]]:
        """The header, the rows of formatted cells, and for each column whether it holds numbers."""
        frame = _flat(self.frame)
        columns = [[_format(value, self.decimals) for value in frame[name]] for name in frame.columns]
        numeric = [all(_is_number(value) or _is_missing(value) for value in frame[name]) for name in frame.columns]
        return (
            [str(name) for name in frame.columns],
            [list(row) for row in zip(*columns, strict=True)],
            numeric,
        )


def _flat(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """The frame with a meaningful index turned into columns, and column levels joined into one name."""
    import pandas

    if not isinstance(frame.index, pandas.RangeIndex):
        frame = frame.reset_index()
    if isinstance(frame.columns, pandas.MultiIndex):
        frame = frame.copy(deep=False)
        frame.columns = pandas.Index([" / ".join(str(part) for part in name if str(part)) for name in frame.columns])
    if not frame.columns.is_unique:
        raise ValueError(f"a table needs different column names, got {list(frame.columns)}")
    return frame


def _is_number(value: Any) -> bool:
    """Whether a cell is a number (a truth value is not)."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_missing(value: Any) -> bool:
    """Whether a cell holds no value."""
    return value is None or (_is_number(value) and math.isnan(value)) or type(value).__name__ == "NAType"


def _format(value: Any, decimals: int) -> str:
    """One cell as text."""
    if _is_missing(value):
        return "-"
    if _is_number(value) and not isinstance(value, numbers.Integral):
        return f"{value:.{decimals}f}" if abs(value) < 1e7 else f"{value:.{decimals + 3}g}"
    return str(value)


def _escape(cell: str) -> str:
    """The text of a cell, with the characters escaped that would break a Markdown table."""
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
