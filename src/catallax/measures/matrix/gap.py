"""How far each of many solves is from a logit equilibrium."""

from typing import Any

from jaxtyping import Array, Int

from catallax.core import AbstractMeasure, Variable, count


class Gap(AbstractMeasure):
    """max |T z - r| of each trajectory of a solver with a method `gaps`, such as `LogitGrid`."""

    every: int = count(1)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One distance from equilibrium a trajectory."""
        return (Variable("gap", ("trajectory",), "payoff", "largest |T z - r|, centred; 0 at logit equilibria only"),)

    def __call__(self, dynamics: Any, state: Any, record: Any, t: Int[Array, ""]) -> dict[str, Array]:
        """From the state after the step."""
        return {"gap": dynamics.gaps(state)}
