"""The four verdicts, each at the edge where it turns into the next."""

import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core.errors import InputError, NumericalError
from catallax.lab import Results
from catallax.lab.claims import (
    VERDICTS,
    Baseline,
    Direction,
    NotComparable,
    Value,
    judge_all,
    printed_error,
)
from catallax.lab.statistics import mean_interval

RESULTS = object.__new__(Results)  # the estimates of these tests read nothing
SPREAD = np.array([-1.0, 1.0] * 6)  # mean 0; its t interval is +- 0.66


def constant(values):
    return lambda results: values


def value(ours, published=0.0, error=0.1, baseline=None, **kwargs):
    return Value(
        id="mad",
        source="Rawat2023, table",
        statement="MAD",
        published=published,
        error=error,
        error_reason="two standard errors",
        unit="token",
        estimate=constant(ours),
        baseline=baseline,
        **kwargs,
    )


def direction(ours, sign=1, **kwargs):
    return Direction(id="effect", source="Rawat2023", statement="a > b", sign=sign, estimate=constant(ours), **kwargs)


def test_reproduced_exactly_while_the_intervals_touch():
    half = mean_interval(SPREAD).high
    assert value(SPREAD, published=half + 0.1 - 1e-9, error=0.1).judge(RESULTS).verdict == "reproduced"
    assert value(SPREAD, published=half + 0.1 + 1e-9, error=0.1).judge(RESULTS).verdict == "not reproduced"
    assert value(SPREAD, published=-half - 0.1 + 1e-9, error=0.1).judge(RESULTS).verdict == "reproduced"
    assert value(SPREAD, published=-half - 0.1 - 1e-9, error=0.1).judge(RESULTS).verdict == "not reproduced"


def test_a_verdict_carries_the_numbers_and_the_reason():
    verdict = value(SPREAD, published=0.3, note="printed as a percentage").judge(RESULTS)
    reference = mean_interval(SPREAD)
    assert (verdict.ours, verdict.low, verdict.high, verdict.n) == (0.0, reference.low, reference.high, 12)
    assert verdict.published == 0.3 and verdict.source == "Rawat2023, table"
    assert "[0.2, 0.4]" in verdict.note and "two standard errors" in verdict.note
    assert verdict.note.endswith("printed as a percentage")


@pytest.mark.parametrize(
    ("baseline_published", "baseline_ours", "verdict"),
    [
        (4.0, SPREAD - 1.0, "direction only"),  # printed above the baseline, ours above by exactly 1
        (4.0, SPREAD + 1.0, "not reproduced"),  # ours below
        (6.0, SPREAD - 1.0, "not reproduced"),  # printed below, ours above
        (6.0, SPREAD + 1.0, "direction only"),
        (5.0, SPREAD - 1.0, "not reproduced"),  # no direction is printed
        (4.0, -SPREAD, "not reproduced"),  # our difference has no clear sign
    ],
)
def test_direction_only_needs_our_interval_of_the_difference(baseline_published, baseline_ours, verdict):
    baseline = Baseline("ZIC", baseline_published, constant(baseline_ours))
    judged = value(SPREAD, published=5.0, baseline=baseline).judge(RESULTS)
    assert judged.verdict == verdict


@pytest.mark.parametrize("n", range(1, 10))
def test_below_ten_nothing_is_reproduced_or_refuted(n):
    for published in (0.0, 99.0, -99.0):
        for baseline in (None, Baseline("ZIC", 1.0, constant(np.zeros(n)))):
            judged = value(np.full(n, 1e-3), published=published, baseline=baseline).judge(RESULTS)
            assert judged.verdict in ("direction only", "not comparable")
            assert judged.low is None and judged.high is None and judged.n == n
            assert "too few replications" in judged.note
            supported = baseline is not None and published == 99.0 and n >= 5
            assert (judged.verdict == "direction only") is supported


