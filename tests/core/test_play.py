"""Populations at play: who is refused, and what a draw depends on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import HeavyCat, Herd, Info, NoisyCat, RandomDog, TeamOfDogs

from catallax.core import (
    AbstractAgent,
    BuildError,
    Discrete,
    Group,
    Independent,
    Interface,
    Joint,
    Play,
    Population,
    Shared,
    rng,
    run,
)

pytestmark = pytest.mark.compile_effort("least")


def play(*groups, length=4, **options):
    return Play(Herd(), Population(groups), length=length, **options)


CATS = Group("cat", None, NoisyCat())
DOGS = Group("dog", None, RandomDog())


def lived(dynamics, steps=3, seed=0):
    return {k: np.asarray(v) for k, v in run(dynamics, rng.key(seed), steps, (Info(),)).series.items()}


def drawn(dynamics):
    """The random bits of a few ticks and phases by what they are for, those of seats in the order of the role's seats.

    Nothing is played and no market compiled.
    """
    draws = dynamics.draws(rng.key(0))
    by_role = lambda parts: dynamics.population.gather(dynamics.game, parts)
    found = {"states": by_role(draws.first_states())}
    for t in (0, 3):
        worlds, memories = draws.openings(jnp.int32(t))
        tick = draws.tick(jnp.uint32(7 * t))
        found[f"openings {t}"] = {"world": worlds} | by_role(memories)
        found[f"ticks {t}"] = {"world": tick.world} | by_role(tick.acts)
        found[f"updates {t}"] = by_role(draws.updates(jnp.int32(t)))
    return found


def equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


class Still(AbstractAgent):
    def act(self, key, state, memory, obs):
        return 0.0 * obs, memory, ()


QUIET = NoisyCat(scale=0.0, learns=False)


def test_replacing_one_player_leaves_every_other_draw_unchanged():
    everyone = play(Group("cat", None, QUIET), DOGS)
    for others, mine in (([1, 2], [0]), ([0, 2], [1])):
        mixed = play(Group("cat", mine, Still()), Group("cat", others, QUIET), DOGS)
        equal(drawn(mixed), drawn(everyone))
    seen, alone = lived(mixed), lived(everyone)
    np.testing.assert_array_equal(seen["cats"][..., others], alone["cats"][..., others])
    np.testing.assert_array_equal(seen["dogs"], alone["dogs"])
    np.testing.assert_array_equal(seen["noise"], alone["noise"])
    assert (seen["cats"][..., mine] == 0).all()


def test_draws_do_not_depend_on_groups_order_copies_or_population_size():
    base = play(CATS, DOGS, copies=2)
    split = play(DOGS, Group("cat", [2, 0], NoisyCat()), Group("cat", [1], NoisyCat()), copies=2)
    equal(drawn(split), drawn(base))
    more = drawn(play(CATS, DOGS, copies=3))
    one_to_all = {"states", "updates 0", "updates 3"}  # have no axis of copies
    first_two = {k: v if k in one_to_all else jax.tree.map(lambda x: x[..., :2], v) for k, v in more.items()}
    equal(first_two, drawn(base))
    fewer = drawn(Play(Herd(cats=2), Population((CATS, DOGS)), length=4, copies=2))
    first_cats = {
        k: {r: jax.tree.map(lambda x, r=r: x[:2] if r == "cat" else x, v[r]) for r in v} for k, v in drawn(base).items()
    }
    equal(fewer, first_cats)


def test_what_is_drawn_for_a_seat_is_what_its_rule_gets():
    split = play(DOGS, Group("cat", [2, 0], NoisyCat()), Group("cat", [1], NoisyCat()), copies=2)
    base, seen = play(CATS, DOGS, copies=2), lived(split)
    np.testing.assert_allclose(seen["cats"], lived(base)["cats"], rtol=2e-5)
    for phase, tick in ((0, 0), (1, 2)):
        bits = base.draws(rng.key(0)).tick(jnp.uint32(4 * phase + tick))
        np.testing.assert_array_equal(seen["dogs"][phase, :, tick], rng.to_integer(bits.acts[1].first, 5).T)
        np.testing.assert_allclose(seen["noise"][phase, :, tick], rng.to_normal(bits.world.first), rtol=1e-5)


def test_every_seat_and_copy_draws_for_itself():
    draws = play(CATS, DOGS, copies=3).draws(rng.key(0))
    tick, (worlds, memories) = draws.tick(jnp.uint32(5)), draws.openings(jnp.int32(5))
    everything = (tick.world, *tick.acts, worlds, *memories, *draws.updates(jnp.int32(5)), *draws.first_states())
    numbers = np.concatenate([np.ravel(bits.first) for bits in everything])
    assert len(numbers) == 2 * (3 + 3 * (3 + 2) + (3 + 2)) and len(np.unique(numbers)) == len(numbers)


def test_traced_seats_permute_without_another_compilation():
    traces = 0

    @eqx.filter_jit
    def go(dynamics):
        nonlocal traces
        traces += 1
        return run(dynamics, rng.key(0), 2, (Info(),)).series

    def seating(a, b):
        groups = (
            Group("cat", jnp.asarray(a), NoisyCat(scale=0.0)),
            Group("cat", jnp.asarray(b), NoisyCat(scale=1.0)),
            DOGS,
        )
        return play(*groups)

    first, second = go(seating([0, 1], [2])), go(seating([2, 0], [1]))
    assert traces == 1
    fixed = lived(play(Group("cat", [2, 0], NoisyCat(scale=0.0)), Group("cat", [1], NoisyCat(scale=1.0)), DOGS), 2)
    np.testing.assert_allclose(second["cats"], fixed["cats"], rtol=2e-5)
    assert not np.array_equal(first["cats"], second["cats"])


def test_phases_are_invisible_to_a_continuing_game_nobody_learns_from():
    quiet = Group("cat", None, NoisyCat(learns=False))
    whole = lived(play(quiet, DOGS, length=12, episodic=False), 1)
    for length in (1, 3, 4):
        cut = lived(play(quiet, DOGS, length=length, episodic=False), 12 // length)
        for name, value in cut.items():
            joined = np.moveaxis(value, 1, 0).reshape(1, 12, *value.shape[3:])
            np.testing.assert_allclose(joined, whole[name][0], rtol=2e-5)


def test_episodes_start_anew_and_continuing_games_do_not():
    state = run(play(CATS, DOGS), rng.key(0), 3).state
    assert int(state.worlds["clock"][0]) == 4 and (state.memories[0]["n"] == 4).all()
    state = run(play(CATS, DOGS, episodic=False), rng.key(0), 3).state
    assert int(state.worlds["clock"][0]) == 12 and (state.memories[0]["n"] == 12).all()


def test_heavy_learners_learn_the_same_one_after_the_other():
    light = run(play(CATS, DOGS, copies=2), rng.key(0), 4).state.agents[0]
    heavy = run(play(Group("cat", None, HeavyCat()), DOGS, copies=2), rng.key(0), 4).state.agents[0]
    np.testing.assert_allclose(light, heavy, rtol=1e-6)


def test_shared_joint_and_independent_meet_in_one_program():
    alone, pair = Group("cat", [0], NoisyCat()), Group("cat", [1, 2], Shared(NoisyCat()))
    mixed = play(alone, pair, Group("dog", None, Joint(TeamOfDogs())), copies=2)
    out = run(mixed, rng.key(0), 3, (Info(),))
    assert out.series["cats"].shape == (3, 2, 4, 3)
    assert out.state.agents[1].shape == () and out.state.memories[2].shape == (2,)


def test_a_batch_shows_what_the_seat_saw_and_did():
    seen = {}

    class Watcher(NoisyCat):
        def learn(self, key, state, batch, t):
            seen["shapes"] = jax.tree.map(jnp.shape, batch)
            gap = jnp.abs(batch.action - (self.scale * batch.obs[:, :-1] + batch.extras["noise"])).max()
            return state, {"gap": gap, "last": batch.obs[:, -1].mean()}

    class Logs(Info):
        @property
        def variables(self):
            return ()

        def __call__(self, dynamics, state, record, t):
            return {"last": record.logs[0]["last"], "target": record.last["target"]}

    series = run(play(Group("cat", None, Watcher()), DOGS, copies=2), rng.key(0), 1, (Logs(),)).series
    assert seen["shapes"].obs == (2, 5) and seen["shapes"].reward == (2, 4)
    np.testing.assert_allclose(series["last"], np.broadcast_to(series["target"].mean(), (1, 3)), rtol=1e-6)


def test_an_interface_translates_both_ways():
    def double(obs):
        return 2 * obs

    def halve(obs, action):
        return action / 2 + obs

    class Echo(AbstractAgent):
        def act(self, key, state, memory, obs):
            return obs, memory, ()

    out = lived(play(Group("cat", None, Echo(), Interface(double, halve)), DOGS), 1)
    targets = lived(play(Group("cat", None, Echo()), DOGS), 1)
    np.testing.assert_allclose(out["cats"][0, 0, 0], 2 * targets["cats"][0, 0, 0], rtol=1e-6)


def test_an_interface_may_offer_a_space_of_its_own():
    told = []

    class Asks(AbstractAgent):
        def init(self, key, spec):
            told.append(spec.action)
            return ()

        def act(self, key, state, memory, obs):
            return jnp.int32(3), memory, ()

    def as_number(obs, action):
        return action.astype(jnp.float32) / 4

    play(Group("cat", None, Asks(), Interface(move=as_number, space=Discrete(5))), DOGS)
    assert set(told) == {Discrete(5)}
    told.clear()
    with pytest.raises(BuildError, match="the game expects"):
        play(Group("cat", None, Asks(), Interface(move=lambda obs, a: (a, a))), DOGS)
    assert told and Discrete(5) not in told  # without one, the game's


def test_a_coalition_shares_its_sum():
    def shared(reward):
        return jnp.full_like(reward, reward.sum())

    class Scored(Herd):
        def step(self, key, world, action):
            world, outcome = super().step(key, world, action)
            return world, outcome._replace(info=outcome.reward)

    class Earned(Info):
        variables = ()

        def __call__(self, dynamics, state, record, t):
            paid = {f"paid {i}": b.reward for i, b in enumerate(record.batches)}
            return paid | {"learnt": record.logs[0]["reward"]} | record.info

    coalition = Group("cat", [2, 0], NoisyCat(), Interface(reward=shared))
    groups = (coalition, Group("cat", [1], NoisyCat()), DOGS)
    seen = run(Play(Scored(), Population(groups), length=4, copies=2), rng.key(0), 3, (Earned(),)).series
    game = np.moveaxis(seen["cat"], 3, 1)  # [phase, seat, copy, tick]
    together = game[:, 2] + game[:, 0]
    np.testing.assert_allclose(seen["paid 0"], np.stack([together, together], axis=1), rtol=1e-6)
    np.testing.assert_array_equal(seen["paid 1"][:, 0], game[:, 1])
    np.testing.assert_allclose(seen["learnt"], seen["paid 0"].mean(axis=(2, 3)), rtol=1e-5)


class WrongShape(AbstractAgent):
    def act(self, key, state, memory, obs):
        return jnp.zeros(2), memory, ()


class Crashes(AbstractAgent):
    def act(self, key, state, memory, obs):
        return obs.nothing, memory, ()


class Recalls(AbstractAgent):
    """Its memory starts as one number and becomes what it saw."""

    def reset(self, key, state):
        return jnp.int32(0)

    def act(self, key, state, memory, obs):
        return jnp.float32(0), jnp.zeros(2), ()


class Grows(NoisyCat):
    def learn(self, key, state, batch, t):
        return jnp.zeros(3), {}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ((CATS,), "role 'dog' has 2 seats, the population fills 0"),
        ((CATS, CATS, DOGS), "role 'cat' has 3 seats, the population fills 6"),
        ((Group("cat", [0, 0, 1], NoisyCat()), DOGS), "fill each of 0..2 once"),
        ((Group("cat", [0, 1, 3], NoisyCat()), DOGS), "fill each of 0..2 once"),
        ((CATS, DOGS, Group("cow", [0], RandomDog())), "no role 'cow'"),
        ((Group("cat", None, WrongShape()), DOGS), r"WrongShape in role 'cat' .*shape \(2,\); the game expects \(\)"),
        ((CATS, Group("dog", None, NoisyCat())), "NoisyCat in role 'dog' .*dtype float32; the game expects int32"),
        ((Group("cat", None, Crashes()), DOGS), "Crashes in role 'cat' .*`act` failed on what it is shown"),
        (
            (Group("cat", None, Recalls()), DOGS),
            r"Recalls in .* given int32\[3, 1\], and returned float32",
        ),
        ((Group("cat", None, Grows()), DOGS), "changed the form of the state"),
        (
            (Group("cat", None, NoisyCat(), Interface(reward=jnp.sum)), DOGS),
            r"NoisyCat in role 'cat' .*`reward` must give one number for each of the 3 seats, it gave the shape \(\)",
        ),
        ((Group("cat", None, Independent.each([NoisyCat()] * 2)), DOGS), "2 rules were given for 3 seats"),
    ],
)
def test_what_does_not_fit_says_why_at_build_time(groups, message):
    with pytest.raises(BuildError, match=message):
        play(*groups)


@pytest.mark.parametrize(("name", "value"), [("length", 0), ("length", True), ("copies", -1), ("copies", True)])
def test_counts_must_be_positive_integers(name, value):
    with pytest.raises(BuildError, match=name):
        play(CATS, DOGS, **{"length": 4, name: value})


def test_integers_are_taken_where_numbers_are_expected():
    class Whole(AbstractAgent):
        def act(self, key, state, memory, obs):
            return 1, memory, ()

    assert (lived(play(Group("cat", None, Whole()), DOGS), 1)["cats"] == 1.0).all()
