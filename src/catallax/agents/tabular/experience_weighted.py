"""Experience-weighted attraction: reinforcement and belief learning as two ends of one rule."""

from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import AbstractAgent, Batch, Spec, number, numbers, rng
from catallax.core.softmax import softmax_at_any_scale

from .initial import first_row
from .seat import actions_with_forgone_payoffs, lived


class Attractions(NamedTuple):
    """What an experience-weighted learner has learnt."""

    values: Float[Array, " A"]
    """Q_i."""
    experience: Float[Array, ""]
    """N."""


class ExperienceWeighted(AbstractAgent):
    """Attractions Q_i with experience N, choice by softmax(beta Q). r_i is what action i earned or would have earned:

        N(n+1) = (1 - alpha) (1 - kappa) N(n) + 1,
        Q_i(n+1) = [ (1 - alpha) N(n) Q_i(n) + (delta + (1 - delta) 1{i was played}) r_i ] / N(n+1).

    delta = 1 learns from all actions alike, delta = 0 from the played one only; kappa = 1 adds payoffs up, kappa = 0
    averages them. With kappa = delta = 1 it is smooth Q-learning with payoffs multiplied by 1 / alpha (so beta =
    alpha / T), with kappa = alpha = 0 and delta = 1 smooth fictitious play. The ticks of a phase are learnt one after
    the other; over copies of the phase the reinforcements of a tick are averaged.

    It must see forgone payoffs: `Repeated(stage, shows="forgone")`.

    Args:
        alpha: memory loss.
        kappa: 1 adds payoffs up, 0 averages them.
        delta: weight of forgone payoffs.
        beta: intensity of choice, per unit of payoff.
        start: Q before play: one number, or one for each action [A].
        experience: N before play.

    Raises:
        InputError: a parameter outside its range.
        BuildError: a seat that does not see forgone payoffs, whose actions are not `Discrete`,
            or not as many as `start`.

    Source: Camerer and Ho (1999), equations 2.1 and 2.2, with phi = 1 - alpha, rho = (1 - alpha) (1 - kappa); notation
        of Pangallo, Sanders, Galla and Farmer (2017).
    Differs: averaged over copies.
    """

    alpha: Float[Array, ""] = number(0.1, "[0, 1]")
    kappa: Float[Array, ""] = number(1.0, "[0, 1]")
    delta: Float[Array, ""] = number(1.0, "[0, 1]")
    beta: Float[Array, ""] = number(1.0, "[0, inf)")
    start: Float[Array, "*A"] = numbers(0.0)
    experience: Float[Array, ""] = number(1.0, "[0, inf)")

    def init(self, key: Shaped[PRNGKeyArray, ""], spec: Spec) -> Attractions:
        n = actions_with_forgone_payoffs("ExperienceWeighted", spec)
        return Attractions(first_row("ExperienceWeighted", self.start, n), self.experience)

    def policy(self, state: Attractions) -> Float[Array, " A"]:
        """softmax(beta Q)."""
        return softmax_at_any_scale(self.beta * state.values, self.beta * (state.values - state.values.max()))

    def act(
        self, key: Shaped[PRNGKeyArray, ""], state: Attractions, memory: Any, obs: Any
    ) -> tuple[Int[Array, ""], Any, tuple]:
        """An action drawn from the policy."""
        return rng.categorical(key, self.policy(state)), memory, ()

    def learn(
        self, key: Shaped[PRNGKeyArray, ""], state: Attractions, batch: Batch, t: Int[Array, ""]
    ) -> tuple[Attractions, dict[str, Array]]:
        """Attractions after the ticks of the phase, in order."""

        def tick(state: Attractions, seen: tuple[Array, Array]) -> tuple[Attractions, None]:
            q, n = state
            action, payoff = seen
            played = jax.nn.one_hot(action, q.shape[0], dtype=q.dtype)
            earned = ((self.delta + (1 - self.delta) * played) * payoff).mean(axis=0)
            after = (1 - self.alpha) * (1 - self.kappa) * n + 1
            return Attractions(((((1 - self.alpha) * n * q + earned) / after).astype(q.dtype)), after), None

        state, _ = jax.lax.scan(tick, state, lived(batch))
        return state, {"reward": batch.reward.mean()}
