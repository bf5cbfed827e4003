"""Orbits of the replicator dynamics (Q-learning without exploration): periods, returns, invariants, time averages."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from catallax.core import InputError, NumericalError, check_number
from catallax.games.matrix import AbstractMatrixGame, Edge, Polymatrix, as_polymatrix
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import interior_policy
from catallax.solvers.matrix.host.trajectory import integrate_on_host
from catallax.solvers.matrix.structure.zero_sum import doubly_centred, interior_equilibrium, zero_sum_weights

_TOLERANCE = 1e-13
"""The tolerance of the integration, in ln x."""


class Orbit(NamedTuple):
    """The first return of an orbit of the replicator dynamics to its start."""

    period: float
    """The time of the return, in units of time of the payoffs."""
    distance: float
    """max |x(period) - x(0)|; for a closed orbit it is an integration error."""
    start: Float[np.ndarray, "n A"]
    end: Float[np.ndarray, "n A"]


class ConservedQuantity(NamedTuple):
    """H(x) = sum_k w_k KL(p_k || x_k), which is constant along every interior orbit without exploration."""

    weights: Float[np.ndarray, " n"]
    """w > 0, the largest 1."""
    nash: Float[np.ndarray, "n A"]
    """p, the interior Nash equilibrium."""

    def __call__(self, policy: Float[np.ndarray, "n A *batch"]) -> Float[np.ndarray, "*batch"]:
        """H in nats; +inf on the boundary."""
        x = np.asarray(policy, float)
        p = self.nash.reshape(self.nash.shape + (1,) * (x.ndim - 2))
        with np.errstate(divide="ignore"):
            terms = np.where(p > 0, p * (np.log(np.where(p > 0, p, 1.0)) - np.log(np.where(p > 0, x, 1.0))), 0.0)
        return np.tensordot(self.weights, terms.sum(axis=1), axes=1)

    def drift(self, policies: Float[np.ndarray, "n A T"]) -> float:
        """The largest |H(x(t)) - H(x(0))| along a stored path: an error of its integrator."""
        along = self(policies)
        return float(np.abs(along - along[0]).max())


def conserved_quantity(game: AbstractMatrixGame, nash: Any = None) -> ConservedQuantity:
    """The invariant H of the replicator dynamics in a game with an interior Nash equilibrium p and suitable weights w.

    dH/dt = sum_k w_k <x_k - p_k, r_k(x) - r_k(p)> vanishes if on every edge the doubly centred w_k A_kl + w_l A_lk'
    vanishes. This condition is weaker than weighted zero-sum, because payoffs that do not depend on a player's own
    action do not matter. Every 2x2 game that cycles has such weights.

    Args:
        nash: p, [n, A]; None to solve for it. If there are several equilibria, each gives an invariant.

    Raises:
        InputError: there are no such weights; there is no interior Nash equilibrium, or more than one and `nash` is not
            given; `nash` is no interior Nash equilibrium; or the game is a normal form with more than two players.

    Source: Hofbauer and Sigmund (1998), chapter 11; Leonardos, Piliouras and Spendlove (2021), theorem 4.1 at T = 0.
    """
    edges = as_polymatrix(game)
    try:
        weights = zero_sum_weights(_strategic(edges)).weights
    except InputError as e:
        raise InputError(
            "conserved_quantity: no positive weights make this game zero-sum, even up to payoffs that do not depend on "
            "one's own action; no weighted divergence is conserved"
        ) from e
    if nash is None:
        return ConservedQuantity(weights, interior_equilibrium(edges))
    concrete, p = concrete_game(edges), interior_policy(edges, nash)
    if np.abs(concrete.centred(concrete.rewards(p))).max() > 1e-6 * concrete.scale:
        raise InputError("conserved_quantity: nash is no interior Nash equilibrium: some player is not indifferent")
    return ConservedQuantity(weights, p)


def _strategic(game: Polymatrix) -> Polymatrix:
    """The game with every matrix doubly centred, which removes payoffs that depend on one player's action alone."""
    part = {pair: doubly_centred(a) for pair, a in game.matrices().items()}
    return Polymatrix([Edge(k, m, part[k, m], part[m, k]) for k, m in part if k < m])


