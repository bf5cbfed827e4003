"""Whether memory is flat in the number of rounds: peak resident memory of short and long runs.

    python benchmarks/memory.py [--json]

Each line is a process of its own playing eight zero-intelligence traders in 128 replications: "replicate" without any
measure, and "execute", the way an experiment runs (chunks of 50 rounds, the surplus of every round written to disk).
Peak memory in MiB is that of the whole process: Python, JAX, compiling and running. `kept` is what the accounts of all
ticks would take at the longer run if they were kept: the growth that is not there.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from typing import Any

WAYS = ("replicate", "execute")
ROUNDS = (500, 5_000)
REPLICATIONS = 128


def _market() -> Any:
    from catallax.agents.traders import ZIC
    from catallax.core import Group, Play, Population
    from catallax.games.double_auction import memoryless_market

    game = memoryless_market()
    return Play(game, Population((Group("buyer", None, ZIC()), Group("seller", None, ZIC()))), length=game.length)


def _replicate(rounds: int) -> None:
    import jax
    from auction import keys

    from catallax.core import replicate

    jax.block_until_ready(replicate(_market(), keys(REPLICATIONS), rounds))


def _execute(rounds: int) -> None:
    import msgspec
    from auction import Surplus

    from catallax.lab.execute import execute
    from catallax.lab.experiment import Cell, Experiment, Scale

    settings = msgspec.defstruct("Settings", [], frozen=True, forbid_unknown_fields=True)
    experiment = Experiment(
        name="memory",
        title="Memory of a long run",
        summary="Eight zero-intelligence traders",
        sources=(),
        settings=settings,
        cells=lambda _: (Cell(name="zic", label="ZIC", build=_market, measures=(Surplus(),)),),
        scales={"only": Scale(steps=rounds, replications=REPLICATIONS, block=REPLICATIONS, chunk=50)},
        report=lambda results: results,
        claims=(),
    )
    with tempfile.TemporaryDirectory() as folder:
        execute(experiment, settings(), "only", 0, os.path.join(folder, "run"))


def _kept() -> float:
    """MiB of the accounts of every tick of the longer run."""
    import jax

    from catallax.core import rng

    market = _market()
    start = market.init(rng.key(0))
    shapes = jax.eval_shape(lambda s: market.step(rng.key(0), s, jax.numpy.int32(0))[1].info, start)
    return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(shapes)) * REPLICATIONS * max(ROUNDS) / 2**20


def child(way: str, rounds: int) -> None:
    """One run in this process; prints its peak memory."""
    import harness  # noqa: F401  (pins the process, before jax is imported)

    (_replicate if way == "replicate" else _execute)(rounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(peak / (2**20 if sys.platform == "darwin" else 2**10)))


def measure(way: str, rounds: int) -> float:
    """MiB of a run in a fresh process."""
    command = [sys.executable, __file__, "--child", way, str(rounds)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "ROUNDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], int(given.child[1]))
        return
    lines = []
    for way in WAYS:
        short, long = (round(measure(way, rounds)) for rounds in ROUNDS)
        lines.append({"way": way, "mib_500": short, "mib_5000": long, "growth": long - short, "kept": round(_kept())})
    if given.json:
        print(json.dumps(lines, indent=2))
        return
    print(f"{'way':10s} {'500 rounds':>11s} {'5,000 rounds':>13s} {'growth':>7s} {'kept':>6s}  (MiB)")
    for x in lines:
        print(f"{x['way']:10s} {x['mib_500']:11d} {x['mib_5000']:13d} {x['growth']:7d} {x['kept']:6d}")


if __name__ == "__main__":
    main()
