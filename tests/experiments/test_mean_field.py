"""The auction experiment end to end at a toy size: cells, claims, tables and figures fit together."""

from dataclasses import replace

import numpy as np
import pytest
from catallax.experiments.mean_field.ad_auction_claims import CLAIMS, DELTA_Q, delta_q, movement

from catallax.core import InputError
from catallax.experiments.mean_field import ad_auction
from catallax.experiments.mean_field.ad_auction import Settings, cells, experiment
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    scale = Scale(steps=20, replications=2, block=2, chunk=20)
    tiny = replace(experiment, scales={"quick": scale, "paper": scale})
    short = lambda settings: tuple(replace(c, steps={"quick": 20}) for c in cells(settings))
    return execute(replace(tiny, cells=short), Settings(), "quick", 0, tmp_path_factory.mktemp("auction") / "run")


def test_first_laws_are_shared_by_all_cells(results):
    laws = [results.dataset("gmf_v")["law_step"].sel(c=c).isel(phase=0).values for c in (4.0, 20.0)]
    assert not np.allclose(laws[0], laws[1]) and laws[0][0] != laws[0][1]
    final = results.final("gmf_v")
    assert final.q.shape == (7, 2, 10, 10) and final.q.dtype == np.float64


def test_the_tables_stand_at_the_distance_the_literature_prints(results):
    for inner, printed in DELTA_Q.items():
        ours = delta_q(results, inner)
        assert ours.shape == (2,) and (ours > 0.02).all() and (ours < 1.5 * printed).all()
    assert (delta_q(results, 1000) > delta_q(results, 10_000)).all()
    assert (movement(results, "naive") > 1).all() and (movement(results, "gmf_v", c=4.0) < 0.1).all()


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    assert {f"delta_q.{n}" for n in DELTA_Q} <= {v.id for v in judged.verdicts}


def test_tables_and_figures_render(results):
    report = experiment.report(results)
    tables = {t.name: t.frame for t in report.tables}
    assert list(tables) == ["solutions", "temperatures", "delta_q"]
    assert len(tables["temperatures"]) == 7 and len(tables["delta_q"]) == 8
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    for figure in report.figures:
        drawing = figure.render()
        assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) > 10


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="size must be at least 2"):
        ad_auction.auction(Settings(size=1))
