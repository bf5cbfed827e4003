"""Logit equilibria over a grid of two players' temperatures: surfaces of equilibrium selection."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, NumericalError, check_count
from catallax.core.checks import as_numbers
from catallax.games.matrix import AbstractMatrixGame, per_player

from .choice import logit_gap, random_scores, scores_of, softmax
from .equilibrium import LogitNewton, Status, logit_equilibrium

_STEPS_A_STAGE = 3
"""The number of Newton steps that `LogitGrid` makes before it halves the temperatures."""


class LogitSurface(NamedTuple):
    """Logit equilibria at every pair of temperatures of two players, and how the solver ended at each pair."""

    players: tuple[int, int]
    """The two players whose temperatures are the axes."""
    temperatures_a: Float[np.ndarray, " I"]
    temperatures_b: Float[np.ndarray, " J"]
    policy: Float[Array, "n A I J"]
    """The last iterate at every point; `coordinate` and `require` read it and respect `status`."""
    residual: Float[Array, "I J"]
    """max |T z - r|, centred, in units of payoff."""
    status: Int[Array, "I J"]
    """A `Status` at every point."""

    @property
    def converged(self) -> Bool[Array, "I J"]:
        """Where the residual is within the tolerance."""
        return self.status == Status.CONVERGED

    def coordinate(self, player: int, action: int = 0) -> Float[np.ndarray, "I J"]:
        """P(action) of a player at the equilibrium; NaN where the solver did not converge."""
        return np.where(self.converged, np.asarray(self.policy[player, action]), np.nan)

    def require(self) -> Float[Array, "n A I J"]:
        """The policies, if the solver converged at all points.

        Raises:
            NumericalError: it did not; the message names the first such point.
        """
        lost = np.argwhere(~np.asarray(self.converged))
        if len(lost):
            i, j = lost[0]
            raise NumericalError(
                f"logit_surface: {len(lost)} of {self.status.size} equilibria not found, the first at temperatures "
                f"({self.temperatures_a[i]:g}, {self.temperatures_b[j]:g}) of players {self.players} with residual "
                f"{float(self.residual[i, j]):.3g}; raise stages or max_steps, or loosen tol"
            )
        return self.policy


def temperature_grid(
    game: AbstractMatrixGame,
    temperatures_a: Any,
    temperatures_b: Any,
    players: tuple[int, int] = (0, 1),
    others: Any = 1.0,
) -> Float[Array, "n IJ"]:
    """The temperatures of all players at all points of a grid on which those of two players vary, the first slowest.

    Args:
        temperatures_a, temperatures_b: T > 0 of the two players, [I] and [J].
        players: the two players.
        others: T > 0 of the other players: one number, or [n], of which the entries of `players` are ignored.

    Raises:
        InputError: `players` are not two different players of the game, an axis is no list, or a temperature is not
            positive.
    """
    pair = isinstance(players, tuple | list) and len(players) == 2 and all(isinstance(k, int) for k in players)
    if not pair:
        raise InputError(f"players are two different ones of 0 to {game.players - 1}, got {players!r}")
    i, j = players
    if i == j or not all(0 <= k < game.players for k in players):
        raise InputError(f"players are two different ones of 0 to {game.players - 1}, got {players}")
    named = {"temperatures_a": temperatures_a, "temperatures_b": temperatures_b}
    axes = [as_numbers("temperature_grid", name, t, game.payoff.dtype) for name, t in named.items()]
    for name, axis in zip("ab", axes, strict=True):
        if axis.ndim != 1 or axis.size == 0:
            raise InputError(f"temperatures_{name} must be a list of temperatures, got shape {axis.shape}")
    a, b = (x.ravel() for x in jnp.meshgrid(*axes, indexing="ij"))
    rest = as_numbers("temperature_grid", "others", others, game.payoff.dtype)
    if rest.shape not in ((), (game.players,)):
        raise InputError(f"temperature_grid: others is one number or {game.players}, got shape {rest.shape}")
    rest = jnp.broadcast_to(rest, (game.players,))
    whole = jnp.broadcast_to(rest[:, None], (game.players, a.size))
    return per_player(game, "temperature", whole.at[i].set(a).at[j].set(b), positive=True, batched=True)


def logit_surface(
    game: AbstractMatrixGame,
    temperatures_a: Any,
    temperatures_b: Any,
    players: tuple[int, int] = (0, 1),
    others: Any = 1.0,
    *,
    tol: float | None = None,
    max_steps: int = 50,
    stages: int = 2,
) -> LogitSurface:
    """The logit equilibrium at every pair of temperatures of two players, with those of the others fixed.

    All points are solved in one batch by `logit_equilibrium`, each from uniform play and with its own stages; so no
    point depends on its neighbours. In weighted zero-sum games the equilibrium is unique. In other games each point is
    an equilibrium, but the surface may jump from one branch to another.

    Args:
        temperatures_a, temperatures_b: T > 0 of `players[0]` and `players[1]`, [I] and [J].
        players: the two players.
        others: T > 0 of the other players: one number, or one for each player.
        tol, max_steps, stages: as in `logit_equilibrium`, at every point.

    Raises:
        InputError: as `temperature_grid` and `logit_equilibrium`.
    """
    grid = temperature_grid(game, temperatures_a, temperatures_b, players, others)
    policy, residual, status = _points(game, grid, tol, max_steps, stages)
    a, b = (np.asarray(t, float) for t in (temperatures_a, temperatures_b))
    shape = (a.size, b.size)
    folded = jnp.moveaxis(policy, 0, -1).reshape(game.players, game.width, *shape)
    return LogitSurface(players, a, b, folded, residual.reshape(shape), status.reshape(shape))


@eqx.filter_jit
def _points(
    game: AbstractMatrixGame, grid: Float[Array, "n B"], tol: float | None, max_steps: int, stages: int
) -> tuple[Float[Array, "B n A"], Float[Array, " B"], Int[Array, " B"]]:
    """The equilibrium at each column of temperatures."""
    found = jax.vmap(
        lambda t: logit_equilibrium(game, t, tol=tol, max_steps=max_steps, stages=stages), in_axes=1, out_axes=0
    )(grid)
    return found.policy, found.residual, found.status


class LogitGrid(AbstractDynamics):
    """`LogitNewton` at B temperature vectors side by side, as a dynamics whose step is one damped Newton step of all.

    It serves experiments that check uniqueness: if the equilibrium is unique, all starts lead to the same surface.
    The first steps are made at temperatures 2^stages T, ..., 2 T, three at each, because Newton's method at a low
    temperature may need a hundred steps if it starts far away.

    Args:
        temperature: T > 0 of every player at every point, [n, B]; see `temperature_grid`.
        start: interior policies, [n, A] or [n, A, B]; None draws them uniformly from the simplices, from the run's key.
        stages: how often the temperatures are halved until those asked for are reached.

    The state is z, [n, A, B]; the residual is the largest of `gaps`.

    Raises:
        InputError: the temperatures have another shape or are not positive, or the start is no interior point.
    """

    game: AbstractMatrixGame
    temperature: Float[Array, "n B"]
    start: Float[Array, "n A B"] | None
    stages: int = eqx.field(static=True)

    def __init__(self, game: AbstractMatrixGame, temperature: Any, start: Any = None, *, stages: int = 5):
        check_count("LogitGrid", "stages", stages, 0)
        self.game, self.stages = game, stages
        fitted = per_player(game, "temperature", temperature, positive=True, batched=True)
        self.temperature = fitted if fitted.ndim == 2 else fitted[:, None]
        shape = (game.players, game.width, self.temperature.shape[1])
        scores = None if start is None else scores_of(game, start)
        if scores is not None and scores.ndim == 3 and scores.shape[2] not in (1, shape[2]):
            raise InputError(f"LogitGrid: {scores.shape[2]} starts for {shape[2]} temperature vectors")
        if scores is not None:
            scores = jnp.broadcast_to(scores if scores.ndim == 3 else scores[:, :, None], shape)
        self.start = scores

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "n A B"]:
        """The scores of `start`, or of policies drawn uniformly."""
        return random_scores(self.game, key, self.temperature.shape[1]) if self.start is None else self.start

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "n A B"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "n A B"], Float[Array, "n A B"]]:
        """One Newton step at every point where it lowers the residual, at the temperatures of the current stage."""
        factor = 2.0 ** jnp.maximum(self.stages - t // _STEPS_A_STAGE, 0).astype(self.temperature.dtype)
        temperature = self.temperature * factor
        newton = lambda one, z: LogitNewton(self.game, one).step(key, z, t)[0]
        after = jax.vmap(newton, in_axes=(1, 2), out_axes=2)(temperature, state)
        better = _gaps(self.game, temperature, after) <= _gaps(self.game, temperature, state)
        after = jnp.where(better, after, state)
        return after, after

    def gaps(self, state: Float[Array, "n A B"]) -> Float[Array, " B"]:
        """max |T z - r(x)|, centred, at each point, in units of payoff; 0 only at a logit equilibrium of the point."""
        return _gaps(self.game, self.temperature, state)

    def policy(self, state: Float[Array, "n A B"]) -> Float[Array, "n A B"]:
        """The policy x = softmax(z) of the scores z."""
        return softmax(self.game, state)

    def residual(self, state: Float[Array, "n A B"]) -> Float[Array, ""]:
        return self.gaps(state).max()


def _gaps(
    game: AbstractMatrixGame, temperature: Float[Array, "n B"], state: Float[Array, "n A B"]
) -> Float[Array, " B"]:
    """max |T z - r(x)|, centred, at each point."""
    return jnp.abs(logit_gap(game, temperature, state)).max(axis=(0, 1))
