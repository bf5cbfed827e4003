"""How long the first call takes: CPU seconds to trace and compile one run of each family, without and with a cache.

    python benchmarks/compile.py [--json] [--only karma]

Each line is a process of its own, pinned to one core. "cold" starts with an empty folder for compiled programs, "warm"
is the same program again with the folder that the cold one left, as every run of the command line after the first.
Columns, in CPU seconds: importing the library; building (`Play` traces one phase to check the rules); the first call
(first states, tracing, compiling or loading), the second call, which only computes. `compile_*` is the first call less
the second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial

from harness import Row

NAMES = ("auction", "reinforce", "mean_field", "karma", "flow", "pricing", "growth")
"""As in slices.py, which children import: this process needs no jax."""


def child(name: str) -> None:
    """One family in this process; prints the four times."""
    marks = [time.process_time()]
    import jax
    from slices import SLICES

    jax.block_until_ready(jax.numpy.ones(3) + 1)  # the backend is up
    marks.append(time.process_time())
    go = SLICES[name]()
    marks.append(time.process_time())
    for _ in range(2):
        jax.block_until_ready(go())
        marks.append(time.process_time())
    named = zip(("import", "build", "first call", "second call"), marks, marks[1:], strict=False)
    print(json.dumps({what: round(late - early, 3) for what, early, late in named}))


def measure(name: str, folder: str) -> dict[str, float]:
    """The times of one family in a fresh process, with compiled programs kept in `folder`."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, __file__, "--child", name]
    out = subprocess.run(command, env={**os.environ, **cache}, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout.splitlines()[-1])


def both(name: str) -> dict[str, dict[str, float]]:
    """Cold, then warm; of three warm processes the median first call."""
    with tempfile.TemporaryDirectory() as folder:
        cold = measure(name, folder)
        warm = sorted((measure(name, folder) for _ in range(3)), key=lambda times: times["first call"])
    return {"cold": cold, "warm": warm[1]}


def first_call(name: str, quick: bool) -> Row:
    """Cold beside its goal; the warm time in the note."""
    cold, warm = (x["first call"] - x["second call"] for x in both(name).values())
    note = f"warm {warm:.2f}; goals: cold 6, warm 0.5 (stretch 3, 0.2)"
    return Row(f"compile_{name}", cold, 6.0, cold / 6.0, "CPU-s", note)


ROWS = {f"compile_{name}": partial(first_call, name) for name in NAMES}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--only", action="append", choices=NAMES)
    parser.add_argument("--child", choices=NAMES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
        return
    lines = []
    for name in given.only or NAMES:
        lines += [{"family": name, "cache": state, **times} for state, times in both(name).items()]
    if given.json:
        print(json.dumps(lines, indent=2))
        return
    for cells in (lines[0], *(line.values() for line in lines)):
        print("  ".join(f"{cell!s:>12s}" for cell in cells))


if __name__ == "__main__":
    main()
