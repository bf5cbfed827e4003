"""Who is given which units to trade: random and fixed schedules of values and costs.

A token is one unit with a limit: what it is worth to a buyer, what it costs a seller. Tokens are drawn once a
    round.
"""

import abc
from collections.abc import Sequence
from typing import Final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped, UInt32

from catallax.core import InputError, Parametrized, count, number, rng

_NETWORK_UP_TO: Final = 6  # units; measured on CPU: exchanges win up to here,
_COUNT_UP_TO: Final = 16  # counting up to here, a sort above (4 times as slow as either at 4 units)
_DENSE_UP_TO: Final = 1024  # tokens; beyond, the 0/1 matrix of the shared effects would be larger than what it saves


class AbstractTokens(Parametrized):
    """A process that draws the tokens of a round."""

    units: eqx.AbstractVar[int]
    """Static: k, units a trader may have."""

    @abc.abstractmethod
    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        """One round's tokens. Consumes the key.

        Args:
            key: consumed.
            buyers, sellers: how many traders of each side; static.

        Returns:
            values `[buyers, k]`, descending for each buyer, -inf for units a buyer does not have;
            costs `[sellers, k]`, ascending for each seller, +inf for units a seller does not have. float32,
            price units.
        """


def ascending(x: Float[Array, "*rows k"]) -> Float[Array, "*rows k"]:
    """Each row in ascending order. Faster than `jnp.sort` for the short rows of experimental markets."""
    k = x.shape[-1]
    if k <= _NETWORK_UP_TO:  # odd-even transposition: k rounds of exchanges between neighbours
        columns = [x[..., i] for i in range(k)]
        for turn in range(k):
            for i in range(turn % 2, k - 1, 2):
                a, b = columns[i], columns[i + 1]
                columns[i], columns[i + 1] = jnp.minimum(a, b), jnp.maximum(a, b)
        return jnp.stack(columns, axis=-1)
    if k <= _COUNT_UP_TO:  # place i holds the smallest entry with more than i entries up to it
        up_to = (x[..., None, :] <= x[..., :, None]).sum(axis=-1, dtype=jnp.int32)
        return jnp.where(up_to[..., :, None] > jnp.arange(k), x[..., :, None], jnp.inf).min(axis=-2)
    return jnp.sort(x, axis=-1)


def _bits(key: Shaped[PRNGKeyArray, ""], n: int) -> rng.Bits:
    """Random bits [n]. Callers use the first 32 of each 64, which fuses better than using both halves."""
    return rng.random_bits(key, 0, jnp.int32(0), jnp.arange(n, dtype=jnp.int32), jnp.int32(0))


def _total(effects: Float[Array, " n"], groups: tuple[np.ndarray, ...]) -> Float[Array, " tokens"]:
    """For each token the sum of its effects.

    Args:
        effects: the drawn effects, first those of the first group.
        groups: for each kind of effect, which of its effects each token has: integers `[tokens]`.
    """
    sizes = [int(group.max()) + 1 for group in groups]
    starts = np.cumsum([0, *sizes])
    if groups[0].size > _DENSE_UP_TO:
        return sum((effects[start + group] for start, group in zip(starts, groups, strict=False)), jnp.float32(0.0))
    # A product with a 0/1 matrix: XLA computes its operand once, where a broadcast would draw the shared
    # effects again for each token. Full precision, or a GPU would round to 10 bits.
    incidence = np.zeros((starts[-1], groups[0].size), np.float32)
    for start, group in zip(starts, groups, strict=False):
        incidence[start + group, np.arange(group.size)] = 1.0
    return jnp.dot(effects, incidence, precision="highest")


def _signs(buyers: int, sellers: int) -> Float[Array, "traders 1"]:
    """-1 for buyers and 1 for sellers: in this mirror both sides' limits ascend."""
    return jnp.asarray([[-1.0]] * buyers + [[1.0]] * sellers, jnp.float32)


