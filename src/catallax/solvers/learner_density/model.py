"""A continuum of Q-learners who play a symmetric game with each other: how they learn, and how a solver follows them.

In all files of this package values and policies have the axes [A actions, K points, B populations], and weights have
the axes [K, B] or [K, 1].
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from catallax.core import AbstractDynamics, InputError, check_number
from catallax.core.checks import known
from catallax.games.matrix import Polymatrix


def symmetric_payoff(game: Any) -> Float[Array, "A A"]:
    """The own-row payoff matrix of a symmetric game with two players.

    Args:
        game: a `Polymatrix` whose two players have the same own-row matrix, or that matrix.

    Raises:
        InputError: there are more than two players, the matrices differ, or the matrix is not square and finite.
    """
    if isinstance(game, Polymatrix):
        if game.players != 2:
            raise InputError(f"a population of learners plays a game of two players, this one has {game.players}")
        ours, theirs = game.payoff
        same = known(game.payoff) is None or np.array_equal(np.asarray(ours), np.asarray(theirs))
        if game.actions[0] != game.actions[1] or not same:
            raise InputError(
                "a population of learners plays a symmetric game: both players need the same own-row matrix (A, A); in "
                "the other convention that is (A, A'), see Polymatrix.from_bimatrix"
            )
        return ours
    try:
        matrix = jnp.asarray(game, float)
    except (TypeError, ValueError) as error:
        raise InputError(f"payoffs must be a Polymatrix or a square matrix of numbers, got {game!r}") from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
        raise InputError(f"payoffs must be a square matrix with two or more actions, got shape {matrix.shape}")
    values = known(matrix)
    if values is not None and not np.isfinite(values).all():
        raise InputError("payoffs must be finite numbers")
    return matrix


def check_law_size(who: str, values: int, model: "LearnerModel") -> None:
    """Raises `InputError` unless `values`, the number of values in a law, is the number of actions of the model."""
    if values != model.actions:
        raise InputError(f"{who}: the law has {values} values, the game {model.actions} actions")


class LearnerModel(eqx.Module):
    """Boltzmann Q-learners in a symmetric game, without states and without discounting.

    A learner with values Q plays pi(Q) = softmax(Q / T) and updates only the value of the action that it plays. Let m
    be the mean policy of the population, the integral of pi(Q) p(Q) dQ. Then the expected motion of a learner is

        dQ_j/dt = V_j(Q, m) = alpha pi_j(Q) [ (A m)_j - Q_j ],

    and the density p(Q, t) of learners obeys the transport equation dp/dt + sum_j d/dQ_j [ p V_j ] = 0. It has no
    diffusion.

    Args:
        game: a symmetric `Polymatrix` of two players, or its own-row payoff matrix A.
        temperature: T > 0, in units of payoff.
        rate: alpha > 0, per unit of time.

    Raises:
        InputError: the game is not symmetric, or the temperature or the rate is not positive.

    Source: Hu, Leung and Leung (2019); as a continuity equation Hu, Leung, Leung and Soh (2022).
    """

    payoff: Float[Array, "A A"]
    temperature: Float[Array, ""]
    rate: Float[Array, ""]

    def __init__(self, game: Any, temperature: Any = 1.0, rate: Any = 1.0):
        self.payoff = symmetric_payoff(game)
        for name, value in (("temperature", temperature), ("rate", rate)):
            check_number("LearnerModel", name, value, "(0, inf)")
        self.temperature = jnp.asarray(temperature, self.payoff.dtype)
        self.rate = jnp.asarray(rate, self.payoff.dtype)

    @property
    def actions(self) -> int:
        """The number of actions, A."""
        return self.payoff.shape[0]

    def policy(self, values: Float[Array, "A *batch"]) -> Float[Array, "A *batch"]:
        """The policy pi(Q) = softmax(Q / T) of a learner with values Q."""
        return jax.nn.softmax(values / self.temperature, axis=0)

    def rewards(self, mean_policy: Float[Array, "A *B"]) -> Float[Array, "A *B"]:
        """A m, the reward of each action against the mean policy m."""
        return jnp.tensordot(self.payoff, mean_policy, axes=1)

    def velocity(self, values: Float[Array, "A K *B"], mean_policy: Float[Array, "A *B"]) -> Float[Array, "A K *B"]:
        """V(Q, m), the expected motion of a learner with values Q against the mean policy m, in payoff per time."""
        return self.rate * self.policy(values) * (self.rewards(mean_policy)[:, None] - values)

    def divergence(self, values: Float[Array, "A K *B"], mean_policy: Float[Array, "A *B"]) -> Float[Array, "K *B"]:
        """sum_j dV_j / dQ_j with m held fixed, the rate at which the volume around Q grows."""
        policy, gap = self.policy(values), self.rewards(mean_policy)[:, None] - values
        return self.rate * (policy * ((1 - policy) / self.temperature * gap - 1)).sum(axis=0)


class WeightedPoints(NamedTuple):
    """A population as points with weights: nodes of a quadrature, centres of cells, or learners."""

    values: Float[Array, "A K B"]
    """Q of each point."""
    weights: Float[Array, "K #B"]
    """The share of the population at each point; shares sum to 1."""


class AbstractLearnerDensity(AbstractDynamics):
    """A dynamics that follows the density of a `LearnerModel` through time.

    The states of subclasses differ, but each can be read as `WeightedPoints`. The record of a step is the state before
    it.
    """

    model: eqx.AbstractVar[LearnerModel]
    interval: eqx.AbstractVar[Float[Array, ""]]
    """Time between two steps of the dynamics."""

    @abc.abstractmethod
    def points(self, state: Any) -> WeightedPoints:
        """The population as weighted points."""

    def mean_policy(self, state: Any) -> Float[Array, "A B"]:
        """The mean policy m of the population."""
        values, weights = self.points(state)
        return (self.model.policy(values) * weights).sum(axis=1)

    def residual(self, state: Any) -> Float[Array, ""]:
        """The mean over the population of max_j |(A m)_j - Q_j|, in units of payoff; 0 exactly at a stationary state.

        With several populations it is the largest of these means.
        """
        values, weights = self.points(state)
        gap = jnp.abs(self.model.rewards(self.mean_policy(state))[:, None] - values).max(axis=0)
        return (gap * weights).sum(axis=0).max()
