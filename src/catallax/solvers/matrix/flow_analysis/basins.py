"""Basins of attraction of the Q-learning flow: where each of many starts ends."""

from itertools import product
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped
from scipy.stats import beta

from catallax.core import InputError, NumericalError, check_count, check_number, rng
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.flow.integrate import RungeKutta
from catallax.solvers.matrix.flow.q_learning_flow import QLearningFlow
from catallax.solvers.matrix.host.game import ConcreteGame, concrete_game
from catallax.solvers.matrix.host.inputs import temperatures_on_host
from catallax.solvers.matrix.logit.choice import masked

from .rest_points import RestPoint, rest_point_near

_SUBSTEPS = 64
"""The number of Runge-Kutta steps between two checks whether the trajectories are at rest."""


class Basins(NamedTuple):
    """The attractors that were reached, the one with the largest basin first, and which start led to which."""

    attractors: tuple[RestPoint, ...]
    """Rest points, solved in double precision. If none is found near an end, the end itself (`NONE_REACHED`)."""
    label: Int[np.ndarray, " B"]
    """The number of the attractor of each start; -1 if the trajectory had not come to rest."""
    starts: Float[np.ndarray, "n A B"]
    ends: Float[np.ndarray, "n A B"]

    @property
    def counts(self) -> Int[np.ndarray, " attractors"]:
        """The number of starts that end at each attractor."""
        return np.bincount(self.label[self.label >= 0], minlength=len(self.attractors))

    @property
    def unsettled(self) -> int:
        """The number of starts that had not come to rest within the horizon."""
        return int((self.label < 0).sum())

    @property
    def shares(self) -> Float[np.ndarray, " attractors"]:
        """The counts divided by the number of all starts, including those that had not come to rest."""
        return self.counts / len(self.label)

    def intervals(self, level: Any = 0.95) -> Float[np.ndarray, "attractors 2"]:
        """Binomial confidence intervals of the shares. They are valid for starts drawn at random, not for a grid.

        Raises:
            InputError: the level is outside (0, 1).

        Source: Clopper and Pearson (1934).
        """
        check_number("Basins.intervals", "level", level, "(0, 1)")
        k, n, tail = self.counts, len(self.label), (1 - level) / 2
        low = np.where(k > 0, beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0)
        high = np.where(k < n, beta.ppf(1 - tail, k + 1, np.maximum(n - k, 1)), 1.0)
        return np.stack([low, high], axis=1)


def basins(
    game: AbstractMatrixGame,
    temperature: Any,
    starts: Any,
    *,
    horizon: Any = None,
    rest: Any = None,
    radius: Any = 1e-3,
    most: int = 64,
) -> Basins:
    """Follows the flow from all starts to rest in one batched program, and groups the ends by attractor.

    With g = r(x) - T ln x, a trajectory is at rest if no player moves, max |x_ki (g_ki - <x_k, g_k>)| <= rest, and no
    action could grow, g_ki - <x_k, g_k> <= rest. The second condition excludes trajectories that linger near a saddle
    on the boundary. The flow is integrated in log form by Runge-Kutta steps that are short compared with 1 / payoff and
    1 / T.

    Args:
        temperature: T >= 0: one number or [n].
        starts: interior policies, [n, A, B]; see `drawn_starts` and `grid_starts`.
        horizon: the longest time; None for 2,000 / max |payoff|.
        rest: the bound above in units of the largest of |payoff| and T; None for 1e-8 (64-bit) or 1e-5 (32-bit).
        radius: an end belongs to an attractor if their distance, max |x - x'|, is at most this.
        most: the largest number of attractors; if there are more, the rest points may form a continuum.

    Raises:
        InputError: the starts are no interior points, or a number is out of range.
        NumericalError: there are more than `most` attractors.
    """
    temperatures, concrete = temperatures_on_host(game, temperature), concrete_game(game)
    scale = max(concrete.scale, float(temperatures.max()))
    single = game.payoff.dtype == jnp.float32
    horizon = 2000.0 / concrete.scale if horizon is None else horizon
    rest = (1e-5 if single else 1e-8) if rest is None else rest
    for name, value in (("horizon", horizon), ("rest", rest), ("radius", radius)):
        check_number("basins", name, value, "(0, inf)")
    check_count("basins", "most", most)
    horizon, rest, radius = float(horizon), float(rest), float(radius)
    fastest = concrete.scale * max(len(game.neighbours(k)) for k in range(game.players)) + temperatures.max()
    interval = min(horizon, _SUBSTEPS * 0.25 / fastest)
    flow = QLearningFlow(game, temperatures, starts, interval=interval, integrator=RungeKutta(_SUBSTEPS))
    intervals = int(np.ceil(horizon / interval))
    first = flow.init(rng.key(0))
    state, resting = _to_rest(flow, first, jnp.asarray(rest * scale, first.dtype), jnp.int32(intervals))
    ends = np.asarray(flow.policy(state), float)
    label, found = _attractors(game, concrete, temperatures, ends, np.asarray(resting), radius, most)
    return Basins(found, label, np.asarray(flow.policy(first), float), ends)


