"""The verdicts, each at the edge where it turns into the next."""

import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from catallax.core.errors import InputError, NumericalError
from catallax.lab import Results
from catallax.lab.claims import VERDICTS, Baseline, Direction, Margin, NotComparable, PrintedError, Value, judge_all
from catallax.lab.statement import Statement
from catallax.lab.statistics import mean_interval

RESULTS = object.__new__(Results)  # the estimates of these tests read nothing
SPREAD = np.array([-1.0, 1.0] * 6)  # mean 0; its t interval is +- 0.66


def constant(values):
    return lambda results: values


def value(ours, published=0.0, width=0.1, baseline=None, **kwargs):
    return Value(
        id="mad",
        source="Rawat2023, table",
        statement="MAD",
        published=published,
        margin=Margin(width, "a tenth", "2026-12-01"),
        unit="token",
        estimate=constant(ours),
        baseline=baseline,
        **kwargs,
    )


def direction(ours, sign=1, **kwargs):
    return Direction(id="effect", source="Rawat2023", statement="a > b", sign=sign, estimate=constant(ours), **kwargs)


def test_reproduced_exactly_while_the_90_percent_interval_lies_within_the_margin():
    half = stats.t.ppf(0.95, 11) * SPREAD.std(ddof=1) / np.sqrt(12)
    for published in (0.3, -0.3):
        assert value(SPREAD, published, 0.3 + half + 1e-9).judge(RESULTS).verdict == "reproduced"
        assert value(SPREAD, published, 0.3 + half - 1e-9).judge(RESULTS).verdict == "undecided"


def test_not_reproduced_exactly_beyond_the_95_percent_interval():
    half = mean_interval(SPREAD).high
    for sign in (1, -1):
        assert value(SPREAD, sign * (half + 1e-9)).judge(RESULTS).verdict == "not reproduced"
        assert value(SPREAD, sign * (half - 1e-9)).judge(RESULTS).verdict == "undecided"


def test_the_uncertainty_of_the_printed_number_counts():
    """Twelve values far enough from an exact number are not so from one run of the same spread."""
    far = mean_interval(SPREAD).high + 0.1
    assert value(SPREAD, far).judge(RESULTS).verdict == "not reproduced"
    assert value(SPREAD, far, printed=PrintedError(runs=1)).judge(RESULTS).verdict == "undecided"
    assert value(SPREAD, 99.0, printed=PrintedError(runs=1)).judge(RESULTS).verdict == "not reproduced"
    assert value(SPREAD / 1e3, 0.0, printed=PrintedError(runs=1)).judge(RESULTS).verdict == "reproduced"
    assert value(SPREAD / 1e3, 0.0, printed=PrintedError(digit=0.1)).judge(RESULTS).verdict == "reproduced"
    assert value(SPREAD / 1e3, 0.0, printed=PrintedError(digit=1.0)).judge(RESULTS).verdict == "undecided"


def test_an_undecided_verdict_says_how_many_replications_would_decide():
    judged = value(SPREAD, 0.0, 0.2).judge(RESULTS)
    assert judged.verdict == "undecided" and judged.enough is not None
    assert f"{judged.enough} replications would decide" in judged.note
    half = stats.t.ppf(0.95, judged.enough - 1) * SPREAD.std(ddof=1) / np.sqrt(judged.enough)
    assert half <= 0.2 < half * np.sqrt(judged.enough / (judged.enough - 2))
    never = value(SPREAD, 0.0, 0.2, printed=PrintedError(runs=1)).judge(RESULTS)
    assert never.enough is None and "no number of replications would decide" in never.note


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
            assert judged.verdict in ("direction only", "undecided")
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
    assert direction(SPREAD + 0.1).judge(RESULTS).verdict == "undecided"
    assert direction(SPREAD).judge(RESULTS).verdict == "undecided"
    assert direction(np.zeros(12)).judge(RESULTS).verdict == "not reproduced"  # no effect in any replication
    assert direction(np.ones(5)).judge(RESULTS).verdict == "direction only"
    assert direction(np.ones(4)).judge(RESULTS).verdict == "undecided"
    assert direction(-np.ones(5)).judge(RESULTS).verdict == "undecided"


def test_a_direction_with_a_threshold():
    """A distance is never below zero, so that only a threshold lets the claim fail."""
    threshold = Margin(0.5, "what a plot shows", "2026-12-01")
    judge = lambda ours, sign=1: direction(ours, sign, threshold=threshold).judge(RESULTS)
    assert judge(SPREAD / 10 + 1.0).verdict == "reproduced"
    assert judge(-SPREAD / 10 - 1.0, -1).verdict == "reproduced"
    assert judge(SPREAD / 10 + 0.3).verdict == "direction only"
    assert judge(SPREAD / 10).verdict == "not reproduced"
    assert judge(SPREAD / 10 - 1.0).verdict == "not reproduced"
    assert judge(SPREAD / 10 + 0.5).verdict == "undecided"
    assert judge(np.full(12, 1e-9)).verdict == "direction only"
    assert (judge(SPREAD).published, judge(SPREAD, -1).published) == ("> 0.5", "< -0.5")
    assert "what a plot shows" in judge(SPREAD).note
    assert judge(np.ones(5)).verdict == "direction only" and judge(np.full(5, 0.4)).verdict == "undecided"


