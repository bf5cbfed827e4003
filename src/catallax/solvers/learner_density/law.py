"""How the values of learners are spread at time 0: independent marginals, one for each action. On the host, float64."""

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
    """Points whose weighted sums are integrals under a law."""

    nodes: Float[np.ndarray, "*A K"]
    weights: Float[np.ndarray, " K"]
    """They sum to 1."""
    density: Float[np.ndarray, " K"]
    """The law's density at the nodes, per unit of payoff (to the power A); NaN where it is not known."""


@dataclass(frozen=True)
class AbstractMarginal(abc.ABC):
    """The law of one value: support [low, high]."""

    low: float | int
    high: float | int

    def __post_init__(self) -> None:
        """A support of positive length."""
        who = type(self).__name__
        for name in ("low", "high"):
            check_number(who, name, getattr(self, name), "(-inf, inf)")
        if not self.low < self.high:
            raise InputError(f"{who}: low must be below high, got {self.low} and {self.high}")

    @property
    @abc.abstractmethod
    def law(self) -> Any:
        """The distribution, frozen, as SciPy knows it: pdf, cdf, ppf."""

    def quadrature(self, count: int) -> Quadrature:
        """`count` nodes: Gauss-Legendre on the support, weighted by the density and scaled to mass 1."""
        x, w = np.polynomial.legendre.leggauss(count)
        nodes = self.low + (self.high - self.low) * (x + 1) / 2
        density = self.law.pdf(nodes)
        return Quadrature(nodes, density * w / (density * w).sum(), density)


@dataclass(frozen=True)
class Uniform(AbstractMarginal):
    """Equally likely everywhere on [low, high]."""

    @property
    def law(self) -> Any:
        """As above."""
        return stats.uniform(self.low, self.high - self.low)


@dataclass(frozen=True)
class Beta(AbstractMarginal):
    """The Beta(a, b) law, stretched to [low, high]; its nodes are those of Gauss and Jacobi, exact for polynomials.

    Raises:
        InputError: a or b not positive.
    """

    a: float | int = 2.0
    b: float | int = 2.0

    def __post_init__(self) -> None:
        """Parameters."""
        super().__post_init__()
        for name in ("a", "b"):
            check_number("Beta", name, getattr(self, name), "(0, inf)")

    @property
    def law(self) -> Any:
        """As above."""
        return stats.beta(self.a, self.b, self.low, self.high - self.low)

    def quadrature(self, count: int) -> Quadrature:
        """`count` nodes of Gauss and Jacobi."""
        x, w = special.roots_jacobi(count, self.b - 1, self.a - 1)
        nodes = self.low + (self.high - self.low) * (x + 1) / 2
        return Quadrature(nodes, w / w.sum(), self.law.pdf(nodes))


@dataclass(frozen=True)
class TruncatedNormal(AbstractMarginal):
    """The normal law with this mean and standard deviation, held to [low, high].

    Raises:
        InputError: a standard deviation that is not positive.
    """

    mean: float | int = 0.0
    deviation: float | int = 1.0

    def __post_init__(self) -> None:
        """Parameters."""
        super().__post_init__()
        check_number("TruncatedNormal", "mean", self.mean, "(-inf, inf)")
        check_number("TruncatedNormal", "deviation", self.deviation, "(0, inf)")

    @property
    def law(self) -> Any:
        """As above."""
        ends = ((end - self.mean) / self.deviation for end in (self.low, self.high))
        return stats.truncnorm(*ends, loc=self.mean, scale=self.deviation)


_TENSOR = 3
"""Up to so many actions the nodes are a grid."""
_KNOTS = 4097
"""Knots of tabulated quantile functions."""


@dataclass(frozen=True, init=False)
class ProductLaw:
    """Independent values, one marginal for each action.

    Args:
        marginals: as many as the game has actions.

    Raises:
        InputError: fewer than two, or something that is no marginal.
    """

    marginals: tuple[AbstractMarginal, ...]

    def __init__(self, *marginals: AbstractMarginal):
        if len(marginals) < 2 or not all(isinstance(m, AbstractMarginal) for m in marginals):
            raise InputError(f"ProductLaw needs a marginal for each of two or more actions, got {marginals!r}")
        object.__setattr__(self, "marginals", marginals)

    @property
    def support(self) -> tuple[float, float]:
        """The smallest interval that holds every value."""
        return float(min(m.low for m in self.marginals)), float(max(m.high for m in self.marginals))

    def quadrature(self, count: int) -> Quadrature:
        """Nodes of the whole law.

        Args:
            count: nodes for each action, whose grid has count^A points, with up to three actions; with more, the number
                of points in all: Sobol's sequence carried over by the quantile functions, equal weights.

        Raises:
            InputError: a count below 1.
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
        """The exact share of each cell of the grid with these edges on every axis, [G, ..., G].

        Raises:
            InputError: edges that are no list of at least two ascending numbers.
        """
        edges, whole = as_host_numbers("ProductLaw", "edges", edges), np.ones(())
        if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise InputError(f"ProductLaw: edges must be two or more ascending numbers, got shape {edges.shape}")
        for marginal in self.marginals:
            whole = np.multiply.outer(whole, np.diff(marginal.law.cdf(edges)))
        return whole

    def quantiles(self) -> Float[np.ndarray, "A M"]:
        """Quantile functions at equally spaced levels: between two knots they are taken as straight."""
        straight = all(isinstance(m, Uniform) for m in self.marginals)
        levels = np.linspace(0.0, 1.0, 2 if straight else _KNOTS)
        return np.stack([m.law.ppf(levels) for m in self.marginals])


def sobol(dimensions: int, count: int) -> Float[np.ndarray, "dimensions count"]:
    """The first `count` points of Sobol's sequence, moved by half a cell so that none lies on the boundary."""
    power = max(int(count - 1).bit_length(), 0)
    points = qmc.Sobol(dimensions, scramble=False).random_base2(power)[:count]
    return points.T + 0.5 ** (power + 1)


def given_nodes(nodes: Any, weights: Any, density: Any = None) -> Quadrature:
    """A law given by nodes and weights of one's own.

    Args:
        nodes: [A, K].
        weights: [K], at least 0; they are scaled to sum to 1.
        density: the law's density at the nodes, [K], if densities are wanted later.

    Raises:
        InputError: shapes that do not agree, numbers that are not finite, weights below 0 or all 0.
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
