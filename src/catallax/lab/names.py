"""Names of tables and figures become file names: the same on every system, and never a path."""

import re

from catallax.core.errors import InputError

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_file_name(kind: str, name: str) -> None:
    """Refuse a name that cannot be a file name everywhere.

    Args:
        kind: What is named, for the message: "table", "figure".
        name: 1 to 64 lower-case letters, digits, "_" and "-", starting with a letter or digit.

    Raises:
        InputError: the name is not of that form.
    """
    if not _FILE_NAME.fullmatch(name):
        raise InputError(
            f'{kind} name "{name}" must be 1 to 64 lower-case letters, digits, "_" or "-", '
            "starting with a letter or digit"
        )
