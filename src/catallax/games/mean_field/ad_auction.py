"""The repeated second-price advertising auction as an exact mean-field game.

At every round each bidder meets M - 1 others drawn from the population. The highest bid wins and pays the
second-highest of the M bids. With own budget s, price p and a conversion worth v, the winner's reward is

    v - p - (1 + rho) max(p - s, 0),

her budget falls to max(s - p, 0), and after clearing every budget below the largest rises by one with probability
`refill`. All numbers are in units of the bids.

Source: GuoHuXuZhang2019, slides "Motivating Problem" and "Repeated Auction Example Revisited".
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import BuildError, InputError, count, flag, known, number, numbers, rng

from .mdp import AbstractMDP
from .model import AbstractMeanFieldGame


class Cleared(NamedTuple):
    """What a round did to each of N bidders."""

    won: Bool[Array, " N"]
    price: Int[Array, " N"]
    """Price of the auction the bidder was in, paid by its winner."""
    value: Float[Array, " N"]
    """Worth of a conversion to the bidder in this round, drawn whether it won or not."""


class AuctionMDP(AbstractMDP):
    """One bidder's problem against rivals whose bids are drawn from alpha. Made by `AdAuction.frozen`.

    Everything follows from `price`, the table q(p | a) = P(win at price p | bid a), `[A, A]`.
    """

    reward: Float[Array, "S A"]
    legal: Bool[Array, "S A"]
    discount: Float[Array, ""]
    price: Float[Array, "A A"]
    win: Float[Array, " A"]
    """W(a), the probability of winning with bid a."""
    at_most: Float[Array, "A A"]
    """P(win at a price <= p | bid a)."""
    conversions: Float[Array, " V"]
    penalty: Float[Array, ""]
    refill: Float[Array, ""]

    def _refilled(self, value: Float[Array, " S"]) -> Float[Array, " S"]:
        """E[value(budget after the refill) | budget before]."""
        above = jnp.concatenate([value[1:], value[-1:]])
        return value + self.refill * (above - value)

    def ahead(self, value: Float[Array, " S"]) -> Float[Array, "S A"]:
        """(1 - W(a)) D value(s) + sum_p q(p | a) D value(max(s - p, 0)), D the refill."""
        later = self._refilled(value)
        paid = later[_left(*self.reward.shape)]
        return (1 - self.win) * later[:, None] + paid @ self.price.T

    def _settle(self, kept: Float[Array, "*B S"], paid: Float[Array, "*B S A"]) -> Float[Array, "*B S"]:
        """Mass by budget after the refill, from mass that kept its budget and mass that paid each price."""
        states, prices = self.reward.shape
        where = jnp.asarray(_lands(states, prices), kept.dtype)
        before = kept + paid.reshape(*kept.shape[:-1], states * prices) @ where
        up = self.refill * before[..., :-1]
        return before.at[..., :-1].add(-up).at[..., 1:].add(up)

    def push(self, law: Float[Array, "S A"]) -> Float[Array, " S"]:
        return self._settle(law @ (1 - self.win), law @ self.price)

    def chain(self, policy: Float[Array, "S A"]) -> Float[Array, "S S"]:
        each = jnp.eye(policy.shape[0], dtype=policy.dtype)
        return self._settle(each * (policy @ (1 - self.win)), each[:, :, None] * (policy @ self.price))

    def draw(
        self, key: Shaped[PRNGKeyArray, ""], state: Int[Array, ""], action: Int[Array, ""]
    ) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """One auction: whether it is won and at which price (24 bits), the conversion and the refill (16 bits each)."""
        bits = rng.key_bits(key)
        price = (self.at_most[action] <= rng.to_uniform(bits.first)).sum(dtype=jnp.int32)
        won = price <= action  # beyond the bid the table stays at W(a): a miss counts on to A
        value, refilled = _value_and_refill(bits.second, self.conversions, self.refill)
        reward, after = _settled(won, price, value, refilled, state, self.penalty, self.reward.shape[0])
        return after, reward


class AdAuction(AbstractMeanFieldGame):
    """The auction above with budgets 0, ..., S - 1 and bids 0, ..., A - 1.

    Ties at the top are won with equal chances and cost the tied bid; a bid of 0 takes part. So every auction has a
    winner and sum_a alpha(a) W(a) = 1/M. Bids may exceed the budget: that is what rho prices.

    Args:
        budgets: S.
        bids: A.
        bidders: M, bidders in an auction, at least 2.
        conversions: worths of a conversion, equally likely, drawn anew for every auction.
        penalty: rho, weight of an overdraft beyond the price itself.
        refill: probability that a budget below the largest rises by one after clearing.
        discount: gamma, in [0, 1).
        cap_bids: bids above the budget are not legal; at play they count as the budget.

    Raises:
        InputError: a size or a probability out of range.

    Source: GuoHuXuZhang2019 for rho = 0.2, conversions 1 to 4, M = 5, gamma = 0.8, refill 1/2 (as reported; the slides
        give the rules and no constants).
    Differs: ties, the order of clearing and refill, and the law of the first budgets are not stated there.
    """

    budgets: int = count(10)
    bids: int = count(10)
    bidders: int = count(5, 2)
    conversions: Float[Array, " V"] = numbers((1.0, 2.0, 3.0, 4.0))
    penalty: Float[Array, ""] = number(0.2)
    refill: Float[Array, ""] = number(0.5, "[0, 1]")
    discount: Float[Array, ""] = number(0.8, "[0, 1)")
    cap_bids: bool = flag(False)

    def __check_init__(self):
        x = known(self.conversions)
        if x is not None and not np.isfinite(x).all():
            raise InputError(f"AdAuction: conversions must be finite, got {x}")
        if self.conversions.ndim != 1 or self.conversions.size < 1:
            raise InputError("AdAuction: conversions must be a list of at least one number")

    @property
    def states(self) -> int:
        return self.budgets

    @property
    def actions(self) -> int:
        return self.bids

    @property
    def legal(self) -> Bool[Array, "S A"]:
        """All bids; those within the budget if `cap_bids`."""
        within = np.arange(self.bids)[None] <= np.arange(self.budgets)[:, None]
        return jnp.asarray(within if self.cap_bids else np.ones_like(within))

    def frozen(self, law: Float[Array, "S A"]) -> AuctionMDP:
        """One bidder's problem against the bids alpha(a) = sum_s L(s, a)."""
        price, win, at_most = clearing(law.sum(axis=0), self.bidders)
        s, p = np.arange(self.budgets)[:, None], np.arange(self.bids)[None]
        surplus = self.conversions.mean() - p - (1 + self.penalty) * np.maximum(p - s, 0)
        return AuctionMDP(
            surplus.astype(law.dtype) @ price.T,
            self.legal,
            self.discount,
            price,
            win,
            at_most,
            self.conversions,
            self.penalty,
            self.refill,
        )

    def revenue(self, law: Float[Array, "S A"]) -> Float[Array, ""]:
        """Expected price of an auction, M sum_a alpha(a) sum_p p q(p | a): the seller's revenue."""
        alpha = law.sum(axis=0)
        price, _, _ = clearing(alpha, self.bidders)
        return self.bidders * (alpha @ price @ jnp.arange(self.bids, dtype=law.dtype))

    def check_players(self, n: int) -> None:
        """N players are parted into auctions of M, so M must divide N."""
        if n % self.bidders or not 0 < n <= 2**16:
            raise BuildError(
                f"AdAuction: {n} players cannot be parted into auctions of {self.bidders}; "
                f"take a multiple of {self.bidders} up to {2**16}"
            )

    def meet(
        self, key: Shaped[PRNGKeyArray, ""], state: Int[Array, " N"], action: Int[Array, " N"]
    ) -> tuple[Int[Array, " N"], Float[Array, " N"], Cleared]:
        """N bidders parted at random into N / M auctions, each with one winner.

        Each bidder's rivals are then M - 1 others drawn without replacement, as the rules say, while an auction is one
        and the same for all who take part. The order within an auction is random too: the first of the highest bids
        wins, which is the fair lottery among ties. Draws have 16 bits (partition: 32 less the bits of a seat number).
        """
        n = state.shape[0]
        seats = jnp.arange(n, dtype=jnp.uint32)
        bits = rng.random_bits(key, 0, jnp.int32(0), seats, jnp.int32(0))
        low = jnp.uint32((1 << max(1, (n - 1).bit_length())) - 1)
        order = (jnp.sort((bits.first & ~low) | seats) & low).astype(jnp.int32).reshape(-1, self.bidders)
        bid = jnp.minimum(action, state) if self.cap_bids else action
        offered = bid[order]
        first = jnp.argmax(offered, axis=1)
        second = jnp.where(jnp.arange(self.bidders) == first[:, None], -1, offered).max(axis=1)
        wins = jnp.arange(self.bidders) == first[:, None]
        won = jnp.zeros(n, bool).at[order.reshape(-1)].set(wins.reshape(-1), unique_indices=True)
        price = jnp.repeat(second, self.bidders, total_repeat_length=n)
        price = jnp.zeros(n, jnp.int32).at[order.reshape(-1)].set(price, unique_indices=True)
        value, refilled = _value_and_refill(bits.second, self.conversions, self.refill)
        reward, after = _settled(won, price, value, refilled, state, self.penalty, self.budgets)
        return after, reward, Cleared(won, price, value)


