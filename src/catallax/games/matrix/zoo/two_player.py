"""Two-player games of the literature, in the own-row convention of `Polymatrix`: each matrix pays its row player."""

from typing import Any

import numpy as np

from catallax.core import InputError
from catallax.core.checks import check_count, check_number
from catallax.games.matrix.polymatrix import Edge, Polymatrix

MATCH = np.array([[1.0, -1.0], [-1.0, 1.0]])
"""Win a match, lose a mismatch."""


def symmetric(payoffs: Any) -> Polymatrix:
    """The symmetric two-player game with this matrix for both, own action first."""
    return Polymatrix([Edge(0, 1, payoffs, payoffs)])


def matching_pennies() -> Polymatrix:
    """Player 0 wins a match, player 1 a mismatch: zero-sum, Nash equilibrium (1/2, 1/2)."""
    return Polymatrix([Edge(0, 1, MATCH, -MATCH)])


def asymmetric_matching_pennies(first: Any = None, second: Any = None) -> Polymatrix:
    """Two players, actions H and T; player 0 wants a match, player 1 a mismatch; weighted zero-sum, one interior Nash.

    With the defaults A_1 = [[2, 0], [0, 1]], A_2 = [[-4, 0], [0, -2]]: weights (1, 1/2), the only Nash equilibrium is
    P(H) = (1/3, 1/3).

    Args:
        first: A_1, 2 x 2, own action first; a match must pay player 0 more than a mismatch in either column.
        second: A_2, 2 x 2, own action first: - A_1' times a positive number; None for - 2 A_1'.

    Raises:
        InputError: matrices without these properties.

    Source: Leonardos, Piliouras and Spendlove (2021), section 5 (AMPs).
    Differs: the entries are missing from the text that we have; these have every property that it uses.
    """
    ours = np.asarray([[2.0, 0.0], [0.0, 1.0]] if first is None else first, dtype=float)
    if ours.shape != (2, 2) or not np.isfinite(ours).all():
        raise InputError(f"asymmetric_matching_pennies: A_1 must be 2 x 2 and finite, got shape {ours.shape}")
    if not (ours[0, 0] > ours[1, 0] and ours[1, 1] > ours[0, 1]):
        raise InputError(
            f"asymmetric_matching_pennies: player 0 must want to match in both columns of A_1 = {ours.tolist()}: "
            "its diagonal must be the larger entry of each column"
        )
    theirs = -2 * ours.T if second is None else np.asarray(second, dtype=float)
    scale = -(theirs * ours.T).sum() / (ours**2).sum() if theirs.shape == (2, 2) else np.nan
    if not (scale > 0 and np.allclose(theirs, -scale * ours.T, rtol=0, atol=1e-12 * np.abs(theirs).max())):
        raise InputError(
            f"asymmetric_matching_pennies: A_2 must be - A_1' times a positive number, got {theirs.tolist()} beside "
            f"A_1 = {ours.tolist()}; its rows are player 1's own actions"
        )
    return Polymatrix([Edge(0, 1, ours, theirs)])


def rock_paper_scissors(wins: Any = (1.0, 1.0, 1.0), *, losses: float = 1.0, ties: Any = (0.0, 0.0)) -> Polymatrix:
    """Rock, paper, scissors: each beats one and loses to one. Zero-sum if a loss costs the win and ties cancel.

    With losses 1 and ties (0, 0) the only Nash equilibrium of both players is proportional to
    (wins[2], wins[0], wins[1]): uniform when all wins are equal, and then the logit equilibrium at any temperature.

    Args:
        wins: what rock over scissors, paper over rock, and scissors over paper pay; positive.
        losses: what a loss costs, as a multiple of what the winner wins; the flow leads inward below 1, outward above.
        ties: what a tie pays to player 0 and to player 1; (e, -e) keeps the game zero-sum and makes it chaotic.

    Raises:
        InputError: wins that are not three positive numbers, losses that are not positive, ties that are not two
            numbers.

    Source: Sato, Akiyama and Farmer (2002) for ties.
    """
    if len(wins) != 3 or len(ties) != 2:
        raise InputError(f"rock_paper_scissors: give three wins and two ties, got {len(wins)} and {len(ties)}")
    for value in wins:
        check_number("rock_paper_scissors", "a win", value, "(0, inf)")
    check_number("rock_paper_scissors", "losses", losses, "(0, inf)")
    won = np.zeros((3, 3))
    won[0, 2], won[1, 0], won[2, 1] = wins
    table = won - losses * won.T
    return Polymatrix([Edge(0, 1, table + ties[0] * np.eye(3), table + ties[1] * np.eye(3))])


