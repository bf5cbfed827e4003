"""Claims: published statements, and the verdict of our runs on each.

A claim says what is printed, where it is printed, how we read it, and within which margin we would call two numbers the
same. The margin is set, with its reason and a date, before the run that it judges. A claim is judged by one estimate of
ours in each replication, by the rule of `lab/equivalence.py`. The verdicts are:

- *reproduced*: our mean and the printed number are equivalent within the margin, with the uncertainty of both. For a
  direction: our 95% interval of the effect lies wholly on the stated side of the threshold.
- *direction only*: the two differ significantly, but our paired difference from the stated baseline is significant on
  the published side. For a direction with a threshold: the effect has the stated sign, and is significantly smaller
  than the threshold.
- *not reproduced*: a significant difference. For a direction: the interval lies on the other side.
- *undecided*: none of these; the note says how many replications would decide. So is a claim that the results are too
  short to judge, of learners that have not finished, say.
- *not comparable*: something that is needed is missing, and the note names it.
- *context*: what is retold by others, recalled, or our own reading, and a number of our own. It is shown and never
  counted.

Below ten replications there is no interval. The verdict is then *direction only* if an exact one-sided sign test over
the replications supports the published direction at the 5% level (all of five, seven of eight), and otherwise
*undecided*. Imprecision never makes a verdict better. A negative verdict with its evidence is a good result.
"""

import abc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from catallax.core.errors import InputError
from catallax.lab import statistics
from catallax.lab.equivalence import SIZES, Sizes, compare, quantile, smallest
from catallax.lab.equivalence import PrintedError as PrintedError
from catallax.lab.report import VERDICTS as VERDICTS
from catallax.lab.report import Judgement as Judgement
from catallax.lab.report import Verdict as Verdict
from catallax.lab.report import VerdictName as VerdictName
from catallax.lab.report import judge_all as judge_all
from catallax.lab.results import Results

EstimateFunction = Callable[[Results], statistics.Sample]
"""From the results of a run to one value a replication, shape [n], in the unit of the published number."""

EXACT = PrintedError()
"""The error of a number that is exact: a count, or the limit of a theorem."""


class Margin(NamedTuple):
    """The largest difference at which two numbers are called the same.

    Attributes:
        width: In the unit of the number, at least 0.
        reason: Why it is this and not another.
        date: The day on which it was set, as "2026-12-01". A margin that was changed after a run was seen must say so
            in the claim's note (tests/experiments/test_margins.py).
    """

    width: float
    reason: str
    date: str


class Baseline(NamedTuple):
    """The printed number that a claim is compared with, which gives the direction of an effect.

    Attributes:
        name: Its name: "ZIC only".
        published: Its printed value, in the unit of the claim.
        estimate: Our values of it, one a replication, on the same random numbers.
    """

    name: str
    published: float
    estimate: EstimateFunction


@dataclass(frozen=True, kw_only=True)
class AbstractClaim(abc.ABC):
    """One published statement that can be judged.

    Attributes:
        id: Identifier, unique within an experiment.
        source: BibTeX key and table, figure or page.
        statement: What is printed there, in words.
        needs: The cells that it reads. The claim is not comparable at a scale that does not run all of them.
        context: Why the statement is not counted: "retold", "recalled", "our reading"; empty for a published one.
        unfinished: From the results to what they are too short for, in words; empty if they are long enough.
    """

    id: str
    source: str
    statement: str
    needs: tuple[str, ...] = ()
    context: str = ""
    unfinished: Callable[[Results], str] | None = None

    def judge(self, results: Results, sizes: Sizes = SIZES) -> Verdict:
        """Judge the claim on stored results.

        Args:
            results: The `Results` of the claim's experiment.
            sizes: Sizes of the tests.

        Raises:
            NumericalError: a replication's estimate is not finite and not declared undefined.
        """
        absent = [name for name in self.needs if name not in results.cells]
        if absent:
            note = f"missing: cell {absent[0]!r}, which scale {results.scale_name!r} does not run"
            published = getattr(self, "published", None)
            verdict = Verdict(self.id, self.source, published, None, None, None, 0, "not comparable", note)
        else:
            verdict = self.evaluate(results, sizes)
        lacking = "" if absent or self.unfinished is None else self.unfinished(results)
        if lacking and verdict.verdict != "not comparable":
            verdict = _changed(verdict, "undecided", f"{lacking}; {verdict.note}")
        if self.context:
            verdict = _changed(verdict, "context", f"not counted, because it is {self.context}; {verdict.note}")
        return verdict

    @abc.abstractmethod
    def evaluate(self, results: Results, sizes: Sizes) -> Verdict:
        """The verdict on results that hold all that the claim needs; see `judge`."""

    def _verdict(
        self, published: float | str, estimate: statistics.Estimate, verdict: VerdictName, *notes: str, **more: Any
    ) -> Verdict:
        """The verdict with the data of the claim and of an estimate."""
        note = "; ".join(part for part in notes if part)
        if estimate.undefined:
            note = f"{note}; undefined in {estimate.undefined} of {estimate.n + estimate.undefined} replications"
        mean, low, high = estimate.mean, estimate.low, estimate.high
        return Verdict(self.id, self.source, published, mean, low, high, estimate.n, verdict, note, **more)


