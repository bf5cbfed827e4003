"""Experiments as data, settings from outside, and the identity of a run."""

import math
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
import toy_experiment as toy

from catallax.core.errors import FileError, InputError
from catallax.lab import Cell, Scale, decode_settings
from catallax.lab.settings import as_builtins, check_settings, from_builtins
from catallax.lab.specification import difference, directory_name, make_specification, specification_hash


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    buyers: Annotated[int, msgspec.Meta(ge=1)] = 4
    rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    bound: float | None = None
    rule: Literal["zic", "zip"] = "zic"
    noisy: bool = False
    prices: tuple[float, ...] = (1.0, 2.0)
    tokens: Path | None = None


def outside(**other):
    return toy.experiment(settings=Settings, cells=lambda s: toy.cells(toy.WalkSettings()), **other)


# ------------------------------------------------------------------------------- validation


def test_a_cell_may_belong_to_some_scales_only():
    small, large = ({"label": size, "scales": (size,)} for size in ("quick", "paper"))
    cell = {"name": "a", "build": toy.Walk, "measures": (toy.Place(),)}
    two = toy.experiment(cells=lambda s: (Cell(**cell, **small), Cell(**cell, **large)))
    scales = dict(two.scales) | {"paper": Scale(steps=1, replications=1, block=1, chunk=1)}
    two = toy.experiment(cells=two.cells, scales=scales)
    for scale in ("quick", "paper"):
        assert [c.label for c in two.build_cells(toy.WalkSettings(), scale)] == [scale]
    assert len(two.build_cells(toy.WalkSettings())) == 1


def test_a_cell_of_a_scale_that_does_not_exist_is_refused():
    """It would never be run."""
    lost = Cell(name="a", label="a", build=toy.Walk, measures=(toy.Place(),), scales=("papper",))
    with pytest.raises(InputError, match="cell 'a': no scale"):
        toy.experiment(cells=lambda s: (*toy.cells(s), lost)).build_cells(toy.WalkSettings())


@pytest.mark.parametrize("field", ["steps", "replications", "block", "chunk"])
@pytest.mark.parametrize("value", [0, -3])
def test_a_scale_counts_from_one(field, value):
    counts = {"steps": 4, "replications": 4, "block": 4, "chunk": 4, field: value}
    with pytest.raises(InputError, match=f"{field} must be an integer >= 1, got {value}"):
        Scale(**counts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../up"}, "a name is made of"),
        ({"name": ""}, "a name is made of"),
        ({"lanes": {"rate": ()}}, "needs one or more distinct values"),
        ({"lanes": {"rate": (0.1, 0.1)}}, "needs one or more distinct values"),
        ({"lanes": {"rate": (0.1, math.nan)}}, "finite values"),
        ({"lanes": {"phase": (0.1,)}}, "cannot name a lane"),
        ({"lanes": {"walker": (0.1,)}}, "it is taken"),
        ({"steps": {"quick": 0}}, "integer >= 1"),
        ({"measures": (toy.Place(), toy.Place())}, "two measures give the variable 'place'"),
        ({"measures": (toy.Place(every=0),)}, "`every` of Place must be an integer >= 1"),
    ],
)
def test_a_cell_is_checked(change, message):
    good = {"name": "a", "label": "A", "build": toy.Walk, "measures": (toy.Place(),)}
    Cell(**good)
    with pytest.raises(InputError, match=message):
        Cell(**{**good, **change})


def test_an_experiment_is_checked():
    with pytest.raises(InputError, match="has no scale; give at least one"):
        toy.experiment(scales={})
    with pytest.raises(InputError, match="did you mean 'quick'"):
        toy.experiment().scale("qick")
    with pytest.raises(InputError, match="has no cells"):
        toy.experiment(cells=lambda s: ()).build_cells(toy.WalkSettings())
    twice = toy.experiment(cells=lambda s: 2 * toy.cells(s)[:1])
    with pytest.raises(InputError, match="two cells named 'plain'"):
        twice.build_cells(toy.WalkSettings())

    with pytest.raises(InputError, match="did you mean 'quick'"):
        toy.experiment().build_cells(toy.WalkSettings(), "qick")

    class Needy(msgspec.Struct, frozen=True):
        buyers: int

    with pytest.raises(InputError, match="'buyers' needs a default"):
        toy.experiment(settings=Needy)


# ------------------------------------------------------------------------------- settings


