"""The saving experiment: lanes, control, claims, tables and figure of the run at scale quick; settings refused."""

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
    path,
)
from catallax.lab.claims import judge_all


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run("growth.brock_mirman")


def test_the_control_saves_half_for_ever_and_the_others_learn(results):
    np.testing.assert_allclose(path(CONTROL, "share")(results), 0.5, atol=0.01)
    assert np.ptp(last(CONTROL, "share_by_capital")(results), axis=1).max() < 0.02
    control = last(CONTROL, "policy_error")(results)
    for who in (STOCHASTIC, CONSTANT):
        assert (last(who, "policy_error")(results) < 0.5 * control).all()
    assert (last(CONSTANT, "policy_error")(results) < 0.06).all()


def test_productivity_is_constant_where_it_is_said_to_be(results):
    """Without shocks the household that starts anywhere is near the steady state within the phase."""
    shaken, calm = (path(who, "reward")(results).std() for who in (STOCHASTIC, CONSTANT))
    assert calm < shaken


def test_nobody_said_nan(results):
    assert results.dataset("ppo")["nan_actions"].values.sum() == 0


def test_every_claim_is_judged(results):
    judged = judge_all(CLAIMS, results)
    assert judged.failed == () and len(judged.verdicts) == len(CLAIMS)
    ratio = next(v.ours for v in judged.verdicts if v.id == "saving_share.stochastic")
    assert ratio == pytest.approx(last(STOCHASTIC, "share")(results).mean() / 0.342)


def test_tables_and_figure_are_made(results):
    report = experiment.report(results)
    policy, flatness = (t.frame for t in report.tables)
    assert tuple(policy["household"]) == HOUSEHOLDS
    at = flatness.set_index("share_error")["consumption_lost"]
    assert at[0.0] == pytest.approx(0.0, abs=1e-6) and 0.003 < at[0.1] < 0.005
    (figure,) = report.figures
    assert len(figure.data) == 3 * (12 + 21)


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
