"""A sweep on one core and on two: elapsed seconds, and whether the bits are the same.

two_cores: pricing duopolies, 4 learning rates x 48 sessions, one compiled program of the laboratory, its replications
spread over two devices of one core each or over one. Both runs are processes of their own, bound to the cores they may
use, and take turns; elapsed time counts here, so the machine must be idle.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time

SESSIONS, PERIODS = 96, 100_000


def child(cores: int) -> None:
    """The sweep on so many cores; prints its seconds and a hash of all final states."""
    os.sched_setaffinity(0, set(range(cores)))
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={cores} --xla_cpu_multi_thread_eigen=false"
    import jax
    import numpy as np

    from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning
    from catallax.core import Group, Play, Population
    from catallax.games.pricing import pricing_game
    from catallax.lab.experiment import Cell
    from catallax.lab.program import CellProgram

    game = pricing_game()

    def build(alpha) -> Play:
        explore, grid = EpsilonGreedy(1.0, decay=4e-6, shared_draw=True), (game.observations, game.points)
        firm = QLearning(*grid, explore, ConstantRate(alpha), track_settling=True)
        return Play(game, Population((Group("firm", None, firm),)), length=1, episodic=False)

    cell = Cell(name="sweep", label="sweep", build=build, measures=(), lanes={"alpha": (0.05, 0.1, 0.15, 0.2)})
    program = CellProgram(cell, SESSIONS, seed=0)
    keys = program.keys(0)
    program.compile(PERIODS)
    states = program.begin(keys)
    states, _, _ = program.advance(keys, states, 0, PERIODS)
    began = time.perf_counter()
    states, host, _ = program.advance(keys, states, PERIODS, PERIODS)
    seconds = time.perf_counter() - began
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(host.arrays):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    print(json.dumps({"seconds": seconds, "hash": digest.hexdigest()}))


def measure(cores: int) -> dict:
    """A fresh process."""
    command = [sys.executable, __file__, "--child", str(cores)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout.splitlines()[-1])


def two_cores(quick: bool):
    """The row: seconds on two cores beside seconds on one."""
    from harness import Row

    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))  # children choose their own cores
    pairs = [(measure(2), measure(1)) for _ in range(1 if quick else 5)]
    os.sched_setaffinity(0, mine)
    if len({x["hash"] for pair in pairs for x in pair}) != 1:
        raise SystemExit("two_cores: one core and two cores give different bits")
    gain = statistics.median(one["seconds"] / two["seconds"] for two, one in pairs)
    a, b = (statistics.median(pair[i]["seconds"] for pair in pairs) for i in (0, 1))
    note = f"{gain:.2f} times as fast, same bits; goal 1.5 (stretch 1.8)"
    return Row("two_cores", a, b, 1 / gain, "s", note)


ROWS = {"two_cores": two_cores}

if __name__ == "__main__":
    child(int(sys.argv[sys.argv.index("--child") + 1]))
