"""Nine markets side by side, in which one kind of learner learns, is frozen and is tried out, phase by phase.

All nine are played in every phase on the same tokens and the same random numbers, by one program: every seat holds a
learner, a zero-intelligence trader and a truth-teller, and a number says which of them speaks. Another market therefore
costs a row of an array and no compilation.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray, PyTree, Shaped

from catallax import core
from catallax.agents.traders import ZIC, TruthTeller
from catallax.core import AbstractAgent, AbstractDynamics, AbstractMeasure, AbstractSpace, Group, Interface, Play, rng
from catallax.games.double_auction.double_auction import DoubleAuction
from catallax.games.double_auction.observation import Order, TraderView
from catallax.measures.double_auction.collusion import mean_change

ZERO, TRUTH, LEARNER = 0, 1, 2
ROUNDS_PER_UPDATE = 10


class Market(NamedTuple):
    """One of the nine markets: who speaks in seat 1 of each side, who in the other seats, and who learns."""

    label: str
    first: int
    others: int
    learns: str = "nobody"
    """"nobody", "first" (both seats 1), "all", or "entrant" (buyer 1)."""


MARKETS = {
    "zero": Market("zero intelligence only", ZERO, ZERO),
    "one": Market("one learner a side", LEARNER, ZERO, "first"),
    "all": Market("all learn", LEARNER, LEARNER, "all"),
    "frozen": Market("all, frozen", LEARNER, LEARNER),
    "entrant": Market("fresh buyer 1 against all, frozen", LEARNER, LEARNER, "entrant"),
    "truthful": Market("truth-tellers only", TRUTH, TRUTH),
    "among_truthful": Market("frozen among truth-tellers", LEARNER, TRUTH),
    "own_kind": Market("frozen among its own kind", LEARNER, LEARNER),
    "deviant": Market("all, buyer 1 bids its value", LEARNER, LEARNER),
}
"""In the order of the axis "market". Learners of "one" and "all" learn. The later markets play with frozen copies of
their states: "frozen" and "entrant" with the states of "all" in the last phase whose number was a power of two,
"deviant" with the current states of "all", "among_truthful" and "own_kind" with the current states of the two learners
of "one"."""
NAMES = tuple(MARKETS)
MIXED = ("baseline", "actor_critic", "ppo", "table")
"""The mixed population: one of each of these learners on each side, in the order of the seats."""


class SwitchedAction(NamedTuple):
    """What a seat says: the learner's action in its own space, which trader speaks, and the random bits of a ZIC."""

    raw: Any
    speaker: Int[Array, ""]
    bits: rng.Bits


class _Move(eqx.Module):
    """The order of the trader that speaks.

    The two scripted traders decide here, where the observation is at hand, so that it need not be kept.
    """

    move: Any

    def __call__(self, obs: TraderView, action: SwitchedAction) -> Order:
        learnt = self.move(obs, action.raw)
        random, _ = ZIC().quote(rng.key_from_bits(action.bits), (), obs)
        honest, _ = TruthTeller().quote(rng.key_from_bits(action.bits), (), obs)  # draws nothing
        spoken = lambda *x: jnp.where(action.speaker == LEARNER, x[0], jnp.where(action.speaker == TRUTH, x[1], x[2]))
        return jax.tree.map(spoken, learnt, honest, random)


