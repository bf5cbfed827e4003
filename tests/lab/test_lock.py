"""One process for one run directory."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from catallax.core.errors import EnvironmentFailure, LockedError
from catallax.lab.run_directory import locked

HOLDER = """
import sys
from catallax.lab.run_directory import locked
with locked(sys.argv[1]):
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


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path, holder):
    words = f"in use by process {holder.pid} on {os.uname().nodename} since .*; wait for it, stop it"
    for _ in range(2):  # an attempt that fails must not erase the name of the owner
        with pytest.raises(LockedError, match=words) as caught, locked(tmp_path):
            pytest.fail("locked twice")
    assert caught.value.exit_code == 6
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path):
        assert (tmp_path / "LOCK").read_text().startswith(f'{{"pid": {os.getpid()},')


def test_a_lock_is_let_go(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            with pytest.raises(LockedError), locked(tmp_path):
                pytest.fail("locked twice")
    assert (tmp_path / "LOCK").read_text() == ""


def test_without_locks_of_the_system_a_file_is_the_lock(tmp_path, monkeypatch):
    """Some network mounts have no locks."""
    import fcntl

    def refuse(*args):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for _ in range(2):
        with locked(tmp_path):
            words = rf"process {os.getpid()} on .*delete .*LOCK\.exclusive"
            with pytest.raises(LockedError, match=words), locked(tmp_path):
                pytest.fail("locked twice")
        assert not (tmp_path / "LOCK.exclusive").exists()


def test_a_directory_that_cannot_be_locked(tmp_path):
    (tmp_path / "LOCK").mkdir()
    with pytest.raises(EnvironmentFailure, match="cannot lock"), locked(tmp_path):
        pytest.fail("locked nothing")
