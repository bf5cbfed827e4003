"""The line of players: surfaces, box plots and snapshots against references, claims that can fail, pictures."""

import jax.numpy as jnp
import numpy as np
import pytest
from doctored import Doctored, swap_trajectory, verdicts_by_name

from catallax.experiments.learning_dynamics.network import (
    ALL,
    CLAIMS,
    FIXED_T,
    LYAPUNOV_T,
    NONE,
    SIZES,
    SOME,
    divergence,
    equilibrium,
    experiment,
    largest_step,
    least_bend,
    plane,
)
from catallax.experiments.learning_dynamics.quantities import heads
from catallax.experiments.learning_dynamics.reference_values import line_rows
from catallax.experiments.learning_dynamics.surfaces import GRID, gap, sheet
from catallax.lab.claims import judge_all
from catallax.solvers.matrix.flow_analysis import divergences


@pytest.fixture(scope="module")
def results(quick_run):
    return quick_run(experiment.name)


def verdicts(results, cell):
    """Of the claims on one part: the snapshots of `lyapunov` take a while."""
    judged = judge_all([c for c in CLAIMS if c.id.startswith(cell)], results)
    assert judged.failed == ()
    return {name: v.verdict for name, v in verdicts_by_name(judged).items()}


def test_the_surface_satisfies_the_closed_condition(results):
    """m_k = tanh((m_{k+1} - m_{k-1}) / T_k) at every temperature."""
    m = np.stack([2 * sheet(k)(results)[0] - 1 for k in (1, 2, 3)])
    m = np.concatenate([np.ones((1, 60, 60)), m, -np.ones((1, 60, 60))])
    temperatures = np.stack(np.broadcast_arrays(GRID[:, None], GRID[None], FIXED_T))
    np.testing.assert_allclose(m[1:4], np.tanh((m[2:] - m[:-2]) / temperatures), atol=1e-9)
    assert gap(results).max() < 1e-11


def test_all_exploring_ends_on_the_reference_equilibrium(results):
    expected = np.asarray(next(h for t, h in line_rows(7) if t == (0.1,) * 7))
    found = heads("selection")(results)[:, 1:-1, ALL]
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-7)


def test_who_stays_spread(results):
    spread = np.ptp(heads("selection")(results), axis=0)
    assert (spread[[2, 4, 6], NONE] > 0.1).all() and (spread[[1, 2, 3], SOME] < 0.01).all() and spread[6, SOME] > 0.1


def test_lyapunov_flows_end_on_the_reference_equilibria(results):
    for n in (3, 7):
        expected = next(h for t, h in line_rows(n) if t == (LYAPUNOV_T,) * n)
        np.testing.assert_allclose(equilibrium(results, n)[1:-1, 0], expected, atol=1e-9)


def test_divergence_is_that_of_the_solver(results):
    p, x = equilibrium(results, 7), equilibrium(results, 7)[::-1].copy()
    x[0], x[-1] = p[0], p[-1]
    np.testing.assert_allclose(divergence(p, x), float(divergences(jnp.asarray(p), jnp.asarray(x)).sum()), rtol=1e-6)
    assert divergence(p, p) == 0


def test_snapshots_against_the_definition(results):
    """KL from the equilibrium at sigmoid(a U + b V) at some points; uniform play in the middle; convex."""
    for n in SIZES:
        picture = plane(results, n, 0)
        p = equilibrium(results, n)[1:-1, 0]
        logits = picture.directions[:, 1:-1, 0] - picture.directions[:, 1:-1, 1]
        for i, j in ((30, 30), (12, 50), (0, 60)):
            s = picture.a[i] * logits[0] + picture.b[j] * logits[1]
            first, second = -np.logaddexp(0, -s), -np.logaddexp(0, s)  # ln x and ln(1 - x)
            expected = (p * (np.log(p) - first) + (1 - p) * (np.log(1 - p) - second)).sum()
            assert picture.divergence[i, j] == pytest.approx(expected, rel=1e-9)
        uniform = (p * np.log(2 * p) + (1 - p) * np.log(2 * (1 - p))).sum()
        assert picture.divergence[30, 30] == pytest.approx(uniform)
        assert least_bend(picture.divergence) > -1e-12
    first, second = (plane(results, 7, r).divergence for r in (0, 1))
    assert np.abs(first - second).max() > 1  # every replication looks at a plane of its own


def test_bends_and_jumps_are_seen():
    x = np.linspace(-2, 2, 21)
    a, b = np.meshgrid(x, x, indexing="ij")
    assert least_bend(a**2 + b**2) > 0 and least_bend(a**2 + b**2 - 3 * a * b) < 0 and least_bend(-np.cos(2 * a)) < 0
    smooth, jump = np.tanh(a)[None], (a > 0.05).astype(float)[None]
    assert largest_step(smooth[:, ::2, ::2]) > 1.7 * largest_step(smooth) and largest_step(
        jump[:, ::2, ::2]
    ) == largest_step(jump)


def test_claims_fail_on_other_numbers(results):
    found = verdicts(Doctored(results, {"selection": swap_trajectory(ALL, NONE)}), "selection")
    assert found["selection.all"] == "not reproduced"
    found = verdicts(Doctored(results, {"selection": swap_trajectory(SOME, NONE)}), "selection")
    assert found["selection.some.explorers"] == "not reproduced"

    def settled(data):
        data["policy"].values[:] = data["policy"].values[:1]

    found = verdicts(Doctored(results, {"selection": settled}), "selection")
    names = ("selection.none.even", "selection.some.others", "selection.some.others/agent_4")
    assert {found[name] for name in names} == {"not reproduced"}

    def backwards(data):
        data["policy"].values[:, 2:50] = data["policy"].values[:, 49:1:-1].copy()

    def torn(data):
        data["policy"].values[:, :, 2, 0, 1800:] += 0.3
        data["policy"].values[:, :, 1, 0, :60] = 0.2

    found = verdicts(Doctored(results, {"lyapunov_7": backwards}), "lyapunov.decreasing")
    assert set(found.values()) == {"not reproduced"}
    found = verdicts(Doctored(results, {"surface": torn}), "surface")
    assert {found[name] for name in ("surface.boundary", "surface.continuous")} == {"not reproduced"}


def test_box_plots_show_every_replication_of_every_agent(results):
    boxes = experiment.report(results).figures[2].data
    assert len(boxes) == 10 * 7 * 3 and set(boxes["explore"]) == {"nobody", "agents 1-3", "all"}