@eqx.filter_jit
def _to_rest(
    flow: QLearningFlow, state: Float[Array, "n A B"], rest: Float[Array, ""], intervals: Int[Array, ""]
) -> tuple[Float[Array, "n A B"], Bool[Array, " B"]]:
    """The scores when all trajectories are at rest, or after `intervals`; and which trajectories are at rest."""
    go_on = lambda carry: (carry[1] < intervals) & ~_at_rest(flow, carry[0], rest).all()
    advance = lambda carry: (flow.step(rng.key(0), carry[0], carry[1])[0], carry[1] + 1)
    state, _ = jax.lax.while_loop(go_on, advance, (state, jnp.int32(0)))
    return state, _at_rest(flow, state, rest)


def _at_rest(flow: QLearningFlow, state: Float[Array, "n A B"], rest: Float[Array, ""]) -> Bool[Array, " B"]:
    """Which trajectories are at rest."""
    x = flow.policy(state)
    gain = flow.game.rewards(x) - flow.temperature.limit * masked(flow.game, state, 0.0)
    excess = masked(flow.game, gain - (x * gain).sum(axis=1, keepdims=True), 0.0)
    return jnp.maximum(jnp.abs(x * excess), excess).max(axis=(0, 1)) <= rest


def _attractors(
    game: AbstractMatrixGame,
    concrete: ConcreteGame,
    temperatures: Float[np.ndarray, " n"],
    ends: Float[np.ndarray, "n A B"],
    resting: Bool[np.ndarray, " B"],
    radius: float,
    most: int,
) -> tuple[Int[np.ndarray, " B"], tuple[RestPoint, ...]]:
    """The label of each end and the attractors, the most frequent attractor first."""
    label = np.full(ends.shape[2], -1)
    found: list[RestPoint] = []
    while (waiting := np.flatnonzero(resting & (label < 0))).size:
        if len(found) == most:
            raise NumericalError(
                f"basins: the ends make up more than {most} attractors; the rest points may form a continuum (then no "
                "shares are defined), or radius is too small"
            )
        end = ends[:, :, waiting[0]]
        point = rest_point_near(game, concrete, temperatures, end, tol=1e-10, near=radius, near_unstable=radius)
        away = np.abs(ends[:, :, waiting] - point.policy[:, :, None]).max(axis=(0, 1))
        label[waiting[away <= radius]] = label[waiting[0]] = len(found)
        found.append(point)
    order = np.argsort(-np.bincount(label[label >= 0], minlength=len(found)), kind="stable")
    place = np.empty(len(found) + 1, int)
    place[order], place[-1] = np.arange(len(found)), -1
    return place[label], tuple(found[i] for i in order)


def drawn_starts(game: AbstractMatrixGame, key: Shaped[PRNGKeyArray, ""], count: int) -> Float[np.ndarray, "n A count"]:
    """`count` profiles drawn uniformly from the product of the simplices; a call consumes the key.

    Raises:
        InputError: the count is below one.
    """
    check_count("drawn_starts", "count", count)
    shape = (game.players, game.width, count)
    bits = np.asarray(rng.draws(key, int(np.prod(shape))).first, np.uint32)
    parts = -np.log(((bits >> 8) + 0.5) / 2.0**24).reshape(shape) * game.legal[:, :, None]
    return parts / parts.sum(axis=1, keepdims=True)


def grid_starts(game: AbstractMatrixGame, cells: int) -> Float[np.ndarray, "n A B"]:
    """All profiles in which each player's mixed strategy is a point of a regular grid on its simplex.

    With n_k actions the points are (i_a + 1 / n_k) / cells, over integers i_a >= 0 that sum to cells - 1; with two
    actions these are the midpoints of equal cells. B is the product of the players' numbers of points.

    Raises:
        InputError: there is less than one cell, or more than a million profiles.
    """
    check_count("grid_starts", "cells", cells)
    each = [_simplex_grid(count, cells, game.width) for count in game.actions]
    total = int(np.prod([float(len(points)) for points in each]))
    if total > 1_000_000:
        raise InputError(f"grid_starts: {total:.3g} profiles are more than a million; take fewer cells or drawn_starts")
    return np.stack([np.stack(profile) for profile in product(*each)], axis=-1)


def _simplex_grid(count: int, cells: int, width: int) -> Float[np.ndarray, "points A"]:
    """The grid on the simplex of one player with `count` actions, padded with 0 to `width` columns."""
    whole = [i for i in product(range(cells), repeat=count - 1) if sum(i) <= cells - 1]
    rest = np.array([[*i, cells - 1 - sum(i)] for i in whole], float)
    return np.pad((rest + 1 / count) / cells, [(0, 0), (0, width - count)])