class NormalTokens(AbstractTokens):
    """The tokens of Rawat (2023): sums of normal effects, clipped, then sorted.

    token = N(base_mean, base_sd) + agent effect N(0, agent_sd), one a trader + slot effect N(0, slot_sd), one
    a slot and shared by all + for buyers N(gap_mean, gap_sd), one a buyer; clipped to [floor, ceiling];
    sorted within the trader AFTER adding, so the slot effect is not tied to a rank. All in price units; all
    but `units` are array leaves.

    With Rawat's parameters (the defaults): buyers' tokens have mean 80 and SD sqrt(28), sellers' 50 and
    sqrt(27); sorted means 85.25, 81.51, 78.49, 74.75 and 44.75, 48.49, 51.51, 55.25 (normal order statistics
    of SD sqrt(26)); a round's surplus is 480.0 (SD 31.5), the equilibrium interval 11.7 wide around 64.95
    (SD 2.09).

    Source: Rawat (2023), public code (`genTokenValues`, `sortTokens`).
    Differs: a buyer's agent effect and gap are drawn as one normal number, which has the same law. Normal
        numbers lie within 5.4 standard deviations.
    """

    units: int = count(4)
    base_mean: Float[Array, ""] = number(50.0, dtype=jnp.float32)
    base_sd: Float[Array, ""] = number(5.0, "[0, inf)", dtype=jnp.float32)
    agent_sd: Float[Array, ""] = number(1.0, "[0, inf)", dtype=jnp.float32)
    slot_sd: Float[Array, ""] = number(1.0, "[0, inf)", dtype=jnp.float32)
    gap_mean: Float[Array, ""] = number(30.0, dtype=jnp.float32)
    gap_sd: Float[Array, ""] = number(1.0, "[0, inf)", dtype=jnp.float32)
    floor: Float[Array, ""] = number(0.0, "[-inf, inf)", dtype=jnp.float32)
    ceiling: Float[Array, ""] = number(100.0, "(-inf, inf]", dtype=jnp.float32)

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        traders, k = buyers + sellers, self.units
        tokens = traders * k
        agent, slot = np.divmod(np.arange(tokens), k)
        normal = rng.normal(rng.key_from_bits(_bits(key, tokens + traders + k)))
        buyer_sd = jnp.sqrt(self.agent_sd**2 + self.gap_sd**2)
        scales = (self.base_sd, tokens), (buyer_sd, buyers), (self.agent_sd, sellers), (self.slot_sd, k)
        effects = normal * jnp.concatenate([jnp.broadcast_to(sd, (n,)) for sd, n in scales])
        total = _total(effects, (np.arange(tokens), agent, slot)).reshape(traders, k)
        # Sorting comes right after the sum and clipping after it, in mirror image for buyers: one fused loop.
        sign = _signs(buyers, sellers)
        ordered = sign * ascending(sign * total) + self.base_mean
        values = jnp.clip(ordered[:buyers] + self.gap_mean, self.floor, self.ceiling)
        return values, jnp.clip(ordered[buyers:], self.floor, self.ceiling)


def _below(word: UInt32[Array, " n"], bound: UInt32[Array, " n"]) -> UInt32[Array, " n"]:
    """floor(word * bound / 2**32) for bounds up to 2**16: uniform in [0, bound), bias below bound / 2**32."""
    high, low = word >> 16, word & 0xFFFF
    return (high * bound + ((low * bound) >> 16)) >> 16


class GameType(AbstractTokens):
    """The tournament's random tokens, announced by a four-digit game type.

    Digits k1 k2 k3 k4 in 0..8, R_i = 3**k_i - 1. The token of trader j in slot k is A + B_side + C_(k, side)
    + D_(j, k): A uniform in 0..R1 and common to all, B in 0..R2 one a side, C in 0..R3 one a slot and side, D
    in 0..R4 one a token; independent integers; then sorted within the trader. "6453", the usual type: mean
    538, SD 223.2; buyers' and sellers' tokens have the same law, gains come from B and C alone. "0007":
    independent private values.

    Nothing is clipped: with "6453" tokens lie in 0..1076 and with "0007" in 0..2186, below the environments'
        highest
    price, but a token of 0 lies below their lowest price of 1.

    Args:
        digits: four digits in 0..8; leading zeros count.
        units: k, tokens a trader; 1 to 4 in the tournament.

    Raises:
        InputError: not four digits in 0..8, or units below 1.

    Source: Rust, Miller and Palmer (1992, 1994); participants' manual of the 1990 Santa Fe tournament.
    """

    digits: str = eqx.field(static=True, default="6453")
    units: int = count(4)

    def __check_init__(self) -> None:
        digits = self.digits
        if not isinstance(digits, str) or len(digits) != 4 or any(d not in "012345678" for d in digits):
            hint = f'; leading zeros count, write "{digits:04}"' if isinstance(digits, int) else ""
            raise InputError(f"GameType: digits must be four characters from 0 to 8, got {digits!r}{hint}")

    @property
    def spread(self) -> tuple[int, int, int, int]:
        """(R1, R2, R3, R4), the largest value of each of the four effects, price units."""
        a, b, c, d = (3 ** int(digit) - 1 for digit in self.digits)
        return a, b, c, d

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        traders, k = buyers + sellers, self.units
        tokens = traders * k
        agent, slot = np.divmod(np.arange(tokens), k)
        side = (agent >= buyers).astype(int)
        groups = (np.zeros(tokens, int), side, side * k + slot, np.arange(tokens))
        bounds = np.repeat(np.asarray(self.spread, np.uint32) + 1, [int(group.max()) + 1 for group in groups])
        bits = _bits(key, bounds.size).first
        effects = _below(bits, jnp.asarray(bounds)).astype(jnp.float32)
        total = _total(effects, groups).reshape(traders, k)
        sign = _signs(buyers, sellers)
        ordered = sign * ascending(sign * total)
        return ordered[:buyers], ordered[buyers:]