@dataclass(frozen=True, kw_only=True)
class Value(AbstractClaim):
    """A printed number.

    Attributes:
        published: The number in our reading of its unit.
        margin: Within which distance from it ours is called the same.
        unit: Unit of `published` and of the estimate.
        estimate: Our value in each replication.
        printed: The uncertainty of the printed number.
        note: Our reading of what is printed (swapped cells, percentages); it is added to the verdict.
        baseline: The number that it is compared with in print; None if there is none.
        may_be_undefined: Whether NaN means that the number is undefined in a replication, which is then left out and
            counted.
    """

    published: float
    margin: Margin
    unit: str
    estimate: EstimateFunction
    printed: PrintedError = EXACT
    note: str = ""
    baseline: Baseline | None = None
    may_be_undefined: bool = False

    def __post_init__(self):
        """Refuse a claim that could never be judged."""
        width = self.margin.width
        if not (math.isfinite(self.published) and math.isfinite(width) and width >= 0):
            raise InputError(
                f"claim {self.id}: published must be finite and the margin finite and at least 0, "
                f"got {self.published} and {width}"
            )
        self.printed.check()

    def evaluate(self, results: Results, sizes: Sizes) -> Verdict:
        """See `AbstractClaim.evaluate`."""
        ours = self.estimate(results)
        estimate = statistics.mean_interval(ours, allow_undefined=self.may_be_undefined)
        if estimate.mean is None:
            nothing = "no replication has a defined value"
            return self._verdict(self.published, estimate, "not comparable", nothing, self.note)
        if estimate.low is None or estimate.sd is None:
            supported, direction = self._direction(ours, results)
            verdict: VerdictName = "direction only" if supported else "undecided"
            return self._verdict(self.published, estimate, verdict, _too_few(estimate.n) + direction, self.note)
        found = compare(estimate.mean, estimate.sd, estimate.n, self.published, self.margin.width, self.printed, sizes)
        rule = (
            f"ours less printed [{found.low:.3g}, {found.high:.3g}] at 90%, margin {self.margin.width:.3g} "
            f"({self.margin.reason}; set {self.margin.date}); the printed number is {self.printed.words()}"
        )
        more = {"margin": self.margin.width, "enough": found.enough}
        if found.decision == "same":
            return self._verdict(self.published, estimate, "reproduced", rule, self.note, **more)
        if found.decision == "undecided":
            would = _would_decide(found.enough, "the printed number is too uncertain")
            return self._verdict(self.published, estimate, "undecided", rule, would, self.note, **more)
        supported, direction = self._direction(ours, results)
        verdict = "direction only" if supported else "not reproduced"
        return self._verdict(self.published, estimate, verdict, rule + direction, self.note, **more)

    def _direction(self, ours: statistics.Sample, results: Results) -> tuple[bool, str]:
        """Whether our difference from the baseline supports the published one, and that difference in words."""
        if self.baseline is None or self.published == self.baseline.published:
            return False, ""
        sign = 1 if self.published > self.baseline.published else -1
        theirs = self.baseline.estimate(results)
        difference = statistics.paired_difference(ours, theirs, allow_undefined=self.may_be_undefined)
        values = np.asarray(ours, float) - np.asarray(theirs, float)
        supported = _supports(difference, values[~np.isnan(values)], sign)
        printed = f"published {'above' if sign > 0 else 'below'} {self.baseline.name}"
        return supported, f"; {printed}, our difference {_show(difference)}"


