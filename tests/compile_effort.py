"""A pytest plugin: how much effort XLA makes for the programs of a file of tests.

Compiling is most of the time of this suite, and most tests run a program once. By default their programs are therefore
compiled with less effort than those of users. They compile faster, may run slower, and differ in their last bits. A
test or a file says otherwise by `pytest.mark.compile_effort("full")`:

    full   as for users; for tests of bits, and of whole experiments
    some   the default
    least  no optimisation; for files that compile much and run little

CATALLAX_TEST_EFFORT=full compiles all files so. Child processes compile in full, unless they are given
`flags_for_children()`.
"""

import functools
import os
from typing import Any

import pytest

# XLA's older way to make kernels, without MLIR, compiles faster. Each program is one module, because splitting it over
# threads costs CPU time and the workers keep all cores busy.
OLD_KERNELS = [("xla_cpu_use_fusion_emitters", False), ("xla_cpu_parallel_codegen_split_count", 1)]
OPTIONS: dict[str, list[tuple[str, Any]]] = {
    "full": [],
    "some": [*OLD_KERNELS, ("xla_backend_optimization_level", 1)],
    "least": [
        *OLD_KERNELS,
        ("xla_backend_optimization_level", 0),
        ("xla_llvm_disable_expensive_passes", True),
    ],
}
_effort = "full"


def flags_for_children(effort: str = "some") -> str:
    """The value of XLA_FLAGS with which a child process compiles with this effort."""
    chosen = OPTIONS[os.environ.get("CATALLAX_TEST_EFFORT", effort)]
    return " ".join(
        [os.environ.get("XLA_FLAGS", ""), *(f"--{name}={str(value).lower()}" for name, value in chosen)]
    ).strip()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark; refuse an effort that there is not."""
    config.addinivalue_line("markers", "compile_effort(effort): full, some or least; see tests/compile_effort.py")
    if (asked := os.environ.get("CATALLAX_TEST_EFFORT", "some")) not in OPTIONS:
        raise pytest.UsageError(f"CATALLAX_TEST_EFFORT is {asked!r}; it must be one of {', '.join(OPTIONS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures of a test: its effort. Programs that were compiled with another are forgotten."""
    global _effort
    mark = item.get_closest_marker("compile_effort")
    effort = os.environ.get("CATALLAX_TEST_EFFORT") or (mark.args[0] if mark else "some")
    if effort != _effort:
        import jax  # only now: conftest.py configures JAX before it is imported

        _wrap_options()
        jax.clear_caches()
        _effort = effort


@functools.cache
def _wrap_options() -> None:
    """Wrap JAX's function that gathers options for XLA, once: a process cannot change these options otherwise."""
    from jax._src import compiler

    gather = compiler.get_compile_options

    def gather_with_effort(*args: Any, **options: Any) -> Any:
        gathered = gather(*args, **options)
        gathered.env_option_overrides = [*gathered.env_option_overrides, *OPTIONS[_effort]]
        return gathered

    compiler.get_compile_options = gather_with_effort
