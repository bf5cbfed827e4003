"""Branches of logit equilibria over the temperature: traced past folds, bifurcations found and reported."""

from enum import StrEnum
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from catallax.core import InputError, NumericalError, check_count, check_number
from catallax.games.matrix import AbstractMatrixGame, per_player

from .choice import scores_of
from .continuation import Curve, Point
from .low_temperature import COLD, ColdPoint, cool, settle_cold
from .system import LogitSystem

_SHORTEST = 1e-6
"""A step below this that still jumps to another branch is the last."""
_SINGULAR = 1e-4
"""Above this the least singular value of dH/dy is not that of a bifurcation."""


class BranchEventKind(StrEnum):
    """What happens at a special point of a branch."""

    FOLD = "fold"
    """The branch turns back: two equilibria meet and vanish."""
    BIFURCATION = "bifurcation"
    """Another branch crosses; in symmetric games usually where the symmetric equilibrium loses stability."""
    HOPF = "Hopf"
    """A complex pair crosses the imaginary axis: the Q-learning flow at these temperatures begins or ceases to spiral
    away; no other equilibrium is near."""


class BranchEvent(NamedTuple):
    """A special point of a branch."""

    kind: BranchEventKind
    temperature: float
    """s, where T_k = s ratio_k."""
    policy: Float[np.ndarray, "n A"]
    directions: Float[np.ndarray, "m n A"]
    """Unit directions in scores along which dF/dz vanishes: where other branches leave. None of a Hopf point."""
    unstable: tuple[int, int]
    """Unstable directions of the flow just before and just after."""


class Branch(NamedTuple):
    """A branch of logit equilibria, its points in the order traced."""

    temperature: Float[np.ndarray, " P"]
    """s, where T_k = s ratio_k; inf at uniform play."""
    policy: Float[np.ndarray, "P n A"]
    unstable: Int[np.ndarray, " P"]
    """How many directions of the Q-learning flow grow: 0 where the equilibrium is stable."""
    events: tuple[BranchEvent, ...]
    status: Literal["cold", "hot", "stalled", "out of points"]
    """Where it ended: at the lowest temperature asked for, at the highest (or at uniform play), nowhere."""
    scores: Float[np.ndarray, "P n A"]
    game: AbstractMatrixGame
    ratios: Float[np.ndarray, " n"]

    def require(self) -> "Branch":
        """Itself.

        Raises:
            NumericalError: it ended nowhere.
        """
        if self.status in ("stalled", "out of points"):
            raise NumericalError(
                f"logit branch: {self.status} at temperature {self.temperature[-1]:.6g} after {len(self.temperature)} "
                "points; raise points, or perturb the payoffs if the game is symmetric and a bifurcation is near"
            )
        return self

    def at(self, temperature: float) -> Float[np.ndarray, "m n A"]:
        """All equilibria of the branch at s = `temperature`, in the order met, to the tolerance of the solver."""
        level = 1.0 / temperature
        cold = np.where(np.isinf(self.temperature), 0.0, 1.0 / self.temperature) - level
        found = []
        for i in np.flatnonzero((cold[:-1] * cold[1:] < 0) | (cold[1:] == 0) | ((cold[:-1] == 0) & (cold[1:] != 0))):
            share = 0.0 if cold[i] == cold[i + 1] else cold[i] / (cold[i] - cold[i + 1])
            near = self.scores[i] + share * (self.scores[i + 1] - self.scores[i])
            solved = _at_level(LogitSystem(self.game, self.ratios), near, level)
            if not any(np.abs(solved - other).max() < 1e-9 for other in found):
                found.append(solved)
        return np.stack(found) if found else np.zeros((0, *self.policy.shape[1:]))


def _at_level(system: LogitSystem, scores: np.ndarray, level: float) -> Float[np.ndarray, "n A"]:
    """The equilibrium at a fixed inverse temperature near these scores."""
    y, p = system.coordinates(scores), level * system.scale
    if p * COLD >= 1:
        point = settle_cold(system.host, system.ratios, 1 / level, system.host.policy(scores))
        if point is not None:
            return point.policy
    for _ in range(50):
        value, jacobian, _ = system(y, p)
        if np.abs(value).max(initial=0.0) <= 1e-13 * (1 + np.abs(y).max(initial=0.0)):
            break
        y = y - np.linalg.lstsq(jacobian, value, rcond=None)[0]
    return system.policy(y)


