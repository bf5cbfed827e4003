"""Integrators of flows for many trajectories: Runge-Kutta with fixed steps, and adaptive steps by diffrax."""

import abc
from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from catallax.core import InputError, Parametrized, count, static_number

Field = Callable[[Array, Any, Array], Array]
"""dz/dt as a function of (time, parameters, z). The last axis of z, and that of every parameter unless its length is 1,
is the axis of trajectories."""


class AbstractIntegrator(Parametrized):
    """A method that integrates a flow over an interval of time."""

    @abc.abstractmethod
    def __call__(
        self,
        field: Field,
        params: PyTree[Array],
        state: Float[Array, "... B"],
        duration: Float[Array, ""],
        start: Any = 0.0,
        longest_step: float = np.inf,
    ) -> Float[Array, "... B"]:
        """z(start + duration), where dz/dt = field(t, params, z) and z(start) = state.

        Args:
            longest_step: a bound on the steps of a method that chooses its own steps.
        """


class RungeKutta(AbstractIntegrator):
    """The classical fourth-order Runge-Kutta method with `substeps` equal steps over the interval.

    On CPU a batch is cut into blocks of `block` trajectories, and each block makes all its substeps before the next
    block begins, so that it stays in the first-level cache. Tens of substeps an interval are therefore faster than one
    substep in each of many intervals. An accelerator integrates all trajectories at once.

    Raises:
        InputError: a count is below one.
    """

    substeps: int = count(1)
    block: int = count(512)

    def __call__(
        self,
        field: Field,
        params: PyTree[Array],
        state: Float[Array, "... B"],
        duration: Float[Array, ""],
        start: Any = 0.0,
        longest_step: float = np.inf,
    ) -> Float[Array, "... B"]:
        """z(start + duration); `longest_step` has no effect."""
        h = (duration / self.substeps).astype(state.dtype)
        batch = state.shape[-1]
        if batch <= self.block or jax.default_backend() != "cpu":
            return self._advance(field, params, state, h, start)
        blocks = -(-batch // self.block)

        def cut(x: Array) -> Array:
            if x.shape[-1] == 1:
                return jnp.broadcast_to(x[None], (blocks, *x.shape))
            fill = [(0, 0)] * (x.ndim - 1) + [(0, blocks * self.block - batch)]
            x = jnp.pad(x, fill, mode="edge").reshape(*x.shape[:-1], blocks, self.block)
            return jnp.moveaxis(x, -2, 0)

        blocked = (jax.tree.map(cut, params), cut(state))
        done = jax.lax.map(lambda block: self._advance(field, block[0], block[1], h, start), blocked)
        return jnp.moveaxis(done, 0, -2).reshape(*state.shape[:-1], -1)[..., :batch]

    def _advance(self, field: Field, params: Any, state: Array, h: Array, start: Any) -> Array:
        def step(z: Array, i: Array) -> tuple[Array, None]:
            t = start + i * h
            k1 = field(t, params, z)
            k2 = field(t + h / 2, params, z + h / 2 * k1)
            k3 = field(t + h / 2, params, z + h / 2 * k2)
            k4 = field(t + h, params, z + h * k3)
            return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        return jax.lax.scan(step, state, jnp.arange(self.substeps))[0]


def _largest(x: Any) -> Array:
    """The maximum norm, with which every trajectory meets the tolerance, whatever their number."""
    return jnp.max(jnp.stack([jnp.abs(leaf).max() for leaf in jax.tree.leaves(x)]))


class Adaptive(AbstractIntegrator):
    """Adaptive steps by diffrax; all trajectories share one step size, and each meets the tolerances.

    The result is NaN if the tolerances could not be met in `max_steps`.

    Args:
        rtol, atol: relative and absolute tolerance of the scores, which are log-probabilities.
        solver: Tsitouras' 5th-order pair; `diffrax.Dopri8()` is faster for tolerances below 1e-8.
        max_steps: the largest number of steps in an interval.

    Raises:
        InputError: a tolerance is not positive, or is too fine for 32-bit numbers (switch on `jax_enable_x64`).
    """

    rtol: float = static_number(1e-6, "(0, inf)")
    atol: float = static_number(1e-6, "(0, inf)")
    solver: diffrax.AbstractAdaptiveSolver = diffrax.Tsit5()
    max_steps: int = count(100_000)

    def __call__(
        self,
        field: Field,
        params: PyTree[Array],
        state: Float[Array, "... B"],
        duration: Float[Array, ""],
        start: Any = 0.0,
        longest_step: float = np.inf,
    ) -> Float[Array, "... B"]:
        if state.dtype == jnp.float32 and min(self.rtol, self.atol) < 9e-7:
            raise InputError(
                f"Adaptive: tolerances {self.rtol:g} and {self.atol:g} are finer than 32-bit numbers resolve; switch "
                "on 64-bit numbers (jax.config.update('jax_enable_x64', True)) before building the game, or use 1e-6"
            )
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, z, params: field(jnp.asarray(t), params, z)),
            self.solver,
            t0=jnp.asarray(start, state.dtype),
            t1=(start + duration).astype(state.dtype),
            dt0=None,
            y0=state,
            args=params,
            stepsize_controller=diffrax.PIDController(
                rtol=self.rtol,
                atol=self.atol,
                norm=_largest,
                dtmax=longest_step if np.isfinite(longest_step) else None,
            ),
            saveat=diffrax.SaveAt(t1=True),
            max_steps=self.max_steps,
            throw=False,
        )
        met = solution.result == diffrax.RESULTS.successful
        assert solution.ys is not None
        return jnp.where(met, solution.ys[0], jnp.nan)
