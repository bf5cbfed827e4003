"""Calvano's sessions against a plain C loop: user CPU time of one decision of one firm, on one core.

    python benchmarks/calvano.py [--json] [--sessions 100] [--periods 4000] [--rounds 7] [--core 0]

The library's side is the public API: a `Play` of one-seat rules, replicated over sessions. The C loop is compiled here
(gcc -O3 -march=native -ffast-math). Cases are run in turn; a ratio is taken within each round, and its median printed.
"""

import argparse
import ctypes
import json
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).parent
ALPHA, BETA, DELTA = 0.15, 4e-6, 0.95


def user_time() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def reference() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "calvano.so"
        flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
        subprocess.run(["gcc", *flags, "-o", library, HERE / "calvano.c", "-lm"], check=True)
        return ctypes.CDLL(str(library))


def c_case(sessions: int, periods: int, profits: Any) -> Callable[[], None]:
    import numpy as np

    library = reference()
    tables = np.full((sessions, 2, 225, 16), 5.0, np.float32)
    states, stable = np.zeros(sessions, np.int32), np.zeros(sessions, np.int32)
    profits = np.ascontiguousarray(profits, np.float32)
    place = lambda x: x.ctypes.data_as(ctypes.c_void_p)

    def go() -> None:
        library.calvano(
            place(tables), place(states), place(stable), place(profits), sessions, ctypes.c_int64(0),
            ctypes.c_int64(periods), ctypes.c_float(ALPHA), ctypes.c_float(DELTA), ctypes.c_double(BETA),
            ctypes.c_uint64(1),
        )  # fmt: skip

    return go


def play_of(rule: str) -> Any:
    from catallax.agents.tabular import Constant, EpsilonGreedy, QLearning
    from catallax.agents.tabular.calvano import SettlingQLearning
    from catallax.core import Group, Play, Population
    from catallax.games.macro import pricing_game

    game = pricing_game()
    kind = {"general": QLearning, "settling": SettlingQLearning}[rule]
    learner = kind(
        states=game.observations,
        actions=game.points,
        explore=EpsilonGreedy(1.0, decay=BETA),
        rate=Constant(ALPHA),
        gamma=DELTA,
        initial=game.uniform_start(DELTA)[0],
    )
    return Play(game, Population((Group("firm", None, learner),)), length=1, episodic=False)


def library_case(rule: str, sessions: int, periods: int) -> tuple[Callable[[], None], float]:
    import jax

    from catallax.core import replicate, rng

    play = play_of(rule)
    keys = jax.vmap(lambda r: rng.fold(rng.key(0), r))(jax.numpy.arange(sessions))
    states = jax.block_until_ready(replicate(play, keys, 1)).state
    before = user_time()
    go = lambda: jax.block_until_ready(replicate(play, keys, periods, states=states, start=1))
    go()
    return go, user_time() - before


def measure(sessions: int, periods: int, rounds: int) -> dict[str, dict[str, float]]:
    play = play_of("general")
    cases: dict[str, Callable[[], Any]] = {"c": c_case(sessions, periods, play.game.profits)}
    first = {}
    for name, rule in (("calvano", "settling"), ("calvano_general", "general")):
        cases[f"{name}_{sessions}"], first[f"{name}_{sessions}"] = library_case(rule, sessions, periods)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for go in cases.values():
        go()
    for _ in range(rounds):
        for name, go in cases.items():
            before = user_time()
            go()
            times[name].append(user_time() - before)
    decisions = 2 * sessions * periods
    rows = {}
    for name, spent in times.items():
        ratios = [x / y for x, y in zip(spent, times["c"], strict=True)]
        rows[name] = {"ns": statistics.median(spent) / decisions * 1e9, "ratio": statistics.median(ratios)}
        rows[name] |= {"least": min(ratios), "most": max(ratios)}
        if name in first:
            rows[name]["first_call_s"] = first[name]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    for name, value in (("sessions", 100), ("periods", 4000), ("rounds", 7), ("core", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {asked.core})
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    rows = measure(asked.sessions, asked.periods, asked.rounds)
    if asked.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        spread = f"[{row['least']:.2f}, {row['most']:.2f}]"
        print(f"{name:24} {row['ns']:7.1f} ns a decision  {row['ratio']:5.2f} x C  {spread}")


if __name__ == "__main__":
    main()
