"""What the source says of play when only one of two players explores, as claims on our runs."""

from typing import Any

import numpy as np

from catallax.lab.claims import AbstractClaim, Direction, NotComparable

from .reading import READING, SOURCE, final, heads, limit, liveliness

ONE_EXPLORER = (0.0, 0.5, 2.0, 6.5)
"""Temperatures of the only player that explores in matching pennies; the last is above 4 / ln 2."""
RPS_T = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0)
"""The same in rock-paper-scissors."""
MODIFIED_T = (0.0, 0.3, 0.6)
"""The same in the modified game."""
MODIFIED = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
"""Payoffs of both players of the modified game, the own action the row."""
MODIFIED_NASH = np.array([0.25, 0.5, 0.25])
_RPS = "exploration rates, horizon and starts of the figure are not printed; player 1 has T = 0"


def amps_rest(temperature: float) -> np.ndarray:
    """Policies [2, 2] at rest in matching pennies if player 2 alone explores: proposition C.1.

    P(H), with alpha = 3, beta = 6, x* = y* = 1/3: below T_c = 4 / ln 2 the explorer is at 1/3 and player 1 at
    1/3 + (T / 6) ln 2; above it player 1 is at 1 and the explorer at 1 / (1 + exp(4 / T)).
    """
    if temperature < 4 / np.log(2):
        first = np.array([1 / 3 + temperature / 6 * np.log(2), 1 / 3])
    else:
        first = np.array([1.0, 1 / (1 + np.exp(4 / temperature))])
    return np.stack([first, 1 - first], axis=1)


def modified_rest(temperature: float) -> np.ndarray:
    """Policies [2, 3] at rest in the modified game: the explorer q at Nash, the other solves A x = T ln q + constant.

    Interior for T below 1 / ln 2 = 1.44, where the third probability of player 1 reaches 0.
    """
    pull = temperature * np.log(MODIFIED_NASH)
    system = np.vstack([np.hstack([MODIFIED, -np.ones((3, 1))]), [[1.0, 1.0, 1.0, 0.0]]])
    other = np.linalg.solve(system, np.append(pull, 1.0))[:3]
    return np.stack([other, MODIFIED_NASH])


def _drift(results: Any, cell: str) -> np.ndarray:
    """Relative change of the divergence to Nash over the whole run without exploration."""
    path = results.dataset(cell)["divergence"].values[:, :, 0]
    return np.ptp(path, axis=1) / path[:, 0]


def _cycles(results: Any, cell: str) -> np.ndarray:
    """Range of P(first action) at T = 0 in the last 20 units of time over that in the first 20, less a half.

    The smaller of both players.
    """
    return liveliness(results.dataset(cell)["policy"].values[:, :, :, 0, 0], 200).min(axis=1) - 0.5


def _explorers_mixture(results: Any) -> np.ndarray:
    """The explorer's P(H) below the threshold, the mean of T = 0.5 and 2."""
    return heads(results, "one_explorer_rest")[:, 1, 1:3].mean(axis=1)


def _inwards(results: Any) -> np.ndarray:
    """Fall of the divergence to the equilibrium from t = 10 to t = 40 at T = 0.1 and 0.3, the smaller; nats."""
    path = results.dataset("rps_rest")["divergence"].values[:, :, 1:3]
    return (path[:, 0] - path[:, 3]).min(axis=1)


def _still_spiralling(results: Any) -> np.ndarray:
    """Distance to the equilibrium at t = 10 at T = 0.1 and 0.3 less 10 times that at t = 300, the smaller."""
    path = results.dataset("rps_rest")["distance"].values[:, :, 1:3]
    return (path[:, 0] - 10 * path[:, -1]).min(axis=1)


def _player_distance(player: int) -> Any:
    """Largest distance of a player from uniform play at t = 300 over all T > 0."""
    return lambda results: np.abs(final(results, "rps_rest", "policy")[:, player, :, 1:] - 1 / 3).max(axis=(1, 2))


