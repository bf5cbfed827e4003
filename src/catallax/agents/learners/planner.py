"""A planner: one rule that acts for a whole team, made from a rule for one seat."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, Real, Spec


class Planner(AbstractAgent):
    """For `Joint`: `rule` sees the seats' observations side by side and names all their actions at once.

    The rule's observation is the vector of the seats' features, seat after seat; its action space `Real` of shape
    [seats, ...]; its reward and discount in a tick are the means over seats. So the planner maximises the team's
    welfare with equal weights. Under `Independent` or `Shared` it does not fit and says so.

    Args:
        rule: a rule for vectors and `Real` actions of any shape, such as `PPO`.
        seats: how many seats the team has.

    Raises:
        BuildError: observations that are not vectors, actions that are not real, another number of seats.
    """

    rule: AbstractAgent
    seats: int = eqx.field(static=True)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """The rule's state for the team's observation and action."""
        shape = getattr(spec.obs, "shape", None)
        if shape is None or len(shape) != 1:
            raise BuildError(f"Planner needs a vector of features for each seat, a seat sees {spec.obs}; give a view")
        if not isinstance(spec.action, Real):
            raise BuildError(f"Planner acts by real numbers, its seats accept {spec.action}")
        obs = jax.ShapeDtypeStruct((self.seats * shape[0],), spec.obs.dtype)
        action = Real(spec.action.low, spec.action.high, (self.seats, *spec.action.shape))
        return self.rule.init(key, Spec(obs, action))

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> PyTree[Array]:
        """The rule's memory."""
        return self.rule.reset(key, state)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: Shaped[Array, "..."]
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Actions of all seats [seats, ...] from their observations [seats, features]."""
        if obs.ndim != 2 or obs.shape[0] != self.seats:
            raise BuildError(
                f"Planner was made for {self.seats} seats but is shown {obs.shape}; use Joint(Planner(rule, seats))"
            )
        return self.rule.act(key, state, memory, obs.reshape(-1))

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, batch: Batch, t: Int[Array, ""]
    ) -> tuple[PyTree[Array], dict[str, Array]]:
        """The rule's update from the team's batch, leaves [B, T, seats, ...]."""
        together = batch.obs.reshape(*batch.obs.shape[:2], -1)
        mean = lambda x: jnp.mean(x, axis=2)
        team = Batch(together, batch.action, mean(batch.reward), mean(batch.discount), batch.extras)
        return self.rule.learn(key, state, team, t)
