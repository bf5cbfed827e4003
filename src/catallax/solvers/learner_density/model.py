"""A continuum of Q-learners who play one symmetric game with each other: what moves each of them, and what they share.

Axes throughout: values and policies are [A actions, K points, B populations], weights [K, #B].
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
        game: a `Polymatrix` whose two players have the same matrix, or that matrix.

    Raises:
        InputError: more than two players, two different matrices, or a matrix that is not square and finite.
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


class LearnerPopulation(eqx.Module):
    """Boltzmann Q-learners in a symmetric game, without states and without discounting.

    A learner with values Q plays pi(Q) = softmax(Q / tau) and moves only the value of the action it plays. In a
    population with mean policy m = integral of pi(Q) p(Q) dQ the expected motion is

        dQ_j/dt = V_j(Q, m) = alpha pi_j(Q) [ (A m)_j - Q_j ],

    and the density of learners obeys dp/dt + sum_j d/dQ_j [ p V_j ] = 0: a transport without diffusion.

    Args:
        game: a symmetric `Polymatrix` of two players, or its own-row payoff matrix A.
        temperature: tau > 0, in units of payoff.
        rate: alpha > 0, per unit of time.

    Raises:
        InputError: a game that is not symmetric, a temperature or rate that is not positive.

    Source: Hu, Leung and Leung (2019); as a continuity equation Hu, Leung, Leung and Soh (2022).
    """

    payoff: Float[Array, "A A"]
    temperature: Float[Array, ""]
    rate: Float[Array, ""]

    def __init__(self, game: Any, temperature: Any = 1.0, rate: Any = 1.0):
        self.payoff = symmetric_payoff(game)
        for name, value in (("temperature", temperature), ("rate", rate)):
            check_number("LearnerPopulation", name, value, "(0, inf)")
        self.temperature = jnp.asarray(temperature, self.payoff.dtype)
        self.rate = jnp.asarray(rate, self.payoff.dtype)

    @property
    def actions(self) -> int:
        """How many actions there are."""
        return self.payoff.shape[0]

    def policy(self, values: Float[Array, "A *batch"]) -> Float[Array, "A *batch"]:
        """softmax(Q / tau)."""
        return jax.nn.softmax(values / self.temperature, axis=0)

    def rewards(self, mix: Float[Array, "A *B"]) -> Float[Array, "A *B"]:
        """A m: what each action earns against the mean policy m."""
        return jnp.tensordot(self.payoff, mix, axes=1)

    def velocity(self, values: Float[Array, "A K *B"], mix: Float[Array, "A *B"]) -> Float[Array, "A K *B"]:
        """V(Q, m)."""
        return self.rate * self.policy(values) * (self.rewards(mix)[:, None] - values)

    def divergence(self, values: Float[Array, "A K *B"], mix: Float[Array, "A *B"]) -> Float[Array, "K *B"]:
        """sum_j dV_j / dQ_j with m held fixed: how fast the flow spreads learners around Q."""
        policy, gap = self.policy(values), self.rewards(mix)[:, None] - values
        return self.rate * (policy * ((1 - policy) / self.temperature * gap - 1)).sum(axis=0)


class Atoms(NamedTuple):
    """A population as weighted points: nodes of a quadrature, centres of cells, or learners."""

    values: Float[Array, "A K B"]
    """Q of each point."""
    weights: Float[Array, "K #B"]
    """Its share of the population; they sum to 1."""


class AbstractPopulation(AbstractDynamics):
    """A way to follow a `LearnerPopulation` through time; states differ, all can be read as `Atoms`.

    The record of a step is the state before it.
    """

    model: eqx.AbstractVar[LearnerPopulation]
    interval: eqx.AbstractVar[Float[Array, ""]]
    """Time between two steps of the dynamics."""

    @abc.abstractmethod
    def atoms(self, state: Any) -> Atoms:
        """The population as weighted points."""

    def mix(self, state: Any) -> Float[Array, "A B"]:
        """The mean policy m of the population."""
        values, weights = self.atoms(state)
        return (self.model.policy(values) * weights).sum(axis=1)

    def residual(self, state: Any) -> Float[Array, ""]:
        """Mean over the population of max_j |(A m)_j - Q_j|, in units of payoff; 0 exactly at a stationary state.

        The largest of several populations.
        """
        values, weights = self.atoms(state)
        gap = jnp.abs(self.model.rewards(self.mix(state))[:, None] - values).max(axis=0)
        return (gap * weights).sum(axis=0).max()
