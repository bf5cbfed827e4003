"""The population equation along its characteristics: nodes of the first law are carried by the flow. The reference."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, check_number
from catallax.core.checks import check_kind
from catallax.solvers.matrix.flow.integrate import AbstractIntegrator, RungeKutta

from .law import ProductLaw, Quadrature
from .model import AbstractPopulation, Atoms, LearnerPopulation


class Characteristics(AbstractPopulation):
    """dQ/dt = V(Q, m) at every node, m = sum of W pi(Q) over the nodes; the weights W never change.

    So mass is exact, no step is limited by a grid, and all is differentiable. Beside Q goes
    L = ln |det dQ(t)/dQ(0)|, dL/dt = div V: the density at a node is p(Q(t), t) = p(Q(0), 0) exp(-L). With Gauss nodes
    of a smooth law the mean policy converges faster than any power of their number.

    Args:
        model: the game and the learners.
        law: the law at time 0, or nodes of one's own (`given_nodes`).
        nodes: how many for each action; the grid has nodes^A points. With more than three actions, points in all.
        interval: time between two steps of the dynamics, when measures look.
        integrator: by default 100 Runge-Kutta steps an interval.

    The state is [A1, K, 1], A1 = A + 1: Q, and L in the last row. The nodes share m, so they are no batch: the
    last axis, over which an integrator may work in blocks, has one entry.

    Raises:
        InputError: a law for another number of actions, a count below one, an interval that is not positive.

    Source: Hu, Leung and Leung (2019), the equation; characteristics are the textbook method for it.
    """

    model: LearnerPopulation
    interval: Float[Array, ""]
    start: Float[Array, "A K"]
    weights: Float[Array, " K"]
    initial: Float[Array, " K"]
    """Density at the nodes at time 0."""
    integrator: AbstractIntegrator

    def __init__(
        self,
        model: LearnerPopulation,
        law: ProductLaw | Quadrature,
        nodes: int = 32,
        *,
        interval: Any = 1.0,
        integrator: AbstractIntegrator | None = None,
    ):
        check_kind("Characteristics", "model", model, LearnerPopulation)
        check_kind("Characteristics", "law", law, ProductLaw, Quadrature)
        if integrator is not None:
            check_kind("Characteristics", "integrator", integrator, AbstractIntegrator)
        found = law.quadrature(nodes) if isinstance(law, ProductLaw) else law
        dtype = model.payoff.dtype
        if np.shape(found.nodes)[0] != model.actions:
            raise InputError(
                f"Characteristics: the law has {np.shape(found.nodes)[0]} values, the game {model.actions} actions"
            )
        check_number("Characteristics", "interval", interval, "(0, inf)")
        self.model, self.interval = model, jnp.asarray(interval, dtype)
        self.start, self.weights, self.initial = (jnp.asarray(x, dtype) for x in found)
        self.integrator = RungeKutta(100) if integrator is None else integrator

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "A1 K 1"]:
        """The nodes, L = 0."""
        return jnp.concatenate([self.start, jnp.zeros_like(self.start[:1])])[:, :, None]

    def field(
        self, time: Float[Array, ""], weights: Float[Array, "K 1"], state: Float[Array, "A1 K 1"]
    ) -> Float[Array, "A1 K 1"]:
        """Time derivative of the state; the same at any time."""
        values = state[:-1]
        mix = (self.model.policy(values) * weights).sum(axis=1)
        motion, spread = self.model.velocity(values, mix), self.model.divergence(values, mix)
        return jnp.concatenate([motion, spread[None]])

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "A1 K 1"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "A1 K 1"], Float[Array, "A1 K 1"]]:
        """The state one interval later."""
        return self.integrator(self.field, self.weights[:, None], state, self.interval), state

    def atoms(self, state: Float[Array, "A1 K 1"]) -> Atoms:
        """The nodes and their weights."""
        return Atoms(state[:-1], self.weights[:, None])

    def density(self, state: Float[Array, "A1 K 1"]) -> Float[Array, " K"]:
        """p at the nodes, per unit of payoff to the power A; it grows without bound as the population gathers."""
        return self.initial * jnp.exp(-state[-1, :, 0])
