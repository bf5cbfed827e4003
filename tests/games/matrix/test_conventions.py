"""Exchange with other libraries, on games without symmetry and with unequal action counts; .nfg text by hand."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import nashpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.core import InputError
from catallax.core.errors import FileError
from catallax.games.matrix import (
    Polymatrix,
    format_nfg,
    from_arrays,
    from_bimatrix,
    from_tensor_game,
    parse_nfg,
    random_normal_form,
    random_polymatrix,
    read_nfg,
    ring_graph,
    to_arrays,
    to_bimatrix,
    to_tensor_game,
    write_nfg,
)

ROW = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])
COLUMN = np.array([[-1.0, 0.0, 7.0], [2.0, 9.0, -4.0]])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_nashpy_gives_the_same_payoffs():
    game = from_bimatrix(ROW, COLUMN)
    np.testing.assert_array_equal(game.edge(1, 0), COLUMN.T)  # own actions are rows with us
    x, y = np.array([0.3, 0.7]), np.array([0.2, 0.5, 0.3])
    theirs = nashpy.Game(*to_bimatrix(game))[x, y]
    ours = game.payoffs(jnp.asarray([[*x, 0.0], y]))
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    np.testing.assert_allclose(theirs, [x @ ROW @ y, x @ COLUMN @ y], rtol=1e-14)
    for found, given_matrix in zip(to_bimatrix(game), (ROW, COLUMN), strict=True):
        np.testing.assert_array_equal(found, given_matrix)


def test_arrays_of_gambit():
    third = [[[Fraction(1, 3), 2, 3], [4, 5, 6]], [[0, 0, 0], [1, 1, 1]]]
    game = from_arrays([np.asarray(third, dtype=object), np.arange(12).reshape(2, 2, 3), np.ones((2, 2, 3))])
    assert game.actions == (2, 2, 3)
    assert to_arrays(game)[0][0, 0, 0] == 1 / 3
    np.testing.assert_array_equal(game.play(jnp.asarray([1, 0, 2])), [0, 8, 1])


def test_tensors_of_openspiel_run_row_by_row():
    game = random_normal_form((2, 3, 4), 0)
    utilities, shape = to_tensor_game(game)
    assert shape == [2, 3, 4]
    for profile in np.ndindex(2, 3, 4):
        rank = 0
        for count, action in zip(shape, profile, strict=True):  # the index that OpenSpiel computes
            rank = rank * count + action
        np.testing.assert_array_equal([u[rank] for u in utilities], np.asarray(game.payoff)[(slice(None), *profile)])
    for back in (from_tensor_game(utilities, shape), from_tensor_game(to_arrays(game))):
        np.testing.assert_array_equal(back.payoff, game.payoff)


def test_polymatrix_games_are_written_out():
    game = random_polymatrix(ring_graph(3), (2, 3, 2), 1)
    utilities, shape = to_tensor_game(game)
    np.testing.assert_allclose(
        [u[(1 * shape[1] + 2) * shape[2] + 0] for u in utilities], game.play(jnp.asarray([1, 2, 0])), rtol=1e-14
    )


def test_arrays_that_are_no_game_are_refused():
    for make, words in (
        (lambda: from_bimatrix(ROW, COLUMN.T), "player 0's actions as rows"),
        (lambda: to_bimatrix(random_normal_form((2, 2, 2), 0)), "this game has 3"),
        (lambda: from_arrays([[[1, 2], [3]], [[1, 2], [3, 4]]]), "player 0 are not a rectangular"),
        (lambda: from_arrays([[["a"]], [[1]]]), "player 0 are not"),
        (lambda: from_tensor_game([[1, 2], [3, 4]]), "flat utilities need"),
        (lambda: from_tensor_game([[1, 2, 3], [3, 4]], (1, 2)), "player 0 has utilities of shape"),
        (lambda: to_arrays(random_polymatrix(ring_graph(40), 2, 0)), "profiles"),
    ):
        with pytest.raises(InputError, match=words):
            make()


PAYOFFS = """NFG 1 R "Selten (IJGT, 75), Figure 2, normal form"
{ "Player 1" "Player 2" } { 3 2 }

1 1 0 2 0 2 1 1 0 3 2 0
"""
OUTCOMES = """NFG 1 R "Selten (IJGT, 75), Figure 2, normal form" { "Player 1" "Player 2" }

{
{ "1" "2" "3" }
{ "1" "2" }
}
""

