"""REINFORCE with a Gaussian policy: the learner of Rawat (2023) as its code has it, and its corrected form."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.agents.parts.descent import begin, descend
from catallax.agents.parts.features import check_features
from catallax.agents.parts.mlp import MLP
from catallax.core import AbstractAgent, Batch, BuildError, Spec, flag, number, rng


class ReinforceState(NamedTuple):
    """Policy network, optimiser and the policy's standard deviation."""

    layers: Any
    optimiser: Any
    sigma: Float[Array, ""]


class Reinforce(AbstractAgent):
    """Monte Carlo policy gradient: action a ~ N(mu(obs), sigma), one update from the B sequences of a phase.

    With rewards r divided by `reward_scale`, reward-to-go G_t = sum_{k >= t} gamma^(k - t) r_k, the loss is

        - sum over sequences and ticks of  log N(a_t; mu(obs_t), sigma) (G_t - b_t),

    its gradient is clipped to norm `clip` and handed to Adam with rate `rate`; then sigma is multiplied by
    `sigma_decay` while it is above `sigma_least`. With `baseline=False` (Rawat) b_t = 0. With `baseline=True`
    (corrected) b_t is the mean of G_t over the other B - 1 sequences, which leaves the expected gradient as it is and
    takes most of its variance away. The clip biases the step wherever it binds, with or without a baseline, because
    long gradients are shortened and short ones are not: an unbiased step needs `clip=jnp.inf`. Observations are
    vectors; the raw action is one real number, never clipped.

    Raises:
        InputError: a parameter outside its range; of traced values only the shape is looked at.
        BuildError: an observation that is not a vector; a baseline with a single sequence.

    Source: Williams (1992); Rawat (2023) and its code (folder 11_VPG_Cont): widths 128 and 64, leaky ReLU, tanh output,
        sigma 0.7, 10 rounds for each update.
    Differs: Rawat's slides give the score the wrong sign and a stray 1/2 and weight it by the whole round's return;
        its code does what stands here.
    """

    learns_in_sequence = True

    rate: Float[Array, ""] = number(3e-4, "[0, inf)", dtype=jnp.float32)
    gamma: Float[Array, ""] = number(0.99, "[0, 1]", dtype=jnp.float32)
    sigma: Float[Array, ""] = number(0.7, "(0, inf)", dtype=jnp.float32)
    sigma_decay: Float[Array, ""] = number(0.995, "(0, inf)", dtype=jnp.float32)
    sigma_least: Float[Array, ""] = number(0.05, "[0, inf)", dtype=jnp.float32)
    reward_scale: Float[Array, ""] = number(100.0, "(0, inf)", dtype=jnp.float32)
    clip: Float[Array, ""] = number(10.0, "(0, inf]", dtype=jnp.float32)
    network: MLP = MLP((128, 64))
    baseline: bool = flag(False)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> ReinforceState:
        inputs = check_features("Reinforce", spec)
        layers = self.network.init(key, inputs)
        return ReinforceState(layers, begin(layers), self.sigma)

    def act(
        self,
        key: Shaped[PRNGKeyArray, ""],
        state: ReinforceState,
        memory: Any,
        obs: Float[Array, " features"],
    ) -> tuple[Float[Array, ""], Any, tuple]:
        return self.best(state, obs) + state.sigma * rng.normal(key), memory, ()

    def best(self, state: ReinforceState, obs: Float[Array, " features"]) -> Float[Array, ""]:
        """The policy without its noise: mu(obs)."""
        return self.network(state.layers, obs)[0]

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: ReinforceState, batch: Batch, t: Int[Array, ""]
    ) -> tuple[ReinforceState, dict[str, Array]]:
        """One Adam step on the loss above."""
        weight = self._advantage(batch)
        obs = batch.obs[:, :-1].reshape(-1, batch.obs.shape[-1])
        action, weight = batch.action.reshape(-1), weight.reshape(-1)

        def loss(layers: Any) -> Array:
            error = (action - self.network(layers, obs)[:, 0]) / state.sigma
            return 0.5 * (weight * error**2).sum()

        gradient = jax.grad(loss)(state.layers)
        flat, restored = ravel_pytree(state.layers)
        flat, optimiser, norm = descend(flat, gradient, state.optimiser, self.rate, self.clip)
        sigma = jnp.where(state.sigma > self.sigma_least, state.sigma * self.sigma_decay, state.sigma)
        log = {"return": batch.reward.sum(axis=1).mean(), "gradient_norm": norm, "sigma": state.sigma}
        return ReinforceState(restored(flat), optimiser, sigma), log

    def _advantage(self, batch: Batch) -> Float[Array, "B T"]:
        """Reward-to-go, less the baseline."""

        def back(later: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            reward, going = now
            later = reward + self.gamma * going * later
            return later, later

        scaled = batch.reward / self.reward_scale
        _, returns = jax.lax.scan(back, jnp.zeros(scaled.shape[0]), (scaled.T, batch.discount.T), reverse=True)
        returns = returns.T
        if not self.baseline:
            return returns
        sequences = returns.shape[0]
        if sequences < 2:
            raise BuildError("Reinforce(baseline=True) compares sequences of a phase; Play needs copies of at least 2")
        return (returns - returns.mean(axis=0)) * (sequences / (sequences - 1))
