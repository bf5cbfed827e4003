"""One player's problem while the law stands still: value iteration, best response, evaluation of a policy."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, Solution, rng, solve
from catallax.games.mean_field.mdp import AbstractMDP, check_mdp
from catallax.games.mean_field.model import check_policy

from .solver import masked, require_double

SWEEP_TOLERANCE = 1e-13
"""Of value iteration, relative to 1 + max |V|."""
MOST_SWEEPS = 20_000


class Values(NamedTuple):
    """Values and the relative size of the last sweep's change."""

    value: Float[Array, " S"]
    change: Float[Array, ""]


class ValueIteration(AbstractDynamics):
    """V <- max_a [r(s, a) + gamma E V(s')] over legal actions.

    The residual is max |change| / (1 + max |V|); the error of V is at most gamma / (1 - gamma) times as large.

    Raises:
        InputError: x64 is off, or the problem is not one (rows that are no distributions, no legal action).
    """

    mdp: AbstractMDP

    def __check_init__(self):
        """Before anything runs."""
        require_double("ValueIteration", self.mdp)
        check_mdp(self.mdp, "ValueIteration")

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Values:
        """V = 0. Draws nothing."""
        return Values(jnp.zeros(self.mdp.reward.shape[0], self.mdp.reward.dtype), jnp.asarray(jnp.inf))

    def step(self, key: Shaped[PRNGKeyArray, ""], state: Values, t: Int[Array, ""]) -> tuple[Values, tuple]:
        """One sweep."""
        value = masked(self.action_values(state.value), self.mdp.legal).max(axis=1)
        change = jnp.abs(value - state.value).max() / (1 + jnp.abs(value).max())
        return Values(value, change), ()

    def residual(self, state: Values) -> Float[Array, ""]:
        """See above."""
        return state.change

    def action_values(self, value: Float[Array, " S"]) -> Float[Array, "S A"]:
        """r(s, a) + gamma E V(s')."""
        return self.mdp.reward + self.mdp.discount * self.mdp.ahead(value)


class PolicyValue(NamedTuple):
    """What a policy is worth in a problem."""

    value: Float[Array, " S"]
    """V(s)."""
    q: Float[Array, "S A"]
    """Q(s, a): a first, the policy afterwards."""


def best_response(
    mdp: AbstractMDP,
    start: Float[Array, " S"] | None = None,
    *,
    tol: float = SWEEP_TOLERANCE,
    max_sweeps: int = MOST_SWEEPS,
) -> Solution:
    """The optimum of a frozen problem by value iteration, as a `Solution` whose value is a `PolicyValue`.

    Args:
        mdp: the problem.
        start: values to start from; zeros by default.
        tol, max_sweeps: when to stop.

    Raises:
        InputError: as `ValueIteration`. The result's `require()` raises `NumericalError` if it did not converge.
    """
    dynamics = ValueIteration(mdp)
    first = None if start is None else Values(start, jnp.asarray(jnp.inf, start.dtype))
    found = solve(dynamics, rng.key(0), tol=tol, max_steps=max_sweeps, state=first)  # deterministic: no draw
    q = dynamics.action_values(found.value.value)
    return found._replace(value=PolicyValue(masked(q, mdp.legal).max(axis=1), q))


def evaluate(mdp: AbstractMDP, policy: Float[Array, "S A"]) -> PolicyValue:
    """V = r_pi + gamma P_pi V by one linear solve, and Q = r + gamma P V.

    Raises:
        InputError: x64 is off; rows of the policy that are no distributions over legal actions.
    """
    require_double("evaluate", mdp)
    check_policy(policy, mdp.legal, "evaluate")
    system = jnp.eye(policy.shape[0], dtype=policy.dtype) - mdp.discount * mdp.chain(policy)
    value = jnp.linalg.solve(system, (policy * mdp.reward).sum(axis=1))
    return PolicyValue(value, mdp.reward + mdp.discount * mdp.ahead(value))
