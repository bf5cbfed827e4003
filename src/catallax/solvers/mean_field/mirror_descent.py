"""Online mirror descent on policies: it accumulates evaluated action values, never a best response."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import check_number
from catallax.games.mean_field.mdp import real
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .decision import evaluate
from .population_map import AbstractPopulationMap, OneStep
from .solver import AbstractMeanFieldSolver, Step, check_solver, distance, first_law, masked


class MirrorDescentState(NamedTuple):
    """Where the iteration stands."""

    scores: Float[Array, "S A"]
    """y: the policy is its softmax."""
    law: Float[Array, "S A"]
    inexact: Float[Array, ""]
    """What the population map left undone."""


class MirrorDescent(AbstractMeanFieldSolver):
    """pi = softmax(y); L <- Gamma(pi, L); y <- y + rate Q^pi_L.

    The residual bounds how far (pi, L) is from an equilibrium: max_{s, a} [Q^pi(s, a) - V^pi(s)] / (1 - gamma), which
    is at least the gain of the best deviation from any state at the law L, plus ||Gamma_2(pi, L) - L||_1.

    Args:
        game: the mean-field game.
        rate: step of the scores for each unit of action value; positive.
        population: how the law follows the policy; `OneStep(10)` by default, `Stationary()` for the exact flow.
        start: the first law; uniform by default.
        dirichlet: draw it from Dirichlet(1, ..., 1) instead, by the run's key.

    Raises:
        InputError: x64 is off or the game was built without it, transitions or `start` that are no distributions, a
            rate that is not positive.

    Source: PerolatEtAl2021 (finite horizon, continuous time); here the stationary discounted setting.
    """

    game: AbstractMeanFieldGame
    rate: Float[Array, ""] = eqx.field(converter=real, default=0.5)
    population: AbstractPopulationMap = eqx.field(default_factory=lambda: OneStep(10))
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        """Before anything runs."""
        check_solver("MirrorDescent", self.game, self.start)
        check_number("MirrorDescent", "rate", self.rate, "(0, inf)")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> MirrorDescentState:
        """Uniform policy, first law."""
        law = first_law(self.game, self.start, self.dirichlet, key)
        return MirrorDescentState(jnp.zeros_like(law), law, jnp.zeros((), law.dtype))

    def step(self, key: Shaped[PRNGKeyArray, ""], state: MirrorDescentState, t: Int[Array, ""]) -> tuple[Any, Step]:
        """One iteration."""
        policy = self.policy(state)
        law, left = self.population(self.game, policy, state.law)
        q = evaluate(self.game.frozen(law), policy).q
        scores = state.scores + self.rate * q
        scores = scores - scores.max(axis=1, keepdims=True)  # softmax forgets it, and numbers stay small
        return MirrorDescentState(scores, law, left), Step(policy, state.law, law)

    def residual(self, state: MirrorDescentState) -> Float[Array, ""]:
        """See above."""
        policy = self.policy(state)
        mdp = self.game.frozen(state.law)
        value, q = evaluate(mdp, policy)
        gain = (masked(q, mdp.legal).max(axis=1) - value).max() / (1 - mdp.discount)
        after = mdp.push(state.law.sum(axis=1)[:, None] * policy)[:, None] * policy
        return gain + distance(after, state.law) + state.inexact

    def policy(self, state: MirrorDescentState) -> Float[Array, "S A"]:
        """softmax(y)."""
        return jax.nn.softmax(masked(state.scores, self.game.legal), axis=1)

    def law(self, state: MirrorDescentState) -> Float[Array, "S A"]:
        """The law after the last iteration."""
        return state.law
