"""How far a learnt saving policy is from the best one. Returns hardly tell: the optimum is flat."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, Variable
from catallax.games.macro.growth import BrockMirman, GrowthView


def constant_share_loss(game: BrockMirman, share: float | Float[Array, "*n"]) -> Float[Array, "*n"]:
    """What saving a constant share for ever costs, as a share of consumption in every period.

    1 - exp(ln((1 - s) / (1 - s*)) + s* / (1 - s*) ln(s / s*)) with s* = alpha beta, from the closed form of the value
    of a constant share; the same for every capital and productivity.
    """
    best = game.best_share
    share = jnp.asarray(share)
    return 1 - jnp.exp(jnp.log((1 - share) / (1 - best)) + best / (1 - best) * jnp.log(share / best))


def euler_error(game: BrockMirman, share: Float[Array, "z k"], ahead: Float[Array, "z k after"]) -> Float[Array, "z k"]:
    """The relative error of consumption in the Euler equation, in absolute value.

    |c^ / c - 1| with 1 / c^ = beta E[ alpha z' k'^(alpha - 1) / c' ]. With full depreciation capital cancels:
    c^ / c = s / (alpha beta (1 - s) E[1 / (1 - s')]), s' the share saved next period in each state that may follow.

    Args:
        share: s in states (z, k).
        ahead: s' at the capital that s leaves, for each next z.
    """
    mean = jnp.einsum("ij,ikj->ik", game.transition, 1 / (1 - ahead))
    return jnp.abs(share / (game.best_share * (1 - share) * mean) - 1)


class SavingPolicy(AbstractMeasure):
    """The saving share that the household would choose without noise, on a grid of states, against alpha beta.

    The grid has every productivity and `points` capitals, evenly spaced in ln k over [ln 0.1, ln 2] around the steady
    state's (where episodes start). For rules with a method `best(state, obs)` under `Independent`.
    """

    every: int = eqx.field(static=True, default=1)
    points: int = eqx.field(static=True, default=21)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Errors of the policy, and the return for comparison."""
        return (
            Variable("policy_error", (), "1", "largest |s / s* - 1| on the grid, s* = alpha beta"),
            Variable("policy_error_mean", (), "1", "mean |s / s* - 1| on the grid"),
            Variable("share", (), "1", "mean share saved on the grid"),
            Variable("share_slope", (), "1", "least-squares slope of the share in ln k; 0 for the best policy"),
            Variable("euler_error", (), "log10", "log10 of the mean relative Euler error on the grid"),
            Variable("reward", (), "ln c", "mean reward of the phase as played: ln c - ln c_ss"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """As above."""
        game: BrockMirman = dynamics.game
        group = dynamics.population.groups[0]
        learnt = jax.tree.map(lambda x: x[0], state.agents[0])
        rule = group.control.agent

        def chosen(capital: Array, z: Array) -> Array:
            seen = GrowthView(capital, z, game.steady_capital)
            share = group.interface.move(seen, rule.best(learnt, group.interface.view(seen)))
            return jnp.clip(share, game.floor, 1 - game.floor)

        logs = jnp.linspace(jnp.log(0.1), jnp.log(2.0), self.points)
        capital = game.steady_capital * jnp.exp(logs)
        over = lambda k: jax.vmap(lambda z: jax.vmap(lambda k: chosen(k, z))(k))(game.productivity)
        share = over(capital)
        after = share * game.productivity[:, None] * capital**game.alpha
        ahead = jax.vmap(jax.vmap(lambda k: jax.vmap(lambda z: chosen(k, z))(game.productivity)))(after)
        error = jnp.abs(share / game.best_share - 1)
        centred = logs - logs.mean()
        return {
            "policy_error": error.max(),
            "policy_error_mean": error.mean(),
            "share": share.mean(),
            "share_slope": (centred * share.mean(axis=0)).sum() / (centred**2).sum(),
            "euler_error": jnp.log10(jnp.maximum(euler_error(game, share, ahead).mean(), 1e-12)),
            "reward": record.batches[0].reward.mean(),
        }
