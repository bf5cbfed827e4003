"""Stochastic policies as networks: a Gaussian for real actions, a softmax for finite ones.

Observations are vectors of features, or `Masked` views of them: then an action that is not legal has probability 0.
"""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped, UInt32

from catallax.agents.parts.features import among_legal, features_of, legal_of
from catallax.agents.parts.mlp import MLP, Layer, same
from catallax.core import AbstractSpace, Discrete, Real, rng

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def noise(key: Shaped[PRNGKeyArray, ""], n: int) -> Float[Array, " {n}"]:
    """n standard normal numbers; the key's own bits are enough for one. Consumes the key."""
    return rng.normal(key)[None] if n == 1 else rng.to_normal(rng.draws(key, n).first)


def log_density(action: Float[Array, "*N k"], mean: Float[Array, "*N k"], log_sigma: Float[Array, " k"]) -> Array:
    """ln N(action; mean, diag(sigma^2)), summed over the k numbers of an action: [*N]."""
    error = (action - mean) * jnp.exp(-log_sigma)
    return (-0.5 * error**2 - log_sigma - _HALF_LOG_TAU).sum(axis=-1)


class PolicyWeights(NamedTuple):
    """What is trained of a policy."""

    layers: tuple[Layer, ...]
    log_sigma: Float[Array, "..."] | None
    """ln sigma of each number of a real action, in the action's shape; None for finite actions."""


class Policy(eqx.Module):
    """pi(a | obs): N(mu(obs), sigma^2) with sigma free of the observation for `Real` actions of any shape, softmax of
    one score an action for `Discrete` ones. tanh hidden layers; the first policy is nearly the same for all
    observations (output gain 0.01).
    """

    widths: tuple[int, ...] = eqx.field(static=True, default=(64, 64))

    @staticmethod
    def fits(space: AbstractSpace) -> bool:
        """Whether there is a policy over that space."""
        return isinstance(space, Real | Discrete)

    def size(self, inputs: int, space: AbstractSpace) -> int:
        """How many draws of 32 random bits fresh weights take."""
        return self._network(_outputs(space)).size(inputs)

    def begin(
        self, bits: UInt32[Array, " size"], inputs: int, space: AbstractSpace, sigma: Float[Array, ""]
    ) -> PolicyWeights:
        """Fresh weights from `size(inputs, space)` draws of 32 bits; sigma is of no effect for finite actions."""
        layers = self._network(_outputs(space)).layers(bits, inputs)
        return PolicyWeights(layers, jnp.full(space.shape, jnp.log(sigma)) if isinstance(space, Real) else None)

    def draw(self, key: Shaped[PRNGKeyArray, ""], weights: PolicyWeights, obs: Any) -> tuple[Array, Float[Array, ""]]:
        """An action in the space's own shape, and ln pi(action | obs). Consumes the key."""
        out = self._outputs(weights, obs)
        if weights.log_sigma is None:
            action = rng.categorical(key, jax.nn.softmax(out))
            if legal_of(obs) is not None:  # rounding in the sums may leave an illegal action a sliver of chance
                action = jnp.where(obs.legal[action], action, jnp.argmax(out).astype(jnp.int32))
            return action, jax.nn.log_softmax(out)[action]
        log_sigma = weights.log_sigma.reshape(-1)
        action = out + jnp.exp(log_sigma) * noise(key, out.shape[0])
        return action.reshape(weights.log_sigma.shape), log_density(action, out, log_sigma)

    def best(self, weights: PolicyWeights, obs: Any) -> Array:
        """The policy without its noise: the mean, or the first of the likeliest actions."""
        out = self._outputs(weights, obs)
        if weights.log_sigma is None:
            return jnp.argmax(out).astype(jnp.int32)
        return out.reshape(weights.log_sigma.shape)

    def log_probability(
        self, weights: PolicyWeights, obs: Any, action: Float[Array, "N ..."] | Int[Array, " N"]
    ) -> Float[Array, " N"]:
        """ln pi(action | obs) for N observations and actions, a density for real actions."""
        out = self._outputs(weights, obs)
        if weights.log_sigma is None:
            return jnp.take_along_axis(jax.nn.log_softmax(out), action[:, None], axis=1)[:, 0]
        return log_density(action.reshape(out.shape), out, weights.log_sigma.reshape(-1))

    def entropy(self, weights: PolicyWeights, obs: Any) -> Float[Array, ""]:
        """Mean over N observations of the policy's entropy, in nats (differential for real actions)."""
        if weights.log_sigma is None:
            out = jax.nn.log_softmax(self._outputs(weights, obs))
            return -(jnp.exp(out) * out).sum(axis=-1).mean()
        return (weights.log_sigma + _HALF_LOG_TAU + 0.5).sum()

    def _outputs(self, weights: PolicyWeights, obs: Any) -> Array:
        """The mean of a real action; the scores of finite actions."""
        out = self._network(weights.layers[-1].bias.shape[0])(weights.layers, features_of(obs))
        return among_legal(obs, out)

    def _network(self, outputs: int) -> MLP:
        return MLP(self.widths, outputs, hidden=jnp.tanh, final=same, final_gain=0.01)


def _outputs(space: AbstractSpace) -> int:
    return math.prod(space.shape) if isinstance(space, Real) else space.n  # type: ignore[attr-defined]
