"""Proximal policy optimisation with a Gaussian policy: continuous actions, clipped ratios, a value network."""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.parts.advantage import generalised_advantage
from catallax.agents.parts.descent import begin, descend
from catallax.agents.parts.mlp import MLP
from catallax.agents.parts.policy import log_density as log_density
from catallax.agents.parts.policy import noise, same
from catallax.core import AbstractAgent, Batch, BuildError, InputError, Real, Spec, check_count, check_number, rng

_scalar = lambda x: jnp.asarray(x, jnp.float32)
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


_INTERVALS = {
    "[0, 1]": ("gamma", "lambda_"),
    "[0, inf)": ("rate", "value_weight", "entropy_weight"),
    "(0, inf)": ("rate_decay", "clip", "sigma", "reward_scale"),
    "(0, inf]": ("norm",),
}


class Actor(NamedTuple):
    """What is trained: all leaves are arrays."""

    policy: Any
    """Layers of the mean."""
    log_sigma: Float[Array, "..."]
    """ln sigma of each number of an action, in the action's shape."""
    value: Any
    """Layers of the value function."""


class PPOState(NamedTuple):
    """The networks and their optimiser."""

    actor: Actor
    optimiser: Any


class Experience(NamedTuple):
    """What a gradient step looks at; leading axis N samples."""

    obs: Float[Array, "N features"]
    action: Float[Array, "N actions"]
    log_probability: Float[Array, " N"]
    advantage: Float[Array, " N"]
    target: Float[Array, " N"]


def clipped_objective(
    ratio: Float[Array, "*N"], advantage: Float[Array, "*N"], clip: float | Float[Array, ""]
) -> Float[Array, "*N"]:
    """min(w A, clip(w, 1 - clip, 1 + clip) A): moving the ratio w further than clip in A's favour gains nothing."""
    return jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage)