@dataclass(frozen=True, kw_only=True)
class Direction(AbstractClaim):
    """A printed statement that an effect is positive or negative, or beyond a threshold.

    Attributes:
        sign: +1 or -1, the printed sign of the effect.
        estimate: Our effect in each replication (a paired difference, a correlation, ...).
        threshold: The size that the effect must exceed on its side; None for zero. Where an effect cannot be on the
            other side of zero, as a distance, the claim could not fail without it.
        note: Our reading of what is printed; it is added to the verdict.
        may_be_undefined: Whether NaN means that the effect is undefined in a replication, which is then left out and
            counted.
    """

    sign: Literal[-1, 1]
    estimate: EstimateFunction
    threshold: Margin | None = None
    note: str = ""
    may_be_undefined: bool = False

    def __post_init__(self):
        """Refuse a claim that could never be judged."""
        if self.sign not in (-1, 1):
            raise InputError(f"claim {self.id}: sign is +1 or -1, got {self.sign}")
        if self.threshold is not None and not (math.isfinite(self.threshold.width) and self.threshold.width >= 0):
            raise InputError(
                f"claim {self.id}: the threshold must be finite and at least 0, got {self.threshold.width}"
            )

    @property
    def published(self) -> str:
        """The statement as a comparison: "> 0", "< -0.02"."""
        width = 0.0 if self.threshold is None else self.threshold.width
        return f"> {width:g}" if self.sign > 0 else f"< {-width or 0.0:g}"

    def evaluate(self, results: Results, sizes: Sizes) -> Verdict:
        """See `AbstractClaim.evaluate`."""
        values = np.asarray(self.estimate(results), float)
        estimate = statistics.mean_interval(values, allow_undefined=self.may_be_undefined)
        width = 0.0 if self.threshold is None else self.threshold.width
        why = f"threshold {width:g} ({self.threshold.reason}; set {self.threshold.date})" if self.threshold else ""
        judged = lambda verdict, *notes, **more: self._verdict(
            self.published, estimate, verdict, *notes, why, self.note, margin=width or None, **more
        )
        if estimate.mean is None:
            return judged("not comparable", "no replication has a defined value")
        beyond = self.sign * values[~np.isnan(values)] - width
        if estimate.low is None or estimate.sd is None:
            supported = statistics.sign_supported(beyond, 1)
            found = "supports" if supported else "does not settle"
            test = f"{_too_few(estimate.n)}; a sign test {found} the statement"
            return judged("direction only" if supported else "undecided", test)
        excess, sd, n = self.sign * estimate.mean - width, estimate.sd, estimate.n
        if _exceeds(excess, sd, n, sizes.same):
            return judged("reproduced", "the interval lies on the stated side", enough=n)
        if sd == 0.0 or _exceeds(-excess, sd, n, sizes.different):
            if width and _exceeds(excess + width, sd, n, sizes.same):
                return judged("direction only", "the effect has the stated sign and is below the threshold", enough=n)
            return judged("not reproduced", "the interval does not reach the stated side", enough=n)
        decided = lambda more: _exceeds(excess, sd, more, sizes.same) or _exceeds(-excess, sd, more, sizes.different)
        enough = smallest(decided, n)
        would = _would_decide(enough, "our mean stands at the threshold")
        return judged("undecided", f"the interval includes the threshold; {would}", enough=enough)


@dataclass(frozen=True, kw_only=True)
class NotComparable(AbstractClaim):
    """A printed statement that cannot be judged, with the reason.

    Attributes:
        published: What is printed.
        missing: What is needed to compare: a parameter, a definition, a data set.
    """

    published: float | str | None
    missing: str

    def evaluate(self, results: Results, sizes: Sizes) -> Verdict:
        """See `AbstractClaim.evaluate`; no results are read."""
        note = f"missing: {self.missing}"
        return Verdict(self.id, self.source, self.published, None, None, None, 0, "not comparable", note)


def value(
    id: str,
    source: str,
    statement: str,
    published: float,
    margin: Margin,
    unit: str,
    estimate: EstimateFunction,
    note: str = "",
    printed: PrintedError = EXACT,
    **more: Any,
) -> Value:
    """A printed number, in the order in which a list of claims reads best."""
    return Value(
        id=id, source=source, statement=statement, published=published, margin=margin, unit=unit, estimate=estimate,
        note=note, printed=printed, **more,
    )  # fmt: skip


def direction(
    id: str, source: str, statement: str, sign: Literal[-1, 1], estimate: EstimateFunction, note: str = "", **more: Any
) -> Direction:
    """A printed statement on a sign, in the order in which a list of claims reads best."""
    return Direction(id=id, source=source, statement=statement, sign=sign, estimate=estimate, note=note, **more)


def shorter_than(scale: str) -> Callable[[Results], str]:
    """For claims on learners: says that a run takes fewer steps than a scale of its experiment does."""

    def lacking(results: Results) -> str:
        steps, wanted = results.scale.steps, results.experiment.scales[scale].steps
        if steps >= wanted:
            return ""
        return f"{steps:,} steps of the {wanted:,} of scale {scale}: learners have not finished"

    return lacking


def _changed(verdict: Verdict, name: VerdictName, note: str) -> Verdict:
    """The verdict under another name."""
    return msgspec.structs.replace(verdict, verdict=name, note=note)


def _supports(difference: statistics.Estimate, values: np.ndarray, sign: int) -> bool:
    """Whether a difference is significant on one side: by its interval, or by a sign test where there is none."""
    if difference.mean is None or sign * difference.mean <= 0:
        return False
    if difference.low is None or difference.high is None:
        return statistics.sign_supported(values, sign)
    return (difference.low if sign > 0 else -difference.high) > 0


def _exceeds(effect: float, sd: float, n: int, size: float) -> bool:
    """Whether a mean effect is above zero, by Student's two-sided test of this size."""
    return effect > 0 and bool(effect > quantile(1 - size / 2, n - 1) * sd / math.sqrt(n))


def _would_decide(enough: int | None, otherwise: str) -> str:
    """How many replications would decide, in words."""
    if enough is None:
        return f"no number of replications would decide: {otherwise}"
    return f"{enough:,} replications would decide if mean and SD stay"


def _too_few(n: int) -> str:
    """The reason of a verdict on a sample that is too small for an interval."""
    return f"too few replications for an interval ({n}; {statistics.MINIMUM_REPLICATIONS} needed)"


def _show(estimate: statistics.Estimate) -> str:
    """A difference in words: mean and, where there is one, interval."""
    if estimate.mean is None:
        return "undefined"
    if estimate.low is None:
        return f"{estimate.mean:.3g} (no interval)"
    return f"{estimate.mean:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"
