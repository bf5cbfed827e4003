"""Measures of the engine itself."""

import jax.numpy as jnp
import numpy as np
import pytest
from toys import Herd, Info, NoisyCat, RandomDog

from catallax.core import (
    Group,
    InfeasibleCount,
    InputError,
    Play,
    Population,
    Real,
    Role,
    outside,
    rng,
    run,
)


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
