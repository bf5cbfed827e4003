"""The protocol of dynamics, by which `run` and `solve` know everything that evolves in steps."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from .parameter import Parametrized


class AbstractDynamics(Parametrized):
    """A population at play, a learning flow, a fixed-point iteration: a state and a rule for the next state."""

    @abc.abstractmethod
    def init(self, key: Shaped[PRNGKeyArray, ""]) -> PyTree[Array]:
        """The first state. `key` is the run's key, the same that every `step` is given."""

    @abc.abstractmethod
    def step(self, key: Shaped[PRNGKeyArray, ""], state: Any, t: Int[Array, ""]) -> tuple[PyTree[Array], PyTree[Array]]:
        """The next state and a record of the step, for measures.

        `key` is the RUN's key, the same at every step; `t` counts steps from the start of the run. A dynamics that
        draws must derive its key from both (`rng.fold(key, t)` or `rng.random_bits`), so that a run cut in chunks
        is the same run.
        """

    def residual(self, state: Any) -> Float[Array, ""]:
        """The distance of the state from rest, in the dynamics' own norm; +inf where none is defined.

        A state that knows more of the iteration than this number may have a method `status() -> str`; see
        `Solution.require`.
        """
        return jnp.asarray(jnp.inf)

    @property
    def most_steps(self) -> int:
        """How many steps a run may have before its 32-bit counters repeat; `run` refuses longer ones."""
        return 2**31 - 1
