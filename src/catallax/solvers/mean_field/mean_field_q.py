"""GMF-Q: the fixed point with a learner in the place of value iteration; it plays the game as any learner does."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree, Shaped

from catallax.core import AbstractAgent, Group, InputError, Play, Population, known, rng
from catallax.games.mean_field.as_game import ROLE, Representative
from catallax.games.mean_field.model import AbstractMeanFieldGame

from .choice import AbstractChoice, Softmax
from .population_map import AbstractPopulationMap, OneStep
from .solver import AbstractMeanFieldSolver, Step, check_solver, distance, first_law


@runtime_checkable
class HasValues(Protocol):
    """A learner whose state is a table of action values."""

    def values(self, state: Any) -> Float[Array, "S A"]:
        """Q(s, a)."""
        ...


class MeanFieldQState(NamedTuple):
    """Where the iteration stands after outer step k."""

    law: Float[Array, "S A"]
    """L_{k+1}."""
    policy: Float[Array, "S A"]
    """pi_k."""
    q: Float[Array, "S A"]
    """The learner's values in the problem frozen at L_k."""
    learner: PyTree[Array]
    """The learner's state; carried on, visit counts and all."""
    step: Float[Array, ""]
    """||L_{k+1} - L_k||_1."""


class MeanFieldQ(AbstractMeanFieldSolver):
    """T_k transitions of a learner in `Representative(game, L_k)`, pi_k = choice(Q_k), L_{k+1} = Gamma(pi_k, L_k).

    With `generative` every transition starts from a uniformly drawn state, and a learner that always explores
    (`EpsilonGreedy(1.0)`) then samples (s, a) uniformly: the simulator of the source. Otherwise the learner lives one
    trajectory, which for this algorithm is much worse.

    The residual is ||L_{k+1} - L_k||_1; sampling noise keeps it from vanishing.

    Args:
        game: the mean-field game.
        agent: a tabular learner, a rule with `values(state) -> [S, A]`.
        inner: T_k, transitions in each outer step.
        choice, population: as in `FixedPoint`.
        net: m of the net {k / m} onto which laws are rounded; None for no net.
        generative: see above.
        start, dirichlet: the first law, as in `FixedPoint`.

    Raises:
        InputError: as `FixedPoint`; `inner` or `net` below one; an agent without `values`.

    Source: GuoHuXuZhang2019, algorithm 2.
    Differs: the source does not say how (s, a) are visited nor whether Q and visit counts are kept between outer steps;
        here they are kept. The outer map is exact: only the learner samples.
    """

    game: AbstractMeanFieldGame
    agent: AbstractAgent
    inner: Int[Array, ""] = eqx.field(converter=lambda x: jnp.asarray(x, jnp.int32), default=5000)
    choice: AbstractChoice = eqx.field(default_factory=Softmax)
    population: AbstractPopulationMap = eqx.field(default_factory=OneStep)
    net: int | None = eqx.field(static=True, default=None)
    generative: bool = eqx.field(static=True, default=True)
    start: Float[Array, "S A"] | None = None
    dirichlet: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        """Before anything runs."""
        check_solver("MeanFieldQ", self.game, self.start)
        for name, value in (("inner", known(self.inner)), ("net", self.net)):
            if value is not None and value < 1:
                raise InputError(f"MeanFieldQ: {name} must be an integer of at least 1, got {value}")
        if not isinstance(self.agent, HasValues):
            raise InputError(f"MeanFieldQ: {type(self.agent).__name__} has no table of values; take a tabular learner")

    def _play(self, law: Float[Array, "S A"]) -> Play:
        start = jnp.full(self.game.states, 1 / self.game.states, law.dtype) if self.generative else None
        crowd = Representative(self.game, law, start)
        with jax.ensure_compile_time_eval():  # seats are numbers even inside a compiled program
            return Play(crowd, Population((Group(ROLE, None, self.agent),)), length=1, episodic=self.generative)

    def _one(self, learners: PyTree[Array]) -> PyTree[Array]:
        """The state of the only seat."""
        return jax.tree.map(lambda x: x[0], learners)

    def init(self, key: Shaped[PRNGKeyArray, ""]) -> MeanFieldQState:
        """L_0 and an untaught learner."""
        law = first_law(self.game, self.start, self.dirichlet, key)
        (learner,) = self._play(law).init(rng.fold(key, 1)).agents
        blank = jnp.zeros_like(law)
        return MeanFieldQState(law, blank, blank, learner, jnp.asarray(jnp.inf, law.dtype))

    def step(self, key: Shaped[PRNGKeyArray, ""], state: MeanFieldQState, t: Int[Array, ""]) -> tuple[Any, Step]:
        """One outer step."""
        key = rng.fold(key, t + 2)
        play = self._play(state.law)
        first = play.init(key)._replace(agents=(state.learner,))
        # a loop with a traced bound, so that T_k may be swept
        last = jax.lax.fori_loop(0, self.inner, lambda t, now: play.step(key, now, jnp.asarray(t, jnp.int32))[0], first)
        (learner,) = last.agents
        q = self.agent.values(self._one(learner)).astype(state.law.dtype)  # pyright: ignore[reportAttributeAccessIssue]
        policy = self.choice(q, self.game.legal)
        law, _ = self.population(self.game, policy, state.law)
        law = law if self.net is None else nearest_on_net(law, self.net)
        after = MeanFieldQState(law, policy, q, learner, distance(law, state.law))
        return after, Step(policy, state.law, law)

    def residual(self, state: MeanFieldQState) -> Float[Array, ""]:
        """See above."""
        return state.step

    def policy(self, state: MeanFieldQState) -> Float[Array, "S A"]:
        """pi_k."""
        return state.policy

    def law(self, state: MeanFieldQState) -> Float[Array, "S A"]:
        """L_{k+1}."""
        return state.law


def nearest_on_net(law: Float[Array, "S A"], m: int) -> Float[Array, "S A"]:
    """The law with entries in {0, 1/m, ..., 1} nearest to `law` in l1, by largest remainders."""
    scaled = law.reshape(-1) * m
    whole = jnp.floor(scaled)
    missing = m - whole.sum()
    rank = jnp.argsort(jnp.argsort(whole - scaled))  # 0 for the largest remainder
    return ((whole + (rank < missing)) / m).reshape(law.shape)
