"""Means of a population of learners, and how far it is from a point at rest: sums over its weighted points."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, InputError, Variable, count
from catallax.solvers.learner_density import AbstractLearnerDensity, WeightedPoints


class AbstractPopulationMeasure(AbstractMeasure):
    """A quantity of a population of learners, however it is followed.

    Args:
        before: look at the state before the step: after k steps of length 1 the values are those of t = 0, ..., k - 1.
    """

    every: int = count(1)
    before: bool = eqx.field(static=True, default=False)

    @abc.abstractmethod
    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        """The values, keyed by variable name."""

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the state after the step, or before it."""
        if not isinstance(dynamics, AbstractLearnerDensity):
            raise InputError(
                f"{type(self).__name__} measures a population of learners (catallax.solvers.learner_density), not "
                f"{type(dynamics).__name__}"
            )
        return self.of(dynamics, record if self.before else state)


class MeanPolicy(AbstractPopulationMeasure):
    """The mean policy m = integral of softmax(Q / T) p(Q) dQ."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One probability for each action and population."""
        return (Variable("mean_policy", ("action", "population"), "1", "mean probability of the action"),)

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        return {"mean_policy": dynamics.mean_policy(state)}


class Moments(AbstractPopulationMeasure):
    """Total share, mean and variance of the values, and the spread of policies."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Mass; mean and variance of each action's value; variance of each action's probability."""
        dims = ("action", "population")
        return (
            Variable("mass", ("population",), "1", "total share of the population; 1 where none is lost"),
            Variable("mean_value", dims, "payoff", "mean of Q"),
            Variable("value_variance", dims, "payoff^2", "variance of Q over the population"),
            Variable("policy_variance", dims, "1", "variance over the population of the probability of the action"),
        )

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        points = dynamics.points(state)
        values, policies = points.values, dynamics.model.policy(points.values)
        mass = jnp.broadcast_to(points.weights.sum(axis=0), values.shape[2:])
        return {
            "mass": mass,
            "mean_value": _mean(points, values),
            "value_variance": _variance(points, values),
            "policy_variance": _variance(points, policies),
        }


class StationaryDistance(AbstractPopulationMeasure):
    """How far a population is from a point mass at rest (`stationary_state`).

    Args:
        values: Q of the point, [A].
        policy: m of the point, [A].
    """

    values: Float[Array, " A"] = eqx.field(converter=jnp.asarray, kw_only=True)
    policy: Float[Array, " A"] = eqx.field(converter=jnp.asarray, kw_only=True)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Distances of values and of the mean policy."""
        dims = ("population",)
        return (
            Variable(
                "value_distance",
                dims,
                "payoff",
                "mean over the population of |Q - Q*| (Euclidean): the Wasserstein distance to the point",
            ),
            Variable("policy_distance", dims, "1", "largest |m - m*| over actions"),
        )

    def of(self, dynamics: AbstractLearnerDensity, state: Any) -> dict[str, Array]:
        points = dynamics.points(state)
        far = jnp.sqrt(((points.values - self.values[:, None, None]) ** 2).sum(axis=0))
        return {
            "value_distance": (far * points.weights).sum(axis=0),
            "policy_distance": jnp.abs(dynamics.mean_policy(state) - self.policy[:, None]).max(axis=0),
        }


def _mean(points: WeightedPoints, what: Float[Array, "A K B"]) -> Float[Array, "A B"]:
    return (what * points.weights).sum(axis=1)


def _variance(points: WeightedPoints, what: Float[Array, "A K B"]) -> Float[Array, "A B"]:
    return _mean(points, (what - _mean(points, what)[:, None]) ** 2)
