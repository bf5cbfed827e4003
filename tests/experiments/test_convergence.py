"""The experiment on Q-learning in competitive games: runs and tables against the references."""

import numpy as np
import pytest

from catallax.experiments.learning_dynamics.q_learning_flow import experiment
from catallax.experiments.learning_dynamics.quantities import heads, policies
from catallax.experiments.learning_dynamics.reference_values import AMPS, line_rows


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def test_flows_end_on_the_reference_equilibria_from_every_start(results):
    expected = np.asarray(list(AMPS.values())).T
    np.testing.assert_allclose(heads("amps")(results), np.broadcast_to(expected, (10, 2, 7)), rtol=0, atol=1e-9)
    for n in (3, 5, 7):
        found = heads(f"line_{n}")(results)[:, 1:-1]
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


def test_sampled_learners_play_near_the_equilibrium(results):
    path = policies("learners")(results)[:, 50:, :, 0, 0]
    np.testing.assert_allclose(path.mean(axis=(0, 1)), AMPS[1.0, 1.0], atol=0.01)


def test_tables_stand_on_the_references(results):
    report = experiment.report(results)
    tables = {t.name: t for t in report.tables}
    for name in ("amps_equilibria", "line_equilibria"):
        assert max(float(x) for x in tables[name].frame["worst"]) < 1e-9
    assert max(float(x) for x in tables["amps_trajectories"].frame["deviation"]) < 1e-9
