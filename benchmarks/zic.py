"""Eight zero-intelligence traders in the memoryless double auction: ours beside a scalar C loop."""

import ctypes
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from timing import Row, Timed, check_agreement, compare, compile_c, cpu_seconds, say

from catallax.agents.traders import ZIC
from catallax.core import AbstractMeasure, Group, Play, Population, Variable, replicate, rng
from catallax.games.auction.institutions import memoryless_market
from catallax.games.auction.tokens import Fixed

WIDTHS = (64, 96, 128, 192)
ROUNDS = 96_000  # of a timed call; a multiple of every width
TICKS = 16


class Surplus(AbstractMeasure):
    """Realised surplus of each round, price units: the one number both sides keep of a round."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("surplus", ("copy",), "price", "realised surplus of the round"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Array) -> dict[str, Array]:
        event = record.info
        return {"surplus": jnp.where(event.traded, event.value - event.cost, 0.0).sum(axis=1)}


def zic_market(limits: np.ndarray | None = None) -> Play:
    """The market, with fresh tokens in every round or the given limits [8, 4] in all of them."""
    changes = {} if limits is None else {"tokens": Fixed(limits[:4], limits[4:])}
    game = memoryless_market(**changes)
    groups = (Group("buyer", None, ZIC()), Group("seller", None, ZIC()))
    return Play(game, Population(groups), length=game.length)


def keys(n: int) -> Any:
    """Keys of n replications."""
    return jax.vmap(lambda r: rng.fold(rng.key(0), r))(jnp.arange(n))


def _ours(width: int, limits: np.ndarray | None) -> Any:
    """A function that plays ROUNDS rounds in blocks of `width` and gives their surpluses."""
    market, replications = zic_market(limits), keys(width)

    def play() -> np.ndarray:
        out = replicate(market, replications, ROUNDS // width, (Surplus(),))
        return np.asarray(out.series["surplus"])

    return play


def _reference(limits: np.ndarray | None) -> Any:
    library = compile_c("reference.c")
    library.play.argtypes = [ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p]
    given = None if limits is None else np.ascontiguousarray(limits, np.float32)
    surplus = np.zeros(ROUNDS, np.float32)

    def play() -> np.ndarray:
        library.play(ROUNDS, 1, None if given is None else given.ctypes.data, surplus.ctypes.data)
        return surplus

    return play


def _best_width(limits: np.ndarray | None) -> int:
    seen = {}
    for width in WIDTHS:
        play = _ours(width, limits)
        play()
        seen[width] = min(cpu_seconds(play) for _ in range(3)) / (ROUNDS * TICKS) * 1e9
        say(f"  block width {width}: {seen[width]:.0f} ns a market-step")
    return min(seen, key=seen.__getitem__)


def zic_row(name: str, fresh_tokens: bool, rounds: int = 9) -> Row:
    """The row of one market, timed at its best block width."""
    limits = None
    if not fresh_tokens:
        limits = np.concatenate(memoryless_market().tokens.draw(rng.key(3), 4, 4))
    say(f"{name}: looking for the best block width")
    width = _best_width(limits)
    ours, reference = _ours(width, limits), _reference(limits)
    say(f"  {check_agreement(name, ours(), reference())}")
    steps = ROUNDS * TICKS
    row = compare(name, Timed(ours, steps), Timed(reference, steps), rounds, 1e9, "ns/market-step")
    say(
        f"  width {width}: {1e3 / row.ours:.1f} million market-steps/s (goal: at least 3), "
        f"{row.ratio:.2f} times C (goal: at most 5)"
    )
    return row
