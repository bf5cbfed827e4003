"""Citation of what a result rests on: BibTeX entries by key."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from catallax.core.errors import InputError

SOFTWARE = ("catallax", "jax", "equinox", "scipy")
"""Keys cited with every experiment: the engine and what it computes with."""

_KEY = re.compile(r"@\w+\{([^,\s]+),")


@cache
def entries() -> dict[str, str]:
    """All BibTeX entries of the library by key, in the order of references.bib."""
    text = resources.files("catallax").joinpath("references.bib").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text)]
    return {match.group(1): block for block in blocks if (match := _KEY.match(block))}


def cite(keys: Iterable[str]) -> str:
    """BibTeX of the given keys, each once, in the given order.

    Args:
        keys: BibTeX keys. A source such as "Rawat2023, table 1" counts by its first word.

    Raises:
        InputError: a key is unknown; the nearest known one is named.
    """
    known = entries()
    wanted = dict.fromkeys(key_of(key) for key in keys)
    for key in wanted:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f'no reference "{key}"{hint} (all keys: catallax cite --list)')
    return "\n\n".join(known[key] for key in wanted) + "\n"


def key_of(source: str) -> str:
    """The BibTeX key at the head of a source: "Rawat2023, table 1" gives "Rawat2023"."""
    return re.split(r"[\s,:;]", source.strip(), maxsplit=1)[0]
