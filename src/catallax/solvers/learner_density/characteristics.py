"""The density of Q-learners along characteristics: quadrature nodes of the initial law move with the flow.

This is the most accurate of the three solvers and the reference for the others.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import check_number
from catallax.core.checks import check_kind
from catallax.solvers.matrix.flow.integrate import AbstractIntegrator, RungeKutta

from .law import ProductLaw, Quadrature
from .model import AbstractLearnerDensity, LearnerModel, WeightedPoints, check_law_size


class Characteristics(AbstractLearnerDensity):
    """Integrates dQ/dt = V(Q, m) at every node, where m is the sum of W pi(Q) over the nodes with constant weights W.

    The total mass is therefore exact, no grid limits the time step, and results are differentiable. Together with Q the
    solver integrates L = ln |det dQ(t)/dQ(0)|, dL/dt = div V, which gives the density at a node,
    p(Q(t), t) = p(Q(0), 0) exp(-L). With Gauss nodes of a smooth law the error of the mean policy falls faster than any
    power of the number of nodes.

    Args:
        model: the game and the learners.
        law: the law of the values at time 0, or nodes with weights (`given_nodes`).
        nodes: the number of nodes for each action, so that there are nodes^A points; with more than three actions, the
            number of all points.
        interval: the time between two steps of the dynamics, at which measures are evaluated.
        integrator: by default 100 Runge-Kutta steps an interval.

    The state is [A1, K, 1] with A1 = A + 1: Q, and L in the last row. The last axis has one entry,
    because an integrator may cut it into blocks, but all nodes share m.

    Raises:
        InputError: the law is for another number of actions, a count is below one, or the interval is not positive.

    Source: Hu, Leung and Leung (2019), the equation. The method of characteristics is standard for it.
    """

    model: LearnerModel
    interval: Float[Array, ""]
    start: Float[Array, "A K"]
    weights: Float[Array, " K"]
    initial: Float[Array, " K"]
    """The density at the nodes at time 0."""
    integrator: AbstractIntegrator

    def __init__(
        self,
        model: LearnerModel,
        law: ProductLaw | Quadrature,
        nodes: int = 32,
        *,
        interval: Any = 1.0,
        integrator: AbstractIntegrator | None = None,
    ):
        check_kind("Characteristics", "model", model, LearnerModel)
        check_kind("Characteristics", "law", law, ProductLaw, Quadrature)
        if integrator is not None:
            check_kind("Characteristics", "integrator", integrator, AbstractIntegrator)
        found = law.quadrature(nodes) if isinstance(law, ProductLaw) else law
        dtype = model.payoff.dtype
        check_law_size("Characteristics", np.shape(found.nodes)[0], model)
        check_number("Characteristics", "interval", interval, "(0, inf)")
        self.model, self.interval = model, jnp.asarray(interval, dtype)
        self.start, self.weights, self.initial = (jnp.asarray(x, dtype) for x in found)
        self.integrator = RungeKutta(100) if integrator is None else integrator

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "A1 K 1"]:
        """The nodes at time 0, with L = 0."""
        return jnp.concatenate([self.start, jnp.zeros_like(self.start[:1])])[:, :, None]

    def field(
        self, time: Float[Array, ""], weights: Float[Array, "K 1"], state: Float[Array, "A1 K 1"]
    ) -> Float[Array, "A1 K 1"]:
        """The time derivative of the state; it does not depend on the time."""
        values = state[:-1]
        mean_policy = (self.model.policy(values) * weights).sum(axis=1)
        velocity, divergence = self.model.velocity(values, mean_policy), self.model.divergence(values, mean_policy)
        return jnp.concatenate([velocity, divergence[None]])

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "A1 K 1"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "A1 K 1"], Float[Array, "A1 K 1"]]:
        return self.integrator(self.field, self.weights[:, None], state, self.interval), state

    def points(self, state: Float[Array, "A1 K 1"]) -> WeightedPoints:
        return WeightedPoints(state[:-1], self.weights[:, None])

    def density(self, state: Float[Array, "A1 K 1"]) -> Float[Array, " K"]:
        """p at the nodes, per unit of payoff to the power A; it grows without bound as the population concentrates."""
        return self.initial * jnp.exp(-state[-1, :, 0])
