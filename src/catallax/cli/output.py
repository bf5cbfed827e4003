"""Printing: the answer on standard output as text or as one JSON object, and messages on standard error."""

import json
import shutil
import sys
from typing import Any


def emit(answer: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print an answer.

    Args:
        answer: The JSON object; values may be msgspec structs.
        text: The same as text.
        as_json: Whether the JSON object is printed.
    """
    if as_json:
        print_json(answer)
    else:
        print(text.rstrip("\n"))


def print_json(answer: dict[str, Any]) -> None:
    """Print one JSON object on standard output. NaN becomes null, because JSON has no NaN."""
    import msgspec

    plain = msgspec.json.decode(msgspec.json.encode(answer, enc_hook=str))
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def say(message: str) -> None:
    """Print a line on standard error."""
    print(f"catallax: {message}", file=sys.stderr, flush=True)


def width() -> int | None:
    """The width of the terminal in columns; None if standard output is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def columns(rows: list[tuple[str, ...]], gap: str = "  ") -> str:
    """Rows of text with aligned columns; the last column is not padded.

    Args:
        rows: Rows of the same length.
        gap: The text between columns.
    """
    if not rows:
        return ""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    lines = [gap.join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
