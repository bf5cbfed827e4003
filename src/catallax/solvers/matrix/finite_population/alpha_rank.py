"""Alpha-rank: which profiles of a game are seen when each player's population imitates and mutants are rare."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from catallax.core import InputError
from catallax.core.checks import check_count
from catallax.games.matrix import AbstractMatrixGame, to_arrays

from .moran import stationary

MOST_PROFILES = 1_000
"""More profiles than these make the chain too large for a dense matrix."""


class AlphaRank(NamedTuple):
    """The ranking of a game's profiles; NumPy arrays in double precision."""

    distribution: Float[np.ndarray, "*actions"]
    """How often each profile is seen in the long run, player 0's action first."""
    marginals: Float[np.ndarray, "n A"]
    """How often each player is seen with each action; 0 for columns that are no actions of the player."""
    sinks: Int[np.ndarray, "*actions"]
    """Number of the sink component of the response graph to which a profile belongs, from 0 on; -1 for none."""

    def ranking(self) -> list[tuple[tuple[int, ...], float]]:
        """Profiles with their shares, the most frequent first."""
        order = np.argsort(-self.distribution.ravel(), kind="stable")
        shape = self.distribution.shape
        return [(tuple(int(a) for a in np.unravel_index(i, shape)), float(self.distribution.flat[i])) for i in order]


def alpha_rank(game: AbstractMatrixGame, alpha: float = 100.0, population: int = 50) -> AlphaRank:
    """The stationary distribution of a chain over pure profiles.

    From profile s a mutant of one player k with another action arises, each of them with equal probability. With u the
    mutant's payoff less the resident's, in units of the spread of the player's payoffs, it takes over player k's
    population of m with probability

        rho = [1 - exp(-alpha u)] / [1 - exp(-m alpha u)],    1 / m if u = 0.

    The larger alpha, the more the chain stays in the sink components of the response graph, whose arrows are
    deviations that do not lose: these are in `sinks`. Payoffs are scaled, so that a game and its shift or positive
    scaling have one answer. The chain is solved in logarithms, so that alpha may be large.

    Args:
        game: any game in matrix form with at most 1,000 profiles.
        alpha: intensity of selection, per spread of payoffs, at least 0.
        population: m, at least 2.

    Raises:
        InputError: too many profiles, a negative or infinite alpha, or a population below 2.

    Source: Omidshafiei et al. (2019), "alpha-Rank: Multi-agent evaluation by evolution", equations 2 to 5.
    Differs: payoffs in units of each player's spread; transitions are not divided by the number of deviations, which
        changes no stationary distribution.
    """
    if not (np.isfinite(alpha) and alpha >= 0):
        raise InputError(
            f"alpha_rank: alpha must be finite and at least 0, got {alpha}; take a larger one for the limit"
        )
    check_count("alpha_rank", "population", population)
    if population < 2:
        raise InputError(f"alpha_rank: population must be at least 2, got {population}")
    profiles = int(np.prod([float(a) for a in game.actions]))
    if profiles > MOST_PROFILES:
        raise InputError(f"alpha_rank: the game has {profiles} profiles, at most {MOST_PROFILES} can be ranked")
    gains, there = _deviations(game)
    sinks = _sinks(gains >= 0, there)
    log_rates = np.where(there, _log_fixation(alpha * gains, population), -np.inf)
    order = np.argsort(sinks.ravel() < 0, kind="stable")  # a recurrent state first
    distribution = np.empty(profiles)
    distribution[order] = stationary(log_rates[np.ix_(order, order)])
    distribution = distribution.reshape(game.actions)
    marginals = np.zeros((game.players, game.width))
    for k in range(game.players):
        rest = tuple(a for a in range(game.players) if a != k)
        marginals[k, : game.actions[k]] = distribution.sum(axis=rest)
    return AlphaRank(distribution, marginals, sinks.reshape(game.actions))


def _deviations(game: AbstractMatrixGame) -> tuple[Float[np.ndarray, "p p"], np.ndarray]:
    """Gain of who moves from one profile to another, in spreads of its payoffs, and where only one player moves."""
    profiles = np.stack(np.unravel_index(np.arange(int(np.prod(game.actions))), game.actions), axis=1)
    moved = profiles[:, None] != profiles[None]
    there = moved.sum(axis=2) == 1
    gains = np.zeros(there.shape)
    for k, table in enumerate(to_arrays(game)):
        spread = np.ptp(table)
        value = (table.ravel() - table.min()) / (spread if spread > 0 else 1.0)
        only = there & moved[:, :, k]
        gains[only] = (value[None] - value[:, None])[only]
    return gains, there


def _log_fixation(advantage: np.ndarray, population: int) -> np.ndarray:
    """log rho of an advantage alpha u: -log sum_{k < m} exp(-k alpha u), as a geometric sum in stable form."""
    size = np.abs(advantage)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_sum = np.log(-np.expm1(-population * size)) - np.log(-np.expm1(-size))
    log_sum = np.where(size > 0, log_sum, np.log(population))
    return np.where(advantage >= 0, -log_sum, advantage * (population - 1) - log_sum)


def _sinks(improves: np.ndarray, there: np.ndarray) -> Int[np.ndarray, " p"]:
    """The sink component of the response graph to which each profile belongs, -1 for none."""
    graph = improves & there
    count, component = connected_components(csr_array(graph), directed=True, connection="strong")
    leaves = component[:, None] != component[None]
    open_components = np.unique(component[np.nonzero(graph & leaves)[0]])
    closed = [c for c in range(count) if c not in set(open_components.tolist())]
    number = {c: i for i, c in enumerate(closed)}
    return np.asarray([number.get(int(c), -1) for c in component])
