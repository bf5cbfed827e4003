"""The auction experiment: distances, cycles, claims and tables of the run at scale quick; settings refused."""

import numpy as np
import pytest

from catallax.core import InputError
from catallax.experiments.mean_field.ad_auction import (
    CLAIMS,
    DELTA_Q,
    Settings,
    auction,
    delta_q,
    experiment,
    first_tables,
    movement,
)
from catallax.lab.claims import judge_all


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run("mean_field.ad_auction")


def test_first_laws_are_shared_by_all_cells(results):
    laws = [results.dataset("gmf_v")["law_step"].sel(c=c).isel(phase=0).values for c in (4.0, 20.0)]
    assert not np.allclose(laws[0], laws[1]) and laws[0][0] != laws[0][1]
    final = results.final("gmf_v")
    assert final.q.shape == (7, 10, 10, 10) and final.q.dtype == np.float64


def test_the_tables_stand_at_the_distance_the_literature_prints(results):
    for inner, printed in DELTA_Q.items():
        ours = delta_q(inner)(results)
        assert ours.shape == (10,) and (ours > 0.02).all() and (ours < 1.5 * printed).all()
    assert (delta_q(1000)(results) > delta_q(10_000)(results)).all()
    assert (movement("naive")(results) > 1).all() and (movement("gmf_v", 4.0)(results) < 0.1).all()


def test_distances_are_those_of_the_tables_after_twenty_iterations(results):
    exact, law = (results.dataset("gmf_v")[name].sel(c=4.0).isel(phase_every_20=0).values for name in ("q", "law"))
    learnt = results.dataset("gmf_q")["q"].sel(inner=3000).isel(phase=0).values
    norm = lambda x: np.sqrt((x**2).sum(axis=(1, 2)))
    np.testing.assert_allclose(delta_q(3000)(results), norm(exact - learnt) / norm(exact), rtol=1e-12)
    weighted = norm(np.sqrt(law) * (exact - learnt)) / norm(np.sqrt(law) * exact)
    np.testing.assert_allclose(delta_q(3000, weighted=True)(results), weighted, rtol=1e-12)
    with pytest.raises(InputError, match="those of iteration 1, not 20"):
        first_tables("naive", "law_step")(results)


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    assert {f"delta_q.{n}" for n in DELTA_Q} <= {v.id for v in judged.verdicts}


def test_tables_and_figures_are_made(results):
    report = experiment.report(results)
    tables = {t.name: t.frame for t in report.tables}
    assert list(tables) == ["solutions", "temperatures", "delta_q"]
    assert len(tables["temperatures"]) == 7 and len(tables["delta_q"]) == 8
    assert [len(figure.data) for figure in report.figures] == [150, 40]


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="size must be at least 2"):
        auction(Settings(size=1))
