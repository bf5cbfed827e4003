"""Branches of logit equilibria over the temperature: tracing them past folds, and finding their bifurcations."""

from enum import StrEnum
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from catallax.core import InputError, NumericalError, check_count, check_number
from catallax.games.matrix import AbstractMatrixGame, per_player
from catallax.solvers.matrix.host.game import ConcreteGame, concrete_game

from .choice import scores_of
from .continuation import Curve, Point
from .given_support import solve_on_support
from .low_temperature import LOW, LowTemperaturePoint, halve_temperature, solve_at_low_temperature
from .system import LogitSystem

_SHORTEST = 1e-6
"""If a step shorter than this still jumps to another branch, tracing stops."""
_SINGULAR = 1e-4
"""At a bifurcation the least singular value of dH/dy is at most this."""


class BranchEventKind(StrEnum):
    """The kind of a special point of a branch."""

    FOLD = "fold"
    """The branch turns back: two equilibria meet and vanish."""
    BIFURCATION = "bifurcation"
    """Another branch crosses. In symmetric games the symmetric equilibrium usually loses stability there."""
    HOPF = "Hopf"
    """A complex pair of eigenvalues of the Q-learning flow crosses the imaginary axis: spirals change between inward
    and outward. No other equilibrium is near."""


class BranchEvent(NamedTuple):
    """A special point of a branch."""

    kind: BranchEventKind
    temperature: float
    """s, where T_k = s ratio_k."""
    policy: Float[np.ndarray, "n A"]
    directions: Float[np.ndarray, "m n A"]
    """Unit null vectors of the Jacobian, in scores: other branches leave along them. A Hopf point has none."""
    unstable: tuple[int, int]
    """The number of unstable directions of the flow just before and just after the point."""


class Branch(NamedTuple):
    """A branch of logit equilibria; its P points are in the order in which they were traced."""

    temperature: Float[np.ndarray, " P"]
    """s, where T_k = s ratio_k; inf at uniform play."""
    policy: Float[np.ndarray, "P n A"]
    unstable: Int[np.ndarray, " P"]
    """The number of unstable directions of the Q-learning flow; 0 where the equilibrium is stable."""
    events: tuple[BranchEvent, ...]
    status: Literal["lowest", "highest", "stalled", "out of points"]
    """Whether the branch ended at the lowest or at the highest temperature asked for (the highest may be uniform play),
    or was lost on the way."""
    scores: Float[np.ndarray, "P n A"]
    """Centred log-probabilities."""
    game: AbstractMatrixGame
    ratios: Float[np.ndarray, " n"]

    def require(self) -> "Branch":
        """The branch itself, if it reached one of its ends.

        Raises:
            NumericalError: the branch was lost on the way.
        """
        if self.status in ("stalled", "out of points"):
            raise NumericalError(
                f"logit branch: {self.status} at temperature {self.temperature[-1]:.6g} after {len(self.temperature)} "
                "points; raise points, or perturb the payoffs if the game is symmetric and a bifurcation is near"
            )
        return self

    def at(self, temperature: float) -> Float[np.ndarray, "m n A"]:
        """All equilibria of the branch at s = `temperature`, in the order of the branch, each solved to rounding.

        The result has m = 0 equilibria above the highest temperature of a branch that turns back there.

        Raises:
            InputError: the temperature is lower than the branch was traced to.
        """
        reached = float(self.temperature.min())
        if not temperature >= reached * (1 - 1e-9):
            raise InputError(
                f"Branch.at: temperature {temperature:g} is below {reached:.6g}, the lowest that this branch was "
                "traced to; trace it further: trace_logit_branch(game, lowest=...)"
            )
        inverse = np.where(np.isinf(self.temperature), 0.0, 1.0 / self.temperature) - 1.0 / temperature
        left, right = inverse[:-1], inverse[1:]
        found = []
        for i in np.flatnonzero((left * right < 0) | (right == 0) | ((left == 0) & (right != 0))):
            share = 0.0 if left[i] == right[i] else left[i] / (left[i] - right[i])
            near = self.scores[i] + share * (self.scores[i + 1] - self.scores[i])
            solved = _at_temperature(concrete_game(self.game), self.ratios, near, temperature)
            if not any(np.abs(solved - other).max() < 1e-9 for other in found):
                found.append(solved)
        return np.stack(found) if found else np.zeros((0, *self.policy.shape[1:]))


def _at_temperature(
    concrete: ConcreteGame, ratios: Float[np.ndarray, " n"], scores: Float[np.ndarray, "n A"], temperature: float
) -> Float[np.ndarray, "n A"]:
    """The equilibrium at T_k = temperature ratio_k near these scores."""
    if np.isinf(temperature):
        return concrete.policy(np.zeros_like(scores))
    if temperature <= LOW * concrete.scale:
        point = solve_at_low_temperature(concrete, ratios, temperature, concrete.policy(scores))
        if point is not None:
            return point.policy
    return solve_on_support(concrete, temperature * ratios, scores, concrete.legal).policy


