"""The karma economies that `karma.social` runs: two allocations without karma, learners, and mean fields."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax.numpy as jnp
import msgspec
from jaxtyping import Array, Int, PRNGKeyArray, Shaped

from catallax.agents.tabular.sarsa import Sarsa
from catallax.core import AbstractAgent, Group, Interface, NaNCount, Play, Population
from catallax.games import karma
from catallax.lab import Cell
from catallax.measures.karma import Conservation, FieldOutcomes, KarmaDistribution, MeanBids, SocialOutcomes
from catallax.solvers.karma import KarmaEquilibrium

EPOCH = 1000
"""Steps of a phase of the learners."""
HORIZON = 10_000
"""Steps over which COIN and DICT, and the source, take fairness."""
DISCOUNTS = (0.0, 0.5, 0.8, 0.98)
SMOOTH = 5.0
"""Inverse temperature of the learners and of their mean field."""
RATIONAL = 1000.0
"""Inverse temperature of the nearly rational mean fields."""
SCRIPTED = ("coin", "dict")
"""The lanes of the cell "fixed": players bid nothing, or one unit, when urgent."""
_ANNEAL = 3000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed from the command line."""

    players: int = 200
    """Even; the source's table has 200."""


def _integers(x: Sequence[int] | Array) -> Array:
    return jnp.asarray(x, jnp.int32)


class UrgencyBid(AbstractAgent):
    """Bids a fixed amount at each urgency level, at most what it has."""

    bids: Int[Array, " levels"] = eqx.field(converter=_integers)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: tuple, memory: tuple, obs: karma.KarmaView
    ) -> tuple[Int[Array, ""], tuple, tuple]:
        """The bid of the present urgency; nothing is drawn."""
        return jnp.minimum(self.bids[obs.urgency], obs.karma), memory, ()


def game(players: int, payment: karma.AbstractPayment) -> karma.PairwiseKarma:
    """Urgency 1 or 5 with equal chances at every step, cap 20, 10 karma each."""
    return karma.PairwiseKarma(players=players, urgency=karma.Urgency.iid((1.0, 5.0)), payment=payment)  # pyright: ignore[reportCallIssue]


def _play(game: karma.PairwiseKarma, rule: AbstractAgent, length: int, interface: Interface | None = None) -> Play:
    group = Group("player", None, rule, interface)
    return Play(game, Population((group,)), length=length, episodic=False)


def fixed(players: int) -> Callable[[Array], Play]:
    """Bids cost nothing: 0 when calm, `urgent_bid` when urgent. With 0 this is COIN, with 1 DICT."""
    play = _play(game(players, karma.PayNothing()), UrgencyBid([0, 0]), HORIZON)
    bids = lambda play: play.population.groups[0].control.agent.bids
    return lambda urgent_bid: eqx.tree_at(bids, play, bids(play).at[1].set(urgent_bid.astype(jnp.int32)))


def learners(players: int) -> Play:
    """A table each, softmax of inverse temperature 5 without further exploration, payment to society."""
    world = game(players, karma.PayBidToSociety())
    rule = Sarsa(karma.open_bids(world), alpha=0.01, gamma=0.98, epsilon=0.0, beta=SMOOTH)
    return _play(world, rule, EPOCH, karma.karma_interface(world))


def rational_field(payment: karma.AbstractPayment, gamma: float | Array) -> KarmaEquilibrium:
    """The mean field at beta = 1000; step sizes fall from 0.05."""
    world = game(2, payment)
    return KarmaEquilibrium(world, gamma=gamma, beta=RATIONAL, rate=0.05, last_rate=1e-4, steps=_ANNEAL)


def smooth_field(payment: karma.AbstractPayment) -> KarmaEquilibrium:
    """The mean field of the learners."""
    return KarmaEquilibrium(game(2, payment), gamma=0.98, beta=SMOOTH)


def cells(settings: Settings) -> tuple[Cell, ...]:
    """COIN, DICT, the learners, and the mean field."""
    n = settings.players
    guards = (SocialOutcomes(), Conservation(), NaNCount())
    field = (FieldOutcomes(every=20),)
    return (
        Cell(
            name="fixed", label="COIN and DICT", build=fixed(n), measures=guards,
            lanes={"urgent_bid": tuple(range(len(SCRIPTED)))}, steps={"quick": 1, "paper": 1},
        ),
        Cell(
            name="learners", label="learners, PBS, beta 5", build=lambda: learners(n),
            measures=(*guards, KarmaDistribution(10), MeanBids(10)),
        ),
        Cell(
            name="field", label="mean field, PBS, beta 5", build=lambda: smooth_field(karma.PayBidToSociety()),
            measures=field, steps={"quick": 100, "paper": 1000},
        ),
        *(Cell(
              name=f"rational_{name}", label=f"mean field, {name.upper()}, beta 1000",
              build=lambda gamma, payment=payment: rational_field(payment, gamma), measures=field,
              lanes={"gamma": DISCOUNTS}, steps={"quick": 100, "paper": _ANNEAL},
          )
          for name, payment in (("pbp", karma.PayBidToPeer()), ("pbs", karma.PayBidToSociety()))),
    )  # fmt: skip
