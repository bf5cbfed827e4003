"""The rest point to which the Q-learning flow leads when some players may not explore, and what kind of point it is."""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.integrate import LSODA

from catallax.core import NumericalError, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import ConcreteGame, concrete_game, scores_on
from catallax.solvers.matrix.host.inputs import interior_policy, temperatures_on_host
from catallax.solvers.matrix.logit.given_support import solve_on_support

from .spectrum import spectrum

_NEAR = 1e-6
"""The largest distance between the end of the trajectory and the rest point that Newton's method finds from it."""
_NEAR_UNSTABLE = 1e-12
"""The same if the rest point is unstable."""
_FADED = 1e-3
"""An action of a player with T = 0 may be abandoned if its probability is below this and it earns less than others."""


class RestKind(IntEnum):
    """The kind of a rest point."""

    LOGIT_EQUILIBRIUM = 0
    """Every player that has a choice explores. The point is a logit equilibrium, in the interior."""
    INTERIOR = 1
    """Some player does not explore, and all actions are played. The players that do not explore are indifferent."""
    BOUNDARY = 2
    """Some player that does not explore has abandoned actions. The point is no logit equilibrium."""
    NONE_REACHED = 3
    """The trajectory has not come to rest: it cycles, or needs more time."""


class RestPoint(NamedTuple):
    """The end of a trajectory of the flow."""

    kind: RestKind
    policy: Float[np.ndarray, "n A"]
    """The rest point, with abandoned actions at exactly 0; the last point of the trajectory if none was reached."""
    support: Bool[np.ndarray, "n A"]
    """Which actions are played there."""
    residual: float
    """max |T ln x - r|, centred over each player's actions in the support, payoff units; inf if none was reached."""
    margin: float
    """How much less than the value of its player the best abandoned action earns; inf if none is abandoned."""
    leading: float
    """The largest real part of the eigenvalues of the linearised flow. Below 0 the point attracts its neighbourhood.
    Above 0 it is a saddle that this start (a symmetric one, say) leads to. At 0 it is a centre, a point of a continuum
    or a bifurcation."""
    isolated: bool
    """False if rest points form a continuum, so that other starts end at other points of it."""
    time: float
    """The time integrated, in units of time of the payoffs."""

    def require(self, *kinds: RestKind) -> Float[np.ndarray, "n A"]:
        """The policy, if the point is of one of the kinds; without kinds, if it is a logit equilibrium or interior.

        Raises:
            NumericalError: the point is of another kind; the message says which.
        """
        wanted = kinds or (RestKind.LOGIT_EQUILIBRIUM, RestKind.INTERIOR)
        if self.kind in wanted:
            return self.policy
        name = lambda kind: RestKind(kind).name.lower().replace("_", " ")
        if self.kind == RestKind.NONE_REACHED:
            what = f"none reached: not at rest after time {self.time:g}; it cycles, or needs a longer horizon"
        elif self.kind == RestKind.BOUNDARY:
            gone = [f"player {k} gives up action {a}" for k, a in np.argwhere((self.policy == 0) & ~self.support)]
            what = f"on the boundary ({', '.join(gone[:4])}), which is no logit equilibrium"
        else:
            what = f"of kind {name(self.kind)}"
        raise NumericalError(f"rest point of the flow: {what}; asked for {' or '.join(map(name, wanted))}")