def odd_cycle(actions: int) -> Polymatrix:
    """Rock, paper, scissors with any odd number of actions: i beats the (K - 1) / 2 before it, i - 1, i - 2, ... mod K.

    Zero-sum and symmetric; uniform play is the only Nash equilibrium and the logit equilibrium at any temperature.

    Raises:
        InputError: a number of actions that is even or below 3.
    """
    check_count("odd_cycle", "actions", actions, 3)
    if actions % 2 == 0:
        raise InputError(f"odd_cycle: the number of actions must be odd, got {actions}")
    ahead = (np.arange(actions)[:, None] - np.arange(actions)) % actions
    return symmetric(np.where(ahead == 0, 0.0, np.where(ahead <= actions // 2, 1.0, -1.0)))


def prisoners_dilemma(
    reward: float = 3.0, sucker: float = 0.0, temptation: float = 5.0, punishment: float = 1.0
) -> Polymatrix:
    """[[reward, sucker], [temptation, punishment]] for both, first action "cooperate".

    Raises:
        InputError: not temptation > reward > punishment > sucker.
    """
    if not temptation > reward > punishment > sucker:
        raise InputError(
            "prisoners_dilemma: temptation > reward > punishment > sucker is needed, got "
            f"{temptation:g}, {reward:g}, {punishment:g}, {sucker:g}"
        )
    return symmetric([[reward, sucker], [temptation, punishment]])


def coordination(a: float = 1.0, b: float = 1.0) -> Polymatrix:
    """[[a, 0], [0, b]] for both. With a = b = 1 there are three logit equilibria below T = 1/2, one above."""
    return symmetric(np.diag([float(a), float(b)]))


def identity_game(actions: int) -> Polymatrix:
    """1 for a match, else 0, with K actions. Uniform play is a logit equilibrium, unstable below T = 1 / K.

    The 2^K - 1 Nash equilibria are uniform play of both on any one set of actions.
    """
    check_count("identity_game", "actions", actions, 2)
    return symmetric(np.eye(actions))


def stag_hunt(stag: float = 4.0, hare: float = 3.0) -> Polymatrix:
    """[[stag, 0], [hare, hare]] for both: two strict equilibria, and a mixed one with P(stag) = hare / stag.

    Raises:
        InputError: not stag > hare > 0.
    """
    if not stag > hare > 0:
        raise InputError(f"stag_hunt: stag > hare > 0 is needed, got {stag:g} and {hare:g}")
    return symmetric([[stag, 0.0], [hare, hare]])


def battle_of_the_sexes(preferred: float = 2.0, other: float = 1.0) -> Polymatrix:
    """Both want to meet, player 0 at place 0, player 1 at place 1.

    The mixed equilibrium has everybody at the preferred place with probability preferred / (preferred + other).

    Raises:
        InputError: not preferred > other > 0.
    """
    if not preferred > other > 0:
        raise InputError(f"battle_of_the_sexes: preferred > other > 0 is needed, got {preferred:g} and {other:g}")
    return Polymatrix([Edge(0, 1, np.diag([preferred, other]), np.diag([other, preferred]))])


def hawk_dove(value: float = 2.0, cost: float = 4.0) -> Polymatrix:
    """[[(v - c) / 2, v], [0, v / 2]] for both, first action "hawk"; the mixed equilibrium has P(hawk) = v / c.

    Raises:
        InputError: not cost > value > 0.

    Source: Maynard Smith and Price (1973).
    """
    if not cost > value > 0:
        raise InputError(f"hawk_dove: cost > value > 0 is needed, got {cost:g} and {value:g}")
    return symmetric([[(value - cost) / 2, value], [0.0, value / 2]])


def shapleys_game() -> Polymatrix:
    """Three actions; player 0 gets 1 for a match, player 1 if its action is the next one, mod 3; the other gets 0.

    Uniform play is the only Nash equilibrium; fictitious play cycles through six profiles at ever slower pace.

    Source: Shapley (1964), up to the names of actions.
    """
    return Polymatrix([Edge(0, 1, np.eye(3), np.roll(np.eye(3), 1, axis=0))])


def first_price_bids(winner_fee: float = 0.25) -> Polymatrix:
    """Two bidders of value 1 bid 0, 1/2 or 1 in a first-price auction; the winner also pays a fee; ties are halved.

    Raises:
        InputError: a fee that is negative or no number.

    Source: Rawat (2023), the example of replicator dynamics.
    Differs: the matrix printed there omits the fee (it is the one with fee 0), its equilibria need it.
    """
    check_number("first_price_bids", "winner_fee", winner_fee, "[0, inf)")
    bids = np.array([0.0, 0.5, 1.0])
    wins = np.heaviside(bids[:, None] - bids[None], 0.5)
    return symmetric(wins * (1.0 - bids - winner_fee)[:, None])
