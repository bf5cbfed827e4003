"""Basins of attraction against separatrices in closed form, by quadrature, and by symmetry."""

import jax
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, kstest

from catallax.core import InputError, NumericalError, rng
from catallax.games.matrix import (
    Edge,
    NormalForm,
    Polymatrix,
    asymmetric_matching_pennies,
    coordination,
    first_price_bids,
    match_mismatch_line,
    rock_paper_scissors,
)
from catallax.solvers.matrix.flow_analysis import RestKind, basins, drawn_starts, grid_starts


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def two_bids(fee=0.25):
    """The first-price game without its highest bid."""
    pay = np.asarray(first_price_bids(fee).edge(0, 1))[:2, :2]
    return Polymatrix([Edge(0, 1, pay, pay)])


@pytest.fixture(scope="module")
def bids():
    with jax.enable_x64(True):
        game = two_bids()
        return basins(game, 0.0, drawn_starts(game, rng.key(1), 2000))


def test_two_bids_are_bistable_and_the_diagonal_parts_them(bids):
    """d logit x = (y - 1/2) dt / 4 and the like conserve x (1 - x) / (y (1 - y)): the separatrix is x + y = 1."""
    assert bids.unsettled == 0 and len(bids.attractors) == 2
    assert {tuple(p.policy[:, 0]) for p in bids.attractors} == {(0.0, 0.0), (1.0, 1.0)}
    assert all(p.kind == RestKind.BOUNDARY and p.leading == pytest.approx(-0.125) for p in bids.attractors)
    collusive = np.asarray([p.policy[0, 0] for p in bids.attractors])[bids.label] == 1
    np.testing.assert_array_equal(collusive, bids.starts[:, 0].sum(axis=0) > 1)
    low, high = bids.intervals(0.99)[0]
    assert low < 0.5 < high
    np.testing.assert_array_equal(bids.shares.sum(), 1.0)


def test_the_symmetric_boundary_is_one_less_twice_the_fee():
    fee = 0.2
    near = np.asarray([1 - 2 * fee - 0.01, 1 - 2 * fee + 0.01])
    starts = np.stack([np.stack([near, 1 - near])] * 2)
    found = basins(two_bids(fee), 0.0, starts)
    ends = [found.attractors[k].policy[0, 0] for k in found.label]
    assert ends == [0.0, 1.0]


def test_the_uneven_game_against_the_area_under_its_separatrix():
    """KL(p || x) = KL(p || y) on opposite sides of p = 1/3 is the stable manifold of the saddle."""
    p, game = 1 / 3, coordination(2.0, 1.0)
    away = lambda x: -p * np.log(x) - (1 - p) * np.log1p(-x)

    def boundary(x):
        if abs(x - p) < 1e-9:
            return p
        other = (p, 1 - 1e-16) if x < p else (1e-300, p)
        return brentq(lambda y: away(y) - away(x), *other)

    nodes, weights = np.polynomial.legendre.leggauss(60)
    halves = [(0.0, p), (p, 1.0)]
    area = sum(
        (b - a) / 2 * w * (1 - boundary((a + b) / 2 + (b - a) / 2 * t))
        for a, b in halves
        for t, w in zip(nodes, weights, strict=True)
    )
    grid = basins(game, 0.0, grid_starts(game, 40))
    assert grid.unsettled == 0 and grid.attractors[0].policy[0, 0] == 1
    assert grid.shares[0] == pytest.approx(area, abs=0.01)
    ends = np.asarray([q.policy[0, 0] for q in grid.attractors])[grid.label]
    x, y = grid.starts[:, 0]
    np.testing.assert_array_equal(ends == 1, y > np.asarray([boundary(v) for v in x]))
    drawn = basins(game, 0.0, drawn_starts(game, rng.key(4), 1000))
    low, high = drawn.intervals(0.999)[0]
    assert low < area < high and high - low < 0.12


def test_intervals_are_exact(bids):
    (low, high), k, n = bids.intervals(0.9)[0], bids.counts[0], len(bids.label)
    assert binom.sf(k - 1, n, low) == pytest.approx(0.05) and binom.cdf(k, n, high) == pytest.approx(0.05)
    alone = basins(coordination(), 0.9, drawn_starts(coordination(), rng.key(0), 20))
    (low, high), *_ = alone.intervals()
    assert high == 1 and low == pytest.approx(0.025 ** (1 / 20))
    with pytest.raises(InputError, match="level"):
        alone.intervals(1.0)


