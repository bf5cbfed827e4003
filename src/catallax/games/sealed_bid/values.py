"""What a unit is worth to the bidders of a sealed-bid auction: the same in every round, or by affiliated signals."""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, Parametrized, count, known, number, numbers, rng


class AbstractValues(Parametrized):
    """A law of signals and what they say of values. A bidder sees the number of its own signal."""

    @property
    @abc.abstractmethod
    def signals(self) -> int:
        """How many signals a bidder tells apart."""

    @abc.abstractmethod
    def draw(self, key: Shaped[PRNGKeyArray, ""], n: int) -> Int[Array, " n"]:
        """The signals of a round, by number. Consumes the key."""

    @abc.abstractmethod
    def of(self, signal: Int[Array, " n"]) -> Float[Array, " n"]:
        """What the unit is worth to each bidder."""


class ConstantValue(AbstractValues):
    """The same in every round, for all bidders or one for each [n]; no signal.

    Raises:
        InputError: a value that is not finite.
    """

    value: Float[Array, "*n"] = numbers(1.0)

    def __check_init__(self) -> None:
        value = known(self.value)
        if self.value.ndim > 1 or (value is not None and not jnp.isfinite(value).all()):
            raise InputError(f"ConstantValue: give one finite number, or one for each bidder, got {self.value}")

    @property
    def signals(self) -> int:
        return 1

    def draw(self, key: Shaped[PRNGKeyArray, ""], n: int) -> Int[Array, " n"]:
        return jnp.zeros(n, jnp.int32)

    def of(self, signal: Int[Array, " n"]) -> Float[Array, " n"]:
        return jnp.broadcast_to(self.value, signal.shape)


class AffiliatedValues(AbstractValues):
    """v_i = (1 - eta/2) s_i + (eta/2) mean of the others' s, signals independent and uniform on a grid in (0, 1).

    The m grid points are (k + 1/2) / m, k = 0, ..., m - 1. eta = 0: private values; eta = 1: each bidder's own signal
    counts as much as all the others' together.

    Args:
        points: m, how many signals there are, so that a tabular learner can tell them apart.
        affiliation: eta in [0, 1].

    Raises:
        InputError: fewer than one point, or eta outside [0, 1].

    Source: rawatpranjal's study of algorithmic collusion in auctions (RawatAuctions2026); signals uniform on [0, 1].
    Differs: signals on a grid.
    """

    points: int = count(11)
    affiliation: Float[Array, ""] = number(0.0, "[0, 1]")

    @property
    def signals(self) -> int:
        return self.points

    def draw(self, key: Shaped[PRNGKeyArray, ""], n: int) -> Int[Array, " n"]:
        bits = rng.random_bits(key, 1, jnp.int32(0), jnp.arange(n), jnp.int32(0))
        return rng.to_integer(bits.first, self.points)

    def of(self, signal: Int[Array, " n"]) -> Float[Array, " n"]:
        s = (signal + 0.5) / self.points
        others = (s.sum() - s) / max(signal.shape[0] - 1, 1)
        return (1 - self.affiliation / 2) * s + self.affiliation / 2 * others
