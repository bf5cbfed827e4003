"""The saving experiment end to end at a toy size: lanes, control, claims, tables and figure fit together."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from catallax.core import InputError
from catallax.experiments.growth.brock_mirman import (
    CLAIMS,
    CONSTANT,
    CONTROL,
    HOUSEHOLDS,
    STOCHASTIC,
    Settings,
    experiment,
    last,
    series,
)
from catallax.lab.claims import judge_all
from catallax.lab.execute import execute
from catallax.lab.experiment import Scale


@pytest.fixture(scope="module", autouse=True)
def compile_fast():
    """These tests compile much and run little: half the time without optimisation."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    tiny = replace(experiment, scales={"quick": Scale(steps=40, replications=2, block=2, chunk=20)})
    return execute(tiny, Settings(), "quick", 0, tmp_path_factory.mktemp("saving") / "run")


def test_the_control_saves_half_for_ever_and_the_others_learn(results):
    np.testing.assert_allclose(series(results, CONTROL, "share"), 0.5, atol=0.01)
    assert np.ptp(last(results, CONTROL, "share_by_capital"), axis=1).max() < 0.02
    for who in (STOCHASTIC, CONSTANT):
        assert (last(results, who, "policy_error") < 0.5 * last(results, CONTROL, "policy_error")).all()
    assert (last(results, CONSTANT, "policy_error") < 0.06).all()


def test_productivity_is_constant_where_it_is_said_to_be(results):
    """Without shocks the household that starts anywhere is near the steady state within the phase."""
    shaken, calm = (series(results, who, "reward").values.std() for who in (STOCHASTIC, CONSTANT))
    assert calm < shaken


def test_nobody_said_nan(results):
    assert results.dataset("ppo")["nan_actions"].values.sum() == 0


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    assert all(v.low is None for v in judged.verdicts)  # two replications
    ratio = next(v.ours for v in judged.verdicts if v.id == "saving_share.stochastic")
    assert ratio == pytest.approx(last(results, STOCHASTIC, "share").mean() / 0.342)


def test_tables_and_figure_render(results):
    report = experiment.report(results)
    policy, flatness = (t.frame for t in report.tables)
    assert tuple(policy["household"]) == HOUSEHOLDS
    at = flatness.set_index("share_error")["consumption_lost"]
    assert at[0.0] == pytest.approx(0.0, abs=1e-6) and 0.003 < at[0.1] < 0.005
    assert all(t.text() and t.csv() and t.markdown() for t in report.tables)
    (figure,) = report.figures
    drawing = figure.render()
    assert drawing.png[:4] == b"\x89PNG" and len(drawing.csv.splitlines()) == 1 + 3 * (4 + 21)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alpha": 1.0}, r"alpha must lie in \(0, 1\)"),
        ({"beta": 0.0}, "beta must lie in"),
        ({"spread": 1.0}, "spread must lie strictly"),
        ({"spread": 0.0}, "spread must lie strictly"),
        ({"rate": 0.0}, "rate must be positive"),
        ({"rate": float("inf")}, r"rate must lie in \[0, inf\)"),
    ],
)
def test_settings_outside_their_range_are_refused_before_anything_runs(wrong, says):
    with pytest.raises(InputError, match=says):
        experiment.build_cells(Settings(**wrong))