def trace_logit_branch(
    game: AbstractMatrixGame,
    coldest: float,
    *,
    hottest: float = np.inf,
    ratios: Any = 1.0,
    start: Any = None,
    heading: Literal["cold", "hot"] = "cold",
    points: int = 2000,
) -> Branch:
    """The branch of logit equilibria at T_k = s ratio_k through one of them, by pseudo-arclength continuation.

    Without `start` it is the principal branch, which begins with uniform play at s = inf and, in generic games, ends in
    one Nash equilibrium: the logit selection. At every point the stability under the Q-learning flow is known; folds,
    bifurcations and Hopf points are located and reported. At a bifurcation the tracer goes straight on; `switch_branch`
    takes the other way.

    Args:
        coldest: s > 0 where tracing ends.
        hottest: s where a branch that turns back ends; inf for uniform play.
        ratios: r_k > 0: one number or [n]; the direction in which all temperatures go to zero together.
        start: (policy [n, A], s) near an equilibrium of another branch; None for the principal branch.
        heading: whether `start` is followed to lower or to higher temperatures first.
        points: at most so many.

    Raises:
        InputError: a temperature or ratio that is not positive, or a start near which no equilibrium is found.

    Source: McKelvey and Palfrey (1995), theorem 3; Turocy (2005) for the homotopy.
    """
    check_number("trace_logit_branch", "coldest", coldest, "(0, inf)")
    check_number("trace_logit_branch", "hottest", hottest, "(0, inf]")
    check_count("trace_logit_branch", "points", points, 2)
    if heading not in ("cold", "hot"):
        raise InputError(f"trace_logit_branch: heading is 'cold' or 'hot', got {heading!r}")
    if not (0 < coldest < hottest):
        raise InputError(f"trace_logit_branch: needs 0 < coldest < hottest, got {coldest} and {hottest}")
    system = LogitSystem(game, _ratios(game, ratios))
    curve = Curve(system)
    towards = np.zeros(system.basis.shape[1] + 1)
    towards[-1] = 1.0 if heading == "cold" else -1.0
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
    return _trace(system, curve, first, coldest, hottest, points)


def switch_branch(
    branch: Branch,
    event: BranchEvent,
    coldest: float,
    *,
    side: Literal[1, -1] = 1,
    direction: Any = 0,
    hottest: float = np.inf,
    points: int = 2000,
) -> Branch:
    """The branch that leaves at a bifurcation, to one side of it.

    Args:
        branch: the branch that the event lies on.
        side: along the null direction or against it.
        direction: which null direction, where there are several; or one of one's own, [n, A] in scores. With many
            symmetries (all permutations of actions, say) branches leave along few of the directions.

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
            return _trace(system, Curve(system), first, coldest, hottest, points)
    raise NumericalError("switch_branch: no branch was found in this direction; try the other side or direction")


def _scores(system: LogitSystem, policy: Any) -> Float[np.ndarray, "n A"]:
    """Centred log-probabilities, in double precision."""
    scores_of(system.game, policy)  # the checks
    return system.host.scores(np.asarray(policy, float))


def _ratios(game: AbstractMatrixGame, ratios: Any) -> Float[np.ndarray, " n"]:
    per_player(game, "ratios", ratios, positive=True)
    return np.array(np.broadcast_to(np.asarray(ratios, float), (game.players,)))


def _trace(system: LogitSystem, curve: Curve, first: Point, coldest: float, hottest: float, points: int) -> Branch:
    """Steps until an end is reached; special points between neighbours are located as they are passed."""
    path, unstable, events = [first], [system.unstable(first)], []
    ends = system.scale / hottest if np.isfinite(hottest) else 0.0, system.scale / coldest
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
            # stability changed where nothing is singular: the step has jumped to another branch
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
            status = "cold" if after.at[-1] >= ends[1] else "hot"
            break
    y = np.stack([p.at for p in path])
    temperature = [system.scale / p if p > 0 else np.inf for p in y[:, -1]]
    scores = [system.scores(row[:-1]) for row in y]
    policy = [system.policy(row[:-1]) for row in y]
    if status == "stalled":
        further = _cooled(system, path[-1], unstable[-1], coldest)
        status = "cold" if further else status
        temperature += [p.temperature for p in further]
        scores += [p.scores for p in further]
        policy += [p.policy for p in further]
        unstable += [p.unstable for p in further]
    found, last = tuple(events), (status, np.stack(scores), system.game, system.ratios)
    return Branch(np.asarray(temperature), np.stack(policy), np.asarray(unstable), found, *last)


def _cooled(system: LogitSystem, end: Point, unstable: int, coldest: float) -> list[ColdPoint]:
    """From where scores became too large to step on, at a low temperature: the rest of the way; nothing if it fails."""
    level = float(end.at[-1])
    if level * COLD < 1 or end.tangent[-1] <= 0:
        return []
    policy = system.policy(end.at[:-1])
    further, whole = cool(system.host, system.ratios, system.scale / level, policy, coldest)
    return further if whole and further and further[0].unstable == unstable else []


def _passed(
    system: LogitSystem, curve: Curve, before: Point, after: Point, length: float, unstable: tuple[int, int]
) -> list[BranchEvent]:
    """What lies between two neighbouring points: nothing, a turn, or a change of stability."""
    cooling = before.tangent[-1] > 0
    if cooling != (after.tangent[-1] > 0):
        at, _ = curve.locate(before, length, lambda p: (p.tangent[-1] > 0) != cooling)
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
    _, jacobian, _ = system(at.at[:-1], float(at.at[-1]))
    _, sizes, right = np.linalg.svd(jacobian)
    singular = kind == BranchEventKind.FOLD or (kind == BranchEventKind.BIFURCATION and sizes.min() <= _SINGULAR)
    flat = right[sizes <= max(1e-5, 10 * sizes.min())] if singular else right[:0]
    shape = (len(flat), system.game.players, system.game.width)
    directions = (flat @ system.basis.T).reshape(shape)
    return BranchEvent(kind, system.scale / float(at.at[-1]), system.policy(at.at[:-1]), directions, unstable)
