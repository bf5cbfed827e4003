"""Contracts: every piece of the library keeps them, and every check of a contract catches the breach it is for."""

import functools
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import catallax.agents
import catallax.agents.traders
import catallax.games
import catallax.measures
import catallax.solvers
import zoo
from catallax.core import (
    AbstractAgent,
    AbstractDynamics,
    AbstractGame,
    AbstractMeasure,
    Discrete,
    NaNCount,
    NumericalError,
    Outcome,
    Real,
    Role,
    Spec,
    Variable,
    contract,
    rng,
)
from catallax.core.contract import ContractError
from catallax.measures.double_auction import Efficiency

pytestmark = pytest.mark.compile_effort("least")  # the checks compile much and run little


# Every piece keeps its contract.


@pytest.mark.parametrize("name", zoo.GAMES)
def test_games_keep_the_contract(name):
    contract.check_game(zoo.GAMES[name])


@pytest.mark.parametrize("name", zoo.AGENTS)
def test_agents_keep_the_contract(name):
    seat = zoo.AGENTS[name]
    game, interface = seat.game(), seat.interface()
    role = next(r for r in game.roles if r.name == seat.role)
    seen = jax.tree.map(lambda x: x[0], game.observe(game.init(rng.key(0)))[seat.role])
    obs = interface.view(seen)
    if interface.space is None:
        move, space = lambda action: interface.move(seen, action), role.action
    else:  # then the rule's own action is in that space
        move, space = lambda action: action, interface.space
    contract.check_agent(seat.rule, Spec(jax.eval_shape(lambda: obs), space), obs, move=move)


plays = functools.cache(lambda make: make())


@pytest.fixture(scope="module")
def market():
    return plays(zoo.auction.zero_intelligence)


@pytest.mark.parametrize("name", zoo.MEASURES)
def test_measures_keep_the_contract(name):
    measure, dynamics, x64 = zoo.MEASURES[name]
    with jax.enable_x64(x64):
        contract.check_measure(measure, plays(dynamics))


@pytest.mark.parametrize("name", zoo.SOLVERS)
def test_solvers_keep_the_contract(name):
    dynamics, tol, x64 = zoo.SOLVERS[name]
    with jax.enable_x64(x64):
        assert type(dynamics()).__name__ == zoo.class_of(name)
        contract.check_solver(dynamics, tol)


# No piece is forgotten.


def concrete(package: ModuleType, root: type) -> set[type]:
    """All classes under `root` that some module of the package defines and that can be made."""
    modules = [package] + [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ]
    return {
        cls
        for module in modules
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, root) and not inspect.isabstract(cls)
        if cls.__module__.startswith(package.__name__)
    }


@pytest.mark.parametrize(
    ("package", "root", "pieces"),
    [
        (catallax.games, AbstractGame, [make for make in zoo.GAMES.values()]),
        (catallax.agents, AbstractAgent, [seat.rule for seat in zoo.AGENTS.values()]),
        (catallax.measures, AbstractMeasure, [watch.measure for watch in zoo.MEASURES.values()]),
        (catallax.solvers, AbstractDynamics, [solver.dynamics for solver in zoo.SOLVERS.values()]),
    ],
    ids=["games", "agents", "measures", "solvers"],
)
def test_the_zoo_has_every_piece_of_the_library(package, root, pieces):
    with jax.enable_x64(root is AbstractDynamics):  # some solvers are only made in double precision
        missing = concrete(package, root) - {type(make()) for make in pieces}
    assert not missing, f"give them a place in tests/zoo: {sorted(cls.__name__ for cls in missing)}"


@pytest.mark.parametrize("kind", ["GAMES", "AGENTS", "MEASURES"])
def test_an_entry_of_the_zoo_is_of_the_class_that_its_name_begins_with(kind):
    for name, entry in getattr(zoo, kind).items():
        make = entry[0] if isinstance(entry, tuple) else entry
        assert type(make()).__name__ == zoo.class_of(name)


def rooms() -> list[tuple[str, type]]:
    """The packages whose pieces users import from, by name: importing them is left to the test."""
    floors = (
        (catallax.games, AbstractGame),
        (catallax.agents, AbstractAgent),
        (catallax.measures, AbstractMeasure),
        (catallax.solvers, AbstractDynamics),
    )
    return [
        (found.name, root)
        for floor, root in floors
        for found in pkgutil.walk_packages(floor.__path__, f"{floor.__name__}.")
        if found.ispkg
    ]


