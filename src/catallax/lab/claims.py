"""Claims: published numbers, and the verdict of our runs on each.

A claim states what is printed, where it is printed, how we read it, and how far a printed number may lie from the truth
that it estimates. It is judged by one estimate of ours in each replication. There are four verdicts:

- *reproduced*: our 95% interval over replications overlaps [published - error, published + error]. For a direction: the
  interval of the effect lies wholly on the stated side of zero.
- *direction only*: the intervals do not overlap, but the interval of our paired difference from the stated baseline
  lies wholly on the published side. For a direction: the mean has the stated sign and the interval includes zero.
- *not reproduced*: there is an interval, and neither of the two holds.
- *not comparable*: something that is needed is missing, and the note names it.

Below ten replications there is no interval, and so neither *reproduced* nor *not reproduced*. The verdict is then
*direction only* if an exact one-sided sign test over the replications supports the published direction at the 5% level
(all of five, seven of eight), and otherwise *not comparable*, with the number of missing replications. A negative
verdict with its evidence is a good result.
"""

import abc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from catallax.core.errors import InputError
from catallax.lab import statistics
from catallax.lab.report import VERDICTS as VERDICTS
from catallax.lab.report import Judgement as Judgement
from catallax.lab.report import Verdict as Verdict
from catallax.lab.report import VerdictName as VerdictName
from catallax.lab.report import judge_all as judge_all
from catallax.lab.results import Results

EstimateFunction = Callable[[Results], statistics.Sample]
"""From the results of a run to one value a replication, shape [n], in the unit of the published number."""


class PublishedError(NamedTuple):
    """How far a printed number may lie from the truth that it estimates, in its own unit, and the reason."""

    error: float
    reason: str


