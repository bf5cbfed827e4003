"""Algorithmic pricing: a hundred sessions of two tabular Q-learners against a plain scalar C loop.

    python benchmarks/calvano.py [--quick] [--json]
    python benchmarks/calvano.py --widths 12,25,50,100,200,400    ours at other widths, beside C at 100 sessions

The library's side is the public API: a `Play` of rules for one seat, replicated over sessions. The C loop (`calvano.c`)
does what each decision needs: two scans of a row for the best action, one for its value, one cell written.
"""

import argparse
import ctypes
import json
import statistics
from functools import partial
from typing import Any

from harness import Case, Row, compare, compile_c, cpu_seconds  # first: pins the process before jax is imported

import jax  # isort: skip
import jax.numpy as jnp  # isort: skip
import numpy as np  # isort: skip

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning
from catallax.core import Group, Play, Population, replicate, rng
from catallax.games.pricing import pricing_game

ALPHA, BETA, DISCOUNT = 0.15, 4e-6, 0.95
SESSIONS, PERIODS = 100, 10_000
CHECKED = 20_000
"""Periods that are compared before anything is timed."""
GAME = pricing_game()


def play_of(as_calvano: bool) -> Play:
    """Two learners in the baseline market, with the experiment's coin and its stopping rule or without."""
    learner = QLearning(
        states=GAME.observations,
        actions=GAME.points,
        explore=EpsilonGreedy(1.0, decay=BETA, shared_draw=as_calvano),
        rate=ConstantRate(ALPHA),
        gamma=DISCOUNT,
        initial=GAME.uniform_start(DISCOUNT)[0],
        track_settling=as_calvano,
    )
    return Play(GAME, Population((Group("firm", None, learner),)), length=1, episodic=False)


class Loop:
    """The C program and the arrays it works on."""

    def __init__(self) -> None:
        self.library = compile_c("calvano.c")
        first = np.zeros(16, np.float32)
        first[:15] = np.asarray(GAME.uniform_start(DISCOUNT))[0]
        self.tables = np.tile(first, (SESSIONS, 2, 225, 1))
        self.states, self.stable = np.zeros(SESSIONS, np.int32), np.zeros(SESSIONS, np.int32)
        self.profits = np.ascontiguousarray(GAME.profits, np.float32)
        self.period = 0

    def __call__(self, periods: int = PERIODS) -> None:
        place = lambda x: x.ctypes.data_as(ctypes.c_void_p)
        arrays = [place(x) for x in (self.tables, self.states, self.stable, self.profits)]
        learning = [ctypes.c_float(ALPHA), ctypes.c_float(DISCOUNT), ctypes.c_double(BETA)]
        start, count = ctypes.c_int64(self.period), ctypes.c_int64(periods)
        self.library.calvano(*arrays, SESSIONS, start, count, *learning, ctypes.c_uint64(1 + self.period))
        self.period += periods


def _check_agreement(name: str, tables: Any, loop: Loop) -> None:
    """Ends the program if the tables' means after `CHECKED` periods differ by more than 4 standard errors."""
    ours = np.asarray(tables).reshape(SESSIONS, 2, 225, 16)[..., :15].mean(axis=(1, 2, 3))
    theirs = loop.tables[..., :15].mean(axis=(1, 2, 3))
    error = np.sqrt((ours.var() + theirs.var()) / SESSIONS)
    gap = abs(float(ours.mean()) - float(theirs.mean()))
    if not gap <= 4 * error:
        raise SystemExit(f"{name}: mean values differ, {ours.mean():.5f} and {theirs.mean():.5f} +- {error:.5f}")


def sessions(name: str, as_calvano: bool, goal: str, quick: bool) -> Row:
    """`SESSIONS` sessions side by side, both sides continuing from the same period."""
    play, loop = play_of(as_calvano), Loop()
    keys = jnp.stack([rng.fold(rng.key(0), i) for i in range(SESSIONS)])
    states = replicate(play, keys, CHECKED).state
    loop(CHECKED)
    _check_agreement(name, states.agents[0].table, loop)

    def ours() -> Any:
        return jax.block_until_ready(replicate(play, keys, PERIODS, states=states, start=CHECKED))

    units = 2 * SESSIONS * PERIODS
    a, b, ratio = compare(Case(ours, units), Case(loop, units), 3 if quick else 9)
    return Row(name, a * 1e9, b * 1e9, ratio, "ns/agent-step", f"{SESSIONS} sessions; {goal}")


def calvano_100(quick: bool) -> Row:
    """The learner that the experiment uses, which knows when its policy last changed."""
    return sessions("calvano_100", True, "goal: ratio 3.5 (stretch 1.5)", quick)


def calvano_general_100(quick: bool) -> Row:
    """The general tabular learner on the same work."""
    return sessions("calvano_general_100", False, "the general learner, no goal of its own", quick)


def widths(sizes: list[int], periods: int = 5_000) -> str:
    """Medians over seven turns of ours at each number of sessions side by side, and of C, ns an agent-step.

    C runs one session after the other, so its tables stay in the cache nearest to the core whatever the number.
    """
    play, loop = play_of(True), Loop()
    cases = {"C": Case(lambda: loop(periods), 2 * SESSIONS * periods)}
    for size in sizes:
        keys = jnp.stack([rng.fold(rng.key(0), i) for i in range(size)])
        start = replicate(play, keys, CHECKED).state
        go = partial(replicate, play, keys, periods, states=start, start=CHECKED)
        cases[str(size)] = Case(lambda go=go: jax.block_until_ready(go()), 2 * size * periods)
    loop(CHECKED)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(8):
        for name, case in cases.items():
            began = cpu_seconds()
            case.call()
            if turn:  # the first compiles
                times[name].append((cpu_seconds() - began) / case.units * 1e9)
    return "  ".join(f"{name}: {statistics.median(found):.1f}" for name, found in times.items())


ROWS = {"calvano_100": calvano_100, "calvano_general_100": calvano_general_100}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--widths", help="numbers of sessions side by side, as in 25,50,100")
    options = parser.parse_args()
    if options.widths:
        print(widths([int(size) for size in options.widths.split(",")]))
        return
    rows = [row(options.quick) for row in ROWS.values()]
    if options.json:
        print(json.dumps([{k: v for k, v in row._asdict().items() if k != "note"} for row in rows]))
        return
    for row in rows:
        print(f"{row.name:20s} {row.ours:9.4g} {row.reference:9.4g} {row.unit:14s} ratio {row.ratio:5.3f} {row.note}")


if __name__ == "__main__":
    main()
