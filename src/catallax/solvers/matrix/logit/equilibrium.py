"""Logit quantal response equilibria at heterogeneous temperatures, by damped Newton steps."""

from enum import IntEnum
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, NumericalError, check_count, check_number, rng, solve
from catallax.core.checks import known
from catallax.games.matrix import AbstractMatrixGame, per_player

from .choice import centred, logit_gap, residual, scores_of, softmax

_SHARES = (1.0, 0.5, 0.25, 0.0625, 0.015625, 0.001)
"""The shares of a Newton step that are tried; the one with the least residual is taken."""


class Status(IntEnum):
    """The reason why a solver stopped."""

    CONVERGED = 0
    """The residual is within the tolerance."""
    OUT_OF_STEPS = 1
    """The largest number of steps was made."""
    NOT_FINITE = 2
    """The residual is NaN or infinite."""


class LogitEquilibrium(NamedTuple):
    """A logit equilibrium, or the last iterate of the solver. Under `jax.vmap` every field has leading batch axes."""

    policy: Float[Array, "n A"]
    scores: Float[Array, "n A"]
    """ln p, centred for each player."""
    residual: Float[Array, ""]
    """max |T z - r|, centred, in units of payoff, at the temperatures asked for."""
    iterations: Int[Array, ""]
    """The number of Newton steps at all stages together."""
    status: Int[Array, ""]
    """A `Status`."""

    @property
    def converged(self) -> Bool[Array, "*batch"]:
        """Whether the residual is within the tolerance."""
        return self.status == Status.CONVERGED

    def require(self) -> Float[Array, "*batch n A"]:
        """The policy, if the solver converged (for all of a batch).

        Raises:
            NumericalError: the solver did not converge.
        """
        status = np.asarray(self.status)
        if (status != Status.CONVERGED).any():
            worst = Status(int(status.max())).name.lower().replace("_", " ")
            raise NumericalError(
                f"logit equilibrium: {int((status != 0).sum())} of {status.size} not found ({worst}; residual "
                f"{float(np.max(np.asarray(self.residual))):.3g} after {int(np.max(np.asarray(self.iterations)))} "
                "Newton steps); start nearer, raise max_steps, loosen tol, or begin at higher temperatures with more "
                "stages"
            )
        return self.policy


class LogitNewton(AbstractDynamics):
    """Damped Newton's method for F(z) = T z - r(softmax z) = 0, centred for each player, as a dynamics.

    The Jacobian is T - P M (diag x - x x'), with the block matrix M = dr/dx and the centring P. In weighted zero-sum
    games it is never singular, and the equilibrium is unique. Other games may have several equilibria; then `start`
    decides which is found. Several shares of each Newton step are tried, and the one with the least residual is taken.

    Args:
        game: any game in matrix form.
        temperature: T > 0: one number or [n].
        start: interior policy [n, A]; None for uniform play.

    The state is z, [n, A]; the residual is max |F|, in units of payoff.

    Raises:
        InputError: a temperature is not positive, or the start is no interior point.

    Source: McKelvey and Palfrey (1995) for the equilibrium; Leonardos, Piliouras and Spendlove (2021), equation 9.
    """

    game: AbstractMatrixGame
    temperature: Float[Array, " n"]
    start: Float[Array, "n A"]

    def __init__(self, game: AbstractMatrixGame, temperature: Any, start: Any = None):
        self.game = game
        self.temperature = per_player(game, "temperature", temperature, positive=True)
        uniform = jnp.zeros((game.players, game.width), game.payoff.dtype)
        self.start = uniform if start is None else scores_of(game, start).reshape(uniform.shape)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "n A"]:
        return self.start

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "n A"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "n A"], Float[Array, "n A"]]:
        """The share of one Newton step that has the least residual."""
        gap = logit_gap(self.game, self.temperature, state)
        move = jnp.linalg.solve(self.jacobian(state), gap.reshape(-1)).reshape(state.shape)
        tried = jnp.stack([state - share * move for share in _SHARES], axis=-1)
        worst = jnp.abs(logit_gap(self.game, self.temperature, tried)).max(axis=(0, 1))
        after = centred(self.game, tried[..., jnp.argmin(worst)])
        return after, after

    def jacobian(self, state: Float[Array, "n A"]) -> Float[Array, "nA nA"]:
        """dF/dz, players and actions flattened."""
        x = softmax(self.game, state)
        slope = x[:, :, None] * (jnp.eye(x.shape[1], dtype=x.dtype) - x[:, None, :])
        response = centred(self.game, self.game.response(x, slope))
        temperature = jnp.broadcast_to(self.temperature[:, None], x.shape).reshape(-1)
        return jnp.diag(temperature) - response.reshape(x.size, x.size)

    def policy(self, state: Float[Array, "n A"]) -> Float[Array, "n A"]:
        """The policy x = softmax(z) of the scores z."""
        return softmax(self.game, state)

    def residual(self, state: Float[Array, "n A"]) -> Float[Array, ""]:
        """max |T z - r(x)|, centred."""
        return residual(self.game, self.temperature, state)