def statement(*parts, **kwargs):
    claims = tuple(dataclasses.replace(part, id=f"part_{i}") for i, part in enumerate(parts))
    return Statement(id="whole", source="Rawat2023", statement="both", parts=claims, **kwargs)


YES, NO, OPEN = direction(SPREAD + 2.0), direction(SPREAD - 2.0), direction(SPREAD)


@pytest.mark.parametrize(
    ("parts", "of_all", "of_some"),
    [
        ((YES, YES), "reproduced", "reproduced"),
        ((YES, NO), "not reproduced", "reproduced"),
        ((YES, OPEN), "undecided", "reproduced"),
        ((NO, OPEN), "not reproduced", "undecided"),
        ((NO, NO), "not reproduced", "not reproduced"),
    ],
)
def test_a_statement_is_one_claim_and_its_parts_are_evidence(parts, of_all, of_some):
    for holds_for, verdict in (("all", of_all), ("some", of_some)):
        judged = statement(*parts, holds_for=holds_for).judge(RESULTS)
        assert judged.verdict == verdict and judged.n == 12
        assert [part.id for part in judged.parts] == ["part_0", "part_1"]
    with pytest.raises(InputError, match="at least one part"):
        statement()


def test_many_parts_do_not_make_an_error_more_likely():
    """An effect that is just significant alone: not against one statement of ten, nor for one that something can be."""
    edge = SPREAD + mean_interval(SPREAD).high * 1.05
    assert direction(edge).judge(RESULTS).verdict == "reproduced"
    assert statement(*[direction(edge)] * 10, holds_for="all").judge(RESULTS).verdict == "reproduced"
    assert statement(*[direction(edge)] * 10, holds_for="some").judge(RESULTS).verdict == "undecided"
    assert direction(-edge).judge(RESULTS).verdict == "not reproduced"
    assert statement(*[direction(-edge)] * 10, holds_for="all").judge(RESULTS).verdict == "undecided"
    assert statement(*[direction(-edge)] * 10, holds_for="some").judge(RESULTS).verdict == "not reproduced"
    apart = value(edge, width=0.0)
    assert apart.judge(RESULTS).verdict == "not reproduced"
    assert statement(*[apart] * 10).judge(RESULTS).verdict == "undecided"


def test_context_is_shown_and_never_counted():
    for claim in (value(np.zeros(12)), value(SPREAD, 99.0), direction(SPREAD + 2.0), statement(YES)):
        judged = dataclasses.replace(claim, context="retold by others").judge(RESULTS)
        assert judged.verdict == "context" and judged.note.startswith("not counted, because it is retold by others; ")
        assert judged.ours == claim.judge(RESULTS).ours


def test_results_that_are_too_short_decide_nothing():
    for claim in (value(np.zeros(12)), value(SPREAD, 99.0), direction(SPREAD + 2.0), statement(NO)):
        judged = dataclasses.replace(claim, unfinished=lambda results: "learners had 4 of 5000 rounds").judge(RESULTS)
        assert judged.verdict == "undecided" and judged.note.startswith("learners had 4 of 5000 rounds; ")
        assert dataclasses.replace(claim, unfinished=lambda results: "").judge(RESULTS) == claim.judge(RESULTS)


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
    assert list(encoded) == [
        "id", "source", "published", "ours", "low", "high", "n", "verdict", "note", "margin", "enough", "parts"
    ]  # fmt: skip
    assert encoded["low"] is None
    with pytest.raises(AttributeError):
        value(np.ones(3)).judge(RESULTS).verdict = "reproduced"


def test_one_failing_claim_does_not_hide_the_others():
    def broken(results):
        raise KeyError("no variable mad")

    claims = (dataclasses.replace(value(SPREAD), id="bad", estimate=broken), value(SPREAD, width=1.0))
    judgement = judge_all(claims, RESULTS)
    assert judgement.failed == ("bad",)
    assert [v.verdict for v in judgement.verdicts] == ["not comparable", "reproduced"]
    assert "no variable mad" in judgement.verdicts[0].note


def test_ids_differ():
    with pytest.raises(InputError, match="twice: mad"):
        judge_all((value(SPREAD), value(SPREAD)), None)


def test_a_sound_error_of_a_printed_number_is_asked_for():
    with pytest.raises(InputError, match="at least one run"):
        value(SPREAD, printed=PrintedError(runs=0))


@pytest.mark.parametrize("bad", [{"published": float("nan")}, {"width": -0.1}, {"width": float("inf")}])
def test_a_claim_that_could_never_be_judged_is_refused(bad):
    with pytest.raises(InputError, match="claim mad"):
        value(SPREAD, **bad)


@pytest.mark.parametrize("bad", [{"sign": 0}, *({"threshold": Margin(width, "", "")} for width in (-1.0, np.nan))])
def test_a_direction_that_could_never_be_judged_is_refused(bad, as_users_have_it):
    with pytest.raises(InputError, match="claim effect"):
        direction(SPREAD, **bad)


@given(
    ours=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=25),
    published=st.floats(-1e6, 1e6),
    width=st.floats(0, 1e6),
)
def test_every_sample_gets_a_verdict_and_a_wider_margin_never_hurts(ours, published, width):
    judged = value(np.array(ours), published, width).judge(RESULTS)
    assert judged.verdict in VERDICTS and judged.n == len(ours)
    wider = value(np.array(ours), published, width + 1.0).judge(RESULTS)
    assert wider.verdict in (judged.verdict, "reproduced")
