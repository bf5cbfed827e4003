"""The double auction: eight zero-intelligence traders against a scalar C loop, eight learners against NumPy."""

import ctypes
import math

from harness import Case, Row, compare, compile_c  # first: pins the process before jax is imported

import equinox as eqx  # isort: skip
import jax  # isort: skip
import jax.numpy as jnp  # isort: skip
import numpy as np  # isort: skip
from numpy_market import Reference  # isort: skip

from catallax.agents.deep import Reinforce
from catallax.agents.traders import ZIC
from catallax.core import AbstractMeasure, Group, Play, Population, Variable, replicate, rng
from catallax.experiments.double_auction.summary import all_learning
from catallax.games.double_auction import FullDisclosure, memoryless_market

WIDTHS = (64, 96, 128, 192, 256)
"""Block widths tried for the zero-intelligence market."""
PHASES = 400
UPDATES = 500
REPLICATIONS = 10


class Surplus(AbstractMeasure):
    """The realised surplus of each round: what the C loop keeps."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("surplus", ("copy",), "price", "realised surplus of the round"),)

    def __call__(self, dynamics, state, record, t):
        gain = jnp.where(record.info.traded, record.info.value - record.info.cost, 0.0)
        return {"surplus": gain.sum(axis=1)}


def keys(n: int):
    return jnp.stack([rng.fold(rng.key(0), i) for i in range(n)])


def _check_agreement(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Ends the program if the mean surpluses a round differ by more than 4 standard errors."""
    error = math.sqrt(ours.var() / ours.size + theirs.var() / theirs.size)
    gap = abs(float(ours.mean()) - float(theirs.mean()))
    if not gap <= 4 * error:
        raise SystemExit(f"{name}: mean surplus differs, {ours.mean():.3f} and {theirs.mean():.3f} +- {error:.3f}")


def zic_8(quick: bool) -> Row:
    """Fresh tokens each round, 16 ticks, one surplus kept a round, on both sides."""
    game = memoryless_market()
    play = Play(game, Population((Group("buyer", None, ZIC()), Group("seller", None, ZIC()))), length=game.length)
    library = compile_c("auction.c")

    def c_rounds(n: int) -> np.ndarray:
        out = np.empty(n, np.float32)
        library.play(ctypes.c_int64(n), ctypes.c_uint64(1), None, out.ctypes.data_as(ctypes.c_void_p))
        return out

    ours, theirs = np.asarray(replicate(play, keys(128), 200, (Surplus(),)).series["surplus"]), c_rounds(25_600)
    _check_agreement("auction_zic_8", ours, theirs)
    best: tuple[float, float, float, int] | None = None
    for width in WIDTHS:
        case_keys = keys(width)
        mine = Case(
            lambda k=case_keys: jax.block_until_ready(replicate(play, k, PHASES, (Surplus(),))), width * PHASES * 16
        )
        c = Case(lambda w=width: c_rounds(w * PHASES), width * PHASES * 16)
        a, b, ratio = compare(mine, c, 3 if quick else 7)
        if best is None or a < best[0]:
            best = (a, b, ratio, width)
    assert best is not None
    a, b, ratio, width = best
    note = f"width {width}, {1e-6 / a:.1f} million market-steps/s; goals: 3 million, ratio 5 (stretch 2)"
    return Row("auction_zic_8", a * 1e9, b * 1e9, ratio, "ns/market-step", note)


def reinforce_8(quick: bool) -> Row:
    """10 replications x 5,000 rounds with eight learners under full disclosure, after compilation.

    The reference does the same work in NumPy (batched products, one thread) on fewer updates and is scaled. Before
    timing, the rounds of the first ten updates must agree.
    """
    updates, sample = (50, 3) if quick else (UPDATES, 10)
    play = all_learning(Reinforce(), FullDisclosure())
    numpy_market = Reference(REPLICATIONS, play.copies, seed=1)
    case_keys = keys(REPLICATIONS)

    def run() -> np.ndarray:
        return np.asarray(replicate(play, case_keys, updates, (Surplus(),)).series["surplus"])

    ours = run()[:, :10]
    theirs = np.concatenate([numpy_market.update() for _ in range(10)])
    _check_agreement("auction_reinforce_8", ours, theirs)
    reference = Case(lambda: [numpy_market.update() for _ in range(sample)], sample / UPDATES)
    a, b, ratio = compare(Case(run, updates / UPDATES), reference, 2 if quick else 3)
    note = f"10 x 5,000 rounds; goal 40, stretch 20; NumPy measured on {sample} updates and scaled"
    return Row("auction_reinforce_8", a, b, ratio, "CPU-s", note)


ROWS = {"auction_zic_8": zic_8, "auction_reinforce_8": reinforce_8}
