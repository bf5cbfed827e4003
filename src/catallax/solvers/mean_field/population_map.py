"""Population maps: the next law of the population, given its policy and its law.

The literature uses two. `OneStep` is the map Gamma_2 of Guo et al., one round of the population. `Stationary` is its
limit, the stationary law of the policy: Gamma^infinity in the literature on stationary mean-field games and on karma
economies.
"""

import abc
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, Parametrized, Solution, count, number, rng, solve, static_number
from catallax.games.mean_field.model import AbstractMeanFieldGame, check_law, check_policy

from .solver import distance, require_double

LAW_TOLERANCE = 1e-12
"""The tolerance of a stationary law, in l1."""


def one_step(game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]) -> Float[Array, "S A"]:
    """Gamma_2(pi, L): the law of (s', a') for s ~ mu, a ~ pi(s), s' ~ P_L(s, a), a' ~ pi(s').

    Here mu is the state marginal of L; the transitions depend on the whole of L.

    Source: GuoHuXuZhang2019, "Mappings Gamma_1 and Gamma_2".
    """
    now = law.sum(axis=1)[:, None] * policy
    return game.frozen(law).push(now)[:, None] * policy


class PopulationFlowState(NamedTuple):
    """A law, and the residual of the law before it."""

    law: Float[Array, "S A"]
    change: Float[Array, ""]
    """||Gamma_2(pi, L) - L||_1 of the law before the last step; +inf at the start."""


class PopulationFlow(AbstractDynamics):
    """The flow of laws under a fixed policy: L <- (1 - w) L + w Gamma_2(pi, L).

    If several laws are stationary (the chain is reducible), the first law decides which is reached. A periodic chain
    converges only with a weight w < 1, which does not change the stationary laws. The residual is
    ||Gamma_2(pi, L) - L||_1 of the law before the last step. The dynamics draws nothing.

    Args:
        game: the mean-field game.
        policy: pi, the policy of all players.
        start: the first law; its state marginal is used.
        weight: w in (0, 1].

    Raises:
        InputError: x64 is off, the policy's rows or the law are no distributions, or w is outside (0, 1].
    """

    game: AbstractMeanFieldGame
    policy: Float[Array, "S A"]
    start: Float[Array, "S A"]
    weight: Float[Array, ""] = number(1.0, "(0, 1]")

    def __check_init__(self):
        """Checks the precision, the policy and the law."""
        require_double("PopulationFlow", self.game)
        check_policy(self.policy, self.game.legal, "PopulationFlow")
        check_law(self.start, self.game, "PopulationFlow")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PopulationFlowState:
        """The law with the state marginal of `start` and actions drawn from the policy."""
        return PopulationFlowState(self.start.sum(axis=1)[:, None] * self.policy, jnp.asarray(jnp.inf))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: PopulationFlowState, t: Int[Array, ""]
    ) -> tuple[PopulationFlowState, tuple]:
        after = one_step(self.game, self.policy, state.law)
        law = state.law + self.weight * (after - state.law)
        return PopulationFlowState(law, distance(after, state.law)), ()

    def residual(self, state: PopulationFlowState) -> Float[Array, ""]:
        """||Gamma_2(pi, L) - L||_1 of the law before the last step."""
        return state.change


def stationary_law(
    game: AbstractMeanFieldGame,
    policy: Float[Array, "S A"],
    start: Float[Array, "S A"],
    *,
    weight: Any = 1.0,
    tol: float = LAW_TOLERANCE,
    max_steps: int = 100_000,
) -> Solution:
    """The stationary law of a policy that is reached from `start`, as a `Solution` whose value is the law.

    Args:
        game, policy, start, weight: as in `PopulationFlow`.
        tol: the tolerance of the residual.
        max_steps: the largest number of rounds.

    Raises:
        InputError: as `PopulationFlow`. The result's `require()` raises `NumericalError` if it did not converge.
    """
    flow = PopulationFlow(game, policy, start, weight)
    found = solve(flow, rng.key(0), tol=tol, max_steps=max_steps)  # the key is not used
    return found._replace(value=found.value.law)


class AbstractPopulationMap(Parametrized):
    """A map from a policy and a law to the next law."""

    @abc.abstractmethod
    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """The next law, and the residual of the computation (0 if it is exact)."""


class OneStep(AbstractPopulationMap):
    """`times` rounds of the population with the same policy; one round is Gamma_2."""

    times: int = count(1)

    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """Gamma_2 applied `times` times, and 0."""
        after = jax.lax.fori_loop(0, self.times, lambda _, x: one_step(game, policy, x), law)
        return after, jnp.zeros((), law.dtype)


class Stationary(AbstractPopulationMap):
    """The stationary law of the policy, to the tolerance `tol` in l1; a remaining residual is part of the solver's.

    Args:
        tol, max_steps, weight: as in `stationary_law`.
    """

    tol: float = static_number(LAW_TOLERANCE, "(0, inf)")
    max_steps: int = count(100_000)
    weight: float = static_number(1.0, "(0, 1]")

    def __call__(
        self, game: AbstractMeanFieldGame, policy: Float[Array, "S A"], law: Float[Array, "S A"]
    ) -> tuple[Float[Array, "S A"], Float[Array, ""]]:
        """The stationary law that is reached from `law`, and its residual (0 if it converged)."""
        found = stationary_law(game, policy, law, weight=self.weight, tol=self.tol, max_steps=self.max_steps)
        return found.value, jnp.where(found.converged, 0.0, found.residual)
