"""Two-level factorial designs, full and fractional, and their main effects and two-factor interactions.

A design is a table of runs, one column of -1 and +1 for each factor. In a regular fraction some columns are products of
others (the generators); the products of columns that are +1 in every run are the words of the defining relation. Two
effects whose product is a word are aliased: the runs cannot tell them apart. The resolution is the length of the
shortest word: at V main effects and two-factor interactions are clear of each other, at IV main effects are clear, but
interactions are aliased among themselves.

Source: Box, Hunter and Hunter (2005), chapters 5 and 6.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from catallax.core.checks import as_host_numbers, check_count, check_kind
from catallax.core.errors import InputError, NumericalError
from catallax.lab import statistics

Term = tuple[str, ...]
"""An effect by the names of its factors, in the order of the design: ("gamma",) or ("format", "gamma")."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """A regular two-level design.

    Attributes:
        factors: Names, one a column.
        matrix: Levels -1 and +1, [runs, factors].
        words: The defining relation: products of columns that are +1 in every run. Empty for a full design.
    """

    factors: tuple[str, ...]
    matrix: np.ndarray
    words: tuple[Term, ...] = ()

    @property
    def resolution(self) -> int | None:
        """The length of the shortest word; None for a full design, in which nothing is aliased."""
        return min((len(word) for word in self.words), default=None)

    def column(self, term: Term) -> np.ndarray:
        """The product of the term's columns, [runs]; ones for the empty term."""
        self.check(term)
        return np.prod(self.matrix[:, [self.factors.index(name) for name in term]], axis=1)

    def aliases(self, term: Term, order: int = 2) -> tuple[Term, ...]:
        """The other effects of at most `order` factors that are aliased with this one."""
        self.check(term)
        check_count("factorial design", "order", order)
        found = (self._ordered(set(term) ^ set(word)) for word in self.words)
        return tuple(sorted((other for other in found if 0 < len(other) <= order), key=lambda t: (len(t), t)))

    def terms(self, order: int = 2) -> tuple[Term, ...]:
        """One effect of at most `order` factors for each group of aliases: the one with the fewest and first factors.

        Effects that are aliased with the mean (the words) are left out.
        """
        kept: list[Term] = []
        known: set[Term] = set(self.words)
        for size in range(1, order + 1):
            for term in itertools.combinations(self.factors, size):
                if term not in known:
                    kept.append(term)
                    known.add(term)
                    known.update(self.aliases(term, order))
        return tuple(kept)

    def matrix_of(self, terms: Sequence[Term]) -> np.ndarray:
        """The regressors: a column of ones and one column a term, [runs, 1 + terms]."""
        return np.stack([np.ones(len(self.matrix)), *(self.column(term) for term in terms)], axis=1)

    def _ordered(self, names: Iterable[str]) -> Term:
        """The names in the order of the design."""
        return tuple(sorted(names, key=self.factors.index))

    def check(self, term: Term) -> None:
        """Refuse a term that is not an effect of this design.

        Raises:
            InputError: the term is not a list of different factors.
        """
        names = isinstance(term, tuple | list) and all(isinstance(name, str) for name in term)
        if not names or set(term) - set(self.factors) or len(set(term)) < len(term):
            raise InputError(
                f"design: {term} is no effect; the factors are {', '.join(self.factors)}, each at most once"
            )


def factorial(factors: Sequence[str], generators: Mapping[str, Sequence[str]] | None = None) -> Design:
    """A full design in `factors`, with one more column for each generator, which is a product of base factors.

    Runs are in standard order, in which the first factor changes fastest. With k base factors and p generators there
    are 2^k runs for k + p factors, the fraction 2^((k + p) - p).

    Args:
        factors: Names of the base factors.
        generators: New factor to the base factors whose product it is; None for a full design.

    Raises:
        InputError: no factor, a name twice, a generator of unknown factors, or one that repeats another column.
    """
    base = _names("factors", factors)
    extra: dict[str, Term] = {}
    if generators is not None:
        check_kind("factorial design", "generators", generators, Mapping)
        extra = {name: _names(f"the generator of {name}", product) for name, product in generators.items()}
    names = _names("factors", (*base, *extra))
    if not base or len(set(names)) < len(names):
        raise InputError(f"factorial design: factors need different names, at least one, got {names}")
    for name, product in extra.items():
        if not product or set(product) - set(base) or len(set(product)) < len(product):
            raise InputError(f"factorial design: {name} must be a product of base factors {base}, got {product}")
    levels = np.array(list(itertools.product((-1.0, 1.0), repeat=len(base))))[:, ::-1]
    products = [levels[:, [base.index(f) for f in product]].prod(axis=1) for product in extra.values()]
    matrix = np.column_stack([levels, *products])
    words = _defining_relation(names, extra)
    if min((len(word) for word in words), default=3) < 3:
        raise InputError(f"factorial design: two factors would always change together: {min(words, key=len)}")
    return Design(factors=names, matrix=matrix, words=words)


def _names(what: str, value: Any) -> Term:
    """The value as a tuple of names."""
    names = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"factorial design: {what} must be names, got {str(value)[:80]!r}")
    return names


def _defining_relation(names: Term, generators: Mapping[str, Term]) -> tuple[Term, ...]:
    """All products of the generating words, without the empty one."""
    first = [frozenset((name, *product)) for name, product in generators.items()]
    words = []
    for size in range(1, len(first) + 1):
        for chosen in itertools.combinations(first, size):
            word: frozenset[str] = frozenset()
            for w in chosen:
                word = word ^ w
            words.append(tuple(sorted(word, key=names.index)))
    return tuple(sorted(words, key=lambda w: (len(w), w)))


