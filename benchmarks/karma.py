"""Decentralised SARSA in pairwise karma through `Play` and `run`, against a plain C loop of the same rules.

Usage: python benchmarks/karma.py [--json FILE] [--rounds 5]

One core, cases interleaved, user CPU time, medians of ratios round by round. Needs a C compiler (`cc`).
"""

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()

import equinox as eqx
import jax
import numpy as np

from catallax.agents.tabular.sarsa import Sarsa
from catallax.core import Group, Play, Population, rng, run
from catallax.games.karma import (
    CircleMatching,
    PairwiseKarma,
    PayBidToPeer,
    PayBidToSociety,
    UniformMatching,
    karma_interface,
    open_bids,
)

PAYMENTS = {"peer": 0, "society": 1, "kept": 2}


class Case(NamedTuple):
    """A workload: agents, phases of so many steps, and the rule."""

    name: str
    agents: int
    phases: int
    length: int
    rule: str = "peer"
    circle: bool = False
    bar: float | None = None
    """Largest ratio to `against` that is asked for."""
    against: str = "C"

    @property
    def steps(self) -> int:
        return self.agents * self.phases * self.length


CASES = (
    Case("karma_100", 100, 20, 1000, bar=4.0),
    Case("karma_100, excess kept", 100, 20, 1000, "kept"),
    Case("karma_100, excess kept, circle matching", 100, 20, 1000, "kept", circle=True),
    Case("karma_100, to society", 100, 20, 1000, "society"),
    Case("karma_1000", 1000, 2, 1000, bar=2.5),
    Case("karma_1000, excess kept", 1000, 2, 1000, "kept"),
    Case("karma_1000, to society", 1000, 2, 1000, "society"),
    Case("karma_epoch_1", 100, 4000, 1, bar=4.0, against="karma_100"),
    Case("karma_epoch_1, excess kept", 100, 4000, 1, "kept", against="karma_100, excess kept"),
)


def seconds() -> float:
    """User and system CPU time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def compiled_reference(folder: Path) -> Any:
    """karma.c, compiled for this machine."""
    source, target = Path(__file__).with_name("karma.c"), folder / "karma.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", str(target), str(source), "-lm"], check=True)
    library = ctypes.CDLL(str(target))
    library.karma.restype = ctypes.c_double
    return library


def in_c(library: Any, case: Case) -> Callable[[], None]:
    """The case as a C loop that goes on where it stopped."""
    n, real = case.agents, ctypes.c_float
    tables = [np.zeros((n, 42, 24), np.float32) for _ in range(2)]
    worlds = [np.full(n, 10, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32)]
    pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in (*tables, *worlds)]
    numbers = [real(x) for x in (0.01, 0.98, 0.05, 1000.0)]

    def go() -> None:
        steps, epoch = ctypes.c_int64(case.phases * case.length), ctypes.c_int64(case.length)
        library.karma(*pointers, n, steps, epoch, PAYMENTS[case.rule], *numbers, ctypes.c_uint64(1))
        if worlds[0].sum() != 10 * n:
            raise AssertionError("the C loop lost karma")

    return go


def in_catallax(case: Case) -> Callable[[], None]:
    """The case through the public API, going on where it stopped."""
    game = PairwiseKarma(
        case.agents,
        payment=PayBidToSociety() if case.rule == "society" else PayBidToPeer(),
        matching=CircleMatching() if case.circle else UniformMatching(),
        excess="kept" if case.rule == "kept" else "shared",
    )
    group = Group("player", None, Sarsa(open_bids(game)), karma_interface(game))
    play, key = Play(game, Population((group,)), length=case.length, episodic=False), rng.key(0)
    state, done = eqx.filter_jit(lambda play, key: play.init(key))(play, key), 0

    def go() -> None:
        nonlocal state, done
        state = jax.block_until_ready(run(play, key, case.phases, state=state, start=done).state)
        done += case.phases

    return go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose names contain this")
    chosen = parser.parse_args()
    cases = [c for c in CASES if chosen.only in c.name]
    with tempfile.TemporaryDirectory() as folder:
        library = compiled_reference(Path(folder))
        runs, first = {}, {}
        for case in cases:
            runs[case.name] = in_c(library, case), in_catallax(case)
            runs[case.name][0]()
            start = seconds()
            runs[case.name][1]()
            first[case.name] = seconds() - start
        spent = {c.name: ([], []) for c in cases}
        for _ in range(chosen.rounds):
            for case in cases:
                for go, times in zip(runs[case.name], spent[case.name], strict=True):
                    start = seconds()
                    go()
                    times.append((seconds() - start) / case.steps * 1e9)
    rows = [row(case, spent, first[case.name]) for case in cases]
    print(f"{'workload':42s} {'C':>7s} {'catallax':>9s}  ns an agent-step   ratio  bar  first call")
    for r in rows:
        print(
            f"{r['name']:42s} {r['c_ns']:7.1f} {r['ns']:9.1f} {r['ratio']:22.2f} ({r['against']})  "
            f"{r['bar'] or '-'}  {r['first_call_s']:.1f} s"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


def row(case: Case, spent: dict[str, tuple[list[float], list[float]]], first: float) -> dict[str, Any]:
    """A line of the table: medians, and the median of the ratios of each round."""
    c, ours = spent[case.name]
    against = case.against if case.against in spent else "C"
    other = c if against == "C" else spent[against][1]
    return {
        "name": case.name,
        "c_ns": statistics.median(c),
        "ns": statistics.median(ours),
        "against": against,
        "ratio": statistics.median(a / b for a, b in zip(ours, other, strict=True)),
        "bar": case.bar if against == case.against else None,
        "first_call_s": first,
    }


if __name__ == "__main__":
    main()
