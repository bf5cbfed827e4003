"""`catallax`: the commands, and how each of them ends.

Answers go to standard output, progress and messages to standard error. Only the commands that need jax import it, so
that `catallax --help` answers at once.
"""

import io
import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from catallax.cli import doctor, errors, look, output, running
from catallax.version import __version__

_HELP = "Learning agents in markets, games and economies: run an experiment, get its table with a verdict."
_EPILOGUE = (
    "Exit codes: 0 done, 1 an estimate failed, 2 wrong use, 3 bad file, 4 numerical failure, 5 machine, "
    "6 locked, 70 a bug of ours, 130 interrupted."
)


def make_app() -> App:
    """The commands, as an application of cyclopts."""
    app = App(
        name="catallax",
        help=_HELP,
        help_epilogue=_EPILOGUE,
        help_format="plaintext",  # Markdown would load a parser and a highlighter that help does not need
        version=f"catallax {__version__}",
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        help_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    app.command(look.list_experiments, name="list", sort_key=1)
    app.command(look.show, name="show", sort_key=2)
    app.command(running.run, name="run", sort_key=3)
    app.command(running.resume, name="resume", sort_key=4)
    app.command(running.report, name="report", sort_key=5)
    app.command(running.reproduce, name="reproduce", sort_key=6)
    app.command(look.cite, name="cite", sort_key=7)
    app.command(doctor.doctor, name="doctor", sort_key=8)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of the command line; any error becomes an exit code and one line.

    Args:
        arguments: The arguments; those of the process if left out. Then the process may be ended here.

    Returns:
        The exit code; see `catallax.cli.errors`.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter must not end a run
    try:
        try:
            code = make_app()(tokens)
        except BrokenPipeError:
            raise
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 2
        except BaseException as error:
            code = _fail(error, tokens[: tokens.index("--")] if "--" in tokens else tokens)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the answer has closed it (catallax list | head). Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if arguments is None and code == errors.INTERRUPTED:
        # A computation that was abandoned still runs in its thread; a normal exit would wait for it.
        sys.stderr.flush()
        os._exit(code)
    return code if isinstance(code, int) else 0


def _fail(raised: BaseException, options: list[str]) -> int:
    """Print how a command failed, and return its exit code."""
    usage = isinstance(raised, CycloptsError)
    failure = errors.describe(errors.CommandError(f"{raised} (help: catallax --help)") if usage else raised)
    if "--debug" in options:
        traceback.print_exception(raised)
    output.say(failure.message)
    if "--json" in options:
        status = "interrupted" if failure.exit_code == errors.INTERRUPTED else "error"
        output.print_json({"schema": "catallax-error-1", "status": status, **failure._asdict()})
    return failure.exit_code


if __name__ == "__main__":
    sys.exit(main())
