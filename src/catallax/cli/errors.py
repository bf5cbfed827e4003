"""Failures: each ends with one clear line and an exit code; a bug of catallax also leaves a report in a file.

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | ran, but a claim's estimate or a check failed |
| 2 | wrong use or settings |
| 3 | an input file is bad or corrupt |
| 4 | numerical failure |
| 5 | the machine refuses: device, disk, dependency |
| 6 | another process holds the run directory |
| 70 | a bug of ours, with a report in a file |
| 130 | interrupted, resumable |
"""

import errno
import os
import sys
from typing import NamedTuple

from catallax.version import __version__

INTERRUPTED = 130
BUG = 70
_FULL = (errno.ENOSPC, errno.EDQUOT)


class CommandError(Exception):
    """A wrong use that is found before jax is imported. It has an `exit_code`, as the errors of the library have."""

    exit_code = 2


class Failure(NamedTuple):
    """The exit code and the message for an error.

    Attributes:
        exit_code: See the table at the head of this module.
        message: One line: what failed, where, why, and what to do.
    """

    exit_code: int
    message: str


def describe(error: BaseException) -> Failure:
    """The exit code and the message for an error. For a bug of catallax, a report file is written.

    Args:
        error: The error.
    """
    code = getattr(error, "exit_code", None)
    if isinstance(code, int) and str(error):
        return Failure(code, _one_line(str(error)))
    if isinstance(error, KeyboardInterrupt):
        return Failure(INTERRUPTED, "interrupted; what was saved is intact, the same command goes on from there")
    if isinstance(error, MemoryError):
        return Failure(5, "out of memory; take fewer replications, or close other programs")
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        advice = "; free some space and resume" if error.errno in _FULL else ""
        return Failure(5, _one_line(f"{where}{error.strerror or error}{advice}"))
    if type(error).__name__ == "JaxRuntimeError" and "RESOURCE_EXHAUSTED" in str(error):
        return Failure(5, "the device is out of memory; run on the CPU with JAX_PLATFORMS=cpu")
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("catallax"):
        return Failure(5, f'the Python package "{error.name}" is missing; install catallax again, with its lock')
    return Failure(BUG, f"this is a bug in catallax: {_one_line(_name(error))}; {_write_bug_report(error)}")


def _name(error: BaseException) -> str:
    """Type and text of an error, at most 200 characters."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


def _one_line(text: str) -> str:
    """Text without line breaks and control characters, which could imitate a second message."""
    joined = "; ".join(line.strip() for line in text.splitlines() if line.strip())
    return "".join(character if character.isprintable() else "?" for character in joined)


def _write_bug_report(error: BaseException) -> str:
    """Save traceback and versions in the current directory, or else in the temporary folder; returns where they are."""
    import platform
    import tempfile
    import time
    import traceback

    report = "\n".join(
        [
            f"catallax {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {sys.argv[1:]!r}",
            "".join(traceback.format_exception(error)),
        ]
    )
    name = f"catallax-bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for directory in (os.curdir, tempfile.gettempdir()):
        path = os.path.join(os.path.abspath(directory), name)
        try:
            with open(path, "x", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(report)
        except OSError:
            continue
        return f"please report it with the file {path}"
    return "its report could not be saved; run again with --debug to see the traceback"