class PPO(AbstractAgent):
    """Actor and critic from B sequences of a phase, several passes over them in minibatches.

    The raw action is a ~ N(mu(obs), sigma^2), sigma free of the observation, in the shape of the game's `Real` action
    space and unbounded (let the group's `Interface` bring it into the game's range). The loss of a minibatch is

        - mean min(w A, clip(w) A) + value_weight mean (V - G)^2 / 2 - entropy_weight H,

    w the ratio of the action's new to its old density, A the generalised advantage (standardised over the phase if
    `standardise`), G = A + V_old its target, H the policy's entropy. Gradients are clipped to norm `norm`; Adam's rate
    in phase t is rate * rate_decay^t. Rewards are multiplied by `reward_scale` first. What follows the last tick is
    valued by V unless the game ended there.

    Args:
        rate, rate_decay: Adam's rate in the first phase, at least 0, and what it is multiplied by after each.
        gamma: discount beyond the game's own, in [0, 1]; 1 where the game discounts.
        lambda_: of the generalised advantage, in [0, 1].
        clip: how far a ratio may move from 1 before it gains nothing more; positive.
        sigma: standard deviation of the first policy; positive.
        passes, minibatches: each pass visits all samples once, in `minibatches` parts.
        widths: hidden layers of the policy's and of the value's network, tanh.

    Raises:
        BuildError: observations that are not a vector, an action space that is not `Real`, a phase whose samples do
            not divide into the minibatches, or a single sample to be standardised.
        InputError: counts below one, a parameter outside its range. Traced values are not looked at.

    Source: Schulman, Wolski, Dhariwal, Radford and Klimov (2017), equations 7 and 9.
    Differs: standardised advantages over the phase, gradient clipping and small output weights of the policy, as in
        the authors' code; half the squared error of the value, unclipped; hidden layers start uniform, not orthogonal.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = eqx.field(converter=_scalar, default=3e-4)
    rate_decay: Float[Array, ""] = eqx.field(converter=_scalar, default=1.0)
    gamma: Float[Array, ""] = eqx.field(converter=_scalar, default=0.99)
    lambda_: Float[Array, ""] = eqx.field(converter=_scalar, default=0.95)
    clip: Float[Array, ""] = eqx.field(converter=_scalar, default=0.2)
    value_weight: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    entropy_weight: Float[Array, ""] = eqx.field(converter=_scalar, default=0.0)
    sigma: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    norm: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    reward_scale: Float[Array, ""] = eqx.field(converter=_scalar, default=1.0)
    passes: int = eqx.field(static=True, default=4)
    minibatches: int = eqx.field(static=True, default=4)
    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))
    standardise: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        """Counts and ranges."""
        for name in ("passes", "minibatches"):
            check_count("PPO", name, getattr(self, name))
        if not isinstance(self.widths, tuple):
            raise InputError(f"PPO: widths must be a tuple of layer widths, such as (64, 64), got {self.widths!r}")
        for width in self.widths:
            check_count("PPO", "a width", width)
        for interval, names in _INTERVALS.items():
            for name in names:
                check_number("PPO", name, getattr(self, name), interval)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PPOState:
        """Fresh networks."""
        shape = getattr(spec.obs, "shape", None)
        if shape is None or len(shape) != 1:
            raise BuildError(f"PPO needs a vector of features, its seat sees {spec.obs}; give its group a view")
        if not isinstance(spec.action, Real):
            raise BuildError(f"PPO acts by real numbers, its seat accepts {spec.action}")
        policy, value = self._policy_network(math.prod(spec.action.shape)), self._value_network()
        (inputs,) = shape
        split = policy.size(inputs)
        words = rng.draws(key, split + value.size(inputs)).first
        policy, value = policy.layers(words[:split], inputs), value.layers(words[split:], inputs)
        actor = Actor(policy, jnp.full(spec.action.shape, jnp.log(self.sigma)), value)
        return PPOState(actor, begin(actor))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: PPOState, memory: Any, obs: Float[Array, " features"]
    ) -> tuple[Float[Array, "..."], Any, Float[Array, ""]]:
        """Mean plus noise; remembers the action's log density."""
        actor = state.actor
        mean, log_sigma = self._mean(actor, obs), actor.log_sigma.reshape(-1)
        action = mean + jnp.exp(log_sigma) * noise(key, mean.shape[0])
        return action.reshape(actor.log_sigma.shape), memory, log_density(action, mean, log_sigma)

    def best(self, state: PPOState, obs: Float[Array, " features"]) -> Float[Array, "..."]:
        """The policy without its noise: mu(obs)."""
        return self._mean(state.actor, obs).reshape(state.actor.log_sigma.shape)

    def value(self, state: PPOState, obs: Float[Array, "*batch features"]) -> Float[Array, "*batch"]:
        """V(obs), in scaled rewards."""
        return self._value_network()(state.actor.value, obs)[..., 0]

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: PPOState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[PPOState, dict[str, Array]]:
        """All passes over the phase."""
        lived, log = self._experience(state, batch)
        samples = lived.target.shape[0]
        if samples % self.minibatches:
            raise BuildError(
                f"PPO: {samples} samples a phase (ticks x copies) do not divide into {self.minibatches} minibatches; "
                "change Play's length or copies, or minibatches"
            )
        if self.standardise and samples < 2:
            raise BuildError("PPO standardises advantages, which takes 2 samples a phase; or standardise=False")
        rate = self.rate * self.rate_decay ** t.astype(jnp.float32)

        flat, restored = ravel_pytree(state.actor)

        def one(carry: tuple, rows: Array) -> tuple[tuple, dict[str, Array]]:
            flat, adam = carry
            gradient, log = jax.grad(self.loss, has_aux=True)(restored(flat), jax.tree.map(lambda x: x[rows], lived))
            flat, adam, size = descend(flat, gradient, adam, rate, self.norm)
            return (flat, adam), log | {"gradient_norm": size}

        (flat, adam), logs = jax.lax.scan(one, (flat, state.optimiser), self._orders(key, samples))
        return PPOState(restored(flat), adam), log | jax.tree.map(jnp.mean, logs)

    def _orders(self, key: Shaped[PRNGKeyArray, ""], samples: int) -> Int[Array, "steps size"]:
        """Which samples each gradient step looks at: in each pass all of them once, in random order."""
        orders = jnp.argsort(rng.draws(key, self.passes * samples).first.reshape(self.passes, samples))
        return orders.reshape(self.passes * self.minibatches, -1)

    def _experience(self, state: PPOState, batch: Batch) -> tuple[Experience, dict[str, Array]]:
        """The phase as samples, with advantages and targets."""
        value = self.value(state, batch.obs)
        discount = self.gamma * batch.discount
        advantage = generalised_advantage(self.reward_scale * batch.reward, discount, value, self.lambda_)
        target = advantage + value[:, :-1]
        if self.standardise:
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        n = batch.reward.size
        lived = Experience(
            batch.obs[:, :-1].reshape(n, -1),
            batch.action.reshape(n, -1),
            batch.extras.reshape(n),
            advantage.reshape(n),
            target.reshape(n),
        )
        log = {"return": batch.reward.sum(axis=1).mean(), "value_error": ((target - value[:, :-1]) ** 2).mean()}
        return lived, log

    def loss(self, actor: Actor, lived: Experience) -> tuple[Float[Array, ""], dict[str, Array]]:
        """The loss above; logs the share of ratios outside the clip's bounds and the entropy."""
        mean = self._mean(actor, lived.obs)
        ratio = jnp.exp(log_density(lived.action, mean, actor.log_sigma.reshape(-1)) - lived.log_probability)
        gain = clipped_objective(ratio, lived.advantage, self.clip).mean()
        value = self._value_network()(actor.value, lived.obs)[..., 0]
        error = 0.5 * ((value - lived.target) ** 2).mean()
        entropy = (actor.log_sigma + _HALF_LOG_TAU + 0.5).sum()
        outside = (jnp.abs(ratio - 1) > self.clip).mean()
        log = {"clip_fraction": outside, "entropy": entropy}
        return self.value_weight * error - gain - self.entropy_weight * entropy, log

    def _policy_network(self, outputs: int) -> MLP:
        return MLP(self.widths, outputs, hidden=jnp.tanh, final=same, final_gain=0.01)

    def _value_network(self) -> MLP:
        return MLP(self.widths, 1, hidden=jnp.tanh, final=same, final_gain=1.0)

    def _mean(self, actor: Actor, obs: Float[Array, "*batch features"]) -> Float[Array, "*batch actions"]:
        return self._policy_network(actor.log_sigma.size)(actor.policy, obs)
