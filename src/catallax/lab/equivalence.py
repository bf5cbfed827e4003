"""The rule of verdicts: whether a printed number and ours are the same, different, or not known well enough.

Let d be our mean less the printed number, s its standard error with both uncertainties, and m the margin within which
two numbers are called the same. Two tests of the 5% level decide:

    equivalent   |d| + t_{0.95} s <= m     two one-sided tests (TOST): the 90% interval of d lies within the margin
    different    |d| > t_{0.975} s         Student's test: the 95% interval of d excludes zero

*Same* needs equivalence, *different* a significant difference without equivalence, and everything else is
*undecided*. An imprecise estimate passes neither test, so that imprecision never helps. If the truth lies at the
margin, *same* is said in at most 5% of all cases; if it is the printed number, *different* is said in at most 5%.

The squared standard error is

    s^2 = sd^2 / n + v^2 / k + q^2 / 12

with sd our standard deviation over n replications, v the one that is printed over k runs (ours, where none is printed),
and q one unit of the last printed digit, whose rounding error is uniform. A printed number that is one run (k = 1) is
thus judged by our distribution of single runs. Where both parts are estimated, the degrees of freedom are Welch's.

Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure"; Welch (1947).
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

from catallax.core.errors import InputError

MOST_REPLICATIONS = 10_000_000
"""More replications than these are not advised."""

Decision = Literal["same", "different", "undecided"]


class PrintedError(NamedTuple):
    """How uncertain a printed number is.

    Attributes:
        digit: One unit of its last digit: 0.01 for 5.41. Zero for a number that is exact.
        runs: Number of independent runs that it averages. None if it is exact or the source does not say.
        sd: The printed standard deviation over these runs. None if it is not printed; ours then stands in.
    """

    digit: float = 0.0
    runs: int | None = None
    sd: float | None = None

    def check(self) -> None:
        """Refuse an error that cannot be.

        Raises:
            InputError: a negative or infinite digit or SD, fewer than one run, or an SD of an unknown number of runs.
        """
        if not (np.isfinite(self.digit) and self.digit >= 0):
            raise InputError(f"digit must be finite and at least 0, got {self.digit}")
        if self.runs is not None and self.runs < 1:
            raise InputError(f"a printed number averages at least one run, got runs={self.runs}")
        if self.sd is not None and (self.runs is None or not (np.isfinite(self.sd) and self.sd >= 0)):
            raise InputError(f"sd must be finite, at least 0, and over a known number of runs, got {self}")
        if self.sd is not None and self.runs == 1:
            raise InputError("the SD of one run is not defined; give sd=None, and ours over replications stands in")

    def words(self) -> str:
        """The parts of the error in words."""
        parts = [f"rounded to {self.digit:g}"] if self.digit else []
        if self.runs is not None:
            spread = "our SD over replications" if self.sd is None else f"SD {self.sd:g}"
            runs = "one run" if self.runs == 1 else f"a mean of {self.runs} runs"
            parts.append(f"{runs} ({spread})")
        return " and ".join(parts) or "exact"


class Sizes(NamedTuple):
    """Sizes of the two tests; see `Statement` in `lab/claims.py` for those of several comparisons.

    Attributes:
        same: Of the test that must be passed to call two numbers the same.
        different: Of the test of a difference.
    """

    same: float = 0.05
    different: float = 0.05


SIZES = Sizes()
"""The sizes of both tests, where one comparison decides."""


class Comparison(NamedTuple):
    """What is known of the difference between our mean and a printed number.

    Attributes:
        difference: Our mean less the printed number.
        low: Lower end of the 90% interval of the difference.
        high: Its upper end.
        decision: Same, different or undecided.
        enough: Replications that would decide if our mean and SD stay as they are: the present number if it is
            decided; None if no number of ours would, because the printed number is too imprecise.
    """

    difference: float
    low: float
    high: float
    decision: Decision
    enough: int | None


def compare(
    mean: float, sd: float, n: int, published: float, margin: float, error: PrintedError, sizes: Sizes = SIZES
) -> Comparison:
    """Compare a mean over replications with a printed number.

    Args:
        mean: Our mean over replications.
        sd: Our standard deviation over replications, at least 0.
        n: Number of replications, at least 2.
        published: The printed number, same unit.
        margin: The largest difference at which the two are called the same, same unit, at least 0.
        error: The uncertainty of the printed number.
        sizes: Sizes of the two tests.
    """
    difference = mean - published
    se, freedom = standard_error(sd, n, error)
    half = float(quantile(1 - sizes.same, freedom) * se)
    decision = str(decide(difference, se, freedom, margin, sizes))
    enough = n if decision != "undecided" else _enough(difference, sd, margin, error, sizes, n)
    return Comparison(difference, difference - half, difference + half, decision, enough)  # type: ignore[arg-type]


def decide(difference: Any, se: Any, freedom: Any, margin: Any, sizes: Sizes = SIZES) -> np.ndarray:
    """The decision of the rule, for arrays of differences: "same", "different" or "undecided".

    Args:
        difference: Our mean less the printed number.
        se: Standard error of the difference.
        freedom: Degrees of freedom of the standard error; infinite if it is known.
        margin: The largest difference at which the two are called the same.
        sizes: Sizes of the two tests.
    """
    distance = np.abs(difference)
    same = distance + quantile(1 - sizes.same, freedom) * se <= margin
    different = distance > quantile(1 - sizes.different / 2, freedom) * se
    return np.where(same, "same", np.where(different, "different", "undecided"))


def standard_error(sd: Any, n: Any, error: PrintedError) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of the difference between our mean and the printed number, and its degrees of freedom.

    Args:
        sd: Our standard deviation over replications.
        n: Number of replications, at least 2.
        error: The uncertainty of the printed number.
    """
    rounding = error.digit**2 / 12
    if error.runs is not None and error.sd is None:  # one SD for both means
        parts = [(sd**2 * (1 / n + 1 / error.runs), n - 1)]
    else:
        parts = [(sd**2 / n, n - 1)]
        if error.runs is not None and error.sd is not None:
            parts.append((error.sd**2 / error.runs, error.runs - 1))
    square = np.asarray(sum(part for part, _ in parts) + rounding, float)
    spread = np.asarray(sum(part**2 / freedom for part, freedom in parts), float)
    freedom = np.divide(square**2, spread, out=np.full(square.shape, np.inf), where=spread > 0)
    return np.asarray(np.sqrt(square)), np.asarray(freedom)


def quantile(probability: float, freedom: Any) -> np.ndarray:
    """Quantile of Student's t; of the normal distribution where the degrees of freedom are infinite."""
    freedom = np.asarray(freedom, float)
    finite = np.where(np.isfinite(freedom), freedom, 1.0)
    return np.where(np.isfinite(freedom), special.stdtrit(finite, probability), special.ndtri(probability))


def _enough(
    difference: float, sd: float, margin: float, error: PrintedError, sizes: Sizes, more_than: int
) -> int | None:
    """The smallest number of replications that decides, if the difference and our SD stay as they are."""
    return smallest(
        lambda n: decide(difference, *standard_error(sd, n, error), margin, sizes) != "undecided", more_than
    )


def smallest(decided: Callable[[int], bool], more_than: int) -> int | None:
    """The smallest number of replications above `more_than` that decides; None if not even MOST_REPLICATIONS do.

    Args:
        decided: From a number of replications to whether it decides; if one does, all larger ones do.
        more_than: A number that does not decide.
    """
    low, high = more_than, 2 * more_than
    while not decided(high):
        low, high = high, 2 * high
        if high > MOST_REPLICATIONS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
