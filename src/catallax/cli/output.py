"""What goes to standard output: the answer, as text for people or as one JSON object for programs."""

import json
import shutil
import sys
from typing import Any


def emit(answer: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print an answer.

    Args:
        answer: The JSON object; values may be msgspec structs.
        text: The same for people.
        as_json: Which of the two.
    """
    if as_json:
        print_json(answer)
    else:
        print(text.rstrip("\n"))


def print_json(answer: dict[str, Any]) -> None:
    """Print one JSON object on standard output. NaN does not occur in JSON; it becomes null."""
    import msgspec

    plain = msgspec.json.decode(msgspec.json.encode(answer, enc_hook=str))
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def say(message: str) -> None:
    """Print a line on standard error."""
    print(f"catallax: {message}", file=sys.stderr, flush=True)


def width() -> int | None:
    """Columns of the terminal; None where standard output is a file or a pipe, which has no width."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def columns(rows: list[tuple[str, ...]], gap: str = "  ") -> str:
    """Rows of text with aligned columns; the last column is left as it is.

    Args:
        rows: Rows of the same length.
        gap: What stands between columns.
    """
    if not rows:
        return ""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    lines = [gap.join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
