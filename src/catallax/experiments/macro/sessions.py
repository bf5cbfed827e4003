"""Reading pricing sessions out of results: each is judged at the first check after it has settled."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from catallax.games.macro import PricingGame
from catallax.measures.macro import Deviation, deviation, limit_cycle

PERIODS = 15
"""How far impulse responses are looked at."""


class Settled(NamedTuple):
    """Sessions where they settled; NaN where one did not."""

    value: np.ndarray
    """The variable at the first check at which the session was settled, `[replicate, ...]`."""
    periods: np.ndarray
    """Periods until the stopping rule held, its window of stability included, `[replicate]`."""


def settled(results: Any, cell: str, variable: str, patience: int = 100_000) -> Settled:
    """A variable of `Collusion` at the end of each session."""
    data = results.dataset(cell)
    flag = data["settled"].values.astype(bool)
    first, ever = flag.argmax(axis=1), flag.any(axis=1)
    row = np.arange(flag.shape[0])
    value = data[variable].values[row, first].astype(float)
    value[~ever] = np.nan
    checked = data["phase"].values[first] + 1
    periods = checked - data["stable"].values[row, first] + patience
    return Settled(value, np.where(ever, periods, np.nan).astype(float))


def deviations(results: Any, cell: str, game: PricingGame, discount: float) -> Deviation:
    """Impulse responses of all sessions from their last state, leaves `[replicate, ...]`; firm 1 deviates."""
    state = results.final(cell)
    policy, world = jnp.asarray(state.agents[0].greedy), jnp.asarray(state.worlds)[:, 0]

    def one(policy: Any, world: Any) -> Deviation:
        return deviation(game, policy, limit_cycle(game, policy, world).world, discount, periods=PERIODS + 10)

    return Deviation(*(np.asarray(x, float) for x in jax.jit(jax.vmap(one))(policy, world)))
