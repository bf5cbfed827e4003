"""Orbits of the replicator dynamics (Q-learning without exploration): periods, returns, what they conserve."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

from catallax.core import InputError, NumericalError, check_number
from catallax.games.matrix import AbstractMatrixGame, Edge, Polymatrix, as_polymatrix
from catallax.solvers.matrix.host.game import concrete_game
from catallax.solvers.matrix.host.inputs import interior_policy
from catallax.solvers.matrix.structure.zero_sum import doubly_centred, interior_equilibrium, zero_sum_weights

_TOLERANCE = 1e-13
"""Of the integration, in ln x."""


class Orbit(NamedTuple):
    """A first return of the replicator dynamics to where it started."""

    period: float
    """When it returned, in units of time of the payoffs."""
    distance: float
    """max |x(period) - x(0)|: rounding for a closed orbit."""
    start: Float[np.ndarray, "n A"]
    end: Float[np.ndarray, "n A"]


class Conserved(NamedTuple):
    """H(x) = sum_k w_k KL(p_k || x_k), constant along every interior orbit without exploration."""

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
        """The largest |H(x(t)) - H(x(0))| along a stored path: what its integrator got wrong."""
        along = self(policies)
        return float(np.abs(along - along[0]).max())


def conserved_quantity(game: AbstractMatrixGame, nash: Any = None) -> Conserved:
    """The constant of motion of the replicator dynamics in a game with an interior Nash equilibrium p and weights.

    dH/dt = sum_k w_k <x_k - p_k, r_k(x) - r_k(p)> vanishes if on every edge the doubly centred w_k A_kl + w_l A_lk'
    does. That is less than weighted zero-sum: payoffs that do not depend on one's own action do not matter here. Every
    2x2 game that cycles has such weights.

    Args:
        nash: p, [n, A]; None to solve for the only one. Where there are several each gives a constant of motion.

    Raises:
        InputError: no such weights, no (or more than one) interior Nash equilibrium, a `nash` that is none or not
            interior, or a normal form with more than two players.

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
        return Conserved(weights, interior_equilibrium(edges))
    host, p = concrete_game(edges), interior_policy(edges, nash)
    if np.abs(host.centred(host.rewards(p))).max() > 1e-6 * host.scale:
        raise InputError("conserved_quantity: nash is no interior Nash equilibrium: some player is not indifferent")
    return Conserved(weights, p)


def _strategic(game: Polymatrix) -> Polymatrix:
    """The game with every matrix doubly centred: what is left when payoffs of one side alone are taken out."""
    part = {pair: doubly_centred(a) for pair, a in game.matrices().items()}
    return Polymatrix([Edge(k, m, part[k, m], part[m, k]) for k, m in part if k < m])


def closed_orbit(game: AbstractMatrixGame, start: Any, *, horizon: Any = None, tol: Any = 1e-8) -> Orbit:
    """The closed orbit of the replicator dynamics through a point, and its period.

    Integrated in log form (DOP853, tolerance 1e-13); the first return is where the orbit crosses, in the direction in
    which it left, the plane through its start that is normal to its velocity. In 2x2 games with an interior equilibrium
    that is no saddle every interior orbit closes.

    Args:
        start: interior policy, [n, A]; P(first action), [n], if everybody has two.
        horizon: the longest time to wait for the return; None for 1,000 / max |payoff|.
        tol: how near, max |x - x(0)|, the return must be to count as closed.

    Raises:
        InputError: a start that is no interior point or at rest.
        NumericalError: no crossing within the horizon is so near; the message says how near it came.
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
    """The first time at which an orbit of the replicator dynamics crosses its own start's plane within `distance`.

    Where a divergence to an interior equilibrium is conserved and volume is preserved (zero-sum games), almost every
    orbit comes back arbitrarily near (Poincare), though it need not close.

    Args:
        distance: max |x - x(0)| that counts as a return.

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
    return f"its nearest return was {distance:.3g} away" if np.isfinite(distance) else "it never turned back"


def _first_return(game: AbstractMatrixGame, start: Any, horizon: Any, distance: float) -> tuple[Orbit | None, float]:
    """The first crossing within the distance, if any, and the nearest one."""
    host = concrete_game(game)
    horizon = 1000.0 / host.scale if horizon is None else horizon
    check_number("orbit", "horizon", horizon, "(0, inf)")
    x0 = interior_policy(game, start)
    field = lambda _, flat: host.drift(np.zeros(game.players), flat.reshape(x0.shape)).reshape(-1)
    z0 = host.scores(x0).reshape(-1)
    leaving = field(0.0, z0)
    speed = float(np.abs(leaving).max())
    if speed <= 1e-12 * host.scale:
        raise InputError("orbit: the start is a rest point of the replicator dynamics; no orbit passes through it")

    def plane(_: float, z: np.ndarray) -> float:
        return float(leaving @ (z - z0))

    plane.direction = 1.0  # type: ignore[attr-defined]
    time, z, length, nearest = 0.0, z0, 16.0 / host.scale, np.inf
    while time < horizon:
        stop = min(time + length, horizon)
        path = solve_ivp(field, (time, stop), z, "DOP853", events=plane, rtol=_TOLERANCE, atol=_TOLERANCE)
        if not path.success:
            raise NumericalError(f"orbit: the integration failed at time {path.t[-1]:g}: {path.message}")
        for when, place in zip(path.t_events[0], path.y_events[0], strict=True):
            if when <= 1e-6 / speed:  # the start itself
                continue
            away = float(np.abs(host.policy(place.reshape(x0.shape)) - x0).max())
            nearest = min(nearest, away)
            if away <= distance:
                return Orbit(float(when), away, x0, host.policy(place.reshape(x0.shape))), nearest
        time, z, length = stop, path.y[:, -1], 2 * length
    return None, nearest
