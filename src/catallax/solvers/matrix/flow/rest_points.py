"""Where the Q-learning flow comes to rest when some players may not explore: which kind of point, verified."""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.integrate import LSODA

from catallax.core import NumericalError, check_number
from catallax.games.matrix import AbstractMatrixGame
from catallax.solvers.matrix.host.game import ConcreteGame, concrete_game
from catallax.solvers.matrix.host.inputs import interior_policy, temperatures
from catallax.solvers.matrix.logit.given_support import polish

from .spectrum import spectrum

_NEAR = 1e-6
"""How near the trajectory must have come to the point that Newton's method finds from its end."""
_AT = 1e-12
"""The same where the point found repels in some direction."""
_FADED = 1e-3
"""Below this probability an action of a player with T = 0 that earns less than the others may be on its way out."""


class RestKind(IntEnum):
    """What kind of rest point it is."""

    LOGIT_EQUILIBRIUM = 0
    """Everybody with a choice explores: the point is a logit equilibrium, in the interior."""
    INTERIOR = 1
    """Somebody does not explore, and all actions are played: those players are indifferent."""
    BOUNDARY = 2
    """Somebody who does not explore has given up actions: no logit equilibrium, its scores are infinite."""
    NONE_REACHED = 3
    """The trajectory is not at rest: it cycles, or is still on its way."""


class RestPoint(NamedTuple):
    """Where a trajectory of the flow ends."""

    kind: RestKind
    policy: Float[np.ndarray, "n A"]
    """The rest point, abandoned actions at exactly 0; where none was reached, the last point of the trajectory."""
    face: Bool[np.ndarray, "n A"]
    """Which actions are played there."""
    residual: float
    """max |T ln x - r|, centred over each player's actions on the face; payoff units, inf where none was reached."""
    margin: float
    """How much less than its value the best abandoned action earns; inf if none is abandoned."""
    leading: float
    """The largest real part of the linearised flow there: below 0 it attracts its neighbourhood, above 0 it is a
    saddle that this start runs into (a symmetric start, say), 0 a centre, a continuum or a bifurcation."""
    isolated: bool
    """False where rest points form a continuum: another start ends elsewhere on it."""
    time: float
    """Time integrated, in the units of payoffs."""

    def require(self, *kinds: RestKind) -> Float[np.ndarray, "n A"]:
        """The policy, if the point is of one of the kinds; with none named, a logit equilibrium or interior.

        Raises:
            NumericalError: it is another; the message says which.
        """
        wanted = kinds or (RestKind.LOGIT_EQUILIBRIUM, RestKind.INTERIOR)
        if self.kind in wanted:
            return self.policy
        name = lambda kind: RestKind(kind).name.lower().replace("_", " ")
        if self.kind == RestKind.NONE_REACHED:
            what = f"none reached: not at rest after time {self.time:g}; it cycles, or needs a longer horizon"
        elif self.kind == RestKind.BOUNDARY:
            gone = [f"player {k} gives up action {a}" for k, a in np.argwhere((self.policy == 0) & ~self.face)]
            what = f"on the boundary ({', '.join(gone[:4])}), which is no logit equilibrium"
        else:
            what = f"of kind {name(self.kind)}"
        raise NumericalError(f"rest point of the flow: {what}; asked for {' or '.join(map(name, wanted))}")


