"""Two games of MFGLib as stationary ones: from `start` go to a place, earn there by the crowd, return.

The crowd's first law has half its mass at `start`, so one round of a policy is its exact flow. With discount g the
action values at `start` are g times those of the two-stage game plus a constant: a rate or an inverse temperature c / g
gives the iterates that MFGLib has with c, and its exploitability is ours times 2 (1 - g) / g.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.games.mean_field import AbstractMeanFieldGame, TabularMDP, meet_in_law
from catallax.games.mean_field.mdp import real

LEFT_RIGHT = ((-1.0, 0.0), (0.0, -2.0))
ROCK_PAPER_SCISSORS = ((0.0, -1.0, 2.0), (4.0, 0.0, -2.0), (-3.0, 6.0, 0.0))


class Places(AbstractMeanFieldGame):
    """State 0 is the start, state i + 1 is place i, where r = sum_j payoff[i, j] x_j with x the shares of places."""

    payoff: Float[Array, "A A"] = eqx.field(converter=real, default=LEFT_RIGHT)
    discount: Float[Array, ""] = eqx.field(converter=real, default=0.5)

    @property
    def states(self) -> int:
        return self.payoff.shape[0] + 1

    @property
    def actions(self) -> int:
        return self.payoff.shape[0]

    @property
    def legal(self):
        return jnp.ones((self.states, self.actions), bool)

    @property
    def first(self):
        """Half the mass at the start, the rest uniform."""
        mu = jnp.concatenate([jnp.ones(1), jnp.full(self.actions, 1 / self.actions)]) / 2
        return jnp.broadcast_to(mu[:, None] / self.actions, (self.states, self.actions))

    def frozen(self, law):
        k = self.actions
        there = law.sum(axis=1)[1:]
        share = there / jnp.maximum(there.sum(), 1e-300 if there.dtype == jnp.float64 else 1e-30)
        earned = jnp.concatenate([jnp.zeros(1, law.dtype), self.payoff @ share])
        reward = jnp.broadcast_to(earned[:, None], (k + 1, k))
        go = jnp.eye(k + 1, dtype=law.dtype)[1:]
        back = jnp.broadcast_to(jax.nn.one_hot(0, k + 1, dtype=law.dtype), (k, k, k + 1))
        return TabularMDP(reward, jnp.concatenate([go[None], back]), self.discount)

    def meet(self, key, state, action):
        after, reward = meet_in_law(self, key, state, action)
        return after, reward, ()


def of_two_stages(exploitability, discount: float = 0.5):
    """Exploitability in the units of the two-stage game."""
    return exploitability * 2 * (1 - discount) / discount
