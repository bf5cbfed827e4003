"""Runs at scale quick are made once, opened by whoever wants them, and never of another specification."""

import os
import time

import pytest
import toy_experiment as toy

import quick_runs


@pytest.fixture
def made(monkeypatch):
    """Counts runs of a toy experiment that stands in for the catalogue's."""
    count = []
    monkeypatch.delenv(quick_runs.VARIABLE, raising=False)
    monkeypatch.setattr(quick_runs, "load", lambda name: toy.experiment(replications=2))
    execute = quick_runs.execute
    monkeypatch.setattr(quick_runs, "execute", lambda *given: count.append(given) or execute(*given))
    return count


def test_a_run_is_made_once_and_then_opened(made, tmp_path, monkeypatch):
    first = quick_runs.quick_run("toy", tmp_path / "runs")
    again = quick_runs.quick_run("toy", tmp_path / "runs")
    assert len(made) == 1 and first.complete and again.directory == first.directory
    monkeypatch.setenv(quick_runs.VARIABLE, str(tmp_path))  # what CI has made is found before anything is made
    assert quick_runs.quick_run("toy", tmp_path / "other").directory == first.directory
    assert len(made) == 1 and not (tmp_path / "other").exists()
    monkeypatch.setenv(quick_runs.VARIABLE, str(tmp_path / "nothing"))
    assert quick_runs.quick_run("toy", tmp_path / "runs").directory == first.directory and len(made) == 1


def test_another_specification_is_another_run(made, tmp_path, monkeypatch):
    first = quick_runs.quick_run("toy", tmp_path)
    monkeypatch.setattr(quick_runs, "load", lambda name: toy.experiment(replications=3))
    assert quick_runs.quick_run("toy", tmp_path).directory != first.directory and len(made) == 2
    assert first.directory.exists()


def test_old_runs_of_other_specifications_are_deleted(made, tmp_path):
    old, young, other = (tmp_path / name for name in ("test.walk-quick-0", "test.walk-quick-1", "test.run-quick-0"))
    for directory in (old, young, other):
        directory.mkdir()
    for directory in (old, other):
        os.utime(directory, (0, time.time() - quick_runs.KEPT_SECONDS - 10))
    quick_runs.quick_run("toy", tmp_path)
    assert not old.exists() and young.exists() and other.exists()


def test_a_run_that_another_worker_makes_is_waited_for(made, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        busy = iter([True, True])
        execute = quick_runs.execute

        def locked(*given):
            if next(busy, False):
                raise quick_runs.LockedError("in use")
            return execute(*given)

        patch.setattr(quick_runs, "execute", locked)
        assert quick_runs.quick_run("toy", tmp_path).complete


def test_a_directory_that_is_only_begun_is_not_opened(made, tmp_path):
    directory = quick_runs.quick_run("toy", tmp_path).directory
    (directory / "manifest.json").write_text("{")
    assert not quick_runs.is_complete(toy.experiment(replications=2), directory)
    assert not quick_runs.is_complete(toy.experiment(replications=2), tmp_path / "nothing")