_MATCHING: tuple[AbstractClaim, ...] = (
    limit(
        "no_exploration.conserved",
        "figure 2, panel 1",
        "without exploration the dynamics cycle around the Nash equilibrium",
        1e-6,
        lambda results: _drift(results, "one_explorer_rest"),
        "relative change of the divergence to Nash",
    ),
    Direction(
        id="no_exploration.cycles",
        source=f"{SOURCE}, figure 2, panel 1",
        statement="without exploration the dynamics cycle around the Nash equilibrium",
        sign=1,
        estimate=lambda results: _cycles(results, "one_explorer"),
        note=f"range of P(H) in the last 20 units of time over that in the first 20, less 1/2, the smaller; {READING}",
    ),
    limit(
        "one_explorer.converges",
        "figure 2, panels 2 and 3",
        "exploration by only one agent suffices for convergence",
        1e-6,
        lambda results: final(results, "one_explorer_rest", "distance")[:, 1:3].max(axis=1),
        note=f"distance from the rest point in closed form at t = 300, T = 0.5 and 2; {READING}",
    ),
    limit(
        "one_explorer.boundary",
        "figure 2, panel 4",
        "for high exploration by one agent the other's component lies at the boundary",
        1e-3,
        lambda results: heads(results, "one_explorer_rest")[:, 0, 3],
        published=1.0,
        reason="an exact limit, approached slowly",
    ),
    limit(
        "one_explorer.nash_mixture",
        "proposition C.1 and remark 2",
        "below the threshold the exploring player rests at its Nash mixture",
        1e-6,
        _explorers_mixture,
        published=1 / 3,
        note=f"1/3 is the mixture in our payoffs; mean of T = 0.5 and 2; {READING}",
    ),
    Direction(
        id="one_explorer.pushes",
        source=f"{SOURCE}, proposition C.1 and remark 2",
        statement="the other player's component moves towards the boundary as exploration grows",
        sign=1,
        estimate=lambda results: np.diff(heads(results, "one_explorer_rest")[:, 0, 1:], axis=1).min(axis=1),
        note=f"P(H) of player 1 at T = 2 less that at 0.5, and at 6.5 less 2, the smaller; {READING}",
    ),
    Direction(
        id="one_explorer.uniform",
        source=f"{SOURCE}, remark 2",
        statement="beyond the threshold the explorer's mixture approaches the uniform one",
        sign=1,
        estimate=lambda results: 1 / 6 - np.abs(heads(results, "one_explorer_rest")[:, 1, 3] - 1 / 2),
        note=f"how much nearer to 1/2 it is at T = 6.5 than its Nash mixture, 1/3; {READING}",
    ),
)
_SIMPLICES: tuple[AbstractClaim, ...] = (
    limit(
        "rps.conserved",
        "figure 7, panel 1",
        "without exploration rock-paper-scissors is recurrent around the Nash equilibrium",
        1e-6,
        lambda results: _drift(results, "rps_rest"),
        "relative change of the divergence to Nash",
        note=f"conserved: orbits stay between two levels and come back, but need not close; {_RPS}",
    ),
    Direction(
        id="rps.cycles",
        source=f"{SOURCE}, figures 7 and 8, panel 1",
        statement="without exploration rock-paper-scissors cycles for ever",
        sign=1,
        estimate=lambda results: _cycles(results, "rps"),
        note=f"range of P(R) in the last 20 units of time over that in the first 20, less 1/2, the smaller; {_RPS}",
    ),
    limit(
        "rps.player_1",
        "figure 7",
        "in all other cases exploration by one agent suffices for convergence to the unique QRE (player 1)",
        1e-5,
        _player_distance(0),
        note=f"largest over T = 0.1, ..., 2 at t = 300; {_RPS}",
    ),
    limit(
        "rps.explorer",
        "figure 8",
        "the plots of the exploring agent are similar: it converges to the unique QRE",
        1e-5,
        _player_distance(1),
        note=f"largest over T = 0.1, ..., 2 at t = 300; {_RPS}",
    ),
    Direction(
        id="rps.inwards",
        source=f"{SOURCE}, figure 7, panels 2 and 3",
        statement="in panels 2 and 3 the dynamics spiral inwards",
        sign=1,
        estimate=_inwards,
        note=f"fall of the divergence to the QRE from t = 10 to 40, the smaller of T = 0.1 and 0.3; {_RPS}",
    ),
    Direction(
        id="rps.eventually",
        source=f"{SOURCE}, figure 7, panels 2 and 3",
        statement="in panels 2 and 3 the dynamics will eventually converge",
        sign=1,
        estimate=_still_spiralling,
        note=f"distance to the QRE at t = 10 less ten times that at t = 300, the smaller of T = 0.1 and 0.3; {_RPS}",
    ),
    limit(
        "modified.converges",
        "appendix C.2 (not depicted)",
        "a modified game with an asymmetric Nash equilibrium gives similar plots",
        1e-5,
        lambda results: final(results, "modified_rest", "distance")[:, 1:].max(axis=1),
        note="distance from the closed form of the rest point at t = 300, T = 0.3 and 0.6; payoffs are not printed, "
        "ours have the Nash equilibrium (1/4, 1/2, 1/4)",
    ),
    limit(
        "modified.conserved",
        "appendix C.2 (not depicted)",
        "without exploration the modified game is recurrent too",
        1e-6,
        lambda results: _drift(results, "modified_rest"),
        "relative change of the divergence to Nash",
        note="the payoffs are not printed, ours have the Nash equilibrium (1/4, 1/2, 1/4)",
    ),
)
_CURVES = NotComparable(
    id="curves",
    source=f"{SOURCE}, figures 2, 7 and 8",
    statement="the paths themselves, point by point",
    published=None,
    missing="payoffs of matching pennies, exploration rates, starts and horizons of the panels",
)
CLAIMS = (*_MATCHING, *_SIMPLICES, _CURVES)
"""In the order of the source."""