@pytest.mark.parametrize(("name", "root"), rooms(), ids=lambda x: x if isinstance(x, str) else "")
def test_every_piece_is_exported_by_its_package(name, root):
    package = importlib.import_module(name)
    own = {cls for cls in concrete(package, root) if cls.__module__.rpartition(".")[0] == name}
    hidden = {cls.__name__ for cls in own if getattr(package, cls.__name__, None) is not cls}
    assert not hidden, f"import them in {name}: {sorted(hidden)}"


def test_a_forgotten_piece_is_noticed(monkeypatch):
    monkeypatch.delitem(zoo.AGENTS, "Kaplan")
    pieces = [seat.rule for seat in zoo.AGENTS.values()]
    with pytest.raises(AssertionError, match="Kaplan"):
        test_the_zoo_has_every_piece_of_the_library(catallax.agents, AbstractAgent, pieces)


# Games: a sound little one, and its broken relatives.


class Walk(AbstractGame):
    """Two walkers step left or right with a shove of chance; the reward is minus the distance from home."""

    shove: Array = eqx.field(converter=jnp.asarray, default=0.1)
    rule: Any = eqx.field(static=True, default=None)
    pause: Any = None

    @property
    def roles(self):
        return (Role("walker", 2, Discrete(2)), Role("judge", 1, Real(0.0, 1.0)))

    def init(self, key):
        return {"place": jax.random.normal(key, (2,)), "clock": jnp.int32(0)}

    def observe(self, world):
        return {"walker": world["place"][:, None], "judge": world["place"][None]}

    def move(self, key, world, action):
        place = world["place"] + action["walker"] - 0.5 + self.shove * jax.random.normal(key, (2,))
        return {"place": place, "clock": world["clock"] + 1}

    def step(self, key, world, action):
        world = self.move(key, world, action)
        return world, self.outcome(world)

    def outcome(self, world):
        reward = {"walker": -jnp.abs(world["place"]), "judge": world["place"].sum()[None]}
        return Outcome(reward, {"walker": jnp.ones(2), "judge": jnp.ones(1)}, ())


def test_a_sound_game_passes():
    contract.check_game(Walk)


def test_a_sound_game_passes_in_double_precision_where_that_was_asked_for():
    with jax.enable_x64(True):
        contract.check_game(lambda: Walk(shove=np.float64(0.1)))


class SeatsBehind(Walk):
    def observe(self, world):
        return {"walker": jnp.zeros((3, 2)), "judge": jnp.zeros((1, 3))}


class RoleUnseen(Walk):
    def observe(self, world):
        return {"walker": world["place"]}


class RolesAlike(Walk):
    @property
    def roles(self):
        return (Role("walker", 2, Discrete(2)), Role("walker", 1, Real(0.0, 1.0)))


class WorldGrows(Walk):
    def move(self, key, world, action):
        return world | {"place": jnp.zeros(3)}


class WorldTurnsReal(Walk):
    def move(self, key, world, action):
        return super().move(key, world, action) | {"clock": world["clock"] + 1.5}


class WorldGainsEntry(Walk):
    def move(self, key, world, action):
        return world | {"past": world["place"]}


class SecretKey(Walk):
    def init(self, key):
        return super().init(key) | {"key": jax.random.key(3)}

    def move(self, key, world, action):
        return super().move(key, world, action) | {"key": world["key"]}


class HostWorld(Walk):
    def init(self, key):
        return super().init(key) | {"home": 0.0}

    def move(self, key, world, action):
        return super().move(key, world, action) | {"home": world["home"]}


class KeyReused(Walk):
    def move(self, key, world, action):
        return super().move(key, world, action) | {"place": jax.random.normal(key, (2,)) + world["place"]}

    def step(self, key, world, action):
        noise = jax.random.uniform(key, (2,))
        return self.move(key, world, action), self.outcome({"place": noise})


CALLS: list[int] = []


class Counts(Walk):
    """Changes with every trace: the number of calls is baked in."""

    def step(self, key, world, action):
        CALLS.append(1)
        world, outcome = super().step(key, world, action)
        return world, outcome._replace(info=jnp.float32(len(CALLS)))


