"""Pseudo-arclength continuation: it follows a curve of solutions of H(y, p) = 0 through folds.

It works in NumPy in double precision, because the systems are small and a curve has tens to hundreds of points.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

System = Callable[
    [Float[np.ndarray, " D"], float],
    tuple[Float[np.ndarray, " D"], Float[np.ndarray, "D D"], Float[np.ndarray, " D"]],
]
"""(y, p) -> H, dH/dy, dH/dp."""

_SMALLEST = 1e-11
"""The shortest step, relative to 1 + max |y|."""
_CORRECTIONS = 8
"""The largest number of Newton steps for a point of the curve."""


class Point(NamedTuple):
    """A solution (y, p) and the unit tangent of the curve there, both [C] with C = D + 1."""

    at: Float[np.ndarray, " C"]
    tangent: Float[np.ndarray, " C"]


class Curve:
    """A curve of solutions of H(y, p) = 0 that is computed point by point.

    Args:
        system: H and its derivatives.
        tol: bound on max |H|, relative to 1 + max |y|.
        bend: the cosine of the largest angle between the tangents of neighbouring points.
    """

    def __init__(self, system: System, *, tol: float = 1e-12, bend: float = 0.98):
        self.system, self.tol, self.bend = system, tol, bend

    def begin(self, at: Float[np.ndarray, " C"], towards: Float[np.ndarray, " C"]) -> Point | None:
        """The solution near `at` in the hyperplane normal to `towards`, with its tangent in that direction.

        The result is None if there is no solution near.
        """
        found = self._correct(at, towards / np.linalg.norm(towards))
        return None if found is None else Point(found, self.tangent(found, towards))

    def tangent(self, at: Float[np.ndarray, " C"], like: Float[np.ndarray, " C"]) -> Float[np.ndarray, " C"]:
        """The unit null vector of (dH/dy, dH/dp) that makes no obtuse angle with `like`."""
        _, jacobian, slope = self.system(at[:-1], float(at[-1]))
        null = np.linalg.svd(np.column_stack([jacobian, slope]))[2][-1]
        return null if null @ like >= 0 else -null

    def step(self, point: Point, length: float) -> Point | None:
        """The point about `length` further along the curve; None if none is found or the curve bends too much."""
        found = self._correct(point.at + length * point.tangent, point.tangent)
        if found is None:
            return None
        tangent = self.tangent(found, point.tangent)
        return Point(found, tangent) if tangent @ point.tangent >= self.bend else None

    def advance(self, point: Point, length: float) -> tuple[Point | None, float]:
        """The result of `step` with `length` halved until it succeeds (None if it never does), and the next length."""
        while length > _SMALLEST * (1 + np.abs(point.at).max()):
            after = self.step(point, length)
            if after is not None:
                straight = after.tangent @ point.tangent > 0.5 * (1 + self.bend)
                return after, length * (2.0 if straight else 1.0)
            length /= 2
        return None, length

    def locate(self, point: Point, length: float, passed: Callable[[Point], bool]) -> tuple[Point, float]:
        """The point within a step of `length` where `passed` becomes true, and its distance; by bisection."""
        low, high, best = 0.0, length, point
        for _ in range(60):
            middle = 0.5 * (low + high)
            after = self.step(point, middle)
            if after is None or high - low <= 1e-14 * (1 + np.abs(point.at).max()):
                break
            best = after
            low, high = (low, middle) if passed(after) else (middle, high)
        return best, 0.5 * (low + high)

    def cross(self, point: Point, length: float, height: Callable[[Point], float], reach: float = 2e-3) -> Point:
        """The point about `length` further on where a smooth function `height` vanishes and the system is singular.

        At such a point, a bifurcation, Newton's method loses half of its digits. Therefore six points around it are
        computed, and the point is interpolated between them (with an error of order reach^6).
        """
        offsets = reach * np.asarray([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
        around = [self.step(point, length + o) for o in offsets]
        if any(p is None for p in around):
            return self.step(point, length) or point
        sampled = [p for p in around if p is not None]
        fit = np.polynomial.Polynomial.fit(offsets, [height(p) for p in sampled], 5, domain=[-reach, reach])
        roots = fit.roots()
        roots = roots[np.abs(roots.imag) < 1e-9].real
        if not len(roots):
            return self.step(point, length) or point
        root = roots[np.argmin(np.abs(roots))]
        blend = lambda rows: np.stack([np.polynomial.Polynomial.fit(offsets, c, 5)(root) for c in np.stack(rows).T])
        tangent = blend([p.tangent for p in sampled])
        return Point(blend([p.at for p in sampled]), tangent / np.linalg.norm(tangent))

    def _correct(self, at: Float[np.ndarray, " C"], across: Float[np.ndarray, " C"]) -> np.ndarray | None:
        """Newton's method in the hyperplane through `at` normal to `across`; None unless the residual keeps falling."""
        y, last = at.copy(), np.inf
        for _ in range(_CORRECTIONS):
            value, jacobian, slope = self.system(y[:-1], float(y[-1]))
            gap = np.abs(value).max(initial=0.0)
            if not np.isfinite(gap) or gap > last:
                return None
            last, met = gap, gap <= self.tol * (1 + np.abs(y).max())
            bordered = np.block([[jacobian, slope[:, None]], [across[None]]])
            try:
                y = y - np.linalg.solve(bordered, np.append(value, across @ (y - at)))
            except np.linalg.LinAlgError:
                return y if met else None
            if met:  # after the step just made only rounding errors are left
                return y
        return None
