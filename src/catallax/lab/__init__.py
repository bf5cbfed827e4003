"""The laboratory: experiments as data, execution in chunks, files that survive, results with labels,
verdicts.

Names are loaded when first used: `catallax.lab.progress` can draw its bar before jax is imported.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catallax.lab.execute import default_directory as default_directory
    from catallax.lab.experiment import Cell as Cell
    from catallax.lab.experiment import Experiment as Experiment
    from catallax.lab.experiment import Scale as Scale
    from catallax.lab.results import Results as Results
    from catallax.lab.settings import decode_settings as decode_settings
    from catallax.lab.spec import experiment_name as experiment_name
    from catallax.lab.spec import read_request as read_request

_HOME = {
    "default_directory": "execute",
    "Cell": "experiment",
    "Experiment": "experiment",
    "Scale": "experiment",
    "Results": "results",
    "decode_settings": "settings",
    "experiment_name": "spec",
    "read_request": "spec",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
