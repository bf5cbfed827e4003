"""What is kept of learning in matrix games: policies, distances to a reference, payoffs."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, InputError, Play, Variable, count
from catallax.games.matrix import AbstractMatrixGame, Repeated
from catallax.solvers.matrix.flow_analysis.lyapunov import divergences


def policies(dynamics: Any, state: Any) -> Float[Array, "n A B"]:
    """The mixed strategies of everybody: of a flow or solver, or of learners at play in `Repeated`.

    Learners need a method `policy(state) -> [A]` and seats of their own (`Independent`); dummies play their only
    action. Flows and solvers have `policy(state)`, [n, A] or [n, A, B]; learners give B = 1.
    """
    if not isinstance(dynamics, Play):
        policy = dynamics.policy(state)
        return policy if policy.ndim == 3 else policy[:, :, None]
    game: Any = dynamics.game
    stage: AbstractMatrixGame = game.stage
    whole = jnp.zeros((stage.players, stage.width), stage.payoff.dtype).at[:, 0].set(1.0)
    for group, learnt in zip(dynamics.population.groups, state.agents, strict=True):
        role = next(r for r in game.roles if r.name == group.role)
        own = None if group.control.seats() is None else eqx.if_array(0)
        each = eqx.filter_vmap(lambda rule, q: rule.policy(q), in_axes=(own, 0))
        mixed = each(group.control.agent, learnt)
        seats = jnp.asarray(game.seats[group.role])[group.positions(role)]
        whole = whole.at[seats, : mixed.shape[1]].set(mixed.astype(whole.dtype))
    return whole[:, :, None]


def stage_of(dynamics: Any) -> AbstractMatrixGame:
    """The stage game that a play, flow or solver is about."""
    if not isinstance(dynamics, Play):
        return dynamics.game
    game: Any = dynamics.game
    if not isinstance(game, Repeated):
        raise InputError(f"measures of matrix games need a Play of Repeated(game), not of {type(game).__name__}")
    return game.stage


class AbstractMatrixMeasure(AbstractMeasure):
    """A quantity that depends on the stage game and the policies [n, A, B] alone."""

    every: int = count(1)

    @abc.abstractmethod
    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        """The values, keyed by variable name."""

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the state after the step."""
        return self.of(stage_of(dynamics), policies(dynamics, state))


class Policy(AbstractMatrixMeasure):
    """The mixed strategy of every player; 0 for actions a player does not have."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One probability for each player, action and trajectory."""
        return (Variable("policy", ("player", "action", "trajectory"), "1", "probability of the action"),)

    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        return {"policy": policy}


class Payoffs(AbstractMatrixMeasure):
    """Expected stage payoffs at the mixed strategies, and what a best reply would add."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Payoff and regret of each player."""
        dims = ("player", "trajectory")
        return (
            Variable("payoff", dims, "payoff", "expected payoff u_k(x) of the stage game"),
            Variable("regret", dims, "payoff", "what the best reply would add; all 0 at a Nash equilibrium"),
        )

    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        return {"payoff": game.payoffs(policy), "regret": game.regrets(policy)}


class Distance(AbstractMatrixMeasure):
    """How far everybody is from a reference profile p: D_w = sum_k w_k KL(p_k || x_k), and the largest |x - p|.

    With p a logit equilibrium and w the zero-sum weights, `divergence` is the Lyapunov function of the Q-learning flow.

    Args:
        target: p, [n, A], or one for each trajectory, [n, A, B].
        weights: w, [n].
    """

    target: Float[Array, "n A *B"] = eqx.field(converter=jnp.asarray, kw_only=True)
    weights: Float[Array, " n"] = eqx.field(converter=jnp.asarray, kw_only=True)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The weighted divergence and the sup distance."""
        dims = ("trajectory",)
        return (
            Variable("divergence", dims, "nats", "sum over players of w_k KL(p_k || x_k) to the reference p"),
            Variable("distance", dims, "1", "largest |x - p| over players and actions"),
        )

    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        target = self.target if self.target.ndim == 3 else self.target[:, :, None]
        divergence = jnp.tensordot(self.weights.astype(policy.dtype), divergences(target, policy), axes=1)
        return {"divergence": divergence, "distance": jnp.abs(policy - target).max(axis=(0, 1))}
