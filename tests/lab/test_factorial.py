"""Two-level designs against tables of the literature, effects against means taken by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats

from catallax.core.errors import InputError, NumericalError
from catallax.lab.factorial import (
    effects,
    factorial,
    replicate_effects,
    robust_effects,
    variance_shares,
)

HALF = factorial("ABCD", {"E": "ABCD"})


def test_a_full_design_has_every_combination_once_in_standard_order():
    design = factorial("ABC")
    assert design.resolution is None and design.words == ()
    assert design.matrix[:4].tolist() == [[-1, -1, -1], [1, -1, -1], [-1, 1, -1], [1, 1, -1]]
    assert len({tuple(row) for row in design.matrix}) == 8
    assert design.terms() == (("A",), ("B",), ("C",), ("A", "B"), ("A", "C"), ("B", "C"))
    assert design.terms(3)[-1] == ("A", "B", "C")


@pytest.mark.parametrize(
    ("base", "generators", "resolution", "words"),
    [
        ("ABC", {"D": "ABC"}, 4, 1),
        ("ABC", {"D": "AB", "E": "AC"}, 3, 3),
        ("ABCD", {"E": "ABCD"}, 5, 1),
        ("ABCD", {"E": "BCD", "F": "ACD", "G": "ABC", "H": "ABD"}, 4, 15),
        ("ABCDEF", {"G": "ABCD", "H": "ABEF"}, 5, 3),
        ("ABCDEFG", {"H": "ABCG", "J": "BCDE", "K": "ACDF"}, 5, 7),
    ],
)
def test_resolutions_of_well_known_fractions(base, generators, resolution, words):
    """Box, Hunter and Hunter (2005), table of fractional designs."""
    design = factorial(base, generators)
    assert design.resolution == resolution and len(design.words) == words
    for word in design.words:
        assert (design.column(word) == 1).all()
    others = [c for size in (1, 2, 3, 4) for c in itertools.combinations(design.factors, size)]
    for term in others:  # nothing else is constant
        assert (term in design.words) == bool((design.column(term) == design.column(term)[0]).all())


def test_aliases_are_the_columns_that_agree():
    design = factorial("ABC", {"D": "ABC"})
    assert design.aliases(("A", "B")) == (("C", "D"),) and design.aliases(("A",)) == ()
    assert design.aliases(("A",), order=3) == (("B", "C", "D"),)
    for term in design.terms():
        for other in design.aliases(term):
            np.testing.assert_array_equal(design.column(term), design.column(other))
    assert len(design.terms()) == 4 + 3
    x = design.matrix_of(design.terms())
    np.testing.assert_array_equal(x.T @ x, 8 * np.eye(8))


def test_effects_are_differences_of_means():
    y = np.random.default_rng(0).normal(size=(12, 16))
    found = {e.term: e for e in effects(HALF, y)}
    for term in (("A",), ("E",), ("B", "D"), ("D", "E")):
        side = HALF.column(term) > 0
        each = y[:, side].mean(axis=1) - y[:, ~side].mean(axis=1)
        assert found[term].estimate.mean == pytest.approx(each.mean(), abs=1e-14)
        test = stats.ttest_1samp(each, 0.0)
        assert found[term].p == pytest.approx(test.pvalue, rel=1e-9)
        low, high = test.confidence_interval()
        assert (found[term].estimate.low, found[term].estimate.high) == pytest.approx((low, high))
    p = sorted(e.p for e in found.values())
    assert min(e.adjusted for e in found.values()) == pytest.approx(min(1.0, p[0] * len(p)))


def test_a_model_is_recovered_and_shares_add_up():
    a, e, bd = (HALF.column(t) for t in (("A",), ("E",), ("B", "D")))
    y = np.tile(3.0 + 2.0 * a - 1.0 * e + 0.5 * bd, (10, 1))
    terms = HALF.terms()
    found = dict(zip(terms, replicate_effects(HALF, y)[0], strict=True))
    assert found["A",] == pytest.approx(4) and found["E",] == pytest.approx(-2) and found["B", "D"] == pytest.approx(1)
    assert sum(abs(v) > 1e-12 for v in found.values()) == 3
    shares = dict(zip(terms, variance_shares(HALF, y, terms), strict=True))
    assert shares["A",] == pytest.approx(4 / 5.25) and sum(shares.values()) == pytest.approx(1)
    noisy = y + np.random.default_rng(1).normal(size=y.shape)
    part = variance_shares(HALF, noisy, terms)
    assert 0 < part.sum() < 1
    regressors = np.tile(HALF.matrix_of(terms), (10, 1))
    fitted = regressors @ np.linalg.lstsq(regressors, noisy.reshape(-1), rcond=None)[0]
    explained = ((fitted - noisy.mean()) ** 2).sum() / ((noisy - noisy.mean()) ** 2).sum()
    assert part.sum() == pytest.approx(explained)
    assert not variance_shares(HALF, np.ones((3, 16)), terms).any()


def test_robust_errors_by_hand():
    """HC3 observation by observation, in plain loops."""
    design, rng = factorial("AB"), np.random.default_rng(2)
    y = rng.normal(size=(5, 4)) * np.array([0.1, 1.0, 3.0, 0.5])
    fit = robust_effects(design, y)
    x = [[1, *row, row[0] * row[1]] for _ in range(5) for row in design.matrix]
    x, values = np.array(x), y.reshape(-1)
    xx = np.linalg.inv(x.T @ x)
    b = xx @ x.T @ values
    meat = np.zeros((4, 4))
    for row, v in zip(x, values, strict=True):
        h = row @ xx @ row
        meat += np.outer(row, row) * ((v - row @ b) / (1 - h)) ** 2
    covariance = xx @ meat @ xx
    np.testing.assert_allclose(fit.effect, 2 * b[1:])
    np.testing.assert_allclose(fit.error, 2 * np.sqrt(np.diag(covariance))[1:])
    # saturated: every run has its own mean, so HC3 is the sum of the runs' own variances over (R - 1), a closed form
    own = y.var(axis=0, ddof=1) / (5 - 1)
    np.testing.assert_allclose(fit.error, 2 * np.sqrt(own.sum() / 16))
    t = fit.effect / fit.error
    np.testing.assert_allclose(fit.p, 2 * stats.t.sf(np.abs(t), 16))


def test_intervals_cover_at_their_level():
    """Runs of very different variances, and common noise within a replication: 95% intervals cover as they should."""
    rng, scale = np.random.default_rng(3), np.linspace(0.1, 3, 16)
    covered = 0
    for _ in range(300):
        y = rng.normal(size=(20, 16)) * scale + rng.normal(size=(20, 1)) + HALF.column(("A",))
        e = effects(HALF, y, (("A",),))[0].estimate
        covered += e.low <= 2 <= e.high
    assert 0.90 < covered / 300 < 0.99


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: factorial(""), "at least one"),
        (lambda: factorial("AA"), "different names"),
        (lambda: factorial("AB", {"A": "AB"}), "different names"),
        (lambda: factorial("AB", {"C": "AX"}), "product of base factors"),
        (lambda: factorial("AB", {"C": ""}), "product of base factors"),
        (lambda: factorial("AB", {"C": "A"}), "always change together"),
        (lambda: factorial("ABC", {"D": "ABC", "E": "ABC"}), "always change together"),
        (lambda: HALF.column(("A", "A")), "is no effect"),
        (lambda: HALF.column(("Z",)), "is no effect"),
        (lambda: effects(HALF, np.ones(16)), "must be"),
        (lambda: effects(HALF, np.ones((2, 15))), "must be"),
        (lambda: replicate_effects(factorial("AB"), np.ones((2, 4)), [("A",), ("A",)]), "cannot be told apart"),
        (lambda: robust_effects(factorial("AB"), np.ones((1, 4))), "too few"),
        (lambda: factorial(3), "factors must be names"),
        (lambda: factorial("AB", "AB"), "generators must be"),
        (lambda: factorial("AB", {"C": 3}), "the generator of C must be names"),
        (lambda: effects("design", np.ones((2, 16))), "design must be of the class Design"),
        (lambda: effects(HALF, "outcome"), "the outcome must be numbers"),
        (lambda: effects(HALF, np.ones((2, 16)), "AB"), "terms must be a list"),
        (lambda: effects(HALF, np.ones((2, 16)), ["AB"]), "is no effect"),
        (lambda: HALF.aliases(("A",), 0), "order must be an integer"),
    ],
)
@pytest.mark.usefixtures("as_users_have_it")
def test_bad_input_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_missing_outcomes_are_refused():
    y = np.ones((3, 16))
    y[1, 2] = np.nan
    with pytest.raises(NumericalError, match="1 outcomes are not finite"):
        effects(HALF, y)
