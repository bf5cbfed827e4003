"""The three-step fixed point with exact values: GMF-V, and the naive iteration with argmax-e."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.games.mean_field.mdp import real
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .choice import AbstractChoice, Softmax
from .decision import MOST_SWEEPS, SWEEP_TOLERANCE, best_response
from .population_map import AbstractPopulationMap, OneStep, check_weight
from .solver import AbstractMeanFieldSolver, Step, check_solver, distance, first_law


class FixedPointState(NamedTuple):
    """Where the iteration stands after step k."""

    law: Float[Array, "S A"]
    """L_{k+1}."""
    before: Float[Array, "S A"]
    """L_k."""
    policy: Float[Array, "S A"]
    """pi_k, which led from L_k to L_{k+1}."""
    value: Float[Array, " S"]
    """V*_{L_k}."""
    q: Float[Array, "S A"]
    """Q*_{L_k}."""
    step: Float[Array, ""]
    """||Gamma(pi_k, L_k) - L_k||_1."""
    two_steps: Float[Array, ""]
    """||L_{k+1} - L_{k-1}||_1: small where `step` is large means a cycle of length two."""
    inexact: Float[Array, ""]
    """What value iteration and the population map left undone; 0 where both converged."""

    def status(self) -> str:
        """Why the iteration is not at rest, in words, where the state shows it."""
        step, lag, inexact = float(self.step), float(self.two_steps), float(self.inexact)
        if inexact > step:
            return f"the inner iterations stop short by {inexact:.3g}; raise the limits on their numbers of steps"
        if lag < 0.01 * step:
            return f"period-2 cycle (step {step:.3g}, lag-2 step {lag:.3g}); damp with a smaller weight"
        return ""


class FixedPoint(AbstractMeanFieldSolver):
    """pi_k = choice(Q*_{L_k}); L_{k+1} = (1 - w) L_k + w Gamma(pi_k, L_k).

    With `Softmax(c)` this is GMF-V of the source, Q-learning replaced by value iteration; with `Argmax()` its naive
    algorithm without sampling noise. Value iteration starts from the last values and runs to `tol`.

    The residual is ||Gamma(pi_k, L_k) - L_k||_1 plus what inner iterations left undone. It says nothing of optimality:
    softmax of hard-maximum values is an equilibrium of no game, and its exploitability stays positive.

    Args:
        game: the mean-field game.
        choice: from action values to a policy.
        population: `OneStep()`, the map of the source, or `Stationary()`.
        weight: w in (0, 1]; 1 is the plain iteration. Less of it cures cycles of length two and slows the rest.
        start: L_0; uniform by default.
        dirichlet: draw L_0 from Dirichlet(1, ..., 1) instead, by the run's key.
        tol, max_sweeps: of value iteration.

    Raises:
        InputError: x64 is off or the game was built without it, transitions or `start` that are no distributions,
            w outside (0, 1].

    Source: GuoHuXuZhang2019, "Three-step approach", algorithm 2 and "Performance against full-information".
    Differs: the source runs 5000 sweeps whatever happens, and projects the law on a net.
    """

    game: AbstractMeanFieldGame
    choice: AbstractChoice = eqx.field(default_factory=Softmax)
    population: AbstractPopulationMap = eqx.field(default_factory=OneStep)
    weight: Float[Array, ""] = eqx.field(converter=real, default=1.0)
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = eqx.field(static=True, default=False)
    tol: float = eqx.field(static=True, default=SWEEP_TOLERANCE)
    max_sweeps: int = eqx.field(static=True, default=MOST_SWEEPS)

    def __check_init__(self):
        """Before anything runs."""
        check_solver("FixedPoint", self.game, self.start)
        check_weight("FixedPoint", self.weight)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> FixedPointState:
        """L_0, nothing solved yet."""
        law = first_law(self.game, self.start, self.dirichlet, key)
        blank, far = jnp.zeros_like(law), jnp.asarray(jnp.inf, law.dtype)
        return FixedPointState(law, blank, blank, blank[:, 0], blank, far, far, far)

    def step(self, key: Shaped[PRNGKeyArray, ""], state: FixedPointState, t: Int[Array, ""]) -> tuple[Any, Step]:
        """One outer iteration."""
        mdp = self.game.frozen(state.law)
        best = best_response(mdp, state.value, tol=self.tol, max_sweeps=self.max_sweeps)
        value, q = best.value
        policy = self.choice(q, mdp.legal)
        moved, left = self.population(self.game, policy, state.law)
        law = state.law + self.weight * (moved - state.law)
        undone = left + jnp.where(best.converged, 0.0, best.residual)
        apart = distance(law, state.before)
        after = FixedPointState(law, state.law, policy, value, q, distance(moved, state.law), apart, undone)
        return after, Step(policy, state.law, law)

    def residual(self, state: FixedPointState) -> Float[Array, ""]:
        """See above."""
        return state.step + state.inexact

    def policy(self, state: FixedPointState) -> Float[Array, "S A"]:
        """pi_k."""
        return state.policy

    def law(self, state: FixedPointState) -> Float[Array, "S A"]:
        """L_{k+1}."""
        return state.law
