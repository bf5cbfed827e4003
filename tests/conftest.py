"""Set-up of the whole test run: compilation cache, optimisation level, hypothesis profiles, slow tests.

Environment variables: CATALLAX_TEST_CACHE=off (or a folder), CATALLAX_TEST_XLA_LEVEL=0,
HYPOTHESIS_PROFILE=thorough.
"""

import itertools
import os
import stat
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

MINIMUM_TIME = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
MINIMUM_SIZE = "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"


def private_cache() -> Path | None:
    """A folder for compiled programs that only this user can write, or None where that cannot be had.

    Compiled programs are loaded and run, so a folder in a shared place is used only if it is ours alone.
    """
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"catallax-tests-jax-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        return None
    return folder


def use_compilation_cache() -> None:
    """Keep every compiled program between tests, workers, subprocesses and runs; the bits are the same."""
    wanted = os.environ.get("CATALLAX_TEST_CACHE", "")
    folder = None if wanted == "off" else Path(wanted) if wanted else private_cache()
    if folder is None:
        return
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault(MINIMUM_TIME, "0")
    os.environ.setdefault(MINIMUM_SIZE, "-1")


def set_optimisation_level() -> None:
    """Lower XLA's effort if asked to: half the compile time, twice the running time, other machine code.

    Off by default. Tests of bit-identity and of numbers must see the programs that users run.
    """
    level = os.environ.get("CATALLAX_TEST_XLA_LEVEL")
    if level is not None:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_optimization_level={level}".strip()


# JAX reads its environment when it is imported: were it here already, these settings would be lost silently.
if "jax" in sys.modules:
    raise RuntimeError("jax was imported before tests/conftest.py could configure it")
use_compilation_cache()
set_optimisation_level()

# Compilation makes first examples slow, so no deadline; derandomised, so that a failure is the change's own.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, print_blob=True)
settings.register_profile("thorough", deadline=timedelta(seconds=60), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests out unless markers are chosen on the command line."""
    if not config.option.markexpr:
        config.option.markexpr = "not slow"


_TESTS = itertools.count()
MAPS = Path("/proc/self/maps")
MOST_MAPS = 30_000
"""Memory maps after which compiled programs are forgotten. Linux gives a process 65,530; beyond, it crashes."""


@pytest.fixture(scope="module", autouse=True)
def forget_compiled_programs():
    """Each compiled program holds memory maps: a whole run needs more than a process may have."""
    yield
    import jax  # only now: the settings above must come first

    jax.clear_caches()


@pytest.fixture(autouse=True)
def forget_in_time():
    """In files with hundreds of programs, such as the contracts, also between two tests."""
    yield
    if next(_TESTS) % 8 == 0 and MAPS.exists():
        with MAPS.open() as maps:
            count = sum(1 for _ in maps)
        if count > MOST_MAPS:
            import jax

            jax.clear_caches()


@pytest.fixture
def as_users_have_it():
    """Without the checks of annotations that tests add: wrong types get as far as the library's own checks."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
