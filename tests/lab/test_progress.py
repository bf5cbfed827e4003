"""Progress: at once, with time left, and never in the way."""

import io
import subprocess
import sys

import pytest

from catallax.lab import progress
from catallax.lab.progress import BarProgress, LineProgress, SilentProgress, choose_progress, duration


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_at_once_and_then_each_ten_seconds(clock):
    stream = io.StringIO()
    with LineProgress("walk", stream) as lines:
        assert stream.getvalue() == "walk: starting\n"
        lines.plan(1000, 200)
        for _ in range(25):
            clock[0] += 1.0
            lines.stage("zic")
            lines.tick()
            lines.advance(20)
        lines.note("careful")
    assert stream.getvalue().splitlines() == [
        "walk: starting",
        "walk: zic, 38 %, about 34 s left",
        "walk: zic, 58 %, about 22 s left",
        "walk: careful",
    ]


def test_the_bar_is_on_the_screen_at_once_and_shows_the_time_left():
    from rich.console import Console

    stream = io.StringIO()
    with BarProgress("walk", Console(file=stream, force_terminal=True, width=100)) as bar:
        assert "walk" in stream.getvalue()
        bar.plan(100, 10)
        bar.stage("zic, block 1 of 2")
        bar.advance(40)
        bar.note("careful")
        bar.tick()
        bar.bar.refresh()
        assert bar.bar.tasks[0].completed == 50
    text = stream.getvalue()
    assert "careful" in text
    assert "zic, block 1 of 2" in text
    assert "50%" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor stayed hidden"


def test_what_is_chosen(monkeypatch, capsys):
    assert type(choose_progress("walk", quiet=True)) is SilentProgress
    assert type(choose_progress("walk")) is LineProgress
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "walk: starting\n"


def test_progress_and_signals_do_not_load_jax_and_a_report_does_not_load_matplotlib():
    """Matplotlib is loaded when a figure is drawn."""
    code = (
        "import sys, catallax.lab.progress, catallax.lab.interrupt, catallax.lab\n"
        "assert not {'jax', 'numpy', 'xarray', 'matplotlib'} & set(sys.modules)\n"
        "import catallax.lab.report, catallax.lab.claims\n"
        "assert not {'xarray', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (4.4, "4 s"), (89, "89 s"), (91, "2 min"), (5340, "89 min"), (7800, "2 h 10 min")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
