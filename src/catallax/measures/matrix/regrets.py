"""How far play is from a Nash equilibrium: what best replies would add."""

from jaxtyping import Array, Float

from catallax.core import Variable
from catallax.games.matrix import AbstractMatrixGame

from .policy import AbstractMatrixMeasure


class Regrets(AbstractMatrixMeasure):
    """The sum (NashConv) and the largest of the players' regrets max_a r_k(a) - u_k(x); both are 0 exactly at Nash
    equilibria.

    At a logit equilibrium at temperature T player k's regret is at most T_k ln n_k, where n_k is the number of k's
    actions. `solvers.matrix.nash` has the same numbers of one policy: `nash_conv` and `largest_regret`.
    """

    @property
    def variables(self) -> tuple[Variable, ...]:
        dims = ("trajectory",)
        return (
            Variable("nash_conv", dims, "payoff", "sum over players of what a best reply would add"),
            Variable("largest_regret", dims, "payoff", "the least e for which play is an e-Nash equilibrium"),
        )

    def of(self, game: AbstractMatrixGame, policy: Float[Array, "n A B"]) -> dict[str, Array]:
        regrets = game.regrets(policy)
        return {"nash_conv": regrets.sum(axis=0), "largest_regret": regrets.max(axis=0)}
