"""Means and differences over replications, with their intervals.

The replication (one market session, one population) is the unit of inference, never the step or the trader. The steps
of one session are dependent, and an interval over them would be far too narrow. scipy computes all inference.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import stats

from catallax.core.errors import InputError, NumericalError

MINIMUM_REPLICATIONS = 10
"""The smallest number of replications that gives an interval."""

LEVEL = 0.95
"""The default confidence level of every interval."""

Sample = Any
"""One value a replication: a list, a NumPy array or an xarray.DataArray, shape [n]."""


class Estimate(NamedTuple):
    """A mean over replications and its interval.

    Attributes:
        mean: Mean of the defined replications; None when none is defined. In the unit of the values.
        low: Lower end of the interval; None below `MINIMUM_REPLICATIONS` defined replications.
        high: Upper end of the interval; None when `low` is.
        sd: Standard deviation over replications (ddof 1); None below two.
        n: Number of defined replications.
        undefined: Number of replications left out because they are declared undefined there (NaN).
        method: How the interval was computed: "t", "bca" or "none".
        seed: Seed of the bootstrap's resampling; None for the t interval.
    """

    mean: float | None
    low: float | None
    high: float | None
    sd: float | None
    n: int
    undefined: int
    method: Literal["t", "bca", "none"]
    seed: int | None = None

    def text(self, decimals: int) -> str:
        """For a cell of a table: "0.993 [0.991, 0.995]", the mean alone without an interval, or "undefined"."""
        if self.mean is None:
            return "undefined"
        if self.low is None or self.high is None:
            return f"{self.mean:.{decimals}f}"
        return f"{self.mean:.{decimals}f} [{self.low:.{decimals}f}, {self.high:.{decimals}f}]"


def mean_interval(values: Sample, *, level: float = LEVEL, allow_undefined: bool = False) -> Estimate:
    """Mean over replications with Student's t interval: mean +- t_{n-1} sd / sqrt(n).

    Args:
        values: One value a replication, shape [n].
        level: Confidence level in (0, 1).
        allow_undefined: Whether NaN means "undefined in this replication". Such replications are left out and
            counted.

    Raises:
        InputError: `values` is not one-dimensional, or `level` lies outside (0, 1).
        NumericalError: a value is infinite, or NaN without being declared undefined.
    """
    sample, undefined = _defined(values, allow_undefined)
    _check_level(level)
    centre, sd = _moments(sample)
    if centre is None or sd is None or sample.size < MINIMUM_REPLICATIONS:
        return Estimate(centre, None, None, sd, int(sample.size), undefined, "none")
    if sd == 0.0:  # scipy's interval is NaN for a scale of zero; the limit is the point itself
        return Estimate(centre, centre, centre, sd, int(sample.size), undefined, "t")
    low, high = stats.t.interval(level, df=sample.size - 1, loc=centre, scale=stats.sem(sample))
    return Estimate(centre, float(low), float(high), sd, int(sample.size), undefined, "t")


def bootstrap_interval(
    values: Sample,
    *,
    seed: int,
    statistic: Callable[..., np.ndarray] = np.mean,
    level: float = LEVEL,
    resamples: int = 9_999,
    allow_undefined: bool = False,
) -> Estimate:
    """A statistic over replications with its bias-corrected and accelerated (BCa) bootstrap interval.

    It is meant for skewed sampling distributions and for statistics that are not means; the field `mean` of the result
    then holds the statistic. The result includes the seed, so that a printed interval can be computed again.

    Args:
        values: One value a replication, shape [n].
        seed: Seed of the resampling, at least 0.
        statistic: Vectorised statistic, called as `statistic(sample, axis=-1)`.
        level: Confidence level in (0, 1).
        resamples: Number of bootstrap resamples.
        allow_undefined: Whether NaN means "undefined in this replication".

    Raises:
        InputError: `values` is not one-dimensional, or `level` lies outside (0, 1).
        NumericalError: a value is infinite or an undeclared NaN, or the interval itself is undefined.

    Source: Efron1987.
    """
    sample, undefined = _defined(values, allow_undefined)
    _check_level(level)
    _, sd = _moments(sample)
    if sample.size == 0:
        return Estimate(None, None, None, None, 0, undefined, "none")
    point = float(statistic(sample, axis=-1))
    if sd is None or sample.size < MINIMUM_REPLICATIONS:
        return Estimate(point, None, None, sd, int(sample.size), undefined, "none")
    if sd == 0.0:  # every resample equals the sample, and the acceleration is 0/0
        return Estimate(point, point, point, sd, int(sample.size), undefined, "bca", seed)
    interval = stats.bootstrap(
        (sample,),
        statistic,
        n_resamples=resamples,
        confidence_level=level,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    if not np.isfinite([interval.low, interval.high]).all():
        raise NumericalError(
            f"the BCa interval of {sample.size} values is undefined (too many ties for this statistic); "
            "use mean_interval, or more replications"
        )
    low, high = float(interval.low), float(interval.high)
    return Estimate(point, low, high, sd, int(sample.size), undefined, "bca", seed)


def paired_difference(
    treatment: Sample,
    control: Sample,
    *,
    level: float = LEVEL,
    allow_undefined: bool = False,
) -> Estimate:
    """Mean over replications of treatment minus control, with Student's t interval of the differences.

    Replication r of every treatment uses the same random numbers. What both treatments share therefore cancels, and the
    interval is that of one sample of differences.

    Args:
        treatment: One value a replication, shape [n].
        control: Values of the same replications, in the same order, shape [n].
        level: Confidence level in (0, 1).
        allow_undefined: Whether NaN means "undefined in this replication"; the pair is then left out.

    Raises:
        InputError: the two do not have one value for each of the same replications.
        NumericalError: a value is infinite, or NaN without being declared undefined.
    """
    first, second = np.asarray(treatment, float), np.asarray(control, float)
    if first.shape != second.shape:
        raise InputError(
            f"paired values must come from the same replications, got shapes {first.shape} and {second.shape}"
        )
    for side in (first, second):
        _defined(side, allow_undefined)  # infinities must not cancel into a NaN that looks merely undefined
    return mean_interval(first - second, level=level, allow_undefined=allow_undefined)


class Effect(NamedTuple):
    """A mean effect over replications, its standardised size and its p-value.

    Attributes:
        estimate: Mean and interval.
        size: Cohen's d of paired samples, mean / sd over replications; None without an sd or with one of 0.
        p: Two-sided p-value of Student's t test that the mean is 0; None where `estimate` has no interval.
    """

    estimate: Estimate
    size: float | None
    p: float | None


def effect(values: Sample, *, level: float = LEVEL, allow_undefined: bool = False) -> Effect:
    """A mean effect with interval, standardised size and p-value.

    Args:
        values: One effect a replication (a paired difference, say), shape [n].
        level: Confidence level in (0, 1).
        allow_undefined: Whether NaN means "undefined in this replication".

    Raises:
        InputError, NumericalError: as `mean_interval`.

    Source: Cohen (1988), d_z. The test is scipy's.
    """
    estimate = mean_interval(values, level=level, allow_undefined=allow_undefined)
    sample, _ = _defined(values, allow_undefined)
    mean, sd = estimate.mean, estimate.sd
    size = mean / sd if mean is not None and sd else None
    if estimate.low is None:
        return Effect(estimate, size, None)
    if not sd:  # all replications have the same effect, which is zero or certain
        return Effect(estimate, size, 1.0 if mean == 0.0 else 0.0)
    return Effect(estimate, size, float(np.asarray(stats.ttest_1samp(sample, 0.0))[1]))


def holm(p_values: Iterable[float | None]) -> list[float | None]:
    """Holm's step-down adjustment of p-values, which bounds the family-wise error rate.

    The i-th smallest of m p-values becomes the largest of (m - j + 1) p_(j) over j <= i, and at most 1. None stays None
    and does not belong to the family.

    Args:
        p_values: The p-values of all tests of the family.

    Raises:
        InputError: a p-value outside [0, 1].

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    given = list(p_values)
    tested = [i for i, p in enumerate(given) if p is not None]
    p = np.asarray([given[i] for i in tested], float)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise InputError(f"p-values lie between 0 and 1, got {p.tolist()}")
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted: list[float | None] = [None] * len(given)
    for place, value in zip(order, np.minimum(raised, 1.0), strict=True):
        adjusted[tested[place]] = float(value)
    return adjusted


