"""The formulas of market performance, on plain arrays of one round.

Axes: `P` periods in the round, `S` steps in a period (so P = 1 for the memoryless market of Rawat (2023)).
    `traded` says
in which steps a trade happened; the other arrays are ignored elsewhere. Statistics pool all periods; whatever
compares successive steps or trades does so within a period. NaN means undefined, and is never replaced by 0
or 1.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Num

from catallax.games.double_auction.equilibrium import CompetitiveEquilibrium

Trades = Bool[Array, "P S"]
Prices = Float[Array, "P S"]
Scalar = Float[Array, ""]


def _sum(mask: Bool[Array, "*n"], x: Float[Array, "*n"]) -> Scalar:
    return jnp.where(mask, x, 0.0).sum()


def mean(mask: Bool[Array, "*n"], x: Float[Array, "*n"]) -> Scalar:
    """Mean of x where the mask holds; NaN where it nowhere does."""
    return _sum(mask, x) / mask.sum()


def ratio(part: Scalar, whole: Scalar) -> Scalar:
    """part / whole; NaN unless the whole is positive. Exactly 1 where they are equal, which XLA's fused division misses
    by one unit in the last place."""
    return jnp.where(whole > 0, jnp.where(part == whole, 1.0, part / whole), jnp.nan)


def mean_absolute_deviation(traded: Trades, price: Prices, centre: Scalar) -> Scalar:
    """Mean over trades of |p - p*|, price units. NaN without trades."""
    return mean(traded, jnp.abs(price - centre))


def standard_deviation(traded: Trades, price: Prices) -> Scalar:
    """Sample SD (divisor n - 1) of the prices, price units. NaN with fewer than two trades."""
    n = traded.sum()
    squares = _sum(traded, (price - mean(traded, price)) ** 2)
    return jnp.where(n > 1, jnp.sqrt(squares / (n - 1)), jnp.nan)


def smith_alpha(traded: Trades, price: Prices, centre: Scalar) -> Scalar:
    """Coefficient of convergence, 100 sqrt(mean (p - p*)^2) / p*, in percent. NaN without trades or for p* <=
    0.

    Source: Smith (1962).
    """
    return 100.0 * ratio(jnp.sqrt(mean(traded, (price - centre) ** 2)), centre)


def coefficient_of_variation(traded: Trades, price: Prices) -> Scalar:
    """COEFVAR of the tournament report: 100 SD / mean of the prices, in percent. NaN with fewer than two
    trades.

    Source: Rust, Miller and Palmer (1992).
    """
    return 100.0 * ratio(standard_deviation(traded, price), mean(traded, price))


def correlation(mask: Bool[Array, "*n"], x: Float[Array, "*n"], y: Float[Array, "*n"]) -> Scalar:
    """Pearson's correlation of the pairs under the mask. NaN with fewer than two pairs or where x or y is
    constant."""

    def centred(z: Array) -> Array:
        # counted from its largest entry first: a constant series is then exactly 0, whatever the rounding
        z = z - jnp.where(mask, z, -jnp.inf).max(initial=-jnp.inf)
        return jnp.where(mask, z - mean(mask, z), 0.0)

    a, b = centred(x), centred(y)
    return (a * b).sum() / jnp.sqrt((a * a).sum() * (b * b).sum())


def _successive(valid: Bool[Array, "P n"], x: Float[Array, "P n"]) -> Scalar:
    """Correlation of x with its successor within the period, over pairs that are both valid."""
    return correlation(valid[:, :-1] & valid[:, 1:], x[:, :-1], x[:, 1:])


def _changes(valid: Bool[Array, "P n"], x: Float[Array, "P n"]) -> tuple[Bool[Array, "P m"], Float[Array, "P m"]]:
    return valid[:, :-1] & valid[:, 1:], x[:, 1:] - x[:, :-1]


def autocorrelation(traded: Trades, price: Prices) -> Scalar:
    """Correlation of (p_t, p_{t+1}), price LEVELS, over consecutive steps that both traded; Rawat's
    measure.

    Not to be compared with the -0.25 to -0.5 of the literature, which are for price CHANGES. NaN with fewer
    than two such pairs or constant prices.
    """
    return _successive(traded, price)


def autocorrelation_of_changes(traded: Trades, price: Prices) -> Scalar:
    """Correlation of (p_{t+1} - p_t, p_{t+2} - p_{t+1}) over three consecutive steps that all traded."""
    return _successive(*_changes(traded, price))


def trade_number(traded: Trades) -> Float[Array, "P S"]:
    """How many trades the period had seen before each step: 0 for its first trade. Means nothing where none
    traded."""
    steps = traded.shape[1]
    # a product with a triangular matrix: cumulative sums of short rows are slow on every device
    return jnp.matmul(traded.astype(jnp.float32), np.triu(np.ones((steps, steps), np.float32), 1))


def by_trade(traded: Trades, x: Prices, trades: int) -> tuple[Bool[Array, "P K"], Float[Array, "P K"]]:
    """x in the order of trading, without the steps between: (whether there was a k-th trade, its x), k <
    trades = K."""
    here = traded[:, None, :] & (trade_number(traded)[:, None, :] == jnp.arange(trades)[:, None])
    return here.any(axis=2), jnp.where(here, x[:, None, :], 0.0).sum(axis=2)


def change_correlation(traded: Trades, price: Prices, trades: int) -> Scalar:
    """CORRCHG: correlation of successive price changes, from trade to trade whatever the steps between.

    NaN with fewer than four trades in every period, or constant changes.

    Args:
        trades: the most trades a period can have; static.

    Source: Rust, Miller and Palmer (1992); Cason and Friedman.
    """
    return _successive(*_changes(*by_trade(traded, price, trades)))


def deviation_by_trade(traded: Trades, price: Prices, centre: Scalar, trades: int) -> Float[Array, " K"]:
    """|p - p*| of the first, second, ... trade of a period, averaged over the periods that had one; else
    NaN."""
    happened, deviation = by_trade(traded, jnp.abs(price - centre), trades)
    return jnp.where(happened, deviation, 0.0).sum(axis=0) / happened.sum(axis=0)


def handovers(holder: Int[Array, "P S"]) -> Int[Array, ""]:
    """In how many steps the holder of a quote differs from that of the step before in the same period.

    Nobody (-1) counts as a holder of its own: a quote that appears or disappears is a handover.
    """
    return (holder[:, 1:] != holder[:, :-1]).sum(dtype=jnp.int32)


def by_seat(traded: Trades, seat: Int[Array, "P S"], gain: Prices, seats: int) -> Float[Array, " seats"]:
    """The sum of the gains of each seat's trades."""
    # seats lead: reducing over the last axes is several times as fast
    mine = traded & (seat == jnp.arange(seats)[:, None, None])
    return jnp.where(mine, gain, 0.0).sum(axis=(1, 2))


