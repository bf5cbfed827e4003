"""Tabular Q-learning for one seat, with its ways to explore and its step sizes.

The table is one flat padded vector, row s at s * width, and every row's best action is kept beside it: a phase of one
tick costs a few scalar reads, one write and one look at the row again (see docs/design.md, "Speed").
"""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, Discrete, Parametrized, Spec, count, flag, number, rng
from catallax.core.softmax import softmax_at_any_scale

from .initial import UniformValues, check_initial, first_table, first_values

_PAD = 8


class QState(NamedTuple):
    """What a Q-learner has learnt."""

    table: Float[Array, " S*W"]
    """Q(s, a) at s * W + a; -inf where an action is not legal; entries beyond the actions are padding."""
    greedy: Int[Array, " S"]
    """The first best action of each row."""
    visits: Any
    """Updates of each entry, as the table; () where the step size does not ask."""
    updates: Int[Array, ""]
    """Transitions learnt from so far."""
    changed: Any = ()
    """Number of the last update that changed the best action of its row, 0 before there was one; () where the learner
    does not track it."""


class AbstractExploration(Parametrized):
    """How a learner chooses between what it believes best and the rest."""

    @abc.abstractmethod
    def choose(
        self,
        bits: rng.Bits,
        row: Float[Array, " A"],
        greedy: Int[Array, ""],
        updates: Int[Array, ""],
        masked: bool,
    ) -> Int[Array, ""]:
        """An action from a row of values (-inf: not legal, only if `masked`) and its best action."""

    @abc.abstractmethod
    def policy(self, values: Float[Array, "S A"], updates: Int[Array, ""]) -> Float[Array, "S A"]:
        """The probabilities with which `choose` chooses."""


class EpsilonGreedy(AbstractExploration):
    """A uniform legal action with probability epsilon_n, the first best one otherwise.

    epsilon_n = least + (epsilon - least) exp(-decay n) after n updates. The coin has 24 bits: a chance below 2^-24 that
    is not 0 counts as 2^-24. With `shared_draw` the coin also decides which action is tried: given that it is below
    epsilon_n, the coin over epsilon_n is uniform. The coin then has 32 bits.

    Raises:
        InputError: a parameter outside its range.
    """

    epsilon: Float[Array, ""] = number(0.1, "[0, 1]")
    decay: Float[Array, ""] = number(0.0, "[0, 1e6]")
    least: Float[Array, ""] = number(0.0, "[0, 1]")
    shared_draw: bool = flag(False)

    def probability(self, updates: Int[Array, ""]) -> Float[Array, ""]:
        """epsilon_n."""
        return self.least + (self.epsilon - self.least) * jnp.exp(-self.decay * updates.astype(self.decay.dtype))

    def choose(
        self,
        bits: rng.Bits,
        row: Float[Array, " A"],
        greedy: Int[Array, ""],
        updates: Int[Array, ""],
        masked: bool,
    ) -> Int[Array, ""]:
        """32 bits for the coin and 32 for the action, or the same 32 for both."""
        epsilon = self.probability(updates)
        if self.shared_draw:
            return self._from_shared_draw(bits, row, greedy, epsilon, masked)
        if masked:
            other = rng.to_candidate(bits.second, row > -jnp.inf)
        else:
            other = rng.to_integer(bits.second, row.shape[0])
        return jnp.where(rng.to_uniform(bits.first) < epsilon, other, greedy)

    def _from_shared_draw(
        self,
        bits: rng.Bits,
        row: Float[Array, " A"],
        greedy: Int[Array, ""],
        epsilon: Float[Array, ""],
        masked: bool,
    ) -> Int[Array, ""]:
        u = bits.first.astype(jnp.float32) * jnp.float32(2**-32)
        open = (row > -jnp.inf).sum() if masked else row.shape[0]
        rank = jnp.minimum((u / jnp.maximum(epsilon, 1e-30) * open).astype(jnp.int32), open - 1)
        other = (jnp.cumsum(row > -jnp.inf) <= rank).sum(dtype=jnp.int32) if masked else rank
        return jnp.where(u < epsilon, other, greedy)

    def policy(self, values: Float[Array, "S A"], updates: Int[Array, ""]) -> Float[Array, "S A"]:
        legal = values > -jnp.inf
        uniform = legal / legal.sum(axis=1, keepdims=True)
        best = jax.nn.one_hot(values.argmax(axis=1), values.shape[1])
        epsilon = self.probability(updates)
        return epsilon * uniform + (1 - epsilon) * best