def trace_logit_branch(
    game: AbstractMatrixGame,
    lowest: float,
    *,
    highest: float = np.inf,
    ratios: Any = 1.0,
    start: Any = None,
    heading: Literal["down", "up"] = "down",
    points: int = 2000,
) -> Branch:
    """A branch of logit equilibria at T_k = s ratio_k, by pseudo-arclength continuation.

    Without `start` it is the principal branch, which begins with uniform play at s = inf and, in generic games, ends in
    one Nash equilibrium: the logit selection. At every point the stability under the Q-learning flow is computed;
    folds, bifurcations and Hopf points are located and reported. At a bifurcation the branch is continued smoothly;
    `switch_branch` follows the branch that crosses it.

    Args:
        lowest: s > 0 where tracing ends.
        highest: s where a branch that turns back ends; inf for uniform play.
        ratios: r_k > 0: one number or [n]; the direction in which all temperatures go to zero together.
        start: (policy [n, A], s) near an equilibrium of another branch; None for the principal branch.
        heading: whether `start` is followed "down" to lower or "up" to higher temperatures first.
        points: the largest number of points.

    Raises:
        InputError: a temperature or ratio is not positive, or no equilibrium is found near the start.

    Source: McKelvey and Palfrey (1995), theorem 3; Turocy (2005) for the homotopy.
    """
    check_number("trace_logit_branch", "lowest", lowest, "(0, inf)")
    check_number("trace_logit_branch", "highest", highest, "(0, inf]")
    check_count("trace_logit_branch", "points", points, 2)
    if heading not in ("down", "up"):
        raise InputError(f"trace_logit_branch: heading is 'down' or 'up', got {heading!r}")
    if not (0 < lowest < highest):
        raise InputError(f"trace_logit_branch: needs 0 < lowest < highest, got {lowest} and {highest}")
    system = LogitSystem(game, _ratios(game, ratios))
    curve = Curve(system)
    towards = np.zeros(system.basis.shape[1] + 1)
    towards[-1] = 1.0 if heading == "down" else -1.0
    if start is None:
        first = Point(np.zeros_like(towards), curve.tangent(np.zeros_like(towards), towards))
    else:
        try:
            policy, s = start
        except (TypeError, ValueError):
            raise InputError("trace_logit_branch: start is a pair (policy [n, A], temperature)") from None
        check_number("trace_logit_branch", "the temperature of start", s, "(0, inf]")
        at = np.append(system.coordinates(_scores(system, policy)), system.scale / s)
        found = curve.begin(at, towards)
        if found is None:
            raise InputError(
                f"trace_logit_branch: no logit equilibrium near the start at temperature {s}; start nearer"
            )
        first = found
    return _trace(system, curve, first, lowest, highest, points)


def switch_branch(
    branch: Branch,
    event: BranchEvent,
    lowest: float,
    *,
    side: Literal[1, -1] = 1,
    direction: Any = 0,
    highest: float = np.inf,
    points: int = 2000,
) -> Branch:
    """The branch that crosses another one at a bifurcation, followed to one side.

    Args:
        branch: the branch on which the event lies.
        event: one of its bifurcations.
        side: 1 to leave along the null direction, -1 to leave against it.
        direction: the number of the null direction, if there are several; or a direction of scores, [n, A]. In games
            with many symmetries (under all permutations of actions, say) branches leave along few directions.
        lowest, highest, points: as in `trace_logit_branch`.

    Raises:
        InputError: the event is no bifurcation.
        NumericalError: no other branch was found near it.
    """
    if event.kind != BranchEventKind.BIFURCATION:
        raise InputError(f"switch_branch: branches leave at a bifurcation only, not at a {event.kind} point")
    system = LogitSystem(branch.game, branch.ratios)
    curve = Curve(system, bend=0.9)
    given = event.directions[direction] if isinstance(direction, int) else np.asarray(direction, float)
    null = side * np.append(system.coordinates(given), 0.0) / max(np.linalg.norm(given), np.finfo(float).tiny)
    centre = np.append(system.coordinates(_scores(system, event.policy)), system.scale / event.temperature)
    for reach in (1e-3, 3e-3, 1e-2, 3e-2, 0.1):
        first = curve.begin(centre + reach * null, null)
        if first is not None and first.tangent @ null > 0.5:
            return _trace(system, Curve(system), first, lowest, highest, points)
    raise NumericalError("switch_branch: no branch was found in this direction; try the other side or direction")


def _scores(system: LogitSystem, policy: Any) -> Float[np.ndarray, "n A"]:
    """Centred log-probabilities of an interior policy, in double precision."""
    scores_of(system.game, policy)  # checks the policy
    return system.concrete.scores(np.asarray(policy, float))


