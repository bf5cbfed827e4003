"""The references behind a result: BibTeX entries by key."""

import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from catallax.core.errors import InputError
from catallax.lab.experiment import Experiment

SOFTWARE = ("catallax", "jax", "equinox", "scipy")
"""Keys that are cited with every experiment: this library and those that it computes with."""

_KEY = re.compile(r"@\w+\{([^,\s]+),")


@cache
def entries() -> dict[str, str]:
    """All BibTeX entries by key, in the order of references.bib."""
    text = resources.files("catallax").joinpath("references.bib").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text)]
    return {match.group(1): block for block in blocks if (match := _KEY.match(block))}


def cite(keys: Iterable[str]) -> str:
    """BibTeX of the given keys, each once, in the given order.

    Args:
        keys: BibTeX keys. Of a source such as "Rawat2023, table 1", the first word is the key.

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
    """The BibTeX key in a source: "Rawat2023, table 1" gives "Rawat2023"."""
    return re.split(r"[\s,:;]", source.strip(), maxsplit=1)[0]


def keys_of(experiment: Experiment) -> list[str]:
    """The BibTeX keys behind an experiment: its sources, those of its claims, and the software, each once.

    Args:
        experiment: The experiment.

    Raises:
        InputError: a source has an unknown key.
    """
    sources = [*experiment.sources, *(claim.source for claim in experiment.claims), *SOFTWARE]
    keys = list(dict.fromkeys(key_of(source) for source in sources))
    cite(keys)
    return keys
