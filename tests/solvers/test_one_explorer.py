"""The threshold of one explorer against closed forms and integrations, for either role and any order of actions."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catallax.core import InputError
from catallax.games.matrix import (
    Edge,
    Polymatrix,
    as_normal_form,
    asymmetric_matching_pennies,
    coordination,
    matching_pennies,
    prisoners_dilemma,
    rock_paper_scissors,
)
from catallax.solvers.matrix.flow_analysis import RestKind, one_explorer, rest_point
from matrix_games import cycling_2x2

START = (0.8, 0.9)
LN2 = np.log(2)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def temperatures_of(explorer, temperature):
    temperatures = np.zeros(2)
    temperatures[explorer] = temperature
    return temperatures


def test_the_threshold_of_asymmetric_matching_pennies():
    game = asymmetric_matching_pennies()
    second, first = one_explorer(game, 1), one_explorer(game, 0)
    assert second.critical == pytest.approx(4 / LN2, abs=1e-12) == pytest.approx(5.7707801636, abs=1e-10)
    assert first.critical == pytest.approx(1 / LN2, abs=1e-12) == pytest.approx(1.4426950409, abs=1e-10)
    # the explorer stays at its own Nash mixture, the other moves
    np.testing.assert_allclose(first.rest_point(1.0)[:, 0], [1 / 3, 1 / 3 - LN2 / 3], atol=1e-14)
    np.testing.assert_allclose(second.rest_point(2.0)[:, 0], [1 / 3 + LN2 / 3, 1 / 3], atol=1e-14)
    np.testing.assert_allclose(second.rest_point(0.0)[:, 0], [1 / 3, 1 / 3], atol=1e-14)
    np.testing.assert_allclose(second.rest_point(6.5)[:, 0], [1.0, 1 / (1 + np.exp(4 / 6.5))], atol=1e-14)
    assert second.rest_point(1e9)[1, 0] == pytest.approx(0.5)
    np.testing.assert_allclose(one_explorer(as_normal_form(game), 1), second, rtol=1e-14)


@pytest.mark.parametrize(("explorer", "critical"), [(1, 4 / LN2), (0, 1 / LN2)])
@pytest.mark.parametrize(
    ("share", "kind"), [(0.35, RestKind.INTERIOR), (0.99, RestKind.INTERIOR), (1.01, RestKind.BOUNDARY)]
)
def test_the_flow_goes_there_just_below_and_above(explorer, critical, share, kind):
    game = asymmetric_matching_pennies()
    found = rest_point(game, temperatures_of(explorer, share * critical), START, horizon=20_000.0)
    theory = one_explorer(game, explorer)
    assert found.kind == theory.kind(share * critical) == kind
    np.testing.assert_allclose(found.policy, theory.rest_point(share * critical), atol=1e-10)
    assert found.leading < 0


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from([0, 1]), st.sampled_from([0.6, 1.5]))
def test_any_cycling_game_in_either_role(seed, explorer, share):
    draw = np.random.default_rng(seed)
    game = Polymatrix([Edge(0, 1, *cycling_2x2(draw))])
    theory = one_explorer(game, explorer)
    temperature = share * min(theory.critical, 20.0)
    found = rest_point(game, temperatures_of(explorer, temperature), draw.uniform(0.1, 0.9, 2), horizon=20_000.0)
    assert found.kind == theory.kind(temperature)
    np.testing.assert_allclose(found.policy, theory.rest_point(temperature), atol=1e-9)
    if found.kind == RestKind.BOUNDARY:
        assert found.policy[1 - explorer, theory.abandoned] == 0


@pytest.mark.parametrize("flips", [(True, False), (False, True), (True, True)])
def test_names_of_actions_and_players_do_not_matter(flips):
    game = asymmetric_matching_pennies()
    a, b = np.asarray(game.edge(0, 1)), np.asarray(game.edge(1, 0))
    order = [[1, 0] if flip else [0, 1] for flip in flips]
    renamed = Polymatrix([Edge(0, 1, a[np.ix_(order[0], order[1])], b[np.ix_(order[1], order[0])])])
    swapped = Polymatrix([Edge(0, 1, b, a)])
    for explorer in (0, 1):
        plain = one_explorer(game, explorer)
        for temperature in (0.5, 1.4, 1.5, 5.7, 6.5):
            point = plain.rest_point(temperature)
            relabelled = np.stack([point[k, order[k]] for k in (0, 1)])
            np.testing.assert_allclose(one_explorer(renamed, explorer).rest_point(temperature), relabelled, atol=1e-14)
            other = one_explorer(swapped, 1 - explorer)
            np.testing.assert_allclose(other.rest_point(temperature), point[::-1], atol=1e-14)
        assert one_explorer(renamed, explorer).critical == pytest.approx(plain.critical)


def test_no_threshold_where_the_explorer_mixes_evenly():
    theory = one_explorer(matching_pennies(), 0)
    assert theory.critical == np.inf and theory.abandoned is None
    assert theory.kind(1e6) == RestKind.INTERIOR
    np.testing.assert_allclose(theory.rest_point(1e3), 0.5)
    third = np.asarray([[0.7, -0.7], [-0.3, 0.3]])  # 1/2 up to rounding
    assert one_explorer(Polymatrix([Edge(0, 1, third, -third.T)]), 1).critical == np.inf


@pytest.mark.parametrize(
    ("game", "explorer", "message"),
    [
        (coordination, 0, "saddle"),
        (prisoners_dilemma, 0, "no interior Nash"),
        (rock_paper_scissors, 0, "two actions"),
        (matching_pennies, 2, "player 0 or 1"),
        (matching_pennies, True, "player 0 or 1"),
    ],
)
def test_other_games_are_refused(game, explorer, message):
    with pytest.raises(InputError, match=message):
        one_explorer(game(), explorer)


def test_bad_temperatures_are_refused():
    for value in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="temperature"):
            one_explorer(matching_pennies(), 0).rest_point(value)
