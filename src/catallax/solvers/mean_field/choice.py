"""Rules of choice: maps from action values to a policy."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from catallax.core import Parametrized, number
from catallax.core.softmax import softmax_at_any_scale

from .solver import masked


class AbstractChoice(Parametrized):
    """A map from the action values of each state to its policy, over legal actions only."""

    @abc.abstractmethod
    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        """The policy, [S, A]; rows sum to 1, and actions that are not legal have probability 0."""


class Softmax(AbstractChoice):
    """pi(a | s) = exp(c q(s, a)) / sum_b exp(c q(s, b)).

    Args:
        inverse_temperature: c > 0. The `eta` of MFGLib and the `temperature` of OpenSpiel are 1 / c.

    Raises:
        InputError: c is not positive and finite.

    Source: GuoHuXuZhang2019, algorithm 2.
    """

    inverse_temperature: Float[Array, ""] = number(4.0, "(0, inf)")

    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        open_values, scale = masked(q, legal), self.inverse_temperature
        best = open_values.max(axis=1, keepdims=True)
        return softmax_at_any_scale(scale * open_values, scale * (open_values - best))


class Argmax(AbstractChoice):
    """The uniform policy over the maximisers ("argmax-e").

    An action counts as a maximiser if its value is within `tolerance` times max(1, |max|) of the largest value; without
    a tolerance rounding errors would break ties.

    Raises:
        InputError: the tolerance is not positive and finite.

    Source: GuoHuXuZhang2019, remark on algorithm 1.
    """

    tolerance: Float[Array, ""] = number(1e-10, "(0, inf)")

    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        """The uniform policy over the maximisers."""
        q = masked(q, legal)
        best = q.max(axis=1, keepdims=True)
        ties = q >= best - self.tolerance * jnp.maximum(1.0, jnp.abs(best))
        return ties / ties.sum(axis=1, keepdims=True)