def rest_point(
    game: AbstractMatrixGame, temperature: Any, start: Any = None, *, horizon: Any = None, tol: Any = 1e-10
) -> RestPoint:
    """Follows the flow in log form, dz_k/dt = r_k(x) - T_k z_k, to rest; T_k may be 0 for some players, or all.

    The integration (LSODA) is interrupted from time to time. Actions of players with T_k = 0 that have nearly vanished
    and earn less than the others are removed from the support, and Newton's method solves for a rest point with this
    support. The rest point is accepted if it is within 1e-6 of the trajectory (within 1e-12 if it is unstable, because
    trajectories pass unstable points) and every abandoned action earns strictly less there. Near parameters at which an
    action becomes worth abandoning the flow is slow, and the horizon may be too short. At such parameters the margin is
    0 and the approach is slower than exponential.

    Args:
        temperature: T >= 0: one number or [n].
        start: interior policy, [n, A] (if all players have two actions, P(first action), [n]); None for uniform play.
        horizon: the longest time; None for 4,000 / max |payoff| + 30 / (the least T above 0). A trajectory that cycles
            is followed for all this time.
        tol: bound on the residual, in units of the largest of |payoff| and T.

    Raises:
        InputError: a temperature is negative, the start is no interior point, or the horizon is not positive.
        NumericalError: the integration failed.

    Source: Leonardos, Piliouras and Spendlove (2021), proposition C.1, for the boundary.
    """
    temperatures, concrete = temperatures_on_host(game, temperature), concrete_game(game)
    if horizon is None:
        horizon = 4000 / concrete.scale + 30 / temperatures[temperatures > 0].min(initial=np.inf)
    check_number("rest_point", "horizon", horizon, "(0, inf)")
    check_number("rest_point", "tol", tol, "(0, inf)")
    x = concrete.legal / concrete.legal.sum(axis=1, keepdims=True) if start is None else interior_policy(game, start)
    horizon, tol = float(horizon), float(tol)
    time, stop = 0.0, min(horizon, 8.0 / concrete.scale)
    trajectory = _Trajectory(concrete, temperatures, x, horizon)
    while True:
        time, x = trajectory.until(stop)
        found = rest_point_near(game, concrete, temperatures, x, tol)
        if found.kind != RestKind.NONE_REACHED or time >= horizon:
            return found._replace(time=time)
        stop = min(2 * stop, horizon)


def rest_point_near(
    game: AbstractMatrixGame,
    concrete: ConcreteGame,
    temperatures: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "n A"],
    tol: float,
    near: float = _NEAR,
    near_unstable: float = _NEAR_UNSTABLE,
) -> RestPoint:
    """The rest point at which a trajectory may be ending that has reached the policy x.

    Its distance from x is at most `near`, or `near_unstable` if it is unstable. If there is none, the kind is
    `NONE_REACHED`. The time is NaN.
    """
    rewards = concrete.rewards(x)
    value = (x * rewards).sum(axis=1, keepdims=True)
    abandoned = (temperatures[:, None] == 0) & (x < _FADED) & (rewards < value)
    support = concrete.legal & ~abandoned
    point = solve_on_support(concrete, temperatures, scores_on(support, x), support)
    rewards = concrete.rewards(point.policy)
    value = (point.policy * rewards).sum(axis=1, keepdims=True)
    margin = float((value - rewards)[concrete.legal & ~support].min(initial=np.inf))
    size = max(concrete.scale, temperatures.max())
    distance = np.abs(point.policy - x).max()
    found = distance <= near and point.residual <= tol * size and margin > 1e-9 * size
    leading = spectrum(game, temperatures, point.policy).leading if found else np.nan
    if not found or (leading > 1e-8 * size and distance > near_unstable):
        return RestPoint(RestKind.NONE_REACHED, x, concrete.legal, np.inf, np.inf, np.nan, False, np.nan)
    choosing = concrete.legal.sum(axis=1) > 1
    if (concrete.legal != support).any():
        kind = RestKind.BOUNDARY
    else:
        kind = RestKind.LOGIT_EQUILIBRIUM if (temperatures[choosing] > 0).all() else RestKind.INTERIOR
    return RestPoint(kind, point.policy, support, point.residual, margin, leading, point.isolated, np.nan)


class _Trajectory:
    """A trajectory of the flow in log form that can be continued."""

    def __init__(
        self,
        concrete: ConcreteGame,
        temperatures: Float[np.ndarray, " n"],
        x: Float[np.ndarray, "n A"],
        horizon: float,
    ) -> None:
        self.concrete, self.shape = concrete, x.shape
        field = lambda _, flat: concrete.drift(temperatures, flat.reshape(x.shape)).reshape(-1)
        self.solver = LSODA(field, 0.0, concrete.scores(x).reshape(-1), horizon, rtol=1e-9, atol=1e-9)

    def until(self, stop: float) -> tuple[float, Float[np.ndarray, "n A"]]:
        """The time and the policy at the first step at or after `stop`."""
        while self.solver.status == "running" and self.solver.t < stop:
            self.solver.step()
        if self.solver.status == "failed":
            raise NumericalError(f"rest point: the integration failed at time {self.solver.t:g}")
        return float(self.solver.t), self.concrete.policy(self.solver.y.reshape(self.shape))
