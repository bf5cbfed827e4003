"""Deep Q-learning with a replay store and a target network, all in the learner's state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.parts import replay_buffer
from catallax.agents.parts.descent import begin, descend
from catallax.agents.parts.features import among_legal, check_features, features_of, flat_ticks, legal_of
from catallax.agents.parts.mlp import MLP, check_widths, same
from catallax.core import AbstractAgent, Batch, BuildError, Discrete, InputError, Spec, count, flag, number, rng


class DQNState(NamedTuple):
    """What has been learnt and what is remembered."""

    layers: Any
    target: Any
    """Layers as they were some gradient steps ago."""
    optimiser: Any
    store: replay_buffer.ReplayBuffer
    ticks: Int[Array, ""]
    """Ticks learnt from, of all sequences; sets the chance of exploring."""
    descents: Int[Array, ""]
    """Gradient steps made."""


class DQN(AbstractAgent):
    """Q(obs, .) is a network; a phase's transitions go into a ring, then `steps` minibatches are drawn from it.

    One step lowers the mean Huber loss of r + gamma d Q'(s', b) - Q(s, a), Q' the target network, b its best action
    (`double`: the best action of Q), with Adam at `rate`. Every `renew` steps Q' becomes Q. Actions are uniform with
    probability epsilon_n = max(least, 1 - (1 - least) n / explore) after n ticks, else the first best. Where the view
    is `Masked`, only legal actions are explored, taken and looked forward to.

    Args:
        gamma: discount beyond the game's own; 1 where the game discounts.
        capacity: transitions remembered; at least those of one phase.
        minibatch, steps: transitions of a gradient step, gradient steps of a phase.
        warmup: no gradient step before so many transitions are stored.

    Raises:
        BuildError: observations that are not a vector, an action space that is not `Discrete`.
        InputError: a count below one, a number out of range, a phase larger than the store.

    Source: MnihEtAl2015; VanHasseltGuezSilver2016 for `double`.
    Differs: Adam instead of RMSProp; the target is renewed by gradient steps, not by frames.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = number(1e-3, "[0, inf)", dtype=jnp.float32)
    gamma: Float[Array, ""] = number(0.99, "[0, 1]", dtype=jnp.float32)
    least: Float[Array, ""] = number(0.05, "[0, 1]", dtype=jnp.float32)
    explore: Float[Array, ""] = number(10_000.0, "[1, inf)", dtype=jnp.float32)
    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))
    capacity: int = count(10_000)
    minibatch: int = count(64)
    steps: int = count(1)
    renew: int = count(200)
    warmup: int = count(200)
    double: bool = flag(True)

    def __check_init__(self) -> None:
        check_widths("DQN", self.widths)
        if self.warmup > self.capacity:
            raise InputError(f"DQN: warmup {self.warmup} is never reached in a store of {self.capacity}")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> DQNState:
        """A fresh network, an empty store."""
        inputs = check_features("DQN", spec)
        if not isinstance(spec.action, Discrete):
            raise BuildError(f"DQN chooses among finitely many actions, its seat accepts {spec.action}")
        layers = self._network(spec.action.n).init(key, inputs)
        real = jax.ShapeDtypeStruct((), jnp.float32)
        form = replay_buffer.Transition(spec.obs, spec.action.struct(), real, real, spec.obs)  # pyright: ignore
        target = jax.tree.map(jnp.copy, layers)
        return DQNState(
            layers, target, begin(layers), replay_buffer.empty(self.capacity, form), jnp.int32(0), jnp.int32(0)
        )

    def values(self, layers: Any, obs: Any) -> Float[Array, "*batch actions"]:
        """Q(obs, .) under these layers, of all actions."""
        return self._network(layers[-1].bias.shape[0])(layers, features_of(obs))

    def best(self, state: DQNState, obs: Any) -> Int[Array, ""]:
        """The policy without exploration."""
        return jnp.argmax(among_legal(obs, self.values(state.layers, obs))).astype(jnp.int32)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: DQNState, memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        bits = rng.key_bits(key)
        epsilon = jnp.maximum(self.least, 1 - (1 - self.least) * state.ticks.astype(jnp.float32) / self.explore)
        legal = legal_of(obs)
        if legal is None:
            other = rng.to_integer(bits.second, state.layers[-1].bias.shape[0])
        else:
            other = rng.to_candidate(bits.second, legal)
        return jnp.where(rng.to_uniform(bits.first) < epsilon, other, self.best(state, obs)), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: DQNState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[DQNState, dict[str, Array]]:
        """Remember the phase, then learn from what is remembered."""
        seen, after = (jax.tree.map(lambda x, at=at: x[:, at], batch.obs) for at in (slice(None, -1), slice(1, None)))
        new = flat_ticks(replay_buffer.Transition(seen, batch.action, batch.reward, batch.discount, after))
        ticks = jnp.minimum(state.ticks, 2**30) + batch.reward.size
        state = state._replace(store=replay_buffer.put(state.store, new), ticks=ticks)
        lived = self._minibatches(key, state.store)
        flat, restored = ravel_pytree(state.layers)
        nets = (flat, ravel_pytree(state.target)[0], state.optimiser, state.descents)
        trained, losses = jax.lax.scan(lambda nets, x: self._descend(restored, nets, x), nets, lived)
        ready = state.store.size >= self.warmup
        flat, target, optimiser, descents = jax.tree.map(lambda a, b: jnp.where(ready, a, b), trained, nets)
        log = {"return": batch.reward.sum(axis=1).mean(), "loss": jnp.where(ready, losses.mean(), 0.0)}
        layers, target = restored(flat), restored(target)
        return state._replace(layers=layers, target=target, optimiser=optimiser, descents=descents), log

    def _minibatches(
        self, key: Shaped[PRNGKeyArray, ""], store: replay_buffer.ReplayBuffer
    ) -> replay_buffer.Transition:
        lived = replay_buffer.draw(store, key, self.steps * self.minibatch)
        return jax.tree.map(lambda x: x.reshape(self.steps, self.minibatch, *x.shape[1:]), lived)

    def loss(self, layers: Any, target: Any, lived: replay_buffer.Transition) -> Float[Array, ""]:
        """Mean Huber loss of the one-step errors."""
        ahead = self.values(target, lived.after)
        chooser = self.values(layers, lived.after) if self.double else ahead
        chosen = among_legal(lived.after, chooser).argmax(axis=1)
        best = jnp.take_along_axis(ahead, chosen[:, None], axis=1)[:, 0]
        goal = jax.lax.stop_gradient(lived.reward + self.gamma * lived.discount * best)
        said = jnp.take_along_axis(self.values(layers, lived.obs), lived.action[:, None], axis=1)[:, 0]
        return optax.losses.huber_loss(said, goal).mean()

    def _descend(self, restored: Callable, nets: tuple, lived: replay_buffer.Transition) -> tuple[tuple, Array]:
        flat, target, optimiser, descents = nets
        loss, gradient = jax.value_and_grad(self.loss)(restored(flat), restored(target), lived)
        flat, optimiser, _ = descend(flat, gradient, optimiser, self.rate)
        descents = descents + 1
        return (flat, jnp.where(descents % self.renew == 0, flat, target), optimiser, descents), loss

    def _network(self, actions: int) -> MLP:
        return MLP(self.widths, actions, hidden=jax.nn.relu, final=same, final_gain=0.1)
