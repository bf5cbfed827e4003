"""The algorithm GMF-Q: fixed-point iteration in which a learner takes the place of value iteration."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractAgent, Group, InputError, Play, Population, count, flag, number, rng
from catallax.games.mean_field.as_game import ROLE, Representative
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .choice import AbstractChoice, Softmax
from .population_map import AbstractPopulationMap, OneStep
from .solver import AbstractMeanFieldSolver, SolverStep, check_solver, distance, first_law


@runtime_checkable
class HasValues(Protocol):
    """A learner whose state is a table of action values."""

    def values(self, state: Any) -> Float[Array, "S A"]:
        """The action values Q(s, a) at a state of the learner, in units of discounted reward."""
        ...


class MeanFieldQState(NamedTuple):
    """The state of the iteration after outer step k."""

    law: Float[Array, "S A"]
    """L_{k+1}."""
    policy: Float[Array, "S A"]
    """pi_k."""
    q: Float[Array, "S A"]
    """The learner's values in the decision problem at L_k."""
    learner: PyTree[Array]
    """The learner's state, with its visit counts; it is kept between outer steps."""
    step: Float[Array, ""]
    """||L_{k+1} - L_k||_1."""


class MeanFieldQ(AbstractMeanFieldSolver):
    """The iteration in which a learner makes T_k transitions at the law L_k and learns Q_k; then pi_k = choice(Q_k) and
    L_{k+1} = Gamma(pi_k, L_k).

    The learner plays `Representative(game, L_k)`. With `generative`, every transition starts from a uniformly drawn
    state; a learner that always explores (`EpsilonGreedy(1.0)`) then samples (s, a) uniformly, as the simulator of the
    source does. Without it the learner follows one trajectory, with which this algorithm performs much worse.

    The residual is ||L_{k+1} - L_k||_1; sampling noise keeps it from vanishing.

    Args:
        game: the mean-field game.
        agent: a tabular learner, that is a rule with `values(state) -> [S, A]`.
        inner: T_k, the number of transitions in each outer step.
        choice, population: as in `FixedPoint`.
        net: m of the net {k / m} to which laws are rounded; None for no rounding.
        generative: as above.
        start, dirichlet: the first law, as in `FixedPoint`.

    Raises:
        InputError: as `FixedPoint`; `inner` or `net` is below one; or the agent has no `values`.

    Source: GuoHuXuZhang2019, algorithm 2.
    Differs: the source does not say how (s, a) are visited, nor whether Q and visit counts are kept between outer
        steps; here they are kept. The outer map is exact; only the learner samples.
    """

    game: AbstractMeanFieldGame
    agent: AbstractAgent
    inner: Int[Array, ""] = number(5000, "[1, inf)", dtype=jnp.int32)
    choice: AbstractChoice = eqx.field(default_factory=Softmax)
    population: AbstractPopulationMap = eqx.field(default_factory=OneStep)
    net: int | None = count(None, optional=True)
    generative: bool = flag(True)
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = flag(False)

    def __check_init__(self):
        """Checks the precision, the game, the first law and the learner."""
        check_solver("MeanFieldQ", self.game, self.start)
        if not isinstance(self.agent, HasValues):
            raise InputError(f"MeanFieldQ: {type(self.agent).__name__} has no table of values; take a tabular learner")

    def _play(self, law: Float[Array, "S A"]) -> Play:
        """The learner in the game of one representative player at this law."""
        start = jnp.full(self.game.states, 1 / self.game.states, law.dtype) if self.generative else None
        representative = Representative(self.game, law, start)
        with jax.ensure_compile_time_eval():  # `Play` needs concrete seat numbers, also inside a compiled program
            seats = Population((Group(ROLE, None, self.agent),))
            return Play(representative, seats, length=1, episodic=self.generative)

    def _one(self, learners: PyTree[Array]) -> PyTree[Array]:
        """The state of the only seat."""
        return jax.tree.map(lambda x: x[0], learners)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> MeanFieldQState:
        """L_0 and a learner that has learned nothing."""
        law = first_law(self.game, self.start, self.dirichlet, key)
        (learner,) = self._play(law).init(rng.fold(key, 1)).agents
        blank = jnp.zeros_like(law)
        return MeanFieldQState(law, blank, blank, learner, jnp.asarray(jnp.inf, law.dtype))

    def step(self, key: Shaped[PRNGKeyArray, ""], state: MeanFieldQState, t: Int[Array, ""]) -> tuple[Any, SolverStep]:
        key = rng.fold(key, t + 2)
        play = self._play(state.law)
        first = play.init(key)._replace(agents=(state.learner,))
        # The bound of the loop is traced, so that T_k may be swept.
        last = jax.lax.fori_loop(0, self.inner, lambda t, now: play.step(key, now, jnp.asarray(t, jnp.int32))[0], first)
        (learner,) = last.agents
        q = self.agent.values(self._one(learner)).astype(state.law.dtype)  # pyright: ignore[reportAttributeAccessIssue]
        policy = self.choice(q, self.game.legal)
        law, _ = self.population(self.game, policy, state.law)
        law = law if self.net is None else nearest_on_net(law, self.net)
        after = MeanFieldQState(law, policy, q, learner, distance(law, state.law))
        return after, SolverStep(policy, state.law, law)

    def residual(self, state: MeanFieldQState) -> Float[Array, ""]:
        return state.step

    def policy(self, state: MeanFieldQState) -> Float[Array, "S A"]:
        return state.policy

    def law(self, state: MeanFieldQState) -> Float[Array, "S A"]:
        return state.law


def nearest_on_net(law: Float[Array, "S A"], m: int) -> Float[Array, "S A"]:
    """The law nearest to `law` in l1 among those with entries in {0, 1/m, ..., 1}, by the largest-remainder method."""
    scaled = law.reshape(-1) * m
    whole = jnp.floor(scaled)
    missing = m - whole.sum()
    rank = jnp.argsort(jnp.argsort(whole - scaled))  # 0 for the largest remainder
    return ((whole + (rank < missing)) / m).reshape(law.shape)