def test_settings_come_from_defaults_then_file_then_pairs(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('buyers = 6\nrate = 1\nrule = "zip"\n')
    found = decode_settings(outside(), {"rate": "0.25", "prices": "[3, 4.5]", "noisy": "true"}, file)
    assert found == Settings(buyers=6, rate=0.25, rule="zip", noisy=True, prices=(3.0, 4.5))
    assert decode_settings(outside()) == Settings()
    assert decode_settings(outside(), {"bound": "none"}).bound is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("buyerz", "4", "has no setting 'buyerz'; did you mean 'buyers'"),
        ("buyers", "four", 'buyers must be an integer >= 1, got "four"'),
        ("buyers", "0", 'buyers must be an integer >= 1, got "0"'),
        ("buyers", "-1", "buyers must be an integer >= 1"),
        ("buyers", "1.5", "buyers must be an integer >= 1"),
        ("buyers", True, "buyers must be an integer >= 1, got true"),
        ("buyers", "9" * 400, "buyers must be finite and below 2**63"),
        ("buyers", "", "buyers must be an integer >= 1"),
        ("rate", "0", "rate must be a number > 0 and <= 1"),
        ("rate", "nan", "rate must be"),
        ("rate", "inf", "rate must be"),
        ("bound", "nan", 'bound must be finite and below 2**63, got "nan"'),
        ("bound", "-inf", "bound must be finite"),
        ("bound", "1e400", 'bound must be a number or none, got "1e400"'),
        ("rule", "gd", "rule must be one of 'zic', 'zip', got \"gd\""),
        ("noisy", "maybe", "noisy must be true or false"),
        ("prices", "[1, nan]", "prices must be finite"),
        ("prices", "[1, ", "prices must be a list, each a number"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(key, value, words):
    with pytest.raises(InputError) as caught:
        decode_settings(outside(), {key: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'buyers = "4"', 'buyers must be an integer >= 1, got "4"'),
        (b"buyers = true", "buyers must be an integer >= 1, got true"),
        (b"byers = 4", "did you mean 'buyers'"),
        (b"rate = nan", "rate must be"),
        (b"bound = inf", "bound must be finite"),
        (b"buyers = 4\nbuyers = 5", "not valid TOML"),
        (b"buyers = ", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"buyers = 4\0", "not valid TOML"),
        (b"#" * (2 << 20), "too large"),
    ],
)
def test_a_wrong_settings_file_is_refused_in_one_line(tmp_path, content, words):
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises((InputError, FileError)) as caught:
        decode_settings(outside(), None, file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_settings_file_that_is_none(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        decode_settings(outside(), None, tmp_path / "missing.toml")
    with pytest.raises(FileError, match="cannot be read"):
        decode_settings(outside(), None, tmp_path)
    with pytest.raises(FileError, match="tokens: no file"):
        decode_settings(outside(), {"tokens": str(tmp_path / "no.csv")})
    empty = tmp_path / "empty.toml"
    empty.write_bytes(b"")
    assert decode_settings(outside(), None, empty) == Settings()


def test_a_path_in_a_file_is_relative_to_it(tmp_path):
    (tmp_path / "tokens.csv").write_text("1,2")
    file = tmp_path / "settings.toml"
    file.write_text('tokens = "tokens.csv"')
    assert decode_settings(outside(), None, file).tokens == tmp_path / "tokens.csv"


def test_settings_made_in_python_are_checked_too():
    check_settings(outside(), Settings())
    with pytest.raises(InputError, match="buyers must be an integer >= 1, got 0"):
        check_settings(outside(), Settings(buyers=0))
    with pytest.raises(InputError, match="must be finite"):
        check_settings(outside(), Settings(bound=math.nan))
    with pytest.raises(InputError, match="takes settings of type Settings"):
        check_settings(outside(), toy.WalkSettings())


def test_settings_survive_json(tmp_path):
    settings = Settings(tokens=tmp_path / "a.csv", prices=(1.5,))
    assert from_builtins(Settings, msgspec.json.decode(msgspec.json.encode(as_builtins(settings)))) == settings


# ------------------------------------------------------------------------------- identity


def spec_of(experiment, settings, scale="quick", seed=0):
    return make_specification(experiment, settings, scale, seed, experiment.build_cells(settings))


def with_scale(**change):
    return toy.experiment().resized("quick", **change)


def test_what_changes_numbers_changes_the_identity():
    settings = toy.WalkSettings()
    base = specification_hash(spec_of(toy.experiment(), settings))
    assert base == specification_hash(spec_of(toy.experiment(), settings))
    others = [
        spec_of(toy.experiment(), settings, seed=1),
        spec_of(toy.experiment(), toy.WalkSettings(drift=0.2)),
        spec_of(toy.experiment(), settings, "paper"),
        spec_of(with_scale(block=3), settings),
        spec_of(with_scale(steps=12), settings),
        spec_of(with_scale(replications=4), settings),
        spec_of(toy.experiment(x64=True), settings),
        spec_of(toy.experiment(cells=lambda s: toy.cells(s)[:1]), settings),
    ]
    hashes = {specification_hash(s) for s in others}
    assert base not in hashes
    assert len(hashes) == len(others)


def test_the_chunk_is_not_part_of_the_identity():
    settings = toy.WalkSettings()
    assert spec_of(with_scale(chunk=1), settings) == spec_of(with_scale(chunk=24), settings)


def test_a_users_file_counts_by_its_content(tmp_path):
    first, same, other = (tmp_path / n for n in ("a.csv", "b.csv", "c.csv"))
    first.write_text("1,2")
    same.write_text("1,2")
    other.write_text("1,3")
    specs = [spec_of(outside(), Settings(tokens=p)) for p in (first, same, other)]
    assert specs[0] == specs[1]
    assert "settings.tokens.sha256" in difference(specs[0], specs[2])


def test_a_difference_is_told_in_words():
    a, b = (spec_of(toy.experiment(), toy.WalkSettings(drift=d)) for d in (0.1, 0.2))
    assert difference(a, a) == ""
    assert difference(a, b) == "settings.drift: 0.1 in the directory, 0.2 asked for"
    assert "has changed since" in difference(a, {**a, "source": "0"})
    assert "cells.lanes: only in the directory" in difference(a, {**a, "cells": {"plain": a["cells"]["plain"]}})


def test_a_run_directory_has_a_readable_name():
    spec = spec_of(toy.experiment(), toy.WalkSettings())
    assert directory_name(spec) == f"test.walk-quick-{specification_hash(spec)[:8]}"
