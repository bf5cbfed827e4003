"""Polymatrix games: every edge of a graph is a bimatrix game, and a player plays one strategy on all its edges."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from catallax.core import InputError
from catallax.core.checks import check_holdable

from .matrix_game import AbstractMatrixGame

_UNROLLED = 8
"""Up to so many actions the product with a payoff matrix is written out: it then fuses, and is faster over long batches
of tiny games than a batched matrix product (docs/speed.md)."""


class Edge(NamedTuple):
    """A game between two players, each of them the row player of its own matrix."""

    first: int
    second: int
    to_first: Any
    """A_kl [actions of first, actions of second]: payoff to `first`, whose own action is the row."""
    to_second: Any
    """A_lk [actions of second, actions of first]: payoff to `second`, whose own action is the row."""


class Polymatrix(AbstractMatrixGame):
    """A polymatrix game with payoffs u_k(x) = sum over neighbours l of x_k' A_kl x_l; cost linear in the edges.

    Every player is the row player of its own matrix: a symmetric game is (A, A). Books and solvers that give player 2's
    payoffs with player 1 as rows write the same game (A, A'); see `from_bimatrix`.

    Args:
        edges: one `Edge`, or a tuple of its four entries, for each pair of players that meet.

    Raises:
        InputError: no edge, a player without an edge, a pair named twice or with itself, matrices whose shapes do not
            agree, payoffs that are not finite.

    Source: Cai, Candogan, Daskalakis and Papadimitriou (2016); own-row convention of Leonardos, Piliouras and
        Spendlove (2021).
    """

    payoff: Float[Array, "edges A A"]
    """One matrix for each direction of each edge, padded with zeros; sorted by the owner's degree, then owner."""
    owners: tuple[int, ...] = eqx.field(static=True)
    """Whom the matrix pays: the row player."""
    rivals: tuple[int, ...] = eqx.field(static=True)
    """The column player."""
    actions: tuple[int, ...] = eqx.field(static=True)
    """How many actions each player has."""

    def __init__(self, edges: Iterable[Edge | tuple[int, int, Any, Any]]):
        named = [Edge(*e) for e in edges]
        halves = {}
        for e in named:
            for k, m, matrix in ((e.first, e.second, e.to_first), (e.second, e.first, e.to_second)):
                if (k, m) in halves or k == m:
                    what = "with itself" if k == m else "twice"
                    raise InputError(f"polymatrix game: the pair ({k}, {m}) is named {what}; name each pair once")
                halves[k, m] = matrix if isinstance(matrix, Tracer) else np.asarray(matrix)
        self.actions = _action_counts(halves)
        degree = np.bincount([k for k, _ in halves])
        order = sorted(halves, key=lambda pair: (degree[pair[0]], *pair))
        self.owners, self.rivals = tuple(k for k, _ in order), tuple(m for _, m in order)
        width = max(self.actions)
        rows = [_padded(halves[pair], pair, width) for pair in order]
        traced = any(isinstance(row, Tracer) for row in rows)
        self.payoff = jnp.stack(rows) if traced else jnp.asarray(np.stack(rows), dtype=float)

    @classmethod
    def from_bimatrix(cls, to_row: Any, to_column: Any) -> "Polymatrix":
        """A two-player game in the other convention: both matrices have player 0's actions as rows.

        That is how Gambit, Nashpy and OpenSpiel write it; the second matrix is transposed here.
        """
        return cls([Edge(0, 1, to_row, jnp.asarray(to_column).T)])

    def neighbours(self, player: int) -> tuple[int, ...]:
        """Who shares an edge with the player, ascending."""
        return tuple(sorted(m for k, m in zip(self.owners, self.rivals, strict=True) if k == player))

    def edge(self, player: int, rival: int) -> Float[Array, "own theirs"]:
        """A_kl: payoffs of `player`, whose actions are rows, against `rival`.

        Raises:
            InputError: the two do not meet.
        """
        for i, pair in enumerate(zip(self.owners, self.rivals, strict=True)):
            if pair == (player, rival):
                return self.payoff[i, : self.actions[player], : self.actions[rival]]
        raise InputError(f"players {player} and {rival} share no edge in this game")

    def matrices(self) -> dict[tuple[int, int], Float[np.ndarray, "own theirs"]]:
        """A_kl of every ordered pair (k, l) that meets, in NumPy and double precision: all at once, so fast."""
        payoff = np.asarray(self.payoff, dtype=float)
        pairs = zip(self.owners, self.rivals, strict=True)
        return {(k, m): payoff[i, : self.actions[k], : self.actions[m]] for i, (k, m) in enumerate(pairs)}

    def rewards(self, policy: Float[Array, "n A *batch"]) -> Float[Array, "n A *batch"]:
        """r_k(x) = sum_l A_kl x_l: what each action would earn. Any batch axes come last: that is the fast order."""
        theirs = policy[np.asarray(self.rivals)]
        if self.width > _UNROLLED:
            return self._by_owner(jnp.einsum("eab,eb...->ea...", self.payoff, theirs))
        column = lambda j: self.payoff[:, :, j].reshape(*self.payoff.shape[:2], *(1,) * (policy.ndim - 2))
        parts = column(0) * theirs[:, 0, None]
        for j in range(1, self.width):
            parts = parts + column(j) * theirs[:, j, None]
        return self._by_owner(parts)

    def response(self, policy: Float[Array, "n A"], slopes: Float[Array, "n A A"]) -> Float[Array, "n A n A"]:
        """sum_b A_kl[i, b] S_l[b, j]: rewards are linear in each neighbour's strategy."""
        return self.matrix(self.payoff @ slopes[np.asarray(self.rivals)])

    def play(self, profile: Int[Array, " n"]) -> Float[Array, " n"]:
        """Payoffs when every player takes one action."""
        own, theirs = (profile[np.asarray(who)] for who in (self.owners, self.rivals))
        return self._by_owner(self.payoff[np.arange(len(self.owners)), own, theirs])

    def matrix(self, blocks: Float[Array, "edges A A"] | None = None) -> Float[Array, "n A n A"]:
        """All payoffs (or other blocks, one for each directed edge) as one dense matrix: quadratic in players."""
        blocks = self.payoff if blocks is None else blocks
        dense = jnp.zeros((self.players, self.players, self.width, self.width), blocks.dtype)
        dense = dense.at[np.asarray(self.owners), np.asarray(self.rivals)].set(blocks, unique_indices=True)
        return dense.swapaxes(1, 2)

    def _by_owner(self, parts: Float[Array, "edges *rest"]) -> Float[Array, "n *rest"]:
        """Sums over each player's edges without a scatter: players of one degree hold a block of equal rows."""
        degree = np.bincount(self.owners)
        sums, start = [], 0
        for d in np.unique(degree):
            stop = start + int(d) * int((degree == d).sum())
            block = parts[start:stop]
            sums.append(block if d == 1 else block.reshape(-1, int(d), *parts.shape[1:]).sum(axis=1))
            start = stop
        if len(sums) == 1:
            return sums[0]
        return jnp.concatenate(sums)[np.argsort(np.argsort(degree, kind="stable"), kind="stable")]


def _action_counts(halves: dict[tuple[int, int], Any]) -> tuple[int, ...]:
    """The number of actions of every player, from the shapes of all its matrices."""
    if not halves:
        raise InputError("polymatrix game: no edge; give at least one pair of players")
    players = sorted({k for k, _ in halves})
    if players != list(range(len(players))):
        raise InputError(f"polymatrix game: players must be 0, ..., n - 1, each on some edge; got {players}")
    counts: dict[int, int] = {}
    for (k, m), matrix in halves.items():
        if len(matrix.shape) != 2 or 0 in matrix.shape:
            raise InputError(f"polymatrix game: A[{k},{m}] must be a matrix, got shape {matrix.shape}")
        for who, size, axis in ((k, matrix.shape[0], "rows"), (m, matrix.shape[1], "columns")):
            if counts.setdefault(who, size) != size:
                raise InputError(
                    f"polymatrix game: A[{k},{m}] has {size} {axis}, but player {who} has {counts[who]} actions "
                    "elsewhere; each player is the row player of its own matrix (a bimatrix game may need its second "
                    "matrix transposed: Polymatrix.from_bimatrix)"
                )
    return tuple(counts[k] for k in players)


def _padded(matrix: Any, pair: tuple[int, int], width: int) -> Any:
    """The matrix with zeros up to `width` actions."""
    if isinstance(matrix, Tracer):
        return jnp.pad(matrix, [(0, width - size) for size in matrix.shape])
    if matrix.dtype == object or not np.isfinite(matrix).all():
        raise InputError(f"polymatrix game: A[{pair[0]},{pair[1]}] has an entry that is not a finite number")
    check_holdable("polymatrix game", f"A[{pair[0]},{pair[1]}]", matrix)
    return np.pad(matrix.astype(float), [(0, width - size) for size in matrix.shape])