def closed_orbit(game: AbstractMatrixGame, start: Any, *, horizon: Any = None, tol: Any = 1e-8) -> Orbit:
    """The closed orbit of the replicator dynamics through a point, and its period.

    The flow is integrated in log form (DOP853, tolerance 1e-13). A return is a crossing of the plane through the start
    that is normal to the velocity there, in the direction of that velocity. In 2x2 games with an interior equilibrium
    that is no saddle every interior orbit is closed.

    Args:
        start: interior policy, [n, A]; if all players have two actions, P(first action), [n], is enough.
        horizon: the longest time until the return; None for 1,000 / max |payoff|.
        tol: the orbit counts as closed if max |x - x(0)| is at most this at the return.

    Raises:
        InputError: the start is no interior point, or is a rest point.
        NumericalError: no return within the horizon is so near; the message gives the distance of the nearest.
    """
    check_number("closed_orbit", "tol", tol, "(0, 1)")
    orbit, nearest = _first_return(game, start, horizon, float(tol))
    if orbit is None:
        raise NumericalError(
            f"closed_orbit: the orbit did not close within the horizon: {_nearest(nearest)}, tol is {tol:g}; raise the "
            "horizon, or ask for a recurrence to some distance"
        )
    return orbit


def recurrence(game: AbstractMatrixGame, start: Any, distance: Any, *, horizon: Any = None) -> Orbit:
    """The first return of an orbit of the replicator dynamics to within `distance` of its start.

    If a divergence to an interior equilibrium is conserved and volume is preserved, as in zero-sum games, almost every
    orbit returns arbitrarily near to its start (Poincare recurrence), though it need not be closed.

    Args:
        start, horizon: as in `closed_orbit`.
        distance: the largest max |x - x(0)| of a return.

    Raises:
        InputError, NumericalError: as `closed_orbit`.

    Source: Piliouras and Shamma (2014).
    """
    check_number("recurrence", "distance", distance, "(0, 1)")
    orbit, nearest = _first_return(game, start, horizon, float(distance))
    if orbit is None:
        raise NumericalError(
            f"recurrence: the orbit did not come back to {distance:g} within the horizon: {_nearest(nearest)}; raise "
            "the horizon"
        )
    return orbit


def _nearest(distance: float) -> str:
    """A text that says how near the nearest return came."""
    return f"its nearest return was {distance:.3g} away" if np.isfinite(distance) else "it never turned back"


def _first_return(game: AbstractMatrixGame, start: Any, horizon: Any, distance: float) -> tuple[Orbit | None, float]:
    """The first return within the distance, or None; and the distance of the nearest return."""
    concrete = concrete_game(game)
    horizon = 1000.0 / concrete.scale if horizon is None else horizon
    check_number("orbit", "horizon", horizon, "(0, inf)")
    x0 = interior_policy(game, start)
    field = lambda _, flat: concrete.drift(np.zeros(game.players), flat.reshape(x0.shape)).reshape(-1)
    z0 = concrete.scores(x0).reshape(-1)
    velocity = field(0.0, z0)
    speed = float(np.abs(velocity).max())
    if speed <= 1e-12 * concrete.scale:
        raise InputError("orbit: the start is a rest point of the replicator dynamics; no orbit passes through it")

    def plane(_: float, z: np.ndarray) -> float:
        return float(velocity @ (z - z0))

    plane.direction = 1.0  # type: ignore[attr-defined]
    horizon = float(horizon)
    time, z, length, nearest = 0.0, z0, 16.0 / concrete.scale, np.inf
    while time < horizon:
        stop = min(time + length, horizon)
        path = integrate_on_host("orbit", field, z, (time, stop), tol=_TOLERANCE, event=plane)
        for when, place in zip(path.t_events[0], path.y_events[0], strict=True):
            if when <= 1e-6 / speed:  # this crossing is the start itself
                continue
            end = concrete.policy(place.reshape(x0.shape))
            away = float(np.abs(end - x0).max())
            nearest = min(nearest, away)
            if away <= distance:
                return Orbit(float(when), away, x0, end), nearest
        time, z, length = stop, path.y[:, -1], 2 * length
    return None, nearest


def running_average(times: Any, values: Any) -> Float[np.ndarray, "T *rest"]:
    """(1 / (t - t_0)) times the integral of the values from t_0 to t, by the trapezoidal rule; at t_0 the first value.

    Without exploration, the average policy along an orbit that stays away from the boundary tends to the interior Nash
    equilibrium with an error of order 1 / t, though the orbit itself does not converge.

    Args:
        times: ascending, [T].
        values: one entry for each time on the first axis, [T, ...], as `run` stores series.

    Raises:
        InputError: the times do not ascend, or their number is not that of the values.

    Source: Hofbauer and Sigmund (1998), chapter 7, for the average of replicator orbits.
    """
    t, x = np.asarray(times, float), np.asarray(values, float)
    if t.ndim != 1 or not len(t) or x.shape[:1] != t.shape or not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        raise InputError(
            f"running_average: times must ascend and be as many as the values, got {t.shape} and {x.shape}"
        )
    widths = np.diff(t).reshape(-1, *(1,) * (x.ndim - 1))
    total = np.cumsum(widths * (x[1:] + x[:-1]) / 2, axis=0)
    since = (t[1:] - t[0]).reshape(widths.shape)
    return np.concatenate([x[:1], total / since])
