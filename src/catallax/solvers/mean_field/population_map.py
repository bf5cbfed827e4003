"""Population maps: from a policy and a law to the law it brings about. The literature uses two; both are named here.

`OneStep` is the map Gamma_2 of Guo et al.: the population moves by one round. `Stationary` is its limit, the law that
the policy keeps: Gamma^infinity of the literature on stationary mean-field games and of karma economies.
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, Solution, check_count, check_number, rng, solve
from catallax.games.mean_field.mdp import real
from catallax.games.mean_field.model import AbstractMeanFieldGame, check_law, check_policy

from .solver import distance, require_double

LAW_TOLERANCE = 1e-12
"""Of a stationary law, in l1."""


def one_step(game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]) -> Float[Array, "S A"]:
    """Gamma_2(pi, L): the law of (s', a') for s ~ mu, a ~ pi(s), s' ~ P_L(s, a), a' ~ pi(s').

    Of L its state marginal mu moves on, and L as a whole shapes the transitions.

    Source: GuoHuXuZhang2019, "Mappings Gamma_1 and Gamma_2".
    """
    now = law.sum(axis=1)[:, None] * policy
    return game.frozen(law).push(now)[:, None] * policy


class Flow(NamedTuple):
    """A law and how far its last step went."""

    law: Float[Array, "S A"]
    change: Float[Array, ""]


class PopulationFlow(AbstractDynamics):
    """A population that keeps to a policy: L <- (1 - w) L + w Gamma_2(pi, L). The residual is ||Gamma_2(pi, L) - L||_1.

    Where several laws are stationary (a reducible chain) the first one decides which is reached; a periodic chain comes
    to rest only with `weight` w < 1, which leaves the stationary laws as they are.

    Raises:
        InputError: x64 is off, the policy's rows or the law are no distributions, w outside (0, 1].
    """

    game: AbstractMeanFieldGame
    policy: Float[Array, "S A"]
    start: Float[Array, "S A"]
    weight: Float[Array, ""] = eqx.field(converter=real, default=1.0)

    def __check_init__(self):
        """Before anything runs."""
        require_double("PopulationFlow", self.game)
        check_policy(self.policy, self.game.legal, "PopulationFlow")
        check_law(self.start, self.game, "PopulationFlow")
        check_weight("PopulationFlow", self.weight)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Flow:
        """The first law, played with the policy. Draws nothing."""
        return Flow(self.start.sum(axis=1)[:, None] * self.policy, jnp.asarray(jnp.inf))

    def step(self, key: Shaped[PRNGKeyArray, ""], state: Flow, t: Int[Array, ""]) -> tuple[Flow, tuple]:
        """One round."""
        after = one_step(self.game, self.policy, state.law)
        return Flow(state.law + self.weight * (after - state.law), distance(after, state.law)), ()

    def residual(self, state: Flow) -> Float[Array, ""]:
        """See above; of the law before the last step."""
        return state.change


def stationary_law(
    game: AbstractMeanFieldGame,
    policy: Float[Array, "S A"],
    start: Float[Array, "S A"],
    *,
    weight: float = 1.0,
    tol: float = LAW_TOLERANCE,
    max_steps: int = 100_000,
) -> Solution:
    """The law that a policy keeps, reached from `start`; a `Solution` whose value is the law.

    Raises:
        InputError: as `PopulationFlow`. The result's `require()` raises `NumericalError` if it did not converge.
    """
    flow = PopulationFlow(game, policy, start, weight)
    found = solve(flow, rng.key(0), tol=tol, max_steps=max_steps)  # deterministic: no draw
    return found._replace(value=found.value.law)


class AbstractPopulationMap(eqx.Module):
    """How a solver moves the population between two policies."""

    @abc.abstractmethod
    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """The next law, and how far it may be from what the map defines (0 where it is exact)."""


class OneStep(AbstractPopulationMap):
    """`times` rounds; 1 is Gamma_2 of the source."""

    times: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        """At least one."""
        check_count("OneStep", "times", self.times)

    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """Gamma_2 applied so many times, always with the same policy."""
        after = jax.lax.fori_loop(0, self.times, lambda _, x: one_step(game, policy, x), law)
        return after, jnp.zeros((), law.dtype)


class Stationary(AbstractPopulationMap):
    """Rounds until the law moves by at most `tol` in l1; what is left is part of the solver's residual."""

    tol: float = eqx.field(static=True, default=LAW_TOLERANCE)
    max_steps: int = eqx.field(static=True, default=100_000)
    weight: float = eqx.field(static=True, default=1.0)

    def __check_init__(self):
        """Sensible numbers."""
        check_number("Stationary", "tol", self.tol, "(0, inf)")
        check_number("Stationary", "max_steps", self.max_steps, "[1, inf)")
        check_weight("Stationary", self.weight)

    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """The stationary law reached from `law`."""
        found = stationary_law(game, policy, law, weight=self.weight, tol=self.tol, max_steps=self.max_steps)
        return found.value, jnp.where(found.converged, 0.0, found.residual)


def check_weight(who: str, weight: object) -> None:
    """Raises `InputError` unless 0 < weight <= 1, where it can be seen."""
    check_number(who, "weight", weight, "(0, 1]")
