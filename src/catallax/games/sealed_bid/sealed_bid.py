"""A sealed-bid auction of one unit, held again and again: first price, second price and all between them."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractGame, Discrete, InputError, Outcome, Role, count, flag, known, number, numbers, rng
from catallax.core.checks import check_count, check_kind, check_number
from catallax.games.forgone import Forgone, ForgoneInState

from .values import AbstractValues, ConstantValue

FEEDBACK = ("none", "winning bid", "rival bid", "full", "full and winning bid")
_OUT = -1.0
"""Stands for the bid of somebody who cannot win: below all bids."""


class SealedBidWorld(NamedTuple):
    """The last auction, the present signals, and what has been taken in."""

    action: Int[Array, " n"]
    """What everybody did last; -1 before the first auction."""
    winning: Int[Array, ""]
    """The winning bid's place on the grid; -1 where nobody won."""
    before: Int[Array, " n"]
    """Signals of the last auction."""
    signal: Int[Array, " n"]
    """Signals of the coming one."""
    revenue: Float[Array, ""]
    """All payments since the start; means over a window are differences of it."""


class SealedBidEvent(NamedTuple):
    """What an auction brought."""

    bid: Float[Array, " n"]
    """Bids; 0 of those who stayed out."""
    entered: Bool[Array, " n"]
    """Who submitted a bid."""
    value: Float[Array, " n"]
    """What the unit is worth to each."""
    winner: Int[Array, ""]
    """The winner's seat; -1 if the unit was not sold."""
    price: Float[Array, ""]
    """What the winner paid for the unit, without fees; 0 if it was not sold."""
    revenue: Float[Array, ""]
    """All payments: the price and both kinds of fees."""


