"""Decentralised SARSA in pairwise karma through `Play` and `run`, against a plain C loop of the same rules.

    python benchmarks/karma.py [--quick] [--only karma_100]

karma_100, karma_1000: ns an agent-step, phases of 1,000 steps, PBP with the excess shared out, exact matching, beside
karma.c. karma_epoch_1: 100 agents with phases of one step, beside our own karma_100. The other rows are variants:
`kept`, where the winner pays only what the loser can take and nothing is shared out; `circle`, the cheaper matching;
`society`, PBS.
"""

import argparse
import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from harness import Case, Row, compare, compile_c  # first: pins the process before jax is imported

import jax  # isort: skip
import numpy as np  # isort: skip

from catallax.agents.tabular import Sarsa
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
from catallax.measures.karma import SocialOutcomes

RULES = {"peer": 0, "society": 1, "kept": 2}
"""As karma.c numbers them."""
BAR = {"karma_100": "goal 4.0, stretch 2.5", "karma_1000": "goal 2.5, stretch 1.3"}


class Work(NamedTuple):
    """Agents, steps of a phase, and rules."""

    agents: int
    length: int = 1000
    rule: str = "peer"
    circle: bool = False

    def play(self) -> Play:
        """The same for catallax: the standard game, learners with epsilon 0.05 and beta 1000."""
        game = PairwiseKarma(
            self.agents,
            payment=PayBidToSociety() if self.rule == "society" else PayBidToPeer(),
            matching=CircleMatching() if self.circle else UniformMatching(),
            excess="kept" if self.rule == "kept" else "shared",
        )
        group = Group("player", None, Sarsa(open_bids(game)), karma_interface(game))
        return Play(game, Population((group,)), length=self.length, episodic=False)

    def in_c(self, library: ctypes.CDLL) -> Callable[[int], float]:
        """karma.c: a call plays so many phases on from where it stopped, and returns the mean reward."""
        n, real = self.agents, ctypes.c_float
        tables = [np.zeros((n, 42, 24), np.float32) for _ in range(2)]
        worlds = [np.full(n, 10, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32)]
        pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in (*tables, *worlds)]
        numbers = [real(x) for x in (0.01, 0.98, 0.05, 1000.0)]
        library.karma.restype = ctypes.c_double
        phase = 0

        def go(phases: int) -> float:
            nonlocal phase
            steps, epoch = ctypes.c_int64(phases * self.length), ctypes.c_int64(self.length)
            total = library.karma(*pointers, n, steps, epoch, RULES[self.rule], *numbers, ctypes.c_uint64(phase + 1))
            phase += phases
            if worlds[0].sum() != 10 * n:
                raise SystemExit("karma.c lost karma")
            return total / (n * steps.value)

        return go

    def in_catallax(self, measures: tuple = ()) -> Callable[[int], Any]:
        """Through the public API: a call plays so many phases on from where it stopped, and returns the series."""
        play, key = self.play(), rng.key(0)
        state: Any = None
        phase = 0

        def go(phases: int) -> Any:
            nonlocal state, phase
            state, series = jax.block_until_ready(run(play, key, phases, measures, state=state, start=phase))
            phase += phases
            return series

        return go


def check_agreement(work: Work, library: ctypes.CDLL, phases: int) -> None:
    """Ends the program if the mean rewards while learning differ by more than 0.01."""
    ours = float(work.in_catallax((SocialOutcomes(),))(phases)["efficiency"].mean())
    theirs = work.in_c(library)(phases)
    if not abs(ours - theirs) < 0.01:
        raise SystemExit(f"{work}: mean reward differs, {ours:.4f} and {theirs:.4f}")


def _case(go: Callable[[int], Any], work: Work, phases: int) -> Case:
    go(phases)  # the first call compiles, and the second for a given state
    return Case(lambda: go(phases), work.agents * work.length * phases)


def against_c(name: str, work: Work, phases: int, quick: bool) -> Row:
    """A workload beside karma.c."""
    library = compile_c("karma.c")
    check_agreement(work, library, 10 if quick else 100)
    ours, theirs = work.in_catallax(), work.in_c(library)
    a, b, ratio = compare(_case(ours, work, phases), _case(theirs, work, phases), 5 if quick else 15)
    return Row(name, a * 1e9, b * 1e9, ratio, "ns/agent-step", f"against C; {BAR.get(name, 'a variant')}")


def epoch_1(quick: bool, rule: str = "peer") -> Row:
    """Phases of one step beside phases of a thousand."""
    short, long = Work(100, 1, rule), Work(100, 1000, rule)
    cases = _case(short.in_catallax(), short, 4000), _case(long.in_catallax(), long, 10)
    a, b, ratio = compare(*cases, 5 if quick else 15)
    return Row(
        "karma_epoch_1" if rule == "peer" else f"karma_epoch_1_{rule}",
        a * 1e9,
        b * 1e9,
        ratio,
        "ns/agent-step",
        "against phases of 1,000 steps; goal 4.0, stretch 2.5",
    )


ROWS = {
    "karma_100": partial(against_c, "karma_100", Work(100), 10),
    "karma_1000": partial(against_c, "karma_1000", Work(1000), 2),
    "karma_epoch_1": epoch_1,
}
"""What the goals name."""

VARIANTS = {
    "karma_100_kept": partial(against_c, "karma_100_kept", Work(100, rule="kept"), 10),
    "karma_100_circle": partial(against_c, "karma_100_circle", Work(100, rule="kept", circle=True), 10),
    "karma_100_society": partial(against_c, "karma_100_society", Work(100, rule="society"), 10),
    "karma_1000_kept": partial(against_c, "karma_1000_kept", Work(1000, rule="kept"), 2),
    "karma_1000_society": partial(against_c, "karma_1000_society", Work(1000, rule="society"), 2),
    "karma_epoch_1_kept": partial(epoch_1, rule="kept"),
}
"""Other rules, for comparison."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; for a look, not for a figure to quote")
    parser.add_argument("--only", action="append", choices=[*ROWS, *VARIANTS], help="this row; may be given again")
    options = parser.parse_args()
    for name in options.only or [*ROWS, *VARIANTS]:
        row = (ROWS | VARIANTS)[name](quick=options.quick)
        print(f"{row.name:20s} {row.ours:8.1f} {row.reference:8.1f} {row.unit:14s} ratio {row.ratio:5.2f}  {row.note}")


if __name__ == "__main__":
    main()
