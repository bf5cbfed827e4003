"""Speed of learning flows and logit equilibria through the public API, beside C and SciPy on the same work.

    python benchmarks/matrix.py [--json FILE] [--rounds 7]

flow_rps_10000: 10,000 rock-paper-scissors trajectories, T = 0.1, RK4 with h = 0.05, 200 steps; ns of user CPU time for
a step of one trajectory. The C loops are compiled here (gcc -O3 -march=native -ffast-math), and all contestants take
turns in each round; medians. SciPy integrates three of the trajectories with RK45 at rtol 1e-5 over the same horizon;
its time is per nominal step of 0.05. QRE: equilibria a second (64-bit), one at a time and batched, against pygambit's
rates as measured in 2026 on another such machine (AMPs 2-3 thousand a second, lines of 5 and 7 players 104 and 11-17).
"""

import argparse
import ctypes
import json
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from catallax.core import rng, run
from catallax.games.matrix import asymmetric_matching_pennies, match_mismatch_line, rock_paper_scissors
from catallax.solvers.matrix import QLearningFlow, RungeKutta, logit_equilibrium

HERE = Path(__file__).resolve().parent
TRAJECTORIES, STEPS, H, TAU = 10_000, 200, 0.05, 0.1
PYGAMBIT = {"amps": 2500.0, "line_5": 104.0, "line_7": 14.0}
"""Equilibria a second, as measured with pygambit 16.7."""


def cpu() -> float:
    """User seconds of this process, all threads."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def interleaved(contestants: dict[str, tuple[Callable[[], Any], float]], rounds: int) -> dict[str, float]:
    """Median user nanoseconds a unit of work, the contestants taking turns."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for work, _ in contestants.values():
        work()
    for _ in range(rounds):
        for name, (work, units) in contestants.items():
            before = cpu()
            work()
            times[name].append((cpu() - before) / units * 1e9)
    return {name: statistics.median(seen) for name, seen in times.items()}


def c_library() -> ctypes.CDLL:
    """The C loops, compiled for this machine."""
    out = Path(tempfile.mkdtemp()) / "matrix.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", str(out), str(HERE / "matrix.c"), "-lm"], check=True)
    return ctypes.CDLL(str(out))


def flow_contestants() -> tuple[dict[str, tuple[Callable[[], Any], float]], float]:
    """The ways to do the flow, and the largest difference between ours and C's probabilities."""
    start = np.random.default_rng(0).dirichlet([2.0, 2.0, 2.0], (TRAJECTORIES, 2)).astype(np.float32)
    game, lib = rock_paper_scissors(), c_library()
    pay = np.ascontiguousarray(np.stack([game.edge(0, 1), game.edge(1, 0)]), np.float32)
    padded = -(-TRAJECTORIES // 64) * 64
    first = np.concatenate([start, start[: padded - TRAJECTORIES]]).transpose(1, 2, 0).reshape(6, -1)
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)

    def c_loop(name: str, state: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(state)
        function = getattr(lib, name)
        function(pointer(x), padded, STEPS, ctypes.c_float(H), ctypes.c_float(TAU), pointer(pay))
        return x.reshape(2, 3, -1)[..., :TRAJECTORIES]

    def ours(substeps: int) -> Any:
        flow = QLearningFlow(
            game, TAU, start.transpose(1, 2, 0), interval=H * substeps, integrator=RungeKutta(substeps)
        )
        state = flow.init(rng.key(0))
        return lambda: jax.block_until_ready(run(flow, rng.key(0), STEPS // substeps, state=state).state)

    def scipy(count: int = 3) -> None:
        def field(_: float, y: np.ndarray) -> np.ndarray:
            x = y.reshape(2, 3)
            f = np.einsum("pij,pj->pi", pay, x[::-1]) - TAU * np.log(x)
            return (x * (f - (x * f).sum(1, keepdims=True))).ravel()

        for x in start[:count]:
            solve_ivp(field, (0, STEPS * H), x.ravel().astype(float), rtol=1e-5, atol=1e-7)

    mine = np.asarray(jax.nn.softmax(ours(50)(), axis=1))
    apart = float(np.abs(mine - c_loop("flow_simplex", first)).max())
    units = TRAJECTORIES * STEPS
    log_first = np.log(first)
    return {
        "C, log form": (lambda: c_loop("flow_log", log_first), units),
        "C, simplex form": (lambda: c_loop("flow_simplex", first), units),
        "catallax, 200 substeps a step": (ours(200), units),
        "catallax, 20 substeps a step": (ours(20), units),
        "catallax, 1 substep a step": (ours(1), units),
        "SciPy RK45": (scipy, 3 * STEPS),
    }, apart


def qre_rates(rounds: int) -> dict[str, dict[str, float]]:
    """Equilibria a second at random temperatures in [0.2, 2], alone and in batches of 500; and pygambit's."""
    rates = {}
    draw = np.random.default_rng(1)
    games = {"amps": asymmetric_matching_pennies(), "line_5": match_mismatch_line(5), "line_7": match_mismatch_line(7)}
    for name, game in games.items():
        temperatures = jnp.asarray(draw.uniform(0.2, 2.0, (500, game.players)))
        single = jax.jit(lambda t, game=game: logit_equilibrium(game, t))
        batch = jax.jit(jax.vmap(lambda t, game=game: logit_equilibrium(game, t)))
        batch(temperatures).require()
        one = lambda single=single, t=temperatures: [single(row).policy.block_until_ready() for row in t[:20]]
        all_ = lambda batch=batch, t=temperatures: batch(t).policy.block_until_ready()
        spent = interleaved({"single": (one, 20), "batch": (all_, 500)}, rounds)
        rates[name] = {kind: 1e9 / ns for kind, ns in spent.items()} | {"pygambit": PYGAMBIT[name]}
    long = match_mismatch_line(99)
    solve_long = jax.jit(lambda t: logit_equilibrium(long, t))
    solve_long(jnp.asarray(0.5)).require()
    spent = interleaved({"single": (lambda: solve_long(jnp.asarray(0.5)).policy.block_until_ready(), 1)}, rounds)
    rates["line_99"] = {"single": 1e9 / spent["single"]}
    return rates


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    contestants, apart = flow_contestants()
    flow = interleaved(contestants, asked.rounds)
    yardstick = min(flow["C, log form"], flow["C, simplex form"])
    mine = flow["catallax, 200 substeps a step"]
    print(f"flow_rps_10000: ns a trajectory-step (user CPU); largest difference from C {apart:.1e}")
    for name, ns in flow.items():
        print(f"  {name:32s} {ns:9.1f}   {ns / yardstick:7.2f} x C")
    print(f"  catallax / C = {mine / yardstick:.2f}; SciPy / catallax = {flow['SciPy RK45'] / mine:.0f}")
    with jax.enable_x64(True):
        rates = qre_rates(asked.rounds)
    print("logit equilibria a second of user CPU time")
    for name, found in rates.items():
        print(f"  {name:8s} " + ", ".join(f"{kind} {rate:,.0f}" for kind, rate in found.items()))
    if asked.json:
        summary = {"x_c": mine / yardstick, "scipy_x": flow["SciPy RK45"] / mine, "ns": flow}
        asked.json.write_text(json.dumps({"flow_rps_10000": summary, "qre_per_second": rates}, indent=2))


if __name__ == "__main__":
    main()
