"""One process for one run directory."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from catallax.core.errors import EnvironmentFailure, LockedError
from catallax.lab import lock
from catallax.lab.lock import RunLock

HOLDER = """
import sys, pathlib
from catallax.lab.lock import RunLock
with RunLock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who(tmp_path, holder):
    with pytest.raises(LockedError, match=f"in use by process {holder.pid} on ") as caught, RunLock(tmp_path):
        pytest.fail("locked twice")
    assert caught.value.exit_code == 6


def test_a_killed_process_leaves_no_lock(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with RunLock(tmp_path):
        assert (tmp_path / "LOCK").read_text().startswith(f'{{"pid": {os.getpid()},')


def test_a_lock_is_let_go(tmp_path):
    for _ in range(2):
        with RunLock(tmp_path):
            with pytest.raises(LockedError), RunLock(tmp_path):
                pytest.fail("locked twice")
    assert (tmp_path / "LOCK").read_text() == ""


@pytest.mark.parametrize("way", ["no fcntl", "no locks on the file system"])
def test_without_flock_the_file_is_the_lock(tmp_path, monkeypatch, way):
    if way == "no fcntl":
        monkeypatch.setattr(lock, "_HAS_FLOCK", False)
    else:

        def refuse(*args):
            raise OSError(errno.ENOLCK, "no locks available")

        monkeypatch.setattr(lock.fcntl, "flock", refuse)
    for _ in range(2):
        with RunLock(tmp_path):
            with pytest.raises(LockedError, match=r"delete .*LOCK\.exclusive"), RunLock(tmp_path):
                pytest.fail("locked twice")
        assert not (tmp_path / "LOCK.exclusive").exists()


def test_a_directory_that_cannot_be_locked(tmp_path):
    with pytest.raises(EnvironmentFailure, match="cannot lock"), RunLock(tmp_path / "missing"):
        pytest.fail("locked nothing")
