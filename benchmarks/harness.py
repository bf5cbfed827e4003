"""Timing two programs fairly on a shared machine. Import before jax: it pins the process to one core.

Cases run in turn, A B A B ..., after a warm-up; what counts is user and system CPU time, and the median over rounds of
the ratio within a round. Set CATALLAX_BENCH_CORE to choose the core, or to "none" for all of them.
"""

import ctypes
import os
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_CORE = os.environ.get("CATALLAX_BENCH_CORE", "0")
if _CORE != "none":
    os.sched_setaffinity(0, {int(_CORE)})
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


class Row(NamedTuple):
    """One line of the benchmark: our figure, the reference's, and the median of their ratios."""

    name: str
    ours: float
    reference: float
    ratio: float
    unit: str
    note: str


class Case(NamedTuple):
    """What is timed: a call, and how many units of work it does."""

    call: Callable[[], object]
    units: float


def cpu_seconds() -> float:
    """User and system CPU time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def compare(ours: Case, reference: Case, rounds: int = 5) -> tuple[float, float, float]:
    """CPU seconds per unit of both (medians), and the median over rounds of ours / reference."""
    for case in (ours, reference):
        case.call()
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        pair = []
        for case in (ours, reference):
            began = cpu_seconds()
            case.call()
            pair.append((cpu_seconds() - began) / case.units)
        times.append((pair[0], pair[1]))
    ratio = statistics.median(a / b for a, b in times)
    return statistics.median(a for a, _ in times), statistics.median(b for _, b in times), ratio


def compile_c(source: str) -> ctypes.CDLL:
    """A C file of this folder as a shared library, built with gcc -O3 -march=native into a temporary folder."""
    target = Path(tempfile.mkdtemp(prefix="catallax-bench-")) / "reference.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", target, Path(__file__).parent / source, "-lm"], check=True)
    return ctypes.CDLL(str(target))
