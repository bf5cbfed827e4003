"""The density of Q-learners on a fixed grid, by a conservative finite-volume scheme with limited slopes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, check_count, check_number
from catallax.core.checks import check_kind, known

from .law import ProductLaw
from .model import AbstractLearnerDensity, LearnerModel, WeightedPoints, check_law_size

Limiter = Callable[[Array, Array], Array]
"""The slope of a cell from the differences to its lower and its upper neighbour."""

COURANT = 0.4
"""A bound on dt sum_j max|V_j| / h. Below 1/2 no cell loses more mass than it holds, so masses stay at least 0."""

_MOST_CELLS = 2**24
"""The largest number of cells of a grid."""


def minmod(below: Float[Array, "..."], above: Float[Array, "..."]) -> Float[Array, "..."]:
    """The difference of smaller absolute value if both have the same sign, else 0."""
    return jnp.where(below * above > 0, jnp.sign(below) * jnp.minimum(jnp.abs(below), jnp.abs(above)), 0.0)


def monotonized_central(below: Float[Array, "..."], above: Float[Array, "..."]) -> Float[Array, "..."]:
    """The MC limiter: the mean difference, but at most twice the smaller one; 0 if the signs differ.

    Source: van Leer (1977).
    """
    least = jnp.minimum(2 * jnp.minimum(jnp.abs(below), jnp.abs(above)), jnp.abs(below + above) / 2)
    return jnp.where(below * above > 0, jnp.sign(below) * least, 0.0)


class ValueGrid(NamedTuple):
    """A grid of equal cells on [low, high], the same on every axis."""

    low: float
    high: float
    cells: int

    @property
    def width(self) -> float:
        """h, the width of a cell."""
        return (self.high - self.low) / self.cells

    @property
    def edges(self) -> Float[np.ndarray, " G1"]:
        """The boundaries of the cells on an axis."""
        return np.linspace(self.low, self.high, self.cells + 1)

    @property
    def centres(self) -> Float[np.ndarray, " G"]:
        """The centres of the cells on an axis."""
        return (self.edges[1:] + self.edges[:-1]) / 2


class FiniteVolume(AbstractLearnerDensity):
    """Solves dp/dt + sum_j d/dQ_j [ p V_j ] = 0 on a grid of G^A cells that covers all values a learner can have.

    Values stay in the hull of [min A, max A] and the support of the initial law, because V points inwards on its
    boundary; so there is no flux through the boundary. Each cell holds its share of the population. Shares are
    reconstructed with limited slopes and taken from the upwind side of a face; velocities are evaluated at face centres
    with the current mean policy; time steps are those of the second-order method of Shu and Osher. The total share is
    therefore 1 up to rounding, and no share falls below 0. The method is of second order while the density is smooth on
    the grid. In the long run the density concentrates in a point; once it is narrower than a cell, errors of means are
    of order h.

    Args:
        model: the game and the learners.
        law: the law of the values at time 0; cells get their exact shares of it.
        cells: G, the number of cells on each axis.
        interval: the time between two steps of the dynamics, at which measures are evaluated.
        limiter: `minmod` or `monotonized_central`.
        time_step: the longest time step. None for the longest equal steps that keep the Courant number
            dt sum_j max|V_j| / h at or below 0.4 for all possible densities.

    The state are the shares, [G, ..., G].

    Raises:
        InputError: the law is for another number of actions, there are more than 2^24 cells, the time step may exceed
            the Courant bound, the interval is not positive, or a number is traced.

    Source: van Leer (1979), limited slopes; Shu and Osher (1988), time steps; Hu, Leung and Leung (2019), the equation.
    """

    model: LearnerModel
    interval: Float[Array, ""]
    start: Float[Array, "*G"]
    grid: ValueGrid = eqx.field(static=True)
    limiter: Limiter = eqx.field(static=True)
    substeps: int = eqx.field(static=True)

    def __init__(
        self,
        model: LearnerModel,
        law: ProductLaw,
        cells: int = 80,
        *,
        interval: Any = 1.0,
        limiter: Limiter = monotonized_central,
        time_step: float | int | None = None,
    ):
        check_kind("FiniteVolume", "model", model, LearnerModel)
        check_kind("FiniteVolume", "law", law, ProductLaw)
        check_count("FiniteVolume", "cells", cells, 2)
        check_number("FiniteVolume", "interval", interval, "(0, inf)")
        check_law_size("FiniteVolume", len(law.marginals), model)
        if cells**model.actions > _MOST_CELLS:
            raise InputError(
                f"FiniteVolume: {cells} cells on each of {model.actions} axes are {cells**model.actions:.3g} in all; "
                f"at most {_MOST_CELLS} fit. Take fewer cells, or Characteristics"
            )
        payoff, temperature, rate, span = map(known, (model.payoff, model.temperature, model.rate, interval))
        if payoff is None or temperature is None or rate is None or span is None:
            raise InputError("FiniteVolume: its grid and steps must be known when it is built; give plain numbers")
        ends = (payoff.min(), payoff.max(), *law.support)
        self.model, self.limiter = model, limiter
        self.grid = ValueGrid(float(min(ends)), float(max(ends)), cells)
        self.interval = jnp.asarray(interval, model.payoff.dtype)
        self.start = jnp.asarray(law.masses(self.grid.edges), model.payoff.dtype)
        fastest = _fastest(payoff, float(temperature), float(rate), self.grid)
        self.substeps = _substeps(float(span), self.grid.width, fastest, time_step)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "*G"]:
        """The exact shares of the initial law."""
        return self.start

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "*G"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "*G"], Float[Array, "*G"]]:
        dt = self.interval / self.substeps
        faces, shares = self._faces()
        _, policy = self._centres()

        def change(mass: Array) -> Array:
            rewards = self.model.rewards(jnp.tensordot(policy, mass, axes=self.model.actions))
            return self._change(mass, faces, shares, rewards)

        def advance(mass: Array, _: None) -> tuple[Array, None]:
            once = mass + dt * change(mass)
            return (mass + once + dt * change(once)) / 2, None

        return jax.lax.scan(advance, state, None, length=self.substeps)[0], state

    def _change(self, mass: Array, faces: Array, shares: Array, rewards: Array) -> Array:
        """d(mass)/dt: the inflow through the faces of each cell less the outflow."""
        total = jnp.zeros_like(mass)
        for j in range(self.model.actions):
            along = jnp.moveaxis(mass, j, 0)
            wide = faces.reshape(-1, *(1,) * (mass.ndim - 1))
            speed = self.model.rate * shares[j] * (rewards[j] - wide) / self.grid.width
            jumps = jnp.diff(along, axis=0)
            slope = jnp.zeros_like(along).at[1:-1].set(self.limiter(jumps[:-1], jumps[1:]) / 2)
            flux = jnp.where(speed > 0, speed * (along + slope)[:-1], speed * (along - slope)[1:])
            shut = [(1, 1)] + [(0, 0)] * (mass.ndim - 1)
            total = total - jnp.moveaxis(jnp.diff(jnp.pad(flux, shut), axis=0), 0, j)
        return total

    def _faces(self) -> tuple[Float[Array, " F"], Float[Array, "A F *G"]]:
        """Q_j at the inner faces of an axis, [F], and pi_j at the face centres, whose own axis j comes first."""
        dtype, n = self.model.payoff.dtype, self.model.actions
        inner, centres = self.grid.edges[1:-1], self.grid.centres
        shares = []
        for j in range(n):
            places = [inner if i == j else centres for i in range(n)]
            values = jnp.asarray(np.stack(np.meshgrid(*places, indexing="ij")), dtype)
            shares.append(jnp.moveaxis(self.model.policy(values)[j], j, 0))
        return jnp.asarray(inner, dtype), jnp.stack(shares)

    def _centres(self) -> tuple[Float[Array, "A *G"], Float[Array, "A *G"]]:
        """Q and pi(Q) at the centres of the cells."""
        places = [self.grid.centres] * self.model.actions
        values = jnp.asarray(np.stack(np.meshgrid(*places, indexing="ij")), self.model.payoff.dtype)
        return values, self.model.policy(values)

    def points(self, state: Float[Array, "*G"]) -> WeightedPoints:
        """The centres of the cells and their shares. The variance within a cell, at most h^2 / 12, is neglected."""
        values, _ = self._centres()
        return WeightedPoints(values.reshape(self.model.actions, -1, 1), state.reshape(-1, 1))

    def density(self, state: Float[Array, "*G"]) -> Float[Array, "*G"]:
        """The mean of p over each cell, per unit of payoff to the power A."""
        return state / self.grid.width**self.model.actions

    def courant(self, state: Float[Array, "*G"]) -> Float[Array, ""]:
        """The Courant number dt sum_j max|V_j| / h at this state."""
        faces, shares = self._faces()
        rewards = self.model.rewards(self.mean_policy(state)[:, 0])
        gap = rewards[:, None] - faces
        speed = self.model.rate * shares * gap.reshape(*gap.shape, *(1,) * (state.ndim - 1))
        fastest = jnp.abs(speed).reshape(len(shares), -1).max(axis=1).sum()
        return fastest * self.interval / self.substeps / self.grid.width


def _fastest(payoff: np.ndarray, temperature: float, rate: float, grid: ValueGrid) -> float:
    """A bound on sum_j max|V_j| over all faces and all mean policies; rewards lie between a row's extremes."""
    faces, lowest = grid.edges[1:-1], grid.centres[0]
    share = 1 / (1 + (len(payoff) - 1) * np.exp((lowest - faces) / temperature))
    ends = np.stack([payoff.min(axis=1), payoff.max(axis=1)])
    gap = np.abs(ends[:, :, None] - faces).max(axis=0)
    return float((rate * share * gap).max(axis=1).sum())


def _substeps(interval: float, width: float, fastest: float, time_step: float | int | None) -> int:
    """The number of equal time steps in an interval."""
    safe = COURANT * width / fastest if fastest > 0 else math.inf
    if time_step is None:
        return max(1, math.ceil(interval / safe))
    check_number("FiniteVolume", "time_step", time_step, "(0, inf)")
    steps = max(1, math.ceil(interval / float(time_step) * (1 - 1e-12)))
    if interval / steps > safe * (1 + 1e-12):
        raise InputError(
            f"FiniteVolume: time_step {interval / steps:.3g} may break the Courant bound of {COURANT}: on this grid "
            f"h = {width:.3g} and velocities reach {fastest:.3g}, so take at most {safe:.3g}, or leave it out"
        )
    return steps