def profit_dispersion(actual: Float[Array, " n"], equilibrium: Float[Array, " n"]) -> Scalar:
    """sqrt(mean over traders of (actual - equilibrium profit)^2), price units.

    Source: Gode and Sunder (1993).
    """
    return jnp.sqrt(((actual - equilibrium) ** 2).mean())


def second_half(traded: Trades) -> Scalar:
    """PCT2ND: percentage of the trades that fall in the second half of their period. NaN without trades.

    With an odd number of steps the middle step belongs to the second half.

    Source: Rust, Miller and Palmer (1992).
    """
    late = traded & (jnp.arange(traded.shape[1]) >= traded.shape[1] // 2)
    return 100.0 * late.sum() / traded.sum()


def _ranks(mask: Bool[Array, " n"], x: Float[Array, " n"]) -> Float[Array, " n"]:
    """Ascending ranks among the entries under the mask, ties sharing their mean rank (up to a constant)."""
    pair = mask[None, :] & mask[:, None]
    less = jnp.where(pair & (x[None, :] < x[:, None]), 1.0, 0.0)
    same = jnp.where(pair & (x[None, :] == x[:, None]), 0.5, 0.0)
    return (less + same).sum(axis=1)


def order_correlation(traded: Bool[Array, " S"], x: Float[Array, " S"]) -> Scalar:
    """Spearman's correlation between the order of trading and the ascending order of x, over one period's
    trades."""
    return correlation(traded, _ranks(traded, x), trade_number(traded[None])[0])


def mean_defined(x: Float[Array, " n"]) -> Scalar:
    """Mean over the defined entries, NaN where there is none."""
    return mean(~jnp.isnan(x), x)


def loss_audit(
    values: Float[Array, "b k"],
    costs: Float[Array, "s m"],
    traded: Trades,
    value: Prices,
    cost: Prices,
    ce: CompetitiveEquilibrium,
) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """Where the missing surplus went: (IM, EM, BS, SS), price units, all >= 0, with sum maximum - realised
    surplus.

    With Q the competitive and q the actual number of trades of a period, units are intra-marginal (among the
    Q best of their side) or extra-marginal.

    - IM: intra-marginal units not traded, where q < Q.
    - EM: extra-marginal units traded, where q > Q.
    - BS, SS: buyers' (sellers') extra-marginal units that traded in the place of intra-marginal ones.

    A buyer's unit loses v - p* if it is missing and p* - v if it is one too many. Where some of m missing
    units were displaced and the others merely missed, each of the m counts in equal parts as both, (Q - q) /
    m as missed; likewise for surplus units where q > Q. Units at the margin with a limit of p* count as
    intra-marginal while there is room.

    Source: Rust, Miller and Palmer (1992), the four kinds of loss.
    Differs: how their report splits the missing units is not known to us; the equal parts are ours.
    """
    n = traded.sum(axis=1)
    short, over = jnp.maximum(ce.quantity - n, 0), jnp.maximum(n - ce.quantity, 0)

    def side(sign: float, limits: Array, limit: Array) -> tuple[Array, Array, Array]:
        gain = sign * (limits - ce.price)
        got = jnp.where(traded, sign * (limit - ce.price), 0.0)
        best, won = jnp.maximum(gain, 0.0).sum(), jnp.maximum(got, 0.0).sum(axis=1)
        excess = jnp.maximum(-got, 0.0).sum(axis=1)
        missed = jnp.maximum(best - won, 0.0)  # rounding must not turn a loss negative
        room = ce.quantity - (gain > 0).sum()  # marginal units that belong to the Q best
        marginal = jnp.minimum((traded & (got == 0)).sum(axis=1), room)
        inside = (traded & (got > 0)).sum(axis=1) + marginal
        as_missed = missed * short / jnp.maximum(ce.quantity - inside, 1)
        as_extra = excess * over / jnp.maximum(n - inside, 1)
        return as_missed, as_extra, (missed - as_missed) + (excess - as_extra)

    missed_b, extra_b, displaced_b = side(1.0, values, value)
    missed_s, extra_s, displaced_s = side(-1.0, costs, cost)
    return (missed_b + missed_s).sum(), (extra_b + extra_s).sum(), displaced_b.sum(), displaced_s.sum()


def equilibrium_profits(
    values: Float[Array, "b k"], costs: Float[Array, "s m"], ce: CompetitiveEquilibrium
) -> tuple[Float[Array, " b"], Float[Array, " s"]]:
    """What each buyer and each seller would earn in a period in which all trade at p*, price units."""
    some = ce.quantity > 0  # where nobody gains, p* may be infinite
    buyers = jnp.maximum(values - ce.price, 0.0).sum(axis=1)
    sellers = jnp.maximum(ce.price - costs, 0.0).sum(axis=1)
    return jnp.where(some, buyers, 0.0), jnp.where(some, sellers, 0.0)


def share(count: Num[Array, ""], of: int) -> Scalar:
    """count / of; NaN where there is nothing to count."""
    return count / of if of else jnp.float32(jnp.nan) * count