class SealedBid(AbstractGame):
    """n bidders submit bids from a grid for one unit; the highest wins, and ties are broken by a fair draw.

    The winner pays (2 - a) own bid + (a - 1) highest losing bid, a in [1, 2]: first price at a = 1, second price at
    a = 2. Bids below the reserve do not win, and the highest losing bid counts as no less than the reserve. Everybody
    who submits a bid pays the fee `bid_fee`, the winner `winner_fee` besides. No episode ends.

    What a bidder sees is an integer, the number of its state, below `states`: its signal (0 where values are constant),
    and with `feedback="winning bid"` also the winning bid of the last auction, with "rival bid" the highest bid of the
    others, each after 0 for "none"; the signal counts least. With "full" it sees `Forgone`: what each action would have
    earned in the last auction, in expectation over ties, given what the others did; with "full and winning bid", or
    where there are signals, `ForgoneInState`: that and the number of its state. Its own reward is the realised one:
    ties are drawn.

    Args:
        bids: the grid, ascending, at least 0; [A]. With `abstain` one action follows it: to stay out, for 0.
        bidders: n.
        rule: a in [1, 2].
        values: `ConstantValue(v)` or `AffiliatedValues(points, eta)`.
        reserve, bid_fee, winner_fee: at least 0, in units of money.
        abstain: whether bidders may stay out; a fee for bids asks for it.
        feedback: "none", "winning bid", "rival bid", "full" or "full and winning bid".

    Raises:
        InputError: a grid that is not ascending, negative or too small, fewer than two bidders, a rule outside [1, 2],
            a negative reserve or fee, a fee for bids that nobody can escape, values for another number of bidders, an
            unknown feedback.

    Source: Banchio and Skrzypacz (2022), the family of price rules and the two kinds of feedback, by way of what others
        say of the paper; reserve, fees, affiliated values and many bidders are ours.
    """

    bids: Float[Array, " grid"] = numbers()
    bidders: int = count(2, 2)
    rule: Float[Array, ""] = number(1.0, "[1, 2]")
    values: AbstractValues = eqx.field(default_factory=ConstantValue)
    reserve: Float[Array, ""] = number(0.0, "[0, inf)")
    bid_fee: Float[Array, ""] = number(0.0, "[0, inf)")
    winner_fee: Float[Array, ""] = number(0.0, "[0, inf)")
    abstain: bool = flag(False)
    feedback: str = eqx.field(static=True, default="none")

    def __check_init__(self) -> None:
        check_kind("SealedBid", "values", self.values, AbstractValues)
        if not isinstance(self.feedback, str) or self.feedback not in FEEDBACK:
            raise InputError(f"SealedBid: feedback is one of {', '.join(map(repr, FEEDBACK))}, got {self.feedback!r}")
        self._check_bids()
        fee = known(self.bid_fee)
        if fee is not None and fee > 0 and not self.abstain:
            raise InputError(f"SealedBid: a fee of {fee:g} for every bid needs bidders who may stay out: abstain=True")
        given = getattr(self.values, "value", None)
        if given is not None and given.ndim and given.shape != (self.bidders,):
            raise InputError(
                f"SealedBid: {given.shape[0]} values for {self.bidders} bidders; give each one, or give one"
            )

    def _check_bids(self) -> None:
        if self.bids.ndim != 1 or self.bids.shape[0] + self.abstain < 2:
            raise InputError(f"SealedBid: bids must be a list with a choice, got an array of shape {self.bids.shape}")
        bids = known(self.bids)
        if bids is not None and not (np.isfinite(bids).all() and bids[0] >= 0 and (np.diff(bids) > 0).all()):
            raise InputError(f"SealedBid: bids must ascend from at least 0 and be finite, got {bids.tolist()}")

    @property
    def actions(self) -> int:
        """Bids, and staying out."""
        return self.bids.shape[0] + self.abstain

    @property
    def states(self) -> int:
        """How many states a bidder tells apart."""
        past = 1 if self.feedback in ("none", "full") else self.bids.shape[0] + 1
        return past * self.values.signals

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role of n seats."""
        return (Role("bidder", self.bidders, Discrete(self.actions)),)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> SealedBidWorld:
        """Nothing was played; signals for the first auction."""
        none = jnp.full(self.bidders, -1, jnp.int32)
        signal = self.values.draw(key, self.bidders)
        return SealedBidWorld(none, jnp.int32(-1), jnp.zeros_like(signal), signal, jnp.zeros((), self.bids.dtype))

    def observe(self, world: SealedBidWorld) -> dict[str, PyTree[Array]]:
        """The number of each bidder's state, or what its bids would have earned."""
        state = self._past(world) * self.values.signals + world.signal
        if not self.feedback.startswith("full"):
            return {"bidder": state}
        played = world.action[0] >= 0
        payoff = jnp.where(played, self.forgone(world.action, world.before), 0.0)
        flags = jnp.broadcast_to(played, (self.bidders,))
        return {"bidder": Forgone(payoff, flags) if self.states == 1 else ForgoneInState(payoff, flags, state)}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: SealedBidWorld, action: dict[str, Int[Array, " n"]]
    ) -> tuple[SealedBidWorld, Outcome]:
        moves = action["bidder"]
        bid, entered, able = self._read(moves)
        value = self.values.of(world.signal)
        top = able.max()
        won = _drawn((able == top) & (able > _OUT), rng.key_bits(key).first)
        sold = top > _OUT
        second = jnp.maximum(jnp.where(won, _OUT, able).max(), self.reserve)
        price = jnp.where(sold, (2 - self.rule) * top + (self.rule - 1) * second, 0.0)
        reward = jnp.where(won, value - price - self.winner_fee, 0.0) - entered * self.bid_fee
        revenue = price + sold * self.winner_fee + entered.sum() * self.bid_fee
        place = lambda one_hot, x: jnp.where(sold, (one_hot * x).sum(dtype=jnp.int32), -1)
        event = SealedBidEvent(bid, entered, value, place(won, jnp.arange(self.bidders)), price, revenue)
        after = SealedBidWorld(
            moves, place(won, moves), world.signal, self.values.draw(key, self.bidders), world.revenue + revenue
        )
        return after, Outcome({"bidder": reward}, {"bidder": jnp.ones_like(reward)}, event)

    def forgone(self, moves: Int[Array, " n"], signal: Int[Array, " n"]) -> Float[Array, "n A"]:
        """What each action of each bidder would earn against the others' moves, in expectation over ties."""
        _, _, able = self._read(moves)
        others = jnp.where(jnp.eye(self.bidders, dtype=bool), _OUT, able[None])
        rival = others.max(axis=1)
        tied = ((others == rival[:, None]) & (others > _OUT)).sum(axis=1)
        bid, entered, own = self._read(jnp.arange(self.actions))
        ahead = (own[None] > rival[:, None]).astype(bid.dtype)
        level = (own[None] == rival[:, None]).astype(bid.dtype) / (1 + tied[:, None])
        chance = jnp.where(own[None] > _OUT, ahead + level, 0.0)
        price = (2 - self.rule) * bid[None] + (self.rule - 1) * jnp.maximum(rival, self.reserve)[:, None]
        value = self.values.of(signal)[:, None]
        return chance * (value - price - self.winner_fee) - entered * self.bid_fee

    def _read(self, moves: Int[Array, " k"]) -> tuple[Array, Array, Array]:
        """Of moves: the bids (0 of those who stay out), who submitted one, and the bids that can win, else `_OUT`."""
        if self.abstain:
            entered = moves < self.bids.shape[0]
            bid = jnp.where(entered, self.bids[jnp.minimum(moves, self.bids.shape[0] - 1)], 0.0)
        else:
            entered, bid = jnp.ones(moves.shape, bool), self.bids[moves]
        return bid, entered, jnp.where(entered & (bid >= self.reserve), bid, _OUT)

    def _past(self, world: SealedBidWorld) -> Int[Array, " n"]:
        """The number of what each bidder recalls of the last auction."""
        if self.feedback in ("none", "full"):
            return jnp.zeros(self.bidders, jnp.int32)
        if self.feedback != "rival bid":
            return jnp.broadcast_to(world.winning + 1, (self.bidders,))
        shown = jnp.where(world.action < self.bids.shape[0], world.action, -1)
        return jnp.where(jnp.eye(self.bidders, dtype=bool), -1, shown[None]).max(axis=1) + 1


def _drawn(tied: Bool[Array, " n"], word: Any) -> Bool[Array, " n"]:
    """One of the tied, each with the same chance; nobody where nobody is."""
    n = tied.shape[0]
    ahead = (jnp.tri(n, k=-1, dtype=bool) & tied[None]).sum(axis=1)
    return tied & (ahead == rng.to_integer(word, tied.sum()))


def even_grid(low: float, high: float, count: int) -> Float[Array, " grid"]:
    """`count` bids from low to high at equal distances. Raises `InputError` for ends out of order or fewer than two."""
    check_count("even_grid", "count", count, 2)
    check_number("even_grid", "low", low, "[0, inf)")
    check_number("even_grid", "high", high, "[0, inf)")
    if not low < high:
        raise InputError(f"even_grid: the ends must be 0 <= low < high, got {low} and {high}")
    return jnp.asarray(np.linspace(low, high, count), float)
