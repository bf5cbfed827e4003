"""Polymatrix games on graphs: chains and rings of pennies, the same game on every edge, random edges."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from catallax.core import InputError
from catallax.core.checks import check_count, check_number
from catallax.games.matrix.graphs import Graph, generator, parts
from catallax.games.matrix.polymatrix import Edge, Polymatrix

from .two_player import MATCH


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
    return Polymatrix([Edge(k, k + 1, MATCH[rows[k], rows[k + 1]], -MATCH[rows[k + 1], rows[k]]) for k in range(n + 1)])


def matching_ring(n: int) -> Polymatrix:
    """n >= 3 players on a ring, each to match the next and to mismatch the one before: zero-sum on every edge.

    Uniform play is a Nash equilibrium and the logit equilibrium at every temperature.

    Raises:
        InputError: n below 3.
    """
    if n < 3:
        raise InputError(f"matching_ring: a ring needs n of at least 3, got {n}")
    return Polymatrix([Edge(k, (k + 1) % n, MATCH, -MATCH) for k in range(n)])


def polymatrix_on(graph: Iterable[tuple[int, int]], to_first: Any, to_second: Any = None) -> Polymatrix:
    """One game on every edge of a graph, or one for each edge.

    Args:
        graph: the pairs of players that meet; see `line_graph` and its like. It need not be connected.
        to_first: the matrix of the player named first, own action first; or a function of the two players.
        to_second: that of the player named second, own action first; None for the same (a symmetric game).
    """
    second = to_first if to_second is None else to_second
    at: Callable[[Any, int, int], Any] = lambda matrix, k, m: matrix(k, m) if callable(matrix) else matrix
    return Polymatrix([Edge(k, m, at(to_first, k, m), at(second, m, k)) for k, m in graph])


def random_polymatrix(graph: Graph, actions: int | Sequence[int], seed: int | np.random.Generator) -> Polymatrix:
    """Independent standard normal payoffs on every edge.

    Args:
        graph: the pairs of players that meet.
        actions: how many actions everybody has, or each player.
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same game.

    Raises:
        InputError: counts that do not fit the graph.
    """
    counts, draw = _counts("random_polymatrix", graph, actions), generator(seed)
    return Polymatrix(
        [
            Edge(k, m, draw.normal(size=(counts[k], counts[m])), draw.normal(size=(counts[m], counts[k])))
            for k, m in graph
        ]
    )


def random_zero_sum_polymatrix(
    graph: Graph,
    actions: int | Sequence[int],
    seed: int | np.random.Generator,
    *,
    weights: Any = 1.0,
    pairwise: bool = False,
) -> Polymatrix:
    """A random game with sum_k w_k u_k = 0 at every profile, by construction; all such games may be drawn.

    For each edge w_k A_kl = Z with standard normal entries, and w_l A_lk' = - Z + c + f_kl(a) + f_lk(b). The constants
    c of all edges, and for each player and action the f of all its edges, are normal and made to sum to 0. So the game
    is zero-sum as a whole while no edge is, but for edges that have no other to make up for them.

    Args:
        graph: the pairs of players that meet.
        actions: how many actions everybody has, or each player.
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same game.
        weights: w > 0: one number or [n]; None for weights drawn uniformly from [1/2, 2].
        pairwise: whether c and f are left out, so that every edge is zero-sum.

    Raises:
        InputError: counts that do not fit the graph, weights that are not positive.

    Source: the converse of the payoff equivalence of Cai, Candogan, Daskalakis and Papadimitriou (2016).
    """
    counts, draw = _counts("random_zero_sum_polymatrix", graph, actions), generator(seed)
    n = len(counts)
    w = draw.uniform(0.5, 2.0, n) if weights is None else np.broadcast_to(np.asarray(weights, float), (n,))
    for value in w:
        check_number("random_zero_sum_polymatrix", "a weight", value, "(0, inf)")
    shares = _shares(graph, counts, draw, not pairwise)
    constants = np.zeros(len(graph)) if pairwise else draw.normal(size=len(graph))
    constants = constants - constants.mean()
    edges = []
    for (k, m), c in zip(graph, constants, strict=True):
        z = draw.normal(size=(counts[k], counts[m]))
        other = c + shares[k, m][:, None] + shares[m, k] - z
        edges.append(Edge(k, m, z / w[k], other.T / w[m]))
    return Polymatrix(edges)


def _shares(
    graph: Graph, counts: tuple[int, ...], draw: np.random.Generator, some: bool
) -> dict[tuple[int, int], Float[np.ndarray, " a"]]:
    """f_kl(a) for both directions of every edge, with sum 0 over each player's edges."""
    found = {}
    for k, count in enumerate(counts):
        rivals = [m for pair in graph for m in pair if k in pair and m != k]
        drawn = draw.normal(size=(len(rivals), count)) * some
        for m, f in zip(rivals, drawn - drawn.mean(axis=0), strict=True):
            found[k, m] = f
    return found


def _counts(who: str, graph: Graph, actions: int | Sequence[int]) -> tuple[int, ...]:
    """One number of actions for each player of the graph."""
    if not graph:
        raise InputError(f"{who}: the graph has no edge")
    n = 1 + max(max(pair) for pair in graph)
    counts = (actions,) * n if isinstance(actions, int) else tuple(int(a) for a in actions)
    if len(counts) != n:
        raise InputError(f"{who}: {len(counts)} numbers of actions for the {n} players of the graph")
    for count in counts:
        check_count(who, "the number of actions", count)
    alone = [group[0] for group in parts(n, graph) if len(group) == 1]
    if alone:
        raise InputError(f"{who}: player {alone[0]} is on no edge of the graph; number the players 0, ..., n - 1")
    return counts
