"""A mean-field game as a game with seats, so that any learner may play it: one seat in a crowd, or N seats together."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractGame, BuildError, Discrete, InputError, Outcome, Role, check_count, known, rng

from .mdp import AbstractMDP, check_mdp, real
from .model import AbstractMeanFieldGame, check_law

ROLE = "player"
"""Name of the only role."""


class Visit(NamedTuple):
    """What a tick was, for measures. Leaves have a leading seat axis."""

    state: Int[Array, " N"]
    action: Int[Array, " N"]
    event: PyTree[Array]
    """The game's own account of the round; () for a single seat in a crowd."""


def _start(start: Any, mu: Any, states: int, who: str) -> Float[Array, " S"]:
    """The law of the first states, checked where it can be seen."""
    start = real(mu if start is None else start)
    if start.shape != (states,):
        raise InputError(f"{who}: start has shape {start.shape}; expected one probability for each of {states} states")
    x = known(start)
    if x is not None and not (x.min() >= 0 and abs(x.sum() - 1) < 1e-5):
        raise InputError(f"{who}: start must be >= 0 and sum to 1; its sum is {x.sum():.6g}")
    return start


def _draw(start: Float[Array, " S"], u: Float[Array, "..."]) -> Int[Array, "..."]:
    """States by inversion."""
    below = jnp.cumsum(start)
    index = (below <= u[..., None] * below[-1]).sum(axis=-1, dtype=jnp.int32)
    return jnp.minimum(index, start.size - 1)


class Representative(AbstractGame):
    """One player in a crowd whose law stands still: a single seat that observes its state, an int32 scalar.

    Args:
        game: the mean-field game.
        flow: the law [S, A] that the others keep to at every tick.
        start: law of the player's first state; the crowd's own by default. Uniform, with episodes of one tick and
            uniform actions, it is the generative model of the theory.

    Raises:
        InputError: `flow` or `start` is no law, or the game's transitions under it are not.
    """

    game: AbstractMeanFieldGame
    frozen: AbstractMDP
    start: Float[Array, " S"]

    def __init__(self, game: AbstractMeanFieldGame, flow: Any, start: Any = None):
        flow = real(flow)
        check_law(flow, game, "Representative")
        self.game = game
        self.frozen = game.frozen(flow)
        self.start = _start(start, flow.sum(axis=1), game.states, "Representative")
        check_mdp(self.frozen, f"Representative of {type(game).__name__}")

    @property
    def roles(self) -> tuple[Role, ...]:
        """One seat."""
        return (Role(ROLE, 1, Discrete(self.game.actions)),)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Int[Array, ""]:
        return _draw(self.start, rng.uniform(key))

    def observe(self, world: Int[Array, ""]) -> dict[str, Int[Array, " 1"]]:
        return {ROLE: world[None]}

    def step(self, key: Shaped[PRNGKeyArray, ""], world: Int[Array, ""], action: dict[str, Any]) -> tuple[Any, Outcome]:
        """One step of the frozen problem; the discount is the game's."""
        after, reward = self.frozen.draw(key, world, action[ROLE][0])
        discount = self.game.discount[None]
        visit = Visit(world[None], action[ROLE], ())
        return after, Outcome({ROLE: reward[None]}, {ROLE: discount}, visit)


class FinitePlayers(AbstractGame):
    """The same game among N players who meet in person; each observes its own state only, an int32 scalar.

    Args:
        game: the mean-field game; its `meet` says how N players play a round.
        players: N.
        start: law of every player's first state, drawn independently; uniform by default.

    Raises:
        BuildError: the game cannot be played by N.
    """

    game: AbstractMeanFieldGame
    players: int = eqx.field(static=True)
    start: Float[Array, " S"]

    def __init__(self, game: AbstractMeanFieldGame, players: int, start: Any = None):
        check_count("FinitePlayers", "the number of players", players, error=BuildError)
        game.check_players(players)
        self.game, self.players = game, players
        self.start = _start(start, np.full(game.states, 1 / game.states), game.states, "FinitePlayers")

    @property
    def roles(self) -> tuple[Role, ...]:
        """N seats."""
        return (Role(ROLE, self.players, Discrete(self.game.actions)),)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> Int[Array, " N"]:
        bits = rng.random_bits(key, 0, jnp.int32(0), jnp.arange(self.players), jnp.int32(0))
        return _draw(self.start, rng.to_uniform(bits.first))

    def observe(self, world: Int[Array, " N"]) -> dict[str, Int[Array, " N"]]:
        return {ROLE: world}

    def step(
        self, key: Shaped[PRNGKeyArray, ""], world: Int[Array, " N"], action: dict[str, Any]
    ) -> tuple[Any, Outcome]:
        """One round; the discount is the game's."""
        after, reward, event = self.game.meet(key, world, action[ROLE])
        discount = jnp.broadcast_to(self.game.discount, (self.players,))
        return after, Outcome({ROLE: reward}, {ROLE: discount}, Visit(world, action[ROLE], event))
