"""Stateless Boltzmann Q-learning from sampled payoffs: the learner behind the Q-learning flow."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, Spec, flag, number, numbers, rng
from catallax.core.softmax import softmax_at_any_scale

from .initial import first_row
from .seat import actions_of


class BoltzmannQ(AbstractAgent):
    """One value for each action, choice by softmax(Q / T), and only the played action is updated:

        Q_a <- Q_a + rate * w_a * (reward - Q_a),   w_a = 1, or min(floor / pi_a, 1) if `frequency_adjusted`.

    What it sees is ignored: it suits repeated games without memory. The ticks of a phase are learnt one after the other
    with the policy that was frozen over it; over copies of the phase the updates of a tick are averaged. As the rate
    falls to 0 the adjusted learner follows `QLearningFlow(time="temperature")`, whose time advances by rate * floor a
    tick (while every pi_a is at least floor). The plain one has the extra factor pi_a in the equation of Q_a: another
    flow with the same interior rest points, the logit equilibria at T.

    Args:
        temperature: T, in units of payoff.
        rate: step size.
        floor: the least probability that the adjustment divides by; of no effect unless `frequency_adjusted`.
        start: Q before play: one number, or one for each action [A].

    Raises:
        InputError: a parameter outside its range; of traced values only the shape is looked at.
        BuildError: an action space that is not `Discrete`, or has another number of actions than `start`.

    Source: Leonardos, Piliouras and Spendlove (2021), equations 5 and 6; the adjustment: Kaisers and Tuyls (2010).
    Differs: sampled payoffs of the played action only; averaged over copies.
    """

    temperature: Float[Array, ""] = number(1.0, "(0, inf)")
    rate: Float[Array, ""] = number(0.1, "(0, 1]")
    floor: Float[Array, ""] = number(0.1, "(0, 1]")
    start: Float[Array, "*A"] = numbers(0.0)
    frequency_adjusted: bool = flag(False)

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> Float[Array, " A"]:
        return first_row("BoltzmannQ", self.start, actions_of("BoltzmannQ", spec))

    def policy(self, state: Float[Array, " A"]) -> Float[Array, " A"]:
        """softmax(Q / T)."""
        return softmax_at_any_scale(state / self.temperature, (state - state.max()) / self.temperature)

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, " A"], memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        """An action drawn from the policy."""
        return rng.categorical(key, self.policy(state)), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, " A"], batch: Batch, t: Int[Array, ""]
    ) -> tuple[Float[Array, " A"], dict[str, Array]]:
        """Q after the ticks of the phase, in order."""
        weight = jnp.ones_like(state)
        if self.frequency_adjusted:
            weight = jnp.minimum(self.floor / self.policy(state), 1.0)

        def tick(q: Array, lived: tuple[Array, Array]) -> tuple[Array, None]:
            action, reward = lived
            played = jax.nn.one_hot(action, q.shape[0], dtype=q.dtype)
            error = (played * (reward[:, None] - q)).mean(axis=0)
            return q + (self.rate * weight * error).astype(q.dtype), None

        state, _ = jax.lax.scan(tick, state, (batch.action.T, batch.reward.T))
        return state, {"reward": batch.reward.mean()}
