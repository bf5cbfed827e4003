"""Solvers of mean-field games: CPU time an iteration, beside MFGLib's times on the same games.

MFGLib 0.3.0 (PyTorch, float32, CPU, one thread) was measured once, on another day, with the exploitability it computes
at every iteration; its times are constants here. Ours are float64, user + system CPU time of this process, warm,
medians of interleaved rounds, with exploitability at every iteration too where the name says `scored` or MFGLib stands
beside it. `left_right` and `rps` are MFGLib's own games with its own iterates (see tests/mean_field_toys.py); the
auction has no counterpart there.

    python benchmarks/mean_field.py [--json] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import jax

from catallax.agents.tabular import EpsilonGreedy, Polynomial, QLearning
from catallax.core import replicate, rng, run
from catallax.games.mean_field import AdAuction
from catallax.measures.mean_field import StationaryExploitability
from catallax.solvers.mean_field import FixedPoint, MeanFieldQ, MirrorDescent, OneStep, Softmax
from mean_field_toys import LEFT_RIGHT, ROCK_PAPER_SCISSORS, Places

# name -> MFGLib's milliseconds an iteration; the game, the algorithm and the count are the same
PEER = {
    "left_right_omd": 1.6,
    "left_right_gmf_v": 1.8,
    "rps_omd": 1.9,
    "rps_gmf_v": 1.6,
}
SCORED = (StationaryExploitability(),)


def cases():
    """Name -> (iterations, a call that makes them)."""
    key = rng.key(0)
    out = {}
    for name, payoff, rate in (("left_right", LEFT_RIGHT, 1.0), ("rps", ROCK_PAPER_SCISSORS, 0.1)):
        game = Places(payoff)
        omd = MirrorDescent(game, rate / 0.5, OneStep(), game.first)
        fixed = FixedPoint(game, Softmax(1.0 / 0.5), start=game.first)
        out[f"{name}_omd"] = (500, lambda s=omd: run(s, key, 500, SCORED))
        out[f"{name}_gmf_v"] = (500, lambda s=fixed: run(s, key, 500, SCORED))
    auction = AdAuction()
    out["auction_gmf_v_scored"] = (200, lambda: run(FixedPoint(auction), key, 200, SCORED))
    out["auction_gmf_v"] = (200, lambda: run(FixedPoint(auction), key, 200))
    out["auction_omd_scored"] = (300, lambda: run(MirrorDescent(auction), key, 300, SCORED))
    out["auction_omd"] = (300, lambda: run(MirrorDescent(auction), key, 300))
    learner = QLearning(10, 10, explore=EpsilonGreedy(1.0), rate=Polynomial(0.87))
    keys = jax.vmap(lambda i: rng.fold(key, i))(jax.numpy.arange(20))
    gmf_q = MeanFieldQ(auction, learner, 10_000)
    out["auction_gmf_q_20_paths"] = (20 * 10_000 * 20, lambda: replicate(gmf_q, keys, 20))
    return out


def measure(rounds: int) -> dict:
    """Cold CPU seconds, then the median of warm rounds, case after case in each round."""
    table = {}
    with jax.enable_x64(True):
        todo = cases()
        for name, (_, call) in todo.items():
            start = time.process_time()
            jax.block_until_ready(call())
            table[name] = {"cold_s": time.process_time() - start, "rounds": []}
        for _ in range(rounds):
            for name, (_, call) in todo.items():
                start = time.process_time()
                jax.block_until_ready(call())
                table[name]["rounds"].append(time.process_time() - start)
    for name, (iterations, _) in todo.items():
        row = table[name]
        row["ms"] = 1e3 * statistics.median(row.pop("rounds")) / iterations
        row["peer_ms"] = PEER.get(name)
        row["times_faster"] = row["peer_ms"] / row["ms"] if row["peer_ms"] else None
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="warm rounds (default 5)")
    options = parser.parse_args()
    table = measure(options.rounds)
    if options.json:
        print(json.dumps(table, indent=2))
        return
    print(f"{'case':26} {'cold s':>7} {'ms/iteration':>13} {'MFGLib ms':>10} {'times faster':>13}")
    for name, row in table.items():
        peer = f"{row['peer_ms']:.1f}" if row["peer_ms"] else "-"
        ratio = f"{row['times_faster']:.0f}" if row["times_faster"] else "-"
        print(f"{name:26} {row['cold_s']:7.2f} {row['ms']:13.5f} {peer:>10} {ratio:>13}")


if __name__ == "__main__":
    main()
