"""The tournament's Lin: a guess at the price from the mean and the spread of past ones."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import rng
from catallax.games.double_auction.observation import Order, TraderView

from .moments import RunningMoments, heard, no_prices
from .standing import STANDING, standing_quotes, up_to, worst_limit
from .trader import AbstractTrader


class LinMemory(NamedTuple):
    """Prices heard, own coordinates."""

    period: Int[Array, ""]
    now: RunningMoments  # type: ignore[assignment]
    """Of the running period."""
    past: RunningMoments  # type: ignore[assignment]
    """Of the means of the round's earlier periods, those without trades left out."""


class Lin(AbstractTrader):
    """Goes part of the way from the standing bid to a normal guess at the price.

    The expected price m is the mean of the round's period means, the running period's among them; the error s is the
    root of the running period's sum of squared deviations over its trades less one, or 1 if it has fewer than two. The
    target is a draw from N(m, s), or bid + 1 if the bid is above it, or MOST = limit - 1 if it is above that or nothing
    is known. It is silent if MOST does not beat the bid, and else bids

        w (bid + 1) + (1 - w) target,   w = (1 - t / T) (units left / units) sellers / traders,

    with its last limit - 1 in place of bid + 1 where no bid stands. It accepts profitable asks below m + s, or that its
    own bid reaches. (1 stands for one tick of the price grid. In a market where quotes do not stand, the best of the
    last tick count as standing if they did not trade.)

    Source: no primary source was found for this entrant, 26th in the 1990 tournament. Followed is the port of Rawat
        (2025).
    Differs: the port divides the sum of period means by all periods, those without trades too. A bid below the lowest
        price is not said, where the port says the lowest price.
    """

    needs = (*STANDING, "price")

    def reset(self, key: Shaped[PRNGKeyArray, ""], state: PyTree[Array]) -> LinMemory:
        """The start of a round: no prices."""
        return LinMemory(jnp.int32(0), no_prices(), no_prices())

    def quote(self, key: Shaped[PRNGKeyArray, ""], memory: LinMemory, obs: TraderView) -> tuple[Order, LinMemory]:
        """Hears the last trade, guesses, quotes."""
        memory = self._remember(memory, obs)
        now, unit = memory.now, obs.unit
        known = (now.count > 0) | (memory.past.count > 0)
        mean = heard(memory.past, now.count > 0, now.mean).mean
        error = jnp.where(now.count > 1, jnp.sqrt(now.squares) / jnp.maximum(now.count - 1, 1), unit)
        bid, _ = standing_quotes(obs)
        most = obs.limit - unit
        guess = mean + error * rng.normal(key)
        target = jnp.where(guess < bid, bid + unit, guess)
        target = jnp.where(known & (target <= most), target, most)
        base = jnp.where(bid > -jnp.inf, bid, worst_limit(obs) - 2 * unit) + unit
        weight = self._weight(obs)
        spoken = jnp.isfinite(obs.limit) & (most > bid)
        price = jnp.where(spoken, weight * base + (1 - weight) * target, -jnp.inf)
        own = up_to(jnp.maximum(price, bid), obs)
        reserve = jnp.maximum(own, jnp.where(known, jnp.minimum(mean + error, obs.limit), -jnp.inf))
        return Order(price, reserve), memory

    def _weight(self, obs: TraderView) -> Float[Array, ""]:
        """w, between 0 and 1."""
        own, rivals = obs.own_seats, obs.rival_seats  # lists of quotes may be filled up (`SingleRole`)
        units = jnp.maximum(jnp.isfinite(obs.tokens).sum(), 1)
        return (1 - obs.time / obs.steps) * (obs.left / units) * (rivals / (own + rivals))

    def _remember(self, memory: LinMemory, obs: TraderView) -> LinMemory:
        """The last tick's trade joins its own period; then the period may turn, and its mean joins the past."""
        now, turned = heard(memory.now, obs.tape.sale, obs.tape.price), obs.period != memory.period
        past = heard(memory.past, turned & (now.count > 0), now.mean)
        now = RunningMoments(*(jnp.where(turned, 0.0, x) for x in now))
        return LinMemory(obs.period, now, past)