class CommonShift(AbstractTokens):
    """One set of values shared by all buyers and one of costs shared by all sellers, shifted by a common
    random integer.

    Demand and supply are staircases as wide as there are traders. With the defaults and four traders a side
    the third step of demand meets the third of supply at the same height: one competitive price and a
        four-unit range of
    quantities, as in the tournament's environment EQL.

    Not known: the tournament's base set and the range of its constant are not printed. The defaults are ours:
        steps of 37
    give a surplus of 888 a period in a 4 x 4 market and the shift a mean price of 538, close to those of type
    "6453" (890 and 538).

    Args:
        values: the buyers' set `[k]`, price units.
        costs: the sellers' set `[k]`, price units.
        least, most: the shift is an integer, uniform in least..most; at most 65536 values.

    Source: Rust, Miller and Palmer (1992), environment EQL.
    """

    units: int = eqx.field(static=True)
    values: Float[Array, " k"]
    costs: Float[Array, " k"]
    least: int = eqx.field(static=True)
    most: int = eqx.field(static=True)

    def __init__(
        self,
        values: Sequence[float] | Float[Array, " k"] = (248.0, 211.0, 174.0, 137.0),
        costs: Sequence[float] | Float[Array, " k"] = (100.0, 137.0, 174.0, 211.0),
        *,
        least: int = 0,
        most: int = 728,
    ) -> None:
        self.values, self.costs = jnp.asarray(values, jnp.float32), jnp.asarray(costs, jnp.float32)
        self.units, self.least, self.most = len(values), least, most
        if not len(values) == len(costs) > 0:
            raise InputError(f"CommonShift: needs as many values as costs, got {len(values)} and {len(costs)}")
        if not 0 <= most - least < 65536:
            raise InputError(f"CommonShift: needs least <= most < least + 65536, got {least} and {most}")

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        bound = jnp.full((1,), self.most - self.least + 1, jnp.uint32)
        shift = self.least + _below(_bits(key, 1).first, bound).astype(jnp.float32)
        values, costs = shift - ascending(-self.values), shift + ascending(self.costs)
        shapes = (buyers, self.units), (sellers, self.units)
        return jnp.broadcast_to(values, shapes[0]), jnp.broadcast_to(costs, shapes[1])


class Fixed(AbstractTokens):
    """The same schedule in every round. Traders may have different numbers of units.

    Args:
        values: for each buyer the values of its units, descending; or an array `[b, k]` padded with -inf.
        costs: for each seller the costs of its units, ascending; or an array `[s, k]` padded with +inf.

    Raises:
        InputError: a side without traders, a trader without units, NaN, units out of order; at `draw`, other
            numbers of traders than the schedule has.
    """

    units: int = eqx.field(static=True)
    values: Float[Array, "b k"]
    costs: Float[Array, "s k"]

    def __init__(
        self,
        values: Sequence[Sequence[float]] | Float[Array, "b k"] | np.ndarray,
        costs: Sequence[Sequence[float]] | Float[Array, "s k"] | np.ndarray,
    ) -> None:
        bought, sold = _rows("buyer", values), _rows("seller", costs)
        self.units = max(len(row) for row in (*bought, *sold))
        self.values = jnp.asarray(_padded(bought, self.units, -np.inf))
        self.costs = jnp.asarray(_padded(sold, self.units, np.inf))

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], buyers: int, sellers: int
    ) -> tuple[Float[Array, "{buyers} {self.units}"], Float[Array, "{sellers} {self.units}"]]:
        """The schedule. The key is not used."""
        have = self.values.shape[0], self.costs.shape[0]
        if have != (buyers, sellers):
            raise InputError(
                f"the schedule has {have[0]} buyers and {have[1]} sellers, the market {buyers} and {sellers}: give "
                "the market the schedule's numbers"
            )
        return self.values, self.costs


def _rows(side: str, rows: Sequence[Sequence[float]] | Array | np.ndarray) -> list[np.ndarray]:
    """Each trader's units without padding, checked."""
    absent, sign = (-np.inf, -1.0) if side == "buyer" else (np.inf, 1.0)
    checked = []
    for place, row in enumerate(rows):
        where = f"schedule: {side} {place}"
        try:
            units = np.asarray(row, np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}: expected a list of prices, got {row!r}") from error
        if units.ndim != 1:
            raise InputError(f"{where}: expected a list of prices, got {row!r}")
        present = units[units != absent]
        if present.size == 0:
            raise InputError(f"{where} has no units: leave the trader out")
        if not np.isfinite(present).all():
            raise InputError(f"{where}: prices must be finite, got {[float(x) for x in units]}")
        if not np.array_equal(units[: present.size], present) or (np.diff(sign * present) < 0).any():
            order = "descend" if side == "buyer" else "ascend"
            raise InputError(f"{where}: units must {order}, got {[float(x) for x in units]}")
        checked.append(present)
    if not checked:
        raise InputError(f"schedule: no {side}s")
    return checked


def _padded(rows: list[np.ndarray], k: int, absent: float) -> np.ndarray:
    table = np.full((len(rows), k), absent, np.float32)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table