def logit_equilibrium(
    game: AbstractMatrixGame,
    temperature: Any,
    start: Any = None,
    *,
    tol: float | None = None,
    max_steps: int = 50,
    stages: int | None = None,
) -> LogitEquilibrium:
    """The logit equilibrium p_k(a) = exp(r_k(a) / T_k) / sum_b exp(r_k(b) / T_k) of a game in matrix form.

    The function may be vmapped over games and temperatures, and differentiated (forward and backward) with respect to
    both by the implicit function theorem, which costs one more linear solve whatever the number of steps.

    Args:
        temperature: T > 0: one number or [n].
        start: interior policy at which Newton's method starts; None for uniform play.
        tol: bound on max |T z - r|, in units of payoff; None for 1e-12 (64-bit) or 1e-5 (32-bit) times max |A|, so that
            the unit of payoffs does not matter. Then one more Newton step is made, if it lowers the residual.
        max_steps: the largest number of Newton steps at each stage.
        stages: the equilibria at temperatures 2^stages T, ..., 2 T are solved first, each from the one before. This
            helps at low temperatures, and keeps to the branch that comes from high temperatures if there are several.
            None for the number of stages that begins at a tenth of the largest |payoff|, if the temperature is not
            traced and `start` is not given; else 0. In weighted zero-sum games the equilibrium is then found at any
            temperature, because it is unique at each of them and the Jacobian is never singular.

    Raises:
        InputError: a temperature or the tolerance is not positive, the tolerance is too fine for 32-bit numbers, or a
            count is no integer.
    """
    problem = LogitNewton(game, temperature, start)
    check_count("logit_equilibrium", "max_steps", max_steps)
    if stages is not None and not isinstance(stages, jax.Array):
        check_count("logit_equilibrium", "stages", stages, 0)
    if tol is not None:
        check_number("logit_equilibrium", "tol", tol, "(0, inf)")
    dtype = game.payoff.dtype
    if stages is None:
        stages = _stages(problem) if start is None else 0
    if dtype == jnp.float32 and tol is not None and tol < 1e-6:
        raise InputError(
            f"logit_equilibrium: tol {tol:g} is finer than 32-bit numbers resolve; switch on 64-bit numbers "
            "(jax.config.update('jax_enable_x64', True)) before building the game, or use 1e-5"
        )
    largest = jnp.abs(jax.lax.stop_gradient(game.payoff)).max()
    scale = jnp.where(largest > 0, largest, jax.lax.stop_gradient(problem.temperature).max())
    bound = jnp.asarray(tol, dtype) if tol is not None else scale * (1e-5 if dtype == jnp.float32 else 1e-12)
    return _find(problem, bound, max_steps, jnp.int32(stages))


def _stages(problem: LogitNewton) -> int:
    """How often the lowest temperature must be doubled to reach a tenth of the largest |payoff|; 0 if it is traced."""
    temperature, payoff = known(problem.temperature), known(problem.game.payoff)
    if temperature is None or payoff is None:
        return 0
    return max(0, int(np.ceil(np.log2(max(0.1 * np.abs(payoff).max(), 1e-300) / temperature.min()))))


@eqx.filter_jit
def _find(problem: LogitNewton, bound: Float[Array, ""], max_steps: int, stages: Int[Array, ""]) -> LogitEquilibrium:
    """The equilibrium by Newton's method, differentiable through the implicit function theorem."""
    game, dtype = problem.game, problem.start.dtype

    def find(_: Any, guess: Array) -> tuple[Array, tuple[Array, Array]]:
        def stage(i: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            guess, made, _ = carry
            factor = jnp.exp2((stages - i).astype(dtype))
            easier = eqx.tree_at(lambda p: p.temperature, problem, problem.temperature * factor)
            found = solve(easier, rng.key(0), tol=bound, max_steps=max_steps, state=guess)
            return found.value, made + found.steps, found.residual

        first = (guess, jnp.int32(0), jnp.asarray(jnp.inf, dtype))
        guess, made, rest = jax.lax.fori_loop(0, stages + 1, stage, first)
        # One more step, because the bound is coarse for players with small payoffs or low temperatures.
        last, _ = problem.step(rng.key(0), guess, jnp.int32(0))
        after = problem.residual(last)
        better = (rest <= bound) & (after < rest)
        guess, rest = jnp.where(better, last, guess), jnp.where(better, after, rest)
        return guess, (rest, made.astype(dtype))  # a float, because custom_root mishandles the tangents of integers

    def tangent(linear: Any, y: Array) -> Array:
        jacobian = jax.jacobian(linear)(jnp.zeros_like(y)).reshape(y.size, y.size)
        return jnp.linalg.solve(jacobian, y.reshape(-1)).reshape(y.shape)

    # The centred gap is constant along a player's common constant; adding that constant makes the root unique.
    def root(z: Array) -> Array:
        return logit_gap(game, problem.temperature, z) + (z - centred(game, z))

    scores, (rest, made) = jax.lax.custom_root(root, problem.start, find, tangent, has_aux=True)
    finite, made = jnp.isfinite(rest), jax.lax.stop_gradient(made).astype(jnp.int32)
    status = jnp.where(rest <= bound, Status.CONVERGED, jnp.where(finite, Status.OUT_OF_STEPS, Status.NOT_FINITE))
    return LogitEquilibrium(softmax(game, scores), scores, rest, made, status.astype(jnp.int32))
