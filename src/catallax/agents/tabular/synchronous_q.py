"""Q-learning from forgone payoffs: every action is updated after every tick, the one taken like the others."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, Discrete, Spec, count, number, rng

from .initial import UniformValues, check_initial, first_table, first_values
from .q_learning import AbstractExploration, EpsilonGreedy, QState


class SynchronousQLearning(AbstractAgent):
    """Q(s, b) <- Q(s, b) + alpha [r(b) + gamma d max_c Q(s', c) - Q(s, b)] for all actions b at once.

    r(b) is what b would have earned against what the others did, from an observation of the form `Forgone`; d the
    game's own discount of the tick. Where a game also has states it shows `ForgoneInState`. A tick after which the
    payoffs are not shown (`played` is False) teaches nothing. Copies and ticks of a phase are learnt from one after the
    other.

    Args:
        actions: A.
        states: how many states `ForgoneInState` tells apart; 1 for `Forgone`.
        explore: how to choose; ties of the best action go to the first.
        alpha: step size in (0, 1].
        gamma: discount in [0, 1], beyond the game's own.
        initial: first values: a number, one for each action [A], a table [S, A], or `UniformValues(low, high)`.

    Raises:
        BuildError: the seat's action space is not Discrete(actions), or it is not shown forgone payoffs of that length.
        InputError: a size below one, alpha or gamma out of range, initial values of another form.

    Source: Asker, Fershtman and Pakes (2022), synchronous updating; Banchio and Skrzypacz (2022) for auctions in which
        the lowest bid that would have won is revealed.
    """

    actions: int = count()
    states: int = count(1)
    explore: AbstractExploration = eqx.field(default_factory=EpsilonGreedy)
    alpha: Float[Array, ""] = number(0.1, "(0, 1]")
    gamma: Float[Array, ""] = number(1.0, "[0, 1]")
    initial: Float[Array, "..."] | UniformValues = eqx.field(converter=first_values, default=0.0)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> QState:
        """The first table, rows one after the other."""
        self._fits(spec)
        values = first_table(self.initial, key, (self.states, self.actions))
        return QState(values.reshape(-1), jnp.argmax(values, axis=1).astype(jnp.int32), (), jnp.int32(0))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: QState, memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        s = self._row(obs)
        action = self.explore.choose(
            rng.key_bits(key), self._slice(state.table, s), state.greedy[s], state.updates, False
        )
        return action, memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: QState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[QState, dict[str, Array]]:
        """Every transition of the phase in turn."""
        now, after = (jax.tree.map(lambda x, at=at: x[:, at], batch.obs) for at in (slice(None, -1), slice(1, None)))
        rows = [jnp.broadcast_to(self._row(obs), batch.action.shape) for obs in (now, after)]
        lived = (rows[0], after.payoff, after.played, batch.discount, rows[1])
        lived = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), lived)
        if batch.action.size == 1:
            state = self._update(state, jax.tree.map(lambda x: x[0], lived))
        else:
            state, _ = jax.lax.scan(lambda q, x: (self._update(q, x), None), state, lived)
        return state, {"reward": batch.reward.mean()}

    def best(self, state: QState, obs: Any) -> Int[Array, ""]:
        """The policy without exploring: the first best action."""
        return state.greedy[self._row(obs)]

    def values(self, state: QState) -> Float[Array, "S A"]:
        """The table."""
        return state.table.reshape(self.states, self.actions)

    def policy(self, state: QState) -> Float[Array, "S A"]:
        """How the learner now plays, exploration included."""
        return self.explore.policy(self.values(state), state.updates)

    def _row(self, obs: Any) -> Int[Array, "..."]:
        return obs.state if self.states > 1 else jnp.int32(0)

    def _slice(self, table: Float[Array, " entries"], s: Int[Array, ""]) -> Float[Array, " A"]:
        return table if self.states == 1 else jax.lax.dynamic_slice(table, (s * self.actions,), (self.actions,))

    def _update(self, state: QState, lived: tuple[Array, ...]) -> QState:
        s, payoff, played, discount, s2 = lived
        table, greedy, visits, updates, _ = state
        row, ahead = self._slice(table, s), table[s2 * self.actions + greedy[s2]]
        target = payoff.astype(table.dtype) + self.gamma * discount.astype(table.dtype) * ahead
        row = jnp.where(played, row + self.alpha * (target - row), row)
        table = row if self.states == 1 else jax.lax.dynamic_update_slice(table, row, (s * self.actions,))
        greedy = greedy.at[s].set(jnp.argmax(row).astype(jnp.int32))
        return QState(table, greedy, visits, updates + 1)

    def _fits(self, spec: Spec) -> None:
        if spec.action != Discrete(self.actions):
            raise BuildError(f"SynchronousQLearning has {self.actions} actions; its seat accepts {spec.action}")
        needed = ("payoff", "played") + (("state",) if self.states > 1 else ())
        if not all(hasattr(spec.obs, name) for name in needed) or spec.obs.payoff.shape != (self.actions,):
            form = "ForgoneInState" if self.states > 1 else "Forgone"
            raise BuildError(
                f"SynchronousQLearning learns from what each of its {self.actions} actions would have earned, but its "
                f"seat sees {spec.obs}; have the game show {form} (full feedback)"
            )
        check_initial("SynchronousQLearning", self.initial, (self.states, self.actions))
