"""Games of the literature on learning dynamics, all in the own-row convention of `Polymatrix`."""

import numpy as np

from catallax.core import InputError

from .polymatrix import Edge, Polymatrix

_MATCH = np.array([[1.0, -1.0], [-1.0, 1.0]])


def matching_pennies() -> Polymatrix:
    """Player 0 wins a match, player 1 a mismatch: zero-sum, Nash equilibrium (1/2, 1/2)."""
    return Polymatrix([Edge(0, 1, _MATCH, -_MATCH)])


def asymmetric_matching_pennies() -> Polymatrix:
    """Two players, actions H and T; weighted zero-sum with weights (1, 1/2); the only Nash is P(H) = (1/3, 1/3).

    A_1 = [[2, 0], [0, 1]], A_2 = [[-4, 0], [0, -2]].

    Source: Leonardos, Piliouras and Spendlove (2021), section 5 (AMPs).
    Differs: the entries are missing from the text that we have; these have every property that it uses.
    """
    first = np.array([[2.0, 0.0], [0.0, 1.0]])
    return Polymatrix([Edge(0, 1, first, -2 * first)])


def match_mismatch_line(n: int) -> Polymatrix:
    """n players on a line (odd n), each to match the next and to mismatch the one before; a dummy at either end.

    A match with the next pays +1, else -1; a match with the one before pays -1, else +1. Players 1, ..., n decide
    between H and T; player 0 has the single action H, player n + 1 the single action T. Every edge is zero-sum.
    With m_k = 2 P_k(H) - 1, m_0 = 1, m_{n+1} = -1: u_k = m_k (m_{k+1} - m_{k-1}), and the logit equilibrium is
    m_k = tanh((m_{k+1} - m_{k-1}) / T_k). Nash equilibria: odd players T, even ones anything.

    Raises:
        InputError: n is not odd and at least 1.

    Source: Leonardos, Piliouras and Spendlove (2021), section 5 (ZSPG).
    """
    if n < 1 or n % 2 == 0:
        raise InputError(f"match_mismatch_line: n must be odd and at least 1, got {n}")
    rows = [slice(0, 1), *[slice(0, 2)] * n, slice(1, 2)]
    return Polymatrix(
        [Edge(k, k + 1, _MATCH[rows[k], rows[k + 1]], -_MATCH[rows[k + 1], rows[k]]) for k in range(n + 1)]
    )


def matching_ring(n: int) -> Polymatrix:
    """n >= 3 players on a ring, each to match the next and to mismatch the one before: zero-sum on every edge.

    Uniform play is a Nash equilibrium and the logit equilibrium at every temperature.

    Raises:
        InputError: n below 3.
    """
    if n < 3:
        raise InputError(f"matching_ring: a ring needs n of at least 3, got {n}")
    return Polymatrix([Edge(k, (k + 1) % n, _MATCH, -_MATCH) for k in range(n)])


def rock_paper_scissors() -> Polymatrix:
    """Win 1, lose 1: zero-sum, symmetric; uniform play is the Nash and, at any temperature, the logit equilibrium."""
    wins = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    return Polymatrix([Edge(0, 1, wins, wins)])


def prisoners_dilemma() -> Polymatrix:
    """[[3, 0], [5, 1]] for both, first action "cooperate"."""
    pay = np.array([[3.0, 0.0], [5.0, 1.0]])
    return Polymatrix([Edge(0, 1, pay, pay)])


def coordination(a: float = 1.0, b: float = 1.0) -> Polymatrix:
    """[[a, 0], [0, b]] for both. With a = b = 1 there are three logit equilibria below T = 1/2, one above."""
    pay = np.diag([float(a), float(b)])
    return Polymatrix([Edge(0, 1, pay, pay)])


def first_price_bids(winner_fee: float = 0.25) -> Polymatrix:
    """Two bidders of value 1 bid 0, 1/2 or 1 in a first-price auction; the winner also pays a fee; ties are halved.

    Source: Rawat (2023), the example of replicator dynamics.
    Differs: the matrix printed there omits the fee (it is the one with fee 0), its equilibria need it.
    """
    bids = np.array([0.0, 0.5, 1.0])
    wins = np.heaviside(bids[:, None] - bids[None], 0.5)
    pay = wins * (1.0 - bids - winner_fee)[:, None]
    return Polymatrix([Edge(0, 1, pay, pay)])
