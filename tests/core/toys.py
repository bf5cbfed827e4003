"""A small stochastic game and a few rules with memory, learning and noise, for tests of the engine."""

import equinox as eqx
import jax
import jax.numpy as jnp

from catallax.core import (
    AbstractAgent,
    AbstractDynamics,
    AbstractGame,
    AbstractMeasure,
    Discrete,
    Outcome,
    Real,
    Role,
    Variable,
    rng,
)


class Herd(AbstractGame):
    """Each tick every cat and dog names a number; each is paid for being near a noisy common target."""

    cats: int = eqx.field(static=True, default=3)
    dogs: int = eqx.field(static=True, default=2)

    @property
    def roles(self):
        return (Role("cat", self.cats, Real()), Role("dog", self.dogs, Discrete(5)))

    def init(self, key):
        return {"target": rng.uniform(key), "clock": jnp.int32(0)}

    def observe(self, world):
        see = lambda n: jnp.broadcast_to(world["target"], (n,))
        return {"cat": see(self.cats), "dog": see(self.dogs)}

    def step(self, key, world, action):
        noise = rng.normal(key)
        target = 0.9 * world["target"] + 0.1 * action["cat"].mean() + 0.01 * action["dog"].sum() + 0.1 * noise
        reward = {
            "cat": -((action["cat"] - world["target"]) ** 2),
            "dog": -jnp.abs(action["dog"].astype(jnp.float32) - target),
        }
        going = {"cat": jnp.ones(self.cats), "dog": jnp.ones(self.dogs)}
        info = {"noise": noise, "cats": action["cat"], "dogs": action["dog"]}
        return {"target": target, "clock": world["clock"] + 1}, Outcome(reward, going, info)


class NoisyCat(AbstractAgent):
    """Says scale * (what it sees) plus noise; remembers what it said, learns a bias from rewards."""

    scale: jax.Array = eqx.field(converter=lambda x: jnp.asarray(x, jnp.float32), default=1.0)
    learns: bool = eqx.field(static=True, default=True)

    def init(self, key, spec):
        return rng.uniform(key) * 0.1

    def reset(self, key, state):
        return {"said": rng.uniform(key), "n": jnp.int32(0)}

    def act(self, key, state, memory, obs):
        noise = rng.normal(key)
        price = self.scale * obs + state + 0.1 * memory["said"] + noise
        return price, {"said": price, "n": memory["n"] + 1}, {"noise": noise}

    def learn(self, key, state, batch, t):
        if not self.learns:
            return state, {}
        return state + 0.01 * batch.reward.mean() + 0.001 * rng.normal(key), {"reward": batch.reward.mean()}


class HeavyCat(NoisyCat):
    """The same, but its seats learn one after the other."""

    learns_in_sequence = True


class RandomDog(AbstractAgent):
    """A uniform number."""

    def act(self, key, state, memory, obs):
        return rng.to_integer(rng.key_bits(key).first, 5), memory, ()


class TeamOfDogs(AbstractAgent):
    """One mind for all dogs: numbers in a row from a random start; counts its ticks."""

    def reset(self, key, state):
        return jnp.int32(0)

    def act(self, key, state, memory, obs):
        start = rng.to_integer(rng.key_bits(key).first, 5)
        return (start + jnp.arange(obs.shape[0])) % 5, memory + 1, {"start": start}

    def learn(self, key, state, batch, t):
        return state, {"shape": jnp.asarray(batch.action.shape), "extras": jnp.asarray(batch.extras["start"].shape)}


class Walk(AbstractDynamics):
    """A random walk; rests at 0 when `pull` is 1."""

    pull: jax.Array = eqx.field(converter=jnp.asarray, default=0.5)
    noise: float = eqx.field(static=True, default=1.0)

    def init(self, key):
        return jnp.float32(1.0)

    def step(self, key, state, t):
        state = (1 - self.pull) * state + self.noise * jax.random.normal(rng.fold(key, t))
        return state, {"state": state}

    def residual(self, state):
        return jnp.abs(state)


class Level(AbstractMeasure):
    """The record's state, every so often."""

    every: int = eqx.field(static=True, default=1)
    name: str = eqx.field(static=True, default="level")

    @property
    def variables(self):
        return (Variable(self.name, (), "1", "state of the walk"),)

    def __call__(self, dynamics, state, record, t):
        return {self.name: record["state"]}


class Info(AbstractMeasure):
    """Everything the Herd says of a phase."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self):
        return (
            Variable("noise", ("copy", "tick"), "1", "the world's noise"),
            Variable("cats", ("copy", "tick", "cat"), "1", "cats' actions"),
            Variable("dogs", ("copy", "tick", "dog"), "1", "dogs' actions"),
        )

    def __call__(self, dynamics, state, record, t):
        return record.info
