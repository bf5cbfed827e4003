"""Graphs on which polymatrix games are played, as tuples of pairs; and the parts of a game that never meet."""

from itertools import combinations
from typing import Any

import numpy as np

from catallax.core import InputError
from catallax.core.checks import check_count, check_number

from .matrix_game import AbstractMatrixGame

Graph = tuple[tuple[int, int], ...]
"""Each pair of players that meet once, the smaller number first; players are 0, ..., n - 1."""

_DRAWS = 1000
"""Graphs drawn before a connected one is given up."""


def line_graph(n: int) -> Graph:
    """0 - 1 - ... - n - 1, n of at least 2."""
    check_count("line_graph", "n", n, 2)
    return tuple((k, k + 1) for k in range(n - 1))


def ring_graph(n: int) -> Graph:
    """A line whose ends meet, n of at least 3."""
    check_count("ring_graph", "n", n, 3)
    return (*line_graph(n), (0, n - 1))


def star_graph(n: int) -> Graph:
    """Player 0 meets everybody else, n of at least 2."""
    check_count("star_graph", "n", n, 2)
    return tuple((0, k) for k in range(1, n))


def complete_graph(n: int) -> Graph:
    """Everybody meets everybody, n of at least 2."""
    check_count("complete_graph", "n", n, 2)
    return tuple(combinations(range(n), 2))


def grid_graph(rows: int, columns: int) -> Graph:
    """A rectangle of at least two players, each with up to four neighbours; player r * columns + c is at (r, c)."""
    check_count("grid_graph", "rows", rows)
    check_count("grid_graph", "columns", columns)
    check_count("grid_graph", "rows times columns", rows * columns, 2)
    at = np.arange(rows * columns).reshape(rows, columns)
    across = zip(at[:, :-1].flat, at[:, 1:].flat, strict=True)
    down = zip(at[:-1].flat, at[1:].flat, strict=True)
    return tuple(sorted((int(k), int(m)) for k, m in (*across, *down)))


def random_graph(n: int, chance: float, seed: int | np.random.Generator) -> Graph:
    """An Erdos-Renyi graph given that it is connected: every pair meets with probability `chance`, redrawn until it is.

    Args:
        n: players, at least 2.
        chance: probability of each pair, in (0, 1].
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same graph.

    Raises:
        InputError: n below 2, a chance outside (0, 1], or no connected graph among 1,000; connected graphs are common
            from a chance of about ln(n) / n on.

    Source: Gilbert (1959) for independent pairs.
    """
    check_count("random_graph", "n", n, 2)
    check_number("random_graph", "chance", chance, "(0, 1]")
    draw = generator(seed)
    pairs = complete_graph(n)
    for _ in range(_DRAWS):
        met = draw.random(len(pairs)) < chance
        graph = tuple(pair for pair, yes in zip(pairs, met, strict=True) if yes)
        if len(parts(n, graph)) == 1:
            return graph
    raise InputError(
        f"random_graph: none of {_DRAWS} graphs of {n} players with chance {chance:g} is connected; they are common "
        f"from a chance of ln(n) / n = {np.log(n) / n:.2g} on: raise it"
    )


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """A NumPy generator from a seed; a generator is passed through, and advanced by its use.

    Raises:
        InputError: neither a generator nor an integer of at least 0.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    check_count("random games", "seed", int(seed) if isinstance(seed, np.integer) else seed, 0)
    return np.random.default_rng(seed)


def parts(n: int, graph: Any) -> tuple[tuple[int, ...], ...]:
    """The connected parts of a graph of n players, each ascending, in the order of their first players."""
    root = list(range(n))

    def top(k: int) -> int:
        while root[k] != k:
            root[k] = k = root[root[k]]
        return k

    for k, m in graph:
        low, high = sorted((top(k), top(m)))
        root[high] = low
    found: dict[int, list[int]] = {}
    for k in range(n):
        found.setdefault(top(k), []).append(k)
    return tuple(tuple(members) for members in found.values())


def components(game: AbstractMatrixGame) -> tuple[tuple[int, ...], ...]:
    """The groups of players that do not affect each other, each ascending: one group if the game is connected.

    A game of several groups is a game like any other to all flows and solvers. Its equilibria are the products of its
    groups' equilibria, and each group may have zero-sum weights of a scale of its own.
    """
    return parts(game.players, ((k, m) for k in range(game.players) for m in game.neighbours(k)))
