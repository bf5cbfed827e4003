"""How well and how fairly the resources of a phase were allocated."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, Variable, count


class SocialOutcomes(AbstractMeasure):
    """Efficiency and fairness over the T steps of a phase, in each copy.

    efficiency: mean reward a player and step (minus the mean cost).
    access_fairness: -SD over players of the share of contests won.
    reward_fairness: -SD over players of mean reward.
    The SDs are those of a population (divisor n). Both fairnesses shrink as 1 / sqrt(T) even where all are alike, so
    compare only phases of equal length.

    Source: Vaishampayan (2024), section 6.3; Elokda et al. (2023).
    """

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One number each for every copy."""
        return (
            Variable("efficiency", ("copy",), "reward per step", "mean reward a player and step"),
            Variable("access_fairness", ("copy",), "1", "minus the SD over players of the share of contests won"),
            Variable("reward_fairness", ("copy",), "reward per step", "minus the SD over players of mean reward"),
        )

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the game's account of the phase."""
        reward = record.info.reward.mean(axis=1)
        access = record.info.won.mean(axis=1, dtype=jnp.float32)
        return {
            "efficiency": reward.mean(axis=-1),
            "access_fairness": -access.std(axis=-1),
            "reward_fairness": -reward.std(axis=-1),
        }
