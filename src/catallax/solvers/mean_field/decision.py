"""The decision problem of one player for a fixed law of the population: best responses and values of policies."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, Solution, rng, solve
from catallax.games.mean_field.mdp import AbstractMDP, check_mdp
from catallax.games.mean_field.model import check_policy

from .solver import masked, require_double

SWEEP_TOLERANCE = 1e-13
"""The tolerance of value iteration, relative to 1 + max |V|."""
MOST_SWEEPS = 20_000
"""The largest number of sweeps of value iteration."""


class ValueIterationState(NamedTuple):
    """Values, and the change that the last sweep made."""

    value: Float[Array, " S"]
    change: Float[Array, ""]
    """max |change of V| / (1 + max |V|)."""


class ValueIteration(AbstractDynamics):
    """V <- max_a [r(s, a) + gamma E V(s')] over legal actions.

    The residual is max |change of V| / (1 + max |V|) of the last sweep; the error of V is at most gamma / (1 - gamma)
    times as large. The dynamics draws nothing.

    Raises:
        InputError: x64 is off, or the problem is no decision problem (rows of transitions are no distributions, or a
            state has no legal action).
    """

    mdp: AbstractMDP

    def __check_init__(self):
        """Checks the precision and the problem."""
        require_double("ValueIteration", self.mdp)
        check_mdp(self.mdp, "ValueIteration")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> ValueIterationState:
        return ValueIterationState(jnp.zeros(self.mdp.reward.shape[0], self.mdp.reward.dtype), jnp.asarray(jnp.inf))

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: ValueIterationState, t: Int[Array, ""]
    ) -> tuple[ValueIterationState, tuple]:
        value = masked(self.action_values(state.value), self.mdp.legal).max(axis=1)
        change = jnp.abs(value - state.value).max() / (1 + jnp.abs(value).max())
        return ValueIterationState(value, change), ()

    def residual(self, state: ValueIterationState) -> Float[Array, ""]:
        """The relative change of the last sweep."""
        return state.change

    def action_values(self, value: Float[Array, " S"]) -> Float[Array, "S A"]:
        """r(s, a) + gamma E V(s')."""
        return self.mdp.reward + self.mdp.discount * self.mdp.ahead(value)


class PolicyValue(NamedTuple):
    """The values of a policy in a decision problem."""

    value: Float[Array, " S"]
    """V(s)."""
    q: Float[Array, "S A"]
    """Q(s, a), the value of playing a first and following the policy afterwards."""


def best_response(
    mdp: AbstractMDP,
    start: Float[Array, " S"] | None = None,
    *,
    tol: float = SWEEP_TOLERANCE,
    max_sweeps: int = MOST_SWEEPS,
) -> Solution:
    """The optimal values of a decision problem by value iteration, as a `Solution` whose value is a `PolicyValue`.

    Args:
        mdp: the problem.
        start: the values at which the iteration starts; None for zeros.
        tol: the tolerance of the residual of `ValueIteration`.
        max_sweeps: the largest number of sweeps.

    Raises:
        InputError: as `ValueIteration`. The result's `require()` raises `NumericalError` if it did not converge.
    """
    dynamics = ValueIteration(mdp)
    first = None if start is None else ValueIterationState(start, jnp.asarray(jnp.inf, start.dtype))
    found = solve(dynamics, rng.key(0), tol=tol, max_steps=max_sweeps, state=first)  # the key is not used
    q = dynamics.action_values(found.value.value)
    return found._replace(value=PolicyValue(masked(q, mdp.legal).max(axis=1), q))


def evaluate(mdp: AbstractMDP, policy: Float[Array, "S A"]) -> PolicyValue:
    """The values of a policy: V = r_pi + gamma P_pi V by one linear solve, and Q = r + gamma P V.

    Raises:
        InputError: x64 is off, or rows of the policy are no distributions over legal actions.
    """
    require_double("evaluate", mdp)
    check_policy(policy, mdp.legal, "evaluate")
    system = jnp.eye(policy.shape[0], dtype=policy.dtype) - mdp.discount * mdp.chain(policy)
    value = jnp.linalg.solve(system, (policy * mdp.reward).sum(axis=1))
    return PolicyValue(value, mdp.reward + mdp.discount * mdp.ahead(value))
