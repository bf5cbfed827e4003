"""Online mirror descent: policies are the softmax of accumulated action values."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import flag, number
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .decision import evaluate
from .population_map import AbstractPopulationMap, OneStep
from .solver import AbstractMeanFieldSolver, SolverStep, check_solver, distance, first_law, masked


class MirrorDescentState(NamedTuple):
    """The state of the iteration."""

    scores: Float[Array, "S A"]
    """y, whose softmax is the policy."""
    law: Float[Array, "S A"]
    inexact: Float[Array, ""]
    """The residual of the population map; 0 if it converged."""


class MirrorDescent(AbstractMeanFieldSolver):
    """The iteration pi = softmax(y), L <- Gamma(pi, L), y <- y + rate Q^pi_L.

    The residual is max_{s, a} [Q^pi(s, a) - V^pi(s)] / (1 - gamma) plus ||Gamma_2(pi, L) - L||_1. The first term is an
    upper bound on the gain of the best deviation from any state at the law L.

    Args:
        game: the mean-field game.
        rate: the step of the scores per unit of action value, positive.
        population: the population map Gamma; `OneStep(10)` by default, `Stationary()` for the stationary law.
        start: the first law; None for the uniform law.
        dirichlet: whether the first law is drawn from Dirichlet(1, ..., 1) instead, by the run's key.

    Raises:
        InputError: x64 is off or the game was built without it, transitions or `start` are no distributions, or the
            rate is not positive.

    Source: PerolatEtAl2021.
    Differs: the game here is stationary and discounted, and time is discrete; the source has a finite horizon and
        continuous time.
    """

    game: AbstractMeanFieldGame
    rate: Float[Array, ""] = number(0.5, "(0, inf)")
    population: AbstractPopulationMap = eqx.field(default_factory=lambda: OneStep(10))
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = flag(False)

    def __check_init__(self):
        """Checks the precision, the game and the first law."""
        check_solver("MirrorDescent", self.game, self.start)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> MirrorDescentState:
        """The scores of the uniform policy, and the first law."""
        law = first_law(self.game, self.start, self.dirichlet, key)
        return MirrorDescentState(jnp.zeros_like(law), law, jnp.zeros((), law.dtype))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: MirrorDescentState, t: Int[Array, ""]
    ) -> tuple[Any, SolverStep]:
        policy = self.policy(state)
        law, left = self.population(self.game, policy, state.law)
        q = evaluate(self.game.frozen(law), policy).q
        scores = state.scores + self.rate * q
        scores = scores - scores.max(axis=1, keepdims=True)  # the softmax is the same, and numbers stay small
        return MirrorDescentState(scores, law, left), SolverStep(policy, state.law, law)

    def residual(self, state: MirrorDescentState) -> Float[Array, ""]:
        """A bound on the gain of a deviation, plus the change of the law in one step."""
        policy = self.policy(state)
        mdp = self.game.frozen(state.law)
        value, q = evaluate(mdp, policy)
        gain = (masked(q, mdp.legal).max(axis=1) - value).max() / (1 - mdp.discount)
        after = mdp.push(state.law.sum(axis=1)[:, None] * policy)[:, None] * policy
        return gain + distance(after, state.law) + state.inexact

    def policy(self, state: MirrorDescentState) -> Float[Array, "S A"]:
        return jax.nn.softmax(masked(state.scores, self.game.legal), axis=1)

    def law(self, state: MirrorDescentState) -> Float[Array, "S A"]:
        """The law after the last iteration."""
        return state.law
