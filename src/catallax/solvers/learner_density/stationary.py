"""Where a population of learners comes to rest: all hold the values of a symmetric logit equilibrium."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from catallax.core import InputError
from catallax.core.checks import as_numbers, check_kind
from catallax.games.matrix import Polymatrix
from catallax.solvers.matrix.logit import logit_equilibrium

from .model import LearnerPopulation


class StationaryState(NamedTuple):
    """A point mass of learners that does not move."""

    values: Float[Array, " A"]
    """Q = A m, the same for everybody."""
    policy: Float[Array, " A"]
    """m = softmax(Q / tau), the symmetric logit equilibrium at tau."""
    residual: Float[Array, ""]
    """max |tau z - A softmax z|, z centred, in units of payoff."""


def stationary_state(model: LearnerPopulation, start: Any = None, *, stages: int = 0) -> StationaryState:
    """A stationary state of the population equation: the Dirac at Q = A m with m = softmax(A m / tau).

    V = 0 at every point of the support and all pi_j > 0 leave no other. Where the game has several symmetric logit
    equilibria there are as many; the one found is that to which Newton's method leads from `start`.

    Args:
        start: an interior mean policy [A]; None for the uniform one.
        stages: so many times the temperature is halved on the way down to tau (see `logit_equilibrium`).

    Raises:
        InputError: a start that is no interior policy.
        NumericalError: Newton's method did not converge.
    """
    check_kind("stationary_state", "model", model, LearnerPopulation)
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