class Boltzmann(AbstractExploration):
    """Action a with probability proportional to exp(c Q(s, a)); c > 0 is an inverse temperature.

    Raises:
        InputError: c is not positive.
    """

    inverse_temperature: Float[Array, ""] = number(1.0, "(0, 1e30]")

    def choose(
        self,
        bits: rng.Bits,
        row: Float[Array, " A"],
        greedy: Int[Array, ""],
        updates: Int[Array, ""],
        masked: bool,
    ) -> Int[Array, ""]:
        """By inversion; a product with a triangle is a faster prefix sum than a scan on short rows."""
        actions = row.shape[0]
        weights = jnp.exp(self.inverse_temperature * (row - row.max()))
        below = weights @ jnp.triu(jnp.ones((actions, actions), row.dtype))
        action = rng.inverse_cdf(rng.to_uniform(bits.first) * below[-1], below)
        return jnp.where(action < actions, action, greedy)  # rounding may leave nothing above

    def policy(self, values: Float[Array, "S A"], updates: Int[Array, ""]) -> Float[Array, "S A"]:
        scale = self.inverse_temperature
        return softmax_at_any_scale(scale * values, scale * (values - values.max(axis=1, keepdims=True)))


class AbstractRate(Parametrized):
    """A step size."""

    counts: ClassVar[bool] = False
    """Whether it depends on how often an entry was updated."""

    @abc.abstractmethod
    def __call__(self, visits: Float[Array, ""]) -> Float[Array, ""]:
        """The step size of an entry updated so many times before."""


class ConstantRate(AbstractRate):
    """alpha in (0, 1]. Raises `InputError` outside."""

    alpha: Float[Array, ""] = number(0.1, "(0, 1]")

    def __call__(self, visits: Float[Array, ""]) -> Float[Array, ""]:
        return self.alpha


class PolynomialRate(AbstractRate):
    """(1 + n(s, a))^(-power): the first update of an entry replaces it. Raises `InputError` for a power not in (0, 1].

    Source: Even-Dar and Mansour (2003), polynomial learning rates; power 0.87 as reported for GuoHuXuZhang2019.
    """

    counts = True

    power: Float[Array, ""] = number(0.87, "(0, 1]")

    def __call__(self, visits: Float[Array, ""]) -> Float[Array, ""]:
        return (1 + visits) ** -self.power


