"""All eight traders learning (REINFORCE, full disclosure): ours beside a NumPy implementation of the same work."""

import time
from typing import Any

import jax
import numpy as np
from numpy_market import Reference
from timing import Row, check_agreement, cpu_seconds, row, say
from zic import Surplus, keys

from catallax.agents.learners import Reinforce
from catallax.core import replicate
from catallax.experiments.double_auction.summary import ROUNDS_PER_UPDATE, all_learning
from catallax.games.auction.disclosure import FullDisclosure

REPLICATIONS, UPDATES = 10, 500  # 10 replications of 5,000 rounds
REFERENCE_UPDATES = 10  # NumPy's share of a turn


class Ours:
    """The experiment's own market, continued from turn to turn."""

    def __init__(self, updates: int) -> None:
        self.market = all_learning(Reinforce(), FullDisclosure())
        self.keys, self.updates = keys(REPLICATIONS), updates
        self._first = jax.jit(jax.vmap(self.market.init))
        self.begin()

    def begin(self) -> None:
        """Back to the first update."""
        self.state: Any = jax.block_until_ready(self._first(self.keys))
        self.done = 0

    def turn(self) -> np.ndarray:
        """The next `updates` phases; the surplus of each round."""
        out = replicate(self.market, self.keys, self.updates, (Surplus(),), states=self.state, start=self.done)
        self.state, self.done = jax.block_until_ready(out.state), self.done + self.updates
        return np.asarray(out.series["surplus"]).ravel()


def _warm_up(updates: int) -> tuple[Ours, Reference]:
    """Both contestants, everything compiled, and checked against each other on their first updates."""
    before = time.process_time()
    ours, reference = Ours(updates), Reference(REPLICATIONS, ROUNDS_PER_UPDATE, seed=1)
    mine = ours.turn()
    say(f"  tracing, compiling and the first {updates} updates: {time.process_time() - before:.1f} CPU-s")
    theirs = np.concatenate([reference.update() for _ in range(updates)])
    say(f"  {check_agreement(f'first {updates} updates', mine, theirs)}")
    return ours, reference


def reinforce_row(name: str, quick: bool) -> Row:
    """10 replications x 5,000 rounds in CPU-s after compilation.

    Ours runs all 500 updates in 10 turns (quick: 5 turns of 10 updates, scaled); after each turn NumPy makes 10
    updates. Figures are CPU-s for 500 updates; ours in full is the sum of its turns.
    """
    turns, updates = (5, 10) if quick else (10, 50)
    say(f"{name}: compiling")
    ours, reference = _warm_up(updates)
    ours.begin()
    pairs = []
    for _ in range(turns):
        mine = cpu_seconds(ours.turn) / updates * UPDATES
        theirs = cpu_seconds(lambda: [reference.update() for _ in range(REFERENCE_UPDATES)])
        pairs.append([mine, theirs / REFERENCE_UPDATES * UPDATES])
    result = row(name, pairs, "CPU-s")
    if not quick:
        result = result._replace(ours=float(np.mean([mine for mine, _ in pairs])))
    how = f"{turns} turns of {updates} updates" + (", scaled to 500 updates" if quick else ": the whole run")
    say(f"  {how}: {result.ours:.1f} CPU-s (goal: at most 40); NumPy {result.reference:.1f} (scaled)")
    return result
