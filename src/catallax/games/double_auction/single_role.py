"""A double auction whose buyers and sellers sit at one table."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray, Shaped

from catallax.core import AbstractGame, Outcome, Role

from .double_auction import ORDER, AuctionWorld, DoubleAuction
from .observation import Order, Tape, TraderView


class SingleRole(AbstractGame):
    """The same market with one role, "trader": the buyers' seats first, then the sellers'.

    Rules are written in buyer's form and do not know their side, so a rule that sits on both is traced, compiled and
    evaluated once instead of twice. Tokens and trading rules are the auction's; a rule's random numbers are those of
    its seat at the one table. Where one side has fewer seats, the lists of its quotes on the tape are filled up with
    quotes of nobody; how many sit on a side a view says itself (`own_seats`, `rival_seats`).

    Args:
        auction: the market.
    """

    auction: DoubleAuction

    def __init__(self, auction: DoubleAuction) -> None:
        self.auction = auction

    @property
    def roles(self) -> tuple[Role, ...]:  # type: ignore[override]
        """All traders."""
        return (Role("trader", self.auction.buyers + self.auction.sellers, ORDER),)

    @property
    def steps(self) -> int:
        """Ticks in a period."""
        return self.auction.steps

    @property
    def length(self) -> int:
        """Ticks in a round."""
        return self.auction.length

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> AuctionWorld:
        return self.auction.init(key)

    def observe(self, world: AuctionWorld) -> dict[str, TraderView]:
        seen, most = self.auction.observe(world), max(self.auction.buyers, self.auction.sellers)
        views = [view._replace(tape=_filled(view.tape, most)) for view in (seen["buyer"], seen["seller"])]
        return {"trader": jax.tree.map(lambda b, s: jnp.concatenate([b, s]), *views)}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: AuctionWorld, action: dict[str, Order]
    ) -> tuple[AuctionWorld, Outcome]:
        said, buyers = action["trader"], self.auction.buyers
        sides = {"buyer": jax.tree.map(lambda x: x[:buyers], said), "seller": jax.tree.map(lambda x: x[buyers:], said)}
        world, outcome = self.auction.step(key, world, sides)
        pool = lambda x: {"trader": _joined(x)}
        return world, Outcome(pool(outcome.reward), pool(outcome.discount), outcome.info)


def _filled(tape: Tape, most: int) -> Tape:
    """Lists of quotes as long as the longer side's."""

    def fill(quotes: Array | None, nothing: float) -> Any:
        if quotes is None or quotes.shape[1] == most:
            return quotes
        return jnp.pad(quotes, ((0, 0), (0, most - quotes.shape[1])), constant_values=nothing)

    return tape._replace(bids=fill(tape.bids, -jnp.inf), asks=fill(tape.asks, jnp.inf))


def _joined(sides: dict[str, Any]) -> Array:
    return jnp.concatenate([sides["buyer"], sides["seller"]])
