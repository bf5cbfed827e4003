"""How learners see and speak in the auction: the feature vectors and the price mapping of Rawat (2023).

Source: Rawat's code: fixed means and standard deviations from 100 rounds of zero-intelligence traders. Features come in
the trader's own order (own side first), which for a network is a permutation of its inputs.
Differs: the step is the current one, where the author's code shows the previous row's.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.core import BuildError, Interface, Real

from .observation import Order, Tape, TraderView

# (mean, standard deviation)
_STEP = (7.5, 4.61)
_BID, _ASK = (69.8, 9.95), (56.6, 8.32)
_BUY, _SELL, _SALE = (0.959, 0.199), (0.924, 0.265), (0.979, 0.142)
_PRICE = (63.48, 4.49)
_HOLDER = (0.25, 0.433)
_BIDS, _ASKS = (59.9, 12.2), (62.8, 9.35)
_BUYER = ((2.06, 84.95, 81.31, 78.63, 75.58), (1.42, 3.86, 3.27, 3.16, 3.88))
_SELLER = ((2.11, 45.00, 48.72, 51.63, 54.83), (1.35, 3.90, 3.17, 2.87, 3.03))
_MISSING = 5.0


def _scaled(x: Array, scale: tuple[float, float]) -> Array:
    return (x - scale[0]) / scale[1]


def _quote(x: Array, buys: Array, bid: tuple[float, float], ask: tuple[float, float]) -> Array:
    """A true price on the scale of bids or of asks; -5 for a missing bid, +5 for a missing ask."""
    value = jnp.where(buys, _scaled(x, bid), _scaled(x, ask))
    return jnp.where(jnp.isfinite(x), value, jnp.where(buys, -_MISSING, _MISSING))


class StandardFeatures(eqx.Module):
    """Rawat's observation: 6 numbers without disclosure (step, own trades, four own limits), 28 with full, 10 with
    reduced and 29 with conditional disclosure. What the tape hides has no entry.

    A unit the trader does not have stands at its mean, 0. With other numbers of units or traders the vector is
    shorter or longer: 2 + units private entries, and with full disclosure 6 + 2 x (own side + other side) more.
    """

    def __call__(self, obs: TraderView) -> Float[Array, " features"]:
        """The standardised vector."""
        units = obs.tokens.shape[0]
        if units > 4:
            raise BuildError(
                f"StandardFeatures knows the scale of 4 units, this market has {units}; write a view of your own"
            )
        buys, tape = obs.side > 0, obs.tape
        mean, deviation = (
            jnp.where(buys, jnp.asarray(b), jnp.asarray(s))[: units + 1] for b, s in zip(_BUYER, _SELLER, strict=True)
        )
        limits = jnp.where(jnp.isfinite(obs.tokens), obs.side * obs.tokens, mean[1:])
        private = jnp.concatenate([obs.traded[None].astype(jnp.float32), limits])
        parts: list[Array] = [_scaled(obs.step.astype(jnp.float32), _STEP)[None]]
        if tape.last_bid is not None:
            parts += self._market(obs, buys)
        if tape.bids is not None:
            parts += self._everyone(obs, buys)
        if tape.shown is not None:
            parts.append(tape.shown.astype(jnp.float32)[None])
        return jnp.concatenate([*parts, (private - mean) / deviation])

    def _market(self, obs: TraderView, buys: Array) -> list[Array]:
        """Own best, other side's best, price and sale of the last tick."""
        tape = obs.tape
        began = obs.step == 0
        price = jnp.where(tape.sale, _scaled(obs.side * tape.price, _PRICE), -_MISSING)
        sale = jnp.where(began, -_MISSING, _scaled(tape.sale.astype(jnp.float32), _SALE))
        return [
            jnp.stack(
                [
                    _quote(obs.side * tape.last_bid, buys, _BID, _ASK),
                    _quote(obs.side * tape.last_ask, ~buys, _BID, _ASK),
                    price,
                    sale,
                ]
            )
        ]

    def _everyone(self, obs: TraderView, buys: Array) -> list[Array]:
        """Requests, holders and all quotes of the last tick."""
        tape = obs.tape

        def flag(x: Array, own: Array) -> Array:
            x = x.astype(jnp.float32)
            return jnp.where(own, _scaled(x, _BUY), _scaled(x, _SELL))

        def holder(index: Array, n: int) -> Array:
            return _scaled((index == jnp.arange(n)).astype(jnp.float32), _HOLDER)

        return [
            jnp.stack([flag(tape.buy, buys), flag(tape.sell, ~buys)]),
            holder(tape.bidder, tape.bids.shape[0]),
            holder(tape.asker, tape.asks.shape[0]),
            _quote(obs.side * tape.bids, buys, _BIDS, _ASKS),
            _quote(obs.side * tape.asks, ~buys, _BIDS, _ASKS),
        ]


def linear_quote(obs: TraderView, action: Float[Array, ""]) -> Order:
    """Rawat's price mapping: fraction (a + 1) / 2 of the way from the lowest to the highest price, for both sides.

    The action is not clipped, so quotes may leave the bounds; acceptance is rational (reserve = limit).

    Differs: Rawat's slides print the mapping reversed.
    """
    fraction = (action + 1) / 2
    buys = obs.side > 0
    low, high = jnp.where(buys, obs.low, -obs.high), jnp.where(buys, obs.high, -obs.low)
    return Order(obs.side * (low * (1 - fraction) + high * fraction), obs.limit)


def linear_quote_or_none(obs: TraderView, action: Float[Array, ""]) -> Order:
    """`linear_quote`, with a way to say nothing: an action beyond the least generous price, which is below -1 for a
    buyer and above 1 for a seller. For markets that charge for quotes.
    """
    order = linear_quote(obs, action)
    return order._replace(price=jnp.where(obs.side * action < -1, -jnp.inf, order.price))


class WithoutTape(eqx.Module):
    """Features of what a trader knows by itself: the tape is hidden, whatever the market discloses.

    For a learner without disclosure among scripted traders that need one (Rawat (2023), experiment A2).
    """

    features: Any = StandardFeatures()

    def __call__(self, obs: TraderView) -> Float[Array, " features"]:
        """The features of the view with an empty tape."""
        return self.features(obs._replace(tape=Tape()))


def standard_interface(features: Any = None, *, may_abstain: bool = False) -> Interface:
    """Rawat's way of seeing and speaking, for learners with vector observations and one real action.

    Args:
        features: what is seen; `StandardFeatures()` if left out.
        may_abstain: whether an action beyond the least generous price says nothing (`linear_quote_or_none`).
    """
    move = linear_quote_or_none if may_abstain else linear_quote
    return Interface(StandardFeatures() if features is None else features, move, Real())
