"""A game with a known best policy for learners of continuous actions."""

import equinox as eqx
import jax
import jax.numpy as jnp

from catallax.core import AbstractGame, Outcome, Real, Role


class Aim(AbstractGame):
    """Each seat sees its own x_i, uniform on [-1, 1], and earns -(a_i - x_i - shift x_next)^2 for a_i.

    Who sees all numbers earns 0. Who sees his own alone does best with a_i = x_i and earns -shift^2 / 3 on average.
    """

    seats: int = eqx.field(static=True, default=1)
    shift: float = eqx.field(static=True, default=0.0)
    last: int = eqx.field(static=True, default=0)
    """Seats before this one have discount 0, the others one half."""

    @property
    def roles(self):
        return (Role("aimer", self.seats, Real()),)

    def init(self, key):
        return jax.random.uniform(key, (self.seats,), minval=-1.0, maxval=1.0)

    def observe(self, world):
        return {"aimer": world[:, None]}

    def step(self, key, world, action):
        goal = world + self.shift * jnp.roll(world, -1)
        reward = -((action["aimer"] - goal) ** 2)
        discount = jnp.where(jnp.arange(self.seats) < self.last, 0.0, 0.5)
        return self.init(key), Outcome({"aimer": reward}, {"aimer": discount}, ())
