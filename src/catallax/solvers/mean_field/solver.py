"""What the solvers of mean-field games have in common: a game, a policy, a law, and double precision."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from catallax.core import AbstractDynamics, InputError, rng
from catallax.games.mean_field.mdp import check_mdp
from catallax.games.mean_field.model import AbstractMeanFieldGame, check_law, uniform_law


class Step(NamedTuple):
    """The record of one iteration of a solver, for measures."""

    policy: Float[Array, "S A"]
    """The policy the iteration used."""
    before: Float[Array, "S A"]
    """The law it began with."""
    after: Float[Array, "S A"]
    """The law it ended with."""


class AbstractMeanFieldSolver(AbstractDynamics):
    """A dynamics whose state holds a policy and a law of a stationary mean-field game."""

    game: eqx.AbstractVar[AbstractMeanFieldGame]

    @abc.abstractmethod
    def policy(self, state: Any) -> Float[Array, "S A"]:
        """The policy the state stands for."""

    @abc.abstractmethod
    def law(self, state: Any) -> Float[Array, "S A"]:
        """The law of the population in that state."""


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
    """What every solver asks of its game and of its first law, before anything runs."""
    require_double(who, game)
    if start is not None:
        check_law(start, game, who)
    check_mdp(game.frozen(uniform_law(game)), f"{who}: {type(game).__name__} under the uniform law")


def first_law(
    game: AbstractMeanFieldGame, start: Float[Array, "S A"] | None, dirichlet: bool, key: Shaped[PRNGKeyArray, ""]
) -> Float[Array, "S A"]:
    """The law given, the uniform one, or one drawn from Dirichlet(1, ..., 1) over the legal cells.

    The draw depends on the key alone: all solvers of a game start from the same law under the same key.
    """
    if start is not None:
        return start
    if not dirichlet:
        return uniform_law(game)
    weights = jnp.where(game.legal, jax.random.exponential(rng.fold(key, 0), (game.states, game.actions)), 0.0)
    return weights / weights.sum()


def masked(q: Float[Array, "S A"], legal: Bool[Array, "S A"]) -> Float[Array, "S A"]:
    """Action values with -inf where an action is not legal."""
    return jnp.where(legal, q, -jnp.inf)


def distance(a: Float[Array, "S A"], b: Float[Array, "S A"]) -> Float[Array, ""]:
    """||a - b||_1, in [0, 2] for laws."""
    return jnp.abs(a - b).sum()
