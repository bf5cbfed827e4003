"""Measures of the engine itself."""

import equinox as eqx
import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
from toys import Herd, Info, Level, NoisyCat, RandomDog, Walk

from catallax.core import (
    AbstractRunningMeasure,
    Group,
    InfeasibleCount,
    InputError,
    Play,
    Population,
    Real,
    Role,
    Variable,
    WithMemories,
    contract,
    outside,
    replicate,
    rng,
    run,
)
from catallax.lab import Cell, Experiment, Scale
from catallax.lab.execute import execute


class Fenced(Herd):
    """A Herd whose cats may name numbers in [-1, 1] only; others are clipped, and counted."""

    @property
    def roles(self):
        return (Role("cat", self.cats, Real(-1.0, 1.0)), super().roles[1])

    def step(self, key, world, action):
        clipped = action | {"cat": jnp.clip(action["cat"], -1.0, 1.0)}
        world, outcome = super().step(key, world, clipped)
        infeasible = {role.name: outside(role, action[role.name]) for role in self.roles}
        return world, outcome._replace(info=outcome.info | {"cats": action["cat"], "infeasible": infeasible})


class AsSaid(Info):
    def __call__(self, dynamics, state, record, t):
        return {name: record.info[name] for name in ("noise", "cats", "dogs")}


GROUPS = (Group("cat", [2, 0], NoisyCat()), Group("cat", [1], NoisyCat()), Group("dog", None, RandomDog()))


def test_infeasible_actions_are_counted_by_group():
    play = Play(Fenced(), Population(GROUPS), length=4, copies=2)
    series = run(play, rng.key(0), 3, (InfeasibleCount(), AsSaid())).series
    wide = np.abs(np.asarray(series["cats"])) > 1.0
    wanted = np.stack([wide[..., [2, 0]].sum((1, 2, 3)), wide[..., 1].sum((1, 2)), np.zeros(3)], axis=1)
    assert wanted[:, :2].all()
    np.testing.assert_array_equal(series["infeasible_actions"], wanted)


def test_a_game_that_counts_no_infeasible_actions_is_named():
    play = Play(Herd(), Population(GROUPS), length=4)
    with pytest.raises(InputError, match="Herd does not say which actions are infeasible"):
        run(play, rng.key(0), 1, (InfeasibleCount(),))


class Total(AbstractRunningMeasure):
    """The sum of all states of a walk since the start, and how many they were."""

    every: int = eqx.field(static=True, default=1)

    @property
    def variables(self):
        return (Variable("total", (), "1", "sum of all states"), Variable("count", (), "count", "how many states"))

    def begin(self, dynamics, state):
        return {"total": jnp.zeros_like(state), "count": jnp.int32(0)}

    def fold(self, dynamics, memory, state, record, t):
        return {"total": memory["total"] + record["state"], "count": memory["count"] + 1}

    def read(self, dynamics, memory, t):
        return memory


@pytest.mark.parametrize("measures", [(Total(),), (Level(), Total(5)), (Total(10), Level(5)), (Total(4), Level(6))])
def test_a_running_measure_sees_every_step(measures):
    every = next(m.every for m in measures if isinstance(m, Total))
    level = np.asarray(run(Walk(), rng.key(3), 60, (Level(),)).series["level"])
    out = run(Walk(), rng.key(3), 60, measures)
    np.testing.assert_array_equal(out.series["count"], np.arange(every, 61, every))
    np.testing.assert_allclose(out.series["total"], np.cumsum(level, dtype=np.float32)[every - 1 :: every], rtol=1e-5)
    np.testing.assert_array_equal(out.state.state, level[-1])
    assert int(out.state.memories[0]["count"]) == 60


@pytest.mark.parametrize("go", [run, replicate])
def test_memories_survive_chunks_bit_for_bit(go):
    key = rng.key(1) if go is run else jax.random.split(rng.key(1), 2)
    measures, name = (Total(2), Level(4)), "state" if go is run else "states"
    whole, state, parts = go(Walk(), key, 24, measures), None, []
    for start, steps in ((0, 4), (4, 12), (16, 8)):
        out = go(Walk(), key, steps, measures, start=start, **{name: state})
        state = out.state
        parts.append(out.series)
    jax.tree.map(np.testing.assert_array_equal, out.state, whole.state)
    for variable, values in whole.series.items():
        joined = np.concatenate([p[variable] for p in parts], axis=0 if go is run else 1)
        np.testing.assert_array_equal(joined, values)


def test_a_memory_that_would_be_lost_is_asked_for():
    state = run(Walk(), rng.key(1), 4).state
    with pytest.raises(InputError, match="Total has a memory"):
        run(Walk(), rng.key(1), 4, (Total(),), state=state, start=4)
    with pytest.raises(InputError, match="memories of 2 running measures, but the run has 1"):
        run(Walk(), rng.key(1), 4, (Total(),), state=WithMemories(state, ((), ())), start=4)


def test_without_memories_the_state_is_the_dynamics_own():
    assert run(Walk(), rng.key(1), 4, (Level(),)).state.shape == ()


def test_a_running_measure_keeps_the_contract_and_may_be_called_for_one_step():
    contract.check_measure(lambda: Total(3), Walk())
    state, record = Walk().step(rng.key(0), jnp.float32(1.0), jnp.int32(0))
    assert Total()(Walk(), state, record, jnp.int32(0)) == {"total": state, "count": 1}


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No settings."""


@pytest.mark.parametrize("chunk", [2, 6])
def test_the_laboratory_keeps_memories_between_chunks(tmp_path, chunk):
    scale = Scale(steps=12, replications=2, block=2, chunk=chunk)
    experiment = Experiment(
        name="test.memory",
        title="A walk",
        summary="A walk with a running sum",
        sources=(),
        settings=Nothing,
        cells=lambda settings: (Cell(name="walk", label="Walk", build=Walk, measures=(Total(2),)),),
        scales={"quick": scale},
        report=lambda results: None,
        claims=(),
    )
    results = execute(experiment, Nothing(), "quick", 5, tmp_path / "run")
    keys = jnp.stack([rng.fold(rng.key(5), r) for r in range(2)])
    alone = replicate(Walk(), keys, 12, (Total(2),)).series
    np.testing.assert_array_equal(results.dataset("walk")["total"], alone["total"])
