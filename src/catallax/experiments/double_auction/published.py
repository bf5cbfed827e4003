"""The learner of Rawat (2023), as the experiments on its tables and treatments take it."""

from typing import Any, Literal

import msgspec

from catallax.agents.deep import Reinforce


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    learner: Literal["published", "corrected"] = "published"
    """The author's REINFORCE, or the one with a baseline."""


def learner(settings: Settings, **changes: Any) -> Reinforce:
    """The learner of the settings, with further parameters."""
    return Reinforce(baseline=settings.learner == "corrected", **changes)