{
{ "" 1, 1 }
{ "" 0, 2 }
{ "a \\"name\\"" 0 3 }
{ "" 2, 0 }
}
1 2 2 1 3 4
"""


@pytest.mark.parametrize("text", [PAYOFFS, OUTCOMES])
def test_the_two_forms_of_a_published_file(text):
    found = parse_nfg(text)
    assert found.title == "Selten (IJGT, 75), Figure 2, normal form"
    assert found.players == ("Player 1", "Player 2") and found.actions == (("1", "2", "3"), ("1", "2"))
    np.testing.assert_array_equal(found.game.payoff, [[[1, 1], [0, 0], [0, 2]], [[1, 1], [2, 3], [2, 0]]])


def test_fractions_decimals_comments_and_the_null_outcome():
    text = 'NFG 1 D "" { "a" "b" } { { "x" } { "y" "z" } } "all of it"\n{ { "o" 1/3 -.5e1 } }\n0 1'
    found = parse_nfg(text)
    np.testing.assert_array_equal(found.game.payoff, [[[0, 1 / 3]], [[0, -5]]])
    assert found.comment == "all of it" and found.actions == (("x",), ("y", "z"))


@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.integers(0, 2**31), st.booleans())
def test_what_is_written_is_read_back(actions, seed, outcomes):
    game = random_normal_form(actions, seed)
    text = format_nfg(game, 'a "title" \\', outcomes=outcomes)
    found = parse_nfg(text)
    np.testing.assert_array_equal(found.game.payoff, game.payoff)
    assert found.title == 'a "title" \\'
    assert format_nfg(found.game, found.title, found, outcomes=outcomes) == text


def test_outcomes_are_shared_and_player_ones_action_runs_fastest():
    text = format_nfg(Polymatrix([(0, 1, [[1, 0, 1], [0, 5, 0]], [[2, 0], [0, 0], [2, 0]])]), outcomes=True)
    listed = text[text.index("{\n{") :].split("\n")
    assert listed[1:] == ['{ "" 0, 0 }', '{ "" 1, 2 }', '{ "" 5, 0 }', "}", "2 1 1 3 2 1", ""]


def test_files(tmp_path):
    game, path = random_normal_form((2, 3), 0), tmp_path / "game.nfg"
    write_nfg(path, game, "drawn")
    assert np.array_equal(read_nfg(path).game.payoff, game.payoff) and read_nfg(path).title == "drawn"
    with pytest.raises(FileError, match="cannot be read"):
        read_nfg(tmp_path / "none.nfg")
    with pytest.raises(FileError, match="cannot be written"):
        write_nfg(tmp_path / "no" / "folder.nfg", game)
    (tmp_path / "bytes.nfg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="cannot be read as text"):
        read_nfg(tmp_path / "bytes.nfg")
    path.write_text(PAYOFFS.replace("3 2 0", "3 two 0"))
    with pytest.raises(FileError, match=r"game.nfg, line 4: payoff 11 of 12 must be a number, found two"):
        read_nfg(path)
    with pytest.raises(InputError, match="names are for"):
        format_nfg(game, names=parse_nfg(PAYOFFS))


HEAD = 'NFG 1 R "t" { "a" "b" } '
BROKEN = {
    "an extensive game": ('EFG 2 R "t"', "line 1: 'NFG' expected"),
    "nothing": ("", "'NFG' expected"),
    "the version": ('NFG 2 R "t"', "'1' expected"),
    "the letter": ('NFG 1 Q "t"', "R .or D. expected"),
    "no quotes": ("NFG 1 R t", "title must be in double quotes"),
    "an open quote": ('NFG 1 R "t', "title must be in double quotes"),
    "one player": ('NFG 1 R "t" { "a" } { 2 } 1 1', "at least two players"),
    "other counts": (HEAD + "{ 2 }\n1 1", "strategies of 1 players for 2"),
    "no strategy": (HEAD + "{ { } 2 }\n", "player 1 has no strategy"),
    "zero strategies": (HEAD + "{ 0 2 }\n", "at least 1, found 0"),
    "too few payoffs": (HEAD + "{ 2 1 }\n1 2 3", "line 2: the file ends where payoff 4 of 4"),
    "too many payoffs": (HEAD + "{ 1 1 }\n1 2\n3", "line 3: nothing may follow the 1 profiles"),
    "by zero": (HEAD + "{ 1 1 } 1/0 2", "must be finite, found 1/0"),
    "not finite": (HEAD + "{ 1 1 } 1e999 2", "must be finite"),
    "nan": (HEAD + "{ 1 1 } nan 2", "must be a number, found nan"),
    "short outcome": (HEAD + '{ 1 1 } { { "" 1 } } 1', "outcome 1 has 1 payoffs for 2"),
    "no such outcome": (HEAD + '{ 1 1 }\n{ { "" 1 2 } }\n2', "line 3: outcome 2 is not there: there are 1"),
    "open braces": (HEAD + '{ 1 1 } { { "" 1 2 ', "the file ends where a payoff"),
    "too large": (HEAD + "{ 100000 100000 }", "more than can be held"),
    "far too large": (HEAD + "{ " + "9" * 30 + " 2 }", "more than can be held"),
    "superscript": (HEAD + "{ ² 1 }", "whole number"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_text_that_is_no_game_is_refused(name):
    text, words = BROKEN[name]
    with pytest.raises(FileError, match=words):
        parse_nfg(text)
