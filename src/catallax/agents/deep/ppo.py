"""Proximal policy optimisation: clipped ratios of real or finite actions, a value network."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.parts.advantage import generalised_advantage
from catallax.agents.parts.descent import begin, descend
from catallax.agents.parts.features import check_features, features_of, flat_ticks
from catallax.agents.parts.mlp import MLP, check_widths, same
from catallax.agents.parts.policy import Policy, PolicyWeights
from catallax.core import AbstractAgent, Batch, BuildError, Spec, count, flag, number, rng


class Actor(NamedTuple):
    """What is trained: all leaves are arrays."""

    policy: PolicyWeights
    value: Any
    """Layers of the value function."""


class PPOState(NamedTuple):
    """The networks and their optimiser."""

    actor: Actor
    optimiser: Any


class Experience(NamedTuple):
    """What a gradient step looks at; leading axis N samples."""

    obs: Any
    """Features [N, features], or `Masked` ones."""
    action: Shaped[Array, "N ..."]
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

    Where the seat's actions are `Real`, the raw action is a ~ N(mu(obs), sigma^2), sigma free of the observation, in
    the shape of the space and unbounded (let the group's `Interface` bring it into the game's range). Where they are
    `Discrete`, it is drawn from a softmax, among the legal ones if the view is `Masked`. The loss of a minibatch is

        - mean min(w A, clip(w) A) + value_weight mean (V - G)^2 / 2 - entropy_weight H,

    w the ratio of the action's new to its old probability (or density), A the generalised advantage (standardised over
    the phase if `standardise`), G = A + V_old its target, H the policy's entropy. Gradients are clipped to norm `norm`;
    Adam's rate in phase t is rate * rate_decay^t. Rewards are multiplied by `reward_scale` first. What follows the last
    tick is valued by V unless the game ended there.

    Args:
        rate, rate_decay: Adam's rate in the first phase, and what it is multiplied by after each.
        gamma: discount beyond the game's own; 1 where the game discounts.
        lambda_: of the generalised advantage.
        clip: how far a ratio may move from 1 before it gains nothing more.
        sigma: standard deviation of the first policy of real actions.
        passes, minibatches: each pass visits all samples once, in `minibatches` parts.
        widths: hidden layers of the policy's and of the value's network, tanh.

    Raises:
        BuildError: observations that are not a vector, an action space that is neither `Real` nor `Discrete`, a phase
            whose samples do not divide into the minibatches, or a single sample to be standardised.
        InputError: counts below one, a parameter outside its range. Traced values are not looked at.

    Source: Schulman, Wolski, Dhariwal, Radford and Klimov (2017), equations 7 and 9.
    Differs: standardised advantages over the phase, gradient clipping and small output weights of the policy, as in
        the authors' code; half the squared error of the value, unclipped; hidden layers start uniform, not orthogonal.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = number(3e-4, "[0, inf)", dtype=jnp.float32)
    rate_decay: Float[Array, ""] = number(1.0, "(0, inf)", dtype=jnp.float32)
    gamma: Float[Array, ""] = number(0.99, "[0, 1]", dtype=jnp.float32)
    lambda_: Float[Array, ""] = number(0.95, "[0, 1]", dtype=jnp.float32)
    clip: Float[Array, ""] = number(0.2, "(0, inf)", dtype=jnp.float32)
    value_weight: Float[Array, ""] = number(0.5, "[0, inf)", dtype=jnp.float32)
    entropy_weight: Float[Array, ""] = number(0.0, "[0, inf)", dtype=jnp.float32)
    sigma: Float[Array, ""] = number(0.5, "(0, inf)", dtype=jnp.float32)
    norm: Float[Array, ""] = number(0.5, "(0, inf]", dtype=jnp.float32)
    reward_scale: Float[Array, ""] = number(1.0, "(0, inf)", dtype=jnp.float32)
    passes: int = count(4)
    minibatches: int = count(4)
    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))
    standardise: bool = flag(True)

    def __check_init__(self) -> None:
        check_widths("PPO", self.widths)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> PPOState:
        inputs = check_features("PPO", spec)
        if not Policy.fits(spec.action):
            raise BuildError(
                f"PPO acts by real numbers or chooses among finitely many actions, its seat accepts {spec.action}"
            )
        policy, value = Policy(self.widths), self._critic()
        split = policy.size(inputs, spec.action)
        bits = rng.draws(key, split + value.size(inputs)).first
        weights = policy.begin(bits[:split], inputs, spec.action, self.sigma)
        actor = Actor(weights, value.layers(bits[split:], inputs))
        return PPOState(actor, begin(actor))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: PPOState, memory: Any, obs: Any
    ) -> tuple[Array, Any, Float[Array, ""]]:
        """An action drawn from the policy; remembers the logarithm of its probability."""
        action, log_probability = Policy(self.widths).draw(key, state.actor.policy, obs)
        return action, memory, log_probability

    def best(self, state: PPOState, obs: Any) -> Array:
        """The policy without its noise: the mean, or the likeliest action."""
        return Policy(self.widths).best(state.actor.policy, obs)

    def value(self, state: PPOState, obs: Any) -> Float[Array, "*batch"]:
        """V(obs), in scaled rewards."""
        return self._critic()(state.actor.value, features_of(obs))[..., 0]

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: PPOState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[PPOState, dict[str, Array]]:
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
        seen = jax.tree.map(lambda x: x[:, :-1], batch.obs)
        lived = flat_ticks(Experience(seen, batch.action, batch.extras, advantage, target))
        log = {"return": batch.reward.sum(axis=1).mean(), "value_error": ((target - value[:, :-1]) ** 2).mean()}
        return lived, log

    def loss(self, actor: Actor, lived: Experience) -> tuple[Float[Array, ""], dict[str, Array]]:
        """The loss above; logs the share of ratios outside the clip's bounds and the entropy."""
        policy = Policy(self.widths)
        ratio = jnp.exp(policy.log_probability(actor.policy, lived.obs, lived.action) - lived.log_probability)
        gain = clipped_objective(ratio, lived.advantage, self.clip).mean()
        value = self._critic()(actor.value, features_of(lived.obs))[..., 0]
        error = 0.5 * ((value - lived.target) ** 2).mean()
        entropy = policy.entropy(actor.policy, lived.obs)
        outside = (jnp.abs(ratio - 1) > self.clip).mean()
        log = {"clip_fraction": outside, "entropy": entropy}
        return self.value_weight * error - gain - self.entropy_weight * entropy, log

    def _critic(self) -> MLP:
        return MLP(self.widths, 1, hidden=jnp.tanh, final=same, final_gain=1.0)
