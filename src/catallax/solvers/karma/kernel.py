"""What one player faces when infinitely many others play a given law: chances to win and the law of his karma."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.games.karma import AbstractPayment


class Kernel(NamedTuple):
    """The environment of one player; K = cap + 1 karma levels and bids."""

    lose: Float[Array, " K"]
    """Chance to lose with each bid."""
    karma: Float[Array, "K K K"]
    """karma[k, b, k+]: law of the karma after a step with karma k and bid b, redistribution included."""
    pool: Float[Array, ""]
    """Karma redistributed, a player and step."""
    level: Int[Array, ""]
    """Whole units that everyone with room receives; the rest of the pool goes as one more to a share of players."""
    share: Float[Array, ""]
    """That share, of the players with room for it."""


class ContestOutcomes(NamedTuple):
    """What a contest leaves one with. Axes: own karma k, own bid b, opponent's bid."""

    win: Int[Array, "K K K"]
    """Karma held after winning, cut to the cap."""
    lose: Int[Array, "K K K"]
    """Karma held after losing, cut to the cap."""


def outcomes(payment: AbstractPayment, cap: int) -> ContestOutcomes:
    """Karma held after winning and after losing.

    Impossible combinations (bids above one's karma, winning bids below the rival's) have no mass; any value will do.
    """
    karma, bid, rival = jnp.meshgrid(*[jnp.arange(cap + 1)] * 3, indexing="ij")
    win, _ = payment(bid, rival)
    _, lose = payment(rival, bid)
    return ContestOutcomes(jnp.clip(karma - win, 0, cap), jnp.clip(karma - lose, 0, cap))


def karma_kernel(after: ContestOutcomes, occupancy: Float[Array, "U K"], policy: Float[Array, "U K K"]) -> Kernel:
    """The environment when players are spread as `occupancy` and bid by `policy` (as executed).

    With nu the law of bids: a bid b meets a lower one with mass sum_{b' < b} nu(b'), an equal one (fair coin) with
    nu(b). Redistribution is the game's water-fill in the limit: everyone gets min(a, room), and a share f of those with
    more room one unit more, so that mean karma is conserved exactly.

    Args:
        after: from `outcomes(payment, cap)`.
        occupancy: mu(u, k); normalised here.
        policy: pi(b | u, k), [u, k, b]; 0 where b > k.

    Source: Elokda et al. (2023), sections 3 and 4.
    Differs: the cap is part of the kernel, by integer water-fill; theirs corrects the excess once and leaks a little.
    """
    K = occupancy.shape[1]
    rho = occupancy[..., None] * policy
    rho = rho / rho.sum()  # else mass m follows m+ = m^2 and the iteration dies out after about a thousand steps
    nu = rho.sum(axis=(0, 1))
    grid = jnp.arange(K)
    wins = nu * ((grid[:, None] > grid) + 0.5 * (grid[:, None] == grid))  # [b, b']: mass of rivals beaten
    loses = nu * ((grid[:, None] < grid) + 0.5 * (grid[:, None] == grid))
    k, b = jnp.meshgrid(grid, grid, indexing="ij")
    at = (k[..., None], b[..., None])
    mass = lambda x: jnp.broadcast_to(x[None], (K, K, K))
    paid = jnp.zeros((K, K, K), nu.dtype)
    paid = paid.at[(*at, after.win)].add(mass(wins)).at[(*at, after.lose)].add(mass(loses))
    # All that is no longer held: payments to society and what the cap cuts off.
    released = (wins * (k[..., None] - after.win) + loses * (k[..., None] - after.lose)).sum(axis=-1)
    held = rho.sum(axis=0)  # [k, b]
    pool = (held * released).sum()
    gift, level, share = _water_fill(jnp.einsum("kb,kbj->j", held, paid), pool)
    return Kernel(loses.sum(axis=1), paid @ gift, pool, level, share)


def _water_fill(
    law: Float[Array, " K"], pool: Float[Array, ""]
) -> tuple[Float[Array, "K K"], Int[Array, ""], Float[Array, ""]]:
    """Redistribution as a matrix [k, k+] for players spread as `law` after payment."""
    K = law.shape[0]
    grid = jnp.arange(K)
    room = K - 1 - grid
    filled = jnp.minimum(grid[:, None], room) @ law  # G(a), a = 0 .. cap
    level = (filled[1:] <= pool).sum()
    open_to_more = jnp.where(room > level, law, 0).sum()
    share = jnp.where(open_to_more > 0, (pool - filled[level]) / jnp.where(open_to_more > 0, open_to_more, 1), 0)
    share = jnp.clip(share, 0, 1)
    lands = lambda a: (jnp.minimum(grid + a, K - 1)[:, None] == grid).astype(law.dtype)
    return (1 - share) * lands(level) + share * lands(level + 1), level, share
