"""The laboratory: experiments as data, execution in chunks, files that survive, results with labels, verdicts.

Names are loaded when first used: `catallax.lab.progress` can draw its bar before jax is imported. What runs an
experiment, `execute` and `resume`, is in `catallax.lab.execute`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catallax.lab.claims import AbstractClaim as AbstractClaim
    from catallax.lab.claims import Baseline as Baseline
    from catallax.lab.claims import Direction as Direction
    from catallax.lab.claims import Judgement as Judgement
    from catallax.lab.claims import NotComparable as NotComparable
    from catallax.lab.claims import Value as Value
    from catallax.lab.claims import Verdict as Verdict
    from catallax.lab.experiment import Cell as Cell
    from catallax.lab.experiment import Experiment as Experiment
    from catallax.lab.experiment import Scale as Scale
    from catallax.lab.figure import Figure as Figure
    from catallax.lab.report import Report as Report
    from catallax.lab.results import Results as Results
    from catallax.lab.settings import decode_settings as decode_settings
    from catallax.lab.table import Table as Table

_HOME = {
    "AbstractClaim": "claims",
    "Baseline": "claims",
    "Cell": "experiment",
    "Direction": "claims",
    "Experiment": "experiment",
    "Figure": "figure",
    "Judgement": "claims",
    "NotComparable": "claims",
    "Report": "report",
    "Results": "results",
    "Scale": "experiment",
    "Table": "table",
    "Value": "claims",
    "Verdict": "claims",
    "decode_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
