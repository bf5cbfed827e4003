"""What all measures of an auction share: the rounds of a phase, and one formula applied to each."""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float, Int

from catallax.core import AbstractMeasure, InputError, Variable, count
from catallax.games.double_auction.equilibrium import CompetitiveEquilibrium, competitive_equilibrium

Solver = Callable[[Float[Array, "b k"], Float[Array, "s m"]], CompetitiveEquilibrium]


class Round(NamedTuple):
    """One round: its tokens, its competitive equilibrium (of one period), and what happened in P periods of S
    steps."""

    values: Float[Array, "b k"]
    costs: Float[Array, "s m"]
    ce: CompetitiveEquilibrium
    traded: Bool[Array, "P S"]
    price: Float[Array, "P S"]
    buyer: Int[Array, "P S"]
    seller: Int[Array, "P S"]
    value: Float[Array, "P S"]
    cost: Float[Array, "P S"]
    bidder: Int[Array, "P S"]
    asker: Int[Array, "P S"]

    @property
    def periods(self) -> int:
        """P."""
        return self.traded.shape[0]

    @property
    def steps(self) -> int:
        """S."""
        return self.traded.shape[1]

    @property
    def most_trades(self) -> int:
        """Trades a period can have at most: units of the shorter side, or steps."""
        return min(self.steps, self.values.size, self.costs.size)


_EVENTS = ("traded", "price", "buyer", "seller", "value", "cost", "bidder", "asker")


def rounds_of(first: Any, events: Any, steps: int, solver: Solver = competitive_equilibrium) -> Round:
    """The rounds of a phase, leaves with a leading axis of copies.

    Args:
        first: the worlds at the start of the phase; `values` `[E, b, k]` and `costs` `[E, s, k]`.
        events: the game's events, leaves `[E, T]`.
        steps: S, steps in a period; T must be a multiple.
        solver: finds the competitive equilibrium of one period.
    """
    copies, ticks = events.traded.shape
    if ticks % steps:
        raise InputError(f"auction measures: a phase of {ticks} ticks does not hold whole periods of {steps} steps")
    laid_out = [getattr(events, name).reshape(copies, ticks // steps, steps) for name in _EVENTS]
    return Round(first.values, first.costs, jax.vmap(solver)(first.values, first.costs), *laid_out)


class AbstractAuctionMeasure(AbstractMeasure):
    """A formula of one round, applied to every copy; or of one period, with `by_period`.

    Args:
        every: static; evaluated at the end of every `every`-th phase.
        by_period: static; one value for each period of the round (dimension "period") instead of one for the
            round.
        solver: static; what counts as the competitive equilibrium. The exact one, unless a publication is to
            be read with its own (`rounded_grid_equilibrium`).
        suffix: static; appended to the names, where the same measure is taken twice.
    """

    every: int = count(1)
    by_period: bool = eqx.field(static=True, default=False, kw_only=True)
    solver: Solver = eqx.field(static=True, default=competitive_equilibrium, kw_only=True)
    suffix: str = eqx.field(static=True, default="", kw_only=True)

    @property
    @abc.abstractmethod
    def quantities(self) -> tuple[Variable, ...]:
        """What `of` returns; dimensions without copy and period."""

    @abc.abstractmethod
    def of(self, round: Round) -> dict[str, Array]:
        """The quantities of one round (or of one period, then P = 1)."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The quantities, for each copy (and period)."""
        axes = ("copy", "period") if self.by_period else ("copy",)
        return tuple(v._replace(name=v.name + self.suffix, dims=axes + v.dims) for v in self.quantities)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """Reads `dynamics.game.steps`, `record.first` (tokens) and `record.info` (events)."""
        rounds = rounds_of(record.first, record.info, dynamics.game.steps, self.solver)
        found = jax.vmap(self._of_periods if self.by_period else self.of)(rounds)
        return {name + self.suffix: value for name, value in found.items()}

    def _of_periods(self, round: Round) -> dict[str, Array]:
        """`of` for each period on its own, leading axis period."""

        def one(*events: Array) -> dict[str, Array]:
            return self.of(Round(round.values, round.costs, round.ce, *[x[None] for x in events]))

        return jax.vmap(one)(*[getattr(round, name) for name in _EVENTS])
