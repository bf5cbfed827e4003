"""Tables and figures as files: what is in them, that they repeat to the byte, that failures leave no half."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from catallax.core.errors import InputError
from catallax.lab import cite, report
from catallax.lab.claims import Judgement, Verdict
from catallax.lab.figure import COLOURS, Figure, plot_with_interval, series_style, state_sample
from catallax.lab.report import Report, write_report
from catallax.lab.table import Table

VERDICT = Verdict("mad", "Rawat2023, table", 4.63, 4.58, 4.5, 4.66, 12, "reproduced", "a | b")


def table(**kwargs):
    frame = pd.DataFrame(
        {
            "measure": ["efficiency", "MAD | tokens"],
            "ours": [0.98642123456789, np.nan],
            "n": [10, 20],
            "verdict": ["reproduced", "[red]not comparable[/red]"],
        }
    )
    return Table(name="summary", frame=frame, caption="Means over replications.", **kwargs)


def figure(name="curves", draw=None):
    x = np.arange(50.0)

    def lines(sheet):
        axes = sheet.subplots()
        plot_with_interval(axes, x, x, x - 1, x + 1, index=0, label="with an interval")
        plot_with_interval(axes, x, 2 * x, None, None, index=1, label="without")
        axes.legend()
        state_sample(sheet, 12, "95% t interval")

    return Figure(name=name, draw=draw or lines, data=pd.DataFrame({"x": x, "y": x}), caption="Two curves.")


def test_text_is_aligned_and_rounded():
    lines = table().text().splitlines()
    assert lines[0].split() == ["measure", "ours", "n", "verdict"]
    assert lines[2].split() == ["efficiency", "0.986", "10", "reproduced"]
    assert " - " in lines[3] and "[red]not comparable[/red]" in lines[3]  # data is never taken for markup
    assert lines[2].index("0.986") + 5 == lines[3].index(" - ") + 2  # numbers flush right
    assert max(map(len, table().text(40).splitlines())) <= 40


def test_csv_keeps_every_digit_and_leaves_the_missing_empty():
    rows = list(csv.reader(io.StringIO(table().csv())))
    assert float(rows[1][1]) == 0.98642123456789 and rows[2][1] == ""
    assert rows[2][0] == "MAD | tokens" and "\r" not in table().csv()


def test_markdown_cannot_be_broken_by_a_cell():
    lines = table().markdown().splitlines()
    assert lines[1] == "| --- | ---: | ---: | --- |"
    assert r"MAD \| tokens" in lines[3]
    assert lines[-1] == "Means over replications."


def test_levels_become_names_and_an_index_a_column():
    columns = pd.MultiIndex.from_tuples([("ZIC", "ours"), ("ZIC", "published")])
    frame = pd.DataFrame([[1.0, 2.0]], columns=columns, index=pd.Index(["MAD"], name="measure"))
    rows = list(csv.reader(io.StringIO(Table(name="t", frame=frame, caption="").csv())))
    assert rows == [["measure", "ZIC / ours", "ZIC / published"], ["MAD", "1.0", "2.0"]]


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "A", ".hidden", "a b", "a.csv", "x" * 65, "-x"])
def test_a_name_is_never_a_path(name):
    with pytest.raises(InputError, match="name"):
        Table(name=name, frame=pd.DataFrame(), caption="")
    with pytest.raises(InputError, match="name"):
        figure(name=name)


@pytest.fixture(scope="module")
def drawn():
    return figure().render()


def test_a_figure_repeats_to_the_byte_and_is_well_formed(drawn):
    first = drawn
    assert figure().render() == first
    assert ElementTree.fromstring(first.svg).tag.endswith("svg")
    assert first.png.startswith(b"\x89PNG")
    assert b"Two curves." in first.svg and b"<dc:date>" not in first.svg
    assert pd.read_csv(io.BytesIO(first.csv)).equals(figure().data)


def test_the_users_own_matplotlib_settings_neither_matter_nor_change(drawn):
    import matplotlib

    with matplotlib.rc_context({"lines.linewidth": 9.0, "axes.labelpad": 30.0, "xtick.labelsize": 20.0}):
        assert figure().render() == drawn
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_series_differ_without_colour():
    styles = [series_style(k) for k in range(len(COLOURS))]
    for key in ("color", "linestyle", "marker"):
        assert len({str(style[key]) for style in styles}) == len(styles)


def test_the_files_of_a_report(tmp_path):
    written = write_report(
        Report((table(),), (figure(),)),
        tmp_path,
        judgement=Judgement((VERDICT,), ()),
        about={"experiment": "toy", "title": "Toy", "seed": 3},
    )
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    tables = [f"tables/{name}.{ending}" for name in ("claims", "summary") for ending in ("csv", "md", "txt")]
    figures = [f"figures/curves.{ending}" for ending in ("csv", "png", "svg")]
    assert found == sorted([*tables, *figures, "report.md", "summary.json"])
    assert sorted(written) == sorted(tmp_path / name for name in found)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["schema"] == report.SCHEMA and summary["seed"] == 3
    assert summary["claims"][0]["verdict"] == "reproduced" and summary["claims"][0]["note"] == "a | b"
    assert set(summary["files"]) == set(found) - {"summary.json"}
    page = (tmp_path / "report.md").read_text()
    assert page.startswith("# Toy\n") and "figures/curves.png" in page and "4.580" in page


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b", "a"):
        write_report(Report((table(),), (figure(),)), tmp_path / name)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert files
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_a_figure_that_fails_leaves_the_old_report_alone(tmp_path):
    write_report(Report((table(),), (figure(),)), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def broken(sheet):
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        write_report(Report((table(decimals=1),), (figure(draw=broken),)), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_two_parts_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="different names"):
        Report((table(), table()))
    claims = Table(name="claims", frame=pd.DataFrame(), caption="")
    with pytest.raises(InputError, match="different names"):
        write_report(Report((claims,)), tmp_path, judgement=Judgement((VERDICT,), ()))
    assert not list(tmp_path.iterdir())


def test_references():
    assert next(iter(cite.entries())) == "catallax" and len(cite.entries()) > 10
    text = cite.cite(["Smith1962", "Rawat2023, table 1", "Smith1962"])
    assert text.count("@article{Smith1962,") == 1 and "@misc{Rawat2023," in text
    assert all(entry.count("{") == entry.count("}") for entry in cite.entries().values())
    assert all(key in cite.entries() for key in cite.SOFTWARE)
    with pytest.raises(InputError, match=r'"Simth1962"; did you mean Smith1962\?'):
        cite.cite(["Simth1962"])
