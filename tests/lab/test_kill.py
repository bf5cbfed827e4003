"""Kills and Ctrl-C in a real process: after any of them the run goes on to the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import toy_experiment as toy

from catallax.core.errors import LockedError
from catallax.lab import Results, interrupt
from catallax.lab.execute import execute
from catallax.lab.progress import SilentProgress

PROGRAM = Path(__file__).with_name("toy_experiment.py")
STEPS, CHUNK = 2400, 120
ENDLESS = {"steps": 240_000, "chunk": 1200, "work": 300_000}  # a chunk takes minutes


def start(directory, steps=STEPS, chunk=CHUNK, work=1, pause=0.0):
    """The toy experiment in a process of its own."""
    command = [sys.executable, str(PROGRAM), str(directory), str(steps), str(chunk), str(work), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_for(process, word):
    """Reads the program's lines up to one that contains `word`."""
    seen = []
    for line in process.stdout:
        seen.append(line.rstrip())
        if word in line:
            return seen
    pytest.fail(f"the program ended with {process.wait()} before {word!r}: {seen[-5:]}")


def run(directory, **options):
    """The same experiment in this process."""
    return execute(toy.lanes_only(STEPS, CHUNK), toy.WalkSettings(), "quick", 5, directory, **options)


class Planned(SilentProgress):
    """Remembers how many steps there were and how many of them were saved."""

    def plan(self, total, done):
        self.total, self.done = total, done


def test_kills_in_every_phase_lose_nothing(tmp_path):
    """Each kill is fired on a signal of progress plus a random delay, so that it lands in another phase."""
    whole = run(tmp_path / "whole")
    lot = random.Random(20)
    directory = tmp_path / "killed"
    phases = set()
    for word in ("stage tracing", "compiling", "advance", "advance", "block 2 of 2: first"):
        with start(directory, pause=0.02) as process:  # a slow disk: some fall between write and rename
            wait_for(process, word)
            time.sleep(lot.uniform(0.0, 0.12))
            process.kill()
            process.wait()
        phases.add(phase(directory))
    assert len(phases) >= 3, f"the kills landed in {phases} only"
    planned = Planned()
    results = run(directory, progress=planned)
    assert 0 < planned.done < planned.total, "the last process had nothing or everything to do"
    attempts = results.manifest["attempts"]
    assert [a["status"] for a in attempts] == ["killed"] * (len(attempts) - 1) + ["complete"]
    series, whole_series = results.dataset("lanes"), whole.dataset("lanes")
    assert series.keys() == whole_series.keys()
    for name, value in whole_series.items():
        ours, theirs = series[name].values.view(np.uint32), value.values.view(np.uint32)
        np.testing.assert_array_equal(ours, theirs, err_msg=str(name))
    assert toy.same_bits(results.final("lanes"), whole.final("lanes"))
    assert not [p for p in directory.rglob(".*") if p.is_file()], "a temporary was left"


def phase(directory):
    """Where a killed run was, by what it left."""
    if not (directory / "manifest.json").exists():
        return "before the first step"
    if any(directory.rglob("*.writing")):
        return "writing"
    chunks = len(list(directory.rglob("chunk-*")))
    logged = (directory / "log.jsonl").read_text().count('"event": "chunk"')
    return "computing" if chunks == logged else "between chunk and checkpoint"


def test_ctrl_c_ends_the_chunk_and_saves_it(tmp_path):
    with start(tmp_path / "run", pause=0.02) as process:
        wait_for(process, "advance")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert time.monotonic() - began < 5.0
    assert process.returncode == 130, output
    assert "note stopping" in output
    assert "stopped and saved" in output
    half = Results(toy.lanes_only(STEPS, CHUNK), tmp_path / "run")
    assert half.manifest["status"] == "interrupted"
    assert half.manifest["attempts"][0]["status"] == "interrupted"


def test_ctrl_c_in_a_chunk_of_minutes_leaves_after_the_grace(tmp_path):
    """With the grace of the library that is within five seconds."""
    assert interrupt.GRACE <= 4.0
    with start(tmp_path / "run", **ENDLESS) as process:
        wait_for(process, "compiling")
        wait_for(process, "stage lanes, block 1 of 2")
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert toy.GRACE <= time.monotonic() - began < toy.GRACE + 1.0
    assert process.returncode == 130, output
    assert "the chunk that was running is lost" in output


def test_one_process_a_directory_and_a_second_ctrl_c_leaves_at_once(tmp_path):
    with start(tmp_path / "run", **ENDLESS) as first:
        wait_for(first, "stage lanes, block 1 of 2: first")
        with pytest.raises(LockedError, match=f"in use by process {first.pid} on {os.uname().nodename}"):
            run(tmp_path / "run")
        first.send_signal(signal.SIGINT)
        wait_for(first, "note stopping")
        began = time.monotonic()
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert time.monotonic() - began < 1.0
    assert first.returncode == 130
