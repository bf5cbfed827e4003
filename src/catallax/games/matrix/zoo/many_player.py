"""Games of many players in normal form: congestion, public goods, the hunt of many, random payoffs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from catallax.core import InputError
from catallax.core.checks import check_count, check_number
from catallax.games.matrix.graphs import generator
from catallax.games.matrix.normal_form import LARGEST, NormalForm

Cost = Callable[[int], Any] | Sequence[Any]
"""What a resource costs each of its users: a function of how many use it, or the costs for 1, 2, ... users."""


def congestion_game(choices: Sequence[Sequence[Sequence[int]]], costs: Sequence[Cost]) -> NormalForm:
    """Players choose sets of resources (roads of a path, machines) and pay for each what its load makes it cost.

    u_k(a) = - sum over r in a_k of c_r(number of players whose choice holds r). An exact potential game: see
    `congestion_potential`. Pure equilibria exist.

    Args:
        choices: for each player its actions, each a collection of resources 0, ..., R - 1.
        costs: for each of the R resources.

    Raises:
        InputError: a resource that is not there or twice in one action, costs for too few loads or not finite, fewer
            than two players, an empty action set, too many profiles.

    Source: Rosenthal (1973).
    """
    uses, prices = _resources(choices, costs)
    n = len(uses)
    payoffs = np.zeros((n, *(len(own) for own in uses)))
    for profile in np.ndindex(*payoffs.shape[1:]):
        chosen = np.stack([own[a] for own, a in zip(uses, profile, strict=True)])
        load = chosen.sum(axis=0)
        paid = prices[np.arange(len(prices)), load]
        payoffs[(slice(None), *profile)] = -(chosen * paid).sum(axis=1)
    return NormalForm(payoffs)


def congestion_potential(
    choices: Sequence[Sequence[Sequence[int]]], costs: Sequence[Cost]
) -> Float[np.ndarray, "*actions"]:
    """Rosenthal's potential at each profile: - sum over r of c_r(1) + ... + c_r(load of r).

    A deviation changes it by exactly what the player gains.

    Source: Rosenthal (1973).
    """
    uses, prices = _resources(choices, costs)
    total = prices.cumsum(axis=1)
    table = np.zeros([len(own) for own in uses])
    for profile in np.ndindex(*table.shape):
        load = sum(own[a] for own, a in zip(uses, profile, strict=True))
        table[profile] = -total[np.arange(len(prices)), load].sum()
    return table


def _resources(choices: Any, costs: Sequence[Cost]) -> tuple[list[Any], Any]:
    """Who uses what, [actions, R] for each player; and costs [R, loads 0 ... n], 0 at load 0."""
    n, r = len(choices), len(costs)
    if n < 2 or r < 1 or any(len(own) == 0 for own in choices):
        raise InputError(
            f"congestion_game: at least two players with an action each and one resource are needed, got {n} and {r}"
        )
    profiles = np.prod([float(len(own)) for own in choices])
    if n * profiles > LARGEST:
        raise InputError(f"congestion_game: {profiles:.3g} profiles of {n} players are more than can be written out")
    uses = []
    for k, own in enumerate(choices):
        table = np.zeros((len(own), r), dtype=int)
        for a, chosen in enumerate(own):
            if len(set(chosen)) != len(chosen) or not all(0 <= x < r for x in chosen):
                raise InputError(
                    f"congestion_game: action {a} of player {k}, {list(chosen)}, must hold different resources among "
                    f"0, ..., {r - 1}"
                )
            table[a, list(chosen)] = 1
        uses.append(table)
    prices = np.zeros((r, n + 1))
    for i, cost in enumerate(costs):
        found = [cost(load) for load in range(1, n + 1)] if callable(cost) else list(cost)[:n]
        if len(found) < n or not np.isfinite(np.asarray(found, dtype=float)).all():
            raise InputError(
                f"congestion_game: resource {i} needs a finite cost for each load 1, ..., {n}, got {found}"
            )
        prices[i, 1:] = found
    return uses, prices


def public_goods(players: int, multiplier: float) -> NormalForm:
    """Everybody keeps 1 or puts it into a pot that is multiplied and shared: u_k = multiplier * sum / n - own.

    First action "contribute". With 1 < multiplier < n to keep is strictly dominant, and worse for all.
    """
    check_count("public_goods", "players", players, 2)
    check_number("public_goods", "multiplier", multiplier, "(0, inf)")
    given = 1 - np.indices((2,) * players)
    return NormalForm(multiplier * given.sum(axis=0) / players - given)


def hunt_of_many(players: int, needed: int, stag: float = 4.0, hare: float = 3.0) -> NormalForm:
    """Who hunts the stag gets `stag` if at least `needed` do, else nothing; a hare is safe. First action "stag".

    All at the stag and all at the hare are strict equilibria when needed is above 1.

    Raises:
        InputError: needed not among 1, ..., players; not stag > hare > 0.
    """
    check_count("hunt_of_many", "players", players, 2)
    check_count("hunt_of_many", "needed", needed)
    if needed > players or not stag > hare > 0:
        raise InputError(
            f"hunt_of_many: needed of at most {players} and stag > hare > 0, got {needed}, {stag:g} and {hare:g}"
        )
    action = np.indices((2,) * players)
    caught = (action == 0).sum(axis=0) >= needed
    return NormalForm(np.where(action == 0, stag * caught, hare))


def random_normal_form(actions: Sequence[int], seed: int | np.random.Generator) -> NormalForm:
    """Independent standard normal payoffs at every profile.

    Args:
        actions: how many actions each player has.
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same game.
    """
    shape = _shape("random_normal_form", actions)
    return NormalForm(generator(seed).normal(size=(len(shape), *shape)))


def random_zero_sum(actions: Sequence[int], seed: int | np.random.Generator, *, weights: Any = 1.0) -> NormalForm:
    """A random game with sum_k w_k u_k = 0 at every profile: normal payoffs less their weighted sum's equal shares.

    Args:
        actions: how many actions each player has.
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same game.
        weights: w > 0: one number or [n]; None for weights drawn uniformly from [1/2, 2].

    Raises:
        InputError: weights that are not positive.
    """
    shape, draw = _shape("random_zero_sum", actions), generator(seed)
    n = len(shape)
    w = draw.uniform(0.5, 2.0, n) if weights is None else np.broadcast_to(np.asarray(weights, float), (n,))
    for value in w:
        check_number("random_zero_sum", "a weight", value, "(0, inf)")
    drawn = draw.normal(size=(n, *shape))
    wide = w.reshape(-1, *(1,) * n)
    return NormalForm((drawn - drawn.mean(axis=0)) / wide)


def random_potential(
    actions: Sequence[int], seed: int | np.random.Generator, *, weights: Any = 1.0
) -> tuple[NormalForm, Float[np.ndarray, "*actions"]]:
    """A random weighted potential game and its potential P: u_k = w_k P + a term that ignores k's own action.

    Args:
        actions: how many actions each player has.
        seed: an integer, or a NumPy generator, which is advanced; the same seed gives the same game.
        weights: w > 0: one number or [n]; 1 makes it an exact potential game.

    Raises:
        InputError: weights that are not positive.

    Source: Monderer and Shapley (1996).
    """
    shape, draw = _shape("random_potential", actions), generator(seed)
    n = len(shape)
    w = np.broadcast_to(np.asarray(weights, float), (n,))
    for value in w:
        check_number("random_potential", "a weight", value, "(0, inf)")
    potential = draw.normal(size=shape)
    payoffs = [w[k] * potential + draw.normal(size=shape).mean(axis=k, keepdims=True) for k in range(n)]
    return NormalForm(payoffs), potential


def _shape(who: str, actions: Sequence[int]) -> tuple[int, ...]:
    counts = tuple(int(a) for a in actions)
    for count in counts:
        check_count(who, "the number of actions", count)
    if len(counts) < 2 or len(counts) * np.prod([float(c) for c in counts]) > LARGEST:
        raise InputError(f"{who}: at least two players and no more than {LARGEST} payoffs, got action counts {counts}")
    return counts
