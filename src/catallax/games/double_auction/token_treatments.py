"""Tokens of experimental treatments: supply that does not respond to the price, and one draw kept for all rounds."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, check_count, known, rng

from .tokens import AbstractTokens


class InelasticSupply(AbstractTokens):
    """Buyers draw from `demand`; every seller has `supplied` units that all cost the same.

    Supply is vertical at supplied x sellers: where that is less than demand at the cost, the competitive interval lies
    between the values of the last unit served and of the first one not served.

    Args:
        demand: draws the buyers' values (its costs are not used).
        cost: of every unit, price units.
        supplied: units a seller has; at most the units of `demand`.

    Raises:
        InputError: more units supplied than a trader of this market may have, or a cost that is no finite number.

    Source: Rawat (2023), experiment B2, named there without numbers; cost and units are ours (see the experiment).
    """

    units: int = eqx.field(static=True)
    demand: AbstractTokens
    cost: Float[Array, ""]
    supplied: int = eqx.field(static=True)

    def __init__(self, demand: AbstractTokens, cost: Any = 50.0, supplied: int = 2) -> None:
        self.demand, self.units, self.supplied = demand, demand.units, supplied
        self.cost = jnp.asarray(cost, jnp.float32)
        check_count("InelasticSupply", "supplied", supplied)
        if supplied > self.units:
            raise InputError(f"InelasticSupply: supplied is {supplied}, traders have at most {self.units} units")
        given = known(self.cost)
        if given is not None and not (np.ndim(given) == 0 and np.isfinite(given)):
            raise InputError(f"InelasticSupply: cost must be finite, one number, got {given}")

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        """Values of `demand`; costs all alike, +inf for units a seller does not have."""
        values, _ = self.demand.draw(key, buyers, sellers)
        costs = jnp.where(jnp.arange(self.units) < self.supplied, self.cost, jnp.inf)
        return values, jnp.broadcast_to(costs, (sellers, self.units))


class KeptDraw(AbstractTokens):
    """One draw of `tokens`, the same in every round, copy and replication.

    Args:
        tokens: what is drawn from.
        number: which draw; an array, so that several draws can be the lanes of one program.

    Raises:
        InputError: a number that is no integer.

    Source: Rawat (2023), experiment B5; in its code, what giving a seed amounts to.
    """

    units: int = eqx.field(static=True)
    tokens: AbstractTokens
    number: Int[Array, ""]

    def __init__(self, tokens: AbstractTokens, number: Any = 0) -> None:
        given = known(number)
        if given is not None and not (np.ndim(given) == 0 and given == np.floor(given) and abs(given) < 2**31):
            raise InputError(f"KeptDraw: number must be an integer, got {given}: it says which draw")
        self.tokens, self.units, self.number = tokens, tokens.units, jnp.asarray(number, jnp.int32)

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        """The draw of that number. The key is not used."""
        return self.tokens.draw(rng.fold(rng.key(0), self.number), buyers, sellers)
