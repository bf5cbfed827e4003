"""The Lyapunov function of Q-learning in weighted zero-sum games, its exact derivative, and what T = 0 conserves."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import rel_entr
from jaxtyping import Array, Float

from catallax.games.matrix import AbstractMatrixGame


def divergences(p: Float[Array, "n A *#batch"], x: Float[Array, "n A *#batch"]) -> Float[Array, "n *batch"]:
    """KL(p_k || x_k) = sum_a p ln(p / x) of each player, nats; 0 ln 0 = 0, infinite where x misses an action of p."""
    return rel_entr(p, x).sum(axis=1)


def weighted_divergence(
    weights: Float[Array | np.ndarray, " n"], p: Float[Array, "n A *#batch"], x: Float[Array, "n A *#batch"]
) -> Float[Array, "*batch"]:
    """D_w(p || x) = sum_k w_k KL(p_k || x_k), in nats.

    With p the logit equilibrium and w the zero-sum weights it falls along every interior trajectory of the flow. With
    T = 0 and p an interior Nash equilibrium it is conserved.

    Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1.
    """
    return jnp.tensordot(jnp.asarray(weights), divergences(p, x), axes=1)


def divergence_rate(
    weights: Float[Array | np.ndarray, " n"],
    temperature: Float[Array | np.ndarray, " n"],
    p: Float[Array, "n A *#batch"],
    x: Float[Array, "n A *#batch"],
) -> Float[Array, "*batch"]:
    """dD_w/dt along the flow in a weighted zero-sum game: - sum_k w_k T_k [KL(p_k || x_k) + KL(x_k || p_k)].

    Exact for p the logit equilibrium at T, or, at T = 0, an interior Nash equilibrium. At most - min(T) D_w.

    Source: Leonardos, Piliouras and Spendlove (2021), equation 14.
    """
    return -jnp.tensordot(
        jnp.asarray(weights) * jnp.asarray(temperature), divergences(p, x) + divergences(x, p), axes=1
    )


def player_divergence_rates(
    game: AbstractMatrixGame, temperature: Any, p: Float[Array, "n A"], x: Float[Array, "n A"]
) -> Float[Array, " n"]:
    """d/dt KL(p_k || x_k) along the flow, for each player, in any game with logit equilibrium p at T.

    <x_k - p_k, r_k(x) - r_k(p)> - T_k [KL(p_k || x_k) + KL(x_k || p_k)].

    Source: Leonardos, Piliouras and Spendlove (2021), lemma 4.2.
    """
    push = ((x - p) * (game.rewards(x) - game.rewards(p))).sum(axis=1)
    return push - jnp.asarray(temperature) * (divergences(p, x) + divergences(x, p))
