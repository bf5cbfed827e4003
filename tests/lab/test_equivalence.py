"""The rule of verdicts: its errors and its power by simulation, against scipy, and its symmetries."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from catallax.core.errors import InputError
from catallax.lab.equivalence import (
    MOST_REPLICATIONS,
    PrintedError,
    Sizes,
    compare,
    decide,
    quantile,
    smallest,
    standard_error,
)
from catallax.lab.simulation import SHARES, shares

NUMBERS = st.floats(-1e3, 1e3)
SPREADS = st.floats(1e-3, 1e2)
ERRORS = st.builds(
    lambda digit, runs, sd: PrintedError(digit, runs, sd if runs and runs > 1 else None),
    st.sampled_from([0.0, 0.01, 1.0]),
    st.none() | st.integers(1, 200),
    st.none() | SPREADS,
)


def test_equivalence_and_difference_are_the_two_tests_of_scipy():
    sample = np.random.default_rng(0).normal(0.3, 1.0, 25)
    for printed, margin in ((0.0, 0.5), (0.0, 1.0), (0.9, 0.3), (-0.3, 0.7)):
        found = compare(sample.mean(), sample.std(ddof=1), 25, printed, margin, PrintedError())
        below = stats.ttest_1samp(sample, printed + margin, alternative="less").pvalue
        above = stats.ttest_1samp(sample, printed - margin, alternative="greater").pvalue
        different = stats.ttest_1samp(sample, printed).pvalue < 0.05
        expected = "same" if max(below, above) <= 0.05 else "different" if different else "undecided"
        assert found.decision == expected
        interval = stats.ttest_1samp(sample, printed).confidence_interval(0.9)
        np.testing.assert_allclose([found.low, found.high], np.asarray(interval) - printed, rtol=1e-9)


def test_two_estimated_means_are_welchs_test():
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(0.0, 1.0, 12), rng.normal(1.0, 3.0, 40)
    found = compare(
        ours.mean(), ours.std(ddof=1), 12, theirs.mean(), 0.1, PrintedError(0.0, 40, float(theirs.std(ddof=1)))
    )
    interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.9)
    np.testing.assert_allclose([found.low, found.high], [interval.low, interval.high], rtol=1e-9)


def test_one_run_is_judged_by_our_distribution_of_single_runs():
    """The interval of the difference is that of a prediction: sd sqrt(1 + 1/n), n - 1 degrees of freedom."""
    se, freedom = standard_error(2.0, 9, PrintedError(runs=1))
    np.testing.assert_allclose([se, freedom], [2.0 * np.sqrt(1 + 1 / 9), 8.0])


def test_rounding_is_a_uniform_error():
    se, freedom = standard_error(0.0, 10, PrintedError(digit=0.6))
    np.testing.assert_allclose(se, 0.6 / np.sqrt(12))
    assert np.isinf(freedom)
    np.testing.assert_allclose(quantile(0.975, np.inf), stats.norm.ppf(0.975))


@given(NUMBERS, SPREADS, st.integers(10, 300), NUMBERS, SPREADS, ERRORS)
def test_imprecision_never_makes_a_verdict_better(mean, sd, n, printed, margin, error):
    """Fewer replications or a wider spread, all else equal, never turn another decision into "same"."""
    found = compare(mean, sd, n, printed, margin, error)
    for worse in (
        compare(mean, sd * 1.5, n, printed, margin, error),
        compare(mean, sd, n // 2 + 1, printed, margin, error),
    ):
        assert found.decision == "same" or worse.decision != "same"
    wider = PrintedError(error.digit + 1.0, error.runs, error.sd)
    assert found.decision == "same" or compare(mean, sd, n, printed, margin, wider).decision != "same"


@given(NUMBERS, SPREADS, st.integers(10, 300), NUMBERS, SPREADS, st.floats(0.1, 10.0), st.sampled_from([-1.0, 1.0]))
def test_units_and_signs_do_not_matter(mean, sd, n, printed, margin, unit, sign):
    found = compare(mean, sd, n, printed, margin, PrintedError(0.1, 5))
    se, freedom = standard_error(sd, n, PrintedError(0.1, 5))
    edges = np.abs(
        abs(mean - printed) - np.array([margin - quantile(0.95, freedom) * se, quantile(0.975, freedom) * se])
    )
    assume(edges.min() > 1e-9 * (abs(mean) + abs(printed) + 1))
    scale = sign * unit
    other = compare(mean * scale, sd * unit, n, printed * scale, margin * unit, PrintedError(0.1 * unit, 5))
    assert found.decision == other.decision


@given(NUMBERS, SPREADS, NUMBERS, SPREADS, ERRORS)
def test_the_number_that_would_decide_does(mean, sd, printed, margin, error):
    found = compare(mean, sd, 10, printed, margin, error)
    if found.decision != "undecided":
        assert found.enough == 10
    elif found.enough is None:
        assert compare(mean, sd, MOST_REPLICATIONS, printed, margin, error).decision == "undecided"
    else:
        assert compare(mean, sd, found.enough, printed, margin, error).decision != "undecided"
        assert compare(mean, sd, found.enough - 1, printed, margin, error).decision == "undecided"


def test_the_smallest_number_is_found():
    assert [smallest(lambda n, at=at: n >= at, 10) for at in (11, 12, 20, 21, 999)] == [11, 12, 20, 21, 999]
    assert smallest(lambda n: False, 10) is None


def test_exact_numbers_are_compared_exactly():
    for mean, margin, decision in (
        (2.0, 0.0, "same"),
        (3.0, 0.0, "different"),
        (2.5, 0.5, "same"),
        (2.6, 0.5, "different"),
    ):
        assert compare(mean, 0.0, 10, 2.0, margin, PrintedError()).decision == decision


def test_smaller_sizes_ask_for_more():
    assert decide(2.1, 1.0, np.inf, 0.0) == "different"
    assert decide(2.1, 1.0, np.inf, 0.0, Sizes(different=0.01)) == "undecided"
    assert decide(0.0, 1.0, np.inf, 1.7) == "same"
    assert decide(0.0, 1.0, np.inf, 1.7, Sizes(same=0.01)) == "undecided"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PrintedError(-0.1), "digit must be"),
        (PrintedError(np.inf), "digit must be"),
        (PrintedError(0.1, 0), "at least one run"),
        (PrintedError(0.1, None, 2.0), "known number of runs"),
        (PrintedError(0.1, 5, -2.0), "known number of runs"),
        (PrintedError(0.1, 1, 2.0), "SD of one run"),
    ],
)
def test_an_error_that_cannot_be_is_refused(error, says):
    with pytest.raises(InputError, match=says):
        error.check()


# Errors and power by simulation. The bounds leave four standard errors of the simulation.

DRAWS = 4000
NOISE = 4 * np.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize("printed", [PrintedError(), PrintedError(runs=100, sd=1.0), PrintedError(runs=1)], ids=repr)
@pytest.mark.parametrize("n", [10, 20, 100])
def test_neither_error_is_more_frequent_than_one_in_twenty(n, printed):
    for margin in (0.25, 0.5, 1.0, 2.0):
        here = shares(n, margin, 0.0, printed, DRAWS)
        edge = shares(n, margin, 1.0, printed, DRAWS)
        beyond = shares(n, margin, 1.5, printed, DRAWS)
        assert here["different"] <= 0.05 + NOISE
        assert edge["same"] <= 0.05 + NOISE
        assert beyond["same"] <= edge["same"] + NOISE
        assert all(sum(found.values()) == pytest.approx(1.0) for found in (here, edge, beyond))


def test_the_size_is_used_and_power_grows_with_replications():
    """Not too careful either: at the margin, with precision, "same" is said about as often as it may be."""
    exact = PrintedError()
    assert shares(100, 1.0, 1.0, exact, DRAWS)["same"] >= 0.05 - NOISE
    same = [shares(n, 0.5, 0.0, exact, DRAWS)["same"] for n in (10, 20, 100)]
    different = [shares(n, 0.5, 1.0, exact, DRAWS)["different"] for n in (10, 20, 100)]
    assert same == sorted(same) and same[-1] > 0.99
    assert different == sorted(different) and different[-1] > 0.9
    assert set(SHARES) == {"same", "different", "undecided"}
