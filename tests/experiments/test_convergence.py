"""The experiment on Q-learning in competitive games: tables against the references, every claim judged."""

import numpy as np
import pytest
from catallax.experiments.learning_dynamics.q_learning_claims import CLAIMS
from catallax.experiments.learning_dynamics.reading import heads

from catallax.experiments.learning_dynamics.q_learning_flow import Settings, experiment
from catallax.experiments.learning_dynamics.reference_values import AMPS, line_rows
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Ten replications of the whole experiment: it is as short as it can be, as the flow must come to rest."""
    return execute(experiment, Settings(), "quick", 0, tmp_path_factory.mktemp("matrix") / "run")


def test_scales():
    assert set(experiment.scales) == {"quick", "paper"} and experiment.x64
    assert experiment.scales["paper"].replications == 100
    assert all(isinstance(scale, Scale) for scale in experiment.scales.values())


def test_flows_end_on_the_reference_equilibria_from_every_start(results):
    expected = np.asarray(list(AMPS.values())).T
    np.testing.assert_allclose(heads(results, "amps"), np.broadcast_to(expected, (10, 2, 7)), rtol=0, atol=1e-9)
    for n in (3, 5, 7):
        found = heads(results, f"line_{n}")[:, 1:-1]
        expected = np.asarray([p for _, p in line_rows(n)]).T
        np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=0, atol=1e-9)


def test_the_reference_rows_are_symmetric():
    for n, count in ((3, 5), (5, 6), (7, 5)):
        rows = line_rows(n)
        assert len(rows) == count
        for temperatures, h in rows:
            if temperatures == temperatures[::-1]:
                mirrored = [h[n - k] if k % 2 else 1 - h[n - k] for k in range(1, n + 1)]
                np.testing.assert_allclose(h, mirrored, atol=1e-15)


def test_every_claim_is_judged_and_none_fails(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == ()
    verdicts = {v.id: v.verdict for v in judged.verdicts}
    assert set(verdicts.values()) == {"reproduced"}, verdicts


def test_sampled_learners_play_near_the_equilibrium(results):
    path = results.dataset("learners")["policy"].values[:, 50:, :, 0, 0]
    np.testing.assert_allclose(path.mean(axis=(0, 1)), AMPS[1.0, 1.0], atol=0.01)


def test_tables_render(results):
    report = experiment.report(results)
    tables = {t.name: t for t in report.tables}
    assert set(tables) == {"amps_equilibria", "line_equilibria", "amps_trajectories", "learners"}
    for name in ("amps_equilibria", "line_equilibria"):
        assert max(float(x) for x in tables[name].frame["worst"]) < 1e-9
    assert max(float(x) for x in tables["amps_trajectories"].frame["deviation"]) < 1e-9
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
