"""Generalised mean-field games in the stationary, discounted setting, and the laws and policies they speak of.

A law L is a distribution over (state, action), `[S, A]`: mu(s) = sum_a L(s, a) is its state marginal and
alpha(a) = sum_s L(s, a) its action marginal. "Generalised" means that rewards and transitions may depend on all of L,
not on mu alone.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import InputError, Parametrized, known, rng

from .mdp import AbstractMDP, real

_TOLERANCE = 1e-5


class AbstractMeanFieldGame(Parametrized):
    """A continuum of alike players; each faces the decision problem `frozen(L)` while the others' law is L.

    A pair (policy, L) is a stationary equilibrium if the policy is optimal in `frozen(L)` and L is the law that the
    policy brings about and keeps.

    Source: GuoHuXuZhang2019, section 2.
    """

    discount: eqx.AbstractVar[Float[Array, ""]]
    """In [0, 1)."""

    @property
    @abc.abstractmethod
    def states(self) -> int:
        """S."""

    @property
    @abc.abstractmethod
    def actions(self) -> int:
        """A."""

    @property
    @abc.abstractmethod
    def legal(self) -> Bool[Array, "S A"]:
        """Which actions are open in which state."""

    @abc.abstractmethod
    def frozen(self, law: Float[Array, "S A"]) -> AbstractMDP:
        """One player's problem while all others follow `law`."""

    @abc.abstractmethod
    def meet(
        self, key: Shaped[PRNGKeyArray, ""], state: Int[Array, " N"], action: Int[Array, " N"]
    ) -> tuple[Int[Array, " N"], Float[Array, " N"], PyTree[Array]]:
        """One round among N players, the game of which this is the limit: next states, rewards, what happened.

        Consumes the key, which must come from the engine.
        """

    def check_players(self, n: int) -> None:
        """Raises `BuildError` where N players cannot play this game; any number may by default."""
        return None


def uniform_law(game: AbstractMeanFieldGame) -> Float[Array, "S A"]:
    """The law that is uniform over states and, in each, over legal actions."""
    return uniform_policy(game) / game.states


def uniform_policy(game: AbstractMeanFieldGame) -> Float[Array, "S A"]:
    """Each legal action with the same probability."""
    legal = real(game.legal)
    return legal / legal.sum(axis=1, keepdims=True)


def check_policy(policy: Any, legal: Any, who: str) -> None:
    """Raises `InputError` if rows are no distributions over the legal actions. Silent inside a compiled program."""
    p, open_ = known(policy), known(legal)
    if open_ is not None and jnp.shape(policy) != open_.shape:
        raise InputError(f"{who}: the policy has shape {jnp.shape(policy)}; expected [states, actions] {open_.shape}")
    if p is None:
        return
    sums = p.sum(axis=1)
    bad = ~(np.isfinite(sums) & (np.abs(sums - 1) <= _TOLERANCE) & (p.min(axis=1) >= -_TOLERANCE))
    if bad.any():
        s = int(np.argmax(bad))
        raise InputError(
            f"{who}: row {s} of the policy is not a probability distribution (sum {sums[s]:.6g}, least entry "
            f"{p[s].min():.3g}); every row must be >= 0 and sum to 1"
        )
    if open_ is not None and (p[~open_] > _TOLERANCE).any():
        s, a = np.argwhere((p > _TOLERANCE) & ~open_)[0]
        raise InputError(f"{who}: the policy plays action {a} in state {s}, which is not legal there")


def check_law(law: Any, game: AbstractMeanFieldGame, who: str) -> None:
    """Raises `InputError` if `law` is no distribution over (state, action). Silent inside a compiled program."""
    if jnp.shape(law) != (game.states, game.actions):
        raise InputError(
            f"{who}: the law has shape {jnp.shape(law)}; expected [states, actions] {(game.states, game.actions)}"
        )
    x = known(law)
    if x is not None and not (np.isfinite(x).all() and x.min() >= -_TOLERANCE and abs(x.sum() - 1) <= _TOLERANCE):
        raise InputError(f"{who}: the law must be >= 0 and sum to 1; its sum is {x.sum():.6g}, its least {x.min():.3g}")


def empirical_law(
    game: AbstractMeanFieldGame, state: Int[Array, " N"], action: Int[Array, " N"]
) -> Float[Array, "S A"]:
    """The share of the N players at each (state, action), every player counted."""
    cells = jnp.zeros(game.states * game.actions, jnp.result_type(float))
    return (cells.at[state * game.actions + action].add(1.0) / state.size).reshape(game.states, game.actions)


def meet_in_law(
    game: AbstractMeanFieldGame,
    key: Shaped[PRNGKeyArray, ""],
    state: Int[Array, " N"],
    action: Int[Array, " N"],
    with_self: bool = True,
) -> tuple[Int[Array, " N"], Float[Array, " N"]]:
    """A `meet` for games without a protocol of their own: each player faces the empirical law of that round.

    Args:
        with_self: whether a player counts in the law it faces. With own mass the gain from deviating is of order 1/N
            where it is zero without.
    """
    law = empirical_law(game, state, action)
    keys = rng.key_from_bits(rng.random_bits(key, 0, jnp.int32(0), jnp.arange(state.size), jnp.int32(0)))
    if with_self:
        mdp = game.frozen(law)
        return jax.vmap(mdp.draw)(keys, state, action)

    def one(key: Any, s: Array, a: Array) -> Any:
        others = (law * state.size).at[s, a].add(-1.0) / (state.size - 1)
        return game.frozen(others).draw(key, s, a)

    return jax.vmap(one)(keys, state, action)