def rest_point(
    game: AbstractMatrixGame, temperature: Any, start: Any = None, *, horizon: Any = None, tol: Any = 1e-10
) -> RestPoint:
    """Follows the flow in log form, dz_k/dt = r_k(x) - T_k z_k, to rest; T_k may be 0 for some players, or all.

    The integration (LSODA) stops from time to time. The actions of players with T_k = 0 that have nearly vanished and
    earn less than the rest are cut off; Newton's method solves the reduced problem on that face; its solution counts if
    it is within 1e-6 of the trajectory (within 1e-12 if it is unstable: another start would pass it) and every
    abandoned action earns strictly less there. Near a threshold, where an action becomes worth abandoning, the flow is
    slow and the horizon may not do; at it, and where the margin is 0, the approach is slower than exponential.

    Args:
        temperature: T >= 0: one number or [n].
        start: interior policy, [n, A] (P(first action), [n], if everybody has two); None for uniform play.
        horizon: the longest time to follow it; None for 4,000 / max |payoff| + 30 / (the least T above 0).
            A cycle is followed all that time, in seconds on the host.
        tol: bound on the residual, in units of the largest of |payoff| and T.

    Raises:
        InputError: a negative temperature, a start that is no interior point, a horizon that is not positive.

    Source: Leonardos, Piliouras and Spendlove (2021), proposition C.1, for the boundary.
    """
    heat, host = temperatures(game, temperature), concrete_game(game)
    horizon = 4000 / host.scale + 30 / heat[heat > 0].min(initial=np.inf) if horizon is None else horizon
    check_number("rest_point", "horizon", horizon, "(0, inf)")
    check_number("rest_point", "tol", tol, "(0, inf)")
    x = host.legal / host.legal.sum(axis=1, keepdims=True) if start is None else interior_policy(game, start)
    horizon, tol = float(horizon), float(tol)
    time, stop = 0.0, min(horizon, 8.0 / host.scale)
    flow = _Flow(host, heat, x, horizon)
    while True:
        time, x = flow.until(stop)
        found = settle(game, host, heat, x, tol)
        if found.kind != RestKind.NONE_REACHED or time >= horizon:
            return found._replace(time=time)
        stop = min(2 * stop, horizon)


def settle(
    game: AbstractMatrixGame,
    host: ConcreteGame,
    heat: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "n A"],
    tol: float,
    near: float = _NEAR,
    at: float = _AT,
) -> RestPoint:
    """The rest point within `near` of the policy x (within `at` if unstable), if the flow could be ending there."""
    earned = host.rewards(x)
    value = (x * earned).sum(axis=1, keepdims=True)
    leaving = (heat[:, None] == 0) & (x < _FADED) & (earned < value)
    face = host.legal & ~leaving
    point = polish(host, heat, x, face)
    earned = host.rewards(point.policy)
    value = (point.policy * earned).sum(axis=1, keepdims=True)
    margin = float((value - earned)[host.legal & ~face].min(initial=np.inf))
    size = max(host.scale, heat.max())
    distance = np.abs(point.policy - x).max()
    found = distance <= near and point.residual <= tol * size and margin > 1e-9 * size
    leading = spectrum(game, heat, point.policy).leading if found else np.nan
    if not found or (leading > 1e-8 * size and distance > at):
        return RestPoint(RestKind.NONE_REACHED, x, host.legal, np.inf, np.inf, np.nan, False, np.nan)
    choosing = host.legal.sum(axis=1) > 1
    if (host.legal != face).any():
        kind = RestKind.BOUNDARY
    else:
        kind = RestKind.LOGIT_EQUILIBRIUM if (heat[choosing] > 0).all() else RestKind.INTERIOR
    return RestPoint(kind, point.policy, face, point.residual, margin, leading, point.isolated, np.nan)


class _Flow:
    """The flow in log form under way."""

    def __init__(
        self, host: ConcreteGame, heat: Float[np.ndarray, " n"], x: Float[np.ndarray, "n A"], horizon: float
    ) -> None:
        self.host, self.shape = host, x.shape
        field = lambda _, flat: host.drift(heat, flat.reshape(x.shape)).reshape(-1)
        self.solver = LSODA(field, 0.0, host.scores(x).reshape(-1), horizon, rtol=1e-9, atol=1e-9)

    def until(self, stop: float) -> tuple[float, Float[np.ndarray, "n A"]]:
        """The time and the policy at the first step at or after `stop`."""
        while self.solver.status == "running" and self.solver.t < stop:
            self.solver.step()
        if self.solver.status == "failed":
            raise NumericalError(f"rest point: the integration failed at time {self.solver.t:g}")
        return float(self.solver.t), self.host.policy(self.solver.y.reshape(self.shape))
