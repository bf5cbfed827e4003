"""The environment of one player among infinitely many: its chances to win, and the transitions of its karma."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.games.karma import AbstractPayment


class Kernel(NamedTuple):
    """The environment of one player; there are K = cap + 1 levels of karma and of bids."""

    lose: Float[Array, " K"]
    """The probability of losing with each bid."""
    karma: Float[Array, "K K K"]
    """karma[k, b, k+]: the law of the karma after a step with karma k and bid b, redistribution included."""
    pool: Float[Array, ""]
    """The karma that is redistributed per player and step."""
    level: Int[Array, ""]
    """The whole units that every player with room receives; the rest of the pool gives some players one more."""
    share: Float[Array, ""]
    """The share of players with room who receive one more unit."""


class ContestOutcomes(NamedTuple):
    """The karma of a player after a contest. Axes: own karma k, own bid b, opponent's bid."""

    win: Int[Array, "K K K"]
    """Karma after winning, at most the cap."""
    lose: Int[Array, "K K K"]
    """Karma after losing, at most the cap."""


def outcomes(payment: AbstractPayment, cap: int) -> ContestOutcomes:
    """The karma after winning and after losing, for all own levels of karma, own bids and opponent's bids.

    Entries of impossible combinations (bids above the own karma, winning bids below the rival's) have no meaning; they
    have no mass in `karma_kernel`.
    """
    karma, bid, rival = jnp.meshgrid(*[jnp.arange(cap + 1)] * 3, indexing="ij")
    win, _ = payment(bid, rival)
    _, lose = payment(rival, bid)
    return ContestOutcomes(jnp.clip(karma - win, 0, cap), jnp.clip(karma - lose, 0, cap))


def karma_kernel(after: ContestOutcomes, occupancy: Float[Array, "U K"], policy: Float[Array, "U K K"]) -> Kernel:
    """The environment of one player if the law of the others is `occupancy` and they bid by `policy` (as executed).

    Let nu be the law of bids. A bid b meets a lower bid with probability sum_{b' < b} nu(b'), and an equal bid, which a
    fair coin decides, with probability nu(b). Redistribution is the water-filling rule of the game in the limit of many
    players: every player gets min(a, room), and a share f of those with more room gets one unit more, so that the mean
    karma is conserved exactly.

    Args:
        after: from `outcomes(payment, cap)`.
        occupancy: mu(u, k), the law of urgency and karma; it is normalised here.
        policy: pi(b | u, k), [u, k, b]; 0 where b > k.

    Source: Elokda et al. (2023), sections 3 and 4.
    Differs: the cap is part of the kernel, by integer water-filling; the source corrects the excess once, which loses a
        little karma.
    """
    K = occupancy.shape[1]
    rho = occupancy[..., None] * policy
    rho = rho / rho.sum()  # without it rounding errors of the mass m would grow, as m+ = m^2
    nu = rho.sum(axis=(0, 1))
    grid = jnp.arange(K)
    wins = nu * ((grid[:, None] > grid) + 0.5 * (grid[:, None] == grid))  # [b, b']: mass of rivals beaten
    loses = nu * ((grid[:, None] < grid) + 0.5 * (grid[:, None] == grid))
    k, b = jnp.meshgrid(grid, grid, indexing="ij")
    at = (k[..., None], b[..., None])
    mass = lambda x: jnp.broadcast_to(x[None], (K, K, K))
    paid = jnp.zeros((K, K, K), nu.dtype)
    paid = paid.at[(*at, after.win)].add(mass(wins)).at[(*at, after.lose)].add(mass(loses))
    # Karma that is no longer held: payments to society and the excess over the cap.
    released = (wins * (k[..., None] - after.win) + loses * (k[..., None] - after.lose)).sum(axis=-1)
    held = rho.sum(axis=0)  # [k, b]
    pool = (held * released).sum()
    gift, level, share = _water_fill(jnp.einsum("kb,kbj->j", held, paid), pool)
    return Kernel(loses.sum(axis=1), paid @ gift, pool, level, share)


def _water_fill(
    law: Float[Array, " K"], pool: Float[Array, ""]
) -> tuple[Float[Array, "K K"], Int[Array, ""], Float[Array, ""]]:
    """Redistribution as a transition matrix [k, k+], if the law of karma after payments is `law`."""
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