def clearing(
    alpha: Float[Array, " A"], bidders: int
) -> tuple[Float[Array, "A A"], Float[Array, " A"], Float[Array, "A A"]]:
    """Exact clearing of an auction among M bidders, M - 1 of whom bid independently from alpha.

    With F(x) = P(bid <= x), G(x) = P(bid < x) and D_k(x) = sum_{j<k} F^j G^(k-1-j) = (F^k - G^k) / alpha:

        W(a) = D_M(a) / M
        q(p | a) = alpha(p) D_{M-1}(p)                                  for p < a
        q(a | a) = W(a) - G(a)^(M-1) = alpha(a) / M sum_{j=1}^{M-1} G^(M-1-j) D_j
        q(p | a) = 0                                                    for p > a

    The quotient (F^M - G^M) / (M alpha) is never formed: it is 0/0 where nobody bids. No differences are taken either,
    so small probabilities keep their relative precision and all entries are >= 0.

    Returns:
        q(p | a) as [a, p]; W(a); P(win at a price <= p | a) as [a, p].
    """
    most = jnp.cumsum(alpha)
    less = jnp.concatenate([jnp.zeros(1, alpha.dtype), most[:-1]])

    def onward(tied: Array, quotient: Array, power: Array) -> tuple[Array, Array, Array]:
        """From k to k + 1: sum_{j<k} G^(k-1-j) D_j, D_k and F^k."""
        return less * tied + quotient, less * quotient + power, power * most

    k = (jnp.zeros_like(alpha), jnp.ones_like(alpha), most)
    for _ in range(bidders - 2):
        k = onward(*k)
    below = k[1]
    tied, quotient, _ = onward(*k)
    win = quotient / bidders
    bid, price = np.arange(alpha.size)[:, None], np.arange(alpha.size)[None]
    table = jnp.where(price < bid, alpha * below, 0.0)
    table = jnp.where(price == bid, (alpha * tied / bidders)[:, None], table)
    at_most = jnp.where(price < bid, most ** (bidders - 1), win[:, None])
    return table, win, at_most


