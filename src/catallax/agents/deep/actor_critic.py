"""Advantage actor-critic: one policy-gradient step a phase, with a learnt value function as its baseline."""

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
from catallax.core import AbstractAgent, Batch, BuildError, Spec, number, rng


class Nets(NamedTuple):
    """What is trained: all leaves are arrays."""

    policy: PolicyWeights
    value: Any
    """Layers of the value function."""


class ActorCriticState(NamedTuple):
    """The networks and their optimiser."""

    nets: Nets
    optimiser: Any


class ActorCritic(AbstractAgent):
    """Advantage actor-critic (A2C): actor and critic take one step from the B sequences of a phase. The loss is

        - mean ln pi(a_t | obs_t) A_t + value_weight mean (V(obs_t) - G_t)^2 / 2 - entropy_weight H,

    A_t the generalised advantage (no gradient flows through it), G_t = A_t + V(obs_t) the return that the critic is
    drawn to, H the mean entropy of the policy. With lambda_ = 1 (default) A_t is the longest n-step return of the phase
    less V, as published; lambda_ = 0 is the one-step actor-critic. What follows the last tick is valued by V unless
    the game ended there. The gradient is clipped to norm `norm` and handed to Adam. Rewards are multiplied by
    `reward_scale` first: in a market bring the return of an episode near 1 (0.01 for the memoryless double auction).

    Observations are vectors, or `Masked` vectors; actions `Real` of any shape (Gaussian, sigma learnt, starting at
    `sigma`) or `Discrete` (softmax). Nothing is clipped: bounded moves are the interface's business.

    Args:
        rate: Adam's; the default is usual in code for RMSProp.
        gamma: discount beyond the game's own; 1 where the game discounts.
        entropy_weight: the default is the published value for continuous actions (0.01 for finite ones).
        widths: hidden layers of the policy's and of the value's network, tanh.

    Raises:
        BuildError: observations that are not a vector, an action space that is neither `Real` nor `Discrete`.
        InputError: a parameter outside its range. Traced values are not looked at.

    Source: Mnih et al. (2016), algorithm S3 and section 5.1, one worker with B sequences in step; Konda and Tsitsiklis
        (2000); Sutton and Barto (2018), section 13.5.
    Differs: Adam instead of RMSProp; actor and critic share no layers; sigma does not depend on the observation.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = number(7e-4, "[0, inf)", dtype=jnp.float32)
    gamma: Float[Array, ""] = number(0.99, "[0, 1]", dtype=jnp.float32)
    lambda_: Float[Array, ""] = number(1.0, "[0, 1]", dtype=jnp.float32)
    value_weight: Float[Array, ""] = number(0.5, "[0, inf)", dtype=jnp.float32)
    entropy_weight: Float[Array, ""] = number(1e-4, "[0, inf)", dtype=jnp.float32)
    sigma: Float[Array, ""] = number(0.5, "(0, inf)", dtype=jnp.float32)
    norm: Float[Array, ""] = number(0.5, "(0, inf]", dtype=jnp.float32)
    reward_scale: Float[Array, ""] = number(1.0, "(0, inf)", dtype=jnp.float32)
    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))

    def __check_init__(self) -> None:
        check_widths("ActorCritic", self.widths)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> ActorCriticState:
        inputs = check_features("ActorCritic", spec)
        if not Policy.fits(spec.action):
            raise BuildError(
                "ActorCritic acts by real numbers or chooses among finitely many actions, its seat accepts "
                f"{spec.action}"
            )
        policy, value = Policy(self.widths), self._critic()
        split = policy.size(inputs, spec.action)
        bits = rng.draws(key, split + value.size(inputs)).first
        actor = policy.begin(bits[:split], inputs, spec.action, self.sigma)
        nets = Nets(actor, value.layers(bits[split:], inputs))
        return ActorCriticState(nets, begin(nets))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: ActorCriticState, memory: Any, obs: Any
    ) -> tuple[Array, Any, tuple]:
        """An action drawn from the policy."""
        return Policy(self.widths).draw(key, state.nets.policy, obs)[0], memory, ()

    def best(self, state: ActorCriticState, obs: Any) -> Array:
        """The policy without its noise: the mean, or the likeliest action."""
        return Policy(self.widths).best(state.nets.policy, obs)

    def value(self, state: ActorCriticState, obs: Any) -> Float[Array, "*batch"]:
        """V(obs), in scaled rewards."""
        return self._critic()(state.nets.value, features_of(obs))[..., 0]

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: ActorCriticState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[ActorCriticState, dict[str, Array]]:
        """One Adam step on the loss above."""
        value = self.value(state, batch.obs)
        discount = self.gamma * batch.discount
        advantage = generalised_advantage(self.reward_scale * batch.reward, discount, value, self.lambda_)
        target = advantage + value[:, :-1]
        seen = jax.tree.map(lambda x: x[:, :-1], batch.obs)
        lived = flat_ticks((seen, batch.action, advantage, target))
        gradient, log = jax.grad(self.loss, has_aux=True)(state.nets, *lived)
        flat, restored = ravel_pytree(state.nets)
        flat, adam, size = descend(flat, gradient, state.optimiser, self.rate, self.norm)
        log |= {"return": batch.reward.sum(axis=1).mean(), "gradient_norm": size}
        return ActorCriticState(restored(flat), adam), log

    def loss(
        self,
        nets: Nets,
        obs: Any,
        action: Shaped[Array, "N ..."],
        advantage: Float[Array, " N"],
        target: Float[Array, " N"],
    ) -> tuple[Float[Array, ""], dict[str, Array]]:
        """The loss above; logs the critic's mean squared error and the entropy."""
        policy = Policy(self.widths)
        gain = (policy.log_probability(nets.policy, obs, action) * advantage).mean()
        error = ((self._critic()(nets.value, features_of(obs))[..., 0] - target) ** 2).mean()
        entropy = policy.entropy(nets.policy, obs)
        log = {"value_error": error, "entropy": entropy}
        return 0.5 * self.value_weight * error - gain - self.entropy_weight * entropy, log

    def _critic(self) -> MLP:
        return MLP(self.widths, 1, hidden=jnp.tanh, final=same, final_gain=1.0)
