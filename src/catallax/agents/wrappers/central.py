"""Central learning: one policy for a whole team, made from a rule for one seat."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, InputError, Real, Spec, check_count


class CentralLearner(AbstractAgent):
    """For `Joint`: `rule` sees the observations of all seats side by side and chooses the actions of all.

    To `rule` the team is one agent: its observation is the vector of the seats' features, seat after seat; its action
    space `Real` of shape [seats, ...]; its reward in a tick is the mean over seats, so it maximises welfare with equal
    weights; its discount is the largest of the seats', so that the team's episode ends with its last seat's. That is
    exact where all seats discount alike. Under `Independent` or `Shared` it does not fit and says so.

    Args:
        rule: a rule for vectors and `Real` actions of any shape, such as `PPO`.
        seats: how many seats the team has.

    Raises:
        InputError: a number of seats below one, or something else than a rule.
        BuildError: observations that are not arrays, actions that are not real, another number of seats at play.

    Source: Albrecht, Christianos and Schäfer (2024), section 5.3.1, "central learning"; a joint action is one action
        of a single learner, as in Claus and Boutilier (1998).
    """

    rule: AbstractAgent
    seats: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        """A rule and a count."""
        if not isinstance(self.rule, AbstractAgent):
            raise InputError(f"CentralLearner: rule must be a rule such as PPO(), got {self.rule!r}")
        check_count("CentralLearner", "seats", self.seats)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PyTree[Array]:
        """The rule's state for the team's observation and action."""
        if not isinstance(spec.obs, jax.ShapeDtypeStruct):
            raise BuildError(f"CentralLearner needs an array of features for each seat, a seat sees {spec.obs}")
        if not isinstance(spec.action, Real):
            raise BuildError(f"CentralLearner acts by real numbers, its seats accept {spec.action}")
        obs = jax.ShapeDtypeStruct((self.seats * spec.obs.size,), spec.obs.dtype)
        action = Real(spec.action.low, spec.action.high, (self.seats, *spec.action.shape), spec.action.dtype)
        return self.rule.init(key, Spec(obs, action))

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> PyTree[Array]:
        return self.rule.reset(key, state)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: Shaped[Array, "..."]
    ) -> tuple[PyTree[Any], PyTree[Array], PyTree[Array]]:
        """Actions of all seats [seats, ...] from their observations [seats, ...]."""
        if obs.ndim < 2 or obs.shape[0] != self.seats:
            raise BuildError(
                f"CentralLearner was made for {self.seats} seats and their features but is shown an array of shape "
                f"{obs.shape}; put it in Joint(CentralLearner(rule, seats)) with the group's number of seats"
            )
        return self.rule.act(key, state, memory, obs.reshape(-1))

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, batch: Batch, t: Int[Array, ""]
    ) -> tuple[PyTree[Array], dict[str, Array]]:
        """The rule's update from the team's batch, leaves [B, T, seats, ...]; rewards in common may be [B, T]."""
        by_tick = lambda x: x.reshape(*x.shape[:2], -1)
        reward, discount = by_tick(batch.reward).mean(axis=2), by_tick(batch.discount).max(axis=2)
        return self.rule.learn(key, state, Batch(by_tick(batch.obs), batch.action, reward, discount, batch.extras), t)
