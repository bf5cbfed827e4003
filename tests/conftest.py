"""Set-up of the whole test run: compilation cache, hypothesis profiles, slow tests, quick runs.

Environment variables: CATALLAX_TEST_CACHE=off (or a folder), CATALLAX_TEST_EFFORT=full (see compile_effort.py),
CATALLAX_QUICK_RUNS=folder, HYPOTHESIS_PROFILE=thorough.
"""

import gc
import itertools
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from catallax.lab.results import Results

MINIMUM_TIME = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
MINIMUM_SIZE = "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"


def private_cache() -> Path | None:
    """The folder for what outlives a test run, in the user's cache; None where only this user cannot have it.

    Compiled programs are loaded and run, so the folder is used only if nobody else can write it.
    """
    try:
        top = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "catallax"
        for folder in (top, top / "tests"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                return None
            if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
                return None
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    return top / "tests"


def chosen_cache() -> Path | None:
    """The folder that was asked for, else the private one; None if caches are off."""
    wanted = os.environ.get("CATALLAX_TEST_CACHE", "")
    return None if wanted == "off" else Path(wanted) if wanted else private_cache()


def use_compilation_cache(folder: Path | None) -> None:
    """Keep every compiled program between tests, workers, subprocesses and runs; the bits are the same."""
    if folder is not None:
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder / "jax"))
        os.environ.setdefault(MINIMUM_TIME, "0")
        os.environ.setdefault(MINIMUM_SIZE, "-1")


# Started in the background of a script, a process ignores Ctrl-C, and so do its children; tests of Ctrl-C need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Workers and hundreds of child processes import the same files: their bytecode is kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# JAX reads its environment when it is imported: were it here already, these settings would be lost silently.
if "jax" in sys.modules:
    raise RuntimeError("jax was imported before tests/conftest.py could configure it")
CACHE = chosen_cache()
use_compilation_cache(CACHE)

# Compilation makes first examples slow, so no deadline; derandomised, so that a failure is the change's own.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, print_blob=True)
settings.register_profile("thorough", deadline=timedelta(seconds=60), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

pytest_plugins = ["compile_effort", "cpu_seconds"]

# Imports make many objects that live as long as the process. The garbage collector is off while they are made, and
# does not look at them afterwards.
gc.disable()


def pytest_collection_finish() -> None:
    """Switch the garbage collector on again: all modules are imported."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests out unless markers are chosen on the command line."""
    if not config.option.markexpr:
        config.option.markexpr = "not slow"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-n auto`: a worker a core, as far as memory goes; none for a single file, which they could not share."""
    if [Path(argument.partition("::")[0]).suffix for argument in config.args] == [".py"]:
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        cores = min(cores, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEMORY_A_WORKER)
    return max(1, cores)


_TESTS = itertools.count()
MAPS, STATM = Path("/proc/self/maps"), Path("/proc/self/statm")
MOST_MAPS = 30_000
"""Memory maps after which compiled programs are forgotten. Linux gives a process 65,530; beyond, it crashes."""
MEMORY_A_WORKER = 6 << 30
"""Bytes in memory after which compiled programs are forgotten."""
memory_limit = MEMORY_A_WORKER


@pytest.fixture(autouse=True)
def forget_compiled_programs() -> Iterator[None]:
    """Compiled programs are kept for the tests to come, as long as a process can hold them."""
    yield
    global memory_limit
    if next(_TESTS) % 8 == 0 and MAPS.exists():
        with MAPS.open() as maps:
            count = sum(1 for _ in maps)
        if count > MOST_MAPS or resident() > memory_limit:
            import jax  # only now: the settings above must come first

            jax.clear_caches()
            memory_limit = max(MEMORY_A_WORKER, resident() + (1 << 30))


def resident() -> int:
    """Bytes of this process in memory."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], Results[Any]]":
    """From the name of an experiment to its finished run at scale quick, which all tests and workers share."""
    import quick_runs

    base = tmp_path_factory.getbasetemp()  # of this run; that of a worker is inside it
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = (CACHE or common) / "quick-runs"
    return lambda name: quick_runs.quick_run(name, folder)


@pytest.fixture
def as_users_have_it() -> Iterator[None]:
    """Without the checks of annotations that tests add: wrong types get as far as the library's own checks."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
