"""Stationary states of a population of Q-learners: all learners hold the values of a symmetric logit equilibrium."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.core import InputError
from catallax.core.checks import as_numbers, check_kind
from catallax.games.matrix import Polymatrix
from catallax.solvers.matrix.logit import logit_equilibrium

from .model import LearnerModel


class StationaryState(NamedTuple):
    """A point mass of learners that is at rest."""

    values: Float[Array, " A"]
    """Q = A m, the same for all learners."""
    policy: Float[Array, " A"]
    """m = softmax(Q / T), the symmetric logit equilibrium at T."""
    residual: Float[Array, ""]
    """max |T z - A softmax z|, z centred, in units of payoff."""


def stationary_state(model: LearnerModel, start: Any = None, *, stages: int = 0) -> StationaryState:
    """A stationary state of the transport equation: the point mass at Q = A m with m = softmax(A m / T).

    There are no other stationary states, because V = 0 at every point of the support and all pi_j > 0. Each symmetric
    logit equilibrium of the game gives one stationary state; `start` decides which of several is found by Newton's
    method.

    Args:
        model: the game and the learners.
        start: an interior mean policy [A]; None for the uniform policy.
        stages: how often the temperature is halved until it is T (see `logit_equilibrium`).

    Raises:
        InputError: the start is no interior policy.
        NumericalError: Newton's method did not converge.
    """
    check_kind("stationary_state", "model", model, LearnerModel)
    both = None
    if start is not None:
        first = as_numbers("stationary_state", "start", start, model.payoff.dtype)
        if first.shape != (model.actions,):
            raise InputError(f"stationary_state: start has shape {first.shape}, the game {model.actions} actions")
        both = jnp.stack([first, first])
    game = Polymatrix([(0, 1, model.payoff, model.payoff)])
    found = logit_equilibrium(game, model.temperature, both, stages=stages)
    policy = found.require()[0]
    return StationaryState(model.rewards(policy), policy, found.residual)
