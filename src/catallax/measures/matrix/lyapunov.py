"""The Lyapunov function of the Q-learning flow along a run, with its analytic rate."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.core import Variable
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.flow_analysis.lyapunov import divergences

from .policy import AbstractMatrixMeasure


class Lyapunov(AbstractMatrixMeasure):
    """D_w = sum_k w_k KL(p_k || x_k) and dD_w/dt = - sum_k w_k T_k [KL(p_k || x_k) + KL(x_k || p_k)].

    The rate is that of the flow in weighted zero-sum games; it is computed from the policies alone, so that beside the
    differences of D_w in time it shows whether the identity holds.

    Args:
        target: p, [n, A], or one for each trajectory, [n, A, B].
        weights: w, [n].
        temperature: T, [n], or for each trajectory, [n, B].

    Source: Leonardos, Piliouras and Spendlove (2021), theorem 4.1 and equation 14.
    """

    target: Float[Array, "n A *B"] = eqx.field(converter=jnp.asarray, kw_only=True)
    weights: Float[Array, " n"] = eqx.field(converter=jnp.asarray, kw_only=True)
    temperature: Float[Array, "n *B"] = eqx.field(converter=jnp.asarray, kw_only=True)

    @property
    def variables(self) -> tuple[Variable, ...]:
        dims = ("trajectory",)
        return (
            Variable("lyapunov", dims, "nats", "sum over players of w_k KL(p_k || x_k) to the equilibrium p"),
            Variable("lyapunov_rate", dims, "nats per time", "its derivative along the flow, from the policies"),
        )

    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        p = self.target if self.target.ndim == 3 else self.target[:, :, None]
        heat = self.temperature if self.temperature.ndim == 2 else self.temperature[:, None]
        w = self.weights[:, None]
        there, back = divergences(p, policy), divergences(policy, p)
        return {
            "lyapunov": (w * there).sum(axis=0).astype(policy.dtype),
            "lyapunov_rate": -(w * heat * (there + back)).sum(axis=0).astype(policy.dtype),
        }