class CountsInAnArray(Walk):
    """The same, hidden in a constant array."""

    def step(self, key, world, action):
        CALLS.append(1)
        world, outcome = super().step(key, world, action)
        return world, outcome._replace(info=jnp.asarray(np.full(300, float(len(CALLS)))))


class NaNReward(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(reward=good.reward | {"walker": jnp.log(-jnp.ones(2))})


class WholeReward(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(reward=good.reward | {"walker": jnp.ones(2, jnp.int32)})


class RewardWithAnAxis(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(reward=good.reward | {"walker": jnp.ones((2, 1))})


class RewardForgets(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(reward={"walker": good.reward["walker"]})


class DiscountAboveOne(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(discount=good.discount | {"judge": jnp.full(1, 1.01)})


class DiscountBelowZero(Walk):
    def outcome(self, world):
        good = super().outcome(world)
        return good._replace(discount=good.discount | {"walker": jnp.asarray([1.0, -0.1])})


class SeesByChance(Walk):
    """Shows more as the game goes on."""

    def observe(self, world):
        if isinstance(world["clock"], jax.core.Tracer) or int(world["clock"]) == 0:
            CALLS.append(1)
        return {"walker": jnp.zeros((2, 1 + len(CALLS) % 2)), "judge": jnp.zeros((1, 1))}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (SeatsBehind, "first axis must be the 2 seats"),
        (RoleUnseen, "observe gives .'walker'.; the roles are"),
        (RolesAlike, "two roles have the same name"),
        (WorldGrows, "the world changed its form"),
        (WorldTurnsReal, "the world changed its form"),
        (WorldGainsEntry, "the world changed its form"),
        (SecretKey, "'key'. is a key; keys are handed in by the engine and never stored"),
        (HostWorld, "'home'. is a float; only arrays may be carried"),
        (KeyReused, "a key is consumed twice"),
        (Counts, "not a pure function"),
        (CountsInAnArray, "not a pure function"),
        (NaNReward, "reward of 'walker' is not finite"),
        (WholeReward, "reward of 'walker' has dtype int32"),
        (RewardWithAnAxis, r"reward of 'walker' has shape \(2, 1\)"),
        (RewardForgets, "reward gives .'walker'.; the roles are"),
        (DiscountAboveOne, r"discounts? of 'judge' leaves? \[0, 1\]"),
        (DiscountBelowZero, r"discounts? of 'walker' leaves? \[0, 1\]"),
        (SeesByChance, "observations changed its form"),
        (lambda: Walk(rule=lambda x: x), "two equal pieces are traced twice"),
        (lambda: Walk(rule=object()), "two equal pieces are traced twice"),
        (lambda: Walk(pause=0.5), "leaf of type float"),
        (lambda: Walk(pause=3), "leaf of type int"),
        (lambda: Walk(pause=np.ones(2)), "leaf of type ndarray"),
    ],
    ids=lambda x: x.__name__ if inspect.isclass(x) else None,
)
def test_broken_games_are_refused(broken, says):
    with pytest.raises(ContractError, match=says):
        contract.check_game(broken)


# Rules.


class Nudge(AbstractAgent):
    """Moves a number towards what it saw; a sound rule with a state, a memory and a hyperparameter."""

    rate: Array = eqx.field(converter=jnp.asarray, default=0.1)
    rule: Any = eqx.field(static=True, default=None)
    pause: Any = None

    def init(self, key, spec):
        return {"mean": jax.random.normal(key)}

    def reset(self, key, state):
        return {"ticks": jnp.int32(0)}

    def act(self, key, state, memory, obs):
        return state["mean"] + jax.random.normal(key), {"ticks": memory["ticks"] + 1}, ()

    def learn(self, key, state, batch, t):
        return {"mean": state["mean"] + self.rate * batch.reward.mean()}, {"return": batch.reward.mean()}


def examine(make):
    obs = jnp.arange(3.0)
    contract.check_agent(make, Spec(jax.eval_shape(lambda: obs), Real()), obs)


def test_a_sound_rule_passes():
    examine(Nudge)


class MemoryGrows(Nudge):
    def act(self, key, state, memory, obs):
        return jnp.float32(0), {"ticks": memory["ticks"][None]}, ()


class MemoryTurnsReal(Nudge):
    def act(self, key, state, memory, obs):
        return jnp.float32(0), {"ticks": memory["ticks"] + 0.5}, ()


class StateLosesEntry(Nudge):
    def learn(self, key, state, batch, t):
        return {}, {}


class StateTurnsWhole(Nudge):
    def learn(self, key, state, batch, t):
        return {"mean": jnp.int32(0)}, {}


class KeepsKey(Nudge):
    def init(self, key, spec):
        return {"mean": jnp.float32(0), "key": key}

    def learn(self, key, state, batch, t):
        return state, {}


class HostMemory(Nudge):
    def reset(self, key, state):
        return {"ticks": 0}


class ActsTwice(Nudge):
    def act(self, key, state, memory, obs):
        return jax.random.normal(key) + jax.random.uniform(key), memory, ()


class LearnsTwice(Nudge):
    def learn(self, key, state, batch, t):
        return {"mean": jax.random.normal(key) + jax.random.normal(key)}, {}


class SideEffect(Nudge):
    def act(self, key, state, memory, obs):
        CALLS.append(1)
        return jnp.float32(len(CALLS)), memory, ()


class SpeaksVector(Nudge):
    def act(self, key, state, memory, obs):
        return jnp.zeros(2), memory, ()


class SpeaksPair(Nudge):
    def act(self, key, state, memory, obs):
        return (jnp.float32(0), jnp.float32(0)), memory, ()


class SpeaksNaN(Nudge):
    def act(self, key, state, memory, obs):
        return jnp.log(-jnp.abs(state["mean"]) - 1), memory, ()


class LearnsNaN(Nudge):
    def learn(self, key, state, batch, t):
        return {"mean": state["mean"] / 0 * 0}, {}


class LogsSeries(Nudge):
    def learn(self, key, state, batch, t):
        return state, {"rewards": batch.reward}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (MemoryGrows, "the memory after `act` changed its form"),
        (MemoryTurnsReal, "the memory after `act` changed its form"),
        (StateLosesEntry, "the state after `learn` changed its form"),
        (StateTurnsWhole, "the state after `learn` changed its form"),
        (KeepsKey, "'key'. is a key; keys are handed in by the engine and never stored"),
        (HostMemory, "'ticks'. is a int; only arrays may be carried"),
        (ActsTwice, "a key is consumed twice"),
        (LearnsTwice, "a key is consumed twice"),
        (SideEffect, "not a pure function"),
        (lambda: Nudge(rule=lambda x: x), "two equal pieces are traced twice"),
        (lambda: Nudge(pause=0.5), "leaf of type float"),
        (lambda: Nudge(pause=7), "leaf of type int"),
    ],
    ids=lambda x: x.__name__ if inspect.isclass(x) else None,
)
def test_broken_rules_are_refused(broken, says):
    with pytest.raises(ContractError, match=says):
        examine(broken)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (SpeaksVector, r"SpeaksVector: the action has shape \(2,\); the game expects \(\)"),
        (SpeaksPair, "SpeaksPair returned an action of the form"),
        (SpeaksNaN, "SpeaksNaN: the action holds NaN"),
        (LearnsNaN, "LearnsNaN: the state after `learn`.*holds NaN"),
        (LogsSeries, "the log's 'rewards' has shape"),
    ],
    ids=lambda x: x.__name__ if inspect.isclass(x) else None,
)
def test_rules_that_speak_or_log_badly_are_refused(broken, says):
    with pytest.raises(catallax.core.BuildError, match=says):
        examine(broken)


