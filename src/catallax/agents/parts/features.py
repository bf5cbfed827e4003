"""What learners with networks see: a vector of features, and perhaps which actions are legal."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from catallax.core import BuildError, Discrete, Masked, Spec


def check_features(who: str, spec: Spec) -> int:
    """How many features the seat sees.

    Raises:
        BuildError: an observation that is neither a vector nor `Masked` with a vector and one entry for each action.
    """
    shape = getattr(features_of(spec.obs), "shape", None)
    if shape is None or len(shape) != 1:
        raise BuildError(
            f"{who} needs a vector of features, its seat sees {spec.obs}; "
            "give its group an Interface with a view, such as standard_interface()"
        )
    if isinstance(spec.obs, Masked):
        actions = spec.action.n if isinstance(spec.action, Discrete) else None
        if spec.obs.legal.shape != (actions,):
            raise BuildError(
                f"{who}: the view has a mask of shape {spec.obs.legal.shape}, but its seat accepts {spec.action}; "
                "give one entry for each action"
            )
    return shape[0]


def features_of(obs: Any) -> Any:
    """The observation without its mask, if it has one."""
    return obs.features if isinstance(obs, Masked) else obs


def legal_of(obs: Any) -> Bool[Array, "*batch actions"] | None:
    """The mask of an observation; None where all actions are legal."""
    return obs.legal if isinstance(obs, Masked) else None


def among_legal(obs: Any, scores: Float[Array, "*batch actions"]) -> Float[Array, "*batch actions"]:
    """Scores of the actions, with the lowest finite number for each one that is not legal."""
    legal = legal_of(obs)
    return scores if legal is None else jnp.where(legal, scores, jnp.finfo(scores.dtype).min)


def flat_ticks(tree: PyTree[Array]) -> Any:
    """Leaves [B, T, ...] as [B x T, ...]: the ticks of all sequences, one after the other."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), tree)
