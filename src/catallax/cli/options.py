"""Options that several commands share, and the functions that read their text."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from catallax.cli.errors import CommandError

LARGEST_SEED = 2**32 - 1
"""Seeds have 32 bits; a larger seed would share its draws with another seed."""

LARGEST_COUNT = 1_000_000
"""A larger number of replications is taken for a typing error."""


def _integer(least: int, most: int):
    """A reader of integers in [least, most]. It refuses 1.5, which the reader of cyclopts would round."""

    def read(kind: Any, tokens: Any) -> int:
        text = tokens[0].value
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f'must be an integer from {least} to {most}, got "{text}"')
        return int(text)

    return read


def _path(kind: Any, tokens: Any) -> Path:
    """A reader of paths. It refuses an empty path and one with a NUL character."""
    text = tokens[0].value
    if not text.strip() or "\0" in text:
        raise ValueError("must be a path, got nothing")
    return Path(text).expanduser()


CoresOption = Annotated[
    int,
    Parameter(
        name="--cores",
        converter=_integer(1, 4096),
        help="Cores that replications are spread over. How many moves the last bits of sums.",
    ),
]

PathOption = Annotated[Path, Parameter(converter=_path)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every command."""

    json: Annotated[bool, Parameter(negative="", show_default=False, help="Print one JSON object.")] = False
    debug: Annotated[bool, Parameter(negative="", show_default=False, help="Show the traceback of an error.")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Whether progress is shown."""

    quiet: Annotated[bool, Parameter(negative="", show_default=False, help="Show no progress.")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Setup(Quiet):
    """What to run, beside the experiment's name."""

    scale: Annotated[str, Parameter(help="How large: quick (minutes) or paper (as published).")] = "quick"
    seed: Annotated[int, Parameter(converter=_integer(0, LARGEST_SEED), help="Root of all random numbers.")] = 0
    replications: Annotated[
        int | None,
        Parameter(converter=_integer(1, LARGEST_COUNT), help="Replications, in place of the scale's."),
    ] = None
    out: Annotated[
        Path | None, Parameter(converter=_path, help="The run directory; a name below runs/ by default.")
    ] = None
    set: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set",
            negative="",
            show_default=False,
            help="A setting as key=value; may be given several times.",
        ),
    ] = field(default=())
    cores: CoresOption = 1
    config: Annotated[
        Path | None, Parameter(converter=_path, help="A TOML file of settings; --set goes before it.")
    ] = None

    def pairs(self) -> dict[str, str]:
        """The `--set` options: key to text.

        Raises:
            CommandError: an option is not of the form key=value, or a key is given twice.
        """
        pairs: dict[str, str] = {}
        for option in self.set:
            key, equals, value = option.partition("=")
            if not equals or not key.strip():
                raise CommandError(f'--set: wanted key=value, got "{option}"')
            if key.strip() in pairs:
                raise CommandError(f"--set: {key.strip()} is given twice")
            pairs[key.strip()] = value.strip()
        return pairs