# Measures.


class Trades(AbstractMeasure):
    """Trades of each copy: a sound measure."""

    every: int = eqx.field(static=True, default=1)
    scale: Array = eqx.field(converter=jnp.asarray, default=1.0)
    rule: Any = eqx.field(static=True, default=None)
    pause: Any = None
    dims: tuple = eqx.field(static=True, default=("copy",))
    unit: str = eqx.field(static=True, default="count")

    @property
    def variables(self):
        return (Variable("trades", self.dims, self.unit, "trades of the round"),)

    def __call__(self, dynamics, state, record, t):
        return {"trades": self.scale * record.info.traded.sum(axis=1)}


def test_a_sound_measure_passes(market):
    contract.check_measure(lambda: Trades(2), market)


class Undeclared(Trades):
    def __call__(self, dynamics, state, record, t):
        return super().__call__(dynamics, state, record, t) | {"extra": jnp.float32(0)}


class Promises(Trades):
    @property
    def variables(self):
        return (*super().variables, Variable("more", (), "1", "never given"))


class Undefined(Trades):
    def __call__(self, dynamics, state, record, t):
        return {"trades": jnp.full(3, jnp.nan)}


class UndefinedLater(Trades):
    def __call__(self, dynamics, state, record, t):
        return {"trades": jnp.where(t == 3, jnp.nan, jnp.zeros(3))}


