"""How far greedy price policies collude: the cycle they end in, its profits, and what undercutting brings."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from catallax.core import AbstractMeasure, Variable, count, number
from catallax.games.pricing.pricing import PricingGame


class Cycle(NamedTuple):
    """Where the play of fixed policies ends; means are over one round of the cycle."""

    profit: Float[Array, " firms"]
    price: Float[Array, " firms"]
    length: Int[Array, ""]
    world: Int[Array, " firms"]
    """A past on the cycle, as the game's world."""
    on: Bool[Array, " outcomes"]
    """Which outcomes belong to the cycle."""


def _points(game: PricingGame, outcome: Int[Array, "*n"]) -> Int[Array, "*n firms"]:
    """The grid points of an outcome's number."""
    place = game.points ** jnp.arange(game.firms - 1, -1, -1)
    return (outcome[..., None] // place) % game.points


def _after(game: PricingGame, policy: Int[Array, "firms pasts"], world: Int[Array, " firms"]) -> Int[Array, " firms"]:
    """The world after one period of greedy play."""
    return game.seen(policy[jnp.arange(game.firms), world])


def _jump(game: PricingGame, policy: Int[Array, "firms pasts"]) -> Int[Array, " outcomes"]:
    """The outcome that greedy play makes follow each outcome."""
    pasts = jax.vmap(game.seen)(_points(game, jnp.arange(game.observations)))
    return jax.vmap(lambda w: _after(game, policy, w)[0])(pasts)


def limit_cycle(game: PricingGame, policy: Int[Array, "firms pasts"], world: Int[Array, " firms"]) -> Cycle:
    """The cycle that deterministic policies reach from `world`, exactly.

    Args:
        policy: grid point of each firm for each past that it sees (own point leading, as `PricingGame` shows it).
        world: the past to start from.
    """
    jump = _jump(game, policy)
    for _ in range(game.observations.bit_length()):  # as many periods as there are pasts: surely on the cycle
        jump = jump[jump]
    start = game.seen(_points(game, jump[world[0]]))

    def walk(carry: tuple, _: None) -> tuple[tuple, Array]:
        at, going, length, profit, price = carry
        at = _after(game, policy, at)
        points = _points(game, at[0])
        charged = jnp.take_along_axis(game.prices, points[:, None], axis=1)[:, 0]
        profit, price = profit + going * game.profits[at[0]], price + going * charged
        length = length + going.astype(jnp.int32)
        return (at, going & (at[0] != start[0]), length, profit, price), at[0]

    zero = jnp.zeros(game.firms)
    carry = (start, jnp.asarray(True), jnp.int32(0), zero, zero)
    (_, _, length, profit, price), visited = jax.lax.scan(walk, carry, None, length=game.observations)
    on = jnp.zeros(game.observations, bool).at[visited].set(True)
    return Cycle(profit / length, price / length, length, start, on)


def profit_gain(game: PricingGame, profit: Float[Array, "*n firms"]) -> Float[Array, "*n"]:
    """Delta = (profit - Nash) / (monopoly - Nash), profits summed over firms: 0 competition, 1 joint monopoly.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), equation 9.
    Differs: firms that are not alike are added up before the ratio is taken.
    """
    nash, monopoly = game.nash.sum(axis=-1), game.monopoly.sum(axis=-1)
    return (profit.sum(axis=-1) - nash) / (monopoly - nash)


def present_value(
    game: PricingGame, policy: Int[Array, "firms pasts"], discount: float | Float[Array, ""], firm: int = 0
) -> Float[Array, " outcomes"]:
    """Discounted profit of a firm from the period after each outcome on, when all follow their policies for ever.

    v(x) = profit(f(x)) + discount v(f(x)), f the outcome that follows; summed by doubling over 2^20 periods.
    """
    jump = _jump(game, policy)
    value, weight = game.profits[jump, firm], jnp.asarray(discount, jnp.float32)
    for _ in range(20):
        value, weight, jump = value + weight * value[jump], weight * weight, jump[jump]
    return value


class Deviation(NamedTuple):
    """What follows when one firm undercuts once; periods 0 (before), 1 (the deviation), 2, ..."""

    price: Float[Array, "periods firms"]
    gain: Float[Array, ""]
    """Discounted profit of the deviator from period 1 on, for ever, less what it would have had, as a share of that."""
    back: Bool[Array, " periods"]
    """Whether the prices of the period belong to the cycle that was left."""


def deviation(
    game: PricingGame,
    policy: Int[Array, "firms pasts"],
    world: Int[Array, " firms"],
    discount: float | Float[Array, ""],
    firm: int = 0,
    periods: int = 15,
) -> Deviation:
    """Impulse response: `firm` plays its static best response once, then everybody follows the policies again.

    Args:
        policy: grid point of each firm for each past that it sees (own point leading, as `PricingGame` shows it).
        world: the past to start from; the play begins on the limit cycle that it leads to.
        discount: of the deviator, in [0, 1).
        firm: the deviator.
        periods: how many after period 0 are shown.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), section IV.
    """
    cycle = limit_cycle(game, policy, world)
    world = cycle.world
    greedy = policy[jnp.arange(game.firms), world]
    options = jax.vmap(lambda a: game.profits[game.seen(greedy.at[firm].set(a))[0], firm])(jnp.arange(game.points))
    first = game.seen(greedy.at[firm].set(jnp.argmax(options).astype(greedy.dtype)))
    _, outcomes = jax.lax.scan(lambda w, _: (_after(game, policy, w), w[0]), first, None, length=periods)
    outcomes = jnp.concatenate([world[:1], outcomes])
    value = present_value(game, policy, discount, firm)
    worth = lambda outcome: game.profits[outcome, firm] + jnp.asarray(discount) * value[outcome]
    price = jax.vmap(lambda x: game.prices[jnp.arange(game.firms), x])(_points(game, outcomes))
    return Deviation(price, worth(first[0]) / worth(game.seen(greedy)[0]) - 1, cycle.on[outcomes])


def _seats(dynamics: Any, state: Any, name: str) -> Int[Array, "firms ..."]:
    """One entry of all learners' states, in the order of the seats."""
    return dynamics.population.gather(dynamics.game, [getattr(a, name) for a in state.agents])["firm"]


class Collusion(AbstractMeasure):
    """Whether a pricing session has settled, and the cycle its greedy policies would play from here.

    For a `Play` of one `PricingGame` copy whose learners keep `greedy` (best grid point of each past), `updates` and
    `changed` (number of the last update that changed it) in their states, under `Independent`. A session is settled
    when no firm's greedy policy changed in the last `patience` periods: ALL firms at once, counted in periods.

    Raises:
        InputError: a patience below 1.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), section II.C: patience 100,000.
    Differs: looked at every `every` periods only, so a session that settles and moves again between two looks goes on.
    """

    every: int = count(25_000)
    patience: int = count(100_000)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("settled", (), "1", "1 if no greedy policy changed in the last `patience` periods, else 0"),
            Variable("stable", (), "periods", "periods since a greedy policy last changed"),
            Variable("profit_gain", (), "1", "profit gain of the greedy cycle: 0 Nash, 1 joint monopoly"),
            Variable("cycle_length", (), "periods", "length of the greedy cycle"),
            Variable("cycle_price", ("firm",), "price", "mean price on the greedy cycle"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        game: PricingGame = dynamics.game
        stable = (_seats(dynamics, state, "updates") - _seats(dynamics, state, "changed")).min()
        cycle = limit_cycle(game, _seats(dynamics, state, "greedy"), state.worlds[0])
        return {
            "settled": (stable >= self.patience).astype(jnp.int32),
            "stable": stable,
            "profit_gain": profit_gain(game, cycle.profit),
            "cycle_length": cycle.length,
            "cycle_price": cycle.price,
        }


class PriceCut(AbstractMeasure):
    """What would follow if firm 1 undercut once now and all followed their greedy policies otherwise; see `deviation`.

    For the plays that `Collusion` is for. Nothing is disturbed: the session goes on as if nobody had asked.
    """

    every: int = count(25_000)
    discount: Float[Array, ""] = number(0.95, "[0, 1)", dtype=jnp.float32)
    periods: int = count(15)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Of one session; period 0 is before the cut, 1 the cut."""
        return (
            Variable("cut_price", ("period", "firm"), "price", "prices around a cut by firm 1"),
            Variable("cut_gain", (), "1", "discounted gain of the cut, relative to what firm 1 would have had"),
            Variable("cut_back", ("period",), "1", "1 if the prices belong to the cycle that was left, else 0"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        greedy = _seats(dynamics, state, "greedy")
        found = deviation(dynamics.game, greedy, state.worlds[0], self.discount, periods=self.periods)
        return {"cut_price": found.price, "cut_gain": found.gain, "cut_back": found.back.astype(jnp.int32)}