def test_with_exploration_the_attractors_are_logit_equilibria():
    game = coordination()
    found = basins(game, 0.3, drawn_starts(game, rng.key(2), 100))
    assert [p.kind for p in found.attractors] == [RestKind.LOGIT_EQUILIBRIUM] * 2
    np.testing.assert_allclose(
        sorted(p.policy[0, 0] for p in found.attractors), [1 - 0.953666158323, 0.953666158323], atol=1e-11
    )
    one = basins(asymmetric_matching_pennies(), (0.0, 6.5), drawn_starts(game, rng.key(3), 20))
    assert one.counts.tolist() == [20] and one.attractors[0].kind == RestKind.BOUNDARY


def test_three_players_in_normal_form():
    table = np.zeros((2, 2, 2))
    table[0, 0, 0], table[1, 1, 1] = 1.0, 1.0
    game = NormalForm([table] * 3)
    found = basins(game, 0.0, grid_starts(game, 4))
    assert found.starts.shape == (3, 2, 64)
    vertices = [p.policy[:, 0].tolist() for p in found.attractors if p.leading < 0]
    assert sorted(vertices) == [[0, 0, 0], [1, 1, 1]] and found.counts[0] == found.counts[1]


def test_lingering_near_the_corners_is_not_rest():
    """Shapley's game without exploration spirals out towards a cycle of corners, ever slower at each of them."""
    shapley = Polymatrix([Edge(0, 1, np.eye(3), np.roll(np.eye(3), 1, axis=1))])
    found = basins(shapley, 0.0, drawn_starts(shapley, rng.key(0), 30), horizon=2000)
    assert found.unsettled == 30
    assert (found.ends.max(axis=1) > 1 - 1e-9).mean() > 0.9  # though most are within rounding of a pure action


def test_what_is_not_at_rest_is_counted():
    game = asymmetric_matching_pennies()
    found = basins(game, 0.0, drawn_starts(game, rng.key(0), 10), horizon=20)
    assert found.unsettled == 10 and found.attractors == () and (found.label == -1).all()
    assert found.shares.size == 0 and found.intervals().shape == (0, 2)
    line = match_mismatch_line(3)
    with pytest.raises(NumericalError, match="continuum"):
        basins(line, 0.0, drawn_starts(line, rng.key(0), 40), most=10)


def test_drawn_starts_are_uniform_whatever_the_precision():
    game = rock_paper_scissors()
    starts = drawn_starts(game, rng.key(5), 2000)
    np.testing.assert_allclose(starts.sum(axis=1), 1)
    assert kstest(starts[0, 0], lambda x: 1 - (1 - x) ** 2).pvalue > 0.01
    with jax.enable_x64(False):
        np.testing.assert_array_equal(drawn_starts(rock_paper_scissors(), rng.key(5), 2000), starts)


def test_grids():
    starts = grid_starts(coordination(), 2)
    assert sorted(map(tuple, starts[:, 0].T)) == [(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)]
    three = grid_starts(rock_paper_scissors(), 3)
    assert three.shape == (2, 3, 36) and (three > 0).all()
    np.testing.assert_allclose(three.sum(axis=1), 1)
    np.testing.assert_allclose(three.mean(axis=2), 1 / 3)
    line = grid_starts(match_mismatch_line(1), 4)
    assert line.shape == (3, 2, 4) and (line[0] == [[1.0], [0.0]]).all()
    with pytest.raises(InputError, match="million"):
        grid_starts(rock_paper_scissors(), 100)
    with pytest.raises(InputError, match="cells"):
        grid_starts(coordination(), 0)


@pytest.mark.parametrize("name", ["horizon", "rest", "radius"])
def test_bad_input_is_refused(name):
    game = coordination()
    with pytest.raises(InputError, match=name):
        basins(game, 0.0, grid_starts(game, 2), **{name: -1})
    with pytest.raises(InputError, match="interior"):
        basins(game, 0.0, np.eye(2)[:, :, None])
