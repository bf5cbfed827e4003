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

from catallax.lab import Results

PROGRAM = Path(__file__).with_name("toy_experiment.py")
STEPS, CHUNK = 2400, 120
ENDLESS = {"steps": 240_000, "chunk": 1200, "work": 300_000}  # a chunk takes minutes


def start(directory, steps=STEPS, chunk=CHUNK, work=1, pause=0.0):
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


def finish(directory, **options):
    with start(directory, **options) as process:
        lines = process.communicate(timeout=120)[0].splitlines()
    assert process.returncode == 0, lines[-3:]
    return lines


def values(directory):
    results = Results(toy.lanes_only(STEPS, CHUNK), directory)
    data = {name: v.values for name, v in results.dataset("lanes").data_vars.items()}
    return data, results.final("lanes")


def test_kills_in_every_phase_lose_nothing(tmp_path):
    """Each kill is fired on a signal of progress plus a random delay, so that it lands in another phase."""
    finish(tmp_path / "whole")
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
    lines = finish(directory)
    resumed = next(line for line in lines if line.startswith("plan"))
    assert 0 < int(resumed.split()[2]) < int(resumed.split()[1]), "the last process had nothing or everything to do"
    series, finals = values(directory)
    attempts = Results(toy.lanes_only(STEPS, CHUNK), directory).manifest["attempts"]
    assert [a["status"] for a in attempts] == ["killed"] * (len(attempts) - 1) + ["complete"]
    whole_series, whole_finals = values(tmp_path / "whole")
    assert series.keys() == whole_series.keys()
    for name, value in whole_series.items():
        np.testing.assert_array_equal(series[name].view(np.uint32), value.view(np.uint32), err_msg=str(name))
    assert toy.same_bits(finals, whole_finals)
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


def test_ctrl_c_in_a_chunk_of_minutes_leaves_within_five_seconds(tmp_path):
    with start(tmp_path / "run", **ENDLESS) as process:
        wait_for(process, "compiling")
        wait_for(process, "stage lanes, block 1 of 2")
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert time.monotonic() - began < 5.0
    assert process.returncode == 130, output
    assert "the chunk that was running is lost" in output


def test_one_process_a_directory_and_a_second_ctrl_c_leaves_at_once(tmp_path):
    with start(tmp_path / "run", **ENDLESS) as first:
        wait_for(first, "stage tracing")
        with start(tmp_path / "run", **ENDLESS) as second:
            output = second.communicate(timeout=60)[0]
        assert second.returncode == 6
        assert f"in use by process {first.pid} on {os.uname().nodename}" in output
        first.send_signal(signal.SIGINT)
        wait_for(first, "note stopping")
        began = time.monotonic()
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert time.monotonic() - began < 1.0
    assert first.returncode == 130
