"""A published sentence that several numbers or directions bear on: one claim, whose parts are evidence."""

from dataclasses import dataclass
from typing import Literal

from catallax.core.errors import InputError
from catallax.lab.claims import AbstractClaim
from catallax.lab.equivalence import Sizes
from catallax.lab.report import VERDICTS, Verdict, VerdictName
from catallax.lab.results import Results


@dataclass(frozen=True, kw_only=True)
class Statement(AbstractClaim):
    """One printed sentence that several numbers or directions bear on. They are rows of evidence and not counted.

    A sentence on all of them is reproduced if all parts are, which needs no correction for their number, and not
    reproduced if one part is not, at 5% divided by their number. A sentence that something can happen is reproduced if
    one part is, at 5% divided by their number, and not reproduced if no part is.

    Attributes:
        parts: The evidence, with different identifiers.
        holds_for: "all" or "some" parts.
        note: Our reading of the sentence.
    """

    parts: tuple[AbstractClaim, ...]
    holds_for: Literal["all", "some"] = "all"
    note: str = ""

    def __post_init__(self):
        """Refuse a sentence without evidence."""
        if not self.parts:
            raise InputError(f"claim {self.id}: a statement needs at least one part")

    def evaluate(self, results: Results, sizes: Sizes) -> Verdict:
        """See `AbstractClaim.evaluate`."""
        share = len(self.parts)
        if self.holds_for == "all":
            sizes = Sizes(sizes.same, sizes.different / share)
        else:
            sizes = Sizes(sizes.same / share, sizes.different)
        found = tuple(part.judge(results, sizes) for part in self.parts)
        names = [verdict.verdict for verdict in found]
        counts = ", ".join(f"{names.count(name)} {name}" for name in VERDICTS if name in names)
        note = f"of {share} parts, of which {self.holds_for} must hold: {counts}"
        note = f"{note}; {self.note}" if self.note else note
        n = max(verdict.n for verdict in found)
        verdict = _of_all(names) if self.holds_for == "all" else _of_some(names)
        return Verdict(self.id, self.source, None, None, None, None, n, verdict, note, parts=found)


def _of_all(names: list[str]) -> VerdictName:
    """The verdict on a sentence that holds for all parts, from theirs."""
    if "not reproduced" in names:
        return "not reproduced"
    for name in ("not comparable", "context", "undecided", "direction only"):
        if name in names:
            return name
    return "reproduced"


def _of_some(names: list[str]) -> VerdictName:
    """The verdict on a sentence that something can happen, from those on its parts."""
    for name in ("reproduced", "direction only", "undecided", "not comparable", "context"):
        if name in names:
            return name
    return "not reproduced"
