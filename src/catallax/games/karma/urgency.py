"""Urgency: what losing costs a player now, and how it moves."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, UInt32

from catallax.core import InputError, Parametrized, numbers, rng


class Urgency(Parametrized):
    """A Markov chain over cost levels, the same for every player and independent of karma.

    Args:
        levels: cost of losing at each level, [u], in units of reward, each >= 0.
        chain: chain[i, j] is the chance of level j after level i, [u, u].

    Held in the default real type: build it under x64 for solvers in double precision.

    Raises:
        InputError: a negative or non-finite level, a chain of the wrong shape, or rows that are no probabilities.
    """

    levels: Float[Array, " u"] = numbers()
    chain: Float[Array, "u u"] = numbers()

    def __check_init__(self) -> None:
        if self.levels.ndim != 1 or self.levels.size == 0:
            raise InputError(f"Urgency: levels must be a list of one or more costs, got shape {self.levels.shape}")
        n = self.levels.shape[0]
        if self.chain.shape != (n, n):
            raise InputError(f"Urgency: {n} levels need a chain of shape ({n}, {n}), got {self.chain.shape}")
        if isinstance(self.levels, Tracer) or isinstance(self.chain, Tracer):
            return
        levels, chain = np.asarray(self.levels), np.asarray(self.chain)
        if not (np.isfinite(levels) & (levels >= 0)).all():
            raise InputError(f"Urgency: levels must be finite and at least 0, got {levels.tolist()}")
        sums = chain.sum(axis=1)
        if not (chain >= 0).all() or not (abs(sums - 1) < 1e-6).all():
            raise InputError(
                f"Urgency: every row of the chain must be probabilities that sum to 1; the rows {chain.tolist()} "
                f"sum to {sums.tolist()}"
            )

    @classmethod
    def iid(cls, levels: Sequence[float] = (1.0, 5.0), probabilities: Sequence[float] | None = None) -> "Urgency":
        """A level drawn afresh at every step; equal chances by default."""
        chances = [1 / len(levels)] * len(levels) if probabilities is None else list(probabilities)
        if len(chances) != len(levels):
            raise InputError(f"Urgency.iid: {len(levels)} levels and {len(chances)} probabilities")
        return cls(levels, [chances] * len(levels))  # pyright: ignore  (the fields make arrays of both)

    @property
    def size(self) -> int:
        """How many levels there are."""
        return self.levels.shape[0]

    def stationary(self) -> Float[Array, " u"]:
        """The stationary law p of a chain with one recurrent class: p = pP, sum p = 1, from (I - P' + 11')p = 1.

        By elimination: all leading minors of that matrix are positive, so no pivot is sought. LAPACK would cost a
        process a quarter of a second when it is first compiled.
        """
        n = self.size
        rows = jnp.concatenate([jnp.eye(n) - self.chain.T + 1.0, jnp.ones((n, 1))], axis=1)
        for i in range(n):
            pivot = rows[i] / rows[i, i]
            rows = (rows - rows[:, i, None] * pivot).at[i].set(pivot)
        return rows[:, n]

    def draw(self, word: UInt32[Array, "*shape"]) -> Int[Array, "*shape"]:
        """A level from the stationary law for each draw of 32 random bits."""
        return _level(self.stationary(), rng.to_uniform(word)[..., None])

    def move(self, level: Int[Array, "*shape"], word: UInt32[Array, "*shape"]) -> Int[Array, "*shape"]:
        """The next level of each player, 32 random bits each."""
        return _level(self.chain.at[level].get(mode="promise_in_bounds"), rng.to_uniform(word)[..., None])


def _level(law: Float[Array, "*#shape u"], unit: Float[Array, "*#shape 1"]) -> Int[Array, "*shape"]:
    """The level by inversion: how many partial sums (the last, which is 1, left out) lie at or below the uniform."""
    n = law.shape[-1]
    total, level = law[..., 0].astype(jnp.float32), jnp.zeros(unit.shape[:-1], jnp.int32)
    for i in range(n - 1):
        level = level + (total <= unit[..., 0]).astype(jnp.int32)
        total = total + law[..., i + 1].astype(jnp.float32)
    return level