def _ratios(game: AbstractMatrixGame, ratios: Any) -> Float[np.ndarray, " n"]:
    """The checked ratios, one for each player."""
    per_player(game, "ratios", ratios, positive=True)
    return np.array(np.broadcast_to(np.asarray(ratios, float), (game.players,)))


def _trace(system: LogitSystem, curve: Curve, first: Point, lowest: float, highest: float, points: int) -> Branch:
    """The branch from `first` to one of the ends; special points between neighbouring points are located."""
    path, unstable, events = [first], [system.unstable(first)], []
    ends = system.scale / highest if np.isfinite(highest) else 0.0, system.scale / lowest
    length: float = 0.05
    status: Any = "out of points"
    while len(path) < points:
        before = path[-1]
        after, longer = curve.advance(before, length)
        if after is None:
            status = "stalled"
            break
        now = system.unstable(after)
        made = float(before.tangent @ (after.at - before.at))
        passed = _passed(system, curve, before, after, made, (unstable[-1], now))
        if any(event.kind == BranchEventKind.BIFURCATION and not len(event.directions) for event in passed):
            # stability changes but the Jacobian is not singular, so the step has jumped to another branch
            if made < _SHORTEST:
                status = "stalled"
                break
            length = made / 4
            continue
        events += passed
        path.append(after)
        unstable.append(now)
        length = longer
        if not ends[0] < after.at[-1] < ends[1]:
            status = "lowest" if after.at[-1] >= ends[1] else "highest"
            break
    y = np.stack([p.at for p in path])
    temperature = [system.scale / p if p > 0 else np.inf for p in y[:, -1]]
    scores = [system.scores(row[:-1]) for row in y]
    policy = [system.policy(row[:-1]) for row in y]
    if status == "stalled":
        further = _to_lowest(system, path[-1], unstable[-1], lowest)
        status = "lowest" if further else status
        temperature += [p.temperature for p in further]
        scores += [p.scores for p in further]
        policy += [p.policy for p in further]
        unstable += [p.unstable for p in further]
    found, last = tuple(events), (status, np.stack(scores), system.game, system.ratios)
    return Branch(np.asarray(temperature), np.stack(policy), np.asarray(unstable), found, *last)


def _to_lowest(system: LogitSystem, end: Point, unstable: int, lowest: float) -> list[LowTemperaturePoint]:
    """The rest of a branch that stalled at a low temperature, where scores are too large for continuation.

    The result is empty if the temperature at `end` is not low, or if the lowest temperature was not reached.
    """
    p = float(end.at[-1])
    if p * LOW < 1 or end.tangent[-1] <= 0:
        return []
    policy = system.policy(end.at[:-1])
    further, reached = halve_temperature(system.concrete, system.ratios, system.scale / p, policy, lowest)
    return further if reached and further and further[0].unstable == unstable else []


def _passed(
    system: LogitSystem, curve: Curve, before: Point, after: Point, length: float, unstable: tuple[int, int]
) -> list[BranchEvent]:
    """The special points between two neighbouring points: none, a fold, or a change of stability."""
    downwards = before.tangent[-1] > 0
    if downwards != (after.tangent[-1] > 0):
        at, _ = curve.locate(before, length, lambda p: (p.tangent[-1] > 0) != downwards)
        return [_event(system, BranchEventKind.FOLD, at, unstable)]
    if unstable[0] == unstable[1]:
        return []
    at, on = curve.locate(before, length, lambda p: system.unstable(p) != unstable[0])
    values = system.spectrum(at)
    nearest = values[np.argmin(np.abs(np.real(values)))]
    if abs(np.imag(nearest)) > 1e-5 * max(1.0, np.abs(values).max()):
        return [_event(system, BranchEventKind.HOPF, at, unstable)]
    at = curve.cross(before, on, system.critical)
    return [_event(system, BranchEventKind.BIFURCATION, at, unstable)]


def _event(system: LogitSystem, kind: BranchEventKind, at: Point, unstable: tuple[int, int]) -> BranchEvent:
    """The event at a point, with the null directions of its Jacobian."""
    _, jacobian, _ = system(at.at[:-1], float(at.at[-1]))
    _, sizes, right = np.linalg.svd(jacobian)
    singular = kind == BranchEventKind.FOLD or (kind == BranchEventKind.BIFURCATION and sizes.min() <= _SINGULAR)
    flat = right[sizes <= max(1e-5, 10 * sizes.min())] if singular else right[:0]
    shape = (len(flat), system.game.players, system.game.width)
    directions = (flat @ system.basis.T).reshape(shape)
    return BranchEvent(kind, system.scale / float(at.at[-1]), system.policy(at.at[:-1]), directions, unstable)
