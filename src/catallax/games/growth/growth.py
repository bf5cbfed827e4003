"""Stochastic growth with logarithmic utility and full depreciation, whose best policy is known in closed form."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import (
    AbstractGame,
    InputError,
    Interface,
    Outcome,
    Real,
    Role,
    known,
    number,
    numbers,
    rng,
    static_number,
)


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
    productivity: Float[Array, ""]
    """z, with which it produced."""
    infeasible: dict[str, Bool[Array, " 1"]]
    """Whether the household named a share outside [floor, 1 - floor]."""


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
    consumption shows it and `infeasible` says so. With the default 1e-4 the bounds are far from any sensible share.

    Args:
        alpha: capital's share in output.
        beta: discount factor.
        productivity: values of z, positive.
        transition: row i is the law of the next z after the i-th; rows sum to 1.
        floor: least share that is eaten and least that is saved.

    Raises:
        InputError: a parameter outside its range, or rows that are not laws. Of traced values only the shapes are
            looked at.

    Source: Brock and Mirman (1972); the closed form with logarithmic utility is in Long and Plosser (1983) for many
        goods and any process of productivity.
    """

    alpha: Float[Array, ""] = number(0.36, "(0, 1)")
    beta: Float[Array, ""] = number(0.95, "(0, 1)")
    productivity: Float[Array, " states"] = numbers((0.9, 1.1))
    transition: Float[Array, "states states"] = numbers(((0.9, 0.1), (0.1, 0.9)))
    floor: float = static_number(1e-4, "(0, 0.5)")

    def __check_init__(self) -> None:
        z, law = self.productivity, self.transition
        if z.ndim != 1 or z.size == 0:
            raise InputError(f"BrockMirman: productivity must be a list of numbers, got shape {z.shape}")
        if known(z) is not None and not (np.isfinite(np.asarray(z)) & (np.asarray(z) > 0)).all():
            raise InputError(f"BrockMirman: productivity must be positive and finite, got {z}")
        if law.shape != (z.size, z.size):
            raise InputError(f"BrockMirman: transition must be {z.size} x {z.size}, as productivity, got {law.shape}")
        if known(law) is not None:
            rows = np.asarray(law)
            if not (rows >= 0).all() or not np.allclose(rows.sum(axis=1), 1, atol=1e-6):
                raise InputError(f"BrockMirman: each row of transition must be probabilities that sum to 1, got {rows}")

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

    def best_value(self, world: GrowthWorld) -> Float[Array, ""]:
        """The value of the best policy: expected discounted rewards from `world` on.

        V(k, z_i) = a_i + B ln k with B = alpha / (1 - alpha beta) and, P the transition and s = alpha beta,
        a = (I - beta P)^(-1) [ln(1 - s) - ln c_ss + beta B ln s + ln z / (1 - alpha beta)].
        """
        best, slope = self.best_share, self.alpha / (1 - self.best_share)
        flow = jnp.log(1 - best) - jnp.log(self.steady_consumption) + self.beta * slope * jnp.log(best)
        states = jnp.eye(self.productivity.shape[-1]) - self.beta * self.transition
        level = jnp.linalg.solve(states, flow + jnp.log(self.productivity) / (1 - best))
        return level[world.state] + slope * jnp.log(world.capital)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> GrowthWorld:
        """Capital and productivity drawn. Consumes the key."""
        bits = rng.key_bits(key)
        low, high = np.log(0.1), np.log(2.0)
        capital = self.steady_capital * jnp.exp(low + (high - low) * rng.to_uniform(bits.first))
        return GrowthWorld(capital, rng.to_integer(bits.second, self.productivity.shape[-1]))

    def observe(self, world: GrowthWorld) -> dict[str, GrowthView]:
        """Capital, productivity and the unit of capital."""
        seen = GrowthView(world.capital, self.productivity[world.state], self.steady_capital)
        return {"household": jax.tree.map(lambda x: x[None], seen)}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: GrowthWorld, action: dict[str, Float[Array, " 1"]]
    ) -> tuple[GrowthWorld, Outcome]:
        """Production, consumption, investment, the next shock. Consumes the key."""
        named = action["household"]
        infeasible = ~((named >= self.floor) & (named <= 1 - self.floor))
        share = jnp.clip(named[0], self.floor, 1 - self.floor)
        output = self.productivity[world.state] * world.capital**self.alpha
        consumption = (1 - share) * output
        reward = jnp.log(consumption) - jnp.log(self.steady_consumption)
        below = jnp.cumsum(self.transition[world.state])
        state = rng.inverse_cdf(rng.uniform(key), below / below[-1])  # the last is 1 and never reached
        event = GrowthEvent(
            output, consumption, world.capital, self.productivity[world.state], {"household": infeasible}
        )
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
