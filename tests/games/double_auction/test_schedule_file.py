"""A user's schedule: good files are read, everything else is one clear line that names the file."""

import os
import re
import sys

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catallax.core import FileError
from catallax.games.double_auction.schedule_file import read_schedule

CSV = "side,trader,unit,price\nbuyer,Ann,1,110\nbuyer,Ann,2,90.5\nseller,Bob,1,50\nbuyer,Cid,1,90\nseller,Bob,2,50\n"
TOML = 'name = "mine"\nprice_unit = "euro"\nbuyers = [[110, 90.5], [90]]\nsellers = [[50, 50]]\n'


def refuse(path, message):
    """One line that begins with the path and says `message`; exit code 3."""
    with pytest.raises(FileError, match=message) as error:
        read_schedule(path)
    text = str(error.value)
    assert text.startswith(str(path)) and "\n" not in text and len(text) < 400
    assert error.value.exit_code == 3
    return text


@pytest.mark.parametrize("name, content", [("a.csv", CSV), ("a.toml", TOML), ("A.CSV", CSV), ("mit Leer 'ä'.csv", CSV)])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_good_files(tmp_path, name, content, mark):
    path = tmp_path / name
    path.write_bytes(mark + content.encode())
    schedule = read_schedule(str(path))
    assert schedule.buyers == ((110.0, 90.5), (90.0,)) and schedule.sellers == ((50.0, 50.0),)
    assert (schedule.name, schedule.unit) == (("mine", "euro") if name.endswith("toml") else (path.stem, "1"))
    np.testing.assert_array_equal(schedule.tokens().values, [[110, 90.5], [90, -np.inf]])


def test_windows_line_ends_columns_in_any_order_and_spaces(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"Unit, Price ,side,TRADER\r\n1, 9 ,Buyer,1\r\n1,2,SELLER,1\r\n")
    assert read_schedule(path).buyers == ((9.0,),)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("side,trader,unit,price", "side,trader,price", ":1: the header must be side,trader,unit,price, got"),
        ("side,trader,unit,price", "side,trader,unit,price,colour", ":1: the header must be"),
        ("side,trader,unit,price", "side,trader,unit,unit", ":1: the header must be"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,", ":3: the cell of column 'price' is missing"),
        ("buyer,Ann,2,90.5", "buyer,,2,90.5", ":3: the cell of column 'trader' is missing"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2", ":3: the cell of column 'price' is missing"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,90.5,7", ":3: more cells than the 4 columns"),
        ("buyer,Ann,2,90.5", "byer,Ann,2,90.5", ":3: unknown side 'byer', did you mean 'buyer'"),
        ("buyer,Ann,2,90.5", "x,Ann,2,90.5", ":3: unknown side 'x': use buyer or seller"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,lots", ":3: price must be a number, got 'lots'"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,nan", ":3: price must be finite"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,-inf", ":3: price must be finite"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,1e400", ":3: price must be finite"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,1_0", ":3: price must be a number, got '1_0'"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,٩", ":3: price must be a number"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,110.00000000000001", "descend, got 110 and then 110.00000000000001"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,-1", ":3: price must lie between 0 and"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,1e12", ":3: price must lie between 0 and"),
        ("buyer,Ann,2,90.5", "buyer,Ann,2,111", ":3: values of buyer Ann must descend, got 110 and then 111"),
        ("seller,Bob,2,50", "seller,Bob,2,49", ":6: costs of seller Bob must ascend, got 50 and then 49"),
        ("buyer,Ann,2,90.5", "buyer,Ann,3,90.5", ":3: expected unit 2 of buyer Ann, got unit 3"),
        ("buyer,Ann,2,90.5", "buyer,Ann,1,90.5", ":3: expected unit 2 of buyer Ann, got unit 1"),
        ("buyer,Ann,2,90.5", "buyer,Ann,two,90.5", ":3: unit must be 1, 2, 3"),
        (
            "buyer,Ann,2,90.5",
            'buyer,"A\nn",2,90.5',
            ":4: trader must be a label of up to 80 printable characters",
        ),
        ("buyer,Ann,2,90.5", "buyer,Ann,²,90.5", ":3: unit must be 1, 2, 3"),
        ("buyer,Ann,2,90.5", 'buyer,"Ann,2,90.5', "not a valid CSV line|is missing"),
        (CSV, CSV[: CSV.index("buyer")], "no buyers"),
        (CSV, "side,trader,unit,price\nbuyer,1,1,3\n", "no sellers"),
    ],
)
def test_bad_csv(tmp_path, old, new, message):
    assert old in CSV
    path = tmp_path / "bad.csv"
    path.write_text(CSV.replace(old, new), encoding="utf-8")
    refuse(path, message)


