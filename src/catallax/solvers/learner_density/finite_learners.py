"""Finitely many Q-learners who draw their actions; the transport equation of their density is the limit."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from catallax.core import InputError, check_count, check_number, rng
from catallax.core.checks import check_flag, check_kind

from .law import ProductLaw, sobol
from .model import AbstractLearnerDensity, LearnerModel, WeightedPoints, check_law_size


class FiniteLearners(AbstractLearnerDensity):
    """N learners with one value for each action. In each play a learner draws an action a from softmax(Q / T), and

        Q_a <- Q_a + gain (r - Q_a),

    where r is its mean payoff against all others, or against `opponents` others that are drawn anew in each play. Time
    advances by gain / alpha a play. As N grows and the gain falls, the law of Q follows the transport equation. The
    error of the mean policy has a random part of order N^(-1/2) and a bias of order gain, because values fluctuate and
    the policy is not linear in them. Against all others only the learner's own draws make its values fluctuate; with
    few opponents the opponents' draws do so too, and the bias is larger.

    Args:
        model: the game and the learners.
        law: the law of the values at time 0.
        agents: N, at least 2.
        gain: the step size of a play, in (0, 1].
        interval: the time between two steps of the dynamics, a whole number of plays.
        opponents: the number of opponents in a play, drawn uniformly with replacement; None for all others.
        populations: B, the number of independent populations side by side.
        lattice: whether the values at time 0 are Sobol points, shifted at random for each population, instead of draws;
            the start then adds almost nothing to the random error.

    The state is Q, [A, N, B].

    Raises:
        InputError: the law is for another number of actions, a count or the gain is out of range, or the interval is
            not a whole number of plays.

    Source: Hu, Leung and Leung (2019), the model of agents: each meets m of n others.
    Differs: one population of learners, and no discounting.
    """

    model: LearnerModel
    interval: Float[Array, ""]
    quantiles: Float[Array, "A M"]
    gain: Float[Array, ""]
    lattice: Float[Array, "A N"] | None
    plays: int = eqx.field(static=True)
    """The number of plays in a step of the dynamics."""
    agents: int = eqx.field(static=True)
    opponents: int | None = eqx.field(static=True)
    populations: int = eqx.field(static=True)

    def __init__(
        self,
        model: LearnerModel,
        law: ProductLaw,
        agents: int = 1000,
        *,
        gain: float | int = 0.02,
        interval: float | int = 1.0,
        opponents: int | None = None,
        populations: int = 1,
        lattice: bool = False,
    ):
        who = "FiniteLearners"
        check_kind(who, "model", model, LearnerModel)
        check_kind(who, "law", law, ProductLaw)
        check_flag(who, "lattice", lattice)
        check_count(who, "agents", agents, 2)
        check_count(who, "populations", populations)
        if opponents is not None:
            check_count(who, "opponents", opponents)
        check_number(who, "gain", gain, "(0, 1]")
        check_number(who, "interval", interval, "(0, inf)")
        check_law_size(who, len(law.marginals), model)
        dtype, play = model.payoff.dtype, float(gain) / float(model.rate)
        plays = round(float(interval) / play)
        if plays < 1 or abs(plays * play - interval) > 1e-6 * interval:
            raise InputError(
                f"{who}: an interval of {interval:g} is no whole number of plays, each of which takes gain / rate = "
                f"{play:g}; take a gain that divides it"
            )
        self.model, self.agents, self.opponents, self.populations = model, agents, opponents, populations
        self.plays = plays
        self.gain, self.interval = jnp.asarray(gain, dtype), jnp.asarray(interval, dtype)
        self.quantiles = jnp.asarray(law.quantiles(), dtype)
        self.lattice = jnp.asarray(sobol(model.actions, agents), dtype) if lattice else None

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Float[Array, "A N B"]:
        """Values from the law: draws, or points of a shifted lattice if `lattice` is set."""
        key, dtype = rng.root(key), self.quantiles.dtype
        if self.lattice is None:
            drawn = [self._bits(key, a, 0).first for a in range(self.model.actions)]
            level = rng.to_uniform(jnp.stack(drawn)).astype(dtype)
        else:
            shifts = [self._bits(key, a, 0, agents=1).first for a in range(self.model.actions)]
            level = (self.lattice[:, :, None] + rng.to_uniform(jnp.stack(shifts)).astype(dtype)) % 1.0
        knots = jnp.linspace(0.0, 1.0, self.quantiles.shape[1], dtype=dtype)
        return jax.vmap(lambda u, q: jnp.interp(u, knots, q))(level, self.quantiles)

    def step(
        self, key: Shaped[PRNGKeyArray, ""], state: Float[Array, "A N B"], t: Int[Array, ""]
    ) -> tuple[Float[Array, "A N B"], Float[Array, "A N B"]]:
        key, first = rng.root(key), t * self.plays

        def play(values: Array, i: Array) -> tuple[Array, None]:
            return self._play(key, values, first + i), None

        after, _ = jax.lax.scan(play, state, jnp.arange(self.plays, dtype=jnp.int32))
        return after, state

    def _bits(self, key: Shaped[PRNGKeyArray, ""], purpose: int, play: Any, agents: int | None = None) -> rng.Bits:
        """64 random bits for each learner, [N, B]; the purposes 0 to A - 1 are for the values at time 0."""
        who = jnp.arange(self.agents if agents is None else agents)[:, None]
        return rng.random_bits(key, purpose, jnp.arange(self.populations)[None], who, jnp.asarray(play))

    def _play(
        self, key: Shaped[PRNGKeyArray, ""], values: Float[Array, "A N B"], number: Int[Array, ""]
    ) -> Float[Array, "A N B"]:
        """The values after one play, in which all learners draw an action, are paid, and learn."""
        bits = self._bits(key, self.model.actions, number)
        below = jnp.cumsum(self.model.policy(values), axis=0)[:-1]
        action = (rng.to_uniform(bits.first) >= below).sum(axis=0, dtype=jnp.int32)
        played = action == jnp.arange(self.model.actions).reshape(-1, 1, 1)
        if self.opponents is None:
            reward = self._against_all(played)
        else:
            reward = self._against_one(action, bits.second) / self.opponents
            for i in range(1, self.opponents):
                word = self._bits(key, self.model.actions + i, number).first
                reward = reward + self._against_one(action, word) / self.opponents
        return values + self.gain * jnp.where(played, reward - values, 0.0)

    def _against_all(self, played: Any) -> Float[Array, "A N B"]:
        """The mean reward of each action against the actions that all others played."""
        counts = played.sum(axis=1, dtype=self.model.payoff.dtype)
        itself = jnp.tensordot(self.model.payoff, played.astype(counts.dtype), axes=1)
        return (self.model.rewards(counts)[:, None] - itself) / (self.agents - 1)

    def _against_one(self, action: Int[Array, "N B"], word: Any) -> Float[Array, "A N B"]:
        """The reward of each action against one other learner, drawn uniformly."""
        offset = 1 + rng.to_integer(word, self.agents - 1)
        other = (jnp.arange(self.agents)[:, None] + offset) % self.agents
        return self.model.payoff[:, jnp.take_along_axis(action, other, axis=0)]

    @property
    def most_steps(self) -> int:
        """The largest number of steps: plays are counted in 31 bits."""
        return (2**31 - 1) // self.plays

    def points(self, state: Float[Array, "A N B"]) -> WeightedPoints:
        """The learners, all with the same weight."""
        return WeightedPoints(state, jnp.full((self.agents, 1), 1 / self.agents, state.dtype))
