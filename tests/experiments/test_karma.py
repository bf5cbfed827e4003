"""Karma: cells at rest where they should be, karma conserved, claims and tables of the run at scale quick."""

import numpy as np
import pytest

from catallax.experiments.karma.economies import EPOCH, HORIZON, Settings
from catallax.experiments.karma.social import CLAIMS, experiment, field, rational, settled
from catallax.lab.claims import judge_all


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run("karma.social")


def test_paper_scale_is_the_sources():
    scale = experiment.scales["paper"]
    assert scale.steps * EPOCH == 20_000_000 and scale.replications >= 10 and HORIZON == 10_000
    assert Settings().players == 200


def test_controls_and_fields_are_where_they_should_be(results):
    np.testing.assert_allclose(settled("coin", "efficiency")(results), -1.5, atol=0.02)
    np.testing.assert_allclose(settled("dict", "efficiency")(results), -1.0, atol=0.02)
    np.testing.assert_allclose(field("efficiency")(results), -1.0607, atol=0.01)
    np.testing.assert_allclose(rational("pbp", 0.98)(results), -1.0477, atol=0.005)
    np.testing.assert_allclose(rational("pbs", 0.98)(results), -1.0111, atol=0.005)
    shared = settled("learners", "karma_share")(results)
    assert shared.shape == (10, 21) and (abs(shared @ np.arange(21) - 10) < 1e-3).all()


def test_the_last_fifth_of_the_phases_is_averaged(results):
    path = results.dataset("learners")["efficiency"].isel(copy=0).values
    np.testing.assert_allclose(settled("learners", "efficiency")(results), path[:, 8:].mean(axis=1), rtol=1e-6)


def test_karma_is_conserved_in_every_cell(results):
    for cell in ("fixed", "learners"):
        data = results.dataset(cell)
        assert int(data["karma_drift"].max()) == 0 and int(data["karma_outside"].max()) == 0


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    found = {v.id: v.verdict for v in judged.verdicts}
    assert {"efficiency.learners", "learners_at_the_mean_field"} <= set(found)
    assert found["efficiency.dict"] == "reproduced" and found["efficiency.learners"] == "undecided"
    for rule in ("pbs", "pbp"):
        solver = next(v for v in judged.verdicts if v.id == f"independent.{rule}.0.98")
        assert solver.verdict == "context" and abs(solver.ours - solver.published) < 0.0015


def test_tables_and_figures_are_made(results):
    report = experiment.report(results)
    assert [t.name for t in report.tables] == ["outcomes", "mean_field", "guards"]
    assert (report.tables[2].frame.iloc[:, 1:] == 0).all(axis=None)
    assert all(len(figure.data) > 2 for figure in report.figures) and len(report.figures) == 4