def test_a_direction():
    positive = SPREAD + 1.0
    assert direction(positive).judge(RESULTS).verdict == "reproduced"
    assert direction(positive).judge(RESULTS).published == "> 0"
    assert direction(-positive, sign=-1).judge(RESULTS).verdict == "reproduced"
    assert direction(positive, sign=-1).judge(RESULTS).verdict == "not reproduced"
    assert direction(SPREAD + 0.1).judge(RESULTS).verdict == "direction only"
    assert direction(SPREAD).judge(RESULTS).verdict == "not reproduced"  # a mean of zero has no sign
    assert direction(np.ones(5)).judge(RESULTS).verdict == "direction only"
    assert direction(np.ones(4)).judge(RESULTS).verdict == "not comparable"
    assert direction(-np.ones(5)).judge(RESULTS).verdict == "not comparable"


def test_nan_is_an_error_unless_declared_undefined():
    ours = np.r_[SPREAD, np.nan]
    with pytest.raises(NumericalError, match="replication 12"):
        value(ours).judge(RESULTS)
    with pytest.raises(NumericalError):
        direction(ours).judge(RESULTS)
    judged = value(ours, may_be_undefined=True).judge(RESULTS)
    assert judged.n == 12 and "undefined in 1 of 13 replications" in judged.note
    assert direction(ours + 1, may_be_undefined=True).judge(RESULTS).n == 12
    nothing = value(np.full(3, np.nan), may_be_undefined=True).judge(RESULTS)
    assert (nothing.verdict, nothing.ours, nothing.n) == ("not comparable", None, 0)


def test_not_comparable_names_what_is_missing():
    claim = NotComparable(id="h", source="s", statement="humans", published="Higher than ZIC", missing="the data")
    judged = claim.judge(RESULTS)
    assert judged.verdict == "not comparable" and judged.note == "missing: the data" and judged.n == 0


def test_verdicts_encode_to_the_promised_object():
    encoded = msgspec.json.decode(msgspec.json.encode(value(np.ones(3)).judge(RESULTS)))
    assert list(encoded) == ["id", "source", "published", "ours", "low", "high", "n", "verdict", "note"]
    assert encoded["low"] is None
    with pytest.raises(AttributeError):
        value(np.ones(3)).judge(RESULTS).verdict = "reproduced"


def test_one_failing_claim_does_not_hide_the_others():
    def broken(results):
        raise KeyError("no variable mad")

    claims = (dataclasses.replace(value(SPREAD), id="bad", estimate=broken), value(SPREAD))
    judgement = judge_all(claims, RESULTS)
    assert judgement.failed == ("bad",)
    assert [v.verdict for v in judgement.verdicts] == ["not comparable", "reproduced"]
    assert "no variable mad" in judgement.verdicts[0].note


def test_ids_differ():
    with pytest.raises(InputError, match="twice: mad"):
        judge_all((value(SPREAD), value(SPREAD)), None)


def test_printed_error():
    error, reason = printed_error(last_digit=0.01, sd=0.98, observations=100)
    assert error == pytest.approx(2 * 0.98 / 10 + 0.005)
    assert "0.98 over 100" in reason and "0.005" in reason
    assert printed_error(last_digit=0.01).error == 0.005


@pytest.mark.parametrize(
    "kwargs",
    [
        {"last_digit": -1.0},
        {"last_digit": float("nan")},
        {"last_digit": 0.1, "sd": 1.0},
        {"last_digit": 0.1, "observations": 3},
        {"last_digit": 0.1, "sd": -1.0, "observations": 3},
        {"last_digit": 0.1, "sd": 1.0, "observations": 0},
    ],
)
def test_printed_error_refuses_nonsense(kwargs):
    with pytest.raises(InputError):
        printed_error(**kwargs)


@pytest.mark.parametrize("bad", [{"published": float("nan")}, {"error": -0.1}, {"error": float("inf")}])
def test_a_claim_that_could_never_be_judged_is_refused(bad):
    with pytest.raises(InputError, match="claim mad"):
        value(SPREAD, **bad)


@given(
    ours=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=25),
    published=st.floats(-1e6, 1e6),
    error=st.floats(0, 1e6),
)
def test_every_sample_gets_one_of_the_four(ours, published, error):
    judged = value(np.array(ours), published=published, error=error).judge(RESULTS)
    assert judged.verdict in VERDICTS and judged.n == len(ours)
    wider = value(np.array(ours), published=published, error=error + 1.0).judge(RESULTS)
    assert VERDICTS.index(wider.verdict) <= VERDICTS.index(judged.verdict)  # more tolerance never hurts