class FactorEffect(NamedTuple):
    """The mean change of the outcome over the design if a term goes from -1 to +1.

    Attributes:
        term: The term.
        aliases: The effects of the same order or below that are aliased with it.
        estimate: The effect and its interval, in the unit of the outcome.
        p: The two-sided p-value of no effect; None without an interval.
        adjusted: The p-value after Holm's adjustment over all terms.
        share: The share of the variance between all observations that the term explains.
    """

    term: Term
    aliases: tuple[Term, ...]
    estimate: statistics.Estimate
    p: float | None
    adjusted: float | None
    share: float


def replicate_effects(design: Design, outcome: Any, terms: Sequence[Term] | None = None) -> np.ndarray:
    """The effects of each replication of the whole design by least squares, [replications, terms].

    Args:
        design: The design.
        outcome: One value for each replication and run, [replications, runs].
        terms: The terms; by default one effect of each group of aliases, of at most two factors.

    Raises:
        InputError: the outcome has another shape, or there are more terms than runs.
        NumericalError: an outcome is not finite.
    """
    values, terms = _outcome(design, outcome), _terms(design, terms)
    x = design.matrix_of(terms)
    if x.shape[1] > x.shape[0] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError(f"factorial design: {len(terms)} terms cannot be told apart by {x.shape[0]} runs; take fewer")
    return 2 * np.linalg.lstsq(x, values.T, rcond=None)[0][1:].T


def effects(design: Design, outcome: Any, terms: Sequence[Term] | None = None) -> tuple[FactorEffect, ...]:
    """Effects with intervals over replications.

    Each replication runs the whole design on random numbers of its own and gives one estimate of each effect; the
    interval is Student's over these estimates. The runs of a replication may therefore share random numbers and differ
    in variance.

    Args, Raises: as `replicate_effects`.
    """
    values, terms = _outcome(design, outcome), _terms(design, terms)
    found = replicate_effects(design, values, terms)
    each = [statistics.effect(found[:, i]) for i in range(len(terms))]
    adjusted = statistics.holm(e.p for e in each)
    shares = variance_shares(design, values, terms)
    return tuple(
        FactorEffect(term, design.aliases(term), e.estimate, e.p, a, float(share))
        for term, e, a, share in zip(terms, each, adjusted, shares, strict=True)
    )


def variance_shares(design: Design, outcome: Any, terms: Sequence[Term]) -> np.ndarray:
    """The sum of squares of each term over the total sum of squares about the mean, [terms].

    The columns of a regular design are orthogonal, so that the sums add up. The remainder to 1 is due to higher
    interactions and to chance. All shares are zero if the outcome does not vary.
    """
    values, terms = _outcome(design, outcome), _terms(design, terms)
    total = ((values - values.mean()) ** 2).sum()
    if total == 0:
        return np.zeros(len(terms))
    coefficients = design.matrix_of(terms)[:, 1:].T @ values.mean(axis=0) / values.shape[1]
    return coefficients**2 * values.size / total


class RobustFit(NamedTuple):
    """Least squares over all observations, with standard errors that allow for unequal variances.

    Attributes:
        effect: Twice the coefficients, [terms].
        error: The HC3 standard errors of the effects, [terms].
        p: Two-sided p-values by Student's t; the degrees of freedom are observations - coefficients, [terms].
    """

    effect: np.ndarray
    error: np.ndarray
    p: np.ndarray


def robust_effects(design: Design, outcome: Any, terms: Sequence[Term] | None = None) -> RobustFit:
    """Effects with HC3 standard errors, under the assumption that all observations are independent.

    Cov(b) = (X'X)^-1 X' diag(e_i^2 / (1 - h_i)^2) X (X'X)^-1, where h are the leverages. It is meant for designs with
    few replications. If runs of a replication share random numbers, `effects` is more reliable.

    Args: as `replicate_effects`.

    Raises:
        InputError: as `replicate_effects`, or there are not more observations than coefficients.
        NumericalError: an outcome is not finite.

    Source: MacKinnon and White (1985), HC3 in its common form.
    """
    values, terms = _outcome(design, outcome), _terms(design, terms)
    x = np.tile(design.matrix_of(terms), (values.shape[0], 1))
    y = values.reshape(-1)
    spare = x.shape[0] - x.shape[1]
    if spare < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError(f"factorial design: {x.shape[0]} observations are too few for {x.shape[1]} coefficients")
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
    weighted = x * ((y - x @ b) / (1 - leverage))[:, None]
    error = np.sqrt(np.diag(inverse @ (weighted.T @ weighted) @ inverse))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, b / error, np.where(b == 0, 0.0, np.inf))
    return RobustFit(2 * b[1:], 2 * error[1:], 2 * stats.t.sf(np.abs(t[1:]), spare))


def _terms(design: Design, terms: Any) -> tuple[Term, ...]:
    """The requested terms, or `design.terms()`."""
    if terms is None:
        return design.terms()
    if isinstance(terms, str) or not isinstance(terms, Sequence):
        raise InputError(f"factorial design: terms must be a list of effects, got {str(terms)[:80]!r}")
    for term in terms:
        design.check(term)
    return tuple(map(tuple, terms))


def _outcome(design: Design, outcome: Any) -> np.ndarray:
    """The outcome as an array, [replications, runs]."""
    check_kind("factorial design", "design", design, Design)
    values = as_host_numbers("factorial design", "the outcome", outcome)
    if values.ndim != 2 or values.shape[1] != len(design.matrix) or not values.shape[0]:
        raise InputError(
            f"factorial design: the outcome must be [replications, {len(design.matrix)} runs], got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise NumericalError(f"factorial design: {int((~np.isfinite(values)).sum())} outcomes are not finite")
    return values
