"""Learners among scripted traders: who sits where and sees what, and that every claim finds its cell."""

import jax
import numpy as np
import pytest
import xarray
from invented import Invented

from catallax.agents.deep import Reinforce
from catallax.agents.parts import MLP
from catallax.agents.traders import GD, Kaplan
from catallax.core import rng, run
from catallax.experiments.double_auction.opponents import (
    CLAIMS,
    INSTITUTIONS,
    LABELS,
    MEASURES,
    OPPONENTS,
    PLACES,
    Settings,
    advantage,
    experiment,
    gain,
    line_up,
    memoryless,
    standing,
)

pytestmark = pytest.mark.compile_effort("least")


def test_every_claim_and_label_finds_its_cell():
    cells = {cell.name for cell in experiment.build_cells(Settings(), "paper")}
    assert set(LABELS) == {name for name, _ in OPPONENTS} and tuple(INSTITUTIONS) == PLACES
    for claim in CLAIMS:
        for cell in claim.needs:
            assert {cell, f"{cell}.alone"} <= cells
    assert {"memoryless.zic.buyer", "memoryless.zic.seller"} <= cells
    quick = {cell.name for cell in experiment.build_cells(Settings(), "quick")}
    assert "memoryless.zic" in quick < cells


@pytest.mark.parametrize(("game", "rule"), [(memoryless, GD()), (standing, Kaplan())])
def test_learners_take_the_first_seats_and_are_shown_no_tape(game, rule):
    learner = Reinforce(network=MLP((4,)))
    play = line_up(game(), rule, learner, ("buyer", "seller"))
    seats = [(g.role, g.seats, type(g.control.agent)) for g in play.population.groups]
    others = type(rule)
    assert seats == [
        ("buyer", (0,), Reinforce),
        ("buyer", (1, 2, 3), others),
        ("seller", (0,), Reinforce),
        ("seller", (1, 2, 3), others),
    ]
    weights = jax.eval_shape(play.init, rng.key(0)).agents[0].layers[0].weight
    assert weights.shape == (1, 6, 4)  # the clock and the own trades, nothing of the tape


def test_learners_trade_among_rules_that_read_the_tape(quick_run):
    """Belief traders are played here; Kaplan's in both institutions by the run at scale quick."""
    play = line_up(memoryless(), GD(), Reinforce(network=MLP((4,))), ("buyer", "seller"))
    assert np.isfinite(np.asarray(run(play, rng.key(0), 2, MEASURES).series["buyer_profit"])).all()
    results = quick_run("double_auction.opponents")
    for place in PLACES:
        assert np.isfinite(results.dataset(f"{place}.kaplan")["buyer_profit"].values).all()


def test_what_learning_earns_is_read_against_neighbours_and_against_the_rule_in_the_same_seat():
    def profits(first, others):
        values = np.zeros((2, 1, 2, 4))
        values[..., 0], values[..., 1:] = first, others
        return xarray.Dataset({"buyer_profit": (("replicate", "phase", "copy", "buyer"), values)})

    results = Invented(experiment, "quick", {"m": profits(9.0, 5.0), "m.alone": profits(6.0, 6.5)})
    np.testing.assert_allclose(advantage("m", "buyer")(results), [4.0, 4.0])
    np.testing.assert_allclose(gain("m", "buyer")(results), [3.0, 3.0])
