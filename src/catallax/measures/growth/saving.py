"""How far a learnt saving policy is from the best one. Returns hardly tell: the optimum is flat."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, BuildError, Independent, Variable, count
from catallax.games.growth.growth import BrockMirman, GrowthView


def consumption_loss(game: BrockMirman, share: float | Float[Array, "*n"]) -> Float[Array, "*n"]:
    """What saving `share` of output costs, as a share of consumption in every period; the same in every state.

    1 - exp A(s) with A(s) = ln((1 - s) / (1 - s*)) + s* / (1 - s*) ln(s / s*), s* = alpha beta: the share of
    consumption that a household would give up in every period rather than save s for ever. A is also the advantage of s
    in the optimal value function, so -(1 - beta) sum_t beta^t A(s_t) along its own path is what ANY policy costs, in
    ln c of every period.

    Source: closed form of the value of a constant share; for other policies Kakade and Langford (2002), lemma 6.1.
    """
    return -jnp.expm1(_advantage(game, jnp.asarray(share)))


def _advantage(game: BrockMirman, share: Array) -> Array:
    """The advantage of a share in the optimal value function, in ln c: zero at the best one, negative elsewhere."""
    best = game.best_share
    return jnp.log((1 - share) / (1 - best)) + best / (1 - best) * jnp.log(share / best)


def euler_error(game: BrockMirman, share: Float[Array, "z k"], ahead: Float[Array, "z k after"]) -> Float[Array, "z k"]:
    """The relative error of consumption in the Euler equation, in absolute value.

    |c^ / c - 1| with 1 / c^ = beta E[ alpha z' k'^(alpha - 1) / c' ]. With full depreciation capital cancels:
    c^ / c = s / (alpha beta (1 - s) E[1 / (1 - s')]), s' the share saved next period in each state that may follow.

    Args:
        share: s in states (z, k).
        ahead: s' at the capital that s leaves, for each next z.

    Source: Judd (1992), the unit-free error of an Euler equation.
    """
    mean = jnp.einsum("ij,ikj->ik", game.transition, 1 / (1 - ahead))
    return jnp.abs(share / (game.best_share * (1 - share) * mean) - 1)


class SavingPolicy(AbstractMeasure):
    """The saving share that the household would choose without noise, against the best one, s* = alpha beta.

    Two sets of states: those the household visited in the phase (all copies and ticks), and a grid of every
    productivity and `points` capitals from 0.1 to 2 steady states, even in ln k, where episodes start; low capital is
    left in one period and hardly visited. For rules with a method `best(state, obs)` under `Independent` in a
    `BrockMirman` economy.

    Raises:
        BuildError: another game, another lift, or a rule without `best`.
    """

    every: int = count(1)
    points: int = eqx.field(static=True, default=21)

    def grid(self) -> Float[np.ndarray, " capital"]:
        """The grid of capital, in units of the steady state's: `points` values from 0.1 to 2, even in their logs."""
        return np.geomspace(0.1, 2.0, self.points)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Errors of the policy, and the return for comparison."""
        return (
            Variable("share", (), "1", "mean share saved in visited states"),
            Variable("policy_error", (), "1", "mean |s / s* - 1| over visited states, s* = alpha beta"),
            Variable("policy_error_grid", (), "1", "largest |s / s* - 1| on the grid"),
            Variable("share_slope", (), "1", "least-squares slope of the share in ln k on the grid; 0 at best"),
            Variable("euler_error", (), "log10", "log10 of the mean relative Euler error on the grid"),
            Variable("share_by_capital", ("capital",), "1", "share on the grid, mean over productivities"),
            Variable("consumption_lost", (), "1", "share of consumption the policy costs; visited states weigh alike"),
            Variable("reward", (), "ln c", "mean reward of the phase as played: ln c - ln c_ss"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        game, chosen = self._policy(dynamics, state)
        capital = game.steady_capital * jnp.asarray(self.grid(), jnp.float32)
        info, z = record.info, game.productivity
        states = jnp.broadcast_arrays(capital[None, :], z[:, None])
        at = [
            jnp.concatenate([a.ravel(), b.ravel()])
            for a, b in zip(states, (info.capital, info.productivity), strict=True)
        ]
        shares = chosen(*at)  # grid and visited states at once: one small program less to compile
        share, visited = shares[: z.size * self.points].reshape(z.size, -1), shares[z.size * self.points :]
        ahead = chosen((share * z[:, None] * capital**game.alpha)[:, :, None], z)
        logs = np.log(self.grid())
        centred = jnp.asarray(logs - logs.mean(), jnp.float32)
        return {
            "share": visited.mean(),
            "policy_error": jnp.abs(visited / game.best_share - 1).mean(),
            "policy_error_grid": jnp.abs(share / game.best_share - 1).max(),
            "share_slope": (centred * share.mean(axis=0)).sum() / (centred**2).sum(),
            "share_by_capital": share.mean(axis=0),
            "euler_error": jnp.log10(jnp.maximum(euler_error(game, share, ahead).mean(), 1e-12)),
            "consumption_lost": -jnp.expm1(_advantage(game, visited).mean()),
            "reward": record.batches[0].reward.mean(),
        }

    def _policy(self, dynamics: Any, state: Any) -> tuple[BrockMirman, Any]:
        """The game, and the noiseless share for arrays of capital and productivity."""
        game = getattr(dynamics, "game", None)
        if not isinstance(game, BrockMirman):
            raise BuildError(f"SavingPolicy measures a Play of BrockMirman, got {type(game or dynamics).__name__}")
        group = dynamics.population.groups[0]
        rule = group.control.agent
        if not isinstance(group.control, Independent) or not hasattr(rule, "best"):
            raise BuildError(f"SavingPolicy asks a rule under Independent for its `best(state, obs)`; {group} has none")
        learnt = jax.tree.map(lambda x: x[0], state.agents[0])

        def one(capital: Array, z: Array) -> Array:
            seen = GrowthView(capital, z, game.steady_capital)
            share = group.interface.move(seen, rule.best(learnt, group.interface.view(seen)))
            return jnp.clip(share, game.floor, 1 - game.floor)

        return game, jnp.vectorize(one)
