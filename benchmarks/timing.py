"""What the benchmarks share: one core, CPU time, two contestants taking turns, and a check that they do the same job.

Import it, and call `pin`, before numpy and jax are imported: both read their number of threads when they start.
"""

import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent


class Row(NamedTuple):
    """One line of the result: ours and the reference in `unit`, and the median ratio of the two."""

    name: str
    ours: float
    reference: float
    ratio: float
    unit: str


class Timed(NamedTuple):
    """A piece of work and how many units it is."""

    work: Callable[[], Any]
    units: float


def pin() -> None:
    """Bind this process to one core, and the libraries it will load to one thread."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def cpu_seconds(work: Callable[[], Any]) -> float:
    """User and system CPU seconds of this process, all threads, spent in `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


def compare(name: str, ours: Timed, reference: Timed, rounds: int, scale: float, unit: str) -> Row:
    """The two take turns; CPU time a unit of work, medians over rounds, ratios taken within rounds.

    Args:
        scale: what a second is in `unit` (1e9 for nanoseconds).
    """
    for timed in (ours, reference):
        timed.work()
    pairs = []
    for _ in range(rounds):
        pairs.append([cpu_seconds(t.work) / t.units * scale for t in (ours, reference)])
    return row(name, pairs, unit)


def row(name: str, pairs: list[list[float]], unit: str) -> Row:
    """The medians of (ours, reference) pairs."""
    ratio = statistics.median(a / b for a, b in pairs)
    return Row(name, statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio, unit)


def check_agreement(what: str, ours: Any, reference: Any) -> str:
    """Whether two samples of independent rounds have means within 4 standard errors; ends the program if not."""
    error = (ours.var() / ours.size + reference.var() / reference.size) ** 0.5
    z = float((ours.mean() - reference.mean()) / error)
    said = f"{what}: mean surplus a round {ours.mean():.2f} (ours) and {reference.mean():.2f} (reference), z = {z:+.1f}"
    if not abs(z) <= 4:
        raise SystemExit(f"{said}: the two do not do the same work; timing them would say nothing")
    return said


def compile_c(source: str) -> ctypes.CDLL:
    """A C file beside this one, compiled for this machine into a temporary folder and loaded."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("the reference is a C loop and no C compiler was found: install gcc, or set CC")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "reference.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, "-o", str(library), str(HERE / source), "-lm"], check=True)
        return ctypes.CDLL(str(library))


def say(text: str) -> None:
    """Progress and notes go to stderr: stdout belongs to the result."""
    print(text, file=sys.stderr, flush=True)
