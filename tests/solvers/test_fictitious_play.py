"""Fictitious play with beliefs: where it must converge, where it must not, and a second implementation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from catallax.core import InputError, rng, run, solve
from catallax.games.matrix import (
    Polymatrix,
    asymmetric_matching_pennies,
    coordination,
    matching_pennies,
    rock_paper_scissors,
)
from catallax.measures.matrix import Payoffs, Policy
from catallax.solvers.matrix.flow import BestResponsePlay
from catallax.solvers.matrix.logit import logit_equilibrium


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def shapley():
    """Player 0 wants to match, player 1 to be one ahead."""
    ahead = np.roll(np.eye(3), 1, axis=1)
    return Polymatrix.from_bimatrix(np.eye(3), ahead)


@pytest.mark.parametrize("game", [matching_pennies(), rock_paper_scissors()], ids=["pennies", "rps"])
def test_in_zero_sum_games_regrets_vanish(game):
    """Robinson (1951); at least about as fast as n^(-1/2) in these games."""
    with jax.enable_x64(True):
        start = np.asarray([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]])[:, : game.width]
        start = start / start.sum(axis=1, keepdims=True)
        series = run(BestResponsePlay(game, start=start), rng.key(0), 10_000, (Payoffs(every=100),)).series
        regret = np.asarray(series["regret"]).max(axis=(1, 2))
    n = 100 * np.arange(1, 101)
    assert (regret * np.sqrt(n) < 4).all() and regret[-1] < 0.03 < regret[0]


def test_in_shapley_s_game_it_cycles_ever_more_slowly():
    rule = BestResponsePlay(shapley(), start=[[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])

    def one(state, t):
        state, reply = rule.step(rng.key(0), state, t)
        return state, (reply[:, :, 0].argmax(axis=1), state.policy[:, :, 0])

    _, (reply, beliefs) = jax.jit(lambda s: jax.lax.scan(one, s, jnp.arange(30_000)))(rule.init(rng.key(0)))
    late = np.asarray(beliefs)[10_000:]
    assert np.abs(late - 1 / 3).max(axis=(1, 2)).min() > 0.05  # it stays away from the only equilibrium
    joint = np.asarray(reply) @ [3, 1]
    ends = np.flatnonzero(np.diff(joint))
    lengths = np.diff(ends)[-8:]
    assert (lengths[1:] > lengths[:-1]).all()
    ratio = lengths[1:] / lengths[:-1]
    assert np.ptp(ratio[-4:]) < 0.1 * ratio[-1]  # geometrically
    assert (np.diff(joint[ends[-8:]]) != 0).all() and len(set(joint[ends[-6:]].tolist())) == 6


def test_nashpy_plays_the_same():
    nashpy = pytest.importorskip("nashpy")
    draw = np.random.default_rng(2)
    ours, theirs = draw.normal(size=(2, 3, 4))
    counts = (np.asarray([2.0, 1.0, 1.0]), np.ones(4))
    history = list(nashpy.Game(ours, theirs).fictitious_play(500, counts))
    game = Polymatrix.from_bimatrix(ours, theirs)
    start = np.zeros((2, 4))
    start[0, :3], start[1] = counts[0] / 4, counts[1] / 4
    state = run(BestResponsePlay(game, start=start, prior=4.0), rng.key(0), 500).state
    expected = np.asarray([*history[-1][0], 0]), np.asarray(history[-1][1])
    np.testing.assert_allclose(state.policy[:, :, 0] * state.count, np.stack(expected), atol=1e-8)


def test_smoothed_and_slow_it_rests_at_the_logit_equilibrium():
    game, temperature = asymmetric_matching_pennies(), np.asarray([0.5, 2.0])
    rule = BestResponsePlay(game, temperature, [0.8, 0.9], rate=0.05)
    found = solve(rule, rng.key(0), tol=1e-12)
    expected = logit_equilibrium(game, temperature).require()
    np.testing.assert_allclose(found.require().policy[:, :, 0], expected, atol=1e-10)


def test_small_rates_follow_the_best_response_dynamics():
    """Until the reply changes, dx/dt = b - x is solved by x(t) = b + (x(0) - b) exp(-t)."""
    rule = BestResponsePlay(coordination(), start=[0.8, 0.7], rate=1e-4)
    path = run(rule, rng.key(0), 10_000, (Policy(every=10_000),)).series["policy"][0, :, 0, 0]
    np.testing.assert_allclose(path, 1 + (np.asarray([0.8, 0.7]) - 1) * np.exp(-1), atol=1e-4)


def test_many_starts_at_once_and_one_at_a_time():
    starts = np.random.default_rng(0).dirichlet(np.ones(3), (2, 5)).transpose(0, 2, 1)
    together = run(BestResponsePlay(rock_paper_scissors(), start=starts), rng.key(0), 50).state.policy
    for b in range(5):
        alone = run(BestResponsePlay(rock_paper_scissors(), start=starts[:, :, b]), rng.key(0), 50).state.policy
        np.testing.assert_allclose(together[:, :, b], alone[:, :, 0], atol=1e-12)


def test_bad_input_is_refused():
    game = matching_pennies()
    for make, words in (
        (lambda: BestResponsePlay(game, -1.0), "temperature"),
        (lambda: BestResponsePlay(game, rate=0.0), "rate"),
        (lambda: BestResponsePlay(game, prior=-1.0), "prior"),
        (lambda: BestResponsePlay(game, start=[1.0, 0.5]), "interior"),
    ):
        with pytest.raises(InputError, match=words):
            make()