def _left(states: int, prices: int) -> np.ndarray:
    """Budget left after paying price p out of budget s, [S, P]."""
    return np.maximum(np.arange(states)[:, None] - np.arange(prices)[None], 0)


def _lands(states: int, prices: int) -> np.ndarray:
    """Where (s, p) puts its mass: a 0/1 matrix [S * P, S]."""
    return np.eye(states)[_left(states, prices).reshape(-1)]


def _value_and_refill(word: Any, conversions: Array, refill: Array) -> tuple[Array, Array]:
    """A conversion's worth and whether the budget is refilled, from the two halves of 32 random bits."""
    index = ((word >> 16) * jnp.uint32(conversions.size)) >> 16
    coin = (word & 0xFFFF).astype(jnp.float32) * jnp.float32(2**-16)
    return conversions[index.astype(jnp.int32)], coin < refill


def _settled(
    won: Array, price: Array, value: Array, refilled: Array, state: Array, penalty: Array, budgets: int
) -> tuple[Array, Array]:
    """Reward and next budget: pay if the auction was won, then refill."""
    overdraft = jnp.maximum(price - state, 0)
    reward = jnp.where(won, value - price - (1 + penalty) * overdraft, 0.0)
    left = jnp.where(won, jnp.maximum(state - price, 0), state)
    return reward, jnp.minimum(left + refilled, budgets - 1).astype(jnp.int32)
