"""Dynamics: anything that evolves. The only thing `run` and `solve` know."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from .parameter import Parametrized


class AbstractDynamics(Parametrized):
    """A population at play, a learning flow, a fixed-point iteration: a state and a rule for its next value."""

    @abc.abstractmethod
    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PyTree[Array]:
        """The first state. `key` is the run's key."""

    @abc.abstractmethod
    def step(self, key: Shaped[PRNGKeyArray, ""], state: Any, t: Int[Array, ""]) -> tuple[PyTree[Array], PyTree[Array]]:
        """The next state and a record of the step, for measures.

        `key` is the RUN's key, the same at every step; `t` counts steps from the start of the run. A dynamics that
        draws must derive its key from both (`rng.fold(key, t)` or `rng.random_bits`), so that a run cut in chunks
        is the same run.
        """

    def ahead(self, key: Shaped[PRNGKeyArray, ""], t: Int[Array, ""]) -> PyTree[Array]:
        """What step t needs and can be known without the state, its random numbers above all; by default nothing.

        `run` has it one step early and hands it to `step_ahead`, so that it is computed once: drawn where they are
        used, XLA would compute random numbers anew for every consumer.
        """
        return ()

    def step_ahead(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, t: Int[Array, ""], ahead: Any
    ) -> tuple[PyTree[Array], PyTree[Array], PyTree[Array]]:
        """`step`, given `ahead(key, t)`: the same state and record, and `ahead(key, t + 1)` for the step to come."""
        return *self.step(key, state, t), self.ahead(key, t + 1)

    def residual(self, state: Any) -> Float[Array, ""]:
        """Distance from rest, in the dynamics' own norm; +inf where it is not defined."""
        return jnp.asarray(jnp.inf)

    @property
    def longest(self) -> int:
        """How many steps a run may have before its random counters would repeat."""
        return 2**31 - 1
