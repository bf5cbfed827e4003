"""Who pays what after a contest of two: functions of the two bids alone."""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int


class AbstractPayment(eqx.Module):
    """What winner and loser pay, in karma; what they pay together goes to the pool, which society shares out.

    Payments are integers with p_win <= the winning bid, p_lose <= the losing bid and p_win + p_lose >= 0; a negative
    payment is received. A rule is elementwise, so that the game and the mean-field kernel use the same one.

    Source: Elokda et al. (2023), "A self-contained karma economy for the dynamic allocation of common resources".
    """

    balanced: ClassVar[bool] = False
    """True where p_win + p_lose = 0 for all bids: nothing reaches the pool but what the cap cuts off."""

    @abc.abstractmethod
    def __call__(
        self, winning: Int[Array, "*shape"], losing: Int[Array, "*shape"]
    ) -> tuple[Int[Array, "*shape"], Int[Array, "*shape"]]:
        """(p_win, p_lose) for the winner's and the loser's bid, elementwise, in karma."""


class PayBidToPeer(AbstractPayment):
    """PBP: the winner pays his bid to the loser."""

    balanced = True

    def __call__(
        self, winning: Int[Array, "*shape"], losing: Int[Array, "*shape"]
    ) -> tuple[Int[Array, "*shape"], Int[Array, "*shape"]]:
        """(b, -b) with b the winning bid."""
        return winning, -winning


class PayBidToSociety(AbstractPayment):
    """PBS: the winner pays his bid to the pool."""

    def __call__(
        self, winning: Int[Array, "*shape"], losing: Int[Array, "*shape"]
    ) -> tuple[Int[Array, "*shape"], Int[Array, "*shape"]]:
        """(b, 0) with b the winning bid."""
        return winning, jnp.zeros_like(losing)


class PayNothing(AbstractPayment):
    """Bids are free: the control. With all bids 0 it is COIN; with bids that rank true urgency it is DICT."""

    balanced = True

    def __call__(
        self, winning: Int[Array, "*shape"], losing: Int[Array, "*shape"]
    ) -> tuple[Int[Array, "*shape"], Int[Array, "*shape"]]:
        return jnp.zeros_like(winning), jnp.zeros_like(losing)
