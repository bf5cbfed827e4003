"""Stochastic growth with logarithmic utility and full depreciation, whose best policy is known in closed form."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, InputError, Interface, Outcome, Real, Role, rng

_number = lambda x: jnp.asarray(x, jnp.float32)


class GrowthWorld(NamedTuple):
    """What a period inherits."""

    capital: Float[Array, ""]
    state: Int[Array, ""]
    """Which productivity prevails."""


class GrowthEvent(NamedTuple):
    """What a period brought, goods units."""

    output: Float[Array, ""]
    consumption: Float[Array, ""]
    capital: Float[Array, ""]
    """Capital that produced."""


class GrowthView(NamedTuple):
    """What the household sees, before it saves: goods units and productivity."""

    capital: Float[Array, "*batch"]
    productivity: Float[Array, "*batch"]
    steady: Float[Array, "*batch"]
    """Capital of the deterministic steady state, the natural unit of `capital`."""


class BrockMirman(AbstractGame):
    """One household that eats or invests: y = z k^alpha, c = (1 - s) y, k' = s y, where s is the share it saves.

    Utility is ln c, capital lives one period, productivity z follows a Markov chain and is seen before saving. The
    household's best policy is s = alpha beta for every k and every process of z. The reward is ln c - ln c_ss, c_ss
    the steady state's consumption at z = 1: a constant changes no policy and keeps values small. The discount of each
    tick is beta (the game's own). An episode starts at ln(k / k_ss) uniform on [ln 0.1, ln 2] and a uniform state of z;
    it has no end: cut it anywhere and bootstrap.

    A saving share outside [floor, 1 - floor] is moved to the nearest bound, since ln 0 is not a utility; the event's
    consumption shows it. With the default 1e-4 the bounds are far from any sensible share.

    Args:
        alpha: capital's share in output, in (0, 1).
        beta: discount factor, in (0, 1).
        productivity: values of z, positive.
        transition: row i is the law of the next z after the i-th; rows sum to 1.

    Raises:
        InputError: a parameter outside its range, or rows that are not laws. Traced values are not looked at.

    Source: Brock and Mirman (1972); Stokey and Lucas (1989), exercise 2.2.
    """

    alpha: Float[Array, ""] = eqx.field(converter=_number, default=0.36)
    beta: Float[Array, ""] = eqx.field(converter=_number, default=0.95)
    productivity: Float[Array, " states"] = eqx.field(converter=_number, default=(0.9, 1.1))
    transition: Float[Array, "states states"] = eqx.field(converter=_number, default=((0.9, 0.1), (0.1, 0.9)))
    floor: float = eqx.field(static=True, default=1e-4)

    def __check_init__(self) -> None:
        """What can be known before play."""
        if any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(self)):
            return
        for name in ("alpha", "beta"):
            value = np.asarray(getattr(self, name))
            if not ((value > 0) & (value < 1)).all():
                raise InputError(f"BrockMirman: {name} must lie in (0, 1), got {value}")
        z, law = np.asarray(self.productivity), np.asarray(self.transition)
        if z.ndim != 1 or z.size == 0 or not (np.isfinite(z) & (z > 0)).all():
            raise InputError(f"BrockMirman: productivity must be a list of positive numbers, got {z}")
        if law.shape != (z.size, z.size) or (law < 0).any() or not np.allclose(law.sum(axis=1), 1, atol=1e-6):
            raise InputError(
                f"BrockMirman: transition must have {z.size} rows that are probabilities of {z.size} states, got {law}"
            )

    @property
    def roles(self) -> tuple[Role, ...]:
        """One household that names a saving share."""
        return (Role("household", 1, Real(0.0, 1.0)),)

    @property
    def best_share(self) -> Float[Array, ""]:
        """The best policy: save alpha beta of output, whatever the state."""
        return self.alpha * self.beta

    @property
    def steady_capital(self) -> Float[Array, ""]:
        """Capital at rest with z = 1 under the best policy: (alpha beta)^(1 / (1 - alpha)), goods units."""
        return self.best_share ** (1 / (1 - self.alpha))

    @property
    def steady_consumption(self) -> Float[Array, ""]:
        """Consumption at rest with z = 1 under the best policy, goods units."""
        return (1 - self.best_share) * self.steady_capital**self.alpha

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> GrowthWorld:
        """Capital and productivity drawn. Consumes the key."""
        words = rng.bits(key)
        low, high = np.log(0.1), np.log(2.0)
        capital = self.steady_capital * jnp.exp(low + (high - low) * rng.unit(words.first))
        return GrowthWorld(capital, rng.below(words.second, self.productivity.shape[-1]))

    def observe(self, world: GrowthWorld) -> dict[str, GrowthView]:
        """Capital, productivity and the unit of capital."""
        seen = GrowthView(world.capital, self.productivity[world.state], self.steady_capital)
        return {"household": jax.tree.map(lambda x: x[None], seen)}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: GrowthWorld, action: dict[str, Float[Array, " 1"]]
    ) -> tuple[GrowthWorld, Outcome]:
        """Production, consumption, investment, the next shock. Consumes the key."""
        share = jnp.clip(action["household"][0], self.floor, 1 - self.floor)
        output = self.productivity[world.state] * world.capital**self.alpha
        consumption = (1 - share) * output
        reward = jnp.log(consumption) - jnp.log(self.steady_consumption)
        passed: Bool[Array, " states"] = jnp.cumsum(self.transition[world.state]) <= rng.uniform(key)
        state = jnp.minimum(passed.sum(dtype=jnp.int32), self.productivity.shape[-1] - 1)
        event = GrowthEvent(output, consumption, world.capital)
        return GrowthWorld(share * output, state), Outcome(
            {"household": reward[None]}, {"household": self.beta[None]}, event
        )


def log_deviations(obs: GrowthView) -> Float[Array, " 2"]:
    """The view of a learner: (ln(k / k_ss), ln z)."""
    return jnp.stack([jnp.log(obs.capital / obs.steady), jnp.log(obs.productivity)])


def saving_share(obs: GrowthView, action: Float[Array, ""]) -> Float[Array, ""]:
    """A real number spoken as a share: 1 / (1 + exp(-a)); 0 saves half."""
    return jax.nn.sigmoid(action)


def saving_interface() -> Interface:
    """Log deviations in, a logistic share out."""
    return Interface(view=log_deviations, move=saving_share)
