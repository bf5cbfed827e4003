"""The clock of a trader that waits: how long ago the market and it traded, and whether its time is running out."""

from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from catallax.games.double_auction.observation import TraderView


@runtime_checkable
class Waiting(Protocol):
    """What a waiting trader remembers, ticks counted from 1 in each period. Any memory with these fields will do."""

    @property
    def period(self) -> Int[Array, ""]:
        """The period that the rest is about."""
        ...

    @property
    def last_trade(self) -> Int[Array, ""]:
        """Tick of the last trade; 0 before the first."""
        ...

    @property
    def own_last_trade(self) -> Int[Array, ""]:
        """Tick of the last own trade; 0 before the first."""
        ...

    @property
    def traded(self) -> Int[Array, ""]:
        """Own trades of the period."""
        ...


def own_trade(memory: Waiting, obs: TraderView) -> Bool[Array, ""]:
    """Whether the trader itself traded in the last tick. Not seen of a period's last tick: the count is back at 0."""
    return obs.traded > jnp.where(obs.period != memory.period, 0, memory.traded)


def last_trades(memory: Waiting, obs: TraderView) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """`last_trade` and `own_last_trade` after the last tick, which is `obs.time - 1`; 0 at the start of a period."""
    turned, before = obs.period != memory.period, obs.time - 1
    market = jnp.where(turned, 0, jnp.where(obs.tape.sale, before, memory.last_trade))
    own = jnp.where(turned, 0, jnp.where(own_trade(memory, obs), before, memory.own_last_trade))
    return market, own


def running_out(memory: Waiting, obs: TraderView) -> Bool[Array, ""]:
    """t - last trade >= (T - t) / 2, or t - own last trade >= 2/3 (T - t) and t - last trade >= 5, at tick t of T.

    Source: Kaplan's program as ported by Rawat (2025); Rust, Miller and Palmer (1994) only say "time is running out".
    """
    left, idle = obs.steps - obs.time, obs.time - memory.last_trade
    mine = obs.time - memory.own_last_trade
    return (2 * idle >= left) | ((3 * mine >= 2 * left) & (idle >= 5))