class SwitchedTrader(AbstractAgent):
    """A learner, a zero-intelligence trader and a truth-teller in one seat; `speaker` says which of them it is."""

    learns_in_sequence = True

    learner: AbstractAgent
    speaker: Int[Array, "..."]
    learns: Bool[Array, "..."]
    space: AbstractSpace | None = eqx.field(static=True)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: core.Spec) -> PyTree[Array]:
        """The first state of the learner."""
        return self.learner.init(key, core.Spec(spec.obs, spec.action if self.space is None else self.space))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, memory: Any, obs: Any
    ) -> tuple[SwitchedAction, PyTree[Array], PyTree[Array]]:
        """The learner decides. Only one of the three is heard, so the others may draw the same numbers."""
        raw, memory, extras = self.learner.act(key, state, memory, obs)
        return SwitchedAction(raw, self.speaker, rng.key_bits(key)), memory, extras

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Any, batch: core.Batch, t: Int[Array, ""]
    ) -> tuple[PyTree[Array], dict[str, Array]]:
        """The learner's update where it learns; elsewhere nothing is computed."""
        lived = batch._replace(action=batch.action.raw)
        learnt = lambda: self.learner.learn(key, state, lived, t)[0]
        return jax.lax.cond(self.learns, learnt, lambda: state), {}


class TrialState(NamedTuple):
    """What has been learnt: states of the learner, for buyers and sellers."""

    one: tuple[PyTree[Array], PyTree[Array]]
    """States of the two learners among zero intelligence, leaves [...]."""
    every: tuple[PyTree[Array], PyTree[Array]]
    """States of all seats where all learn, leaves [4, ...]."""
    frozen: tuple[PyTree[Array], PyTree[Array]]
    """`every` in the last phase whose number was a power of two."""
    entrant: PyTree[Array]
    """State of the buyer who entered in that phase and has learnt against `frozen` since."""
    born: PyTree[Array]
    """State with which an entrant begins: the first state of seller 1, which no buyer ever had."""


class TrialRecord(NamedTuple):
    """A phase of all markets: as a play's record, leaves with a leading axis market."""

    batches: Any
    first: Any
    last: Any
    info: Any
    logs: Any


class Trials(AbstractDynamics):
    """The nine markets of one learner. A step is a phase of ten rounds.

    Whenever the number of a phase is a power of two, all that learn in "all" are copied and frozen, and a fresh learner
    begins to learn in the seat of buyer 1 against them. At the end of 2^k phases it has learnt for 2^(k-1) phases, as
    long as they had: its profit less what the frozen buyer 1 earns in its place is a lower bound on how far a better
    policy could exploit them (a lower bound on exploitability: a learner need not find the best response).
    """

    play: Play

    @property
    def game(self) -> DoubleAuction:
        """The market's rules."""
        return self.play.game  # type: ignore[return-value]

    @property
    def most_steps(self) -> int:
        """The most steps that the counter of ticks of the play can count."""
        return self.play.most_steps

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> TrialState:
        buyers, sellers = self.play.init(key).agents
        first = lambda tree: jax.tree.map(lambda x: x[0], tree)
        return TrialState(
            (first(buyers), first(sellers)), (buyers, sellers), (buyers, sellers), first(sellers), first(sellers)
        )

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: TrialState, t: Int[Array, ""]
    ) -> tuple[TrialState, TrialRecord]:
        now = t & (t - 1) == 0
        kept = lambda new, old: jax.tree.map(lambda x, y: jnp.where(now, x, y), new, old)
        state = state._replace(frozen=kept(state.every, state.frozen), entrant=kept(state.born, state.entrant))
        agents = self._agents(state)

        def market(speaker: Any, learns: Any, agents: Any) -> Any:
            mine = lambda p: [getattr(g.control.agent, x) for x in ("speaker", "learns") for g in p.population.groups]
            play = eqx.tree_at(mine, self.play, [*speaker, *learns])
            return play.step(key, core.PlayState((), ((), ()), agents), t)

        after, record = jax.vmap(market)(*_script(self.game.buyers, self.game.sellers), agents)
        one, every, entrant = (NAMES.index(name) for name in ("one", "all", "entrant"))
        row = lambda tree, *i: jax.tree.map(lambda x: x[i], tree)
        state = TrialState(
            tuple(row(side, one, 0) for side in after.agents),  # type: ignore[arg-type]
            tuple(row(side, every) for side in after.agents),  # type: ignore[arg-type]
            state.frozen,
            row(after.agents[0], entrant, 0),
            state.born,
        )
        return state, TrialRecord(*record)

    def _agents(self, state: TrialState) -> tuple[PyTree[Array], PyTree[Array]]:
        """The states of the seats in each market, leaves [market, seats, ...]."""

        def side(i: int) -> PyTree[Array]:
            def markets(one: Array, every: Array, frozen: Array, entrant: Array) -> Array:
                alike = jnp.broadcast_to(one, every.shape)
                new = jnp.concatenate([entrant[None], frozen[1:]]) if i == 0 else frozen
                given = {"all": every, "deviant": every, "frozen": frozen, "entrant": new}
                return jnp.stack([given.get(name, alike) for name in NAMES])

            return jax.tree.map(markets, state.one[i], state.every[i], state.frozen[i], state.entrant)

        return side(0), side(1)