class OneCopyOnly(Trades):
    def __call__(self, dynamics, state, record, t):
        return {"trades": record.info.traded[:1].sum(axis=1)}


class MeasuresBySideEffect(Trades):
    def __call__(self, dynamics, state, record, t):
        CALLS.append(1)
        return {"trades": jnp.full(3, float(len(CALLS)))}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Undeclared, "declares .'trades'. but returns .'extra', 'trades'."),
        (Promises, "declares .'more', 'trades'. but returns .'trades'."),
        (lambda: Trades(dims=("copy", "seat")), "trades has 1 axes, its dims are"),
        (lambda: Trades(dims=()), "trades has 1 axes, its dims are"),
        (OneCopyOnly, "axis 'copy' of trades is not the play's 3 copies"),
        (Undefined, "may_be_undefined"),
        (UndefinedLater, "may_be_undefined"),
        (lambda: Trades(unit=""), "trades needs a unit and a meaning"),
        (MeasuresBySideEffect, "not a pure function"),
        (lambda: Trades(rule=lambda x: x), "two equal pieces are traced twice"),
        (lambda: Trades(pause=0.5), "leaf of type float"),
    ],
    ids=lambda x: x.__name__ if inspect.isclass(x) else None,
)
def test_broken_measures_are_refused(broken, says, market):
    with pytest.raises(ContractError, match=says):
        contract.check_measure(broken, market)


def test_what_may_be_undefined_and_what_is_infinite_is_let_through(market):
    class Infinite(Trades):
        def __call__(self, dynamics, state, record, t):
            return {"trades": jnp.full(3, -jnp.inf)}

    contract.check_measure(Infinite, market)


def test_the_checks_accept_measures_of_every_kind_of_dtype(market):
    contract.check_measure(NaNCount, market)
    contract.check_measure(lambda: Efficiency(3), market)


# Solvers: a sound little one, and its broken relatives.


class Halving(AbstractDynamics):
    """x <- x / 2, whose residual is |x|."""

    def init(self, key):
        return jax.random.normal(key, (2,)), jnp.float32(jnp.inf)

    def step(self, key, state, t):
        x = state[0] / 2
        return (x, jnp.abs(x).max()), ()

    def residual(self, state):
        return state[1]


def test_a_sound_solver_passes():
    contract.check_solver(Halving, 1e-4)


class NeverRests(Halving):
    def step(self, key, state, t):
        return (state[0], jnp.float32(1.0)), ()


class RestsByChance(Halving):
    """Says that it rests when it does not."""

    def step(self, key, state, t):
        return (state[0], jnp.where(t == 3, 0.0, 1.0)), ()


class BelowNothing(Halving):
    def residual(self, state):
        return -state[1]


class TwoResiduals(Halving):
    def residual(self, state):
        return jnp.stack([state[1], state[1]])


class StateGrows(Halving):
    def step(self, key, state, t):
        return (jnp.zeros(3), state[1]), ()


@pytest.mark.parametrize(
    ("broken", "error", "says"),
    [
        (NeverRests, NumericalError, "no convergence"),
        (RestsByChance, ContractError, "one more step has residual 1"),
        (BelowNothing, ContractError, "one number of at least 0"),
        (TwoResiduals, ContractError, "one number of at least 0"),
        (StateGrows, ContractError, "the state changed its form"),
    ],
)
def test_broken_solvers_are_refused(broken, error, says):
    with pytest.raises(error, match=says):
        contract.check_solver(broken, 1e-4, max_steps=50)
