"""The learner of the pricing experiments: tabular Q-learning that knows since when its greedy policy has not moved."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.tabular.q_learning import EpsilonGreedy, QLearning, QState
from catallax.core import Batch, InputError, rng


class SettlingState(NamedTuple):
    """What has been learnt, as in `QState`, and when the greedy policy last changed."""

    table: Float[Array, " S*W"]
    greedy: Int[Array, " S"]
    visits: Any
    updates: Int[Array, ""]
    changed: Int[Array, ""]
    """Number of the last update that changed the best action of its row; 0 before there was one."""


class SettlingQLearning(QLearning):
    """`QLearning` with epsilon-greedy exploration, for experiments that stop when the greedy policy stands still.

    `state.updates - state.changed` is the number of updates since the best action of any state last changed; Calvano
    et al. stop a session when it has reached 100,000 for both firms. With `EpsilonGreedy(1.0, decay=beta)` and one tick
    a phase, exploration has the chance exp(-beta t) in tick t = 0, 1, 2, ... . One random word decides both whether to
    explore (u < epsilon) and which action to try (u / epsilon is uniform then).

    Raises:
        InputError: another exploration than `EpsilonGreedy`, or actions that are not always open; `QLearning` has both.

    Source: Calvano, Calzolari, Denicolo and Pastorello (2020), sections I.B and II.B, and their stopping rule, II.C.
    Differs: ties go to the lowest price; random ties change little.
    """

    explore: EpsilonGreedy = eqx.field(default_factory=lambda: EpsilonGreedy(1.0, 4e-6))

    def __check_init__(self):
        """What `act` can do."""
        if not isinstance(self.explore, EpsilonGreedy):
            raise InputError(f"SettlingQLearning explores by EpsilonGreedy, not by {type(self.explore).__name__}")
        if self.legal is not None:
            raise InputError("SettlingQLearning has no closed actions; leave `legal` out, or take QLearning")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Any) -> SettlingState:  # pyright: ignore
        """The first table."""
        return SettlingState(*super().init(key, spec), jnp.int32(0))

    def act(  # pyright: ignore
        self, key: Shaped[PRNGKeyArray, ""], state: SettlingState, memory: Any, obs: Int[Array, ""]
    ) -> tuple[Int[Array, ""], Any, Int[Array, ""]]:
        """Explore or exploit; remembers the row's best action."""
        u = rng.key_bits(key).first.astype(jnp.float32) * jnp.float32(2**-32)
        epsilon = self.explore.probability(state.updates)
        other = (u / jnp.maximum(epsilon, 1e-30) * self.actions).astype(jnp.int32)
        best = state.greedy[obs]
        return jnp.where(u < epsilon, jnp.minimum(other, self.actions - 1), best), memory, best

    def learn(  # pyright: ignore
        self, key: Shaped[PRNGKeyArray, ""], state: SettlingState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[SettlingState, dict[str, Array]]:
        """Every transition of the phase in turn, and whether a best action changed."""
        after, log = super().learn(key, QState(*state[:4]), batch, t)
        if batch.action.size == 1:
            # the greedy table is looked at again after it was written: comparing the value on its way there would make
            # XLA scan the row once for each of the two uses (measured: 100 against 55 ns a decision)
            moved = after.greedy[batch.obs[0, 0]] != batch.extras[0, 0]
        else:
            moved = (after.greedy != state.greedy).any()
        return SettlingState(*after, jnp.where(moved, after.updates, state.changed)), log

    def values(self, state: SettlingState) -> Float[Array, "S A"]:  # pyright: ignore
        """The table without padding; -inf where an action is not legal."""
        return super().values(QState(*state[:4]))

    def policy(self, state: SettlingState) -> Float[Array, "S A"]:  # pyright: ignore
        """How the learner now plays, exploration included."""
        return self.explore.policy(self.values(state), state.updates)
