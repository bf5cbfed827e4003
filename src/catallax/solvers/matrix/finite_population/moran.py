"""The frequency-dependent Moran process of a symmetric game: fixation, and how often each composition is seen.

N individuals follow one of two rules, A or B. With i followers of A the payoffs are means over the other individuals,

    pi_A(i) = [(i - 1) a_AA + (N - i) a_AB] / (N - 1),    pi_B(i) = [i a_BA + (N - i - 1) a_BB] / (N - 1).

At each step one individual is chosen to reproduce, in proportion to its fitness exp(w pi), and its child takes the
place of one chosen uniformly. Exponential fitness makes the process the same for a game and its shift, and w may be as
large as one likes; for small w it is the linear fitness 1 - w + w pi. What follows is exact and computed in logarithms,
in double precision.
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from catallax.core import InputError
from catallax.core.checks import as_host_numbers, check_count


def fixation_probabilities(payoffs: Any, population: int, intensity: float = 1.0) -> Float[np.ndarray, " counts"]:
    """The probability that all follow rule A in the end, from each number of followers 0 to N.

    rho_i = sum_{k < i} prod_{j <= k} g_j / sum_{k < N} prod_{j <= k} g_j with g_j = exp(w (pi_B(j) - pi_A(j))), the
    ratio of steps down to steps up. `rho[1]` is the fixation probability of one mutant; it is 1 / N without selection.

    Args:
        payoffs: [2, 2], own rule, other's rule; A is the first.
        population: N, at least 2.
        intensity: w, the intensity of selection, per unit of payoff, at least 0.

    Raises:
        InputError: payoffs that are not 2 x 2 and finite, N below 2, or a negative or infinite intensity.

    Source: Moran (1958); Nowak, Sasaki, Taylor and Fudenberg (2004); exponential fitness: Traulsen, Shoresh and Nowak
        (2008).
    """
    table = _table("fixation_probabilities", payoffs, 2)
    _check("fixation_probabilities", population, intensity)
    steps = np.concatenate([[0.0], np.cumsum(intensity * _disadvantage(table, population))])
    sums = np.logaddexp.accumulate(steps)
    return np.concatenate([[0.0], np.exp(sums - sums[-1])])


def moran_distribution(
    payoffs: Any, population: int, intensity: float = 1.0, mutation: float = 0.01
) -> Float[np.ndarray, " counts"]:
    """The stationary distribution of the number of followers of rule A, 0 to N, where children mutate.

    With probability `mutation` a child follows a rule drawn uniformly of the two, otherwise its parent's. The process
    is a birth-death chain, so that up-steps and down-steps between neighbours balance.

    Args:
        payoffs: [2, 2], own rule, other's rule; A is the first.
        population: N, at least 2.
        intensity: w, per unit of payoff, at least 0.
        mutation: in (0, 1].

    Raises:
        InputError: as `fixation_probabilities`, or a mutation outside (0, 1].
    """
    table = _table("moran_distribution", payoffs, 2)
    _check("moran_distribution", population, intensity)
    if not 0.0 < mutation <= 1.0:
        raise InputError(f"moran_distribution: mutation must lie in (0, 1], got {mutation}; without it nothing returns")
    count = np.arange(population + 1)
    ahead = np.zeros(population + 1)  # log fitness of A less that of B, of no effect at the ends
    ahead[1:-1] = -intensity * _disadvantage(table, population)
    with np.errstate(divide="ignore"):
        weight = np.stack([np.log(count) + ahead, np.log(population - count)])
    parents = softmax(weight, axis=0)
    children = (1 - mutation) * parents + mutation / 2
    with np.errstate(divide="ignore"):
        up = np.log(children[0]) + np.log(population - count)
        down = np.log(children[1]) + np.log(count)
    balance = np.concatenate([[0.0], np.cumsum(up[:-1] - down[1:])])
    return np.exp(balance - np.logaddexp.reduce(balance))


def small_mutation_distribution(payoffs: Any, population: int, intensity: float = 1.0) -> Float[np.ndarray, " n"]:
    """How much of the time all follow each of n rules, in the limit of rare mutations.

    Between two mutations the population comes to follow one rule. Each of the others is tried equally often, and takes
    over with its fixation probability.

    Args:
        payoffs: [n, n], own rule, other's rule.
        population: N, at least 2.
        intensity: w, per unit of payoff, at least 0.

    Raises:
        InputError: as `fixation_probabilities`.

    Source: Fudenberg and Imhof (2006).
    """
    table = _table("small_mutation_distribution", payoffs)
    _check("small_mutation_distribution", population, intensity)
    n = len(table)
    logs = np.full((n, n), -np.inf)
    for resident in range(n):
        for mutant in range(n):
            if mutant != resident:
                pair = np.ix_([mutant, resident], [mutant, resident])
                steps = np.cumsum(intensity * _disadvantage(table[pair], population))
                logs[resident, mutant] = -np.logaddexp.reduce(np.concatenate([[0.0], steps]))
    return stationary(logs)


def stationary(log_rates: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """The stationary distribution of a chain with one recurrent class, from the logarithms of its rates.

    States are taken out one after the other (Grassmann, Taksar and Heyman 1985), which only adds and multiplies: rates
    of any size ratio keep their relative precision.

    Args:
        log_rates: log of the rate from row to column; the diagonal is not read.
    """
    rates = np.array(log_rates, float)
    n = len(rates)
    np.fill_diagonal(rates, -np.inf)
    for k in range(n - 1, 0, -1):
        out = np.logaddexp.reduce(rates[k, :k])
        if np.isneginf(out):
            raise InputError(f"state {k} cannot be left towards the states before it: put a recurrent state first")
        rates[:k, k] -= out
        rates[:k, :k] = np.logaddexp(rates[:k, :k], rates[:k, k, None] + rates[None, k, :k])
    weight = np.zeros(n)
    for k in range(1, n):
        weight[k] = np.logaddexp.reduce(weight[:k] + rates[:k, k])
    return softmax(weight)


def _disadvantage(table: np.ndarray, population: int) -> Float[np.ndarray, " inner"]:
    """pi_B(i) - pi_A(i) for i = 1 to N - 1 followers of A."""
    i = np.arange(1, population)
    (aa, ab), (ba, bb) = table - table.min()
    return ((i * ba + (population - i - 1) * bb) - ((i - 1) * aa + (population - i) * ab)) / (population - 1)


def _table(who: str, payoffs: Any, size: int | None = None) -> Float[np.ndarray, "n n"]:
    """The payoffs as a square finite table."""
    table = as_host_numbers(who, "payoffs", payoffs)
    n = len(table) if size is None and table.ndim else size
    if table.ndim != 2 or table.shape != (n, n) or not n or not np.isfinite(table).all():
        wanted = f"a finite {n or 'n'} x {n or 'n'} table [own rule, other's rule]"
        raise InputError(f"{who}: payoffs must be {wanted}, got shape {table.shape}")
    return table


def _check(who: str, population: int, intensity: float) -> None:
    """Refuse a population of one and an intensity that is negative or infinite."""
    check_count(who, "population", population)
    if population < 2:
        raise InputError(f"{who}: population must be at least 2, got {population}")
    if not (np.isfinite(intensity) and intensity >= 0):
        raise InputError(f"{who}: intensity must be finite and at least 0, got {intensity}")
