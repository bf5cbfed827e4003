"""Reproduce every experiment of the catalogue at scale quick, and end with 1 if one of them fails.

    python tools/reproduce_all.py [NAME ...]

A verdict "not reproduced" is a result, not a failure; an estimate that raises, a NaN or a crash is one. Experiments are
processes of their own, as many at a time as there are cores; what each printed comes out whole, in the catalogue's
order. Runs go to the folder in CATALLAX_QUICK_RUNS, where tests open them, or to a temporary one.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catallax.experiments.catalogue import CATALOGUE


def reproduce(name: str, folder: Path) -> tuple[int, float, str]:
    """Exit code, seconds and output of one experiment."""
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "catallax.cli",
        "reproduce",
        name,
        "--quiet",
    ]  # its directory: runs/NAME-quick-HASH
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, time.monotonic() - began, done.stdout


def main(names: list[str]) -> int:
    """All of them, or those named."""
    failed = []
    given = os.environ.get("CATALLAX_QUICK_RUNS")
    place = contextlib.nullcontext(given) if given else tempfile.TemporaryDirectory()
    with place as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        Path(folder).mkdir(parents=True, exist_ok=True)
        waiting = {name: pool.submit(reproduce, name, Path(folder)) for name in names or CATALOGUE}
        for name, future in waiting.items():
            code, seconds, said = future.result()
            print(f"\n{said.rstrip()}\n----- {name}: exit {code} after {seconds:.0f} s", flush=True)
            failed += [name] if code else []
    print(f"{len(waiting) - len(failed)} of {len(waiting)} experiments ran" + "".join(f"; {n} FAILED" for n in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
