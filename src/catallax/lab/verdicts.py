"""Verdicts: the outcome of judging the claims of an experiment.

`Results` judges claims, and claims read `Results`. This file is below both and therefore names neither type.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from catallax.core.errors import EnvironmentFailure, FileError, InputError

VERDICTS = ("reproduced", "direction only", "not reproduced", "not comparable")
"""The four verdicts. The last one says that a claim cannot be judged."""

VerdictName = Literal["reproduced", "direction only", "not reproduced", "not comparable"]


class Verdict(msgspec.Struct, frozen=True):
    """The verdict of our runs on one published number; it is one object in summary.json.

    Attributes:
        id: Identifier of the claim within its experiment.
        source: BibTeX key and table, figure or page.
        published: The printed number in our reading of its unit, or the printed direction ("> 0", "< 0").
        ours: Mean over replications, same unit; None without an estimate.
        low: Lower end of our 95% interval; None below ten replications.
        high: Upper end of our 95% interval; None below ten replications.
        n: Number of replications behind `ours`.
        verdict: One of `VERDICTS`.
        note: The reason, in a sentence, with our reading of the printed number.
    """

    id: str
    source: str
    published: float | str | None
    ours: float | None
    low: float | None
    high: float | None
    n: int
    verdict: VerdictName
    note: str


class Judgement(NamedTuple):
    """All verdicts of an experiment, in the order of its claims.

    Attributes:
        verdicts: One a claim. A claim whose estimate failed is "not comparable", with the failure in its note.
        failed: Identifiers of the claims whose estimate could not be computed. Empty in a sound reproduction.
    """

    verdicts: tuple[Verdict, ...]
    failed: tuple[str, ...]


def judge_all(claims: Iterable[Any], results: Any) -> Judgement:
    """Judge every claim of an experiment. A claim whose estimate fails does not stop the others.

    Args:
        claims: The claims, each an `AbstractClaim`, with different identifiers.
        results: The `Results` of their experiment.

    Raises:
        InputError: two claims share an identifier.
        FileError: the results are not finished, or damaged.
    """
    claims = tuple(claims)
    names = [claim.id for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"claims of one experiment need different ids; twice: {', '.join(twice)}")
    verdicts, failed = [], []
    for claim in claims:
        absent = [name for name in claim.needs if name not in results.cells]
        if absent:
            verdicts.append(_not_run(claim, absent[0], results))
            continue
        try:
            verdicts.append(claim.judge(results))
        except (FileError, EnvironmentFailure):
            raise  # the results cannot be read, so that no claim can be judged
        except Exception as error:
            # The estimate is code of the experiment's author. An error in it concerns this claim only.
            failed.append(claim.id)
            published = getattr(claim, "published", None)
            note = f"no estimate: {type(error).__name__}: {error}"
            verdicts.append(Verdict(claim.id, claim.source, published, None, None, None, 0, "not comparable", note))
    return Judgement(tuple(verdicts), tuple(failed))


def _not_run(claim: Any, cell: str, results: Any) -> Verdict:
    """The verdict on a claim about a cell that the scale of the run leaves out."""
    note = f"missing: cell {cell!r}, which scale {results.scale_name!r} does not run"
    published = getattr(claim, "published", None)
    return Verdict(claim.id, claim.source, published, None, None, None, 0, "not comparable", note)
