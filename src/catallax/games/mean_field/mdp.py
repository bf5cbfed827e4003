"""The decision problem one player faces while the law of the others stands still, as operators on vectors.

A problem with S states and A actions is known by what it does: to values (`ahead`), to laws (`push`) and under a policy
(`chain`). So a game with structure never builds its S x A x S kernel; `TabularMDP` is the plain case that does.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, known, rng

_TOLERANCE = 1e-5  # of a row's sum, on input: wide enough for tables written in single precision


def real(x: Any) -> Float[Array, "..."]:
    """`x` as an array of the session's floating type: double where x64 is on."""
    return jnp.asarray(x, jnp.result_type(float))


class AbstractMDP(eqx.Module):
    """A discounted decision problem: maximise E sum_t discount^t r(s_t, a_t), s' ~ P(. | s, a)."""

    reward: eqx.AbstractVar[Float[Array, "S A"]]
    """Expected reward r(s, a)."""
    legal: eqx.AbstractVar[Bool[Array, "S A"]]
    """Which actions are open in which state; at least one in each."""
    discount: eqx.AbstractVar[Float[Array, ""]]
    """In [0, 1)."""

    @abc.abstractmethod
    def ahead(self, value: Float[Array, " S"]) -> Float[Array, "S A"]:
        """E[value(s') | s, a]."""

    @abc.abstractmethod
    def push(self, law: Float[Array, "S A"]) -> Float[Array, " S"]:
        """The law of s' when (s, a) ~ `law`."""

    @abc.abstractmethod
    def chain(self, policy: Float[Array, "S A"]) -> Float[Array, "S S"]:
        """P(s' | s) under a policy: rows are s."""

    @abc.abstractmethod
    def draw(
        self, key: Shaped[PRNGKeyArray, ""], state: Int[Array, ""], action: Int[Array, ""]
    ) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """One sampled step: the next state and the reward. Consumes the key, which must come from the engine."""


class TabularMDP(AbstractMDP):
    """A problem given by its tables.

    Args:
        reward: expected rewards r(s, a).
        transition: P(s' | s, a).
        discount: in [0, 1).
        legal: open actions; None for all.

    Raises:
        InputError: shapes at odds, numbers that are not finite, rows of `transition` that are no probabilities, a state
            without an action, a discount outside [0, 1). Not looked at inside a compiled program.
    """

    reward: Float[Array, "S A"]
    transition: Float[Array, "S A S"]
    discount: Float[Array, ""]
    legal: Bool[Array, "S A"]

    def __init__(self, reward: Any, transition: Any, discount: Any, legal: Any = None):
        self.reward, self.transition, self.discount = real(reward), real(transition), real(discount)
        if self.reward.ndim != 2 or self.transition.shape != (*self.reward.shape, self.reward.shape[0]):
            raise InputError(
                f"TabularMDP: reward has shape {self.reward.shape} and transition {self.transition.shape}; "
                "give [states, actions] and [states, actions, states]"
            )
        self.legal = jnp.ones(self.reward.shape, bool) if legal is None else jnp.asarray(legal, bool)

    def __check_init__(self):
        """The numbers, where they can be seen."""
        check_tables("TabularMDP", self.reward, self.transition, self.legal, self.discount)

    def ahead(self, value: Float[Array, " S"]) -> Float[Array, "S A"]:
        return self.transition @ value

    def push(self, law: Float[Array, "S A"]) -> Float[Array, " S"]:
        return law.reshape(-1) @ self.transition.reshape(-1, law.shape[0])

    def chain(self, policy: Float[Array, "S A"]) -> Float[Array, "S S"]:
        return jnp.einsum("sa,sat->st", policy, self.transition)

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], state: Int[Array, ""], action: Int[Array, ""]
    ) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """The next state by inversion of its distribution; the reward is its expectation."""
        below = jnp.cumsum(self.transition[state, action])
        after = (below <= rng.uniform(key) * below[-1]).sum(dtype=jnp.int32)
        return jnp.minimum(after, self.reward.shape[0] - 1), self.reward[state, action]


def dense_transition(mdp: AbstractMDP) -> Float[Array, "S A S"]:
    """The kernel P(s' | s, a) of any problem, column by column."""
    columns = jax.vmap(mdp.ahead, out_axes=-1)
    return columns(jnp.eye(mdp.reward.shape[0], dtype=mdp.reward.dtype))


def check_mdp(mdp: AbstractMDP, who: str) -> None:
    """Raises `InputError` if the problem is not one: see `TabularMDP`. Silent inside a compiled program."""
    if known(mdp.reward) is not None:
        check_tables(who, mdp.reward, dense_transition(mdp), mdp.legal, mdp.discount)


def check_tables(who: str, reward: Any, transition: Any, legal: Any, discount: Any) -> None:
    """The checks behind `check_mdp`, on tables; what cannot be seen is not checked."""
    r, p, open_, gamma = (known(x) for x in (reward, transition, legal, discount))
    if r is not None and not np.isfinite(r).all():
        s, a = np.argwhere(~np.isfinite(r))[0]
        raise InputError(f"{who}: the reward of action {a} in state {s} is {r[s, a]}; rewards must be finite")
    if p is not None:
        sums = p.sum(axis=-1)
        bad = ~(np.isfinite(sums) & (np.abs(sums - 1) <= _TOLERANCE) & (p.min(axis=-1) >= -_TOLERANCE))
        if bad.any():
            s, a = np.argwhere(bad)[0]
            raise InputError(
                f"{who}: the transition from state {s} under action {a} is not a probability distribution "
                f"(sum {sums[s, a]:.6g}, least entry {p[s, a].min():.3g}); every row must be >= 0 and sum to 1"
            )
    if open_ is not None and not open_.any(axis=-1).all():
        raise InputError(f"{who}: state {int(np.argmin(open_.any(axis=-1)))} has no legal action; each needs one")
    if gamma is not None and not 0 <= gamma < 1:
        raise InputError(f"{who}: the discount is {gamma:g}; a stationary problem needs 0 <= discount < 1")
