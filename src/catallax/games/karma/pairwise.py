"""The pairwise karma game: every step all players meet in pairs, bid karma for one resource a pair, and pay."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, Discrete, InputError, Outcome, Role, count, rng

from .matching import AbstractMatching, UniformMatching
from .payment import AbstractPayment, PayBidToPeer
from .redistribution import share_out
from .urgency import Urgency
from .views import KarmaView

PLAYER = "player"
_CONTEST, _GIFTS = 0, 1
"""Streams of a step's random bits: matching and urgency; redistribution."""


class KarmaWorld(NamedTuple):
    """Where n players stand."""

    karma: Int[Array, " n"]
    urgency: Int[Array, " n"]
    """Number of the urgency level."""


class KarmaEvent(NamedTuple):
    """What one step brought; n players. For measures."""

    karma: Int[Array, " n"]
    """At the moment of bidding."""
    urgency: Int[Array, " n"]
    bid: Int[Array, " n"]
    """As heeded: at most the player's karma."""
    won: Bool[Array, " n"]
    reward: Float[Array, " n"]
    paid: Int[Array, " n"]
    """Before redistribution; negative if received."""
    pool: Int[Array, ""]
    """Karma shared out at the end of the step."""
    after: Int[Array, " n"]
    """Karma at the end of the step."""
    infeasible: dict[str, Bool[Array, " n"]]
    """Whether a player named a bid below 0 or above his karma."""


class PairwiseKarma(AbstractGame):
    """N players, integer karma in 0..cap, a contest of two for everyone at every step.

    A step: bids; a random perfect matching; in each pair the higher bid wins, ties by a fair coin; the loser's reward
    is -u (his urgency when bidding), the winner's 0; payment; redistribution; every urgency moves. The total of karma
    is the same after every step, exactly, and nobody leaves 0..cap: what the cap cuts off goes to the pool, and the
    pool is shared out by `share_out` within the step. A bid above one's karma counts as all of it.

    Args:
        players: N, an even number.
        urgency: levels and chain, common to all.
        payment: what winner and loser pay.
        cap: the most karma a player may hold.
        endowment: karma at the start, for all alike or one for each player, in 0..cap.
        matching: how pairs are drawn.
        excess: what happens to karma that a capped loser cannot take. "shared": it is pooled and shared out.
            "kept": the winner pays only what the loser can take (balanced payments only; nothing is ever pooled).

    Raises:
        InputError: an odd population (nobody may sit out), karma above the cap, or another impossible number.

    Source: Vaishampayan (2024), chapter 2; Elokda et al. (2023).
    Differs: the cap. The printed transitions ignore it; here excess is pooled and shared out, conserving the total.
    """

    players: int = count(100, 2)
    urgency: Urgency = eqx.field(default_factory=Urgency.iid)
    payment: AbstractPayment = eqx.field(default_factory=PayBidToPeer)
    cap: int = count(20)
    endowment: int | tuple[int, ...] = eqx.field(
        static=True, default=10, converter=lambda x: tuple(x) if isinstance(x, list) else x
    )
    matching: AbstractMatching = eqx.field(default_factory=UniformMatching)
    excess: Literal["shared", "kept"] = eqx.field(static=True, default="shared")

    def __check_init__(self) -> None:
        if self.players % 2:
            raise InputError(
                f"PairwiseKarma: {self.players} players cannot all be paired; take an even number "
                f"({self.players - 1} or {self.players + 1})"
            )
        _check_endowment(self.endowment, self.players, self.cap)
        if self.excess == "kept" and not self.payment.balanced:
            raise InputError(
                f"PairwiseKarma: excess='kept' needs a payment from winner to loser, but {type(self.payment).__name__} "
                "pays to society; take excess='shared'"
            )

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role; a bid is an integer in 0..cap."""
        return (Role(PLAYER, self.players, Discrete(self.cap + 1)),)

    @property
    def mean_karma(self) -> float:
        """Karma a player, which never changes."""
        total = self.endowment * self.players if isinstance(self.endowment, int) else sum(self.endowment)
        return total / self.players

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> KarmaWorld:
        """Everyone has his endowment and an urgency from the stationary law."""
        bits = rng.random_bits(key, _CONTEST, jnp.int32(0), jnp.arange(self.players), jnp.int32(0))
        karma = jnp.broadcast_to(jnp.asarray(self.endowment, jnp.int32), (self.players,))
        return KarmaWorld(karma, self.urgency.draw(bits.first))

    def observe(self, world: KarmaWorld) -> dict[str, KarmaView]:
        """Everyone sees his own karma and urgency."""
        return {PLAYER: KarmaView(world.karma, world.urgency)}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: KarmaWorld, action: dict[str, Int[Array, " n"]]
    ) -> tuple[KarmaWorld, Outcome]:
        karma, urgency = world
        bits = rng.random_bits(key, _CONTEST, jnp.int32(0), jnp.arange(self.players), jnp.int32(0))
        named = action[PLAYER]
        bid = jnp.clip(named, 0, karma)
        rival, first = self.matching(bits.first)
        other = bid.at[rival].get(mode="promise_in_bounds")
        won = (bid > other) | ((bid == other) & first)
        win, lose = self.payment(jnp.maximum(bid, other), jnp.minimum(bid, other))
        if self.excess == "kept":
            takes = jnp.minimum(-lose, self.cap - jnp.where(won, karma.at[rival].get(mode="promise_in_bounds"), karma))
            paid = jnp.where(won, takes, -takes)
            pool, after = jnp.int32(0), karma - paid
        else:
            paid = jnp.where(won, win, lose)
            held = jnp.minimum(karma - paid, self.cap)
            # All that is no longer held, whatever the rule of payment: so the total is conserved by construction.
            pool = (karma - held).sum(dtype=jnp.int32)
            gifts = rng.random_bits(key, _GIFTS, jnp.int32(0), jnp.arange(self.players), jnp.int32(0))
            after = held + share_out(pool, self.cap - held, gifts.first, self.cap)
        cost = self.urgency.levels.at[urgency].get(mode="promise_in_bounds")
        reward = jnp.where(won, 0.0, -cost)
        event = KarmaEvent(karma, urgency, bid, won, reward, paid, pool, after, {PLAYER: (named < 0) | (named > karma)})
        going = jnp.ones(self.players)
        return KarmaWorld(after, self.urgency.move(urgency, bits.second)), Outcome(
            {PLAYER: reward}, {PLAYER: going}, event
        )


def _check_endowment(endowment: object, players: int, cap: int) -> None:
    each = endowment if isinstance(endowment, tuple) else (endowment,)
    if isinstance(endowment, tuple) and len(endowment) != players:
        raise InputError(f"PairwiseKarma: {len(endowment)} endowments for {players} players; give one for each")
    for i, karma in enumerate(each):
        if not isinstance(karma, int) or isinstance(karma, bool) or karma < 0:
            raise InputError(f"PairwiseKarma: endowments must be integers of at least 0, got {karma!r}")
        if karma > cap:
            who = f"player {i}" if isinstance(endowment, tuple) else "every player"
            raise InputError(
                f"PairwiseKarma: {who} starts with {karma} karma, above the cap of {cap}; raise cap or lower endowment"
            )
