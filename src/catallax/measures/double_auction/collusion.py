"""Tacit collusion in an auction: who took the other side's surplus, and how traders answer one who stops taking part.

A side that colludes names worse prices than competition would and is not undercut from within. So two things are
measured: how far the division of the surplus lies from the competitive one, and what a trader gets, and starts, that
quotes competitively for a while.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.wrappers.frozen import frozen_population
from catallax.core import AbstractGame, AbstractMeasure, InputError, Outcome, Play, Variable, count, flag, number, rng

from .formulas import ratio
from .profit import Profit
from .rounds import AbstractAuctionMeasure, Round, rounds_of


class SurplusShift(AbstractAuctionMeasure):
    """The share of the competitive surplus that each side took beyond its own part.

        to_buyers  = (buyers' profit  - sum max(v - p*, 0)) / maximum surplus,   sellers likewise,

    so to_buyers + to_sellers = efficiency - 1: 0 and 0 under competition, s and -s where s of the surplus moved
    from sellers to buyers and none was lost. Linear in the profits; the ratios of the round (undefined where there is
    nothing to gain) and their numerators, to be divided by the sum of `Efficiency`'s `maximum_surplus` for a ratio of
    totals.
    Learners may move surplus without colluding, as zero intelligence does: read it against a control.
    """

    @property
    def quantities(self) -> tuple[Variable, ...]:
        return (
            Variable("surplus_to_buyers", (), "1", "buyers' profit less their surplus at p*, over the maximum", True),
            Variable("surplus_to_sellers", (), "1", "sellers' profit less their surplus at p*, over the maximum", True),
            Variable("buyers_excess", (), "price", "buyers' profit less their surplus at p*"),
            Variable("sellers_excess", (), "price", "sellers' profit less their surplus at p*"),
        )

    def of(self, round: Round) -> dict[str, Array]:
        earned = (
            jnp.where(round.traded, round.value - round.price, 0.0).sum(),
            jnp.where(round.traded, round.price - round.cost, 0.0).sum(),
        )
        due = (round.ce.buyer_surplus, round.ce.seller_surplus)
        buyers, sellers = (x - round.periods * y for x, y in zip(earned, due, strict=True))
        whole = round.periods * round.ce.surplus
        return {
            "surplus_to_buyers": ratio(buyers, whole),
            "surplus_to_sellers": ratio(sellers, whole),
            "buyers_excess": buyers,
            "sellers_excess": sellers,
        }


class _Forced(AbstractGame):
    """The game with one trader's quotes put into its mouth in some ticks."""

    game: AbstractGame
    on: Bool[Array, ""]
    margin: Float[Array, ""]
    role: str = eqx.field(static=True)
    seat: int = eqx.field(static=True)
    tick: int | None = eqx.field(static=True)

    @property
    def roles(self) -> Any:
        """The game's."""
        return self.game.roles

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Any:
        return self.game.init(key)

    def observe(self, world: Any) -> Any:
        return self.game.observe(world)

    def step(self, key: Shaped[PRNGKeyArray, ""], world: Any, action: dict[str, Any]) -> tuple[Any, Outcome]:
        """The game's, after the trader quoted its limit less the margin."""
        seen, said = self.game.observe(world)[self.role], action[self.role]
        now = self.on if self.tick is None else self.on & (world.clock == self.tick)
        mine = now & (jnp.arange(said.price.shape[0]) == self.seat)
        price = jnp.where(mine, jnp.minimum(seen.limit - self.margin, seen.cap), said.price)
        return self.game.step(key, world, action | {self.role: said._replace(price=price)})


class ForcedDeviation(AbstractMeasure):
    """What follows if one trader quotes its limit (less `margin`), in one tick or for a whole round.

    A phase is played twice more by the frozen population, on the same tokens and the same random numbers: as it is, and
    with the quotes of one trader forced. Nothing is disturbed: the run goes on as if nobody had asked. Quotes are
    compared tick by tick in the coordinates of their own side, so a positive change is a more generous quote: an
    answer in kind. In the tick of the deviation itself (lag 0) the others cannot answer yet: the change is 0.

    Args:
        role, seat: the deviator.
        tick: static; in which tick of the round it deviates. None: in all of them.
        margin: what the forced quote stays short of the limit, price units, at least 0; 0 gives the limit itself.
        lags: how many ticks after the deviation's (the round's first, if tick is None) are looked at.
        noise: static; whether the frozen learners explore as they do in play.
        suffix: static; appended to the names, where the measure is taken twice.

    The random numbers of the two plays come from a key made of the tokens of the phase just played and its number. So
    treatments that trade the same tokens are asked on the same rounds, while replications with tokens of their own are
    asked on rounds of their own; under fixed tokens all replications share them.

    Raises:
        InputError: a seat, tick, margin or number of lags that cannot be; a role or seat that the game does not have, a
            deviation or lag outside the round.

    Source: the question is that of Calvano, Calzolari, Denicolo and Pastorello (2020), section IV (`deviation` in
        `measures.pricing`); for an auction we know of no primary source.
    """

    every: int = count(10)
    role: str = eqx.field(static=True, default="buyer")
    seat: int = count(0, 0)
    tick: int | None = count(0, 0, optional=True)
    lags: int = count(5, 0)
    noise: bool = flag(True)
    suffix: str = eqx.field(static=True, default="")
    margin: Float[Array, ""] = number(0.0, "[0, inf)", dtype=jnp.float32)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Means over the copies of the phase."""
        found = (
            Variable("deviation_gain", (), "price", "change of the deviator's profit a round"),
            Variable("deviation_to_rivals", (), "price", "change of the profit of the others of its side, together"),
            Variable("deviation_to_others", (), "price", "change of the profit of the other side, together"),
            Variable(
                "rivals_answer",
                ("lag",),
                "price",
                "mean change of the quotes of the others of its side, own sign",
                True,
            ),
            Variable("others_answer", ("lag",), "price", "mean change of the other side's quotes, own sign", True),
        )
        return tuple(v._replace(name=v.name + self.suffix) for v in found)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """As above; `dynamics` is a `Play` of a double auction."""
        first = self._fits(dynamics)
        population = frozen_population(dynamics, state, self.noise)
        key = rng.fold(_key_of(record.first.values, record.first.costs), t)

        def play(on: Array) -> Any:
            who = {"role": self.role, "seat": self.seat, "tick": self.tick}
            game = _Forced(game=dynamics.game, on=on, margin=self.margin, **who)
            asked = eqx.tree_at(lambda p: (p.game, p.population), dynamics, (game, population))
            held = asked.init(key)
            if not dynamics.episodic:
                held = held._replace(worlds=state.worlds)
            record = asked.step(key, held, t)[1]
            return record.first, record.info

        worlds, events = jax.vmap(play)(jnp.asarray([False, True]))
        steps = dynamics.game.steps
        profit = jax.vmap(lambda w, e: jax.vmap(Profit().of)(rounds_of(w, e, steps)))(worlds, events)
        own, other = ("buyer", "seller") if self.role == "buyer" else ("seller", "buyer")
        change = {
            side: (profit[f"{side}_profit"][1] - profit[f"{side}_profit"][0]).mean(axis=0) for side in (own, other)
        }
        lagged = slice(first, first + self.lags + 1)
        quotes = {"buyer": events.bids[:, :, lagged], "seller": -events.asks[:, :, lagged]}
        rivals = jnp.arange(quotes[own].shape[-1]) != self.seat
        found = {
            "deviation_gain": change[own][self.seat],
            "deviation_to_rivals": jnp.where(rivals, change[own], 0.0).sum(),
            "deviation_to_others": change[other].sum(),
            "rivals_answer": mean_change(quotes[own], rivals),
            "others_answer": mean_change(quotes[other], jnp.ones(quotes[other].shape[-1], bool)),
        }
        return {name + self.suffix: value for name, value in found.items()}

    def _fits(self, dynamics: Any) -> int:
        """The first tick looked at; raises where the deviation is not in the game."""
        if not isinstance(dynamics, Play):
            raise InputError(f"ForcedDeviation is taken of a Play, not of a {type(dynamics).__name__}")
        seats = {role.name: role.seats for role in dynamics.game.roles}
        if self.role not in seats or self.seat >= seats[self.role]:
            raise InputError(
                f"ForcedDeviation: the game has no seat {self.seat} in a role {self.role!r}; it has {seats}"
            )
        first = self.tick or 0
        if first + self.lags >= dynamics.length:
            raise InputError(
                f"ForcedDeviation: a deviation in tick {first} with {self.lags} lags does not fit a phase of "
                f"{dynamics.length} ticks; take an earlier tick or fewer lags"
            )
        return first


def _key_of(values: Float[Array, "..."], costs: Float[Array, "..."]) -> Shaped[PRNGKeyArray, ""]:
    """A key that differs between draws of tokens."""
    tokens = jnp.concatenate([values.ravel(), costs.ravel()]).astype(jnp.float32)
    bits = jax.lax.bitcast_convert_type(tokens, jnp.uint32)
    odd = 2 * jnp.arange(bits.shape[0], dtype=jnp.uint32) + jnp.uint32(0x9E3779B1)
    return rng.fold(rng.key(0), jax.lax.bitcast_convert_type((bits * odd).sum(dtype=jnp.uint32), jnp.int32))


def mean_change(quotes: Float[Array, "2 E L n"], counted: Bool[Array, " n"]) -> Float[Array, " L"]:
    """Mean of the second less the first over copies and traders that quote in both; NaN where nobody does."""
    both = jnp.isfinite(quotes).all(axis=0) & counted
    change = jnp.where(both, quotes[1] - quotes[0], 0.0)
    count = both.sum(axis=(0, 2))
    return jnp.where(count > 0, change.sum(axis=(0, 2)) / jnp.maximum(count, 1), jnp.nan)