@pytest.mark.parametrize(
    "content, message",
    [
        ("buyers = [[1]", "not valid TOML"),
        ("buyers = [[1]]\nbuyers = [[2]]\nsellers = [[1]]", "not valid TOML"),
        ("buyers = [[1]]", "no sellers"),
        ("sellers = [[1]]", "no buyers"),
        ("buyers = []\nsellers = [[1]]", "no buyers"),
        ("buyers = [[]]\nsellers = [[1]]", "buyers: trader 1 must be a list"),
        ("buyers = [1, 2]\nsellers = [[1]]", "buyers: trader 1 must be a list"),
        ("buyers = 3\nsellers = [[1]]", "buyers must be a list of lists"),
        ("buyers = [[1], [2, 'x']]\nsellers = [[1]]", "buyers: unit 2 of trader 2 must be a number, got 'x'"),
        ("buyers = [[true]]\nsellers = [[1]]", "must be a number, got True"),
        ("buyers = [[nan]]\nsellers = [[1]]", "must be finite"),
        ("buyers = [[inf]]\nsellers = [[1]]", "must be finite"),
        ("buyers = [[1" + "0" * 400 + "]]\nsellers = [[1]]", "must lie between"),
        ("buyers = [[1" + "0" * 5000 + "]]\nsellers = [[1]]", "not valid TOML"),
        ("buyers = [[-1]]\nsellers = [[1]]", "must lie between"),
        ("buyers = [[1, 2]]\nsellers = [[1]]", "values of buyer 1 must descend, got 1 and then 2"),
        ("buyers = [[2]]\nsellers = [[1], [2, 1]]", "costs of seller 2 must ascend, got 2 and then 1"),
        ("buyer = [[2]]\nsellers = [[1]]", "unknown key 'buyer', did you mean 'buyers'"),
        ("name = 3\nbuyers = [[2]]\nsellers = [[1]]", "name must be a string"),
        ("buyers = " + "[" * 3000, "not valid TOML"),
    ],
)
def test_bad_toml(tmp_path, content, message):
    path = tmp_path / "bad.toml"
    path.write_text(content, encoding="utf-8")
    refuse(path, message)


@pytest.mark.parametrize("suffix", [".csv", ".toml"])
@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (CSV.encode("utf-16"), "NUL bytes"),
        (CSV.encode() + b"\0", "NUL bytes"),
        (CSV.encode() + b"\xff", "not UTF-8 at byte"),
        (b"x" * 5_000_001, "larger than 5 MB"),
    ],
    ids=["empty", "blank", "only a mark", "utf-16", "NUL", "latin", "large"],
)
def test_files_that_are_no_text(tmp_path, suffix, data, message):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(data)
    refuse(path, message)


def test_missing_directory_loop_and_suffix(tmp_path):
    refuse(tmp_path / "none.csv", "no such file")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    refuse(folder, "is a directory")
    refuse(folder / "x" / "y.csv", "no such file")
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    refuse(loop, "cannot be read")
    other = tmp_path / "schedule.json"
    other.write_text("{}")
    refuse(other, r"a \.csv or a \.toml file")
    with pytest.raises(FileError, match="cannot be read"):
        read_schedule("a\0b.csv")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text(CSV)
    path.chmod(0)
    refuse(path, "cannot be read: Permission denied")


def test_unreadable_by_failing_read(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text(CSV)

    def fail(*args, **kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.open", fail)
    refuse(path, "cannot be read: Input/output error")


def test_a_table_too_large_to_pad(tmp_path):
    path = tmp_path / "wide.toml"
    rows = ", ".join(["[" + ", ".join(["1"] * 2000) + "]"] + ["[1]"] * 600)
    path.write_text(f"buyers = [{rows}]\nsellers = [[1]]")
    refuse(path, "too large a market")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([("a.csv", CSV), ("a.toml", TOML)]))
def test_mutated_files_give_a_schedule_or_one_line(tmp_path, data, file):
    name, content = file
    raw = bytearray(content.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        raw = raw or bytearray(b"x")
    path = tmp_path / name
    path.write_bytes(raw)
    try:
        schedule = read_schedule(path)
    except FileError as error:
        assert re.fullmatch(r"[^\n]+", str(error))
    else:
        assert np.isfinite(schedule.tokens().values).any()


@pytest.mark.parametrize(("mark", "called"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_separator_is_named(tmp_path, mark, called):
    path = tmp_path / "s.csv"
    path.write_text("side,trader,unit,price\nbuyer,A,1,90\nseller,B,1,10\n".replace(",", mark))
    with pytest.raises(FileError, match=f"separated by {called}: save the file with commas instead"):
        read_schedule(path)


def test_prices_that_single_precision_cannot_tell_apart_are_refused(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("side,trader,unit,price\nbuyer,A,1,16777217\nseller,B,1,16777216\n")
    with pytest.raises(FileError, match="16777216 and 16777217 are the same number in float32"):
        read_schedule(path)
    with jax.enable_x64(True):
        assert read_schedule(path).buyers == ((16777217.0,),)
    path.write_text("side,trader,unit,price\nbuyer,A,1,16777218\nseller,B,1,16777216\n")
    assert read_schedule(path).buyers == ((16777218.0,),)
