"""The law of a solver: how far it moves, where it is, what the seller earns under it."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from catallax.core import AbstractMeasure, Variable, count
from catallax.solvers.mean_field import AbstractMeanFieldSolver


class L1Distance(AbstractMeasure):
    """How far an iteration moved the law, and with a `target` how far the law is from it: l1, in [0, 2]."""

    every: int = count(1)
    target: Float[Array, "S A"] | None = None

    @property
    def variables(self) -> tuple[Variable, ...]:
        step = Variable("law_step", (), "1", "l1 distance between the laws before and after the iteration")
        far = Variable("law_distance", (), "1", "l1 distance of the law from the target")
        return (step,) if self.target is None else (step, far)

    def __call__(
        self, dynamics: AbstractMeanFieldSolver, state: Any, record: Any, t: Int[Array, ""]
    ) -> dict[str, Array]:
        found = {"law_step": jnp.abs(record.after - record.before).sum()}
        if self.target is not None:
            found["law_distance"] = jnp.abs(dynamics.law(state) - self.target).sum()
        return found


class TwoStepDistance(AbstractMeasure):
    """||L_{k+1} - L_{k-1}||_1 of a `FixedPoint`: near zero beside a large law_step, it tells a cycle of length two."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("law_two_steps", (), "1", "l1 distance between the laws two iterations apart", True),)

    def __call__(
        self, dynamics: AbstractMeanFieldSolver, state: Any, record: Any, t: Int[Array, ""]
    ) -> dict[str, Array]:
        return {"law_two_steps": jnp.where(t > 0, state.two_steps, jnp.nan)}


class Marginals(AbstractMeasure):
    """mu(s) and alpha(a) of the solver's law."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("state_law", ("state",), "probability", "share of players in each state"),
            Variable("action_law", ("action",), "probability", "share of players choosing each action"),
        )

    def __call__(
        self, dynamics: AbstractMeanFieldSolver, state: Any, record: Any, t: Int[Array, ""]
    ) -> dict[str, Array]:
        law = dynamics.law(state)
        return {"state_law": law.sum(axis=1), "action_law": law.sum(axis=0)}


class Revenue(AbstractMeasure):
    """Expected price of an auction under the solver's law: what the seller earns. For `AdAuction`."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (Variable("revenue", (), "bid units an auction", "expected price paid in an auction"),)

    def __call__(
        self, dynamics: AbstractMeanFieldSolver, state: Any, record: Any, t: Int[Array, ""]
    ) -> dict[str, Array]:
        return {"revenue": dynamics.game.revenue(dynamics.law(state))}  # pyright: ignore[reportAttributeAccessIssue]


class ActionValues(AbstractMeasure):
    """The whole table of action values of a fixed-point solver, and its law: for distances between tables."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        return (
            Variable("q", ("state", "action"), "discounted reward", "action values the last policy was made from"),
            Variable("law", ("state", "action"), "probability", "share of players in each state and action"),
        )

    def __call__(
        self, dynamics: AbstractMeanFieldSolver, state: Any, record: Any, t: Int[Array, ""]
    ) -> dict[str, Array]:
        return {"q": state.q, "law": dynamics.law(state)}
