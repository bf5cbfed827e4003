"""Two hundred runs of a million first-price auctions between two Q-learners, against a plain scalar C loop.

auction_q_200: seconds for the 200 runs on one core in double precision, measured on 20,000 rounds of each run (the cost
of a round does not change: no table grows) and scaled to 1,000,000. The library's side is the public API; the C loop
(`sealed_bid.c`) does the same rounds. Before anything is timed both play 50,000 rounds, and the mean prices over the
last of them must agree to four standard errors.
"""

import ctypes
from typing import Any

from harness import Case, Row, compare, compile_c  # first: pins the process before jax is imported

import jax  # isort: skip
import jax.numpy as jnp  # isort: skip
import numpy as np  # isort: skip

from catallax.agents.tabular import ConstantRate, EpsilonGreedy, QLearning, UniformValues
from catallax.core import Group, Play, Population, replicate, rng
from catallax.games.sealed_bid import SealedBid, even_grid

RUNS, BIDS, WHOLE, ROUNDS = 200, 19, 1_000_000, 20_000
BEFORE, COMPARED = 45_000, 5_000
"""Rounds before the prices are compared, and rounds over which they are."""
ALPHA, GAMMA, EPSILON, DECAY, HIGHEST = 0.05, 0.99, 0.025, 2e-4, 100.0
GOAL = 120.0


def play() -> Play:
    """Two learners with first values in [0, 100]."""
    rule = QLearning(
        1, BIDS, EpsilonGreedy(EPSILON, DECAY), ConstantRate(ALPHA), gamma=GAMMA, initial=UniformValues(0.0, HIGHEST)
    )
    game = SealedBid(even_grid(0.05, 0.95, BIDS))
    return Play(game, Population((Group("bidder", None, rule),)), length=1, episodic=False)


class Loop:
    """The C program and the arrays it works on."""

    def __init__(self) -> None:
        self.library = compile_c("sealed_bid.c")
        self.tables = np.random.default_rng(0).uniform(0, HIGHEST, (RUNS, 2, BIDS))
        self.revenue = np.zeros(RUNS)
        self.round = 0

    def __call__(self, rounds: int = ROUNDS) -> None:
        tables, revenue = (x.ctypes.data_as(ctypes.c_void_p) for x in (self.tables, self.revenue))
        learning = [ctypes.c_double(x) for x in (ALPHA, GAMMA, EPSILON, DECAY)]
        start, count = ctypes.c_int64(self.round), ctypes.c_int64(rounds)
        self.library.sealed_bid(tables, revenue, RUNS, start, count, *learning, ctypes.c_uint64(1 + self.round))
        self.round += rounds


def _check_agreement(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Ends the program if the mean prices differ by more than 4 standard errors."""
    error = np.sqrt((ours.var() + theirs.var()) / RUNS)
    if not abs(ours.mean() - theirs.mean()) <= 4 * error:
        raise SystemExit(f"auction_q_200: mean prices differ, {ours.mean():.4f} and {theirs.mean():.4f} +- {error:.4f}")


def auction_q_200(quick: bool) -> Row:
    """`RUNS` runs side by side, both sides continuing from the same round."""
    with jax.enable_x64(True):
        dynamics, loop = play(), Loop()
        keys = jnp.stack([rng.fold(rng.key(0), i) for i in range(RUNS)])
        before = replicate(dynamics, keys, BEFORE).state
        states = replicate(dynamics, keys, COMPARED, states=before, start=BEFORE).state
        loop(BEFORE)
        taken = loop.revenue.copy()
        loop(COMPARED)
        ours = np.asarray(states.worlds.revenue - before.worlds.revenue)[:, 0] / COMPARED
        _check_agreement(ours, (loop.revenue - taken) / COMPARED)
        start = BEFORE + COMPARED

        def go() -> Any:
            return jax.block_until_ready(replicate(dynamics, keys, ROUNDS, states=states, start=start))

        units = ROUNDS / WHOLE
        a, b, ratio = compare(Case(go, units), Case(loop, units), 3 if quick else 7)
    each = a / RUNS / WHOLE * 1e9
    note = f"goal: {GOAL:g} s; {each:.0f} ns a round; {ROUNDS:,} rounds, scaled to {WHOLE:,}"
    return Row("auction_q_200", a, b, ratio, "s", note)


ROWS = {"auction_q_200": auction_q_200}
