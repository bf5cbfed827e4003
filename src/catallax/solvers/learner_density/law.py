"""The initial law of the learners' values: independent marginals, one for each action. NumPy, double precision."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import special, stats
from scipy.stats import qmc

from catallax.core import InputError, check_count, check_number
from catallax.core.checks import as_host_numbers


class Quadrature(NamedTuple):
    """Nodes and weights; the weighted sum of a function over the nodes approximates its mean under a law."""

    nodes: Float[np.ndarray, "*A K"]
    weights: Float[np.ndarray, " K"]
    """Weights sum to 1."""
    density: Float[np.ndarray, " K"]
    """The density of the law at the nodes, per unit of payoff (to the power A); NaN if it is not known."""


@dataclass(frozen=True)
class AbstractMarginal(abc.ABC):
    """The law of one value, with support [low, high].

    Raises:
        InputError: `low` is not below `high`, or one of them is not finite.
    """

    low: float | int
    high: float | int

    def __post_init__(self) -> None:
        """Checks that the support has a positive length."""
        who = type(self).__name__
        for name in ("low", "high"):
            check_number(who, name, getattr(self, name), "(-inf, inf)")
        if not self.low < self.high:
            raise InputError(f"{who}: low must be below high, got {self.low} and {self.high}")

    @property
    @abc.abstractmethod
    def law(self) -> Any:
        """The distribution as a frozen SciPy distribution, with pdf, cdf and ppf."""

    def quadrature(self, count: int) -> Quadrature:
        """`count` Gauss-Legendre nodes on the support, with weights proportional to the density that sum to 1."""
        x, w = np.polynomial.legendre.leggauss(count)
        nodes = self.low + (self.high - self.low) * (x + 1) / 2
        density = self.law.pdf(nodes)
        return Quadrature(nodes, density * w / (density * w).sum(), density)


@dataclass(frozen=True)
class Uniform(AbstractMarginal):
    """The uniform law on [low, high]."""

    @property
    def law(self) -> Any:
        return stats.uniform(self.low, self.high - self.low)


@dataclass(frozen=True)
class Beta(AbstractMarginal):
    """The Beta(a, b) law, scaled to [low, high]; its quadrature is that of Gauss and Jacobi, exact for polynomials.

    Raises:
        InputError: a or b is not positive, or as `AbstractMarginal`.
    """

    a: float | int = 2.0
    b: float | int = 2.0

    def __post_init__(self) -> None:
        """Checks that a and b are positive."""
        super().__post_init__()
        for name in ("a", "b"):
            check_number("Beta", name, getattr(self, name), "(0, inf)")

    @property
    def law(self) -> Any:
        return stats.beta(self.a, self.b, self.low, self.high - self.low)

    def quadrature(self, count: int) -> Quadrature:
        x, w = special.roots_jacobi(count, self.b - 1, self.a - 1)
        nodes = self.low + (self.high - self.low) * (x + 1) / 2
        return Quadrature(nodes, w / w.sum(), self.law.pdf(nodes))


@dataclass(frozen=True)
class TruncatedNormal(AbstractMarginal):
    """The normal law with a mean and a standard deviation, truncated to [low, high].

    Raises:
        InputError: the standard deviation is not positive, or as `AbstractMarginal`.
    """

    mean: float | int = 0.0
    deviation: float | int = 1.0

    def __post_init__(self) -> None:
        """Checks the mean and the standard deviation."""
        super().__post_init__()
        check_number("TruncatedNormal", "mean", self.mean, "(-inf, inf)")
        check_number("TruncatedNormal", "deviation", self.deviation, "(0, inf)")

    @property
    def law(self) -> Any:
        ends = ((end - self.mean) / self.deviation for end in (self.low, self.high))
        return stats.truncnorm(*ends, loc=self.mean, scale=self.deviation)


_TENSOR = 3
"""With at most this number of actions the nodes form a grid."""
_KNOTS = 4097
"""The number of knots of tabulated quantile functions."""


@dataclass(frozen=True, init=False)
class ProductLaw:
    """The law of independent values, with one marginal for each action.

    Args:
        marginals: as many as the game has actions.

    Raises:
        InputError: there are fewer than two marginals, or an argument is no marginal.
    """

    marginals: tuple[AbstractMarginal, ...]

    def __init__(self, *marginals: AbstractMarginal):
        if len(marginals) < 2 or not all(isinstance(m, AbstractMarginal) for m in marginals):
            raise InputError(f"ProductLaw needs a marginal for each of two or more actions, got {marginals!r}")
        object.__setattr__(self, "marginals", marginals)

    @property
    def support(self) -> tuple[float, float]:
        """The smallest interval that contains the supports of all marginals."""
        return float(min(m.low for m in self.marginals)), float(max(m.high for m in self.marginals))

    def quadrature(self, count: int) -> Quadrature:
        """Nodes and weights of the joint law.

        With up to three actions A the nodes are the grid of the marginals' nodes. With more, they are points of Sobol's
        sequence, transformed by the quantile functions, with equal weights.

        Args:
            count: the number of nodes for each action, so that the grid has count^A; with more than three actions, the
                number of all points.

        Raises:
            InputError: the count is below 1.
        """
        check_count("ProductLaw", "nodes", count)
        if len(self.marginals) <= _TENSOR:
            each = [m.quadrature(count) for m in self.marginals]
            grid = lambda parts: np.stack([g.ravel() for g in np.meshgrid(*parts, indexing="ij")])
            weights = grid([q.weights for q in each]).prod(axis=0)
            return Quadrature(
                grid([q.nodes for q in each]), weights / weights.sum(), grid([q.density for q in each]).prod(axis=0)
            )
        nodes = np.stack([m.law.ppf(u) for m, u in zip(self.marginals, sobol(len(self.marginals), count), strict=True)])
        density = np.prod([m.law.pdf(x) for m, x in zip(self.marginals, nodes, strict=True)], axis=0)
        return Quadrature(nodes, np.full(count, 1 / count), density)

    def masses(self, edges: Sequence[float] | np.ndarray) -> Float[np.ndarray, "..."]:
        """The exact probability of each cell of the grid with these edges on every axis, [G, ..., G].

        Raises:
            InputError: the edges are not two or more ascending numbers.
        """
        edges, whole = as_host_numbers("ProductLaw", "edges", edges), np.ones(())
        if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise InputError(f"ProductLaw: edges must be two or more ascending numbers, got shape {edges.shape}")
        for marginal in self.marginals:
            whole = np.multiply.outer(whole, np.diff(marginal.law.cdf(edges)))
        return whole

    def quantiles(self) -> Float[np.ndarray, "A M"]:
        """Quantile functions at M equally spaced levels, to be interpolated linearly."""
        straight = all(isinstance(m, Uniform) for m in self.marginals)
        levels = np.linspace(0.0, 1.0, 2 if straight else _KNOTS)
        return np.stack([m.law.ppf(levels) for m in self.marginals])


def sobol(dimensions: int, count: int) -> Float[np.ndarray, "dimensions count"]:
    """The first `count` points of Sobol's sequence, shifted by half a cell so that none lies on the boundary."""
    power = max(int(count - 1).bit_length(), 0)
    points = qmc.Sobol(dimensions, scramble=False).random_base2(power)[:count]
    return points.T + 0.5 ** (power + 1)


def given_nodes(nodes: Any, weights: Any, density: Any = None) -> Quadrature:
    """A law that is given by nodes and weights.

    Args:
        nodes: [A, K].
        weights: [K], at least 0; they are scaled to sum to 1.
        density: the density of the law at the nodes, [K]; it is needed only to compute densities later.

    Raises:
        InputError: the shapes do not agree, a number is not finite, a weight is below 0, or all weights are 0.
    """
    nodes, weights = as_host_numbers("given_nodes", "nodes", nodes), as_host_numbers("given_nodes", "weights", weights)
    if nodes.ndim != 2 or weights.shape != nodes.shape[1:]:
        raise InputError(f"nodes are [A, K] and weights [K]; got shapes {nodes.shape} and {weights.shape}")
    if not (np.isfinite(nodes).all() and np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise InputError("nodes must be finite, weights at least 0 and not all 0")
    known = np.full(weights.shape, np.nan) if density is None else as_host_numbers("given_nodes", "density", density)
    if known.shape != weights.shape:
        raise InputError(f"the density has shape {known.shape}; one number is needed for each of {len(weights)} nodes")
    return Quadrature(nodes, weights / weights.sum(), known)