def printed_error(*, last_digit: float, sd: float | None = None, observations: int | None = None) -> PublishedError:
    """The error of a printed number: 2 sd / sqrt(observations) + last_digit / 2.

    Args:
        last_digit: One unit of the last printed digit: 0.01 for 5.41.
        sd: Printed standard deviation over the observations the number averages, in the same unit; None if
            not printed.
        observations: Number of observations averaged, at least 1; None if not printed.

    Raises:
        InputError: a value is negative, not finite, or only one of `sd` and `observations` is given.
    """
    if not (math.isfinite(last_digit) and last_digit >= 0):
        raise InputError(f"last_digit must be finite and at least 0, got {last_digit}")
    rounding = f"half a unit of the last printed digit ({last_digit / 2:g})"
    if sd is None and observations is None:
        return PublishedError(last_digit / 2, rounding)
    if sd is None or observations is None or observations < 1 or not (math.isfinite(sd) and sd >= 0):
        raise InputError(f"sd (at least 0) and observations (at least 1) go together: {sd}, {observations}")
    standard_error = sd / math.sqrt(observations)
    reason = f"2 standard errors (SD {sd:g} over {observations}: {standard_error:.3g}) and {rounding}"
    return PublishedError(2 * standard_error + last_digit / 2, reason)


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
    """

    id: str
    source: str
    statement: str
    needs: tuple[str, ...] = ()

    @abc.abstractmethod
    def judge(self, results: Results) -> Verdict:
        """Judge the claim on stored results.

        Args:
            results: The `Results` of the claim's experiment.

        Raises:
            NumericalError: a replication's estimate is not finite and not declared undefined.
        """

    def _verdict(
        self, published: float | str, estimate: statistics.Estimate, verdict: VerdictName, note: str
    ) -> Verdict:
        """The verdict with the data of the claim and of an estimate."""
        if estimate.undefined:
            note = f"{note}; undefined in {estimate.undefined} of {estimate.n + estimate.undefined} replications"
        mean, low, high = estimate.mean, estimate.low, estimate.high
        return Verdict(self.id, self.source, published, mean, low, high, estimate.n, verdict, note)


@dataclass(frozen=True, kw_only=True)
class Value(AbstractClaim):
    """A printed number.

    Attributes:
        published: The number in our reading of its unit.
        error: How far it may lie from the truth that it estimates; see `printed_error`.
        error_reason: The reason for `error`.
        unit: Unit of `published` and of the estimate.
        estimate: Our value in each replication.
        note: Our reading of what is printed (swapped cells, percentages); it is added to the verdict.
        baseline: The number that it is compared with in print; None if there is none.
        may_be_undefined: Whether NaN means that the number is undefined in a replication, which is then left out and
            counted.
    """

    published: float
    error: float
    error_reason: str
    unit: str
    estimate: EstimateFunction
    note: str = ""
    baseline: Baseline | None = None
    may_be_undefined: bool = False

    def __post_init__(self):
        """Refuse a claim that could never be judged."""
        if not (math.isfinite(self.published) and math.isfinite(self.error) and self.error >= 0):
            raise InputError(
                f"claim {self.id}: published must be finite and error finite and at least 0, "
                f"got {self.published} and {self.error}"
            )

    def judge(self, results: Results) -> Verdict:
        ours = self.estimate(results)
        estimate = statistics.mean_interval(ours, allow_undefined=self.may_be_undefined)
        bounds = f"[{self.published - self.error:.4g}, {self.published + self.error:.4g}]"
        verdict: VerdictName
        if estimate.mean is None:
            verdict, reason = "not comparable", "no replication has a defined value"
        elif estimate.low is None or estimate.high is None:
            supported, direction = self._direction(ours, results)
            verdict = "direction only" if supported else "not comparable"
            reason = f"{_too_few(estimate.n)}{direction}"
        elif estimate.low <= self.published + self.error and estimate.high >= self.published - self.error:
            verdict, reason = "reproduced", f"interval overlaps {bounds}: {self.error_reason}"
        else:
            supported, direction = self._direction(ours, results)
            verdict = "direction only" if supported else "not reproduced"
            reason = f"interval misses {bounds}: {self.error_reason}{direction}"
        note = "; ".join(part for part in (reason, self.note) if part)
        return self._verdict(self.published, estimate, verdict, note)

    def _direction(self, ours: statistics.Sample, results: Results) -> tuple[bool, str]:
        """Whether our difference from the baseline supports the published one, and that difference in words."""
        if self.baseline is None or self.published == self.baseline.published:
            return False, ""
        sign = 1 if self.published > self.baseline.published else -1
        theirs = self.baseline.estimate(results)
        difference = statistics.paired_difference(ours, theirs, allow_undefined=self.may_be_undefined)
        values = np.asarray(ours, float) - np.asarray(theirs, float)
        supported = _side(difference, values[~np.isnan(values)], sign) == "excludes zero"
        printed = f"published {'above' if sign > 0 else 'below'} {self.baseline.name}"
        return supported, f"; {printed}, our difference {_show(difference)}"


@dataclass(frozen=True, kw_only=True)
class Direction(AbstractClaim):
    """A printed statement that an effect is positive or negative.

    Attributes:
        sign: +1 or -1, the printed sign of the effect.
        estimate: Our effect in each replication (a paired difference, a correlation, ...).
        note: Our reading of what is printed; it is added to the verdict.
        may_be_undefined: Whether NaN means that the effect is undefined in a replication, which is then left out and
            counted.
    """

    sign: Literal[-1, 1]
    estimate: EstimateFunction
    note: str = ""
    may_be_undefined: bool = False

    def __post_init__(self):
        """Refuse a claim that could never be judged."""
        if self.sign not in (-1, 1):
            raise InputError(f"claim {self.id}: sign is +1 or -1, got {self.sign}")

    def judge(self, results: Results) -> Verdict:
        values = np.asarray(self.estimate(results), float)
        estimate = statistics.mean_interval(values, allow_undefined=self.may_be_undefined)
        side = _side(estimate, values[~np.isnan(values)], self.sign)
        verdict: VerdictName
        if estimate.mean is None:
            verdict, reason = "not comparable", "no replication has a defined value"
        elif estimate.low is None:
            supported = side == "excludes zero"
            verdict = "direction only" if supported else "not comparable"
            found = "supports" if supported else "does not settle"
            reason = f"{_too_few(estimate.n)}; a sign test {found} the stated sign"
        elif side == "excludes zero":
            verdict, reason = "reproduced", "the interval lies on the stated side of zero"
        elif side == "stated sign":
            verdict, reason = "direction only", "the mean has the stated sign, but the interval includes zero"
        else:
            verdict, reason = "not reproduced", "the mean has not the stated sign"
        note = "; ".join(part for part in (reason, self.note) if part)
        return self._verdict("> 0" if self.sign > 0 else "< 0", estimate, verdict, note)


@dataclass(frozen=True, kw_only=True)
class NotComparable(AbstractClaim):
    """A printed statement that cannot be judged, with the reason.

    Attributes:
        published: What is printed.
        missing: What is needed to compare: a parameter, a definition, a data set.
    """

    published: float | str | None
    missing: str

    def judge(self, results: Results) -> Verdict:
        """See `AbstractClaim.judge`; no results are read."""
        note = f"missing: {self.missing}"
        return Verdict(self.id, self.source, self.published, None, None, None, 0, "not comparable", note)


def value(
    id: str,
    source: str,
    statement: str,
    published: float,
    error: float,
    reason: str,
    unit: str,
    estimate: EstimateFunction,
    note: str = "",
    **more: Any,
) -> Value:
    """A printed number, in the order in which a list of claims reads best; `reason` is that of `error`."""
    return Value(
        id=id, source=source, statement=statement, published=published, error=error, error_reason=reason, unit=unit,
        estimate=estimate, note=note, **more,
    )  # fmt: skip


def direction(
    id: str, source: str, statement: str, sign: Literal[-1, 1], estimate: EstimateFunction, note: str = "", **more: Any
) -> Direction:
    """A printed statement on a sign, in the order in which a list of claims reads best."""
    return Direction(id=id, source=source, statement=statement, sign=sign, estimate=estimate, note=note, **more)


def _side(estimate: statistics.Estimate, values: np.ndarray, sign: int) -> str:
    """Where an effect lies: "excludes zero" (sign test if no interval), "stated sign" or "other sign"."""
    if estimate.mean is None or sign * estimate.mean <= 0:
        return "other sign"
    if estimate.low is None or estimate.high is None:
        return "excludes zero" if statistics.sign_supported(values, sign) else "stated sign"
    nearest = estimate.low if sign > 0 else -estimate.high
    return "excludes zero" if nearest > 0 else "stated sign"


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