def _script(buyers: int, sellers: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Who speaks and who learns, for each side: [market, seats]."""
    speaks, learns = [], []
    for side, n in enumerate((buyers, sellers)):
        speaks.append([[m.first] + [m.others] * (n - 1) for m in MARKETS.values()])
        first = lambda m, side=side: m.learns in ("first", "all") or (m.learns == "entrant" and side == 0)
        learns.append([[first(m)] + [m.learns == "all"] * (n - 1) for m in MARKETS.values()])
    speaks[0][NAMES.index("deviant")][0] = TRUTH
    return tuple(map(jnp.asarray, speaks)), tuple(map(jnp.asarray, learns))  # type: ignore[return-value]


def trials(game: DoubleAuction, learner: AbstractAgent, interface: Interface) -> Trials:
    """The nine markets of a learner that sees and speaks through the interface, under the rules of the game."""
    groups = []
    for role in game.roles:
        trader = SwitchedTrader(learner, jnp.int32(LEARNER), jnp.asarray(True), interface.space)
        control = core.Independent.each([trader] * role.seats)
        groups.append(Group(role.name, None, control, Interface(interface.view, _Move(interface.move))))
    return Trials(Play(game, core.Population(groups), length=game.length, copies=ROUNDS_PER_UPDATE))


class InEachMarket(AbstractMeasure):
    """A measure of a play, taken in each of the nine markets."""

    measure: AbstractMeasure

    @property
    def every(self) -> int:  # type: ignore[override]
        """How many steps apart the measure is taken."""
        return self.measure.every

    @property
    def variables(self) -> tuple[core.Variable, ...]:
        """The variables of the measure, with a leading axis market."""
        return tuple(v._replace(dims=("market", *v.dims)) for v in self.measure.variables)

    def __call__(self, dynamics: Any, state: Any, record: TrialRecord, t: Int[Array, ""]) -> dict[str, Array]:
        return jax.vmap(lambda record: self.measure(dynamics, state, record, t))(record)


class Answer(AbstractMeasure):
    """How the learners' quotes change, tick by tick, when buyer 1 bids its value for a round: "deviant" less "all".

    In the coordinates of the own side: a positive change is a more generous quote.
    """

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self) -> tuple[core.Variable, ...]:
        """Means over the rounds of a phase."""
        return (
            core.Variable("rivals_answer", ("tick",), "price", "mean change of the other buyers' bids", True),
            core.Variable("sellers_answer", ("tick",), "price", "mean change of asks, sign reversed", True),
        )

    def __call__(self, dynamics: Any, state: Any, record: TrialRecord, t: Int[Array, ""]) -> dict[str, Array]:
        both = jnp.asarray([NAMES.index("all"), NAMES.index("deviant")])
        bids, asks = record.info.bids[both], -record.info.asks[both]
        others = jnp.arange(bids.shape[-1]) > 0
        return {
            "rivals_answer": mean_change(bids, others),
            "sellers_answer": mean_change(asks, jnp.ones(asks.shape[-1], bool)),
        }
