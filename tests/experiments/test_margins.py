"""Margins were set beforehand, and every claim of the catalogue can be lost.

`margins.csv` holds each margin and threshold as it was first landed, with its date. A claim whose margin is another one
must say in its note what it was and why it was changed, so that nobody can widen a margin after a run unseen.
"""

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from catallax.experiments.catalogue import CATALOGUE, load
from catallax.lab import Direction, Results, Statement, Value
from catallax.lab.equivalence import quantile, standard_error

STORED = Path(__file__).with_name("margins.csv")
RESULTS = object.__new__(Results)  # the estimates of these tests read nothing
SPREAD = np.tile([-1.0, 1.0], 100)


def leaves(claims, above=""):
    """All values and directions of some claims, with their names."""
    for claim in claims:
        if isinstance(claim, Statement):
            yield from leaves(claim.parts, f"{above}{claim.id}/")
        elif isinstance(claim, Value | Direction):
            yield f"{above}{claim.id}", claim


CLAIMS = {f"{name}/{id}": claim for name in CATALOGUE for id, claim in leaves(load(name).claims)}


def margin_of(claim):
    return claim.margin if isinstance(claim, Value) else claim.threshold


def said(width, date):
    return f"{width:.6g}", date


def refusals(claims, stored):
    """Why the margins of some claims are not those that were stored."""
    for name, claim in claims.items():
        margin = margin_of(claim)
        now = ("", "") if margin is None else said(margin.width, margin.date)
        if name not in stored:
            yield f"{name}: its margin is not in {STORED.name}; add the line {','.join((name, *now))}"
        elif stored[name] != now and f"margin was {stored[name][0] or 0}" not in claim.note:
            yield (
                f"{name}: its margin was {stored[name]} and is now {now}. Results have been seen, so the note of the "
                f"claim must say 'margin was {stored[name][0] or 0}', until when, and why it was changed"
            )
    for name in stored.keys() - claims.keys():
        yield f"{name}: there is no such claim; take its line out of {STORED.name}"


def read():
    with STORED.open(newline="") as file:
        return {row["claim"]: (row["width"], row["date"]) for row in csv.DictReader(file)}


def test_no_margin_was_changed_unseen():
    assert not list(refusals(CLAIMS, read()))


def test_a_changed_margin_is_refused_unless_the_note_says_so():
    name, claim = next((name, claim) for name, claim in CLAIMS.items() if isinstance(claim, Value))
    wider = dataclasses.replace(claim, margin=claim.margin._replace(width=2 * claim.margin.width + 1))
    honest = dataclasses.replace(wider, note=f"the margin was {claim.margin.width:.6g} until today")
    later = dataclasses.replace(claim, margin=claim.margin._replace(date="2030-01-01"))
    stored = {name: read()[name]}
    assert not list(refusals({name: claim}, stored))
    assert ["and is now" in reason for reason in refusals({name: wider}, stored)] == [True]
    assert not list(refusals({name: honest}, stored))
    assert len(list(refusals({name: later}, stored))) == 1
    assert len(list(refusals({name: claim}, {}))) == 1
    assert len(list(refusals({}, stored))) == 1


def test_a_margin_says_why_and_since_when():
    for name, claim in CLAIMS.items():
        if (margin := margin_of(claim)) is not None:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", margin.date) and len(margin.reason) >= 5, name


def judged(claim, values):
    """The verdict on invented values of a replication."""
    alone = {"baseline": None} if isinstance(claim, Value) else {}
    estimate = lambda results: values
    invented = dataclasses.replace(claim, estimate=estimate, needs=(), unfinished=None, context="", **alone)
    return invented.judge(RESULTS).verdict


@pytest.mark.parametrize("experiment", CATALOGUE)
def test_a_printed_number_is_refused_beyond_its_margin(experiment):
    for name, claim in CLAIMS.items():
        if not (name.startswith(f"{experiment}/") and isinstance(claim, Value)):
            continue
        width = claim.margin.width
        small = SPREAD * width / 1e3
        error = standard_error(small.std(ddof=1), small.size, claim.printed)[0] * quantile(0.975, np.inf)
        for side in (-1.0, 1.0):
            beyond = side * (width + 1.1 * error + 1e-12 + 1e-9 * abs(claim.published))
            assert judged(claim, claim.published + beyond + small) == "not reproduced", name
        assert judged(claim, claim.published + 10 * SPREAD * (width + 1e-6)) == "undecided", name
        assert judged(claim, claim.published + small) in ("reproduced", "undecided"), name


@pytest.mark.parametrize("experiment", CATALOGUE)
def test_a_direction_is_refused_on_its_other_side(experiment):
    for name, claim in CLAIMS.items():
        if not (name.startswith(f"{experiment}/") and isinstance(claim, Direction)):
            continue
        width = 0.0 if claim.threshold is None else claim.threshold.width
        scale = width or 1.0
        assert judged(claim, claim.sign * (width + scale) + SPREAD * scale) == "reproduced", name
        assert judged(claim, claim.sign * (width - scale) + SPREAD * scale) == "not reproduced", name
        assert judged(claim, claim.sign * width + SPREAD * scale) == "undecided", name
