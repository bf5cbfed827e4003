"""SARSA on a table, with a softmax policy that is refreshed between phases."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, BuildError, InputError, Spec, number, rng

_NEVER = 2.0
"""Stands in the cumulative policy where no draw in [0, 1) may reach: at the last open action and behind it."""


class SarsaState(NamedTuple):
    """What a seat has learnt. Both tables are flat: the entry of (row, action) is row * width + action."""

    values: Float[Array, " entries"]
    """Q."""
    policy: Float[Array, " entries"]
    """The executed policy as cumulative probabilities along each row."""


class Sarsa(AbstractAgent):
    """On-policy temporal differences with the policy frozen during a phase; observes a row number, acts an integer.

    During a phase the seat plays pi_eps = (1 - eps) softmax(beta Q) + eps uniform, over the actions open in the row.
    After it, each transition in turn moves Q(x, b) by alpha [r + gamma d Q(x', b') - Q(x, b)], with d the game's
    discount and b' the action played next; then the policy is recomputed. One phase is one epoch.

    Args:
        open: for each row of the table, how many actions are open there: 0 .. open[row] - 1.
        alpha, gamma: step size and discount of the learner.
        epsilon: share of uniform play. beta: inverse temperature; larger is nearer to greedy.
        start: value of every entry of Q at the start.

    Only the rows that a phase touched can have changed, so if the phase is shorter than the table only they are
    recomputed: online learning (phases of length 1) costs one row a tick.

    Raises:
        InputError: no rows, a row without an open action, or alpha, gamma, epsilon or beta out of range.
        BuildError: observations that are not one integer, or more open actions than the game has.

    Source: Vaishampayan (2024), algorithm 1 (decentralised learning) with exploration as in section 6.1.
    Differs: b' after the last tick of a phase is drawn from the phase's own policy (what is really played next is
        decided after the refresh); every seat refreshes its policy after every phase.
    """

    open: tuple[int, ...] = eqx.field(static=True, converter=lambda x: tuple(int(n) for n in x))
    alpha: Float[Array, ""] = number(0.01, "[0, 1]", dtype=jnp.float32)
    gamma: Float[Array, ""] = number(0.98, "[0, 1]", dtype=jnp.float32)
    epsilon: Float[Array, ""] = number(0.05, "[0, 1]", dtype=jnp.float32)
    beta: Float[Array, ""] = number(1000.0, "[0, 1e30]", dtype=jnp.float32)
    start: Float[Array, ""] = number(0.0, dtype=jnp.float32)

    def __check_init__(self) -> None:
        if not self.open or min(self.open) < 1:
            raise InputError(f"Sarsa: every row of the table needs at least one open action, got {self.open}")

    @property
    def width(self) -> int:
        """Entries stored for a row: the most open actions, rounded up to a multiple of 8."""
        return -(-max(self.open) // 8) * 8

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> SarsaState:
        """All values `start`, the policy to match."""
        if jax.tree.structure(spec.obs) != jax.tree.structure(0) or spec.obs.shape != ():
            raise BuildError(f"Sarsa: needs the number of a table row as observation, is shown {spec.obs}; give a view")
        actions = getattr(spec.action, "n", None)
        if actions is None or max(self.open) > actions:
            raise BuildError(f"Sarsa: {max(self.open)} actions are open in some row, but the game has {spec.action}")
        values = jnp.full((len(self.open), self.width), self.start, jnp.float32)
        counts = jnp.asarray(self.open, jnp.int32)
        return SarsaState(values.reshape(-1), self._cumulative(values, counts).reshape(-1))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: SarsaState, memory: tuple, obs: Int[Array, ""]
    ) -> tuple[Int[Array, ""], tuple, tuple]:
        """Draws from the executed policy: 32 bits, one row."""
        return self._draw(key, state, obs), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: SarsaState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[SarsaState, dict[str, Array]]:
        """One pass over the phase's transitions in order of time, then the new policy."""
        copies = batch.obs.shape[0]
        keys = rng.key_from_bits(rng.random_bits(key, 0, jnp.int32(0), jnp.arange(copies), jnp.int32(0)))
        last = jax.vmap(lambda k, row: self._draw(k, state, row))(keys, batch.obs[:, -1])
        played = jnp.concatenate([batch.action, last[:, None]], axis=1)
        entry = batch.obs * self.width + played
        flat = lambda x: x.T.reshape(-1)
        steps = (flat(entry[:, :-1]), flat(entry[:, 1:]), flat(batch.reward), flat(batch.discount))
        values = _sweep(state.values, steps, self.alpha, self.gamma)
        return SarsaState(values, self._refresh(values, state.policy, batch.obs[:, :-1].reshape(-1))), {}

    def _draw(self, key: Shaped[PRNGKeyArray, ""], state: SarsaState, row: Int[Array, ""]) -> Int[Array, ""]:
        cumulative = jax.lax.dynamic_slice(state.policy, (row * self.width,), (self.width,))
        return rng.inverse_cdf(rng.uniform(key), cumulative)

    def _refresh(
        self, values: Float[Array, " entries"], policy: Float[Array, " entries"], touched: Int[Array, " ticks"]
    ) -> Float[Array, " entries"]:
        rows, width = len(self.open), self.width
        counts = jnp.asarray(self.open, jnp.int32)
        if touched.size >= rows:
            return self._cumulative(values.reshape(rows, width), counts).reshape(-1)
        if touched.size == 1:
            at = (touched[0] * width,)
            row = jax.lax.dynamic_slice(values, at, (width,))
            return jax.lax.dynamic_update_slice(policy, self._cumulative(row, counts[touched[0]]), at)
        cells = touched[:, None] * width + jnp.arange(width)
        fresh = self._cumulative(values[cells], counts[touched])
        return policy.at[cells].set(fresh.astype(policy.dtype))

    def _cumulative(
        self, values: Float[Array, "*rows width"], open: Int[Array, "*rows"]
    ) -> Float[Array, "*rows width"]:
        """Cumulative probabilities of the executed policy, row by row."""
        place = jnp.arange(self.width)
        count = open[..., None]
        logits = jnp.where(place < count, self.beta * values, -jnp.inf)
        weights = jnp.exp(logits - logits.max(axis=-1, keepdims=True))
        # Partial sums as a product with a triangle of ones: a cumulative sum along a short axis is slow on CPU.
        triangle = jnp.asarray(np.triu(np.ones((self.width, self.width), np.float32)))
        sums = jnp.dot(weights, triangle, precision=jax.lax.Precision.HIGHEST)
        share = sums / sums[..., -1:]
        uniform = (place + 1).astype(jnp.float32) / count.astype(jnp.float32)
        mixed = (1 - self.epsilon) * share + self.epsilon * uniform
        return jnp.where(place < count - 1, mixed, _NEVER)


def _sweep(
    values: Float[Array, " entries"],
    steps: tuple[Int[Array, " n"], Int[Array, " n"], Float[Array, " n"], Float[Array, " n"]],
    alpha: Float[Array, ""],
    gamma: Float[Array, ""],
) -> Float[Array, " entries"]:
    """Q after the temporal differences of all transitions, one after the other."""

    def one(values: Array, transition: tuple) -> tuple[Array, tuple]:
        entry, after, reward, discount = transition
        old = values.at[entry].get(mode="promise_in_bounds")
        ahead = values.at[after].get(mode="promise_in_bounds")
        new = old + alpha * (reward + gamma * discount * ahead - old)
        new = new.astype(values.dtype)  # rewards may come in double precision
        return values.at[entry].set(new, unique_indices=True, mode="promise_in_bounds"), ()

    if steps[0].shape[0] == 1:
        return one(values, tuple(x[0] for x in steps))[0]
    return jax.lax.scan(one, values, steps)[0]
