"""Advantage actor-critic: one policy-gradient step a phase, with a learnt value function as its baseline."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.parts.advantage import generalised_advantage
from catallax.agents.parts.descent import begin, descend
from catallax.agents.parts.mlp import MLP
from catallax.agents.parts.policy import Policy, PolicyWeights, same
from catallax.core import AbstractAgent, Batch, BuildError, InputError, Spec, check_count, check_number, rng

_scalar = lambda x: jnp.asarray(x, jnp.float32)
_INTERVALS = {
    "[0, 1]": ("gamma", "lambda_"),
    "[0, inf)": ("rate", "value_weight", "entropy_weight"),
    "(0, inf)": ("sigma", "reward_scale"),
    "(0, inf]": ("norm",),
}


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

    Observations are vectors; actions `Real` of any shape (Gaussian, sigma learnt, starting at `sigma`) or `Discrete`
    (softmax). Nothing is clipped: bounded moves are the interface's business.

    Args:
        rate: Adam's, at least 0; default 7e-4, usual in code for RMSProp.
        gamma: discount beyond the game's own, in [0, 1]; 1 where the game discounts.
        entropy_weight: at least 0; default 1e-4, the published value for continuous actions (0.01 for finite ones).
        widths: hidden layers of the policy's and of the value's network, tanh.

    Raises:
        BuildError: observations that are not a vector, an action space that is neither `Real` nor `Discrete`.
        InputError: a parameter outside its range. Traced values are not looked at.

    Source: Mnih et al. (2016), algorithm S3 and section 5.1, one worker with B sequences in step; Konda and Tsitsiklis
        (2000); Sutton and Barto (2018), section 13.5.
    Differs: Adam instead of RMSProp; actor and critic share no layers; sigma does not depend on the observation.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = eqx.field(converter=_scalar, default=7e-4)
    gamma: Float[Array, ""] = eqx.field(converter=_scalar, default=0.99)
    lambda_: Float[Array, ""] = eqx.field(converter=_scalar, default=1.0)
    value_weight: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    entropy_weight: Float[Array, ""] = eqx.field(converter=_scalar, default=1e-4)
    sigma: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    norm: Float[Array, ""] = eqx.field(converter=_scalar, default=0.5)
    reward_scale: Float[Array, ""] = eqx.field(converter=_scalar, default=1.0)
    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))

    def __check_init__(self) -> None:
        """Counts and ranges."""
        if not isinstance(self.widths, tuple):
            raise InputError(
                f"ActorCritic: widths must be a tuple of layer widths, such as (64, 64), got {self.widths!r}"
            )
        for width in self.widths:
            check_count("ActorCritic", "a width", width)
        for interval, names in _INTERVALS.items():
            for name in names:
                check_number("ActorCritic", name, getattr(self, name), interval)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> ActorCriticState:
        """Fresh networks."""
        shape = getattr(spec.obs, "shape", None)
        if shape is None or len(shape) != 1:
            raise BuildError(f"ActorCritic needs a vector of features, its seat sees {spec.obs}; give its group a view")
        if not Policy.fits(spec.action):
            raise BuildError(
                "ActorCritic acts by real numbers or chooses among finitely many actions, its seat accepts "
                f"{spec.action}"
            )
        policy, value, (inputs,) = Policy(self.widths), self._critic(), shape
        split = policy.size(inputs, spec.action)
        words = rng.draws(key, split + value.size(inputs)).first
        actor = policy.begin(words[:split], inputs, spec.action, self.sigma)
        nets = Nets(actor, value.layers(words[split:], inputs))
        return ActorCriticState(nets, begin(nets))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: ActorCriticState, memory: Any, obs: Float[Array, " features"]
    ) -> tuple[Array, Any, tuple]:
        """An action drawn from the policy."""
        return Policy(self.widths).draw(key, state.nets.policy, obs), memory, ()

    def best(self, state: ActorCriticState, obs: Float[Array, " features"]) -> Array:
        """The policy without its noise: the mean, or the likeliest action."""
        return Policy(self.widths).best(state.nets.policy, obs)

    def value(self, state: ActorCriticState, obs: Float[Array, "*batch features"]) -> Float[Array, "*batch"]:
        """V(obs), in scaled rewards."""
        return self._critic()(state.nets.value, obs)[..., 0]

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: ActorCriticState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[ActorCriticState, dict[str, Array]]:
        """One Adam step on the loss above."""
        value = self.value(state, batch.obs)
        discount = self.gamma * batch.discount
        advantage = generalised_advantage(self.reward_scale * batch.reward, discount, value, self.lambda_)
        target = advantage + value[:, :-1]
        n = batch.reward.size
        obs, action = batch.obs[:, :-1].reshape(n, -1), batch.action.reshape(n, *batch.action.shape[2:])
        lived = (obs, action, advantage.reshape(n), target.reshape(n))
        gradient, log = jax.grad(self.loss, has_aux=True)(state.nets, *lived)
        flat, restored = ravel_pytree(state.nets)
        flat, adam, size = descend(flat, gradient, state.optimiser, self.rate, self.norm)
        log |= {"return": batch.reward.sum(axis=1).mean(), "gradient_norm": size}
        return ActorCriticState(restored(flat), adam), log

    def loss(
        self,
        nets: Nets,
        obs: Float[Array, "N features"],
        action: Shaped[Array, "N ..."],
        advantage: Float[Array, " N"],
        target: Float[Array, " N"],
    ) -> tuple[Float[Array, ""], dict[str, Array]]:
        """The loss above; logs the critic's mean squared error and the entropy."""
        policy = Policy(self.widths)
        gain = (policy.log_probability(nets.policy, obs, action) * advantage).mean()
        error = ((self._critic()(nets.value, obs)[..., 0] - target) ** 2).mean()
        entropy = policy.entropy(nets.policy, obs)
        log = {"value_error": error, "entropy": entropy}
        return 0.5 * self.value_weight * error - gain - self.entropy_weight * entropy, log

    def _critic(self) -> MLP:
        return MLP(self.widths, 1, hidden=jnp.tanh, final=same, final_gain=1.0)
