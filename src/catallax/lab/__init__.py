"""The laboratory: experiments as data, execution in chunks, files that survive a crash, labelled results, verdicts.

The names of this package are loaded when they are first used, so that `catallax.lab.progress` can show a bar before jax
is imported. An experiment is run by `execute` of `catallax.lab.execute`; the `Results` that it returns have the methods
`report`, `judge` and `write_report`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catallax.lab.claims import AbstractClaim as AbstractClaim
    from catallax.lab.claims import Baseline as Baseline
    from catallax.lab.claims import Direction as Direction
    from catallax.lab.claims import Margin as Margin
    from catallax.lab.claims import NotComparable as NotComparable
    from catallax.lab.claims import Value as Value
    from catallax.lab.equivalence import PrintedError as PrintedError
    from catallax.lab.experiment import Cell as Cell
    from catallax.lab.experiment import Experiment as Experiment
    from catallax.lab.experiment import Scale as Scale
    from catallax.lab.figure import Figure as Figure
    from catallax.lab.report import Judgement as Judgement
    from catallax.lab.report import Report as Report
    from catallax.lab.report import Verdict as Verdict
    from catallax.lab.results import Results as Results
    from catallax.lab.settings import decode_settings as decode_settings
    from catallax.lab.statement import Statement as Statement
    from catallax.lab.table import Table as Table

_HOME = {
    "AbstractClaim": "claims",
    "Baseline": "claims",
    "Cell": "experiment",
    "Direction": "claims",
    "Experiment": "experiment",
    "Figure": "figure",
    "Judgement": "report",
    "Margin": "claims",
    "NotComparable": "claims",
    "PrintedError": "equivalence",
    "Report": "report",
    "Results": "results",
    "Scale": "experiment",
    "Statement": "statement",
    "Table": "table",
    "Value": "claims",
    "Verdict": "report",
    "decode_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
