"""Disclosure: what the market makes public. A treatment of the game: what is hidden never reaches a trader at all."""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from .event import AuctionEvent
from .observation import Tape


class AbstractDisclosure(eqx.Module):
    """Turns the account of a tick into the public tape of the next one, in true prices (buyers' coordinates)."""

    book: ClassVar[bool] = True
    """Whether standing quotes are public."""

    @abc.abstractmethod
    def tape(self, event: AuctionEvent) -> Tape:
        """What is public of the last tick."""

    def blank(self, buyers: int, sellers: int) -> Tape:
        """The tape before the first tick of a round: the tape of a tick in which nothing happened."""
        nobody, nothing = jnp.int32(-1), jnp.float32(0)
        absent = jnp.float32(-jnp.inf)
        no = jnp.asarray(False)
        event = AuctionEvent(
            no, nothing, nobody, nobody, nothing, nothing, absent, -absent, nobody, nobody, no, no,
            jnp.full(buyers, -jnp.inf, jnp.float32), jnp.full(sellers, jnp.inf, jnp.float32),
        )  # fmt: skip
        return self.tape(event)


class ZeroDisclosure(AbstractDisclosure):
    """Nothing is public: a trader knows the clock and its own trades."""

    book: ClassVar[bool] = False

    def tape(self, event: AuctionEvent) -> Tape:
        return Tape()


class ReducedDisclosure(AbstractDisclosure):
    """Current bid, current ask, price and sale; no identities and no losing quotes (Rawat (2023), experiment B7)."""

    def tape(self, event: AuctionEvent) -> Tape:
        return Tape(last_bid=event.bid, last_ask=event.ask, sale=event.traded, price=event.price)


class FullDisclosure(AbstractDisclosure):
    """All quotes, their owners, the requests and the trade (Rawat (2023), experiment B1; the Santa Fe rules)."""

    def tape(self, event: AuctionEvent) -> Tape:
        return Tape(
            last_bid=event.bid,
            last_ask=event.ask,
            bidder=event.bidder,
            asker=event.asker,
            buy=event.buy,
            sell=event.sell,
            sale=event.traded,
            price=event.price,
            bids=event.bids,
            asks=event.asks,
        )


class ConditionalDisclosure(AbstractDisclosure):
    """A tick is fully public if a unit changed hands in it, otherwise blank; a bit says which (Rawat (2023), B9)."""

    def tape(self, event: AuctionEvent) -> Tape:
        """The full tape where there was a trade, the blank one elsewhere."""
        full = FullDisclosure()
        blank = full.blank(event.bids.shape[0], event.asks.shape[0])
        shown = jax.tree.map(lambda x, y: jnp.where(event.traded, x, y), full.tape(event), blank)
        return shown._replace(shown=event.traded)
