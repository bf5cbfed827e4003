"""Solvers of mean-field games: CPU time an iteration beside MFGLib's times on the same games.

MFGLib 0.3.0 (PyTorch, float32, CPU, one thread) was measured once, on another day, with the exploitability it computes
at every iteration; its times are constants here. Ours are float64 and warm, with exploitability at every iteration too.
`left_right` and `rps` are MFGLib's own games with its own iterates (tests/mean_field_toys.py).
"""

import sys
from functools import partial
from pathlib import Path

from harness import Case, Row, compare  # first: pins the process before jax is imported

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import jax  # isort: skip
from mean_field_toys import LEFT_RIGHT, ROCK_PAPER_SCISSORS, Places  # isort: skip

from catallax.core import rng, run
from catallax.measures.mean_field import StationaryExploitability
from catallax.solvers.mean_field import FixedPoint, MirrorDescent, OneStep, Softmax

ITERATIONS = 500


def omd(payoff, rate):
    """Online mirror descent as MFGLib does it."""
    game = Places(payoff)
    return MirrorDescent(game, rate / 0.5, OneStep(), game.first)


def gmf_v(payoff):
    """The softened fixed point as MFGLib does it."""
    game = Places(payoff)
    return FixedPoint(game, Softmax(1.0 / 0.5), start=game.first)


def against_mfglib(name: str, make, milliseconds: float, quick: bool) -> Row:
    """`milliseconds`: MFGLib's an iteration."""
    with jax.enable_x64(True):
        solver = make()
        measure = (StationaryExploitability(),)
        case = Case(lambda: jax.block_until_ready(run(solver, rng.key(0), ITERATIONS, measure)), ITERATIONS)
        seconds, _, _ = compare(case, case, 3 if quick else 9)
    ours = seconds * 1e3
    note = f"{milliseconds / ours:.0f} times MFGLib; goal: 10 times"
    return Row(name, ours, milliseconds, ours / milliseconds, "ms/iteration", note)


ROWS = {
    "mean_field_left_right_omd": partial(
        against_mfglib, "mean_field_left_right_omd", partial(omd, LEFT_RIGHT, 1.0), 1.6
    ),
    "mean_field_left_right_gmf_v": partial(
        against_mfglib, "mean_field_left_right_gmf_v", partial(gmf_v, LEFT_RIGHT), 1.8
    ),
    "mean_field_rps_omd": partial(against_mfglib, "mean_field_rps_omd", partial(omd, ROCK_PAPER_SCISSORS, 0.1), 1.9),
    "mean_field_rps_gmf_v": partial(against_mfglib, "mean_field_rps_gmf_v", partial(gmf_v, ROCK_PAPER_SCISSORS), 1.6),
}
