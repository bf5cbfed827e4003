"""Fixed-point iteration with exact values: the algorithms GMF-V (softmax) and naive (argmax-e) of Guo et al. (2019)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import count, flag, number, static_number
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .choice import AbstractChoice, Softmax
from .decision import MOST_SWEEPS, SWEEP_TOLERANCE, best_response
from .population_map import AbstractPopulationMap, OneStep
from .solver import AbstractMeanFieldSolver, SolverStep, check_solver, distance, first_law


class FixedPointState(NamedTuple):
    """The state of the iteration after step k."""

    law: Float[Array, "S A"]
    """L_{k+1}."""
    before: Float[Array, "S A"]
    """L_k."""
    policy: Float[Array, "S A"]
    """pi_k, the policy of the step from L_k to L_{k+1}."""
    value: Float[Array, " S"]
    """V*_{L_k}."""
    q: Float[Array, "S A"]
    """Q*_{L_k}."""
    step: Float[Array, ""]
    """||Gamma(pi_k, L_k) - L_k||_1."""
    two_steps: Float[Array, ""]
    """||L_{k+1} - L_{k-1}||_1; if it is small and `step` is large, the iteration is in a cycle of length two."""
    inexact: Float[Array, ""]
    """The sum of the residuals of value iteration and of the population map; 0 if both converged."""

    def status(self) -> str:
        """A text that says why the iteration is not at rest; empty where the state does not show the reason."""
        step, lag, inexact = float(self.step), float(self.two_steps), float(self.inexact)
        if inexact > step:
            return f"the inner iterations stop short by {inexact:.3g}; raise the limits on their numbers of steps"
        if lag < 0.01 * step:
            return f"period-2 cycle (step {step:.3g}, lag-2 step {lag:.3g}); damp with a smaller weight"
        return ""


class FixedPoint(AbstractMeanFieldSolver):
    """The iteration pi_k = choice(Q*_{L_k}), L_{k+1} = (1 - w) L_k + w Gamma(pi_k, L_k).

    With `Softmax(c)` it is GMF-V of the source, in which value iteration takes the place of Q-learning. With `Argmax()`
    it is the naive algorithm of the source without sampling noise. Value iteration starts from the values of the last
    step and runs to `tol`.

    The residual is ||Gamma(pi_k, L_k) - L_k||_1 plus the residuals of the inner iterations. A small residual does not
    mean a small exploitability, because the softmax of optimal values is no best response in any game.

    Args:
        game: the mean-field game.
        choice: the rule from action values to a policy.
        population: the population map Gamma: `OneStep()`, as in the source, or `Stationary()`.
        weight: w in (0, 1]; 1 is the plain iteration. Smaller ones prevent cycles of length two and slow convergence.
        start: L_0; None for the uniform law.
        dirichlet: whether L_0 is drawn from Dirichlet(1, ..., 1) instead, by the run's key.
        tol, max_sweeps: of value iteration.

    Raises:
        InputError: x64 is off or the game was built without it, transitions or `start` are no distributions, or w is
            outside (0, 1].

    Source: GuoHuXuZhang2019, "Three-step approach", algorithm 2 and "Performance against full-information".
    Differs: the source always runs 5000 sweeps, and projects the law on a net.
    """

    game: AbstractMeanFieldGame
    choice: AbstractChoice = eqx.field(default_factory=Softmax)
    population: AbstractPopulationMap = eqx.field(default_factory=OneStep)
    weight: Float[Array, ""] = number(1.0, "(0, 1]")
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = flag(False)
    tol: float = static_number(SWEEP_TOLERANCE, "(0, inf)")
    max_sweeps: int = count(MOST_SWEEPS)

    def __check_init__(self):
        """Checks the precision, the game and the first law."""
        check_solver("FixedPoint", self.game, self.start)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> FixedPointState:
        law = first_law(self.game, self.start, self.dirichlet, key)
        blank, far = jnp.zeros_like(law), jnp.asarray(jnp.inf, law.dtype)
        return FixedPointState(law, blank, blank, blank[:, 0], blank, far, far, far)

    def step(self, key: Shaped[PRNGKeyArray, ""], state: FixedPointState, t: Int[Array, ""]) -> tuple[Any, SolverStep]:
        mdp = self.game.frozen(state.law)
        best = best_response(mdp, state.value, tol=self.tol, max_sweeps=self.max_sweeps)
        value, q = best.value
        policy = self.choice(q, mdp.legal)
        moved, left = self.population(self.game, policy, state.law)
        law = state.law + self.weight * (moved - state.law)
        undone = left + jnp.where(best.converged, 0.0, best.residual)
        apart = distance(law, state.before)
        after = FixedPointState(law, state.law, policy, value, q, distance(moved, state.law), apart, undone)
        return after, SolverStep(policy, state.law, law)

    def residual(self, state: FixedPointState) -> Float[Array, ""]:
        """||Gamma(pi_k, L_k) - L_k||_1 plus the residuals of the inner iterations."""
        return state.step + state.inexact

    def policy(self, state: FixedPointState) -> Float[Array, "S A"]:
        return state.policy

    def law(self, state: FixedPointState) -> Float[Array, "S A"]:
        return state.law
