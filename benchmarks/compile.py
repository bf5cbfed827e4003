"""How long the first call takes: CPU seconds to build, trace and compile two markets, without and with a cache.

    python benchmarks/compile.py [--json]

Each line is a process of its own, pinned to one core. "cold" starts with an empty folder for compiled programs, "warm"
is the same program again with the folder that the cold one left, as every run of the command line after the first.
Columns, in CPU seconds: importing the library; building the market (`Play` traces one phase to check the rules); the
first call of `replicate` with 10 replications and 2 phases (first states, tracing, compiling or loading); the second
call, which only computes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

MARKETS = ("zic", "all_learning")


def child(name: str) -> None:
    """One market in this process; prints the four times."""
    import harness  # noqa: F401  (pins the process, before jax is imported)

    marks = [time.process_time()]
    import jax
    from auction import Surplus, keys

    from catallax.agents.learners import Reinforce
    from catallax.core import replicate
    from catallax.experiments.double_auction.summary import all_learning, zic_only
    from catallax.games.auction.disclosure import FullDisclosure

    marks.append(time.process_time())
    market = zic_only() if name == "zic" else all_learning(Reinforce(), FullDisclosure())
    marks.append(time.process_time())
    replications = jax.block_until_ready(keys(10))
    for _ in range(2):
        jax.block_until_ready(replicate(market, replications, 2, (Surplus(),)))
        marks.append(time.process_time())
    named = zip(("import", "build", "first call", "second call"), marks, marks[1:], strict=False)
    print(json.dumps({what: round(late - early, 3) for what, early, late in named}))


def measure(name: str, folder: str) -> dict[str, float]:
    """The times of one market in a fresh process, with compiled programs kept in `folder`."""
    cache = {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = [sys.executable, __file__, "--child", name]
    out = subprocess.run(command, env={**os.environ, **cache}, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--child", choices=MARKETS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
        return
    lines = []
    for name in MARKETS:
        with tempfile.TemporaryDirectory() as folder:
            lines += [{"market": name, "cache": state, **measure(name, folder)} for state in ("cold", "warm")]
    if given.json:
        print(json.dumps(lines, indent=2))
        return
    for line in (dict.fromkeys(lines[0]), *lines):
        cells = line if line[next(iter(line))] is None else line.values()
        print("  ".join(f"{cell!s:>12s}" for cell in cells))


if __name__ == "__main__":
    main()
