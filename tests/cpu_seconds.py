"""A pytest plugin: CPU seconds of each file of tests, with its child processes, printed when the run ends.

Files over BUDGET are named. Under xdist every worker counts for itself, and files are run in the order of the seconds
stored in cpu_seconds.csv, the longest first, so that the workers end together; `--save-seconds` stores them anew.
"""

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest

BUDGET = 60.0
SHOWN = 25
TESTS = Path(__file__).resolve().parent
STORED = TESTS / "cpu_seconds.csv"
MARK = "cpu_seconds"

by_file: dict[str, float] = defaultdict(float)
collections: list[float] = []
_counted = 0.0


def used() -> float:
    """CPU seconds of this process, all threads, and of its children that have ended."""
    return sum(os.times()[:4])


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option, to store what was measured."""
    parser.addoption("--save-seconds", action="store_true", help=f"write the CPU seconds of each file to {STORED.name}")


def pytest_configure(config: pytest.Config) -> None:
    """The order of files is ours, not xdist's."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under xdist: files that take longest first, and those whose time is not known before them."""
    if hasattr(config, "workerinput"):
        stored = read_stored()
        items.sort(key=lambda item: -stored.get(file_of(item.nodeid), 1e9))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was used so far is the collection's."""
    global _counted
    _counted = used()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[MARK] = _counted
    elif session.items:
        collections.append(_counted)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """What was used since the last report goes with this one, from a worker to the process that prints."""
    global _counted
    report = yield
    now = used()
    report.user_properties = [*report.user_properties, (MARK, now - _counted)]
    _counted = now
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds what a test used to its file."""
    by_file[file_of(report.nodeid)] += dict(report.user_properties).get(MARK, 0.0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """A worker has ended and tells what its collection used."""
    if MARK in getattr(node, "workeroutput", {}):
        collections.append(node.workeroutput[MARK])


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """The table, if more than one file was run."""
    if len(by_file) < 2:
        return
    rows = sorted(by_file.items(), key=lambda row: -row[1])
    terminalreporter.section("CPU seconds")
    for file, seconds in rows[:SHOWN]:
        terminalreporter.line(f"{seconds:8.1f}  {file}")
    if rows[SHOWN:]:
        terminalreporter.line(f"{sum(s for _, s in rows[SHOWN:]):8.1f}  {len(rows) - SHOWN} other files")
    each = ", ".join(f"{seconds:.1f}" for seconds in collections)
    terminalreporter.line(f"{sum(by_file.values()):8.1f}  all files; collection, in each process: {each}")
    for file, seconds in rows:
        if seconds > BUDGET:
            terminalreporter.line(f"over {BUDGET:.0f} CPU seconds: {file} ({seconds:.0f})", yellow=True)
    if config.option.save_seconds:
        lines = [f"{file},{seconds:.0f}" for file, seconds in rows]
        STORED.write_text("\n".join(["file,seconds", *lines]) + "\n", encoding="utf-8")


def read_stored() -> dict[str, float]:
    """CPU seconds of each file as they were stored last."""
    if not STORED.exists():
        return {}
    with STORED.open(encoding="utf-8") as stream:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(stream)}


def file_of(nodeid: str) -> str:
    """The file of a test, below the folder of tests."""
    return nodeid.partition("::")[0].removeprefix("tests/")
