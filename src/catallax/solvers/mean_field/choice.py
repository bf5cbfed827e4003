"""From action values to a policy: the two rules of the source."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from catallax.core import check_number
from catallax.games.mean_field.mdp import real

from .solver import masked


class AbstractChoice(eqx.Module):
    """A map from action values to a policy, row by row, over legal actions only."""

    @abc.abstractmethod
    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        """The policy."""


class Softmax(AbstractChoice):
    """pi(a | s) = exp(c q(s, a)) / sum_b exp(c q(s, b)).

    `inverse_temperature` is c > 0; MFGLib's `eta` and OpenSpiel's `temperature` are 1 / c.

    Raises:
        InputError: c is not positive and finite.

    Source: GuoHuXuZhang2019, algorithm 2.
    """

    inverse_temperature: Float[Array, ""] = eqx.field(converter=real, default=4.0)

    def __check_init__(self):
        """c > 0."""
        check_number("Softmax", "inverse_temperature", self.inverse_temperature, "(0, inf)")

    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        """As above."""
        return jax.nn.softmax(self.inverse_temperature * masked(q, legal), axis=1)


class Argmax(AbstractChoice):
    """Uniform over the maximisers ("argmax-e"): all actions within `tolerance` x max(1, |max|) of the best.

    Without a tolerance a tie is broken by rounding, which single precision shows at the sixth digit.

    Raises:
        InputError: the tolerance is not positive and finite.

    Source: GuoHuXuZhang2019, remark on algorithm 1.
    """

    tolerance: Float[Array, ""] = eqx.field(converter=real, default=1e-10)

    def __check_init__(self):
        """tolerance > 0."""
        check_number("Argmax", "tolerance", self.tolerance, "(0, inf)")

    def __call__(self, q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
        """As above."""
        q = masked(q, legal)
        best = q.max(axis=1, keepdims=True)
        ties = q >= best - self.tolerance * jnp.maximum(1.0, jnp.abs(best))
        return ties / ties.sum(axis=1, keepdims=True)
