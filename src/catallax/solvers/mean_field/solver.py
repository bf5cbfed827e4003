"""The base class of solvers of mean-field games, and what they share: checks, first laws, the distance of laws."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, rng
from catallax.games.mean_field.mdp import check_mdp
from catallax.games.mean_field.model import AbstractMeanFieldGame, check_law, uniform_law


class SolverStep(NamedTuple):
    """The record of one iteration of a solver, which measures read."""

    policy: Float[Array, "S A"]
    """The policy of the iteration."""
    before: Float[Array, "S A"]
    """The law before the iteration."""
    after: Float[Array, "S A"]
    """The law after the iteration."""


class AbstractMeanFieldSolver(AbstractDynamics):
    """A dynamics whose state contains a policy and a law of a stationary mean-field game.

    A law is the joint distribution of a player's state and action, [S, A].
    """

    game: eqx.AbstractVar[AbstractMeanFieldGame]

    @abc.abstractmethod
    def policy(self, state: Any) -> Float[Array, "S A"]:
        """The policy at a state of the iteration."""

    @abc.abstractmethod
    def law(self, state: Any) -> Float[Array, "S A"]:
        """The law of the population at a state of the iteration."""


def require_double(who: str, game: Any) -> None:
    """Raises `InputError` unless x64 is on and the game was built with it."""
    if not jax.config.read("jax_enable_x64"):
        raise InputError(
            f"{who} works in double precision, but x64 is off; "
            "build and run it inside jax.enable_x64(True), or set x64=True on the experiment"
        )
    for path, leaf in jax.tree.leaves_with_path(eqx.filter(game, eqx.is_inexact_array)):
        if leaf.dtype != jnp.float64:
            raise InputError(
                f"{who}: {type(game).__name__}{jax.tree_util.keystr(path)} has dtype {leaf.dtype}; "
                "the game was built in single precision: build it inside jax.enable_x64(True) too"
            )


def check_solver(who: str, game: AbstractMeanFieldGame, start: Any) -> None:
    """Raises `InputError` unless x64 is on, `start` is a law (or None) and the game has valid transitions."""
    require_double(who, game)
    if start is not None:
        check_law(start, game, who)
    check_mdp(game.frozen(uniform_law(game)), f"{who}: {type(game).__name__} under the uniform law")


def first_law(
    game: AbstractMeanFieldGame, start: Float[Array, "S A"] | None, dirichlet: bool, key: Shaped[PRNGKeyArray, ""]
) -> Float[Array, "S A"]:
    """The law `start`; without it the uniform law, or one drawn from Dirichlet(1, ..., 1) over the legal actions.

    The draw depends on the key alone, so that all solvers of a game start from the same law under the same key.
    """
    if start is not None:
        return start
    if not dirichlet:
        return uniform_law(game)
    weights = jnp.where(game.legal, jax.random.exponential(rng.fold(key, 0), (game.states, game.actions)), 0.0)
    return weights / weights.sum()


def masked(q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
    """Action values, with -inf for actions that are not legal."""
    return jnp.where(legal, q, -jnp.inf)


def distance(a: Float[Array, "S A"], b: Float[Array, "S A"]) -> Float[Array, ""]:
    """||a - b||_1; for laws it lies in [0, 2]."""
    return jnp.abs(a - b).sum()