class QLearning(AbstractAgent):
    """Q(s, a) <- Q(s, a) + rate [r + gamma d max_b Q(s', b) - Q(s, a)], d the game's own discount of the tick.

    The observation is the row, an integer scalar below `states`; give the group an `Interface` whose view computes it
    where the game shows something else. A phase may have one tick or many; with many, the table is learnt from in the
    order lived, while the policy stays what it was when the phase began. Several sequences (copies, or seats that share
    a table) are learnt from one after the other, in their order: Q-learning is off-policy, so any order is sound, but
    it is one order among many.

    Args:
        states, actions: the size of the table.
        explore: `EpsilonGreedy(...)` or `Boltzmann(...)`.
        rate: `ConstantRate(...)` or `PolynomialRate(...)`.
        gamma: discount beyond the game's own; 1 where the game discounts.
        initial: first values: a number, one for each action [A], a table [S, A], or `UniformValues(low, high)`,
            drawn anew by every seat of every run.
        legal: a named function from row to Bool[A], which actions are open there (at least one); None for all.
        track_settling: whether the state keeps the number of the last update that changed the best action of a row, so
            that `state.updates - state.changed` updates have passed since the greedy policy last changed.

    Values, rewards and step sizes have JAX's default float type: with a discount near 1 the values are of the order of
    1 / (1 - gamma) and differ by a thousandth, which asks for double precision (x64).

    The firms of Calvano et al. have `EpsilonGreedy(1.0, decay, shared_draw=True)`, `ConstantRate` and `track_settling`,
    and one tick a phase: they explore with the chance exp(-decay t) in tick t = 0, 1, ... , and a session stops when
    `updates - changed` has reached 100,000 for both.

    Raises:
        BuildError: the seat's action space is not Discrete(actions), or its observation is no integer scalar.
        InputError: a size below one, a parameter outside its range, initial values of another form.

    Source: Watkins and Dayan (1992); Calvano, Calzolari, Denicolo and Pastorello (2020), sections I.B, II.B and II.C.
    Differs: ties go to the first action, in Calvano et al. the lowest price; random ties change little.
    """

    states: int = count()
    actions: int = count()
    explore: AbstractExploration = eqx.field(default_factory=EpsilonGreedy)
    rate: AbstractRate = eqx.field(default_factory=ConstantRate)
    gamma: Float[Array, ""] = number(1.0, "[0, 1]")
    initial: Float[Array, "..."] | UniformValues = eqx.field(converter=first_values, default=0.0)
    legal: Callable[[Int[Array, ""]], Bool[Array, " A"]] | None = eqx.field(static=True, default=None)
    track_settling: bool = flag(False)

    @property
    def width(self) -> int:
        """Length of a padded row."""
        return -(-self.actions // _PAD) * _PAD

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> QState:
        """The first table. Draws only if `initial` does."""
        self._fits(spec)
        values = first_table(self.initial, key, (self.states, self.actions))
        if self.legal is not None:
            values = jnp.where(jax.vmap(self.legal)(jnp.arange(self.states)), values, -jnp.inf)
        table = jnp.pad(values, ((0, 0), (0, self.width - self.actions))).reshape(-1)
        visits = jnp.zeros(table.shape) if self.rate.counts else ()
        greedy = jnp.argmax(values, axis=1).astype(jnp.int32)
        return QState(table, greedy, visits, jnp.int32(0), jnp.int32(0) if self.track_settling else ())

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: QState, memory: Any, obs: Int[Array, ""]
    ) -> tuple[Int[Array, ""], Any, Any]:
        """Explore or exploit in row `obs`; remembers the row's best action if `track_settling`."""
        row = jax.lax.dynamic_slice(state.table, (obs * self.width,), (self.actions,))
        masked, best = self.legal is not None, state.greedy[obs]
        action = self.explore.choose(rng.key_bits(key), row, best, state.updates, masked)
        return action, memory, best if self.track_settling else ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: QState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[QState, dict[str, Array]]:
        """Every transition of the phase in turn."""
        lived = (
            batch.obs[:, :-1],
            batch.action,
            batch.reward.astype(state.table.dtype),
            batch.discount.astype(state.table.dtype),
            batch.obs[:, 1:],
        )
        lived = jax.tree.map(lambda x: x.reshape(-1), lived)
        n = batch.action.size
        if n == 1:
            after, errors = self._update(state, jax.tree.map(lambda x: x[0], lived))
        else:
            after, errors = jax.lax.scan(lambda q, x: self._update(q, x), state, lived)
        if self.track_settling:
            after = after._replace(changed=jnp.where(self._moved(state, after, batch), after.updates, state.changed))
        log = {
            "td_error": jnp.abs(errors).mean(),
            "greedy_changes": (after.greedy != state.greedy).sum(dtype=jnp.int32),
        }
        return after, log

    def _moved(self, before: QState, after: QState, batch: Batch) -> Bool[Array, ""]:
        """Whether a best action changed in the phase."""
        if batch.action.size == 1:
            # Reading the greedy table again after it was written is cheaper than comparing the value on its way there:
            # XLA would scan the row once for each of the two uses.
            return after.greedy[batch.obs[0, 0]] != batch.extras[0, 0]
        return (after.greedy != before.greedy).any()

    def best(self, state: QState, obs: Int[Array, ""]) -> Int[Array, ""]:
        """The policy without exploring: the first best action of row `obs`."""
        return state.greedy[obs]

    def values(self, state: QState) -> Float[Array, "S A"]:
        """The table without padding; -inf where an action is not legal."""
        return state.table.reshape(self.states, self.width)[:, : self.actions]

    def policy(self, state: QState) -> Float[Array, "S A"]:
        """How the learner now plays, exploration included."""
        return self.explore.policy(self.values(state), state.updates)

    def _update(self, state: QState, lived: tuple[Array, ...]) -> tuple[QState, Array]:
        s, a, reward, discount, s2 = lived
        table, greedy, visits, updates, changed = state
        i = s * self.width + a
        best = table[s2 * self.width + greedy[s2]]
        old = table[i]
        rate = self.rate(visits[i] if self.rate.counts else jnp.zeros((), table.dtype))
        error = reward + self.gamma * discount * best - old
        # write first, then look at the row again: a row that is read, edited and reused costs four times as much
        table = table.at[i].set(old + rate * error)
        row = jax.lax.dynamic_slice(table, (s * self.width,), (self.actions,))
        greedy = greedy.at[s].set(jnp.argmax(row).astype(jnp.int32))
        visits = visits.at[i].add(1.0) if self.rate.counts else visits
        return QState(table, greedy, visits, updates + 1, changed), error

    def _fits(self, spec: Spec) -> None:
        if spec.action != Discrete(self.actions):
            raise BuildError(f"{type(self).__name__} has {self.actions} actions; its seat accepts {spec.action}")
        obs = spec.obs
        scalar = isinstance(obs, jax.ShapeDtypeStruct) and obs.shape == () and jnp.issubdtype(obs.dtype, jnp.integer)
        if not scalar:
            raise BuildError(
                f"{type(self).__name__} looks rows up by an integer scalar, but its seat sees {obs}; "
                "give its group an Interface whose view computes the row"
            )
        check_initial(type(self).__name__, self.initial, (self.states, self.actions))
