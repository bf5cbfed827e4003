"""The karma experiment end to end at a toy size: cells, claims, tables and figures fit together."""

from dataclasses import replace

import numpy as np
import pytest
from catallax.experiments.karma.reading import at_rest, settled
from catallax.experiments.karma.social_claims import CLAIMS

from catallax.experiments.karma.social import EPOCH, HORIZON, Settings, experiment
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    tiny = replace(
        experiment, scales={**experiment.scales, "quick": Scale(steps=10, replications=2, block=1, chunk=100)}
    )
    return execute(tiny, Settings(players=60), "quick", 0, tmp_path_factory.mktemp("karma") / "run")


def test_paper_scale_is_the_sources():
    scale = experiment.scales["paper"]
    assert scale.steps * EPOCH == 20_000_000 and scale.replications >= 10 and HORIZON == 10_000
    assert Settings().players == 200


def test_controls_and_fields_are_where_they_should_be(results):
    np.testing.assert_allclose(settled(results, "coin", "efficiency"), -1.5, atol=0.02)
    np.testing.assert_allclose(settled(results, "dict", "efficiency"), -1.0, atol=0.02)
    np.testing.assert_allclose(at_rest(results, "field", "efficiency"), -1.0607, atol=0.01)
    np.testing.assert_allclose(at_rest(results, "rational_pbp", "efficiency", 0.98), -1.0477, atol=0.005)
    np.testing.assert_allclose(at_rest(results, "rational_pbs", "efficiency", 0.98), -1.0111, atol=0.005)
    shared = settled(results, "learners", "karma_share")
    assert shared.shape == (2, 21) and (abs(shared @ np.arange(21) - 10) < 1e-3).all()


def test_karma_is_conserved_in_every_cell(results):
    for cell in ("fixed", "learners"):
        data = results.dataset(cell)
        assert int(data["karma_drift"].max()) == 0 and int(data["karma_outside"].max()) == 0


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    assert all(v.verdict in ("direction only", "not comparable") for v in judged.verdicts)  # two replications
    assert {"efficiency.learners", "learners_at_the_mean_field", "independent.pbs.0.98"} <= {
        v.id for v in judged.verdicts
    }


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    guards = next(t for t in report.tables if t.name == "guards").frame
    assert (guards.iloc[:, 1:] == 0).all(axis=None)
    for figure in report.figures:
        drawing = figure.render()
        assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) > 3