def sign_supported(values: Sample, sign: int, *, level: float = LEVEL) -> bool:
    """Whether an exact one-sided sign test supports that the values have the sign `sign`.

    It is meant for samples that are too small for an interval, because it assumes only that the values are independent.
    Four values or fewer never suffice at the 95% level; of five values all must have the sign, of eight values seven.
    Zeros are left out, as is usual.

    Args:
        values: One finite value a replication, shape [n].
        sign: +1 or -1.
        level: One minus the size of the test.
    """
    sample = np.asarray(values, float)
    decided = sample[sample != 0.0]
    if decided.size == 0:
        return False
    successes = int((np.sign(decided) == np.sign(sign)).sum())
    test = stats.binomtest(successes, int(decided.size), 0.5, alternative="greater")
    return bool(test.pvalue <= 1.0 - level)


def _defined(values: Sample, allow_undefined: bool) -> tuple[np.ndarray, int]:
    """The defined values and the number of undefined ones. Infinite values and undeclared NaN are refused."""
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1:
        raise InputError(f"one value a replication is wanted, shape [n]; got shape {sample.shape}")
    missing = np.isnan(sample)
    bad = np.isinf(sample) if allow_undefined else ~np.isfinite(sample)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise NumericalError(
            f"{int(bad.sum())} of {sample.size} replications are not finite "
            f"(first: replication {first} is {sample[first]})"
        )
    return sample[~missing], int(missing.sum())


def _moments(sample: np.ndarray) -> tuple[float | None, float | None]:
    """Mean and standard deviation (ddof 1); None if the sample is too small."""
    centre = float(sample.mean()) if sample.size else None
    if sample.size < 2:
        return centre, None
    # The mean of identical values can differ from them in the last bit; their standard deviation is still zero.
    return centre, 0.0 if np.ptp(sample) == 0.0 else float(sample.std(ddof=1))


def _check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise InputError(f"a confidence level lies between 0 and 1, got {level}")
